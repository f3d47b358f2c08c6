"""Packages that the image's maker writes down because nothing else tells of them: ``anchore_hints.json`` at its root.

Format: Anchore Engine's, as JSON or (``anchore_hints.yaml``, ``.yml``) YAML::

    packages:
      - {name: zlib, version: 1.3.1, type: binary, license: Zlib, location: /opt/zlib}

Required are name, version (or ``versions``, a list) and type: rpm, dpkg, apkg, gem, npm, python, java, go, binary, or a
purl type. Besides: location, license or licenses, origin or origins, source, arch, release, size, metadata.

Hints only add: one that says what was found anyway (a distribution's package by its name, others by name and version)
counts for nothing, and a remark says so. What was added says so itself (``kind: hint``). An image's word about itself
is believed only where the user asked for it.

Asked for by: the setting ``hints`` or ``--hints``.

Emits: packages of any type that a hint may have, each marked ``kind: hint``.

Not handled: packages that are in the image and hinted to have another version: the hint counts as one more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Self

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import SCHEMES, kept
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.limits import Limit, Limits
from anchorecli.analyzers.purl import os_purl, purl
from anchorecli.errors import LimitError
from anchorecli.model import ImagePath, Json, Location, Package, Problem
from anchorecli.values import dataclass

FILES = ("anchore_hints.json", "anchore_hints.yaml", "anchore_hints.yml")
MAX_BYTES = 4 * 1024 * 1024
MAX_TOGETHER = 4 * 1024 * 1024
LIMITS = Limits("hints", (Limit("yaml-bytes", 1 << 17, "bytes of YAML, which JSON may have"),))
"""The YAML parser takes a second or so for the worst of this size."""
MAX_TEXT = 500

TYPES: Mapping[str, str] = MappingProxyType(
    {
        "dpkg": "deb",
        "deb": "deb",
        "rpm": "rpm",
        "apkg": "apk",
        "apk": "apk",
        "alpm": "alpm",
        "python": "pypi",
        "java": "maven",
        "go": "golang",
        "binary": "generic",
        "generic": "generic",
        **{kind: kind for kind in SCHEMES},
    }
)
"""Types as hints call them → purl types."""

_SYSTEM: Mapping[str, str] = MappingProxyType({"deb": "deb", "rpm": "rpm", "apk": "apk", "alpm": "pacman"})


@dataclass(frozen=True, slots=True)
class HintAnalyzer:
    """Hinted packages. A fact is the list of them, normalised, or of what is wrong with one (``fault``)."""

    name: str = "hints"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(paths=frozenset(FILES), max_bytes=MAX_BYTES)
    limits: Limits = LIMITS

    @classmethod
    def of(cls, options: str, _scanner: object = None) -> Self:
        """The analyzer; it has no options."""
        return cls(options=options)

    def read(self, file: LayerFile) -> Json | None:
        """The hints of one file."""
        try:
            document = _document(file, self.limits)
        except LimitError:
            raise
        except (ValueError, RecursionError) as exc:
            return partial(None, str(exc) or "nested too deeply")
        packages = document.get("packages") if isinstance(document, dict) else None
        if not isinstance(packages, list):
            return partial(None, "no list of packages in it")
        return kept(_bounded(hint for number, entry in enumerate(packages, 1) for hint in _hints(number, entry))) or []

    def assemble(self, view: View) -> Found:
        """The packages that nothing else found, and what is wrong with the others."""
        names = {(each.type, each.name) for each in view.packages if each.type in _SYSTEM}
        versions = {(each.type, each.name, each.version) for each in view.packages}
        packages: dict[tuple[str, str], Package] = {}
        problems = []
        for fact in view.facts():
            for hint in fact.value:
                if "fault" in hint:
                    problems.append(Problem("analyze", fact.path, hint["fault"], "correct the hint"))
                    continue
                kind, name, version = hint["type"], hint["name"], hint["version"]
                if (kind, name) in names or (kind, name, version) in versions:
                    message = f"{name} {version} ({kind}) was found in the image: the hint counts for nothing"
                    problems.append(Problem("analyze", fact.path, message, "remove the hint", incomplete=False))
                    continue
                package = _package(view, fact, hint)
                packages.setdefault((package.purl, package.locations[0].path), package)
        looked = {"hints": f"{len(packages)} packages"}
        return Found(packages=tuple(packages.values()), problems=tuple(problems), looked_for=looked)


def _document(file: LayerFile, limits: Limits) -> Any:
    data = file.data()
    if file.path.endswith(".json"):
        return read_json(data)
    if len(data) > limits["yaml-bytes"]:
        raise limits.exceeded("yaml-bytes")
    import yaml

    try:
        # Of text alone: 1.10 is a version here, no number.
        return yaml.load(data, Loader=yaml.BaseLoader)  # noqa: S506 - it makes nothing but strings, lists and mappings
    except yaml.YAMLError as exc:
        raise ValueError(f"no YAML: {str(exc).splitlines()[0]}") from None


def _bounded(hints: Iterator[dict[str, Json]]) -> Iterator[dict[str, Json]]:
    """The hints as far as all together are no more than may be: each version of an entry has all that it says."""
    left = MAX_TOGETHER
    for hint in hints:
        left -= len(repr(hint))
        if left < 0:
            raise LimitError(f"hints of more than {MAX_TOGETHER} bytes together (a fixed limit)")
        yield hint


def _hints(number: int, entry: object) -> Iterator[dict[str, Json]]:
    """The hints of one entry: one for each of its versions."""
    if not isinstance(entry, dict):
        yield {"fault": f"package {number} is no mapping"}
        return
    name, kind = _text(entry.get("name")), TYPES.get(_text(entry.get("type")).lower(), "")
    versions = [_text(each) for each in _list(entry.get("versions"))] or [_text(entry.get("version"))]
    lacking = [key for key, there in (("name", name), ("version", all(versions)), ("type", kind)) if not there]
    if lacking:
        wanted = f"; type is one of {', '.join(sorted(TYPES))}" if "type" in lacking else ""
        yield {"fault": f"package {number} has no {' and no '.join(lacking)} that can be used{wanted}"}
        return
    release = _text(entry.get("release"))
    if kind == "apk" and not release and not all("-" in version for version in versions):
        yield {"fault": f"package {number} ({name}) has no release: an apk version is VERSION-rN"}
        return
    for version in versions:
        whole = f"{version}-{release}" if release and kind in _SYSTEM else version
        yield {"name": name, "version": whole, "type": kind, **_details(entry, kind)}


def _details(entry: Mapping[str, Any], kind: str) -> dict[str, Json]:
    licences = [text for each in _list(entry.get("licenses")) or [entry.get("license")] if (text := _text(each))]
    origins = [text for each in _list(entry.get("origins")) or [entry.get("origin")] if (text := _text(each))]
    size = _text(entry.get("size"))
    found: dict[str, Json] = {
        "licenses": licences,
        "location": _text(entry.get("location")).strip("/"),
        "source": _text(entry.get("source")) or (origins[0] if kind == "apk" and origins else ""),
        "vendor": ", ".join(origins) if kind != "apk" else "",
        "arch": _text(entry.get("arch")),
        "size": int(size) if size.isdecimal() and len(size) < 19 else 0,
        "metadata": {
            text: _text(value)
            for key, value in (entry["metadata"].items() if isinstance(entry.get("metadata"), dict) else ())
            if (text := _text(key)) and _text(value)
        },
    }
    return {key: value for key, value in found.items() if value}


def _package(view: View, fact: Fact, hint: Mapping[str, Any]) -> Package:
    kind, name, version, arch = hint["type"], hint["name"], hint["version"], hint.get("arch", "")
    place = view.location(fact)
    if hint.get("location"):
        place = Location(ImagePath(hint["location"]), place.layer)
    if kind in _SYSTEM:
        address = os_purl(kind, view.distro, name, version, {"arch": arch, "upstream": hint.get("source", "")})
    elif kind == "maven" and ":" in name:
        group, _, artifact = name.partition(":")
        address = purl(kind, artifact, version, namespace=group)
    else:
        address = purl(kind, name, version)
    return Package(
        name=name,
        version=version,
        type=kind,
        scheme=_SYSTEM.get(kind) or SCHEMES.get(kind, "fuzzy"),
        purl=address,
        arch=arch,
        source=hint.get("source") or name,
        source_version=version,
        licenses=normalise(hint.get("licenses", ())),
        locations=(place,),
        layer=since(view, fact),
        analyzer="hints",
        vendor=hint.get("vendor", ""),
        size=hint.get("size", 0),
        metadata={**hint.get("metadata", {}), "kind": "hint"},
    )


def _text(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return " ".join(printable(value).split())[:MAX_TEXT] if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []

"""Snaps, and the Debian packages that were unpacked into them.

Format: https://snapcraft.io/docs/snap-format , ``meta/snap.yaml`` of an unpacked snap (``name``, ``version``, ``base``,
``license``, scalars at the beginning of a line); ``snap/manifest.yaml`` beside it, whose ``primed-stage-packages`` are
``- libc6=2.31-0ubuntu9.9``; of a base snap ``usr/share/snappy/dpkg.list``, the table that ``dpkg -l`` prints, or
``dpkg.yaml`` there, whose ``packages`` are as in the manifest.

Debian packages inside a snap are those of the Ubuntu release of its base (``core20``: 20.04). Where that is the image's
own distribution they are packages like any other; where it is not, nothing in this image can judge them, and a Problem
says so.

Emits: packages of the types ``snap`` and ``deb``.

Not handled: snaps that are still one file.
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.purl import os_purl, purl
from anchorecli.model import Json, Package, Problem
from anchorecli.values import dataclass

MAX_BYTES = 8 * 1024 * 1024

_PLACES = ("meta/snap.yaml", "snap/manifest.yaml", "usr/share/snappy/dpkg.list", "usr/share/snappy/dpkg.yaml")
_SCALARS = ("name", "version", "base", "license", "type")
_LISTS = ("primed-stage-packages:", "packages:")


def _wanted(path: str, _size: int, _mode: int) -> bool:
    return f"/{path}".endswith(tuple(f"/{each}" for each in _PLACES))


@dataclass(frozen=True, slots=True)
class SnapAnalyzer:
    """Unpacked snaps.

    A fact is the scalars of a snap.yaml, or ``{"debs": [[name, version, arch], …]}``.
    """

    name: str = "snap"
    version: int = 2
    options: str = ""
    wants: Wants = Wants(
        names=frozenset({"snap.yaml", "manifest.yaml", "dpkg.list", "dpkg.yaml"}), match=_wanted, max_bytes=MAX_BYTES
    )

    def read(self, file: LayerFile) -> Json | None:
        """One file's fact."""
        text = printable(file.data())
        if file.path.endswith("dpkg.list"):
            return {"debs": list(_table(text))}
        if file.path.endswith(("manifest.yaml", "dpkg.yaml")):
            return {"debs": list(_staged(text))}
        value = _scalars(text)
        return value if value.get("name") and value.get("version") else None

    def assemble(self, view: View) -> Found:
        """A package for each snap, and its Debian packages where they are of the image's distribution."""
        packages: list[Package] = []
        problems: list[Problem] = []
        for fact in view.facts():
            if "debs" not in fact.value:
                packages.append(_snap(view, fact))
                continue
            release = _release(view, fact)
            distro = view.distro
            if distro is not None and distro.id == "ubuntu" and distro.version_id == release:
                packages.extend(_deb(view, fact, row) for row in fact.value["debs"])
            elif fact.value["debs"]:
                problems.append(_foreign(fact, release))
        return Found(packages=tuple(packages), problems=tuple(problems))


def _scalars(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and key in _SCALARS and key not in found:
            value = value.partition(" #")[0].strip().strip("'\"")
            if value:
                found[key] = value[:300]
    return found


def _staged(text: str) -> Iterator[list[str]]:
    inside = False
    for line in text.splitlines():
        if line[:1] not in ("", " ", "-"):
            inside = line.strip() in _LISTS
        elif inside and line.strip().startswith("- ") and "=" in line:
            name, _, version = line.strip()[2:].strip("'\"").partition("=")
            name, _, arch = name.partition(":")
            if name and version and " " not in version:
                yield [name, version, arch]


def _table(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        columns = line.split(None, 4)
        if len(columns) >= 4 and columns[0] == "ii":
            yield [columns[1].partition(":")[0], columns[2], columns[3]]


def _release(view: View, fact: Fact) -> str:
    """The Ubuntu release of a snap's base: ``20.04`` of ``core20``; empty where it is not known."""
    root = next(fact.path.removesuffix(place) for place in _PLACES if fact.path.endswith(place))
    about = view.fact(root + "meta/snap.yaml")
    base = (about.value.get("base") or about.value["name"]) if about and "name" in about.value else ""
    number = base.removeprefix("core")
    # Before core18 the base was simply "core", of 16.04.
    return "16.04" if base == "core" else f"{number}.04" if base.startswith("core") and number.isdecimal() else ""


def _foreign(fact: Fact, release: str) -> Problem:
    of = f"Ubuntu {release}" if release else "an Ubuntu that is not told"
    message = f"{len(fact.value['debs'])} Debian packages of {of} inside a snap were not checked"
    return Problem("analyze", fact.path, message, "scan the snap's content by itself, with its base")


def _snap(view: View, fact: Fact) -> Package:
    name, version = fact.value["name"], fact.value["version"]
    metadata = {key: fact.value[key] for key in ("base", "type") if key in fact.value}
    return Package(
        name=name,
        version=version,
        type="snap",
        scheme="fuzzy",
        purl=purl("generic", name, version, namespace="snap"),
        source=name,
        source_version=version,
        licenses=normalise([fact.value["license"]] if "license" in fact.value else []),
        locations=(view.location(fact),),
        layer=since(view, fact),
        analyzer="snap",
        metadata=metadata,
    )


def _deb(view: View, fact: Fact, row: list[str]) -> Package:
    name, version, arch = row
    return Package(
        name=name,
        version=version,
        type="deb",
        scheme="deb",
        purl=os_purl("deb", view.distro, name, version, {"arch": arch}),
        arch=arch,
        source=name,
        source_version=version,
        locations=(view.location(fact),),
        layer=since(view, fact),
        analyzer="snap",
        metadata={"evidence": "snap"},
    )

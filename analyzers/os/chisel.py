"""Packages of a chiselled image: those of Ubuntu that its slices were cut from.

Format: https://documentation.ubuntu.com/chisel/en/latest/reference/manifest/ , ``var/lib/chisel/manifest.wall``:
Zstandard, a JSON object per line; the first is a header (``{"jsonwall":"1.0","schema":"1.0","count":9}``), others are
told by ``kind``: ``{"kind":"package","name":"openssl","version":"3.0.2-0ubuntu1.18","sha256":"…","arch":"amd64"}``,
``{"kind":"path","path":"/usr/bin/openssl","mode":"0755","slices":["openssl_bins"],…}``.

A manifest names no source packages, by which Ubuntu's advisories are kept: ``chisel_sources`` knows those of the
packages that have slices; any other counts as its own source, and a Problem says so.

Emits: packages of the type ``deb``, with source package and the paths each owns.

Not handled: images that were cut by hand, which have no manifest.
"""

from __future__ import annotations

from collections.abc import Iterable

from anchorecli import compression
from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.limits import Limit, Limits
from anchorecli.analyzers.os.attribution import first_layers
from anchorecli.analyzers.os.filelist import Paths
from anchorecli.analyzers.purl import os_purl
from anchorecli.errors import LimitError
from anchorecli.model import DiffId, Json, Package, Problem
from anchorecli.values import dataclass

MAX_BAD = 1000
"""Lines: with more of them it is no manifest."""
PLACE = "var/lib/chisel/manifest.wall"
MAX_BYTES = 16 * 1024 * 1024
LIMITS = Limits("chisel", (Limit("inflated-bytes", 256 * 1024 * 1024, "bytes once inflated"),))
"""A chiselled image rarely has a thousandth of it."""


@dataclass(frozen=True, slots=True)
class ChiselAnalyzer:
    """Packages that slices were cut from.

    A fact is ``packages`` (name, version, arch each) and ``paths`` (package name → its paths as a text, a line each).
    """

    name: str = "chisel"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(paths=frozenset({PLACE}), max_bytes=MAX_BYTES)
    limits: Limits = LIMITS

    def read(self, file: LayerFile) -> Json | None:
        """The packages of a manifest, and which path is whose; what is damaged is told."""
        damage = ""
        try:
            data = _inflated(file, self.limits)
        except LimitError:
            raise
        except ValueError as exc:
            return partial(None, str(exc))
        packages: dict[str, list[str]] = {}
        paths: dict[str, list[str]] = {}
        bad = 0
        for number, line in enumerate(data.split(b"\n"), 1):
            if line and (fault := _line(line, packages, paths)):
                damage = f"line {number}: {fault}"
                bad += 1
                if bad > MAX_BAD:
                    break
        value = {
            "packages": list(packages.values()),
            "paths": {name: "\n".join(found) for name, found in paths.items() if name in packages},
        }
        return partial(value, f"damaged: {damage}; {len(packages)} packages were kept") if damage else value

    def assemble(self, view: View) -> Found:
        """One package for each that the visible manifest names."""
        fact = view.fact(PLACE)
        if fact is None:
            return Found()
        from anchorecli.analyzers.os.chisel_sources import source_of

        layers = first_layers(view.history(fact.path), _identities)
        packages, owned, unsure = [], {}, []
        for row in fact.value["packages"]:
            name, version, arch = row
            source = source_of(name, version)
            if not source:
                unsure.append(name)
            layer = view.diff_id(layers.get((name, version, arch), fact.layer))
            package = _package(view, fact, (name, version, arch, source or name), layer)
            packages.append(package)
            owned[package.purl] = Paths((text,) if (text := fact.value["paths"].get(name)) else ())
        return Found(packages=tuple(packages), owned=owned, problems=_unsure(unsure))


def _inflated(file: LayerFile, limits: Limits) -> bytes:
    kind = compression.sniff(file.head(8))
    parts, total = [], 0
    for part in compression.inflate(file.pieces(), kind):
        total += len(part)
        if total > limits["inflated-bytes"]:
            raise limits.exceeded("inflated-bytes")
        parts.append(part)
    return b"".join(parts)


def _line(line: bytes, packages: dict[str, list[str]], paths: dict[str, list[str]]) -> str:
    """Take in one line; what is wrong with it, or nothing."""
    from json import loads

    # Most lines are paths and what they consist of; those of the latter say nothing new.
    if b'"kind":"content"' in line or b'"kind":"slice"' in line:
        return ""
    try:
        entry = loads(line)
    except (ValueError, RecursionError):
        return "no JSON"
    if not isinstance(entry, dict):
        return "no JSON object"
    if entry.get("kind") == "package":
        row = [printable(text) for key in ("name", "version", "arch") if isinstance(text := entry.get(key), str)]
        if len(row) != 3 or not row[0] or not row[1]:
            return "a package without name, version and architecture"
        packages[row[0]] = row
    elif entry.get("kind") == "path" and isinstance(path := entry.get("path"), str) and path[-1:] != "/":
        slices = entry.get("slices")
        for each in slices if isinstance(slices, list) else ():
            if isinstance(each, str):
                paths.setdefault(each.rpartition("_")[0], []).append(path.replace("\n", ""))
    return ""


def _identities(value: Json) -> Iterable[tuple[str, str, str]]:
    return ((row[0], row[1], row[2]) for row in value["packages"])


def _package(view: View, fact: Fact, identity: tuple[str, str, str, str], layer: DiffId) -> Package:
    name, version, arch, source = identity
    qualifiers = {"arch": arch, "upstream": source if source != name else ""}
    return Package(
        name=name,
        version=version,
        type="deb",
        scheme="deb",
        purl=os_purl("deb", view.distro, name, version, qualifiers),
        arch=arch,
        source=source,
        source_version=version,
        locations=(view.location(fact),),
        layer=layer,
        analyzer="chisel",
        metadata={"evidence": "chisel"},
    )


def _unsure(names: list[str]) -> tuple[Problem, ...]:
    if not names:
        return ()
    some = ", ".join(sorted(names)[:5]) + (", …" if len(names) > 5 else "")
    message = f"the source packages of {len(names)} are not known, each is taken for its own: {some}"
    return (Problem("analyze", PLACE, message, "advisories for their real source packages may be missing"),)

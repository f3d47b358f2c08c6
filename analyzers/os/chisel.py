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

from collections.abc import Iterable, Iterator, Mapping

from anchorecli import compression
from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.documents import stream_lines
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
LIMITS = Limits(
    "chisel",
    (
        Limit("inflated-bytes", 256 * 1024 * 1024, "bytes once inflated"),
        Limit("packages", 20_000, "packages in one manifest"),
        Limit("paths", 250_000, "paths of packages in one manifest"),
    ),
)
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
        manifest = _Manifest(self.limits)
        damage = hit = ""
        try:
            damage = manifest.take(stream_lines(_inflated(file, self.limits)))
        except LimitError as exc:
            hit = str(exc)
        except ValueError as exc:
            damage = str(exc)
        value = manifest.value()
        if not damage and not hit:
            return value
        kept = len(manifest.packages)
        damage = f"damaged: {damage}; {kept} packages were kept" if damage else ""
        return partial(value if kept else None, damage, f"{hit}; {kept} packages were kept" if hit else "")

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


def _inflated(file: LayerFile, limits: Limits) -> Iterator[bytes]:
    kind = compression.sniff(file.head(8))
    total = 0
    for part in compression.inflate(file.pieces(), kind):
        total += len(part)
        if total > limits["inflated-bytes"]:
            raise limits.exceeded("inflated-bytes")
        yield part


class _Manifest:
    """What was read of a manifest so far."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.packages: dict[str, list[str]] = {}
        self._paths: dict[str, list[str]] = {}
        self._left = limits["paths"]

    def take(self, lines: Iterable[bytes]) -> str:
        """Take in the lines; what is wrong with the last that is damaged, or nothing. Raises: LimitError."""
        damage, bad = "", 0
        for number, line in enumerate(lines, 1):
            if line and (fault := self._line(line)):
                damage = f"line {number}: {fault}"
                bad += 1
                if bad > MAX_BAD:
                    break
        return damage

    def value(self) -> dict[str, Json]:
        """The fact."""
        paths = {name: "\n".join(found) for name, found in self._paths.items() if name in self.packages}
        return {"packages": list(self.packages.values()), "paths": paths}

    def _line(self, line: bytes) -> str:
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
            return self._package(entry)
        if entry.get("kind") == "path" and isinstance(path := entry.get("path"), str) and path[-1:] != "/":
            self._path(path.replace("\n", ""), entry.get("slices"))
        return ""

    def _package(self, entry: Mapping[str, object]) -> str:
        row = [printable(text) for key in ("name", "version", "arch") if isinstance(text := entry.get(key), str)]
        if len(row) != 3 or not row[0] or not row[1]:
            return "a package without name, version and architecture"
        if len(self.packages) >= self._limits["packages"]:
            raise self._limits.exceeded("packages")
        self.packages[row[0]] = row
        return ""

    def _path(self, path: str, slices: object) -> None:
        for each in slices if isinstance(slices, list) else ():
            if isinstance(each, str):
                self._left -= 1
                if self._left < 0:
                    raise self._limits.exceeded("paths")
                self._paths.setdefault(each.rpartition("_")[0], []).append(path)


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

"""Packages installed by dpkg or opkg, whole databases and the pieces that distroless images keep.

Format: dpkg's admin directory, see dpkg(1) and deb-control(5): ``status`` and ``info/NAME[:ARCH].list``;
``status.d/NAME`` and ``NAME.md5sums`` of distroless; ``/usr/share/doc/NAME/copyright``; opkg's ``status`` and
``info/NAME.control``. One entry of a status file: ``Package: bash``, ``Version: 5.2.15-2+b2``.

``info/*.md5sums`` is not read: it names a part of what ``.list`` names, at twice the cost.

Emits: packages of the types ``deb`` and ``opkg``, with source package, licences, maintainer, size, and the paths each
owns. A gap where ``info`` has lists of packages that no entry is about, and their files are there.

Not handled: ``status-old``, ``available`` and other copies; chiselled images have a manifest, see ``chisel.py``. Owned
paths are as dpkg lists them: on a merged-usr image ``/lib/x`` for what the tree holds at ``usr/lib/x``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.documents import text_pieces, up_to
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.limits import Limit, Limits
from anchorecli.analyzers.os import copyright as copyright_file
from anchorecli.analyzers.os.attribution import first_layers, names
from anchorecli.analyzers.os.dpkg_status import Stanza, parse_pieces
from anchorecli.analyzers.os.filelist import Paths, gathered
from anchorecli.analyzers.purl import os_purl
from anchorecli.model import DiffId, Json, Kind, Package, Problem
from anchorecli.tree import Tree
from anchorecli.values import dataclass

MAX_FILE = 32 * 1024 * 1024
"""Bytes; the status file of a machine with 10,000 packages has a third of it."""
LIMITS = Limits("dpkg", (Limit("packages", 100_000, "packages in one database"),))
_LARGE = 1024 * 1024
"""Bytes of a list that is read in pieces."""

_ADMIN = re.compile(r"(?:(?P<root>.*?)/)??(?:var/lib|usr/lib|lib)/(?P<kind>dpkg|opkg)(?:/(?P<part>info|status\.d))?$")
_DOC = re.compile(r"(?:.*/)?usr/share/doc/[^/]+$")


_BESIDE = (".preinst", ".postinst", ".prerm", ".postrm", ".conffiles", ".list", ".symbols", ".shlibs", ".triggers")


def _wanted(path: str, _size: int, _mode: int) -> bool:
    directory, _, base = path.rpartition("/")
    if base == "copyright":
        return _DOC.match(directory) is not None
    found = _ADMIN.match(directory)
    if found is None:
        return False
    kind, part = found["kind"], found["part"]
    if part is None:
        return base == "status"
    if part == "status.d":
        # Scripts and lists of a package lie beside its stanza.
        return kind == "dpkg" and not base.endswith(_BESIDE)
    return base.endswith(".list") or (kind == "opkg" and base.endswith(".control"))


@dataclass(frozen=True, slots=True)
class DpkgAnalyzer:
    """dpkg and opkg packages.

    A fact is the stanzas of a status file (arrays, see ``Stanza``; of what was removed the name alone), the paths of a
    ``.list`` or ``.md5sums`` as one text, a line each, or the licence names of a copyright file.
    """

    name: str = "dpkg"
    version: int = 4
    options: str = ""
    wants: Wants = Wants(
        names=frozenset({"status", "copyright"}),
        suffixes=frozenset({".list", ".md5sums", ".control"}),
        parents=frozenset({"status.d"}),
        match=_wanted,
        max_bytes=MAX_FILE,
    )
    limits: Limits = LIMITS

    def read(self, file: LayerFile) -> Json | None:
        """One file's fact; a damaged status file keeps its readable stanzas."""
        directory, _, base = file.path.rpartition("/")
        data = file.data()
        if base == "copyright":
            return copyright_file.named(data) or None
        if base.endswith(".md5sums"):
            return _summed(data) or None
        if base.endswith(".list") and directory.endswith("/info"):
            return _listed(data) or None
        return _stanzas(data, self.limits, whole=base == "status" and not directory.endswith("status.d"))

    def assemble(self, view: View) -> Found:
        """One package per stanza of a visible database, with the paths and licences that its side files name."""
        facts: dict[str, Fact] = {fact.path: fact for fact in view.facts()}
        packages: dict[tuple[str, str, str, str], Package] = {}
        owned: dict[str, Paths] = {}
        listed: set[str] = set()
        for fact in facts.values():
            place = _ADMIN.match(fact.path.rpartition("/")[0])
            if place is None or isinstance(fact.value, str):
                continue
            if fact.path.endswith(".control") and f"{place[0].removesuffix('/info')}/status" in facts:
                continue
            database = _Database(view, facts, fact, place["root"] or "", place["kind"], listed)
            for key, package, paths in database.packages():
                if key not in packages:
                    packages[key] = package
                    owned[package.purl] = _joined(owned.get(package.purl), paths)
            # Nobody asks for it again, and there may be a hundred thousand files of one stanza each.
            facts[fact.path] = fact._replace(value=None)
        return Found(packages=tuple(packages.values()), problems=tuple(_forgotten(view, facts, listed)), owned=owned)


def _forgotten(view: View, facts: Mapping[str, Fact], listed: set[str]) -> Iterator[Problem]:
    """A problem for each database that keeps lists of files of packages it does not speak of, and the files are there.

    dpkg removes a list with the package, but for one whose configuration is left: of that the database speaks.
    """
    lost: dict[str, list[str]] = {}
    for path, fact in facts.items():
        # libc6:amd64.list
        name = path.removesuffix(".list").partition(":")[0]
        if name == path or name in listed or not isinstance(fact.value, str) or not path.endswith(".list"):
            continue
        admin, _, base = name.rpartition("/info/")
        place = _ADMIN.match(admin)
        if place is not None and place["kind"] == "dpkg" and _is_there(view.tree, place["root"], fact.value):
            lost.setdefault(admin, []).append(base)
    for admin, names_ in sorted(lost.items()):
        some = ", ".join(sorted(names_)[:3]) + (", …" if len(names_) > 3 else "")
        message = f"nothing is said of {len(names_)} packages whose files are there: {some}"
        yield Problem(
            "analyze", f"{admin}/status", message, "their versions are not known; was the file changed by hand?"
        )


def _is_there(tree: Tree, root: str | None, paths: str) -> bool:
    """Whether a file of a list is in the image, configuration aside."""
    for path in paths.split("\n"):
        if not path.startswith("/etc/"):
            stat = tree.stat(tree.resolve(f"{root or ''}/{path.strip('/')}".strip("/")) or "")
            if stat is not None and stat.kind is Kind.FILE:
                return True
    return False


def _stanzas(data: bytes, limits: Limits, *, whole: bool) -> Json | None:
    hits: list[str] = []
    pieces = up_to(text_pieces(data, b"\n\n", "replace"), hits)
    stanzas, damage, more, gone = parse_pieces(pieces, limits["packages"])
    if more:
        hits.append(limits.told("packages"))
    # In place: there may be a hundred thousand of them.
    value: list[Json] = list[Json](stanzas)
    del stanzas
    for place, stanza in enumerate(value):
        value[place] = list(stanza)
    if whole and data and not data.endswith(b"\n"):
        # dpkg ends every line; a single stanza in status.d may come from a tool that does not.
        damage = "; ".join(filter(None, [damage, "the last line has no end, so the file may be cut short"]))
    damage = f"damaged: {damage}; {len(value)} packages were kept" if damage else ""
    hit = f"{'; '.join(hits)}; {len(value)} packages were kept" if hits else ""
    value += ([name] for name in gone)
    return partial(value, damage, hit) if damage or hit else value or None


def _listed(data: bytes) -> str:
    """The paths of a list, which are its lines."""
    if len(data) < _LARGE:
        return data.decode("utf-8", "surrogateescape").strip("\n")
    return gathered(piece.removesuffix("\n") for piece in text_pieces(data, b"\n")).strip("\n")


def _summed(data: bytes) -> str:
    """The paths of an md5sums file: ``<32 hex digits>  usr/bin/x``."""
    pieces = text_pieces(data, b"\n")
    lines = ((line[34:].removeprefix("./") for line in piece.splitlines() if line[32:33] == " ") for piece in pieces)
    return gathered(map("\n".join, lines))


@lru_cache(maxsize=64)
def _no_paths(root: str) -> Paths:
    """What a package without a list has: one for all of them."""
    return Paths((), root)


def _joined(first: Paths | None, second: Paths) -> Paths:
    """The paths of one package that is installed in two roots under one purl."""
    if first is None:
        return second
    return Paths(tuple(text for text in ("\n".join(first), "\n".join(second)) if text))


@dataclass(frozen=True, slots=True)
class _Database:
    """One status file and what stands beside it."""

    view: View
    facts: Mapping[str, Fact]
    fact: Fact
    root: str
    kind: str
    listed: set[str]
    """The lists of files of packages that it speaks of, without ending and architecture; filled by ``packages``."""

    def _admin(self) -> str:
        """dpkg's directory: ``var/lib/dpkg``."""
        directory = self.fact.path.rpartition("/")[0]
        return directory.removesuffix("/status.d").removesuffix("/info")

    def packages(self) -> Iterator[tuple[tuple[str, str, str, str], Package, Paths]]:
        """Each package with its identity and its paths."""
        layers = first_layers(self.view.history(self.fact.path), _identities)
        admin = self._admin()
        for row in self.fact.value:
            self.listed.add(f"{admin}/info/{row[0]}")
            if len(row) == 1:
                continue
            stanza = Stanza(*row)
            identity = (stanza.name, stanza.version, stanza.arch)
            layer = layers.get(identity, self.fact.layer)
            package = self._package(stanza, self.view.diff_id(layer))
            yield (self.root, *identity), package, self._paths(stanza)

    def _package(self, stanza: Stanza, layer: DiffId) -> Package:
        kind = "opkg" if self.kind == "opkg" else "deb"
        upstream = ""
        if (stanza.source, stanza.source_version) != (stanza.name, stanza.version):
            upstream = stanza.source
            if stanza.source_version != stanza.version:
                upstream += f"@{stanza.source_version}"
        qualifiers = {"arch": stanza.arch, "upstream": upstream}
        metadata = {} if stanza.state in ("", "installed") else {"status": stanza.state}
        return Package(
            name=stanza.name,
            version=stanza.version,
            type=kind,
            scheme="deb",
            purl=os_purl(kind, self.view.distro, stanza.name, stanza.version, qualifiers),
            arch=stanza.arch,
            source=stanza.source,
            source_version=stanza.source_version,
            licenses=self._licenses(stanza),
            locations=(self.view.location(self.fact),),
            layer=layer,
            analyzer="dpkg",
            vendor=stanza.maintainer,
            size=stanza.size,
            metadata=metadata,
            depends=names(stanza.depends, ", "),
            provides=names(stanza.provides, ", "),
        )

    def _licenses(self, stanza: Stanza) -> tuple[str, ...]:
        if self.kind == "opkg":
            control = self.facts.get(f"{self._admin()}/info/{stanza.name}.control")
            declared = stanza.license or (_declared(control.value[0]) if control else "")
            return normalise([declared])
        path = f"usr/share/doc/{stanza.name}/copyright"
        path = f"{self.root}/{path}" if self.root else path
        # Only where the directory is a link to another package's is there something to resolve.
        fact = self.facts.get(path) or (self.view.fact(path) if path not in self.view.tree else None)
        return copyright_file.licenses(fact.value) if fact else ()

    def _paths(self, stanza: Stanza) -> Paths:
        admin = self._admin()
        for name in (f"{stanza.name}:{stanza.arch}", stanza.name):
            if fact := self.facts.get(f"{admin}/info/{name}.list"):
                return Paths((fact.value,), self.root)
        fact = self.facts.get(f"{self.fact.path}.md5sums") or self.facts.get(f"{admin}/status.d/{stanza.name}.md5sums")
        return Paths((fact.value,), self.root) if fact else _no_paths(self.root)


def _declared(row: list[Json]) -> str:
    """The licence of a package's own description, which may say that the package is gone."""
    return Stanza(*row).license if len(row) > 1 else ""


def _identities(value: Json) -> Iterable[tuple[str, str, str]]:
    return () if isinstance(value, str) else ((row[0], row[1], row[2]) for row in value if len(row) > 1)

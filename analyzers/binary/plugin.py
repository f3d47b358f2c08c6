"""What is linked into executable files and libraries: Go modules, Rust crates, and programs known by their strings.

A file is a candidate by its size and mode, or by the name of a known program; what it is its first bytes tell. Of a
file that can be read anywhere only the parts that matter are read. A large file in a compressed layer passes once: its
first page says what to keep of it (``layout.plan``), known strings are looked for meanwhile, and the rest is forgotten.

Emits: packages of the types ``golang``, ``cargo``, ``maven`` (GraalVM's native images; jars that a script starts),
``pypi`` (programs that PyInstaller froze; zip applications of any name), ``generic`` (those known by their strings have
the type their rule gives, and CPEs), and ``rpm``, ``deb``, ``alpm`` or ``apk`` where a program's own note tells of a
package that no database lists.

Not handled: notes of programs below 128 KiB, Go before 1.13, packed programs (UPX, Bun: a remark), crates without
cargo-auditable, native images without a bill of materials, libraries that say their release nowhere (FreeType, libldap,
ZeroMQ, libjxl, giflib, librdkafka, Snappy, ICU's data), and most that were linked into another file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from posixpath import basename

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.binary import bundle, elf, frozen, golang, macho, nativeimage, packagenote, pe, rust, zipped
from anchorecli.analyzers.binary.classifiers import Search, rules_for
from anchorecli.analyzers.binary.evidence import packages, program_packages
from anchorecli.analyzers.binary.gomodules import lacks_version, main_path
from anchorecli.analyzers.binary.layout import LIMITS, Kept, Layout, Source, keep, plan, texts
from anchorecli.analyzers.language.java.plugin import found_in
from anchorecli.analyzers.limits import Limits
from anchorecli.errors import LimitError
from anchorecli.model import Json, Kind, Package, Problem
from anchorecli.values import dataclass

FIRST_BYTES = 4096
"""Headers and section tables of the linkers that write them first fit in."""
SMALL, LINKED, PLAIN = 24 * 1024, 128 * 1024, 256 * 1024
"""Bytes: no known program or zip file with packages is smaller than the first, nothing with modules or crates than the
second; below the third mode or name must say that it is executable."""
BUN = ".bun"
"""The section in which ``bun build --compile`` puts the application; in Bun itself it is empty."""
SECTIONS = (*(each.SECTION.encode() for each in (golang, rust, nativeimage, packagenote)), BUN.encode())
NAMES = frozenset({"application.ini", "composer", "composer.phar", "elixir", "java", "release", "wp"})
"""Small programs, scripts, and files that tell a program's version: of any size."""

STEP = 1024 * 1024

_MAGICS = (elf.MAGIC, *macho.MAGICS, *macho.UNIVERSAL, pe.MAGIC)
_UPX = b"UPX!"
_PACKED = {
    "UPX": "packed with UPX: what is linked into it cannot be read",
    "Bun": "compiled by Bun: which packages were bundled into it is not known",
}
_EMPTY = 64
"""Bytes of Bun's section that hold nothing."""


def is_candidate(path: str, size: int, mode: int) -> bool:
    """Whether a file's first bytes are worth a look."""
    name = path[path.rfind("/") + 1 :]
    # The runner asks for links by name with a size of 1: it knows by itself which have a fact under another name.
    if size >= PLAIN or (name in NAMES and size > 1):
        return True
    if size < SMALL:
        return False
    return bool(mode & 0o111) or (size >= LINKED and ".so" in name) or bool(rules_for(name))


@dataclass(frozen=True, slots=True)
class Binaries:
    """Packages of executable files.

    A fact is ``go`` (``golang.read``), ``crates`` (``rust.read``), ``artifacts`` (``nativeimage.read``), ``programs``
    (rows of rule and version), ``dotnet`` (``bundle.read``), ``frozen`` (``frozen.read``), ``note`` (``packagenote``),
    ``zipped`` (``zipped.read``) and ``packed``, as far as there are any.
    """

    name: str = "binary"
    version: int = 13
    options: str = ""
    wants: Wants = Wants(
        names=NAMES,
        from_bytes=SMALL,
        match=is_candidate,
        max_bytes=0,
    )
    limits: Limits = LIMITS

    def read(self, file: LayerFile) -> Json | None:
        """What one file holds, or None for what is no program or tells nothing."""
        head = file.head(FIRST_BYTES)
        name = basename(file.path)
        executable = head.startswith(_MAGICS)
        rules = tuple(rule for rule in rules_for(name) if rule.text != executable)
        if executable and SMALL <= file.size < LINKED and not rules and name not in NAMES:
            return None  # it was offered since it might have been a zip file
        if not executable and not rules:
            return _zipped(file, head)
        search = Search(name, rules) if rules else None
        fact: dict[str, Json] = {}
        message, hit = "", ""
        try:
            if executable:
                message = _noted(fact, file, head)
                _embedded(fact, file, head)
                source, layouts = _taken(file, head, search)
                message = message or _noted_behind(fact, source, layouts)
                _linked(fact, layouts, source, self.limits)
                if any(layout.is_cut(file.size) for layout in layouts):
                    message = "cut short: its headers speak of more bytes than there are"
            elif search is not None:
                _search(_placed(file, 0, search), [(0, file.size)], search)
        except LimitError as exc:
            hit = str(exc)
        except (ValueError, LookupError) as exc:
            message = str(exc)
        if search is not None and (hits := search.hits()):
            fact["programs"] = [list(hit) for hit in hits]
        if executable and not fact and _UPX in head:
            fact["packed"] = "UPX"
        return partial(fact or None, message, hit) if message or hit else fact or None

    def is_telling(self, path: str) -> bool:
        """Whether programs are looked for by the name of the file."""
        name = basename(path)
        return name in NAMES or bool(rules_for(name))

    def assemble(self, view: View) -> Found:
        """The packages of every visible program."""
        found: list[Package] = []
        problems: list[Problem] = []
        programs: list[tuple[Fact, str, str]] = []
        noted: list[Fact] = []
        zips: list[Fact] = []
        for fact in view.facts():
            if _is_another_name(view, fact):
                continue
            found += packages(view, fact)
            found += bundle.packages(view, fact)
            found += frozen.packages(view, fact)
            found += zipped.packages(view, fact)
            if "zipped" in fact.value:
                zips.append(fact)
            programs += ((fact, name, version) for name, version in _programs(basename(fact.path), fact.value))
            if "note" in fact.value:
                noted.append(fact)
            if "frozen" in fact.value:
                problems.append(frozen.problem(fact))
            if "packed" in fact.value:
                problems.append(Problem("analyze", fact.path, _PACKED[fact.value["packed"]], incomplete=False))
        found += program_packages(view, programs)
        found += packagenote.packages(view, noted)
        java = found_in(view, zipped.archives(zips))
        return Found(packages=(*found, *java.packages), problems=(*problems, *java.problems))


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _zipped(file: LayerFile, head: bytes) -> Json | None:
    """The fact of a zip file that is a program."""
    try:
        if (found := zipped.read(file, head)) is None:
            return None
    except LimitError as exc:
        return partial(None, "", str(exc))
    except ValueError as exc:
        return partial(None, str(exc))
    faults = found.pop("faults", None)
    return partial({"zipped": found}, "; ".join(faults)) if faults else {"zipped": found}


def _taken(file: LayerFile, head: bytes, search: Search | None) -> tuple[Source, list[Layout]]:
    """What may be read of an executable, and its layout; the search is done on the way."""
    if not file.direct and head.startswith(elf.MAGIC):
        first = Kept(file.size)
        first.add(0, head)
        if (layout := _elf(first)) is not None:
            return _passed(file, len(head), (first, layout), search)
    if not file.direct:
        file.open().close()
    layouts = _layouts(file, head)
    if search is not None:
        spans = _spans(layouts[0], file.size, search) if len(layouts) == 1 else [(0, file.size)]
        _search(_parts(file, spans, search), spans, search)
    return file, layouts


def _passed(
    file: LayerFile, taken: int, first: tuple[Kept, Layout], search: Search | None
) -> tuple[Source, list[Layout]]:
    """One pass over an ELF file that cannot be read twice."""
    kept, layout = first
    ranges = [(max(start, taken), end) for start, end in plan(layout, file.size) if end > taken]
    end = max((end for _, end in ranges), default=0)
    pieces = keep(_placed(file, end, search), ranges, kept, taken)
    if search is not None:
        _search(pieces, _spans(layout, file.size, search), search)
    else:
        for _ in pieces:
            pass
    if not layout.complete:
        layout = _elf(kept) or layout
    return kept, [layout]


def _spans(layout: Layout, size: int, search: Search) -> list[tuple[int, int]]:
    """Where it is looked for what the search is for."""
    return [(0, size)] if search.code else texts(layout, size)


def _placed(file: LayerFile, end: int, search: Search | None) -> Iterator[tuple[int, bytes]]:
    """The pieces with their places, as far as anybody needs them."""
    offset = 0
    for piece in file.pieces():
        yield offset, piece
        offset += len(piece)
        if offset >= end and (search is None or search.done):
            return


def _parts(file: LayerFile, spans: Sequence[tuple[int, int]], search: Search) -> Iterator[tuple[int, bytes]]:
    """What stands in the spans, until the search has what it looks for."""
    for start, end in spans:
        for at in range(start, end, STEP):
            if search.done:
                return
            yield at, file.at(at, min(STEP, end - at))


def _search(pieces: Iterable[tuple[int, bytes]], spans: Sequence[tuple[int, int]], search: Search) -> None:
    """Look through what of the pieces lies in the spans; all pieces are taken."""
    for offset, piece in pieces:
        for start, end in spans:
            if not search.done and start < offset + len(piece) and offset < end:
                part = piece[max(0, start - offset) : end - offset]
                search.feed(part, last=end <= offset + len(piece))


def _elf(source: Source) -> Layout | None:
    try:
        return elf.read(source, SECTIONS)
    except LookupError:
        # Program headers that are not in the first page: nothing that a linker makes. It is kept whole.
        return None


def _layouts(source: Source, head: bytes) -> list[Layout]:
    if head.startswith((*macho.MAGICS, *macho.UNIVERSAL)):
        return macho.read(source)
    layout = elf.read(source, SECTIONS) if head.startswith(elf.MAGIC) else pe.read(source)
    return [layout] if layout is not None else []


def _embedded(fact: dict[str, Json], file: LayerFile, head: bytes) -> None:
    """What a small host carries behind or inside itself."""
    for name, reader in (("dotnet", bundle.read), ("frozen", frozen.read)):
        if (found := reader(file, head)) is not None:
            fact[name] = found


def _noted(fact: dict[str, Json], file: LayerFile, head: bytes) -> str:
    """Whose package it says it is; what is wrong with that in words. Nothing else is lost by a note that is damaged."""
    try:
        if (note := packagenote.in_head(file, head)) is not None:
            fact["note"] = note
    except ValueError as exc:
        return str(exc)
    return ""


def _noted_behind(fact: dict[str, Json], source: Source, layouts: list[Layout]) -> str:
    """The same of a note that is not on the first page."""
    for part in (part for layout in layouts for part in layout.sections if "note" not in fact):
        if part.name == packagenote.SECTION:
            try:
                note = packagenote.in_section(source.at(part.offset, min(part.size, packagenote.MAX_BYTES)))
            except (ValueError, LookupError) as exc:
                return str(exc)
            if note is not None:
                fact["note"] = note
    return ""


def _linked(fact: dict[str, Json], layouts: list[Layout], source: Source, limits: Limits) -> None:
    """Go's and Rust's lists; of a universal file the modules of all its architectures, which rarely differ."""
    go: dict[str, Json] | None = None
    for layout in layouts:
        other = golang.read(layout, source, limits)
        if other is not None and lacks_version(other) and (texts := golang.version_strings(layout, source)):
            other["strings"] = texts
        if go is not None and other is not None:
            known = {tuple(map(str, row)) for row in go.get("deps", ())}
            more = [row for row in other.get("deps", ()) if tuple(map(str, row)) not in known]
            go = {**go, "deps": [*go.get("deps", ()), *more]}
        go = go or other
        if "crates" not in fact and (crates := rust.read(layout, source, limits)) is not None:
            fact["crates"] = crates
        if artifacts := nativeimage.read(layout, source, limits):
            fact["artifacts"] = artifacts
        if any(part.name == BUN and part.size > _EMPTY for part in layout.sections):
            fact["packed"] = "Bun"
    if go is not None:
        fact["go"] = go


# ── what it amounts to ──────────────────────────────────────────────────────────────────────────────────────────────


def _is_another_name(view: View, fact: Fact) -> bool:
    """Whether it is a hard link to a file that is there under its first name."""
    file = view.tree.stat(fact.path)
    if file is None or file.kind is not Kind.HARDLINK:
        return False
    source = view.tree.hardlink_source(fact.layer, file.target)
    if source is None or (at := view.tree.where(source[1])) is None or at[0] != source[0]:
        return False
    # Where the file's own name tells nothing, the link's was asked: see hardlinks.py.
    return view.fact(source[1]) is not None


def _programs(name: str, value: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """The programs of a file; what Go's own list speaks of is told by that."""
    if "go" in value:
        # Before 1.18 Go's own programs were built without the text that names them.
        if value["go"].get("path", "cmd/go" if name in ("go", "go.exe") else "") == "cmd/go":
            yield "go", str(value["go"]["go"])
        if main_path(value["go"]):
            return
    yield from value.get("programs", ())

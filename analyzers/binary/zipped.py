"""Zip files that are programs under a name of their own: what PEX, shiv and zipapp make, and jars behind a script.

Format: a zip file behind a first line that names its interpreter (https://docs.python.org/3/library/zipapp.html), or
behind a script that starts Java with it (https://docs.spring.io/spring-boot/specification/executable-jar/). What is
called ``.pex``, ``.pyz``, ``.jar`` and the like is read by the analyzers of those.

Not handled: Python modules without metadata; zip files behind an ELF program.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from posixpath import splitext

from anchorecli.analyzers.base import Fact, LayerFile, View
from anchorecli.analyzers.language.formats.zipapps import ENDINGS, Metadata
from anchorecli.analyzers.language.java.contents import ARCHIVES, LIMITS, Contents
from anchorecli.analyzers.language.java.zip import BadZip, Budget, Entries, Window, Zip
from anchorecli.analyzers.language.rows import Row, package
from anchorecli.model import Json, Package

SCRIPT, ZIP = b"#!", b"PK\x03\x04"
_ELSEWHERE = frozenset({*ARCHIVES, ".egg", ".pex", ".pyz", ".asar", ".whl"})
_METADATA = tuple(ending.encode() for ending in ENDINGS)
_INNER = tuple(ending.encode() for ending in ARCHIVES)


def read(file: LayerFile, head: bytes) -> dict[str, Json] | None:
    """``rows`` of Python distributions, ``archives`` of Java (``Contents``), ``faults``; None of another file.

    Raises:
        ValueError: its metadata cannot be read.
        LimitError: it costs more than any such program.
    """
    if not _is_candidate(file, head):
        return None
    with file.open() as stream:
        try:
            archive = Zip(Window(stream, 0, file.size), Budget(LIMITS))
        except BadZip:
            return None
        entries = archive.entries()
        fact: dict[str, Json] = {}
        if rows := list(_distributions(archive, entries)):
            fact["rows"] = rows
        elif entries.classes or any(name.lower().endswith(_INNER) for name, _ in entries.others):
            contents = Contents(file.path)
            contents.read(Window(stream, 0, file.size))
            fact["archives"] = contents.archives
            if contents.faults or contents.hit:
                fact["faults"] = [*contents.faults, *contents.hit]
        return fact or None


def packages(view: View, fact: Fact) -> Iterator[Package]:
    """A package for each distribution of Python."""
    for row in fact.value.get("zipped", {}).get("rows", ()):
        yield package(view, fact, row, "binary", {"kind": "zipapp"})


def archives(facts: Iterable[Fact]) -> Iterator[tuple[Fact, list[Json]]]:
    """The facts that tell of Java's archives, with those."""
    for fact in facts:
        if found := fact.value.get("zipped", {}).get("archives"):
            yield fact, found


def _is_candidate(file: LayerFile, head: bytes) -> bool:
    ending = splitext(file.path)[1].lower()
    if not head.startswith((SCRIPT, ZIP)) or ending in _ELSEWHERE:
        return False
    # Documents of offices, models and much else are zip files too: they have an ending, and nobody may execute them.
    return head.startswith(SCRIPT) or not ending or bool(file.mode & 0o111)


def _distributions(archive: Zip, entries: Entries) -> Iterator[Row]:
    metadata = Metadata(archive)
    for name, place in entries.others:
        if name.endswith(_METADATA):
            yield from metadata.read(name, place)

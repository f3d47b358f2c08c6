"""Executables that came with no package: no package manager, of the distribution or of a language, knows them.

An executable is a regular file with an execute permission, or one that is a program or shared library by its first
bytes (ELF, PE, Mach-O), whatever its permissions.

Format: ELF, System V ABI chapter 4; PE, Microsoft's "PE Format", 3.1; Mach-O, ``<mach-o/loader.h>`` and ``fat.h``;
``RECORD`` of installed wheels (https://packaging.python.org/en/latest/specifications/recording-installed-packages/),
a CSV whose first column is a path relative to ``site-packages``.

Asked for by: a rule ``files.unowned_executable``.

Emits: paths of executables that came with no package.

Not handled: scripts without the execute permission; what a package manager unpacked and does not list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Self

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.documents import text_pieces, up_to
from anchorecli.analyzers.uncataloged import installed
from anchorecli.errors import LimitError
from anchorecli.model import ImagePath, Json, Package
from anchorecli.values import dataclass

_RECORDS = ("RECORD", "installed-files.txt")
_MACH_O = frozenset({b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"})
_FAT = b"\xca\xfe\xba\xbe"
_HEAD = 1024
MAX_RECORD = 32 * 1024 * 1024
MOST_PATHS = 200_000
"""Of one record; the largest of real ones have some ten thousand."""
_MANAGERS = ("var/lib/dpkg/", "var/lib/rpm/", "lib/apk/db/", "usr/lib/apk/db/", "usr/lib/sysimage/rpm/")
"""What package managers keep for themselves: their packages' scripts have an execute permission."""
_LOADED = (2, 3)
"""ELF types: program, shared object."""


@dataclass(frozen=True, slots=True)
class UnownedAnalyzer:
    """Executables without a package. A fact is 1 for a program by its bytes, or the paths of an installer's record."""

    name: str = "unowned"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(everything=True, match=lambda path, size, mode: size >= 20, max_bytes=0)

    @classmethod
    def of(cls, options: str, _scanner: object = None) -> Self:
        """The analyzer; it has no options."""
        return cls(options=options)

    def read(self, file: LayerFile) -> Json | None:
        """What one file is, if it says something here."""
        base = file.path[file.path.rfind("/") + 1 :]
        if base in _RECORDS and file.path.rpartition("/")[0].endswith((".dist-info", ".egg-info")):
            if file.size > MAX_RECORD:
                raise LimitError(f"more than {MAX_RECORD} bytes in a record of installed files (a fixed limit)")
            hits: list[str] = []
            lines = up_to(_lines(file.data()), hits)
            paths = list(islice(_recorded(lines), MOST_PATHS))
            if next(lines, None) is not None:
                hits.append(f"more than {MOST_PATHS} paths in one record of installed files (a fixed limit)")
            return partial(paths, "", "; ".join(hits)) if hits else paths
        return 1 if is_program(file.head(_HEAD)) else None

    def assemble(self, view: View) -> Found:
        """The executables that are nobody's."""
        facts = list(view.facts())
        candidates = {fact.path for fact in facts if fact.value == 1} | set(view.tree.executables(1))
        candidates = {path for path in candidates if not path.startswith(_MANAGERS)}
        kept = installed(candidates, view.owned, view.tree) | _of_languages(candidates, view, facts)
        return Found(
            unowned=tuple(ImagePath(path) for path in sorted(candidates - kept)),
            looked_for={"unowned": f"{len(candidates)} executables"},
        )


def is_program(head: bytes) -> bool:
    """Whether a file that begins so is a program or a shared library."""
    magic = head[:4]
    if magic == b"\x7fELF":
        order = "big" if head[5:6] == b"\x02" else "little"
        return int.from_bytes(head[16:18], order) in _LOADED  # type: ignore[arg-type]
    if magic[:2] == b"MZ":
        at = int.from_bytes(head[60:64], "little")
        return head[at : at + 4] == b"PE\0\0"
    # A fat binary counts its architectures where a Java class has its version, from 45 on.
    return magic in _MACH_O or (magic == _FAT and int.from_bytes(head[4:8], "big") < 40)


def _lines(data: bytes) -> Iterator[str]:
    return (line for piece in text_pieces(data, b"\n") for line in piece.splitlines())


def _recorded(lines: Iterable[str]) -> Iterator[str]:
    """The paths of a record, as it has them."""
    for line in lines:
        quoted = line.startswith('"')
        path = line[1:].partition('"')[0] if quoted else line.partition(",")[0]
        if path:
            yield path


def _of_languages(candidates: set[str], view: View, facts: list[Fact]) -> set[str]:
    """Those of the candidates that a language's installer put there."""
    recorded = (path for fact in facts if isinstance(fact.value, list) for path in _resolved(fact, view))
    found = {path for path in recorded if path in candidates}
    directories = {directory for package in view.packages for directory in _directories(package)}
    files = {location.path for package in view.packages for location in package.locations}
    return found | {path for path in candidates if path in files or _below(path, directories)}


def _resolved(fact: Fact, view: View) -> Iterator[str]:
    """The image's paths that a record names: relative to the directory that ``dist-info`` or ``egg-info`` is in."""
    metadata, _, base = fact.path.rpartition("/")
    start = metadata.rpartition("/")[0] if base == "RECORD" else metadata
    for path in fact.value:
        if path.startswith("/"):
            real = view.tree.resolve(path)
            if real:
                yield real
            continue
        parts = start.split("/") if start else []
        for part in path.split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part != ".":
                parts.append(part)
        yield "/".join(parts)


def _directories(package: Package) -> Iterator[str]:
    """The directories that are wholly a package's."""
    for location in package.locations:
        directory, _, base = location.path.rpartition("/")
        if package.type == "npm" and base == "package.json" and directory:
            yield directory
        elif package.type == "gem" and directory.endswith("/specifications"):
            root = directory.removesuffix("/specifications")
            yield f"{root}/gems/{base.removesuffix('.gemspec')}"
            yield f"{root}/extensions"
        elif package.type == "pypi" and ".egg/" in location.path:
            yield location.path.partition(".egg/")[0] + ".egg"
        elif package.type == "pypi" and directory.endswith(".egg-info"):
            # Installed by setup.py: no record of files; what bears its name beside the metadata is its own.
            parent = directory.rpartition("/")[0]
            yield from (f"{parent}/{name}" for name in {package.name, package.name.replace("-", "_").lower()})


def _below(path: str, directories: set[str]) -> bool:
    end = path.rfind("/")
    while end > 0:
        if path[:end] in directories:
            return True
        end = path.rfind("/", 0, end)
    return False

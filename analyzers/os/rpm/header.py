"""One package's header as every rpm database stores it.

Format: https://rpm-software-management.github.io/rpm/manual/format_header.html, without the magic that a package file
puts before it: two big-endian u32 (entries, bytes of data), the entries of 16 bytes (tag, type, offset, count), the
data. Entries may stand in any order; those added at installation time come last and override.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

from anchorecli.analyzers.os.filelist import pack

MAX_BYTES = 32 * 1024 * 1024
"""The largest real ones, of packages with a hundred thousand files, have half of it."""
MAX_ENTRIES = 0xFFFF
"""As rpm itself has it."""
MAX_FILES = 250_000
MAX_RELATIONS = 100_000
"""What one package requires, or provides: a kernel provides some thirty thousand symbols."""

_NAME, _VERSION, _RELEASE, _EPOCH = 1000, 1001, 1002, 1003
_SIZE, _VENDOR, _LICENSE, _ARCH, _SOURCE = 1009, 1011, 1014, 1022, 1044
_OLD_NAMES, _INDEXES, _BASES, _DIRECTORIES = 1027, 1116, 1117, 1118
_LONG_SIZE, _MODULE = 5009, 5096
_PROVIDES, _REQUIRES = 1047, 1049
_TAGS = frozenset(
    {
        *(_NAME, _VERSION, _RELEASE, _EPOCH, _SIZE, _VENDOR, _LICENSE, _ARCH, _SOURCE),
        *(_OLD_NAMES, _INDEXES, _BASES, _DIRECTORIES, _LONG_SIZE, _MODULE, _PROVIDES, _REQUIRES),
    }
)
_INT32, _INT64 = 4, 5
_TEXT = frozenset({6, 8, 9})
"""String, string array and translated string: NUL-terminated all."""
_MANY = 10_000
_PREFIX = struct.Struct(">II")


class Header(NamedTuple):
    """What is kept of a header. A plain JSON array in the stored fact."""

    name: str
    version: str
    release: str
    epoch: int
    """0 where the header has none: rpm compares them as equal."""
    arch: str
    source: str
    """File name of the source package, ``bash-5.1.8-6.el9.src.rpm``; empty in keys and hand-made entries."""
    license: str
    vendor: str
    size: int
    module: str
    files: str
    """As ``filelist.pack`` has it."""
    depends: str = ""
    """With blanks between: ``libc.so.6(GLIBC_2.34)(64bit) /bin/sh bash``; no versions, no conditions."""
    provides: str = ""


class HeaderError(ValueError):
    """A header that cannot be understood."""


def parse(blob: bytes, damage: list[str]) -> Header:
    """The wanted fields of one header; a field that is damaged counts as missing and is told in ``damage``.

    Raises: HeaderError where the sizes do not hold, or name, version and release are not there.
    """
    reader = _Reader(blob, _entries(blob, damage))
    name, version, release = reader.text(_NAME), reader.text(_VERSION), reader.text(_RELEASE)
    if not name or not version or not release:
        raise HeaderError("no name, version or release in a package's header")
    try:
        files = reader.files()
    except HeaderError as exc:
        damage.append(f"{name}: {exc}")
        files = ""
    return Header(
        name=name,
        version=version,
        release=release,
        epoch=reader.number(_EPOCH),
        arch=reader.text(_ARCH),
        source=reader.text(_SOURCE),
        license=reader.text(_LICENSE),
        vendor=reader.text(_VENDOR),
        size=reader.number(_LONG_SIZE) or reader.number(_SIZE),
        module=reader.text(_MODULE),
        files=files,
        depends=reader.names(_REQUIRES, name, damage),
        provides=reader.names(_PROVIDES, name, damage),
    )


def _entries(blob: bytes, damage: list[str]) -> dict[int, tuple[int, int, int]]:
    """Type, position in the blob and count of each wanted tag."""
    if len(blob) < _PREFIX.size:
        raise HeaderError("a package's header is too short")
    count, length = _PREFIX.unpack_from(blob)
    start = _PREFIX.size + 16 * count
    if not 0 < count <= MAX_ENTRIES or start + length > len(blob):
        raise HeaderError(f"a package's header claims {count} entries and {length} bytes and has {len(blob)} in all")
    numbers = struct.unpack_from(f">{4 * count}I", blob, _PREFIX.size)
    found = {}
    for place, tag in enumerate(numbers[::4]):
        if tag in _TAGS:
            kind, offset, items = numbers[4 * place + 1 : 4 * place + 4]
            if offset < length:
                found[tag] = (kind, start + offset, items)
            else:
                damage.append(f"tag {tag} of a package's header lies outside of it")
    return found


class _Reader:
    """Values of one header by tag; what is of another type than it should be counts as missing."""

    __slots__ = ("_blob", "_entries")

    def __init__(self, blob: bytes, entries: Mapping[int, tuple[int, int, int]]) -> None:
        self._blob = blob
        self._entries = entries

    def text(self, tag: int) -> str:
        """A string, ``(none)`` being none; of several the first."""
        kind, start, _ = self._entries.get(tag, (0, 0, 0))
        if kind not in _TEXT:
            return ""
        end = self._blob.find(b"\0", start)
        text = self._blob[start : end if end >= 0 else len(self._blob)].decode("utf-8", "replace")
        return "" if text == "(none)" else text

    def number(self, tag: int) -> int:
        """An integer, 0 where there is none."""
        kind, start, items = self._entries.get(tag, (0, 0, 0))
        width = {_INT32: 4, _INT64: 8}.get(kind, 0)
        return int.from_bytes(self._blob[start : start + width], "big") if items else 0

    def names(self, tag: int, own: str, damage: list[str]) -> str:
        """What a package requires or provides but itself, rpm and its settings, each once; of a damaged list nothing.

        A name cannot have a blank: rpm takes what follows for another one.
        """
        try:
            found = dict.fromkeys(self._array(tag, MAX_RELATIONS))
        except HeaderError as exc:
            damage.append(f"{own}: {exc}")
            return ""
        leave = ("rpmlib(", "config(", "(")
        return " ".join(each for each in found if each != own and not each.startswith(leave) and " " not in each)

    def files(self) -> str:
        """The package's paths by directory, packed."""
        names = self._array(_BASES)
        if not names:
            return pack(_by_directory(self._array(_OLD_NAMES)).items())
        indexes = self._integers(_INDEXES)
        directories = self._array(_DIRECTORIES)
        if len(indexes) != len(names) or max(indexes, default=0) >= len(directories):
            raise HeaderError("its file list does not add up")
        grouped: list[list[str]] = [[] for _ in directories]
        for index, name in zip(indexes, names, strict=True):
            grouped[index].append(name)
        return pack(zip(directories, grouped, strict=True))

    def _array(self, tag: int, most: int = MAX_FILES) -> list[str]:
        kind, start, items = self._entries.get(tag, (0, 0, 0))
        if kind not in _TEXT or not items:
            return []
        if items > most:
            raise HeaderError(f"tag {tag} claims {items} strings, more than {most}")
        if items > _MANY:
            return self._long_array(tag, start, items)
        parts = self._blob[start:].split(b"\0", items)
        if len(parts) <= items:
            raise HeaderError(f"tag {tag} has fewer strings than it claims")
        return b"\0".join(parts[:items]).decode("utf-8", "surrogateescape").split("\0")

    def _long_array(self, tag: int, start: int, items: int) -> list[str]:
        """The same with the strings in memory once."""
        end = start
        for _ in range(items):
            end = self._blob.find(b"\0", end) + 1
            if not end:
                raise HeaderError(f"tag {tag} has fewer strings than it claims")
        return str(memoryview(self._blob)[start : end - 1], "utf-8", "surrogateescape").split("\0")

    def _integers(self, tag: int) -> tuple[int, ...]:
        kind, start, items = self._entries.get(tag, (0, 0, 0))
        if kind != _INT32 or items > MAX_FILES or start + 4 * items > len(self._blob):
            return ()
        return struct.unpack_from(f">{items}I", self._blob, start)


def _by_directory(paths: list[str]) -> dict[str, list[str]]:
    """Whole paths, as rpm 3 kept them and some tools of our time still do."""
    grouped: dict[str, list[str]] = {}
    for path in paths:
        directory, _, name = path.rpartition("/")
        grouped.setdefault(directory, []).append(name)
    return grouped

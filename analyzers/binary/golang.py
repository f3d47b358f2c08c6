"""What the Go linker wrote into a program: its modules, their versions, the toolchain, how it was built.

Format: ``debug/buildinfo`` and ``runtime/debug.BuildInfo`` of the Go standard library. A blob in the data that begins
with ``\xff Go buildinf:`` on a multiple of 16; flag 2 (Go 1.18 and later): two strings follow at byte 32, each after
its length as a varint; without it two pointers to string headers, 4 or 8 bytes each, big-endian where flag 1 is set.
The module text stands between two marks of 16 bytes: lines ``path``, ``mod``, ``dep``, ``=>`` (what replaces the line
before), ``build KEY=VALUE``, tab separated.

``-X`` sets a variable at link time: its text has a zero behind it, which Go's other texts have not. So a version that
the module text lacks can be read there (``version_strings``).

Not handled: programs built before Go 1.13, and packed ones.
"""

from __future__ import annotations

import re

from anchorecli.analyzers.binary.layout import CONSTANT, DATA, LIMITS, Layout, Region, Source
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.limits import Limits
from anchorecli.errors import LimitError
from anchorecli.model import Json

MAGIC = b"\xff Go buildinf:"
ALIGN = 16
SEARCH_BYTES = 64 * 1024 * 1024
"""So much of a program's data is searched where no section has the name, and of its constants for versions."""
STEP = 1024 * 1024
MAX_VERSION = 256
_HEADER = 32
_BIG, _INLINE = 1, 2
_MARK = 16
MAX_STRINGS = 16
SECTION = ".go.buildinfo"
_TABLES = (".gopclntab", "__gopclntab", ".eh_frame", ".dynstr", ".dynsym")
# Zeros are many and dots are few: looked for from the first dot on, and then back to the zero.
_ENDS = re.compile(rb"\.\d{1,4}\.\d{1,6}(?:[-+~][0-9A-Za-z.+~-]{1,60})?(?=\0)")
# Before it stands whatever the linker put there, often a float, whose last byte is 0x3f or 0x40, or part of one.
_BEGINS = re.compile(rb"(?:[\x00-\x08\x0e-\x1f?@\x7f-\xff]|[\x7f-\xff][ -~])(v?\d{1,4})$")
_BEFORE = 8


def read(layout: Layout, source: Source, limits: Limits = LIMITS) -> dict[str, Json] | None:
    """``go`` (the toolchain's version), ``path``, ``main``, ``deps`` and ``settings``; None where it is no Go program.

    A module is ``[path, version, sum]``, with its replacement in the same form behind it where it has one.

    Raises: ValueError, LookupError where there is a blob that cannot be read, LimitError where one is absurdly long.
    """
    start = _find(layout, source)
    if start is None:
        return None
    header = source.at(start, _HEADER)
    if len(header) < _HEADER:
        raise ValueError("the Go build information is cut off")
    longest = (MAX_VERSION, limits["module-bytes"])
    inline = header[15] & _INLINE
    version, text = _inline(source, start, longest) if inline else _pointed(layout, source, header, longest)
    if not version:
        return None
    return {"go": version, **parse(text, limits)}


def parse(text: str, limits: Limits = LIMITS) -> dict[str, Json]:
    """The module text as a fact. Raises: LimitError where it has too many modules."""
    fact: dict[str, Json] = {}
    deps: list[list[Json]] = []
    settings: dict[str, str] = {}
    last: list[Json] | None = None
    for line in text.split("\n"):
        kind, _, rest = line.partition("\t")
        fields = rest.split("\t")
        if kind == "path":
            fact["path"] = rest.strip()
        elif kind == "mod":
            last = fact["main"] = _module(fields)
        elif kind == "dep":
            if len(deps) >= limits["modules"]:
                raise limits.exceeded("modules")
            last = _module(fields)
            deps.append(last)
        elif kind == "=>" and last is not None:
            last.append(_module(fields))
            last = None
        elif kind == "build":
            key, _, value = rest.partition("=")
            settings[key.strip('"`')] = _unquoted(value)
    if deps:
        fact["deps"] = deps
    if settings:
        fact["settings"] = settings
    return fact


def _module(fields: list[str]) -> list[Json]:
    return [*fields[:3], "", "", ""][:3]


def _unquoted(value: str) -> str:
    """A setting's value: quoted as Go strings are where it holds anything unusual."""
    if len(value) > 1 and value[0] == value[-1] == "`":
        return value[1:-1]
    if len(value) > 1 and value[0] == value[-1] == '"':
        from json import loads

        try:
            return str(loads(value, strict=False))
        except ValueError:
            return value[1:-1]
    return value


def version_strings(layout: Layout, source: Source) -> list[str]:
    """Versions among the constants with a zero behind and no text before them; none where those were not kept."""
    found: dict[str, None] = {}
    left = SEARCH_BYTES
    for region in layout.parts():
        if region.kind != CONSTANT or region.name in _TABLES:
            continue
        size = min(region.size, left)
        left -= size
        for start in range(region.offset, region.offset + size, STEP):
            try:
                data = source.at(start, min(STEP + MAX_VERSION, region.offset + size - start))
            except LookupError:
                break
            for end in _ENDS.finditer(data):
                if begin := _BEGINS.search(data[max(0, end.start() - _BEFORE) : end.start()]):
                    found[(begin[1] + end[0]).decode("ascii")] = None
            if len(found) > MAX_STRINGS:
                return []
    return list(found)


# ── finding it ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _find(layout: Layout, source: Source) -> int | None:
    for section in layout.sections:
        # Where the section's name is not at hand its content tells.
        if layout.named and section.name != SECTION:
            continue
        if section.kind in (DATA, CONSTANT) and section.size >= _HEADER and _starts(source, section, sure=layout.named):
            return section.offset
    if layout.named:
        return None
    left = SEARCH_BYTES
    for segment in layout.segments:
        if segment.kind == DATA and left > 0:
            if (found := _scan(source, segment, left)) is not None:
                return found
            left -= segment.size
    return None


def _starts(source: Source, section: Region, *, sure: bool) -> bool:
    try:
        return source.at(section.offset, len(MAGIC)) == MAGIC
    except LookupError:
        if sure:
            raise
        return False


def _scan(source: Source, segment: Region, limit: int) -> int | None:
    """The first aligned magic of a segment."""
    end = segment.offset + min(segment.size, limit)
    for start in range(segment.offset, end, STEP):
        try:
            data = source.at(start, min(STEP + _HEADER, end - start))
        except LookupError:
            return None
        place = data.find(MAGIC)
        while place >= 0:
            if (segment.address + start - segment.offset + place) % ALIGN == 0:
                return start + place
            place = data.find(MAGIC, place + 1)
        if len(data) < STEP:
            return None
    return None


# ── reading it ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _inline(source: Source, start: int, longest: tuple[int, int]) -> tuple[str, str]:
    version, after = _counted(source, start + _HEADER, longest[0])
    text, _ = _counted(source, after, longest[1])
    return _text(version), _text(_between_marks(text))


def _counted(source: Source, start: int, limit: int) -> tuple[bytes, int]:
    """A string after its length as a varint, and where it ends."""
    head = source.at(start, 10)
    used = next((place for place, byte in enumerate(head, start=1) if byte < 0x80), 0)
    if not used:
        raise ValueError("the Go build information is cut off")
    length = sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(head[:used]))
    if length > limit:
        raise LimitError(f"the Go build information claims {length} bytes (limit binary.module-bytes: {limit})")
    data = source.at(start + used, length)
    if len(data) < length:
        raise ValueError("the Go build information is cut off")
    return data, start + used + length


def _pointed(layout: Layout, source: Source, header: bytes, longest: tuple[int, int]) -> tuple[str, str]:
    width = header[14]
    if width not in (4, 8):
        raise ValueError(f"the Go build information has pointers of {width} bytes")
    order = "big" if header[15] & _BIG else "little"
    texts = []
    for place, limit in zip((16, 16 + width), longest, strict=True):
        address = int.from_bytes(header[place : place + width], order)  # type: ignore[arg-type]
        texts.append(_string(layout, source, address, (width, order, limit)))
    return _text(texts[0]), _text(_between_marks(texts[1]))


def _string(layout: Layout, source: Source, address: int, form: tuple[int, str, int]) -> bytes:
    """A Go string by the address of its header: pointer and length."""
    width, order, limit = form
    at = layout.offset_of(address) if address else None
    if at is None:
        return b""
    head = source.at(at, 2 * width)
    start = layout.offset_of(int.from_bytes(head[:width], order))  # type: ignore[arg-type]
    length = int.from_bytes(head[width:], order)  # type: ignore[arg-type]
    if start is None or not length:
        return b""
    if length > limit:
        raise LimitError(f"the Go build information claims {length} bytes (limit binary.module-bytes: {limit})")
    try:
        return source.at(start, length)
    except LookupError:
        raise ValueError("the Go build information stands in a part that was too large to keep") from None


def _between_marks(text: bytes) -> bytes:
    # debug/buildinfo: a text that has no newline before its closing mark is none.
    if len(text) >= 2 * _MARK + 1 and text[-_MARK - 1 : -_MARK] == b"\n":
        return text[_MARK:-_MARK]
    return b""


def _text(data: bytes) -> str:
    return printable(data)

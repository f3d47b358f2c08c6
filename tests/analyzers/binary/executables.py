"""Executable files built in code: as small as the formats allow, then padded to the size of a real program."""

from __future__ import annotations

import struct
from collections.abc import Mapping

PAGE = 0x1000
BASE = 0x400000
SIZE = 160 * 1024
"""Smaller programs are not looked at, but for those known by name."""
MARK = bytes(range(16))
_WRITE, _ALLOC = 1, 2


def elf(
    sections: Mapping[str, bytes],
    *,
    wide: bool = True,
    order: str = "<",
    table: bool = True,
    first: bool = False,
    writable: tuple[str, ...] = (".go.buildinfo", ".data"),
    unloaded: tuple[str, ...] = (),
    size: int = SIZE,
) -> bytes:
    """A program with one read-only and one writable segment.

    ``table``: whether it has section headers, ``first``: whether they stand behind the ELF header as Go's linker writes
    them, else at the end. ``unloaded`` sections have no address.
    """
    header, row, program = (64, 64, 56) if wide else (52, 40, 32)
    names = ["", *sections, ".shstrtab"]
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in names[1:])
    table_at = header + 2 * program if first else 0
    bodies = {**sections, ".shstrtab": strings}
    place = PAGE
    rows = [(0, 0, 0, 0, 0, 0)]
    body = bytearray()
    spans = {False: [0, PAGE], True: [0, 0]}
    for name, content in sorted(bodies.items(), key=lambda item: (item[0] == ".shstrtab", item[0] in writable)):
        place = (place + 63) & ~63
        body += bytes(place - PAGE - len(body)) + content
        loaded = name != ".shstrtab" and name not in unloaded
        flags = (_ALLOC if loaded else 0) | (_WRITE if name in writable else 0)
        rows.append(
            (
                strings.index(b"\0" + name.encode() + b"\0") + 1,
                1,
                flags,
                BASE + place if loaded else 0,
                place,
                len(content),
            )
        )
        if loaded:
            span = spans[name in writable]
            span[0], span[1] = span[0] or place, place + len(content)
        place += len(content)
    body += bytes(max(0, size - PAGE - len(body)))
    table_at = (table_at or PAGE + len(body)) if table else 0
    count = len(rows) if table else 0
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    fields = (2, 62, 1, BASE, header, table_at, 0, header, program, 2, row, count, count - 1 if table else 0)
    head = ident + struct.pack(f"{order}HHIQQQIHHHHHH" if wide else f"{order}HHIIIIIHHHHHH", *fields)
    for written in (False, True):
        start, end = spans[written]
        flags = 6 if written else 4
        if wide:
            head += struct.pack(f"{order}IIQQQQQQ", 1, flags, start, BASE + start, 0, end - start, end - start, PAGE)
        else:
            head += struct.pack(f"{order}IIIIIIII", 1, start, BASE + start, 0, end - start, end - start, flags, PAGE)
    packed = b"".join(
        struct.pack(f"{order}IIQQQQIIQQ" if wide else f"{order}IIIIIIIIII", *each, 0, 0, 16, 0) for each in rows
    )
    if not table:
        packed = b""
    if first:
        return (head + packed).ljust(PAGE, b"\0") + bytes(body)
    return head.ljust(PAGE, b"\0") + bytes(body) + packed


def go_blob(version: str, modules: str) -> bytes:
    """The build information as Go 1.18 and later write it."""
    text = MARK + modules.encode() + MARK if modules else b""
    return b"\xff Go buildinf:\x08\x02".ljust(32, b"\0") + counted(version.encode()) + counted(text)


def counted(data: bytes) -> bytes:
    """A string after its length as a varint."""
    length, out = len(data), b""
    while length >= 0x80:
        out += bytes([length & 0x7F | 0x80])
        length >>= 7
    return out + bytes([length]) + data


def old_go(version: str, modules: str, *, wide: bool = True, order: str = "<", **options: bool) -> bytes:
    """A program as Go 1.13 to 1.17 wrote it: pointers to string headers, whose bytes are constants."""
    width, pointer = (8, "Q") if wide else (4, "I")
    text = MARK + modules.encode() + MARK
    constants = version.encode() + text
    # The addresses are those that ``elf`` gives: constants first, then data, each on a multiple of 64.
    at = BASE + PAGE
    data_at = (PAGE + len(constants) + 63 & ~63) + BASE
    flags = 1 if order == ">" else 0
    blob = b"\xff Go buildinf:" + bytes([width, flags])
    blob += struct.pack(f"{order}{pointer}{pointer}", data_at + 64, data_at + 64 + 2 * width)
    blob = blob.ljust(64, b"\0")
    blob += struct.pack(f"{order}{pointer * 4}", at, len(version), at + len(version), len(text))
    return elf({".rodata": constants, ".go.buildinfo": blob}, wide=wide, order=order, **options)  # type: ignore[arg-type]


def pe(sections: Mapping[str, bytes], *, writable: tuple[str, ...] = (".data",)) -> bytes:
    """A Windows program of 64 bits."""
    start = 0x80
    optional = struct.pack("<H22xQ", 0x20B, 0x140000000).ljust(240, b"\0")
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", start)
    head = head.ljust(start, b"\0") + b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, len(sections), 0, 0, 0, 240, 0x22)
    rows, body = b"", b""
    for name, content in sections.items():
        at = PAGE + len(body)
        flags = 0xC0000040 if name in writable else 0x40000040
        rows += struct.pack("<8sIIII12xI", name.encode(), len(content), at, len(content), at, flags)
        body += content.ljust(len(content) + 511 & ~511, b"\0")
    return (head + optional + rows).ljust(PAGE, b"\0") + body.ljust(SIZE, b"\0")


def macho(sections: Mapping[str, bytes], *, order: str = "<", wide: bool = True) -> bytes:
    """A macOS program with one writable segment."""
    magic = 0xFEEDFACF if wide else 0xFEEDFACE
    segment = 72 if wide else 56
    rows, body = b"", b""
    for name, content in sections.items():
        body = body.ljust(len(body) + 15 & ~15, b"\0")
        at = PAGE + len(body)
        layout = f"{order}16s16sQQI28x" if wide else f"{order}16s16sIII24x"
        rows += struct.pack(layout, name.encode(), b"__DATA", BASE + at, len(content), at)
        body += content
    body = body.ljust(SIZE, b"\0")
    length = segment + len(rows)
    layout = f"{order}II16sQQQQiiII" if wide else f"{order}II16sIIIIiiII"
    fields = (0x19 if wide else 1, length, b"__DATA", BASE + PAGE, len(body), PAGE, len(body), 3, 3, len(sections), 0)
    command = struct.pack(layout, *fields) + rows
    head = struct.pack(f"{order}IIIIIII", magic, 0x01000007, 3, 2, 1, len(command), 0)
    return (head.ljust(32 if wide else 28, b"\0") + command).ljust(PAGE, b"\0") + body


def universal(*programs: bytes) -> bytes:
    """A macOS program for several architectures."""
    head = b"\xca\xfe\xba\xbe" + struct.pack(">I", len(programs))
    at = PAGE
    body = b""
    for program in programs:
        head += struct.pack(">IIIII", 7, 3, at + len(body), len(program), 12)
        body += program
    return head.ljust(PAGE, b"\0") + body

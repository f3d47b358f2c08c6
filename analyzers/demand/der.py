"""A small reader of DER: elements by their place in the bytes that hold them, never beyond.

Format: ITU-T X.690, sections 8 and 10: tag, length, content; lengths of up to four bytes, none indefinite, tags of one
byte. All that certificates and keys are made of.
"""

from __future__ import annotations

from typing import NamedTuple

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID, SEQUENCE, SET = 0x01, 0x02, 0x03, 0x04, 0x06, 0x30, 0x31
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
MAX_ELEMENTS = 4096
"""Of one constructed element: names, extensions, attributes. What no certificate has is refused."""


class Element(NamedTuple):
    """One element: its tag, and where its first byte, its content and its end are in ``data``."""

    data: bytes
    tag: int
    start: int
    at: int
    end: int

    @property
    def content(self) -> bytes:
        """Its content."""
        return self.data[self.at : self.end]

    @property
    def whole(self) -> bytes:
        """Tag, length and content."""
        return self.data[self.start : self.end]

    def inside(self) -> list[Element]:
        """The elements it is made of. Raises ValueError where they do not fill it."""
        found: list[Element] = []
        at = self.at
        while at < self.end:
            found.append(element(self.data, at, self.end))
            at = found[-1].end
            if len(found) > MAX_ELEMENTS:
                raise ValueError(f"more than {MAX_ELEMENTS} elements in one")
        return found

    def sequence(self, tag: int = SEQUENCE) -> list[Element]:
        """The elements of what must be a sequence. Raises ValueError for anything else."""
        if self.tag != tag:
            raise ValueError(f"tag {self.tag:#x} where {tag:#x} must stand")
        return self.inside()


def element(data: bytes, at: int = 0, end: int | None = None) -> Element:
    """The element that begins at a place. Raises ValueError where it does not end before ``end``."""
    end = len(data) if end is None else end
    if at + 2 > end:
        raise ValueError("cut short")
    tag, length, place = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise ValueError("a tag of several bytes")
    if length & 0x80:
        count = length & 0x7F
        if not 0 < count <= 4 or place + count > end:
            raise ValueError("a length that cannot be")
        length = int.from_bytes(data[place : place + count], "big")
        place += count
    if place + length > end:
        raise ValueError("cut short")
    return Element(data, tag, at, place, place + length)


def oid(content: bytes) -> str:
    """An object identifier in dots. Raises ValueError where it is cut short, or longer than any."""
    if not content or content[-1] & 0x80 or len(content) > 64:
        raise ValueError("an object identifier that cannot be")
    numbers, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def bits(number: Element) -> int:
    """How many bits a whole number has. Raises ValueError for anything else."""
    if number.tag != INTEGER:
        raise ValueError(f"tag {number.tag:#x} where a number must stand")
    head = number.data[number.at : number.end].lstrip(b"\0")
    return 8 * (len(head) - 1) + head[0].bit_length() if head else 0

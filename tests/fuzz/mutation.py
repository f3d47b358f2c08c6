"""Small changes of bytes: the same for Hypothesis, which draws them, and for the loop that runs without a fuzzer."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, (1 << 63) - 1, 1 << 63)
WORDS = (
    b"\0", b"\n", b"\n\n", b"\r\n", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbf\xbd", b"\xf0\x9f\x98\x80", b'"', b"'",
    b"\\", b"{", b"}", b"[", b"]", b"(", b")", b"<", b">", b"&", b"*a", b"&a ", b"<<: *a", b"..", b"/", b"../../",
    b"%00", b"$(x)", b"null", b"true", b"NaN", b"-1", b"1e999", b"9" * 5000, b"\\u0000", b"\\ud800",
    b"!!python/object:x", b": ", b"- ", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"PK\x01\x02", b"PK\x05\x06",
    b"\x7fELF", b"SQLite format 3\0",
)  # fmt: skip


class Change(NamedTuple):
    """One change: ``kind`` and the places as fractions of 65,536, so that it fits whatever length the bytes have."""

    kind: int
    place: int
    length: int
    value: int


KINDS = 8


def mutated(data: bytes, changes: Sequence[Change]) -> bytes:
    """The bytes with the changes made, one after the other; no longer than a few times what they were."""
    for change in changes:
        data = _changed(data, change)[: 4 * len(data) + 20_000]
    return data


def drawn(random: Random) -> list[Change]:
    """Some changes at random."""
    return [
        Change(random.randrange(KINDS), random.randrange(1 << 16), random.randrange(1 << 16), random.randrange(1 << 16))
        for _ in range(random.randint(1, 6))
    ]


def _changed(data: bytes, change: Change) -> bytes:
    start = change.place * len(data) >> 16
    # Most changes are small ones, whatever is changed.
    end = start + (change.length * min(64, len(data) - start) >> 16)
    match change.kind % KINDS:
        case 0:  # one byte
            return data[:start] + bytes((change.value & 0xFF,)) + data[start + 1 :]
        case 1:  # one bit
            return (
                data[:start]
                + bytes(byte ^ 1 << (change.value & 7) for byte in data[start : start + 1])
                + data[start + 1 :]
            )
        case 2:  # a number where one may stand
            width = (1, 2, 4, 8)[change.value & 3]
            number = NUMBERS[change.length % len(NUMBERS)] & ((1 << 8 * width) - 1)
            return (
                data[:start] + number.to_bytes(width, "big" if change.value & 4 else "little") + data[start + width :]
            )
        case 3:  # a word
            return data[:start] + WORDS[change.value % len(WORDS)] + data[start:]
        case 4:
            return data[:start] + data[end:]
        case 5:  # once more, or many times
            return data[:end] + data[start:end] * (change.value & 0xFF) + data[end:]
        case 6:
            return data[:start]
        case _:  # something of elsewhere in it
            other = change.value * len(data) >> 16
            return data[:start] + data[other : other + end - start] + data[end:]

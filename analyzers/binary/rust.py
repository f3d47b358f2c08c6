"""The crates of a Rust program that was built with cargo-auditable.

Format: https://github.com/rust-secure-code/cargo-auditable (PARSING.md): a section ``.dep-v0`` holds zlib-compressed
JSON: ``{"packages":[{"name":"serde","version":"1.0.1","source":"crates.io","kind":"build","root":true}]}``. ``kind`` is
``runtime`` where it is missing; build dependencies are not in the program.

Not handled: programs built without it, whose panic messages may name crates.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from json import loads

from anchorecli.analyzers.binary.layout import CONSTANT, DATA, LIMITS, UNLOADED, Layout, Region, Source
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.limits import Limits
from anchorecli.analyzers.os.attribution import MOST_NAMES

SECTION = ".dep-v0"
MAX_PACKED = 2 * 1024 * 1024
MAX_TRIED = 4
"""Sections without a name that are tried."""


def read(layout: Layout, source: Source, limits: Limits = LIMITS) -> list[list[str]] | None:
    """A row ``[name, version, source, root]`` for each crate that is linked in, ``root`` being ``1`` or empty; behind
    it what the crate needs, as ``name@version``, where it needs any.

    None where the file has no such section. Raises ValueError, LookupError where it cannot be read, LimitError where it
    is absurdly large.
    """
    for section in islice(_candidates(layout, source), MAX_TRIED):
        try:
            rows = _rows(_inflated(source.at(section.offset, min(section.size, MAX_PACKED)), limits), limits)
        except ValueError:
            if section.name == SECTION:
                raise
            continue
        return rows
    return None


def _candidates(layout: Layout, source: Source) -> Iterator[Region]:
    named = [section for section in layout.sections if section.name == SECTION]
    if named or layout.named or layout.format != "elf":
        yield from named
        return
    # The table of names was out of reach: a zlib stream at a section's beginning is rare enough to try.
    for section in layout.sections:
        if section.kind in (UNLOADED, CONSTANT, DATA) and 8 < section.size <= MAX_PACKED:
            try:
                head = source.at(section.offset, 2)
            except LookupError:
                continue
            if len(head) == 2 and head[0] == 0x78 and int.from_bytes(head, "big") % 31 == 0:
                yield section


def _inflated(data: bytes, limits: Limits) -> bytes:
    stream = zlib.decompressobj()
    try:
        out = stream.decompress(data, limits["crate-bytes"])
    except zlib.error as exc:
        raise ValueError(f"{SECTION}: damaged: {exc}") from exc
    if not stream.eof:
        large = stream.unconsumed_tail or len(data) == MAX_PACKED
        raise limits.exceeded("crate-bytes") if large else ValueError(f"{SECTION}: truncated")
    return out


def _rows(data: bytes, limits: Limits) -> list[list[str]]:
    try:
        document = loads(data)
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"{SECTION}: no JSON: {exc}") from exc
    packages = document.get("packages") if isinstance(document, dict) else None
    if not isinstance(packages, list):
        raise ValueError(f"{SECTION}: no list of packages")
    if len(packages) > limits["crates"]:
        raise limits.exceeded("crates")
    rows = []
    called = [_called(package) for package in packages]
    for package in packages:
        if not isinstance(package, dict) or package.get("kind", "runtime") != "runtime":
            continue
        name, version, source = (_text(package.get(key)) for key in ("name", "version", "source"))
        if name and version:
            rows.append([name, version, source, "1" if package.get("root") else "", *_needs(package, called)])
    return rows


def _called(package: object) -> str:
    """``name@version`` of a crate that is linked in."""
    if not isinstance(package, dict) or package.get("kind", "runtime") != "runtime":
        return ""
    name, version = _text(package.get("name")), _text(package.get("version"))
    return f"{name}@{version}" if name and version else ""


def _needs(package: Mapping[str, object], called: Sequence[str]) -> Iterator[str]:
    """Dependencies are places in the list."""
    places = package.get("dependencies")
    for place in places[:MOST_NAMES] if isinstance(places, list) else ():
        if isinstance(place, int) and 0 <= place < len(called) and called[place]:
            yield called[place]


def _text(value: object) -> str:
    return printable(value) if isinstance(value, str) else ""

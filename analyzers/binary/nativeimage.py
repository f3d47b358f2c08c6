"""What GraalVM's native-image compiled into a program: Maven artifacts, by the bill of materials it leaves in it.

Format: https://www.graalvm.org/latest/security-guide/native-image/sbom/ ; CycloneDX JSON, gzipped, in the section
``.data``, where the symbol ``sbom`` points. Programs are stripped of that symbol, so the stream is found by its first
bytes. A native image has a section ``.svm_heap``.

Not handled: programs for macOS and Windows, and those that were built without a bill of materials.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from anchorecli.analyzers.binary.layout import LIMITS, Layout, Region, Source
from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.limits import Limits
from anchorecli.errors import LimitError

SECTION = ".svm_heap"
MAX_TRIED = 64
"""Streams in the data that are looked into: an application may embed others."""
STEP = 1024 * 1024
MAX_PACKED = 8 * 1024 * 1024
# Deflated, no flags, no time, as java.util.zip writes it; what follows differs by the JDK.
_MAGIC = b"\x1f\x8b\x08\0\0\0\0\0"
_HEAD = 200


def read(layout: Layout, source: Source, limits: Limits = LIMITS) -> list[list[str]] | None:
    """A row ``[group, name, version, licence]`` for each artifact; None where it is no native image or says nothing.

    Raises ValueError where the data was too large to keep, or is damaged; LimitError where it is absurdly large.
    """
    if not any(section.name == SECTION for section in layout.sections):
        return None
    data = next((section for section in layout.sections if section.name == ".data"), None)
    for place in _streams(data, source) if data is not None else ():
        if (document := _bill(source.at(place, MAX_PACKED), limits)) is not None:
            return list(_rows(document, limits))
    return None


def _streams(section: Region, source: Source) -> Iterator[int]:
    tried = 0
    for start in range(section.offset, section.offset + section.size, STEP):
        try:
            data = source.at(start, min(STEP + len(_MAGIC), section.offset + section.size - start))
        except LookupError:
            raise ValueError("the data of a native image stand in a part that was too large to keep") from None
        if not data:
            # A section that claims to be longer than the file.
            return
        place = data.find(_MAGIC)
        while 0 <= place < STEP and tried < MAX_TRIED:
            tried += 1
            yield start + place
            place = data.find(_MAGIC, place + 1)


def _bill(packed: bytes, limits: Limits) -> Mapping[str, Any] | None:
    """The document of a stream, if it is a bill of materials."""
    stream = zlib.decompressobj(wbits=31)
    try:
        out = stream.decompress(packed, _HEAD)
        if b'"CycloneDX"' not in out:
            return None
        out += stream.decompress(stream.unconsumed_tail, limits["bill-bytes"])
    except zlib.error:
        return None
    if not stream.eof:
        cut = ValueError("the bill of materials of a native image is cut off")
        raise limits.exceeded("bill-bytes") if stream.unconsumed_tail or len(packed) == MAX_PACKED else cut
    try:
        document = read_json(out)
    except LimitError:
        raise
    except ValueError as exc:
        raise ValueError(f"the bill of materials of a native image cannot be read: {exc}") from None
    return document if isinstance(document, dict) else None


def _rows(document: Mapping[str, Any], limits: Limits) -> Iterator[list[str]]:
    components = document.get("components")
    listed = components if isinstance(components, list) else []
    if len(listed) > limits["crates"]:
        raise limits.exceeded("crates")
    for each in listed:
        if isinstance(each, dict):
            group, name, version = (_text(each.get(key)) for key in ("group", "name", "version"))
            if group and name and version:
                yield [group, name, version, _licence(each)]


def _licence(component: Mapping[str, Any]) -> str:
    licences = component.get("licenses")
    first = licences[0] if isinstance(licences, list) and licences else None
    about = first.get("license") if isinstance(first, dict) else None
    text = about.get("id") or about.get("name") if isinstance(about, dict) else None
    return _text(text)


def _text(value: object) -> str:
    return printable(value).strip() if isinstance(value, str) else ""

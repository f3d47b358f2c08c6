"""The bytes of a document: from a file or standard input, within bounds, and which form they have.

Forms: CycloneDX JSON and XML, SPDX 2 JSON and tag-value, SPDX 3 JSON, Syft JSON; each also inside gzip or zstd, and
as the predicate of an in-toto statement (its signature is not looked at).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from anchorecli import compression
from anchorecli.errors import IntegrityError, NotFoundError, SourceError
from anchorecli.sbom.contents import Contents, mapping, word

MAX_BYTES = 256 << 20
"""A document of an image with 50,000 packages has a quarter of it."""
MAX_OBJECTS = 8_000_000
"""Objects and lists of a JSON document, which take far more memory than the bytes they are written in."""
_FORMS = "CycloneDX (JSON, XML), SPDX (JSON, tag-value) and Syft JSON are understood"


def data_of(path: str) -> bytes:
    """The document's bytes, uncompressed; ``-`` is standard input.

    Raises: NotFoundError, SourceError for what cannot be read or is too large, IntegrityError for a damaged stream.
    """
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"no such file: {path}") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
    _bounded(path, len(data))
    kind = compression.sniff(data[:6])
    return _inflated(path, data, kind) if kind in (compression.GZIP, compression.ZSTD) else data


def contents_of(path: str, data: bytes) -> Contents:
    """What a document says. Raises: SourceError for what is no SBOM, IntegrityError for a damaged one."""
    name = "standard input" if path == "-" else path
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    try:
        if start.startswith((b"{", b"[")) or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return _of_json(data)
        if start.startswith(b"<"):
            return _of_xml(data)
        if b"SPDXVersion:" in data[:65536]:
            return _of_tags(data)
    except SourceError as error:
        error.message = f"{name}: {error.message}"
        error.args = (error.message,)
        raise
    raise SourceError(f"{name} is not an SBOM", hint=_FORMS)


def _of_json(data: bytes) -> Contents:
    if data.count(b"{") + data.count(b"[") > MAX_OBJECTS:
        raise SourceError(f"the JSON has more than {MAX_OBJECTS} objects: no SBOM has")
    try:
        document = json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError as error:
        raise SourceError("the JSON is nested too deeply: no SBOM is") from error
    except ValueError as error:
        raise IntegrityError(f"the JSON is damaged: {error}", hint="it may be cut short: write it again") from error
    document = mapping(document)
    predicate = document.get("predicate")
    if isinstance(predicate, dict):
        # cosign puts the document itself one level below.
        data_ = predicate.get("Data")
        document = data_ if isinstance(data_, dict) else predicate
    return _recognised(document)


def _recognised(document: dict[str, Any]) -> Contents:
    if document.get("bomFormat") == "CycloneDX" or (
        "specVersion" in document and isinstance(document.get("components"), list)
    ):
        from anchorecli.sbom import cyclonedx

        return cyclonedx.read(document)
    if word(document.get("spdxVersion")).startswith("SPDX-2"):
        from anchorecli.sbom import spdx

        return spdx.read(document)
    if isinstance(document.get("@graph"), list):
        from anchorecli.sbom import spdx3

        return spdx3.read(document)
    if isinstance(document.get("artifacts"), list) and isinstance(document.get("schema"), dict):
        from anchorecli.sbom import syft

        return syft.read(document)
    raise SourceError("JSON, but no SBOM", hint=_FORMS)


def _of_xml(data: bytes) -> Contents:
    from anchorecli.sbom import cyclonedx, cyclonedx_xml

    document, space = cyclonedx_xml.parse(data)
    if "cyclonedx.org/schema/bom" not in space:
        raise SourceError("XML, but no CycloneDX document", hint=_FORMS)
    return cyclonedx.read(document)


def _of_tags(data: bytes) -> Contents:
    from anchorecli.sbom import spdx, spdx_tags

    return spdx.read(spdx_tags.parse(data.decode("utf-8", "replace")))


def _inflated(path: str, data: bytes, kind: str) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in compression.inflate(iter((data,)), kind):
            size += len(piece)
            _bounded(path, size)
            pieces.append(piece)
    except ValueError as error:
        raise IntegrityError(f"{path} is damaged: {error}", hint="copy it again") from error
    return b"".join(pieces)


def _bounded(path: str, size: int) -> None:
    if size > MAX_BYTES:
        raise SourceError(f"{path} has more than {MAX_BYTES >> 20} MiB: no SBOM has", hint=_FORMS)

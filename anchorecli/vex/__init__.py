"""VEX: what somebody who knows says of vulnerabilities in a product; read, applied to matches, written.

A document has authority because somebody names it (``--vex``, the setting ``vex``), or, where it hangs on the image in
a registry, because somebody whom the policy bundle believes has signed it. By itself it has none: whoever pushes an
image could acquit it.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from anchorecli.errors import UsageError
from anchorecli.vex.values import VexDocument, VexStatement, VexStatus

MAX_BYTES = 64 * 1024 * 1024
MAX_STATEMENTS = 500_000

__all__ = ["VexDocument", "VexStatement", "VexStatus", "read", "read_bytes"]


def read(path: Path) -> VexDocument:
    """The VEX document in a file. Raises: UsageError that names it."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise UsageError(f"{path}: cannot be read: {exc.strerror}", hint="check --vex") from None
    return read_bytes(data, str(path))


def read_bytes(data: bytes, name: str) -> VexDocument:
    """The VEX document in bytes. Raises: UsageError that names it."""
    from anchorecli.vex import csaf, cyclonedx, openvex
    from anchorecli.vex.fields import VexError

    if len(data) > MAX_BYTES:
        raise UsageError(f"{name}: more than {MAX_BYTES >> 20} MiB", hint="split it by product")
    document = _parsed(data, name)
    reader: Any = next((each for each in (openvex, csaf, cyclonedx) if each.recognises(document)), None)
    if reader is None:
        raise UsageError(f"{name}: no VEX document", hint="OpenVEX, CSAF or CycloneDX in JSON is wanted")
    remarks: list[str] = []
    found: list[VexStatement] = []
    try:
        author = reader.author(document)
        for statement in reader.statements(document, remarks):
            found.append(statement)
            if len(found) > MAX_STATEMENTS:
                raise VexError(f"more than {MAX_STATEMENTS} statements")
    except VexError as exc:
        raise UsageError(f"{name}: {exc}", hint=f"it is read as {reader.NAME}: correct the document") from None
    digest = f"sha256:{sha256(data).hexdigest()}"
    return VexDocument(Path(name).name, digest, reader.NAME, author, tuple(found), tuple(remarks))


def _parsed(data: bytes, name: str) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except RecursionError:
        raise UsageError(f"{name}: nested too deeply", hint="this is no VEX document") from None
    except ValueError as exc:  # UnicodeDecodeError is one
        raise UsageError(f"{name}: no JSON: {exc}", hint="OpenVEX, CSAF or CycloneDX in JSON is wanted") from None
    if not isinstance(document, dict):
        raise UsageError(f"{name}: no VEX document", hint="OpenVEX, CSAF or CycloneDX in JSON is wanted")
    return document

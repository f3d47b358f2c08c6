"""VEX documents in code: one statement of each format, with what a test says of it."""

from __future__ import annotations

import json
from typing import Any

from anchorecli.vex import VexDocument, read_bytes

BASH = "pkg:deb/debian/bash@5.2-1?arch=amd64&distro=debian-12"
LATE = "2024-06-02T00:00:00Z"
EARLY = "2024-06-01T00:00:00Z"


def openvex(*statements: dict[str, Any], **fields: Any) -> bytes:
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1", "author": "Example Org",
        "timestamp": EARLY, "version": 1, "statements": list(statements), **fields,
    }  # fmt: skip
    return json.dumps(document).encode()


def said(vulnerability: Any = "CVE-2024-1", product: Any = BASH, status: str = "not_affected", **fields: Any) -> Any:
    """One statement of OpenVEX."""
    name = vulnerability if isinstance(vulnerability, dict) else {"name": vulnerability}
    products = product if isinstance(product, list) else [{"@id": product}]
    reason = {"justification": "vulnerable_code_not_present"} if status == "not_affected" else {}
    return {"vulnerability": name, "products": products, "status": status, **reason, **fields}


def read(data: bytes, name: str = "a.vex.json") -> VexDocument:
    return read_bytes(data, name)

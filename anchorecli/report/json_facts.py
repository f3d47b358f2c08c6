"""Users, and what was looked for on demand, for the JSON report; never which credential was found, nor what a file
holds."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from anchorecli.model import Analysis, Secret


def facts(analysis: Analysis) -> dict[str, Any]:
    """The properties of the report that belong to such facts; what was not looked for is not in ``looked_for``."""
    return {
        "looked_for": {name: said.split("\n") for name, said in sorted(analysis.looked_for.items())},
        "secrets": [_secret(each) | {"owner": each.owner} for each in analysis.secrets],
        "removed_secrets": [_secret(each) for each in analysis.removed_secrets],
        "contents": [
            {"pattern": each.pattern, "path": each.path, "lines": each.lines, "layer": each.layer}
            for each in analysis.contents
        ],
        "retrieved": [
            {"path": each.path, "size": len(each.data), "sha256": sha256(each.data).hexdigest(), "layer": each.layer}
            for each in analysis.retrieved
        ],
        "malware": [
            {"signature": each.signature, "scanner": each.scanner, "path": each.path, "layer": each.layer}
            for each in analysis.malware
        ],
        "differences": [
            {
                "package": each.package,
                "purl": each.purl,
                "path": each.path,
                "status": each.status,
                "detail": each.detail.split(",") if each.detail else [],
            }
            for each in analysis.differences
        ],
        "unowned": list(analysis.unowned),
        "certificates": [_row(each) for each in analysis.certificates],
        "certificate_stores": [_row(each) for each in analysis.certificate_stores],
        "private_keys": [_row(each) for each in analysis.private_keys],
        "accounts": [_row(each) for each in analysis.accounts],
        "groups": [_row(each) for each in analysis.groups],
    }


def _secret(each: Secret) -> dict[str, Any]:
    return {name: getattr(each, name) for name in ("rule", "path", "line", "fingerprint", "layer")}


def _row(value: Any) -> dict[str, Any]:
    """A value's fields by their names."""
    return {name: getattr(value, name) for name in type(value).__slots__}

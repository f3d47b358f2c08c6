"""Evidence of what is attached to an image, checked already."""

from __future__ import annotations

from typing import Any

from anchorecli.model import AttachedKind, Check, Checked, Digest
from anchorecli.policy.base import Evidence

from .evidence import evidence

SIGNATURE, ATTESTATION = AttachedKind.SIGNATURE, AttachedKind.ATTESTATION
SLSA = "https://slsa.dev/provenance/v1"


def by(signer: str, kind: AttachedKind = SIGNATURE, predicate: str = "", note: str = "", **fields: Any) -> Checked:
    """What a signer made; without one, what nobody could check."""
    check = Check.VERIFIED if signer else Check.UNCHECKED
    return Checked(
        kind, Digest("sha256:" + "d" * 64), fields.pop("check", check), signer, predicate, note=note, **fields
    )


def signed(*found: Checked, signers: tuple[str, ...] = ("release", "ci"), **fields: Any) -> Evidence:
    """An image with this attached to it."""
    return evidence(attached=found, signers=signers, **fields)

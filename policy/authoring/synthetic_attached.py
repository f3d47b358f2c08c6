"""What hangs on an image, told in YAML for ``policy test``.

Format: ``attached: [{kind: signature, signer: release}, {kind: attestation, predicate_type: https://slsa.dev/provenance/v1}]``;
without a signer it is there and nobody the bundle trusts made it.
"""

from __future__ import annotations

from hashlib import sha256

from anchorecli.model import AttachedKind, Check, Checked, Digest
from anchorecli.policy.language.document import Node
from anchorecli.policy.language.faults import Faults, unknown
from anchorecli.policy.language.fields import Fields

_KEYS = ("kind", "signer", "predicate_type")


def attached(fields: Fields, signers: tuple[str, ...], faults: Faults) -> tuple[Checked, ...]:
    """What the case says is attached; a signer has to be one of the bundle's."""
    return tuple(_checked(node, place, signers, faults) for place, node in enumerate(fields.items("attached")))


def _checked(node: Node, place: int, signers: tuple[str, ...], faults: Faults) -> Checked:
    fields = Fields(node, "what is attached", _KEYS, faults)
    kind, signer = fields.text("kind", required=True), fields.text("signer")
    if kind and kind not in list(AttachedKind):
        faults.add(fields.line_of("kind"), unknown("kind", kind, (each.value for each in AttachedKind)))
        kind = ""
    if signer and signer not in signers:
        faults.add(fields.line_of("signer"), unknown("signer", signer, signers))
    return Checked(
        AttachedKind(kind or "document"),
        Digest("sha256:" + sha256(f"attached {place}".encode()).hexdigest()),
        Check.VERIFIED if signer else Check.UNCHECKED,
        signer,
        fields.text("predicate_type"),
        note="" if signer else "none of the bundle's signers made it",
    )

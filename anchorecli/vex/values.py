"""What a VEX document says, in one form for all formats."""

from __future__ import annotations

from enum import StrEnum

from anchorecli.values import dataclass


class VexStatus(StrEnum):
    """What a statement says of a vulnerability in a product; the words of OpenVEX."""

    NOT_AFFECTED = "not_affected"
    FIXED = "fixed"
    AFFECTED = "affected"
    UNDER_INVESTIGATION = "under_investigation"

    @property
    def settles(self) -> bool:
        """Whether there is nothing left to do: such a vulnerability does not count."""
        return self in (VexStatus.NOT_AFFECTED, VexStatus.FIXED)


@dataclass(frozen=True, slots=True)
class VexStatement:
    """One statement. ``names`` are the ids of one vulnerability; ``products`` and ``subcomponents`` identify images and
    packages: purls, image names, digests. With subcomponents the statement is about these inside the products.

    ``timestamp`` is RFC 3339 UTC; the later statement about the same thing holds.
    """

    names: tuple[str, ...]
    status: VexStatus
    products: tuple[str, ...]
    subcomponents: tuple[str, ...] = ()
    justification: str = ""
    impact: str = ""
    action: str = ""
    timestamp: str = ""


@dataclass(frozen=True, slots=True)
class VexDocument:
    """One document. ``name`` is that of its file, ``digest`` of its bytes, ``remarks`` what of it could not be used."""

    name: str
    digest: str
    form: str
    author: str
    statements: tuple[VexStatement, ...]
    remarks: tuple[str, ...] = ()
    signer: str = ""
    """Who signed it, as the bundle calls him, where it was attached to the image."""

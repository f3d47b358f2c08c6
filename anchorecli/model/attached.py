"""What a registry (or a layout) keeps beside an image: signatures, attestations, documents, as they were found.

These are facts: what they are worth is decided by the keys that a bundle names. Unlike other facts they may change
while the image does not, hence they belong to an evaluation and not to the analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from anchorecli.model.base import Digest, Problem
from anchorecli.values import dataclass, field


@dataclass(frozen=True, slots=True)
class Attachment:
    """One blob of an artifact that is attached to an image, or to another artifact.

    ``subject`` is the digest it was found at, ``manifest`` that of the artifact and ``blob`` that of the blob;
    ``content`` is empty where it was not fetched: for what nothing here can read, only type and size are kept.
    ``annotations`` are those of the blob. ``document`` is the artifact's manifest as text where the blob is a document:
    whoever signs that manifest has signed the document.
    """

    subject: Digest
    manifest: Digest
    blob: Digest
    media_type: str
    artifact_type: str = ""
    size: int = 0
    content: bytes = b""
    annotations: Mapping[str, str] = field(default_factory=dict)
    document: str = ""


@dataclass(frozen=True, slots=True)
class Attached:
    """All that was found beside an image, and what could not be looked at.

    Without ``problems`` what is not here was not there.
    """

    items: tuple[Attachment, ...] = ()
    problems: tuple[Problem, ...] = ()
    listed: tuple[str, ...] = ()
    """``SUBJECT MANIFEST`` (digests) of every artifact that was listed, also of those that could not be used: what a
    later list is held against."""


class Check(StrEnum):
    """What came of checking a signature."""

    VERIFIED = "verified"
    WRONG = "wrong"
    """It is not what it claims to be: of another image, or changed after it was signed."""
    UNCHECKED = "unchecked"
    """Nobody the bundle trusts made it, or it is of a kind that cannot be checked here."""


class AttachedKind(StrEnum):
    """What hangs on an image."""

    SIGNATURE = "signature"
    ATTESTATION = "attestation"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that hangs on the image, after the check against the signers a bundle trusts.

    ``signer`` is the bundle's name for who signed it (``check`` is ``verified``); ``predicate`` the type of an
    attestation's predicate, or the media type of a document; ``note`` why it was not verified.
    """

    kind: AttachedKind
    digest: Digest
    check: Check
    signer: str = ""
    predicate: str = ""
    identity: str = ""
    """Who a certificate says signed it; believed only with ``verified``."""
    note: str = ""

"""Signatures by certificates: whether one of an authority that a bundle names was valid when it was used, and whose.

Format: X.509 (RFC 5280) as Fulcio issues it (https://github.com/sigstore/fulcio, docs/certificate-specification.md):
who signed is a subject alternative name, who vouched for that an extension. Such certificates live for minutes. When
something was signed tells a transparency log (Rekor, https://github.com/sigstore/rekor): its promise to have kept the
signature and the certificate, signed with its time. Without a log's key a certificate has to be valid at the time of
the evaluation. Not handled: proofs of inclusion, time stamps (RFC 3161), certificate transparency, revocation.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from anchorecli.model import Json
from anchorecli.signatures.claims import LogEntry, Proof
from anchorecli.signatures.keys import certificate_blocks, library, load, made_by, signed_by
from anchorecli.signatures.values import Signer

_ISSUER = "1.3.6.1.4.1.57264.1.8"
_ISSUER_RAW = "1.3.6.1.4.1.57264.1.1"
_CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
_ANY_USAGE = "2.5.29.37.0"


def roots_fault(pem: str) -> str:
    """What is wrong with a text that should hold certificates; empty where nothing is."""
    blocks = certificate_blocks(pem)
    if not blocks:
        return "holds no certificate (PEM)"
    try:
        from cryptography import x509
    except ImportError:
        return ""
    try:
        for block in blocks:
            x509.load_pem_x509_certificate(block.encode())
    except ValueError as error:
        return f"holds a certificate that cannot be read: {str(error)[:200]}"
    return ""


def identity_of(proof: Proof) -> str:
    """Who the first certificate says it is of, as nobody has checked; empty where that cannot be read."""
    try:
        leaf = _certificate(proof.certificates[0])
        return " ".join(filter(None, (", ".join(_names(leaf)), _from(_issuer(leaf)))))
    except _unreadable():
        return ""


def refusal(proof: Proof, signer: Signer, now: str) -> str:
    """Why a signature is not one of a signer's; empty where it is. ``now`` is RFC 3339 UTC."""
    library()
    try:
        return _refusal(proof, signer, now)
    except _unreadable() as error:
        return f"its certificate cannot be read: {str(error)[:200]}"


def _refusal(proof: Proof, signer: Signer, now: str) -> str:
    leaf = _certificate(proof.certificates[0])
    rest = [_certificate(each) for each in proof.certificates[1:]]
    names = _names(leaf)
    if not any(_fits(signer.identity, name) for name in names):
        return f"its certificate is of {', '.join(names) or 'nobody'}"
    if signer.issuer and signer.issuer != _issuer(leaf):
        return f"its certificate was vouched for by {_issuer(leaf) or 'nobody'}"
    key = leaf.public_key()
    if not made_by(key, proof):
        return "its certificate's key did not make it"
    moment, why = _moment(proof, signer, now)
    return why or _unchained(leaf, rest, signer, moment)


def _moment(proof: Proof, signer: Signer, now: str) -> tuple[datetime, str]:
    """When it was signed, and why that is not known."""
    present = datetime.fromisoformat(now)
    if not signer.log:
        return present, ""
    if proof.entry is None:
        return present, "no log entry tells when it was signed"
    fault = _log_fault(proof, proof.entry, signer.log)
    try:
        return datetime.fromtimestamp(proof.entry.time, UTC), fault
    except (ValueError, OverflowError, OSError):
        return present, "its log entry has no usable time"


def _log_fault(proof: Proof, entry: LogEntry, pem: str) -> str:
    """Why a log's entry does not prove that the log has seen this signature; empty where it does."""
    # The form that the log signs: RFC 8785, which for these four is this.
    signed = {"body": entry.body, "integratedTime": entry.time, "logID": entry.log_id, "logIndex": entry.place}
    message = json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()
    if not any(signed_by(key, entry.promise, message) for key in load(pem)):
        return "its log entry is not signed by the log that the bundle names"
    own = _certificate(proof.certificates[0])
    try:
        found = _logged(json.loads(base64.b64decode(entry.body, validate=True)))
        same = any(mark == proof.signature and _certificate(pem) == own for mark, pem in found)
    except (ValueError, LookupError, TypeError, RecursionError):
        return "its log entry cannot be read"
    return "" if same else "its log entry is about another signature"


def _logged(body: Json) -> list[tuple[bytes, str]]:
    """Signatures and certificates that an entry is about. Format: Rekor's kinds hashedrekord and dsse, 0.0.1."""
    spec = body["spec"]
    if body["kind"] == "hashedrekord":
        pairs = [(spec["signature"]["content"], spec["signature"]["publicKey"]["content"])]
    elif body["kind"] == "dsse":
        pairs = [(each["signature"], each["verifier"]) for each in spec["signatures"]]
    else:
        raise ValueError("an entry of another kind")
    return [(base64.b64decode(mark), base64.b64decode(pem).decode()) for mark, pem in pairs]


def _unchained(leaf: Any, rest: list[Any], signer: Signer, moment: datetime) -> str:
    """Why a certificate does not lead to one of the signer's roots at a moment; empty where it does."""
    from cryptography.x509 import verification

    roots = [_certificate(each) for each in certificate_blocks(signer.roots)]
    builder = verification.PolicyBuilder().store(verification.Store(roots)).time(moment.replace(tzinfo=None))
    builder = builder.extension_policies(ca_policy=_authority_policy(), ee_policy=_leaf_policy())
    try:
        builder.build_client_verifier().verify(leaf, rest)
    except verification.VerificationError as error:
        start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
        if not start <= moment <= end:
            when = "when it was signed" if signer.log else "now; name the log that tells when it was used (log:)"
            return f"its certificate, valid from {start:%Y-%m-%dT%H:%MZ} to {end:%Y-%m-%dT%H:%MZ}, is not valid {when}"
        return f"its certificate does not lead to a root of the bundle: {str(error)[:200]}"
    return ""


def _authority_policy() -> Any:
    from cryptography import x509
    from cryptography.x509.verification import Criticality, ExtensionPolicy

    def basic(_policy: Any, _certificate: Any, found: Any) -> None:
        if not found.ca:
            raise ValueError("an issuer is no authority")

    def usage(_policy: Any, _certificate: Any, found: Any) -> None:
        if not found.key_cert_sign:
            raise ValueError("an issuer may not sign certificates")

    policy = ExtensionPolicy.permit_all()
    policy = policy.require_present(x509.BasicConstraints, Criticality.AGNOSTIC, basic)
    policy = policy.require_present(x509.KeyUsage, Criticality.AGNOSTIC, usage)
    return policy.may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _for_code)


def _leaf_policy() -> Any:
    from cryptography import x509
    from cryptography.x509.verification import Criticality, ExtensionPolicy

    policy = ExtensionPolicy.permit_all()
    policy = policy.require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
    return policy.require_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _for_code)


def _for_code(_policy: Any, _certificate: Any, found: Any) -> None:
    usages = {usage.dotted_string for usage in found} if found is not None else {_CODE_SIGNING}
    if usages.isdisjoint((_CODE_SIGNING, _ANY_USAGE)):
        raise ValueError("a certificate is not for signing code")


def _unreadable() -> tuple[type[Exception], ...]:
    """What the library says of certificates that somebody made up: it reads extensions and keys only when asked."""
    from cryptography import exceptions, x509

    odd = (x509.DuplicateExtension, x509.UnsupportedGeneralNameType, x509.InvalidVersion)
    return (ValueError, LookupError, exceptions.UnsupportedAlgorithm, *odd)


@lru_cache(maxsize=64)
def _certificate(pem: str) -> Any:
    from cryptography import x509

    return x509.load_pem_x509_certificate(pem.encode())


def _names(certificate: Any) -> tuple[str, ...]:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    kinds: tuple[Any, ...] = (x509.UniformResourceIdentifier, x509.RFC822Name, x509.DNSName)
    return tuple(name for kind in kinds for name in found.get_values_for_type(kind))


def _issuer(certificate: Any) -> str:
    from cryptography import x509

    found = {}
    for each in certificate.extensions:
        if isinstance(each.value, x509.UnrecognizedExtension):
            found[each.oid.dotted_string] = each.value.value
    raw = found.get(_ISSUER, b"")
    # DER: a UTF8String of less than 128 bytes, or with its length in one or two more.
    if raw[:1] == b"\x0c":
        skip = 2 + (raw[1] & 0x7F if raw[1] & 0x80 else 0)
        return raw[skip:].decode("utf-8", "replace")
    return found.get(_ISSUER_RAW, b"").decode("utf-8", "replace")


def _from(issuer: str) -> str:
    return f"by {issuer}" if issuer else ""


def _fits(pattern: str, name: str) -> bool:
    """Whether a name is a wildcard's: ``*`` is any run of characters."""
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == name
    if not name.startswith(first):
        return False
    at, last = len(first), middle.pop()
    for part in middle:
        at = name.find(part, at) + len(part)
        if at < len(part):
            return False
    return len(name) - at >= len(last) and name.endswith(last)

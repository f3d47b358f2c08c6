"""Gate ``certificates``: X.509 certificates that end, weak keys, and private keys in the image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.model import Certificate, Demand, Problem
from anchorecli.policy.base import Evidence, Fire, Parameter, Trigger
from anchorecli.policy.facts.gathered import counted, lines, not_gathered
from anchorecli.policy.facts.ignored import ignore_fault, ignore_parameter, ignored
from anchorecli.policy.facts.packaged import meant, packaged_parameter
from anchorecli.policy.language.parameters import Arguments
from anchorecli.policy.times import days_between

_WEAK_HASHES = ("md2", "md5", "sha1")


def _expired(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    for each in _looked_at(evidence, arguments, "expired"):
        if isinstance(each, Problem):
            yield each
        elif (left := days_between(evidence.now, each.not_after)) is not None and left < 0:
            yield _fire(f"Certificate expired on {each.not_after[:10]}", each)


def _expires(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    days = arguments.integer("days") or 0
    for each in _looked_at(evidence, arguments, "expires_within"):
        if isinstance(each, Problem):
            yield each
        elif (left := days_between(evidence.now, each.not_after)) is not None and 0 <= left <= days:
            yield _fire(f"Certificate expires on {each.not_after[:10]}, within {counted(days, 'day')}", each)


def _weak(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    least = {"RSA": arguments.integer("rsa_bits"), "DSA": arguments.integer("rsa_bits")}
    for each in _looked_at(evidence, arguments, "weak_key"):
        if isinstance(each, Problem):
            yield each
            continue
        kind = each.key.partition(" ")[0]
        bound = (arguments.integer("ec_bits") if kind == "EC" else least.get(kind)) or 0
        if 0 < each.key_bits < bound:
            yield _fire(f"Certificate with a weak key found: {each.key} of {each.key_bits} bits", each)


def _weak_signature(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    for each in _looked_at(evidence, arguments, "weak_signature"):
        if isinstance(each, Problem):
            yield each
        elif each.signature.startswith(_WEAK_HASHES) and not each.self_signed:
            yield _fire(f"Certificate with a weak signature found: {each.signature}", each)


def _private_key(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    if lines(evidence, "certificates") is None:
        yield _gap(arguments, "private_key_found")
        return
    owned = meant(arguments)
    keys = [
        each
        for each in evidence.analysis.private_keys
        if bool(each.owner) in owned and not (each.encrypted and arguments.flag("skip_encrypted"))
    ]
    passed = ignored(arguments, ["/" + each.path for each in keys])
    for each in sorted(keys):
        path = "/" + each.path
        if path not in passed:
            kind = each.kind if each.encrypted is False or each.kind == "encrypted" else f"{each.kind}, encrypted"
            yield Fire(f"Private key found: file={path} line={each.line} kind={kind}", path=each.path)


def _looked_at(evidence: Evidence, arguments: Arguments, trigger: str) -> Iterator[Certificate | Problem]:
    """The certificates that a rule is about."""
    if lines(evidence, "certificates") is None:
        yield _gap(arguments, trigger)
        return
    found = evidence.analysis.certificates
    passed = ignored(arguments, list({"/" + each.path for each in found}))
    yield from (each for each in sorted(found) if "/" + each.path not in passed)


def _gap(arguments: Arguments, trigger: str) -> Problem:
    return not_gathered(f"certificates.{trigger}", arguments, "certificates and private keys")


def _fire(message: str, each: Certificate) -> Fire:
    return Fire(f"{message}: file=/{each.path} subject={each.subject or each.serial}", path=each.path)


def _demand(_arguments: Arguments) -> Demand:
    return Demand(certificates=True)


def _seen(evidence: Evidence, _arguments: Arguments) -> str:
    return counted(len(evidence.analysis.certificates), "certificate")


def _seen_keys(evidence: Evidence, _arguments: Arguments) -> str:
    return counted(len(evidence.analysis.private_keys), "private key")


def _trigger(name: str, description: str, fire: object, *parameters: Parameter, notes: str = "New here.") -> Trigger:
    return Trigger(
        name,
        description,
        fire,  # type: ignore[arg-type]
        (*parameters, ignore_parameter("ignore", "/usr/share/doc/.*")),
        notes=notes,
        check=ignore_fault,
        demands=_demand,
        looks_at=_seen_keys if name == "private_key_found" else _seen,
    )


_TRIGGERS = (
    _trigger(
        "expired",
        "A certificate is no longer valid. Fires for each.",
        _expired,
        notes="New here. The roots that a system trusts are not asked, only what is listed one by one.",
    ),
    _trigger(
        "expires_within",
        "A certificate that is valid today will not be in so many days. Fires for each.",
        _expires,
        Parameter("days", "integer", "Days from the moment of the evaluation.", required=True, example="30"),
    ),
    _trigger(
        "weak_key",
        "A certificate's key is short. Fires for each.",
        _weak,
        Parameter("rsa_bits", "integer", "Least bits of RSA and DSA keys.", default="2048", example="3072"),
        Parameter("ec_bits", "integer", "Least bits of keys on elliptic curves.", default="224", example="256"),
    ),
    _trigger(
        "weak_signature",
        "A certificate is signed by MD2, MD5 or SHA-1, which can be forged. Fires for each.",
        _weak_signature,
        notes="New here. What signs itself is left alone: nobody relies on that signature.",
    ),
    _trigger(
        "private_key_found",
        "A private key is in the image: whoever has the image has the key. Fires for each.",
        _private_key,
        Parameter("skip_encrypted", "boolean", "Whether keys with a password count as harmless.", default="false"),
        packaged_parameter(),
        notes="New here. secret_scans finds keys in texts of any name; this knows DER, key stores and OpenSSH as well, "
        "and leaves examples in documents alone.",
    ),
)


class CertificatesGate(NamedTuple):
    """Certificates and private keys."""

    name: str = "certificates"
    description: str = "Certificates that end or are weak, and private keys."
    triggers: tuple[Trigger, ...] = _TRIGGERS

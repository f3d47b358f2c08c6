"""What is attached to the image, as rules ask about it: who signed what."""

from __future__ import annotations

from collections.abc import Sequence

from anchorecli.model import AttachedKind, Check, Checked, Demand, Problem
from anchorecli.policy.base import Evidence, Fire, Fires
from anchorecli.policy.facts.wording import counted
from anchorecli.policy.judging.wildcards import Wildcard
from anchorecli.policy.language.parameters import Arguments
from anchorecli.policy.patterns import wildcard_fault

PREDICATES = {
    "provenance": ("https://slsa.dev/provenance/*",),
    "sbom": ("https://spdx.dev/Document*", "https://cyclonedx.org/bom*"),
    "vex": ("https://openvex.dev/ns*", "https://cyclonedx.org/vex*"),
    "vulnerabilities": ("https://cosign.sigstore.dev/attestation/vuln/*", "https://in-toto.io/attestation/vulns/*"),
}
"""Short names → the types of predicates they stand for."""

_MOST_TOLD = 3


def demands_attached(_arguments: Arguments) -> Demand:
    """What is attached has to be looked for."""
    return Demand(attached=True)


def signature_missing(evidence: Evidence, arguments: Arguments) -> Fires:
    """Fires where nobody who is asked for signed the image."""
    return _missing("signature", AttachedKind.SIGNATURE, "", evidence, arguments)


def attestation_missing(evidence: Evidence, arguments: Arguments) -> Fires:
    """Fires where nobody who is asked for attests to what is asked for."""
    wanted = arguments.text("predicate_type")
    what = f"attestation of type {wanted}" if wanted else "attestation"
    return _missing(what, AttachedKind.ATTESTATION, wanted, evidence, arguments)


def predicate_fault(arguments: Arguments) -> str:
    """What is wrong with a wildcard for predicates; empty where nothing is."""
    fault = wildcard_fault(arguments.text("predicate_type"))
    return f'"predicate_type" is not usable as a regular expression: {fault}' if fault else ""


def attached_looked_at(evidence: Evidence, _arguments: Arguments) -> str:
    """On what it is decided, for the report."""
    return counted(len(evidence.attached), "attachment") if evidence.attached is not None else ""


def _missing(what: str, kind: AttachedKind, predicate: str, evidence: Evidence, arguments: Arguments) -> Fires:
    signers = arguments.words("signer") or evidence.signers
    anybody = bool(arguments.flag("accept_unchecked"))
    found = [each for each in evidence.attached or () if each.kind is kind and _is_of(each, predicate)]
    if any(_counts(each, signers, anybody) for each in found):
        return
    rule = f"rule {arguments.rule_id} could not be decided"
    subject = f"image.{kind.value}_missing"
    if evidence.attached is None:
        message = f"{rule}: what is attached to the image was not looked for"
        yield Problem("policy", subject, message, "Scan the image again, from its registry.")
        return
    if not signers and not anybody:
        hint = "Name them under trust: signers:, or say accept_unchecked: true."
        yield Problem("policy", subject, f"{rule}: the bundle names no signers", hint)
        return
    if evidence.attached_gaps:
        yield from (Problem("policy", subject, f"{rule}: {gap.message}", gap.hint) for gap in evidence.attached_gaps)
        return
    by = f" by {' or '.join(signers)}" if signers else ""
    yield Fire(f"The image has no {what}{by}{_but(found)}", stable=f"{what}{by}")


def _counts(each: Checked, signers: Sequence[str], anybody: bool) -> bool:
    if each.check is Check.VERIFIED:
        return anybody or each.signer in signers
    return anybody and each.check is Check.UNCHECKED


def _is_of(each: Checked, wanted: str) -> bool:
    if not wanted:
        return True
    return any(Wildcard(one).matches(each.predicate) for one in PREDICATES.get(wanted, (wanted,)))


def _but(found: Sequence[Checked]) -> str:
    """What is there instead."""
    if not found:
        return ""
    told = list(dict.fromkeys(_told(each) for each in found))
    more = f" and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
    return f"; there is: {', '.join(told[:_MOST_TOLD])}{more}"


def _told(each: Checked) -> str:
    if each.check is Check.VERIFIED:
        return f"one by {each.signer}"
    who = f" of {each.identity}" if each.identity else ""
    return f"one{who} that is {'wrong' if each.check is Check.WRONG else 'not verified'} ({each.note})"

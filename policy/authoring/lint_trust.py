"""Doubtful trust: signers nobody asks for, and rules that ask for signers where none are named."""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.model import Rule
from anchorecli.policy.language.faults import Remark, quoted
from anchorecli.policy.language.parameters import split_list
from anchorecli.policy.values import Bundle

_TRIGGERS = ("attestation_missing", "signature_missing")


def trust_remarks(bundle: Bundle) -> Iterator[Remark]:
    """The remarks on whom a bundle trusts."""
    asking = [rule for policy in bundle.policies for rule in policy.rules if _asks(rule)]
    signers = bundle.trust.signers
    for rule in asking:
        if not signers and rule.params.get("accept_unchecked", "").strip().lower() != "true":
            message = f"rule {quoted(rule.id)} cannot be decided: the bundle names no signers"
            yield Remark(_path(rule.line, bundle), rule.line, "warning", message, "Name them under trust: signers:.")
    named = {name for rule in asking for name in split_list(rule.params.get("signer", ""))} | set(bundle.trust.vex)
    if any(not rule.params.get("signer") for rule in asking):
        return
    for signer in signers:
        if signer.id not in named:
            message = f"signer {quoted(signer.id)} is not asked for: no rule names it, and vex does not"
            yield Remark(_path(signer.line, bundle), signer.line, "warning", message, "Remove it, or ask for it.")


def _asks(rule: Rule) -> bool:
    return rule.gate == "image" and rule.trigger in _TRIGGERS


def _path(line: int, bundle: Bundle) -> str:
    """The file of a line, which may be one that the bundle includes."""
    return str(getattr(line, "path", bundle.path))

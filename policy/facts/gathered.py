"""What is said where a rule needs facts that were not gathered for this image: never silence."""

from __future__ import annotations

from anchorecli.model import Problem
from anchorecli.policy.base import Evidence
from anchorecli.policy.language.parameters import Arguments


def not_gathered(name: str, arguments: Arguments, what: str, hint: str = "") -> Problem:
    """The gap in the evidence that keeps rule and trigger (``files.name_match``) from deciding; ``what`` is plural."""
    said = f"rule {arguments.rule_id} needs {what}, which were not looked for in this image"
    return Problem("policy", name, said, hint or "Scan the image with this policy: what it needs is looked for then.")


def lines(evidence: Evidence, what: str) -> tuple[str, ...] | None:
    """How something was looked for, a line each (``Analysis.looked_for``); None where it was not."""
    said = evidence.analysis.looked_for.get(what)
    return None if said is None else tuple(line for line in said.split("\n") if line)


def searched(evidence: Evidence, what: str, noun: str) -> str:
    """How much was looked for in which files, for the report: ``5 secret rules in files of up to 524288 bytes``."""
    limit = evidence.analysis.looked_for.get(f"{what}.limit", "")
    return counted(len(lines(evidence, what) or ()), noun) + (f" in {limit}" if limit else "")


def counted(number: int, what: str) -> str:
    """``1 package``, ``166 packages``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

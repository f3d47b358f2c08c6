"""From a bundle and the evidence to a verdict.

The order: the first mapping that means the image names the policies; every rule of theirs is run; allowlists let
findings through; the worst action that is left wins; then the image lists decide (denied before allowed); and last
the evidence: where something could not be looked at, what would pass is *indeterminate*, unless the bundle says
otherwise. A failure is a failure on any evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import md5

from anchorecli.errors import LimitError
from anchorecli.model import Action, Allow, Finding, Problem, Rule, RuleOutcome, Status, Verdict
from anchorecli.policy.base import Evidence, Fire
from anchorecli.policy.judging.allowing import Allowing
from anchorecli.policy.judging.completeness import data_gaps, worst_choice
from anchorecli.policy.judging.mapping import find_image, find_mapping
from anchorecli.policy.judging.outcomes import outcomes
from anchorecli.policy.judging.running import Ran, run_rule
from anchorecli.policy.values import Bundle, ImageRule, MappingRule, Policy

_DATA_STAGES = ("feeds", "match")
"""Problems of these stages bear on a verdict only where a rule looks at vulnerabilities."""


def evaluate(bundle: Bundle, evidence: Evidence) -> Verdict:
    """The verdict on an image. Equal bundles and evidence give equal verdicts."""
    run = _Run(bundle, evidence)
    return run.verdict()


def trigger_id(gate: str, trigger: str, text: str) -> str:
    """Anchore Engine's default id: md5 over gate, trigger and message."""
    # Paths in messages may hold bytes that are no UTF-8; the id is over the bytes as they are.
    return md5(f"{gate}{trigger}{text}".encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


class _Run:
    """One evaluation: collects findings and problems on its way to the verdict."""

    def __init__(self, bundle: Bundle, evidence: Evidence) -> None:
        self._bundle = bundle
        self._evidence = evidence
        self._problems: dict[Problem, None] = dict.fromkeys(bundle.warnings)
        self._ruled: dict[tuple[int, int], RuleOutcome] = {}

    def verdict(self) -> Verdict:
        bundle, evidence = self._bundle, self._evidence
        mapping = self._mapping()
        policies = self._policies(mapping)
        allowing = self._allowing(mapping)
        findings = tuple(
            finding for place, policy in enumerate(policies) for finding in self._findings(place, policy, allowing)
        )
        looks_at_data = any(rule.gate == "vulnerabilities" for policy in policies for rule in policy.rules)
        if looks_at_data:
            self._problems |= dict.fromkeys(data_gaps(evidence, bundle.evidence))
        status, action, reason, missing = self._decide(mapping, findings, looks_at_data)
        return Verdict(
            status=status,
            action=action,
            reason=reason,
            findings=findings,
            policy_ids=tuple(policy.id for policy in policies),
            mapping_id=mapping.image.id if mapping else "",
            problems=tuple(sorted({*self._problems, *missing})),
            rules=tuple(self._ruled[key] for key in sorted(self._ruled)),
            allowances=outcomes(allowing.entries, evidence, complete=not missing),
        )

    def _decide(
        self, mapping: MappingRule | None, findings: tuple[Finding, ...], looks_at_data: bool
    ) -> tuple[Status, Action, str, set[Problem]]:
        """Status, action, what decided, and the gaps that bear on it."""
        action = max((finding.action for finding in findings), default=Action.GO)
        reason = "policy_evaluation" if mapping else "no_mapping"
        decisive = False
        denied = self._image_in("blacklisted_images", self._bundle.denied_images)
        if denied:
            action, reason, decisive = Action.STOP, "blacklisted", True
        elif self._image_in("whitelisted_images", self._bundle.allowed_images):
            action, reason, decisive = Action.GO, "whitelisted", denied is not None
        missing = self._incomplete(looks_at_data)
        firm = (
            action if decisive else max((f.action for f in findings if not self._is_provisional(f)), default=Action.GO)
        )
        if firm is Action.STOP:
            return Status.FAIL, action, reason, missing
        if action is Action.STOP:
            # Only the embedded starter feed says so: old data may show what to look at, never decide.
            return Status.INDETERMINATE, action, "evidence", missing
        # Without a mapping no rule needed the evidence: then only what kept the policy from choosing one counts.
        deciding = missing if mapping else missing.intersection(self._problems)
        choice = "ignore" if decisive else worst_choice(deciding, self._bundle.evidence)
        if choice == "indeterminate":
            return Status.INDETERMINATE, action, "evidence", missing
        return Status.PASS, max(action, Action.WARN) if choice == "warn" else action, reason, missing

    def _is_provisional(self, finding: Finding) -> bool:
        """Whether a finding rests on the embedded starter feed alone, which is never fresh evidence."""
        return bool(finding.match_id) and finding.match_id in self._evidence.once(_provisional_ids)

    def _incomplete(self, looks_at_data: bool) -> set[Problem]:
        """The problems that bear on the verdict: those of the stages before, and those of the policy."""
        return {
            problem
            for problem in (*self._evidence.problems, *self._problems)
            if problem.incomplete and (looks_at_data or problem.stage not in _DATA_STAGES)
        }

    def _problem(self, subject: str, message: str, hint: str = "", *, incomplete: bool = True) -> None:
        self._problems[Problem("policy", subject, message, hint, incomplete)] = None

    def _mapping(self) -> MappingRule | None:
        try:
            mapping = find_mapping(self._bundle, self._evidence)
        except LimitError as error:
            self._problem("mappings", f"no mapping could be chosen: {error}")
            return None
        if mapping is None:
            name = self._evidence.reference.name or self._evidence.reference.original
            hint = 'Add a mapping with registry, repository and tag "*" at the end of the bundle.'
            self._problem(name, "no mapping of the bundle means this image: no rule was run", hint, incomplete=False)
        return mapping

    def _image_in(self, name: str, rules: tuple[ImageRule, ...]) -> bool | None:
        """Whether an image list holds the image, None where it could not be compared."""
        try:
            return find_image(rules, self._evidence) is not None
        except LimitError as error:
            self._problem(name, f"could not be compared: {error}")
            return None

    def _policies(self, mapping: MappingRule | None) -> tuple[Policy, ...]:
        known = {policy.id: policy for policy in self._bundle.policies}
        return tuple(known[policy_id] for policy_id in mapping.policy_ids) if mapping else ()

    def _allowing(self, mapping: MappingRule | None) -> Allowing:
        wanted = mapping.allowlist_ids if mapping else ()
        lists = [(one.id, one.items) for one in self._bundle.allowlists if one.id in wanted]
        return Allowing(lists, self._evidence, self._could_not_compare)

    def _could_not_compare(self, item: Allow, error: str) -> None:
        self._problem(f"whitelist item {item.id}", f"could not be compared: {error}", incomplete=False)

    def _findings(self, place: int, policy: Policy, allowing: Allowing) -> Iterator[Finding]:
        for position, rule in _by_gate(policy.rules):
            ran = run_rule(rule, self._evidence, compat=self._bundle.compat)
            self._problems |= dict.fromkeys(ran.problems)
            allowed = 0
            for fire in ran.fires:
                finding = _finding(rule, policy, fire, ran, allowing)
                allowed += bool(finding.allowed_by)
                yield finding
            self._ruled[place, position] = RuleOutcome(
                policy.id,
                rule.id,
                rule.gate,
                rule.trigger,
                rule.action,
                status=ran.status,
                fired=len(ran.fires),
                allowed=allowed,
                looked_at=ran.looked_at,
                note=ran.note,
            )


def _finding(rule: Rule, policy: Policy, fire: Fire, ran: Ran, allowing: Allowing) -> Finding:
    identity = fire.trigger_id or trigger_id(rule.gate, rule.trigger, fire.stable or fire.message)
    entry = allowing.judge(rule.gate, fire, identity, ran.others.get(fire, ())) if allowing.entries else None
    return Finding(
        gate=rule.gate,
        trigger=rule.trigger,
        trigger_id=identity,
        action=Action.GO if entry else rule.action,
        message=fire.message,
        rule_id=rule.id,
        policy_id=policy.id,
        allowed_by=entry.item.id if entry else "",
        match_id=fire.match_id,
        allowlist=entry.allowlist_id if entry else "",
    )


def _provisional_ids(evidence: Evidence) -> frozenset[str]:
    """The vulnerabilities that only starter feeds speak of."""
    starters = {feed.name for feed in evidence.feeds if feed.starter}
    if not starters:
        return frozenset()
    real = {match.id for match in evidence.matches if match.feed not in starters}
    return frozenset(match.id for match in evidence.matches if match.feed in starters) - real


def _by_gate(rules: tuple[Rule, ...]) -> list[tuple[int, Rule]]:
    """The rules with their place, grouped by gate in the order in which the gates first appear."""
    order: dict[str, list[tuple[int, Rule]]] = {}
    for position, rule in enumerate(rules):
        order.setdefault(rule.gate, []).append((position, rule))
    return [each for group in order.values() for each in group]

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
from anchorecli.model import Action, Allow, Finding, Problem, Rule, Status, Verdict
from anchorecli.policy.base import Evidence, Fire
from anchorecli.policy.coverage import Need, feed_age, is_covered, needs
from anchorecli.policy.mapping import find_image, find_mapping
from anchorecli.policy.parameters import arguments
from anchorecli.policy.patterns import wildcard_matches
from anchorecli.policy.rules import find_gate, find_trigger
from anchorecli.policy.spellings import PENDING_GATES, RETIRED_GATES
from anchorecli.policy.times import utc
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

    def verdict(self) -> Verdict:
        bundle = self._bundle
        mapping = self._mapping()
        policies = self._policies(mapping)
        findings = tuple(finding for policy in policies for finding in self._findings(policy, mapping))
        action = max((finding.action for finding in findings), default=Action.GO)
        reason = "policy_evaluation" if mapping else "no_mapping"
        looks_at_data = any(rule.gate == "vulnerabilities" for policy in policies for rule in policy.rules)
        if looks_at_data:
            self._check_data()
        decisive = False
        denied = self._image_in("blacklisted_images", bundle.denied_images)
        if denied:
            action, reason, decisive = Action.STOP, "blacklisted", True
        elif self._image_in("whitelisted_images", bundle.allowed_images):
            action, reason, decisive = Action.GO, "whitelisted", denied is not None
        missing = self._incomplete(looks_at_data)
        # Without a mapping no rule needed the evidence: then only what kept the policy from choosing one counts.
        deciding = missing if mapping else missing.intersection(self._problems)
        firm = (
            action if decisive else max((f.action for f in findings if not self._is_provisional(f)), default=Action.GO)
        )
        if firm is Action.STOP:
            status = Status.FAIL
        elif action is Action.STOP:
            # Only the embedded starter feed says so: old data may show what to look at, never decide.
            status, reason = Status.INDETERMINATE, "evidence"
        else:
            status = Status.PASS
        if status is Status.PASS and deciding and not decisive:
            status, action, reason = self._without_evidence(action, reason)
        return Verdict(
            status=status,
            action=action,
            reason=reason,
            findings=findings,
            policy_ids=tuple(policy.id for policy in policies),
            mapping_id=mapping.image.id if mapping else "",
            problems=tuple(sorted({*self._problems, *missing})),
        )

    def _is_provisional(self, finding: Finding) -> bool:
        """Whether a finding rests on the embedded starter feed alone, which is never fresh evidence."""
        return bool(finding.match_id) and finding.match_id in self._evidence.once(_provisional_ids)

    def _without_evidence(self, action: Action, reason: str) -> tuple[Status, Action, str]:
        """What a pass becomes when something could not be looked at."""
        choice = self._bundle.evidence.on_incomplete
        if choice == "indeterminate":
            return Status.INDETERMINATE, action, "evidence"
        return Status.PASS, max(action, Action.WARN) if choice == "warn" else action, reason

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

    def _findings(self, policy: Policy, mapping: MappingRule | None) -> Iterator[Finding]:
        wanted = mapping.allowlist_ids if mapping else ()
        items = [item for one in self._bundle.allowlists if one.id in wanted for item in one.items]
        allowed = [item for item in items if not self._expired(item)]
        for rule in _by_gate(policy.rules):
            for fire in self._fires(rule):
                yield self._finding(rule, policy, fire, allowed)

    def _expired(self, item: Allow) -> bool:
        now, end = utc(self._evidence.now), utc(item.expires_on) if item.expires_on else None
        # Without a clock nothing with an end is let through.
        return end is not None and (now is None or now >= end)

    def _fires(self, rule: Rule) -> Iterator[Fire]:
        """The firings of a rule, each once; what could not be looked at becomes a problem."""
        if rule.gate in RETIRED_GATES:
            return
        name = f"{rule.gate}.{rule.trigger}"
        gate = find_gate(rule.gate)
        trigger = find_trigger(gate, rule.trigger) if gate else None
        if trigger is None:
            said = PENDING_GATES.get(rule.gate, "is not known to this version")
            self._problem(rule.gate, f"gate {rule.gate} {said}: rule {rule.id} was not run")
            return
        if trigger.fire is None:
            self._problem(
                name, f"needs {trigger.needs}, which this version does not gather: rule {rule.id} was not run"
            )
            return
        seen: set[Fire] = set()
        try:
            for fire in trigger.fire(self._evidence, arguments(trigger.parameters, rule.params, rule.id)):
                if isinstance(fire, Problem):
                    self._problems[fire] = None
                elif fire not in seen:
                    seen.add(fire)
                    yield fire
        except LimitError as error:
            self._problem(name, f"rule {rule.id} could not look at everything: {error}")

    def _finding(self, rule: Rule, policy: Policy, fire: Fire, allowed: list[Allow]) -> Finding:
        identity = fire.trigger_id or trigger_id(rule.gate, rule.trigger, fire.stable or fire.message)
        let_by = self._let_by(rule.gate, (identity, *fire.also), allowed)
        return Finding(
            gate=rule.gate,
            trigger=rule.trigger,
            trigger_id=identity,
            action=Action.GO if let_by else rule.action,
            message=fire.message,
            rule_id=rule.id,
            policy_id=policy.id,
            allowed_by=let_by,
            match_id=fire.match_id,
        )

    def _let_by(self, gate: str, ids: tuple[str, ...], allowed: list[Allow]) -> str:
        """The id of the first allowlist item that lets a finding through, or empty."""
        for item in allowed:
            if item.gate != gate:
                continue
            try:
                if any(wildcard_matches(item.trigger_id, identity) for identity in ids):
                    return item.id
            except LimitError as error:
                self._problem(f"whitelist item {item.id}", f"could not be compared: {error}", incomplete=False)
        return ""

    def _check_data(self) -> None:
        """Whether the vulnerability data the image needs is there, and young enough for the bundle."""
        evidence, limit = self._evidence, self._bundle.evidence.max_feed_age_days
        hint = "Run `anchore feeds sync`, or import a feed file with `anchore feeds import`."
        for need in evidence.once(needs):
            what = f"{need.packages} package{'s' if need.packages > 1 else ''} of {need.subject}"
            age = feed_age(evidence, need)
            if not is_covered(evidence, need.namespaces):
                if not self._said_by_matching(need):
                    self._problem(need.subject, f"{_who_has_data(evidence, need)} vulnerability data for {what}", hint)
            elif limit and age is None:
                self._problem(need.subject, f"the age of the vulnerability data for {what} is not known", hint)
            elif limit and age is not None and age > limit:
                said = f"the vulnerability data for {what} is {int(age)} days old; the bundle allows {limit}"
                self._problem(need.subject, said, hint)

    def _said_by_matching(self, need: Need) -> bool:
        """Whether matching has reported already that no feed covers the namespaces, or that there are none."""
        said = [
            problem.message for problem in self._evidence.problems if problem.stage == "match" and problem.incomplete
        ]
        names = need.namespaces or ("distribution is not known",)
        return any(f" {name}:" in f"{message}:" for message in said for name in names)


def _who_has_data(evidence: Evidence, need: Need) -> str:
    starter = any(feed.starter and not set(need.namespaces).isdisjoint(feed.ecosystems) for feed in evidence.feeds)
    return "only the embedded starter feed has" if starter else "no feed has"


def _provisional_ids(evidence: Evidence) -> frozenset[str]:
    """The vulnerabilities that only starter feeds speak of."""
    starters = {feed.name for feed in evidence.feeds if feed.starter}
    if not starters:
        return frozenset()
    real = {match.id for match in evidence.matches if match.feed not in starters}
    return frozenset(match.id for match in evidence.matches if match.feed in starters) - real


def _by_gate(rules: tuple[Rule, ...]) -> list[Rule]:
    """The rules grouped by gate, in the order in which the gates first appear."""
    order = {rule.gate: None for rule in rules}
    return [rule for gate in order for rule in rules if rule.gate == gate]

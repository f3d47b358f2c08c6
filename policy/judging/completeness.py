"""Whether the evidence suffices for a pass: is the data there, young enough, and what do gaps make of a pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from anchorecli.model import Problem
from anchorecli.policy.base import Evidence
from anchorecli.policy.facts.coverage import Need, feed_age, feeds_for, is_covered, needs
from anchorecli.policy.values import EvidenceRule, OnIncomplete

_SYNC = "Run `anchore feeds sync`, or import a feed file with `anchore feeds import`."


def data_gaps(evidence: Evidence, rule: EvidenceRule) -> Iterator[Problem]:
    """Where the vulnerability data the image needs is missing, or older than the bundle allows."""
    for need in evidence.once(needs):
        what = f"{need.packages} package{'s' if need.packages > 1 else ''} of {need.subject}"
        gap = _gap(evidence, rule.max_feed_age_days, need, what)
        if gap:
            message, cause = gap
            yield Problem("policy", need.subject, message, _SYNC, cause=cause)


def worst_choice(problems: Iterable[Problem], rule: EvidenceRule) -> OnIncomplete:
    """What the gaps together make of a pass; ``ignore`` without any."""
    choices = {rule.choice(problem.gap) for problem in problems}
    if "indeterminate" in choices:
        return "indeterminate"
    return "warn" if "warn" in choices else "ignore"


def _gap(evidence: Evidence, limit: int, need: Need, what: str) -> tuple[str, str] | None:
    """What is wrong with the data for a need, and the cause it counts as."""
    if not is_covered(evidence, need.namespaces):
        if _said_by_matching(evidence, need):
            return None
        cause = "no_feed" if need.namespaces else "unknown_distro"
        return f"{_who_has_data(evidence, need)} vulnerability data for {what}", cause
    feeds = list(feeds_for(evidence, need))
    if feeds and not any(feed.records for feed in feeds):
        names = ", ".join(feed.name for feed in feeds)
        return f"the feed for {what} holds no record at all ({names})", "empty_feed"
    age = feed_age(evidence, need)
    if limit and age is None:
        return f"the age of the vulnerability data for {what} is not known", "stale_feed"
    if limit and age is not None and age > limit:
        return f"the vulnerability data for {what} is {int(age)} days old; the bundle allows {limit}", "stale_feed"
    return None


def _said_by_matching(evidence: Evidence, need: Need) -> bool:
    """Whether matching has reported already that no feed covers the namespaces, or that there are none."""
    said = [problem.message for problem in evidence.problems if problem.stage == "match" and problem.incomplete]
    names = need.namespaces or ("distribution is not known",)
    return any(f" {name}:" in f"{message}:" for message in said for name in names)


def _who_has_data(evidence: Evidence, need: Need) -> str:
    starter = any(feed.starter and not set(need.namespaces).isdisjoint(feed.ecosystems) for feed in evidence.feeds)
    return "only the embedded starter feed has" if starter else "no feed has"

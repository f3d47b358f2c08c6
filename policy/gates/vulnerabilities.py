"""Gate ``vulnerabilities``: what the matches say, and whether the data behind them can be relied on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.model import FixState, Match
from anchorecli.policy.base import Evidence, Fire, Fires, Parameter, Trigger
from anchorecli.policy.facts.coverage import distro_name, distro_namespaces, feed_age, is_covered, needs
from anchorecli.policy.facts.risk import identities
from anchorecli.policy.facts.vulnerability import KEV_LIST, PACKAGE, live, vulnerabilities_looked_at
from anchorecli.policy.language.parameters import Arguments


def _stale(evidence: Evidence, arguments: Arguments) -> Fires:
    limit = arguments.integer("max_days_since_sync") or 0
    for need in evidence.once(needs):
        age = feed_age(evidence, need)
        if age is None or age > limit:
            return (Fire(f"The vulnerability feed for this image distro is older than MAXAGE ({limit}) days"),)
    return ()


def _unavailable(evidence: Evidence, _arguments: Arguments) -> Fires:
    distro = evidence.analysis.distro
    os_needs = [need.namespaces for need in evidence.once(needs) if need.subject == distro_name(evidence)]
    wanted = os_needs or ([distro_namespaces(distro)] if distro else [])
    if all(is_covered(evidence, names) for names in wanted):
        return ()
    return (
        Fire(
            f"Distro-specific feed data not found for distro namespace: {distro_name(evidence)}. "
            "Cannot perform CVE scan OS/distro packages"
        ),
    )


def _blacklist(evidence: Evidence, arguments: Arguments) -> Iterator[Fire]:
    present: dict[str, set[str]] = {}
    for match in live(evidence):
        if arguments.flag("vendor_only") and match.fix_state is FixState.WONT_FIX:
            continue
        for identity in (_original_id(match),) if arguments.compat else identities(match):
            present.setdefault(identity, set()).add(match.id)
    found = [identity for identity in sorted(set(arguments.words("vulnerability_ids"))) if identity in present]
    if found:
        # One firing speaks of all of them, so a report can join it to a vulnerability only where there is one.
        ids = {match_id for identity in found for match_id in present[identity]}
        yield Fire(f"Blacklisted vulnerabilities detected: {found}", match_id=ids.pop() if len(ids) == 1 else "")


def _original_id(match: Match) -> str:
    """The one id Anchore Engine knows a vulnerability by: GitHub's own where GitHub's data told of it."""
    return match.advisory if match.advisory.startswith("GHSA-") else match.id


def _feeds_looked_at(evidence: Evidence, _arguments: Arguments) -> str:
    """``debian:12, pypi``: what the image needs data for."""
    return ", ".join(need.subject for need in evidence.once(needs)) or "no packages"


_TRIGGERS = (
    PACKAGE,
    Trigger(
        "stale_feed_data",
        "The vulnerability data the image needs was last synced longer ago than allowed, or never.",
        _stale,
        (Parameter("max_days_since_sync", "integer", "Days the data may be old.", required=True, example="2"),),
        notes="Looks at the data for every type of package in the image, not for its distribution alone; silent for an "
        "image without packages, where the original fires.",
        looks_at=_feeds_looked_at,
    ),
    Trigger(
        "vulnerability_data_unavailable",
        "No feed has data for the distribution of the image, or only the embedded starter feed does.",
        _unavailable,
        notes="Silent for an image with neither a distribution nor OS packages.",
        looks_at=_feeds_looked_at,
    ),
    Trigger(
        "blacklist",
        "A vulnerability that must not be there is; it fires once, with all of them.",
        _blacklist,
        (
            Parameter(
                "vulnerability_ids",
                "strings",
                "Ids to look for.",
                required=True,
                example="CVE-2021-44228,CVE-2022-22965",
            ),
            Parameter("vendor_only", "boolean", "Skip what the vendor will not fix.", default="true"),
        ),
        notes="An id matches by its aliases as well: a CVE finds the GHSA that stands for it. With compat: "
        "anchore-engine it does not, since the trigger id is made of all ids that were found.",
        looks_at=vulnerabilities_looked_at,
        aliases=("denylist",),
    ),
    KEV_LIST,
)


class VulnerabilitiesGate(NamedTuple):
    """Vulnerabilities of the packages, by severity, score, age and fix."""

    name: str = "vulnerabilities"
    description: str = "Which vulnerabilities the packages have, and how good the data about them is."
    triggers: tuple[Trigger, ...] = _TRIGGERS

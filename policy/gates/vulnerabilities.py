"""Gate ``vulnerabilities``: what the matches say, and whether the data behind them can be relied on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from anchorecli.model import FixState, Match
from anchorecli.policy.base import Evidence, Fire, Fires, Parameter, Trigger
from anchorecli.policy.coverage import distro_name, distro_namespaces, feed_age, is_covered, needs
from anchorecli.policy.parameters import Arguments
from anchorecli.policy.vulnerability import PACKAGE, live


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
    present = evidence.once(_ids_to_mend if arguments.flag("vendor_only") else _ids)
    found = [identity for identity in sorted(set(arguments.words("vulnerability_ids"))) if identity in present]
    if found:
        yield Fire(f"Blacklisted vulnerabilities detected: {found}")


def _ids(evidence: Evidence) -> frozenset[str]:
    """Every id and alias of the vulnerabilities that are present."""
    return _all_ids(live(evidence))


def _ids_to_mend(evidence: Evidence) -> frozenset[str]:
    """The same without those the vendor will not fix."""
    return _all_ids(match for match in live(evidence) if match.fix_state is not FixState.WONT_FIX)


def _all_ids(matches: Iterable[Match]) -> frozenset[str]:
    return frozenset(identity for match in matches for identity in (match.id, match.advisory, *match.aliases))


_TRIGGERS = (
    PACKAGE,
    Trigger(
        "stale_feed_data",
        "The vulnerability data the image needs was last synced longer ago than allowed, or never.",
        _stale,
        (Parameter("max_days_since_sync", "integer", "Days the data may be old.", required=True, example="2"),),
        notes="Looks at the data for every type of package in the image, not for its distribution alone; silent for an "
        "image without packages, where the original fires.",
    ),
    Trigger(
        "vulnerability_data_unavailable",
        "No feed has data for the distribution of the image, or only the embedded starter feed does.",
        _unavailable,
        notes="Silent for an image with neither a distribution nor OS packages.",
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
        notes="An id matches by its aliases as well: a CVE finds the GHSA that stands for it.",
    ),
)


class VulnerabilitiesGate(NamedTuple):
    """Vulnerabilities of the packages, by severity, score, age and fix."""

    name: str = "vulnerabilities"
    description: str = "Which vulnerabilities the packages have, and how good the data about them is."
    triggers: tuple[Trigger, ...] = _TRIGGERS

"""Gate ``distro``: which distribution the image is, and whether anyone still supports it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.errors import VersionError
from anchorecli.model import Demand, Distro, Problem
from anchorecli.policy.base import Evidence, Fire, Fires, Parameter, Trigger
from anchorecli.policy.facts.coverage import OS_TYPES, distro_name
from anchorecli.policy.facts.vulnerability_filter import COMPARE
from anchorecli.policy.facts.wording import counted
from anchorecli.policy.language.parameters import Arguments
from anchorecli.policy.times import days_between

_SYNONYMS = {"redhat": "rhel", "amazon": "amzn", "amazonlinux": "amzn", "oracle": "ol", "oraclelinux": "ol"}
_SHELLS = ("bin/sh", "bin/bash", "bin/busybox", "usr/bin/sh", "usr/bin/bash", "usr/bin/busybox")


def _deny(evidence: Evidence, arguments: Arguments) -> Fires:
    name, version, check = (arguments.text(each) for each in ("distro", "version", "check"))
    distro = evidence.analysis.distro
    if distro is None:
        return _unknown_but_there(evidence, arguments, "distro.deny")
    if _plain(distro.id) != _plain(name):
        return ()
    if not version:
        return (_denied(evidence, name),)
    if version.lower() == distro.codename.lower():
        holds = check in ("=", "<=", ">=")
    elif not distro.version_id:
        message = f"rule {arguments.rule_id} compares versions, and {distro.id} names none here"
        return (Problem("policy", "distro.deny", message, "Deny the distribution whatever its version."),)
    else:
        try:
            holds = _compare(distro, version, check)
        except VersionError as error:
            message = f"rule {arguments.rule_id} could not compare the version of {distro.id}: {error}"
            return (Problem("policy", "distro.deny", message),)
    return (_denied(evidence, f"{name} {check} {version}"),) if holds else ()


def _denied(evidence: Evidence, what: str) -> Fire:
    return Fire(f"The distribution {what} is denied: the image is {distro_name(evidence)}", stable=f"denied {what}")


def _plain(name: str) -> str:
    lowered = name.strip().lower()
    return _SYNONYMS.get(lowered, lowered)


def _compare(distro: Distro, version: str, check: str) -> bool:
    """Compares as much of the image's version as the rule names: 12.5 is 12, and 3.20.3 is not newer than 3.20."""
    from anchorecli.versions import compare

    wanted = version.strip()
    own = ".".join(distro.version_id.split(".")[: wanted.count(".") + 1])
    return COMPARE[check](compare("fuzzy", own, wanted), 0)


def _end_of_life(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    if evidence.analysis.distro is None:
        yield from _unknown_but_there(evidence, arguments, "distro.end_of_life")
        return
    date, name = evidence.enrichment.end_of_life, distro_name(evidence)
    if date is None:
        message = f"rule {arguments.rule_id} could not be decided: when support for {name} ends is not known"
        yield Problem("policy", "distro.end_of_life", message, "Run `anchore feeds sync end-of-life`.")
        return
    left = days_between(evidence.now, date) if date else None
    # The day itself is the last with support.
    if left is None or left + 1 > (arguments.integer("days_before") or 0):
        return
    said = "ended" if left + 1 <= 0 else "ends"
    yield Fire(f"Support for {name} {said} on {date}", stable=f"{evidence.analysis.distro.id} until {date}")


def _unknown(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    if evidence.analysis.distro is not None:
        return
    packages = sum(package.type in OS_TYPES for package in evidence.analysis.packages)
    if packages:
        yield Fire(
            f"The image has {counted(packages, 'package')} of a distribution, and nothing tells which one",
            stable="packages of an unknown distribution",
        )
    elif evidence.tree is None:
        message = f"rule {arguments.rule_id} needs the list of files, which was not looked for in this image"
        yield Problem("policy", "distro.unknown", message)
    elif any(shell in evidence.tree for shell in _SHELLS):
        yield Fire("The image has a shell, and nothing tells which distribution it is", stable="unknown distribution")


def _unknown_but_there(evidence: Evidence, arguments: Arguments, subject: str) -> Fires:
    """The gap in the evidence where an image has packages of a distribution that nobody can name."""
    if not any(package.type in OS_TYPES for package in evidence.analysis.packages):
        return ()
    message = f"rule {arguments.rule_id} could not be decided: which distribution the packages belong to is not known"
    return (Problem("policy", subject, message, cause="unknown_distro"),)


def _file_list(_arguments: Arguments) -> Demand:
    return Demand(files=True)


def _looked_at(evidence: Evidence, _arguments: Arguments) -> str:
    return distro_name(evidence) if evidence.analysis.distro else "no distribution"


_TRIGGERS = (
    Trigger(
        "deny",
        "The image is of a distribution, or of versions of it, that must not be used.",
        _deny,
        (
            Parameter("distro", "string", "The ID of its os-release file.", required=True, example="centos"),
            Parameter("version", "string", "The version to compare with; any by default.", example="7"),
            Parameter(
                "check",
                "enum",
                "How the image's version is compared, in as many parts as the rule gives: 12.5 is 12.",
                default="=",
                allowed=tuple(COMPARE),
                example="<=",
            ),
        ),
        notes="Known from Anchore Enterprise.",
        looks_at=_looked_at,
    ),
    Trigger(
        "end_of_life",
        "The distribution is no longer supported, or will soon not be. Needs the feed of end-of-life dates.",
        _end_of_life,
        (
            Parameter(
                "days_before",
                "integer",
                "Fire so many days before the last day of support already.",
                default="0",
                example="90",
            ),
        ),
        looks_at=_looked_at,
    ),
    Trigger(
        "unknown",
        "Nothing tells which distribution it is, although there are packages of one, or a shell.",
        _unknown,
        demands=_file_list,
        looks_at=_looked_at,
    ),
)


class DistroGate(NamedTuple):
    """The distribution of the image."""

    name: str = "distro"
    description: str = "Which distributions must not be used, and which are out of support."
    triggers: tuple[Trigger, ...] = _TRIGGERS

"""Red Hat's security data API: one JSON object for each CVE, with packages by source and by release.

Format: https://docs.redhat.com/en/documentation/red_hat_security_data_api/1.0, ``cve/CVE-….json``: ``package_state``
(``fix_state`` of a package in a product without a fix) and ``affected_release`` (the erratum and the build that fixes
it). Not handled: fixes that are named by a module's build alone, whose packages the API does not tell (a Problem); the
VEX documents do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from anchorecli.feeds import cvss
from anchorecli.feeds.record import one_line
from anchorecli.feeds.rpm.oval import moment
from anchorecli.feeds.rpm.redhat_names import ELS, is_main, space
from anchorecli.feeds.rpm.statements import Said, affected, with_everybody
from anchorecli.feeds.snapshot import problem
from anchorecli.model import Advisory, Cvss, Problem, Severity, Statement

SOURCE = "Red Hat"
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_STATES = {
    "affected": Statement.AFFECTED,
    "fix deferred": Statement.AFFECTED,
    "will not fix": Statement.WONT_FIX,
    "out of support scope": Statement.WONT_FIX,
    "not affected": Statement.NOT_AFFECTED,
    "new": Statement.UNDER_INVESTIGATION,
    "under investigation": Statement.UNDER_INVESTIGATION,
}
_BUILD = re.compile(r"(?P<name>[^/:]+)-(?P<evr>(?:\d+:)?[^-:/]+-[^-:/]+?)(?:\.src)?(?:\.rpm)?")
_MODULE_BUILD = re.compile(r"[\w.+-]+:[\w.+-]+-\d{10,}\S*|[\w.+-]+-[\w.+]+-\d{16,}\.\w+")


def is_record(content: Any) -> bool:
    """Whether a JSON value is an answer of the API."""
    return isinstance(content, dict) and "name" in content and ("public_date" in content or "bugzilla" in content)


def read(content: dict[str, Any], feed: str) -> Iterator[Advisory | Problem]:
    """The record, if it speaks of a distribution, and a Problem for what could not be told.

    Raises: ValueError where a field is of another form.
    """
    identifier = content.get("name")
    if not isinstance(identifier, str) or not _CVE.fullmatch(identifier):
        raise ValueError("no usable name")
    rows = list(_states(content))
    errata: dict[str, None] = {}
    for release in _list(content, "affected_release"):
        namespace, package = space(_text(release, "cpe")), _text(release, "package")
        if not namespace or not package:
            continue
        if is_main(namespace):
            errata[_text(release, "advisory")] = None
        build = _BUILD.fullmatch(package)
        if _MODULE_BUILD.fullmatch(package) or build is None:
            if "/" not in package:  # neither an image
                yield problem(f"{feed}: {identifier}", f"fixed by {package[:100]}, whose packages are not named")
            continue
        rows.append(Said(namespace, build["name"], Statement.AFFECTED, fixed=build["evr"], arch="src"))
    if rows:
        yield _advisory(content, feed, rows, tuple(each for each in errata if each))


def _advisory(content: dict[str, Any], feed: str, rows: list[Said], errata: tuple[str, ...]) -> Advisory:
    bug, details = content.get("bugzilla"), _list(content, "details")
    summary = bug.get("description") if isinstance(bug, dict) else None
    return Advisory(
        content["name"],
        feed,
        aliases=errata,
        severity=Severity.parse(_text(content, "threat_severity")),
        summary=one_line(summary if isinstance(summary, str) else str(details[0])[:1200] if details else ""),
        url=f"https://access.redhat.com/security/cve/{content['name']}",
        published=moment(_text(content, "public_date")),
        cvss=_scores(content),
        affected=affected(with_everybody(rows, ELS)),
    )


def _states(content: dict[str, Any]) -> Iterator[Said]:
    for state in _list(content, "package_state"):
        namespace = space(_text(state, "cpe"))
        name, module = _component(_text(state, "package_name"))
        if not namespace or not name:
            continue
        word = _text(state, "fix_state").lower()
        if word not in _STATES:
            raise ValueError(f"unknown fix_state {word[:60]!r} of {name}")
        yield Said(namespace, name, _STATES[word], module=module)


def _component(name: str) -> tuple[str, str]:
    """Package and module of ``nodejs:18/nodejs``; nothing for an image (``rhel9/ruby-30``) or a flatpak."""
    before, slash, package = name.rpartition("/")
    if not slash:
        return (name, "") if name and ":" not in name else ("", "")
    module, colon, stream = before.partition(":")
    return (package, before) if colon and module and stream != "flatpak" else ("", "")


def _scores(content: dict[str, Any]) -> tuple[Cvss, ...]:
    found = []
    for kind in ("cvss3", "cvss"):
        stated = content.get(kind)
        vector = stated.get(f"{kind}_scoring_vector") if isinstance(stated, dict) else None
        if isinstance(vector, str) and (score := cvss.read(vector)):
            found.append(Cvss(score.version, score.vector, score.score, SOURCE))
    return tuple(found)


def _list(content: dict[str, Any], name: str) -> list[Any]:
    found = content.get(name) or []
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list):
        raise ValueError(f"{name} is not a list")
    return found


def _text(content: Any, name: str) -> str:
    found = content.get(name) if isinstance(content, dict) else None
    if found is None:
        return ""
    if not isinstance(found, str):
        raise ValueError(f"{name} is not text")
    return found

"""Red Hat's OVAL definitions: what is fixed by errata, what is not fixed yet, and what is not affected.

Format: https://www.redhat.com/security/data/oval/v2/ as described in
https://access.redhat.com/articles/5392061: definitions of class ``patch`` (an erratum), and of class
``vulnerability`` (a CVE without a fix; its ``resolution`` says whether there will be one). Which release and stream
they are about is told by ``affected_cpe_list``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.feeds.record import one_line
from anchorecli.feeds.rpm.oval import Definition, definitions
from anchorecli.feeds.rpm.redhat_names import space
from anchorecli.feeds.rpm.statements import Said, affected
from anchorecli.feeds.snapshot import Readable, problem
from anchorecli.model import Advisory, Problem, Severity, Statement

_RELEASE = re.compile(r"(Red Hat (?:Enterprise Linux|CoreOS)[\w .]*?) is installed")
_ERRATUM = re.compile(r"RH[SBE]A-\d{4}:\d+")
_RESOLUTIONS = {
    "affected": Statement.AFFECTED,
    "fix deferred": Statement.AFFECTED,
    "will not fix": Statement.WONT_FIX,
    "out of support scope": Statement.WONT_FIX,
    "under investigation": Statement.UNDER_INVESTIGATION,
}


def _platform(comment: str) -> str:
    found = _RELEASE.fullmatch(comment)
    return found[1] if found else ""


class Definitions:
    """Gathers: a CVE without a fix and the packages it does not affect are definitions of their own."""

    def __init__(self, feed: str) -> None:
        self._feed = feed
        self._rows: dict[str, list[Said]] = {}
        self._first: dict[str, Definition] = {}

    def read(self, name: str, stream: Readable) -> Iterator[Problem]:
        """Take in one file. Raises: FeedError where it cannot be read."""
        for found in definitions(self._feed, name, stream, _platform):
            if isinstance(found, Problem):
                yield found
                continue
            identifier = _identifier(found)
            cpes = [each.text for each in found.metadata.all("cpe")]
            spaces = dict.fromkeys(filter(None, map(space, cpes)))
            if not identifier:
                yield problem(f"{self._feed}: {found.id}", "neither an erratum nor a CVE")
            elif spaces:
                self._first.setdefault(identifier, found)
                self._rows.setdefault(identifier, []).extend(_rows(found, list(spaces)))

    def advisories(self) -> Iterator[Advisory]:
        """What was gathered, sorted by id."""
        for identifier in sorted(self._rows):
            first, rows = self._first[identifier], self._rows.pop(identifier)
            if not rows:
                continue
            erratum = identifier.startswith("RH")
            yield Advisory(
                identifier,
                self._feed,
                aliases=first.cves() if erratum else (),
                severity=Severity.parse(first.metadata.child("advisory").child("severity").text),
                summary=one_line(first.title.partition(": " if erratum else f"{identifier} ")[2] or first.title),
                url=f"https://access.redhat.com/{'errata' if erratum else 'security/cve'}/{identifier}",
                published=first.date("issued"),
                modified=first.date("updated"),
                cvss=() if erratum and len(first.cves()) > 1 else first.scores("Red Hat"),
                affected=affected(rows),
            )


def _identifier(found: Definition) -> str:
    if found.kind == "patch":
        return next((each for _, each in found.references() if _ERRATUM.fullmatch(each)), "")
    return next(iter(found.cves()), "")


def _rows(found: Definition, spaces: list[str]) -> Iterator[Said]:
    unaffected = ".unaffected:" in found.id or found.title.startswith("Unaffected components")
    resolutions = {
        component.text: _RESOLUTIONS.get(each.get("state").lower(), Statement.AFFECTED)
        for each in found.metadata.all("resolution")
        for component in each.all("component")
    }
    # A component may be named with its module, nodejs:16/nodejs.
    plain = {name.rpartition("/")[2]: statement for name, statement in resolutions.items()}
    default = next(iter(resolutions.values())) if len(set(resolutions.values())) == 1 else Statement.AFFECTED
    for claim in found.claims:
        statement = Statement.AFFECTED
        if found.kind != "patch":
            statement = Statement.NOT_AFFECTED if unaffected else plain.get(claim.package, default)
        for namespace in spaces:
            for arch in claim.arches or ("",):
                row = Said(namespace, claim.package, statement, claim.fixed, claim.introduced, claim.last)
                yield row._replace(module=claim.module, arch=arch)

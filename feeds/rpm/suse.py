"""SUSE Linux Enterprise, its modules, SLE Micro, and openSUSE: by SUSE's VEX documents, one record for each CVE.

From a path SUSE's advisories in CSAF (one record for each, with its CVEs) and its OVAL definitions are read as well.
Statements that nothing is affected are kept for the package whose name the others' begin with: they only ever deny.

Format: CSAF 2.0, https://ftp.suse.com/pub/projects/security/csaf-vex.tar.bz2 (``csaf_vex``) and ``csaf.tar.bz2``
(``csaf_security_advisory``), fixes being ``recommended``; OVAL 5.5, https://ftp.suse.com/pub/projects/security/oval/,
where version ``0`` says that no version is affected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorecli.feeds import csaf
from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.record import one_line
from anchorecli.feeds.rpm.oval import Definition, definitions
from anchorecli.feeds.rpm.statements import Said, affected
from anchorecli.feeds.rpm.suse_names import space
from anchorecli.feeds.snapshot import Readable, problem, unpacked_name
from anchorecli.model import Advisory, FeedState, Problem, Severity, Statement
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_PLATFORM = re.compile(
    r"((?:SUSE|openSUSE|Open Enterprise Server|Container|Image|HPE|Magnum)\b.*|suse\d{3}) is installed"
)
_STATEMENTS = {
    "known_affected": Statement.AFFECTED,
    "known_not_affected": Statement.NOT_AFFECTED,
    "under_investigation": Statement.UNDER_INVESTIGATION,
}


@dataclass(frozen=True, slots=True)
class Suse:
    """All of SUSE's VEX documents."""

    name: str = "suse"
    title: str = "SUSE and openSUSE, CSAF VEX"
    url: str = "https://ftp.suse.com/pub/projects/security/csaf-vex.tar.bz2"
    attribution: str = "SUSE, ftp.suse.com/pub/projects/security (CC-BY-4.0)"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """One archive with all of them."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """CSAF documents or OVAL files: one, a folder, or an archive of them."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One record for each CVE, or for each advisory where that is what was given."""
        gathered = _Definitions(self.name)
        for item in snapshot.streams(lambda name: unpacked_name(name).endswith((".json", ".xml"))):
            if isinstance(item, Problem):
                yield item
            elif unpacked_name(item[0]).endswith(".xml"):
                yield from gathered.read(*item)
            else:
                try:
                    yield from _records(csaf.read(item[1].read()), self.name)
                except (ValueError, OSError) as error:
                    reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
                    yield problem(f"{self.name}: {item[0]}", reason)
        yield from gathered.advisories()


def _records(document: csaf.Document, feed: str) -> Iterator[Advisory]:
    """Raises: ValueError where the document holds something else than the specification allows."""
    if document.category == "csaf_security_advisory":
        yield from _bundle(document, feed)
        return
    for vulnerability in document.vulnerabilities:
        identifier = vulnerability.get("cve")
        if not isinstance(identifier, str) or not _CVE.fullmatch(identifier):
            raise ValueError("a vulnerability without a CVE")
        rows = _kept(_rows(document, vulnerability))
        if not rows:
            continue
        yield Advisory(
            identifier,
            feed,
            severity=document.severity or _impact(vulnerability),
            summary=one_line(csaf.note(vulnerability, "general", "description", "summary")[:1200]),
            url=f"https://www.suse.com/security/cve/{identifier}",
            published=document.published,
            modified=document.modified,
            cvss=csaf.scores(vulnerability, "SUSE"),
            affected=affected(rows),
        )


def _bundle(document: csaf.Document, feed: str) -> Iterator[Advisory]:
    rows: dict[Said, None] = {}
    cves: dict[str, None] = {}
    for vulnerability in document.vulnerabilities:
        identifier = vulnerability.get("cve")
        if isinstance(identifier, str) and _CVE.fullmatch(identifier):
            cves[identifier] = None
        rows |= dict.fromkeys(row for row in _rows(document, vulnerability) if row.fixed)
    if rows and cves:
        scores = csaf.scores(document.vulnerabilities[0], "SUSE") if len(document.vulnerabilities) == 1 else ()
        yield Advisory(
            document.id,
            feed,
            aliases=tuple(cves),
            severity=document.severity or max(map(_impact, document.vulnerabilities)),
            summary=one_line(document.title),
            url=f"https://www.suse.com/support/update/announcement/{document.id}",
            published=document.published,
            modified=document.modified,
            cvss=scores,
            affected=affected(rows),
        )


def _impact(vulnerability: dict[str, Any]) -> Severity:
    return max((word for word, _ in csaf.impacts(vulnerability)), default=Severity.UNKNOWN)


def _rows(document: csaf.Document, vulnerability: dict[str, Any]) -> Iterator[Said]:
    hopeless = {
        each
        for category, _, _, products in csaf.remediations(vulnerability)
        if category == "no_fix_planned"
        for each in products
    }
    for status, identifier in csaf.statuses(vulnerability):
        product = document.products.get(identifier)
        namespace = space(product.platform) if product is not None and product.type == "rpm" else ""
        if product is None or not namespace:
            continue
        fixed = product.version if status in csaf.FIXED else ""
        if status not in _STATEMENTS and not fixed:
            continue
        statement = _STATEMENTS.get(status, Statement.AFFECTED)
        if statement is Statement.AFFECTED and not fixed and identifier in hopeless:
            statement = Statement.WONT_FIX
        yield Said(namespace, product.name, statement, fixed, arch=product.arch)


def _kept(rows: Iterable[Said]) -> list[Said]:
    """The rows, of those that deny only the ones whose name no other's begins."""
    kept: list[Said] = []
    denied: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.statement is Statement.NOT_AFFECTED:
            denied.setdefault(row.ecosystem, {})[row.package] = None
        else:
            kept.append(row)
    for namespace, names in denied.items():
        for name in names:
            stems = (name[:at] for at, character in enumerate(name) if character == "-")
            if not any(stem in names for stem in stems):
                kept.append(Said(namespace, name, Statement.NOT_AFFECTED))
    return kept


class _Definitions:
    """Gathers OVAL: each release's file has a definition of its own for a CVE."""

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
            identifiers = found.cves() if found.kind == "patch" else found.cves()[:1]
            if not identifiers:
                yield problem(f"{self._feed}: {found.id}", "it names no CVE")
            rows = list(_claimed(found))
            for identifier in identifiers if rows else ():
                self._first.setdefault(identifier, found._replace(claims=()))
                self._rows.setdefault(identifier, []).extend(rows)

    def advisories(self) -> Iterator[Advisory]:
        """What was gathered, sorted by id."""
        for identifier in sorted(self._rows):
            found = self._first.pop(identifier)
            single = len(found.cves()) == 1
            advisory = found.metadata.child("advisory")
            yield Advisory(
                identifier,
                self._feed,
                severity=Severity.parse(advisory.child("severity").text),
                summary=one_line(found.metadata.child("description").text[:1200] if single else found.title),
                url=f"https://www.suse.com/security/cve/{identifier}",
                published=found.date("issued"),
                modified=found.date("updated"),
                cvss=found.scores("SUSE") if single else (),
                affected=affected(_kept(self._rows.pop(identifier))),
            )


def _claimed(found: Definition) -> Iterator[Said]:
    for claim in found.claims:
        for namespace in dict.fromkeys(filter(None, map(space, claim.platforms))):
            statement = Statement.NOT_AFFECTED if claim.denied else Statement.AFFECTED
            row = Said(namespace, claim.package, statement, claim.fixed, claim.introduced, claim.last)
            for arch in claim.arches or ("",):
                yield row._replace(arch=arch)


def _platform(comment: str) -> str:
    found = _PLATFORM.fullmatch(comment)
    return found[1] if found else ""

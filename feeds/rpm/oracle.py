"""Oracle Linux errata (ELSA), as Oracle publishes them in OVAL: one record for each erratum, with its CVEs.

Builds differ by architecture now and then; then each has a statement of its own. Not handled: builds for Ksplice and
those certified for FIPS, which have epochs of their own and are told from ordinary ones by nothing a record could
name: their rows are left out, and counted in a Problem.

Format: OVAL 5.3 (see ``oval``), https://linux.oracle.com/security/oval/com.oracle.elsa-all.xml.bz2; criteria say in
words what the tests say: ``bind is earlier than 30:9.3.3-8.el5``, ``Oracle Linux 5 is installed``,
``Oracle Linux arch is x86_64``, ``Module virt:kvm_utils is enabled``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.record import one_line
from anchorecli.feeds.rpm.oval import Definition, definitions
from anchorecli.feeds.rpm.statements import Said, affected
from anchorecli.feeds.snapshot import problem
from anchorecli.model import Advisory, FeedState, Problem, Severity, Statement
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

_RELEASE = re.compile(r"(Oracle Linux \d+) is installed")
_TITLE = re.compile(r"(EL[SBE]A-\d{4}-\d+(?:-\d+)?):?\s*(.*?)\s*(?:\((\w+)\))?")
_SPECIAL = re.compile(r"\.ksplice\d|_fips\b|_fips\.")


@dataclass(frozen=True, slots=True)
class Oracle:
    """All errata of Oracle Linux."""

    name: str = "oracle"
    title: str = "Oracle Linux errata, OVAL"
    url: str = "https://linux.oracle.com/security/oval/com.oracle.elsa-all.xml.bz2"
    attribution: str = "Oracle Linux Errata, linux.oracle.com/security"
    version: int = 2

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """One file with all of them."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """OVAL files, packed or not."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One record for each erratum."""
        special = 0
        for item in snapshot.streams():
            if isinstance(item, Problem):
                yield item
                continue
            for found in definitions(self.name, *item, _platform, in_words=True):
                if isinstance(found, Problem):
                    yield found
                    continue
                try:
                    advisory, left_out = _advisory(found, self.name)
                except ValueError as error:
                    yield problem(f"{self.name}: {found.id}", str(error))
                    continue
                special += left_out
                if advisory is not None:
                    yield advisory
        if special:
            yield problem(f"{self.name}: Ksplice, FIPS", f"{special} builds for them left out", incomplete=False)


def _platform(comment: str) -> str:
    found = _RELEASE.fullmatch(comment)
    return found[1] if found else ""


def _advisory(found: Definition, feed: str) -> tuple[Advisory | None, int]:
    """The record, or None where nothing ordinary is left, and how many rows were left out.

    Raises: ValueError where it is no erratum.
    """
    title = _TITLE.fullmatch(found.title)
    if title is None:
        raise ValueError(f"not an erratum by its title: {found.title[:80]!r}")
    identifier, summary, word = title.groups()
    severity = found.metadata.child("advisory").child("severity").text
    rows: list[Said] = []
    left_out = 0
    for claim in found.claims:
        if _SPECIAL.search(claim.fixed):
            left_out += 1
            continue
        for platform in claim.platforms:
            space = f"ol:{platform.rpartition(' ')[2]}"
            for arch in claim.arches or ("",):
                rows.append(Said(space, claim.package, Statement.AFFECTED, claim.fixed, module=claim.module, arch=arch))
    if not rows:
        if not left_out:
            raise ValueError("it names no package of a release")
        return None, left_out
    return Advisory(
        identifier,
        feed,
        aliases=found.cves(),
        severity=Severity.parse(severity) or Severity.parse(word or ""),
        summary=one_line(summary),
        url=f"https://linux.oracle.com/errata/{identifier}.html",
        published=found.date("issued"),
        modified=found.date("updated") or found.date("issued"),
        # Scores are each of one CVE: of several CVEs none is the erratum's.
        cvss=found.scores("Oracle") if len(found.cves()) == 1 else (),
        affected=affected(rows),
    ), left_out

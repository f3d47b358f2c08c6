"""Red Hat's VEX documents: one for each CVE, with its state in every product and package.

Newer documents name source packages and all that is built from them. Where a source package says the same as what is
built from it only the source's statement is kept: every installed package is asked by its source too.

Format: CSAF 2.0 profile 5 (``csaf_vex``) as in Red Hat's description,
https://redhatproductsecurity.github.io/security-data-guidelines/csaf-vex/: ``known_affected`` with a remediation of
category ``no_fix_planned`` (will not fix, out of support scope) or ``none_available`` (affected, fix deferred).
Not handled: container images and other components that are no rpm.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from anchorecli.feeds import csaf
from anchorecli.feeds.record import one_line
from anchorecli.feeds.rpm.redhat_names import ELS, is_main, space
from anchorecli.feeds.rpm.statements import Said, affected, with_everybody
from anchorecli.model import Advisory, Severity, Statement

SOURCE = "Red Hat"
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_ERRATUM = re.compile(r"RH[SBE]A-\d{4}:\d+")
_STATEMENTS = {
    "known_affected": Statement.AFFECTED,
    "known_not_affected": Statement.NOT_AFFECTED,
    "under_investigation": Statement.UNDER_INVESTIGATION,
}


def read(document: csaf.Document, feed: str) -> Iterator[Advisory]:
    """One record for each CVE of a VEX document, or for an erratum one that bundles its CVEs.

    Raises: ValueError where it holds something else than the specification allows.
    """
    if document.category == "csaf_security_advisory":
        yield from _erratum(document, feed)
        return
    for vulnerability in document.vulnerabilities:
        identifier = vulnerability.get("cve")
        if not isinstance(identifier, str) or not _CVE.fullmatch(identifier):
            raise ValueError("a vulnerability without a CVE")
        severity = _severity(document, vulnerability)
        rows = _reduced(_rows(document, vulnerability, severity))
        errata = _errata(document, vulnerability)
        if not rows:
            continue
        yield Advisory(
            identifier,
            feed,
            aliases=errata,
            severity=severity,
            summary=one_line(str(vulnerability.get("title") or csaf.note(vulnerability, "summary", "description"))),
            url=f"https://access.redhat.com/security/cve/{identifier}",
            published=csaf.time(vulnerability.get("release_date")) or document.published,
            modified=document.modified,
            cvss=csaf.scores(vulnerability, SOURCE),
            affected=affected(with_everybody(rows, ELS)),
        )


def _erratum(document: csaf.Document, feed: str) -> Iterator[Advisory]:
    rows: list[Said] = []
    cves: dict[str, None] = {}
    for vulnerability in document.vulnerabilities:
        # An erratum repeats what the CVE's own document says of other builds; its own are what it fixes.
        own = [row for row in _rows(document, vulnerability, document.severity) if row.fixed]
        rows += own
        if own and isinstance(identifier := vulnerability.get("cve"), str) and _CVE.fullmatch(identifier):
            cves[identifier] = None
    if rows and cves:
        yield Advisory(
            document.id,
            feed,
            aliases=tuple(cves),
            severity=document.severity,
            summary=one_line(document.title),
            url=f"https://access.redhat.com/errata/{document.id}",
            published=document.published,
            modified=document.modified,
            affected=affected(_reduced(row._replace(severity=Severity.UNKNOWN) for row in rows)),
        )


def _severity(document: csaf.Document, vulnerability: dict[str, Any]) -> Severity:
    """The document's, or the highest of its products' impacts."""
    return document.severity or max((word for word, _ in csaf.impacts(vulnerability)), default=Severity.UNKNOWN)


def _rows(document: csaf.Document, vulnerability: dict[str, Any], severity: Severity) -> Iterator[Said]:
    impacts = {each: word for word, products in csaf.impacts(vulnerability) for each in products if word != severity}
    hopeless = {
        each
        for category, _, _, products in csaf.remediations(vulnerability)
        if category == "no_fix_planned"
        for each in products
    }
    for status, identifier in csaf.statuses(vulnerability):
        product = document.products.get(identifier)
        namespace = space(product.cpe) if product is not None and product.type == "rpm" else ""
        if product is None or not namespace or product.module.endswith(":flatpak"):
            continue
        statement = _STATEMENTS.get(status, Statement.AFFECTED)
        fixed = product.version if status in csaf.FIXED else ""
        if status not in _STATEMENTS and not fixed:
            continue
        if statement is Statement.AFFECTED and not fixed and identifier in hopeless:
            statement = Statement.WONT_FIX
        yield Said(
            namespace,
            product.name,
            statement,
            fixed=fixed,
            module=product.module,
            arch=product.arch,
            severity=impacts.get(identifier, Severity.UNKNOWN),
        )


def _reduced(rows: Iterable[Said]) -> list[Said]:
    """The rows without those that a source package's row says already."""
    grouped: dict[tuple[str, str, Statement, str, Severity], list[Said]] = {}
    for row in rows:
        grouped.setdefault((row.ecosystem, row.module, row.statement, row.fixed, row.severity), []).append(row)
    kept: list[Said] = []
    for (_, _, _, fixed, _), group in grouped.items():
        sources = {row.package for row in group if row.arch == "src"}
        for row in group:
            if row.arch == "src" or not sources:
                kept.append(row)
            elif not fixed and not _of_source(row.package, sources):
                # Without a build only the name tells what is built from what; a build is of one source only.
                kept.append(row)
    return kept


def _of_source(package: str, sources: set[str]) -> bool:
    return package in sources or any(package.startswith(f"{source}-") for source in sources)


def _errata(document: csaf.Document, vulnerability: dict[str, Any]) -> tuple[str, ...]:
    """The errata that fix it in a release everybody has."""
    found: dict[str, None] = {}
    for category, _, url, products in csaf.remediations(vulnerability):
        erratum = _ERRATUM.search(url)
        if category != "vendor_fix" or erratum is None:
            continue
        spaces = (space(document.products[each].cpe) for each in products if each in document.products)
        if any(each and is_main(each) for each in spaces):
            found[erratum[0]] = None
    return tuple(found)

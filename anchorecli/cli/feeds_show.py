"""``anchore feeds show VULN``: all that is known of a vulnerability, from every feed, with where it came from."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from anchorecli.cli.app import Start
from anchorecli.cli.options import option
from anchorecli.errors import UsageError
from anchorecli.model import Affected, Range

if TYPE_CHECKING:
    from anchorecli.scan.dossier import Dossier, Entry

SCHEMA_VERSION = "1.0.0"
_STATEMENTS = 20
_LABEL, _SPACE = 10, 16
"""Columns of labels, and of namespaces."""
_VERSIONS = 8


@click.command("show")
@click.argument("vulnerability", metavar="VULN")
@option("--json", "as_json", is_flag=True, help="As JSON, whole.")
@option("--all", "everything", is_flag=True, help="Every package of every record.")
@option("--feed-revision", type=click.IntRange(0), metavar="N", help="By the feeds of that revision [default: newest].")
@click.pass_obj
def show_vulnerability(
    start: Start, /, vulnerability: str, as_json: bool, everything: bool, feed_revision: int | None
) -> None:
    """All that the feeds say of VULN, with where it came from.

    VULN is an id or an alias; records of its other names are shown as well.

    \b
    anchore feeds show CVE-2024-3094
    anchore feeds show GHSA-9wx4-h78v-vm56 --json
    """
    from anchorecli.scan.dossier import dossier

    with start.app(readonly=True) as app:
        held = app.store.feed_states()
        found = dossier(app.store, vulnerability.strip(), feed_revision)
        if not found.entries and not found.notes:
            raise UsageError(f"no feed knows {vulnerability}", hint=_hint(found, [state.name for state in held]))
        text = json.dumps(_document(found), indent=2) if as_json else "\n".join(_lines(found, everything=everything))
        sys.stdout.write(text + "\n")


def _hint(found: Dossier, held: list[str]) -> str:
    if found.near:
        return f"did you mean {' or '.join(found.near)}?"
    if not held:
        return "there are no feeds yet: anchore feeds sync"
    return f"the store has {', '.join(held)}; anchore feeds list names all there are"


def _lines(found: Dossier, *, everything: bool) -> list[str]:
    from anchorecli.report import clean

    lines = [clean(found.id + (f" (also {', '.join(found.aliases)})" if found.aliases else ""))]
    lines += _rows(_known(found), _LABEL)
    for entry in (*found.entries, *found.notes):
        lines += ["", *_entry(entry, everything=everything)]
    return lines


def _rows(rows: Iterable[tuple[str, str]], width: int) -> list[str]:
    from anchorecli.report import clean

    return [f"  {clean(label):<{width}} {clean(text)}" for label, text in rows if text]


def _known(found: Dossier) -> list[tuple[str, str]]:
    severities = {
        f"{severity.label} ({each.advisory.feed})": None
        for each in (*found.entries, *found.notes)
        for severity in (each.advisory.severity, *(one.severity for one in each.advisory.affected))
        if severity
    }
    scores = {
        f"{score.score} v{score.version} ({score.source or each.advisory.feed}) {score.vector}": None
        for each in (*found.entries, *found.notes)
        for score in each.advisory.cvss
    }
    known, likely = found.exploited, found.epss
    exploited = f"since {known.added}, due {known.due or 'at no date'}" if known else ""
    exploited += ", by ransomware" if known and known.ransomware else ""
    odds = f"{likely.score:.2%}" if likely else ""
    odds += f", percentile {likely.percentile:.0%}" if likely and likely.percentile else ""
    rows = [("severity", ", ".join(severities)), *(("cvss", score) for score in scores)]
    return [*rows, ("cwe", ", ".join(found.cwes)), ("epss", odds), ("exploited", exploited)]


def _entry(entry: Entry, *, everything: bool) -> list[str]:
    from anchorecli.report import clean

    advisory, state = entry.advisory, entry.feed
    title = f"{advisory.feed}: {advisory.id}" + (" (WITHDRAWN)" if advisory.withdrawn else "")
    dates = [f"published {advisory.published}" * bool(advisory.published)]
    dates += [f"modified {advisory.modified}" * bool(advisory.modified)]
    dates += [f"withdrawn {advisory.withdrawn}" * bool(advisory.withdrawn)]
    rows = [
        ("summary", advisory.summary),
        ("see", advisory.url),
        ("dates", ", ".join(filter(None, dates))),
        ("aliases", ", ".join(advisory.aliases)),
    ]
    if state is not None:
        rows.append(("from", f"{state.url}, fetched {state.updated_at}"))
        rows.append(("snapshot", f"{state.digest or 'no digest'}, in this form since revision {entry.revision}"))
    lines = [clean(title), *_rows(rows, _LABEL)]
    shown = advisory.affected if everything else advisory.affected[:_STATEMENTS]
    said = ((each, _said(each, everything=everything)) for each in shown)
    # A record about a CVE itself says nothing of any package.
    lines += _rows(((each.ecosystem, f"{each.package}: {text}") for each, text in said if text), _SPACE)
    if len(shown) < len(advisory.affected):
        lines.append(f"  ... and {len(advisory.affected) - len(shown):,} more (--all lists them)")
    return lines


def _said(each: Affected, *, everything: bool) -> str:
    if not each.scheme:
        return ", ".join(filter(None, each.versions))
    listed = list(each.versions if everything else each.versions[:_VERSIONS])
    more = len(each.versions) - len(listed)
    parts = [*map(_range, each.ranges), *listed, *([f"{more} more versions"] if more else [])]
    text = " or ".join(parts) or "every version"
    if each.statement.value != "affected":
        text = f"{each.statement.value}: {text}"
    limits = [f"module {each.module}" if each.module else "", f"on {', '.join(each.arches)}" if each.arches else ""]
    limits.append(each.severity.label if each.severity else "")
    named = ", ".join(filter(None, limits))
    return f"{text} ({each.scheme}{', ' + named if named else ''})"


def _range(each: Range) -> str:
    start = f">= {each.introduced}" if each.introduced and each.introduced != "0" else ""
    end = f"< {each.fixed}" if each.fixed else f"<= {each.last_affected}" if each.last_affected else ""
    return " and ".join(filter(None, (start, end))) or "any version"


def _document(found: Dossier) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "asked": found.asked,
        "id": found.id,
        "aliases": found.aliases,
        "cwes": found.cwes,
        "epss": found.epss and found.epss._asdict(),
        "known_exploited": found.exploited and found.exploited._asdict(),
        "records": [_record(each) for each in found.entries],
        "notes": [_record(each) for each in found.notes],
    }


def _record(entry: Entry) -> dict[str, Any]:
    advisory, state = entry.advisory, entry.feed
    return {
        "feed": advisory.feed,
        "id": advisory.id,
        "aliases": advisory.aliases,
        "severity": advisory.severity.label,
        "summary": advisory.summary,
        "url": advisory.url,
        "published": advisory.published,
        "modified": advisory.modified,
        "withdrawn": advisory.withdrawn,
        "cvss": [
            {"version": each.version, "vector": each.vector, "score": each.score, "source": each.source}
            for each in advisory.cvss
        ],
        "affected": [_affected(each) for each in advisory.affected],
        "provenance": {
            "url": state.url if state else "",
            "fetched_at": state.updated_at if state else "",
            "source_date": state.source_date if state else "",
            "digest": state.digest if state else "",
            "revision": entry.revision,
        },
    }


def _affected(each: Affected) -> dict[str, Any]:
    return {
        "ecosystem": each.ecosystem,
        "package": each.package,
        "scheme": each.scheme,
        "statement": each.statement.value,
        "ranges": [
            {"introduced": one.introduced, "fixed": one.fixed, "last_affected": one.last_affected}
            for one in each.ranges
        ],
        "versions": each.versions,
        "severity": each.severity.label,
        "module": each.module,
        "arches": each.arches,
    }

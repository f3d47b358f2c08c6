"""The vulnerabilities of the table, by layer and package, and what of them is counted instead of listed."""

from __future__ import annotations

from anchorecli.model import Action, Enrichment, KnownExploited, Match, Report, Severity
from anchorecli.report import identity
from anchorecli.report.base import RenderOptions
from anchorecli.report.beside import epss, exploited, risk
from anchorecli.report.groups import Group, group
from anchorecli.report.instructions import layer_title
from anchorecli.report.lines import Line, Span, plural, severity_counts, severity_style, wrapped
from anchorecli.report.text import cells, clean, fit
from anchorecli.report.words import fix_words

_ROWS = 60
_ROWS_PER_GROUP = 8
_SEVERITY_WIDTH = 11
_SUMMARY_FROM = 30
"""A summary narrower than this says nothing."""

# Databases that list every package of a distribution: their path says nothing about one package.
_DATABASE_TYPES = frozenset({"deb", "rpm", "apk", "alpm", "portage"})


def match_lines(report: Report, options: RenderOptions) -> list[Line]:
    """The section of vulnerabilities; empty where there is nothing to say."""
    shown, left_out = _split(report, options)
    lines: list[Line] = []
    if shown:
        lines += [[("VULNERABILITIES", "title")]]
        lines += _starter_label(report, shown, options)
        lines += _groups(report, shown, options)
    lines += _left_out(report, left_out, options, bool(shown))
    if options.all:
        lines += _plain("UNDECIDED", "version could not be compared", identity.undecided(report), options)
        lines += _plain("SUPPRESSED", "settled by a better source, or by VEX", identity.suppressed(report), options)
    return lines


def _split(report: Report, options: RenderOptions) -> tuple[list[Match], list[Match]]:
    """Matches to list and matches to count: minor ones and those of unknown severity that nothing can be done about."""
    findings = report.verdict.findings if report.verdict else ()
    stops = {each.match_id for each in findings if each.action is Action.STOP and not each.allowed_by}
    shown: list[Match] = []
    left_out: list[Match] = []
    for match in identity.counted(report):
        unknown_but_fixable = match.severity is Severity.UNKNOWN and match.fixed_in
        listed = options.all or match.severity >= Severity.MEDIUM or unknown_but_fixable or match.id in stops
        (shown if listed else left_out).append(match)
    return shown, left_out


def _starter_label(report: Report, shown: list[Match], options: RenderOptions) -> list[Line]:
    lines: list[Line] = []
    used = {match.feed for match in shown}
    for feed in report.feeds:
        if feed.starter and feed.name in used:
            text = (
                f"from the built-in {feed.name} feed of {feed.source_date[:10]} ({plural(feed.records, 'record')}): "
                "not fresh evidence"
            )
            lines += wrapped(clean(text), options.width, first=("* ", "indeterminate"), style="indeterminate")
    return lines


def _groups(report: Report, shown: list[Match], options: RenderOptions) -> list[Line]:
    image = report.analysis.image
    starter = identity.starter_feeds(report)
    groups = group(shown, image)
    visible = groups if options.all else _within_budget(groups)
    by_layer: dict[int, list[Group]] = {}
    for each in visible:
        by_layer.setdefault(each.layer, []).append(each)
    id_width = min(max(cells(clean(match.id)) + (match.feed in starter) for match in shown), 24)
    lines: list[Line] = []
    for layer, members in by_layer.items():
        title = layer_title(layer, image) if len(image.layers) > 1 else ""
        lines += [[], [(fit(title, options.width), "code")]] if title else [[]]
        for each in members:
            lines += _group_lines(each, id_width, starter, report.enrichment, options)
    hidden = groups[len(visible) :]
    if hidden:
        severities = severity_counts(match.severity for each in hidden for match in each.matches)
        text = f"... and {plural(len(hidden), 'more package')}: {severities} (--all lists them)"
        lines += [[], *wrapped(text, options.width, style="dim")]
    return lines


def _within_budget(groups: list[Group]) -> list[Group]:
    """The first of the groups, which are those with the worst severities, whatever layer they are in."""
    rows = 0
    for at, each in enumerate(groups):
        if rows >= _ROWS:
            return groups[:at]
        rows += min(len(each.matches), _ROWS_PER_GROUP)
    return groups


def _group_lines(
    each: Group, id_width: int, starter: frozenset[str], beside: Enrichment, options: RenderOptions
) -> list[Line]:
    lines: list[Line] = [_heading(each, options)]
    # One line more costs no more than the line that would announce it.
    enough = options.all or len(each.matches) <= _ROWS_PER_GROUP + 1
    rows = each.matches if enough else each.matches[:_ROWS_PER_GROUP]
    for match in rows:
        lines += _row(match, id_width, starter, beside, options)
    rest = each.matches[len(rows) :]
    if rest:
        severities = severity_counts(match.severity for match in rest)
        text = f"... and {len(rest):,} more: {severities} (--all lists them)"
        lines += wrapped(text, options.width, first=("    ", ""), style="dim")
    return lines


def _heading(each: Group, options: RenderOptions) -> Line:
    name = fit(clean(each.name), 50)
    version = fit(clean(each.version), 40)
    kind = clean(each.type)
    used = 2 + cells(name) + 1 + cells(version)
    if each.type in _DATABASE_TYPES:
        others = [clean(other) for other in each.names if other != each.name]
        note = f"{kind}: {', '.join(others)}" if others else kind
    else:
        places = f" and {len(each.paths) - 1} more" if len(each.paths) > 1 else ""
        room = options.width - used - cells(kind) - len(places) - 4
        note = f"{kind} {_tail(clean(each.paths[0]), room)}{places}" if each.paths else kind
    return [
        ("  ", ""),
        (name, "title"),
        (f" {version}", ""),
        (f"  {fit(note, max(options.width - used - 2, 10))}", "dim"),
    ]


def _row(
    match: Match, id_width: int, starter: frozenset[str], beside: Enrichment, options: RenderOptions
) -> list[Line]:
    identifier = fit(clean(match.id), id_width - (match.feed in starter)) + "*" * (match.feed in starter)
    start = 4 + _SEVERITY_WIDTH + id_width + 2
    room = max(options.width - start, 24)
    known = exploited(match, beside)
    fix = fit(_fix(match, known), room)
    line: list[Span] = [
        ("    ", ""),
        (f"{match.severity.label.upper():<{_SEVERITY_WIDTH}}", severity_style(match.severity)),
        (identifier + " " * (id_width + 2 - cells(identifier)), ""),
        (fix, "fail" if known else "add" if match.fixed_in else "dim"),
    ]
    summary_room = room - max(cells(fix), 26) - 2
    if match.summary and summary_room >= _SUMMARY_FROM:
        line.append((" " * (max(26 - cells(fix), 0) + 2) + fit(clean(match.summary), summary_room), "dim"))
    lines: list[Line] = [line]
    if options.verbose:
        for label, text in _details(match, beside):
            if text:
                lines += wrapped(clean(text), options.width, first=(f"      {label}", "dim"), indent=11, style="dim")
    return lines


def _fix(match: Match, known: KnownExploited | None) -> str:
    fix = fix_words(match)
    if known is None:
        return fix
    return f"EXPLOITED{f', due {clean(known.due)}' if known.due else ''}; {fix}"


def _details(match: Match, beside: Enrichment) -> tuple[tuple[str, str], ...]:
    """What is told of a match on request, each with its label."""
    scores = [f"{each.score} (v{each.version}{f', {each.source}' if each.source else ''})" for each in match.cvss]
    likely, score = epss(match, beside), risk(match, beside)
    odds = [] if likely is None else [f"EPSS {likely.score:.2%}"]
    odds += [f"percentile {likely.percentile:.0%}"] if likely is not None and likely.percentile else []
    odds += [] if score is None else [f"risk {score:.1f} of 100"]
    return (
        ("also", ", ".join(sorted(match.aliases))),
        ("see", match.url),
        ("why", match.why),
        ("cvss", ", ".join(scores)),
        ("cwe", ", ".join(match.cwes)),
        ("odds", ", ".join(odds)),
    )


def _left_out(report: Report, left_out: list[Match], options: RenderOptions, after_list: bool) -> list[Line]:
    if options.all:
        return []
    parts = [severity_counts(_worst(left_out).values(), "of unknown severity without a fix")]
    undecided = _worst(identity.undecided(report))
    if undecided:
        severities = severity_counts(undecided.values())
        parts.append(f"{len(undecided):,} undecided since a version could not be compared ({severities})")
    hidden = len(_worst(identity.suppressed(report)))
    if hidden:
        parts.append(f"{hidden:,} suppressed")
    text = "; ".join(part for part in parts if part)
    if not text:
        return []
    start: list[Line] = [[]] if after_list else []
    return start + wrapped(f"Not listed: {text} (--all lists them)", options.width, style="dim")


def _worst(matches: list[Match]) -> dict[str, Severity]:
    """Each vulnerability once, as the numbers at the head count them, with its worst severity."""
    worst: dict[str, Severity] = {}
    for match in matches:
        worst[match.id] = max(match.severity, worst.get(match.id, match.severity))
    return worst


def _plain(title: str, meaning: str, matches: list[Match], options: RenderOptions) -> list[Line]:
    if not matches:
        return []
    lines: list[Line] = [[], [(title, "title"), (f"  {len(matches):,}: {meaning}", "")]]
    for match in matches:
        package = match.package
        reason = match.suppressed or match.why
        text = f"{match.id}  {package.name} {package.version}" + (f": {reason}" if reason else "")
        severity = f"    {match.severity.label.upper():<{_SEVERITY_WIDTH}}"
        lines += wrapped(clean(text), options.width, first=(severity, severity_style(match.severity)))
    return lines


def _tail(path: str, width: int) -> str:
    """The end of a path, which tells more than its start; from a whole part on where one fits."""
    if cells(path) <= width:
        return path
    end = path[-max(width - 1, 1) :]
    return "…" + (end[end.index("/") :] if "/" in end[:-1] else end)

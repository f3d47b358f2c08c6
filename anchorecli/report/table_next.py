"""What to do next: the upgrades that pay most, and the commands that tell more."""

from __future__ import annotations

import shlex

from anchorecli.model import Match, Report, Severity
from anchorecli.report import identity
from anchorecli.report.advice import Step, base_words, commands, steps
from anchorecli.report.base import RenderOptions
from anchorecli.report.groups import Upgrade
from anchorecli.report.lines import Line, Span, plural, severity_style, wrapped
from anchorecli.report.text import cells, clean, fit, wrap

_UPGRADES = 10
_COMMANDS = 4


def next_lines(report: Report, options: RenderOptions) -> list[Line]:
    """The closing section; empty where nothing is left to do."""
    matches = identity.counted(report)
    found = steps(report)
    lines = _upgrade_lines([step.upgrade for step in found], options)
    base = _base_image_line(matches, report)
    further = _commands(report, options)
    if base:
        lines += wrapped(base, options.width, first=("  ", ""))
    lines += _shell_lines(found if options.all else found[:_UPGRADES], report, options)
    if further and lines:
        lines.append([])
    width = max((cells(command) for command, _ in further), default=0)
    for command, purpose in further:
        if 2 + width + 2 + cells(purpose) <= options.width:
            lines.append([("  ", ""), (command + " " * (width - cells(command)), "code"), (f"  {purpose}", "dim")])
        else:
            # A command is never cut: it is there to be copied.
            lines += [[("  ", ""), (command, "code")], [(f"      {purpose}", "dim")]]
    return [[("WHAT TO DO", "title")], *lines] if lines else []


def _upgrade_lines(found: list[Upgrade], options: RenderOptions) -> list[Line]:
    shown = found if options.all else found[:_UPGRADES]
    if not shown:
        return []
    changes = [f"{fit(clean(each.installed), 40)} → {fit(clean(each.target), 40)}" for each in shown]
    fixes = [_fixes(each) for each in shown]
    name_width = min(max(cells(clean(each.name)) for each in shown), 24)
    # The middle column is as wide as its longest entry that leaves room for the last one.
    room = options.width - name_width - 6 - max(map(cells, fixes))
    change_width = max((cells(change) for change in changes if cells(change) <= room), default=0)
    lines: list[Line] = []
    for each, change, fixed in zip(shown, changes, fixes, strict=True):
        head: list[Span] = [("  " + _pad(fit(clean(each.name), name_width), name_width) + "  ", "title")]
        last: Span = (fixed, severity_style(each.severities[0]))
        if cells(change) <= room:
            lines.append([*head, (_pad(change, change_width) + "  ", ""), last])
        else:
            lines.append([*head, (fit(change, options.width - name_width - 4), "")])
            lines.append([(" " * (name_width + 4), ""), last])
    if len(shown) < len(found):
        rest = sum(len(each.severities) for each in found[len(shown) :])
        more = plural(len(found) - len(shown), "more upgrade")
        text = f"... and {more} that would fix {rest:,} (--all lists them)"
        lines += wrapped(text, options.width, first=("  ", ""), style="dim")
    return lines


def _shell_lines(shown: list[Step], report: Report, options: RenderOptions) -> list[Line]:
    """The commands that upgrade what is listed, as a shell takes them: a long one goes on behind a backslash."""
    lines: list[Line] = []
    known = commands(shown, report)
    for text in known if options.all else known[:_COMMANDS]:
        rows = wrap(clean(text), options.width - 8)
        for at, row in enumerate(rows):
            start, end = "  $ " if at == 0 else "      ", " \\" if at + 1 < len(rows) else ""
            lines.append([(start, "dim"), (row + end, "code")])
    if len(known) > _COMMANDS and not options.all:
        lines.append([(f"    ... and {plural(len(known) - _COMMANDS, 'more command')} (--all lists them)", "dim")])
    return [[], *lines] if lines else []


def _fixes(upgrade: Upgrade) -> str:
    worst = upgrade.severities[0]
    count, of_those = len(upgrade.severities), upgrade.severities.count(worst)
    label = worst.label if worst is not Severity.UNKNOWN else "of unknown severity"
    if upgrade.of > count:
        return f"fixes {count:,} of {upgrade.of:,} ({of_those:,} {label})"
    return f"fixes {count:,} {label}" if count == of_those else f"fixes {count:,} ({of_those:,} {label})"


def _pad(text: str, width: int) -> str:
    return text + " " * max(width - cells(text), 0)


def _base_image_line(matches: list[Match], report: Report) -> str:
    image = report.analysis.image
    brought = {layer.diff_id for layer in image.layers[:1]} if report.base is None else set(report.base)
    fixable = {(match.id, match.package.source or match.package.name) for match in matches if match.fixed_in}
    base = {
        (match.id, match.package.source or match.package.name)
        for match in matches
        if match.fixed_in and match.package.layer in brought
    }
    if not base or len(image.layers) < 2:
        return ""
    of_all = f"{len(base):,} of these {len(fixable):,}" if len(base) < len(fixable) else f"All {len(fixable):,}"
    of_all = of_all if len(fixable) > 1 else "This"
    return f"{of_all} came with the {clean(base_words(report))}: rebuild on a newer one first."


def _commands(report: Report, options: RenderOptions) -> list[tuple[str, str]]:
    image = shlex.quote(clean(report.analysis.image.ref.original or report.analysis.image.ref.name))
    commands: list[tuple[str, str]] = []
    if not any(not feed.starter for feed in report.feeds):
        commands.append(("anchore feeds sync", "get fresh vulnerability data"))
    if report.matches and not options.all:
        commands.append((f"anchore scan {image} --all", "list everything"))
    return commands

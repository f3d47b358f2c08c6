"""What to do next: the upgrades that pay most, and the commands that tell more."""

from __future__ import annotations

import shlex

from anchorecli.model import Match, Report, Severity
from anchorecli.report import identity
from anchorecli.report.base import RenderOptions
from anchorecli.report.groups import Upgrade, upgrades
from anchorecli.report.lines import Line, Span, plural, severity_style, wrapped
from anchorecli.report.text import cells, clean, fit

_UPGRADES = 10


def next_lines(report: Report, options: RenderOptions) -> list[Line]:
    """The closing section; empty where nothing is left to do."""
    matches = identity.counted(report)
    lines = _upgrade_lines(upgrades(matches, report.analysis.image), options)
    base = _base_image_line(matches, report)
    commands = _commands(report, options)
    if base:
        lines += wrapped(base, options.width, first=("  ", ""))
    if commands and lines:
        lines.append([])
    width = max((cells(command) for command, _ in commands), default=0)
    for command, purpose in commands:
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


def _fixes(upgrade: Upgrade) -> str:
    worst = upgrade.severities[0]
    count, of_those = len(upgrade.severities), upgrade.severities.count(worst)
    label = worst.label if worst is not Severity.UNKNOWN else "of unknown severity"
    return f"fixes {count:,} {label}" if count == of_those else f"fixes {count:,} ({of_those:,} {label})"


def _pad(text: str, width: int) -> str:
    return text + " " * max(width - cells(text), 0)


def _base_image_line(matches: list[Match], report: Report) -> str:
    layers = identity.layers_by_id(report.analysis.image)
    fixable = {(match.id, match.package.source or match.package.name) for match in matches if match.fixed_in}
    base = {
        (match.id, match.package.source or match.package.name)
        for match in matches
        if match.fixed_in and match.package.layer in layers and layers[match.package.layer][0] == 0
    }
    if not base or len(report.analysis.image.layers) < 2:
        return ""
    of_all = f"{len(base):,} of these {len(fixable):,}" if len(fixable) > 1 else "This"
    return f"{of_all} came with the base image: rebuild on a newer one first."


def _commands(report: Report, options: RenderOptions) -> list[tuple[str, str]]:
    image = shlex.quote(clean(report.analysis.image.ref.original or report.analysis.image.ref.name))
    commands: list[tuple[str, str]] = []
    if not any(not feed.starter for feed in report.feeds):
        commands.append(("anchore feeds sync", "get fresh vulnerability data"))
    if report.matches and not options.all:
        commands.append((f"anchore scan {image} --all", "list everything"))
    return commands

"""What to upgrade, for programs: each package with its target, what that fixes, the command, and whose task it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from anchorecli.model import Report
from anchorecli.report import identity
from anchorecli.report.commands import command, rpm_tool, together
from anchorecli.report.groups import Upgrade, upgrades


class Step(NamedTuple):
    """An upgrade, its command (empty for none), and whether the base image brought the package (None: unknown)."""

    upgrade: Upgrade
    command: str
    from_base: bool | None


def steps(report: Report) -> list[Step]:
    """The upgrades of what counts, most worthwhile first."""
    tool = rpm_tool(report.analysis.distro, report.analysis.packages)
    base = None if report.base is None else frozenset(report.base)
    found = upgrades(identity.counted(report), report.analysis.image)
    return [
        Step(
            each,
            command(each.type, each.packages, each.target, tool),
            None if base is None else base.issuperset(each.layers),
        )
        for each in found
    ]


def commands(listed: Sequence[Step], report: Report) -> list[str]:
    """One command for the packages of a distribution that are to be upgraded, then those of each other package."""
    tool = rpm_tool(report.analysis.distro, report.analysis.packages)
    names: dict[tuple[str, ...], dict[str, None]] = {}
    others: dict[str, None] = {}
    for each in listed:
        words = together(each.upgrade.type, tool)
        if words and each.command:
            names.setdefault(words, {}).update(dict.fromkeys(each.upgrade.packages))
        elif each.command:
            others[each.command] = None
    return [" ".join((*words, *members)) for words, members in names.items()] + list(others)


def advice(report: Report) -> list[dict[str, object]]:
    """The steps as plain JSON values."""
    return [
        {
            "package": step.upgrade.name,
            "type": step.upgrade.type,
            "installed": step.upgrade.installed,
            "target": step.upgrade.target,
            "fixes": len(step.upgrade.ids),
            "of": step.upgrade.of,
            "vulnerabilities": step.upgrade.ids,
            "packages": step.upgrade.packages,
            "command": step.command,
            "from_base": step.from_base,
            "base": report.base_name if step.from_base else "",
        }
        for step in steps(report)
    ]


def base_words(report: Report) -> str:
    """``base image debian:12``, or without the name where that is not known."""
    return f"base image {report.base_name}" if report.base_name else "base image"

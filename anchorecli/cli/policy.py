"""``anchore policy``: write, check, test and explain bundles. One module per few commands, imported when asked for."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib import import_module

import click

COMMANDS = {
    "init": ("policy_write", "Write a commented bundle from a preset, as a start for one's own."),
    "lint": ("policy_lint", "Check bundles: faults, and what is doubtful, with file and line."),
    "show": ("policy_show", "What holds for which image: a bundle with all its parts resolved."),
    "digest": ("policy_show", "Print the digest of what a bundle means."),
    "convert": ("policy_write", "Write a bundle in another form: YAML or JSON, 1_0 or 2."),
    "allow": ("policy_allow", "Write an exception into a bundle, keeping its comments and layout."),
    "gates": ("policy_gates", "Print the reference of gates, triggers and parameters."),
    "schema": ("policy_gates", "Print the JSON Schema of bundles, for editors."),
    "test": ("policy_test", "Run cases: images and what a bundle should say of them."),
    "backtest": ("policy_backtest", "Judge every image of the past by a new bundle: which verdicts would change."),
}


class PolicyGroup(click.Group):
    """Knows its commands' names and one-line helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which a bundle is made."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"anchorecli.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with their one-line helps."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=PolicyGroup)
def policy() -> None:
    """Policy bundles."""


def write_lines(lines: Iterable[str]) -> None:
    """Print lines that hold words of bundles: cleaned, but for the blanks that align them."""
    from anchorecli.report import clean

    for line in lines:
        parts = re.split("(^ +|  +)", line)
        sys.stdout.write("".join(clean(part) if part.strip(" ") else part for part in parts) + "\n")

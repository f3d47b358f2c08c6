"""``anchore config``: the settings in force."""

from __future__ import annotations

import sys

import click

from anchorecli.cli.app import Start


@click.command()
@click.pass_obj
def config(start: Start) -> None:
    """The settings in force and where they come from; secrets are masked."""
    sys.stdout.write(start.settings().describe())

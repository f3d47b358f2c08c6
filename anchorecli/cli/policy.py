"""``anchore policy``: create, check and explain bundles."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

import click

from anchorecli.cli.app import Start
from anchorecli.cli.options import option
from anchorecli.errors import UsageError


@click.group()
def policy() -> None:
    """Policy bundles."""


@policy.command()
@click.argument("file", type=click.Path(dir_okay=False), default="policy.yaml")
@option("--overwrite", is_flag=True, help="Replace FILE if it is there.")
@click.pass_obj
def init(start: Start, file: str, overwrite: bool) -> None:
    """Write the built-in bundle to FILE, as a start for one's own.

    FILE is policy.yaml where none is given.
    """
    if Path(file).exists() and not overwrite:
        raise UsageError(f"{file} is there already", hint="choose another name, or --overwrite")
    Path(file).write_text(resources.files("anchorecli.policy").joinpath("default.yaml").read_text(encoding="utf-8"))
    with start.app() as app:
        app.note(f"wrote {file}; use it with: anchore scan --policy {file} IMAGE")


@policy.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.pass_obj
def lint(start: Start, file: str) -> int:
    """Check a bundle and list all that is wrong with it.

    Each fault has its line; with any of them the exit code is 2.
    """
    from anchorecli.policy.bundle import load_bundle
    from anchorecli.report import clean

    bundle = load_bundle(file)
    for warning in bundle.warnings:
        sys.stdout.write(clean(f"{warning.subject}: {warning.message}") + "\n")
    rules = sum(len(each.rules) for each in bundle.policies)
    sys.stdout.write(f"{file}: {len(bundle.policies)} policies, {rules} rules, {bundle.digest}\n")
    return 0


@policy.command()
@click.argument("gate", required=False, default="")
@click.argument("trigger", required=False, default="")
def gates(gate: str, trigger: str) -> None:
    """Print the reference of gates, triggers and parameters.

    Of all, or of one GATE or TRIGGER; it is made from the code.
    """
    from anchorecli.policy.reference import reference

    sys.stdout.write(reference(gate, trigger))

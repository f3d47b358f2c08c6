"""``anchore analyzers``: what is looked for in an image, from the code that looks."""

from __future__ import annotations

import json
import sys

import click

from anchorecli.cli.options import option
from anchorecli.errors import UsageError


@click.command()
@click.argument("name", required=False, default="")
@option("--json", "as_json", is_flag=True, help="Print JSON.")
@option("--markdown", is_flag=True, help="Print Markdown, as in docs/analyzers.md.")
def analyzers(name: str, as_json: bool, markdown: bool) -> None:
    """Print the reference of analyzers.

    Of all, or of the one called NAME: which files it reads, what it emits, what it does not handle, and its limits.
    """
    from anchorecli.analyzers.reference import reference, reference_document

    if as_json and markdown:
        raise UsageError("--json and --markdown exclude each other", hint="choose one")
    if as_json:
        sys.stdout.write(json.dumps(reference_document(name), indent=2) + "\n")
    else:
        sys.stdout.write(reference(name, markdown=markdown))

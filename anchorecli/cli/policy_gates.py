"""``anchore policy gates`` and ``schema``: what a bundle may say, from the code that reads it."""

from __future__ import annotations

import json
import sys

import click

from anchorecli.cli.options import option
from anchorecli.errors import UsageError


@click.command()
@click.argument("gate", required=False, default="")
@click.argument("trigger", required=False, default="")
@option("--json", "as_json", is_flag=True, help="Print JSON.")
@option("--markdown", is_flag=True, help="Print Markdown, as in docs/policy-gates.md.")
def gates(gate: str, trigger: str, as_json: bool, markdown: bool) -> None:
    """Print the reference of gates, triggers and parameters.

    Of all, or of one GATE or TRIGGER; it is made from the code.
    """
    from anchorecli.policy.authoring.reference import reference, reference_document

    if as_json and markdown:
        raise UsageError("--json and --markdown exclude each other", hint="choose one")
    if as_json:
        sys.stdout.write(json.dumps(reference_document(gate, trigger), indent=2) + "\n")
    else:
        sys.stdout.write(reference(gate, trigger, markdown=markdown))


@click.command()
def schema() -> None:
    """Print the JSON Schema of bundles, for editors.

    In an editor with a YAML language server, the first line of a bundle may name the file it was written to:

    \b
      # yaml-language-server: $schema=bundle.schema.json
    """
    from anchorecli.policy.language.schema import bundle_schema

    sys.stdout.write(json.dumps(bundle_schema(), indent=2) + "\n")

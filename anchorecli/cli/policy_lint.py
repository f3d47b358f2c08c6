"""``anchore policy lint``: everything wrong or doubtful in bundles, a line each."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from anchorecli.cli.app import Start
from anchorecli.cli.options import option
from anchorecli.cli.policy import write_lines
from anchorecli.errors import EXIT_PASS, EXIT_USAGE, BundleError

if TYPE_CHECKING:
    from anchorecli.cli.app import App
    from anchorecli.model import Verdict
    from anchorecli.policy.language.faults import Remark
    from anchorecli.policy.values import Bundle


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(dir_okay=False))
@option("--image", "images", metavar="IMAGE", multiple=True, help="Point out exceptions without effect in it.")
@option("--strict", is_flag=True, help="Warnings fail as well.")
@option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print [default: text].")
@click.pass_obj
def lint(start: Start, files: Sequence[str], images: Sequence[str], strict: bool, form: str) -> int:
    """Check bundles, and list all that is wrong or doubtful in them.

    A line each: FILE:LINE: error or warning: what. With an error, or with a warning and --strict, the exit code is 2.
    """
    from anchorecli.policy.authoring.lint import fault_remarks, in_order, lint
    from anchorecli.policy.authoring.lint_allow import unused_remarks
    from anchorecli.policy.bundle import load_bundle
    from anchorecli.report.lines import plural

    remarks: list[Remark] = []
    sums: list[str] = []
    with start.app() as app:
        for file in files:
            try:
                bundle = load_bundle(file)
            except BundleError as error:
                remarks += fault_remarks(error)
                continue
            found = lint(bundle, app.now)
            if images:
                found = in_order((*found, *unused_remarks(bundle, _verdicts(app, bundle, images))), file)
            remarks += found
            rules = sum(len(each.rules) for each in bundle.policies)
            counted = f"{plural(len(bundle.policies), 'policy', 'policies')}, {plural(rules, 'rule')}"
            sums.append(f"{file}: {counted}, {bundle.digest}")
    if form == "json":
        sys.stdout.write(_json(remarks))
    else:
        write_lines(_lines(remarks, sums))
    failing = [remark for remark in remarks if strict or remark.severity == "error"]
    return EXIT_USAGE if failing else EXIT_PASS


def _verdicts(app: App, bundle: Bundle, images: Sequence[str]) -> list[Verdict]:
    """What the bundle says of the images; nothing is stored of it."""
    from anchorecli.scan.decision import Occasion, evaluate

    verdicts = []
    for image in images:
        reference = app.reference(image)
        occasion = Occasion(now=app.now, reference=reference, store_it=False)
        report = evaluate(app.analyze(reference, app.demand(bundle)), app.store, bundle, occasion)
        if report.verdict is not None:
            verdicts.append(report.verdict)
    return verdicts


def _lines(remarks: Sequence[Remark], sums: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for remark in remarks:
        where = f"{remark.path}:{remark.line}" if remark.line else remark.path
        lines.append(f"{where}: {remark.severity}: {remark.message}")
        if remark.hint:
            lines.append(f"  next: {remark.hint}")
    errors = sum(remark.severity == "error" for remark in remarks)
    counts = [f"{errors} errors, {len(remarks) - errors} warnings"] if remarks else []
    return [*lines, *sums, *counts]


def _json(remarks: Sequence[Remark]) -> str:
    rows = [
        {"file": one.path, "line": int(one.line), "severity": one.severity, "message": one.message, "hint": one.hint}
        for one in remarks
    ]
    return json.dumps(rows, indent=2) + "\n"

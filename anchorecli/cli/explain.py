"""``anchore explain VULN IMAGE``: why it is, or is not, reported."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from anchorecli.cli.app import App, Start
from anchorecli.cli.options import option, policy_options, vex_option
from anchorecli.cli.replay import bundle_of, is_digest, read_moment

if TYPE_CHECKING:
    from anchorecli.scan.explanation import Explanation, Step
    from anchorecli.scan.past import Inputs

_MARKS = {"yes": "yes", "no": "NO", "note": "-"}


@click.command()
@click.argument("vulnerability", metavar="VULN")
@click.argument("image")
@option("--package", metavar="NAME", help="Of this package only, by its own name or its source's.")
@option("-o", "--output", "form", type=click.Choice(["table", "json"]), default="table", help="How to print.")
@option("--feed-revision", type=click.IntRange(0), metavar="N", help="By the feeds of that revision [default: newest].")
@option("--as-of", metavar="DATE", help="At that moment: YYYY-MM-DD (its end) or YYYY-MM-DDTHH:MM:SSZ.")
@policy_options
@vex_option
@click.pass_obj
def explain(start: Start, /, vulnerability: str, image: str, form: str, **flags: Any) -> None:
    """Why VULN is, or is not, reported for IMAGE.

    The chain from the feeds to the verdict, to the first no: candidate, name, namespace, version, range, fix, VEX,
    rule, exception. VULN is an id or an alias; IMAGE one that was analysed, or the number of an evaluation, which is
    then explained as it was.

    \b
    anchore explain CVE-2024-1001 debian:12
    anchore explain CVE-2024-1001 17 --package openssl -o json
    """
    from anchorecli.scan.explanation import explain

    package, revision, as_of = flags.pop("package") or "", flags.pop("feed_revision"), read_moment(flags.pop("as_of"))
    policy = flags.pop("policy")
    digest = policy if policy and is_digest(policy) else ""
    flags["policy"] = None if digest else policy
    with start.app(flags, readonly=True) as app:
        found = explain(app.store, _inputs(app, image, digest, revision, as_of), vulnerability, package)
        sys.stdout.write(_json(found) if form == "json" else _text(found))


def _inputs(app: App, image: str, digest: str, revision: int | None, as_of: str) -> Inputs:
    """Those of an evaluation that was named by its number, else of a replay."""
    from dataclasses import replace

    from anchorecli.scan.past import find, inputs_of, is_number
    from anchorecli.scan.replay import moment_of, replay_inputs

    subject = find(app.store, image, as_of)
    vex = app.vex()
    if is_number(image) and subject.kept and revision is None and not as_of:
        inputs = inputs_of(app.store, subject.kept)
        return replace(inputs, occasion=replace(inputs.occasion, vex=vex)) if vex else inputs
    moment = moment_of(app.store, revision, as_of, app.now)
    return replay_inputs(app.store, subject, bundle_of(app, digest), moment, vex=vex)


def _text(found: Explanation) -> str:
    from anchorecli.report import clean

    report = found.decision.report
    lines = [
        f"{found.vulnerability} in {found.decision.occasion.reference.name}: {found.answer}",
        f"feed revision {report.feed_revision}, bundle {report.bundle_id}, as of {report.created_at}",
        "",
        *map(_line, found.steps),
    ]
    for chain in found.chains:
        package = chain.package
        lines += ["", f"{package.name} {package.version} ({package.type})", *map(_line, chain.steps)]
    return "".join(f"{' ' * (len(line) - len(line.lstrip()))}{clean(line)}\n" for line in lines)


def _line(step: Step) -> str:
    return f"  {step.name}: {_MARKS[step.answer]}: {step.detail}"


def _json(found: Explanation) -> str:
    report = found.decision.report
    document = {
        "schema_version": "1.0.0",
        "vulnerability": found.vulnerability,
        "reference": found.decision.occasion.reference.name,
        "image_digest": report.analysis.image.digest,
        "feed_revision": report.feed_revision,
        "bundle_digest": report.bundle_digest,
        "created_at": report.created_at,
        "answer": found.answer,
        "stopped_at": found.stopped_at,
        "steps": [step._asdict() for step in found.steps],
        "packages": [
            {
                "name": chain.package.name,
                "version": chain.package.version,
                "type": chain.package.type,
                "purl": chain.package.purl,
                "stopped_at": next((step.name for step in chain.steps if step.answer == "no"), ""),
                "steps": [step._asdict() for step in chain.steps],
            }
            for chain in found.chains
        ],
    }
    return json.dumps(document, indent=2) + "\n"

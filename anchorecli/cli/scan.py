"""``anchore scan IMAGE``: the main job."""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

import click

from anchorecli.cli import completion
from anchorecli.cli.app import Start
from anchorecli.cli.options import (
    catalog_options,
    image_options,
    option,
    output_options,
    policy_options,
    search_options,
    vex_option,
)
from anchorecli.cli.output import Output, exit_code, parse_outputs, prepare, render_options, write_outputs
from anchorecli.cli.since import CAUSES, side, since_then
from anchorecli.errors import EXIT_INDETERMINATE, EXIT_STOP, UsageError
from anchorecli.model import Report
from anchorecli.values import replace

_CAUSES_HELP = "With --since: fail only on what that caused; repeatable."


@click.command()
@click.argument("image", shell_complete=completion.files)
@image_options
@policy_options
@vex_option
@search_options
@catalog_options
@option("--dockerfile", metavar="FILE", help="The Dockerfile it was built from, for the dockerfile gate.")
@output_options("report")
@option(
    "--attached", is_flag=True, default=None, help="Look for what is attached to the image: signatures, VEX, SBOMs."
)
@option("--offline", is_flag=True, default=None, help="Use no network at all.")
@option("--base", metavar="IMAGE", help="The base image, a stored one [default: what the image says of itself].")
@option("--since", metavar="EVAL|TAG", help="Tell what changed since that evaluation, or the last one of that image.")
@option("--fail-on-cause", "causes", multiple=True, type=click.Choice(CAUSES), help=_CAUSES_HELP)
@option("--fail-on-unused", is_flag=True, help="Exit with 1 where an exception lets nothing through.")
@click.pass_obj
def scan(start: Start, /, image: str, **flags: Any) -> int:
    """Find packages and vulnerabilities in IMAGE and judge it by a policy.

    IMAGE is name:tag or name@digest in a registry; docker:NAME or podman:NAME in a local engine; docker-archive:PATH,
    oci-archive:PATH, oci-dir:PATH or dir:PATH; rootfs:FILE, a tar of a root file system (docker export); sbom:FILE, an
    SBOM (CycloneDX, SPDX, Syft JSON; - is standard input); or a path, recognised by its content.

    \b
    anchore scan debian:12
    anchore scan ./image.tar -o table -o json=report.json
    anchore scan registry.example/app:1.4 --fail-on high
    anchore scan sbom:bom.json --fail-on high
    """
    flags["output"] = flags.pop("outputs")
    look = render_options(os.environ, show_all=flags.pop("show_all"), color=flags.pop("color"), verbose=start.verbose)
    fail_on_unused, base = flags.pop("fail_on_unused"), flags.pop("base") or ""
    since, causes = flags.pop("since"), flags.pop("causes")
    if causes and not since:
        raise UsageError("--fail-on-cause tells by a comparison", hint="add --since EVAL or --since TAG")
    with start.app(flags, collect=False) as app:
        # What cannot be used is told before anything is fetched.
        outputs = parse_outputs(app.settings.outputs, "report", "table")
        bundle = app.bundle()
        app.vex()
        reference = app.reference(image)
        before = side(app, since) if since else None
        analysis = app.analyze(reference, app.demand(bundle), lambda: _load_the_rest(outputs))
        decision = app.decide(analysis, bundle, reference, base)
        report = decision.report
        write_outputs(outputs, report, replace(look, memo=app.memo(analysis)))
        app.tell_timings()
        code = since_then(app, before, decision, causes) if before else exit_code(report)
        return _with_unused(report, code) if fail_on_unused else code


def _with_unused(report: Report, code: int) -> int:
    """The exit code under --fail-on-unused: 1 also for a pass with exceptions that let nothing through.

    Not for an indeterminate verdict: what was not seen may need them.
    """
    from anchorecli.report import clean

    idle = [each for each in report.verdict.allowances if not each.covered] if report.verdict else []
    if not idle:
        return code
    named = ", ".join(f"{each.item_id} ({each.subject}) is {each.status}" for each in idle[:10])
    more = f", and {len(idle) - 10} more" if len(idle) > 10 else ""
    count = f"{len(idle)} exceptions let" if len(idle) > 1 else "1 exception lets"
    sys.stderr.write(clean(f"anchore: {count} nothing through: {named}{more}") + "\n")
    if code == EXIT_INDETERMINATE:
        sys.stderr.write("  next: complete the evidence first: what could not be seen may need them\n")
        return code
    sys.stderr.write("  next: remove them from the bundle, or narrow them to the images they are for (image:)\n")
    return code or EXIT_STOP


def _load_the_rest(outputs: tuple[Output, ...]) -> None:
    gc.enable()
    # It takes a while, and layers are being read just now.
    import anchorecli.matching.matcher
    import anchorecli.scan.decision  # noqa: F401

    prepare(outputs)

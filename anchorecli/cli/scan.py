"""``anchore scan IMAGE``: the main job."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from anchorecli.cli.app import App, Start
from anchorecli.cli.options import image_options, option, output_options, policy_options
from anchorecli.cli.output import Output, parse_outputs, prepare, render_options, write_outputs
from anchorecli.errors import EXIT_INDETERMINATE, EXIT_PASS, EXIT_STOP
from anchorecli.model import Report, Status


@click.command()
@click.argument("image")
@image_options
@policy_options
@option("--dockerfile", metavar="FILE", help="The Dockerfile it was built from, for the dockerfile gate.")
@output_options("report")
@option("--offline", is_flag=True, default=None, help="Use no network at all.")
@click.pass_obj
def scan(start: Start, /, image: str, **flags: Any) -> int:
    """Find packages and vulnerabilities in IMAGE and judge it by a policy.

    IMAGE is name:tag or name@digest in a registry; docker:NAME or podman:NAME in a local engine; docker-archive:PATH,
    oci-archive:PATH, oci-dir:PATH or dir:PATH; or a path, recognised by its content.

    \b
    anchore scan debian:12
    anchore scan ./image.tar -o table -o json=report.json
    anchore scan registry.example/app:1.4 --fail-on high
    """
    flags["output"] = flags.pop("outputs")
    look = render_options(os.environ, show_all=flags.pop("show_all"), color=flags.pop("color"), verbose=start.verbose)
    with start.app(flags) as app:
        # What cannot be used is told before anything is fetched.
        outputs = parse_outputs(app.settings.outputs, "report", "table")
        bundle = app.bundle()
        reference = app.reference(image)
        analysis = app.analyze(reference, lambda: _load_the_rest(outputs))
        report = app.evaluate(analysis, bundle, reference)
        write_outputs(outputs, report, look)
        _explain(app, report)
        return exit_code(report)


def exit_code(report: Report) -> int:
    """Design §6: 0 pass, 1 stop, 4 indeterminate."""
    codes = {Status.PASS: EXIT_PASS, Status.FAIL: EXIT_STOP, Status.INDETERMINATE: EXIT_INDETERMINATE}
    return codes[report.verdict.status] if report.verdict else EXIT_PASS


def _load_the_rest(outputs: tuple[Output, ...]) -> None:
    import anchorecli.scan.decision  # noqa: F401 - it takes a while, and layers are being read just now

    prepare(outputs)


def _explain(app: App, report: Report) -> None:
    """On standard error, with -v: how the time was spent."""
    if app.verbose and app.timings:
        for name, seconds in sorted(app.timings.items(), key=lambda item: -item[1]):
            sys.stderr.write(f"  {name:12} {seconds * 1000:8.1f} ms\n")

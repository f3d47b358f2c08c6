"""``anchore sbom IMAGE``: what is in an image, without feeds and without a verdict."""

from __future__ import annotations

import os
from typing import Any

import click

from anchorecli.cli import completion
from anchorecli.cli.app import Start
from anchorecli.cli.options import catalog_options, image_options, output_options
from anchorecli.cli.output import parse_outputs, prepare, render_options, write_outputs
from anchorecli.errors import EXIT_INDETERMINATE, EXIT_PASS
from anchorecli.scan.analysis import inventory


@click.command()
@click.argument("image", shell_complete=completion.files)
@image_options
@catalog_options
@output_options("sbom")
@click.pass_obj
def sbom(start: Start, /, image: str, **flags: Any) -> int:
    """List what is in IMAGE, as an SBOM. No feed, no policy.

    IMAGE is as for `anchore scan`; with sbom:FILE an SBOM is written anew in another format.

    Exit code 4 where something in the image could not be read: the list may then be incomplete.

    \b
    anchore sbom debian:12 -o cyclonedx-json=bom.json
    anchore sbom ./image.tar -o purls
    anchore sbom sbom:bom.json -o spdx-json
    """
    outputs = parse_outputs(flags.pop("outputs"), "sbom", "packages")
    look = render_options(
        os.environ,
        show_all=flags.pop("show_all"),
        color=flags.pop("color"),
        verbose=start.verbose,
        timestamp=start.epoch(),
    )
    with start.app(flags) as app:
        analysis = app.analyze(app.reference(image), app.demand_packages(), lambda: prepare(outputs))
        write_outputs(outputs, inventory(analysis, app.now), look)
        app.tell_problems(analysis.problems)
        app.tell_timings()
        return EXIT_INDETERMINATE if any(problem.incomplete for problem in analysis.problems) else EXIT_PASS

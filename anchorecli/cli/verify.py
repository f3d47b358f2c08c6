"""``anchore verify REPORT``: whether a JSON report holds."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anchorecli.cli.app import Start
from anchorecli.errors import EXIT_INDETERMINATE, EXIT_PASS, EXIT_STOP, UsageError


@click.command()
@click.argument("report", metavar="REPORT", type=click.Path())
@click.pass_obj
def verify(start: Start, report: str) -> int:
    """Make a JSON report again from its tuple and say whether it holds, byte for byte.

    REPORT is a file that `anchore scan -o json` wrote. The store has to hold what the report rests on: the image's
    analysis, the feed revision and the bundle. Exit code 0: it holds; 1: it does not; 4: inputs are missing.
    """
    from anchorecli.report import clean
    from anchorecli.scan.verification import verify

    try:
        data = Path(report).read_bytes()
    except OSError as exc:
        raise UsageError(f"{report} cannot be read: {exc.strerror}", hint="give a JSON report") from exc
    with start.app(readonly=True) as app:
        found = verify(app.store, data, report)
    if found.missing:
        lines = [f"{report}: cannot be verified, since there is no", *(f"  {each}" for each in found.missing)]
        sys.stdout.write("".join(f"{clean_line(line)}\n" for line in lines))
        return EXIT_INDETERMINATE
    if found.difference is None:
        sys.stdout.write(f"{clean(report)}: holds, byte for byte\n")
        return EXIT_PASS
    place = found.difference
    sys.stdout.write(f"{clean(report)}: does not hold: it differs from byte {place.byte} on\n")
    if place.where:
        sys.stdout.write(clean_line(f"  {place.where}\n    says {place.said}\n    is {place.found}") + "\n")
    else:
        sys.stdout.write("  all values agree; only the way they are written differs\n")
    return EXIT_STOP


def clean_line(text: str) -> str:
    """Lines with what strangers wrote in them, their indentation kept."""
    from anchorecli.report import clean

    return "\n".join(" " * (len(line) - len(line.lstrip())) + clean(line.lstrip()) for line in text.split("\n"))

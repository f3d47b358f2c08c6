"""``anchore history``: past evaluations, and their reports as they were."""

from __future__ import annotations

import os

import click

from anchorecli.cli.app import Start
from anchorecli.cli.columns import short, show
from anchorecli.cli.options import option, output_options
from anchorecli.cli.output import parse_outputs, render_options, write_outputs
from anchorecli.errors import NotFoundError
from anchorecli.scan.kept import recall


@click.group(invoke_without_command=True)
@option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at most.")
@option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def history(ctx: click.Context, limit: int, as_json: bool) -> None:
    """Past evaluations, the newest first; `history show N` gives the report of one, in any format."""
    if ctx.invoked_subcommand is not None:
        return
    start: Start = ctx.obj
    with start.app(readonly=True) as app:
        rows = [
            {
                "id": each.id,
                "created_at": each.created_at,
                "image": each.reference,
                "digest": each.digest if as_json else short(each.digest),
                "status": each.status,
                "action": each.action,
                "vulnerabilities": each.matches,
                "feed_revision": each.feed_revision,
                "bundle": each.bundle_id,
            }
            for each in app.store.evaluations(limit=limit)
        ]
        show(rows, as_json=as_json, empty="no evaluations yet: anchore scan IMAGE")


@history.command("show")
@click.argument("number", type=int)
@output_options("report")
@click.pass_obj
def show_(start: Start, number: int, outputs: tuple[str, ...], show_all: bool, color: bool | None) -> None:
    """The report of evaluation NUMBER, as it was."""
    chosen = parse_outputs(outputs, "report", "table")
    with start.app(readonly=True) as app:
        kept = app.store.evaluation(number)
        if kept is None:
            raise NotFoundError(f"there is no evaluation {number}", hint="anchore history lists them")
        report = recall(app.store, kept).report
        look = render_options(os.environ, show_all=show_all, color=color, verbose=start.verbose)
        write_outputs(chosen, report, look)

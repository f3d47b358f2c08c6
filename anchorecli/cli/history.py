"""``anchore history``: past evaluations, and their reports as they were."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from anchorecli.cli.app import App, Start
from anchorecli.cli.columns import short, show
from anchorecli.cli.options import option, output_options
from anchorecli.cli.output import parse_outputs, render_options, write_outputs
from anchorecli.errors import NotFoundError

if TYPE_CHECKING:
    from anchorecli.model import Evaluation


class HistoryGroup(click.Group):
    """``history show N`` is a command; any other first word is an image."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, or the list of an image's evaluations."""
        if args and args[0] not in self.commands:
            return "of", self.commands["of"], args
        return super().resolve_command(ctx, args)


@click.group(cls=HistoryGroup, invoke_without_command=True, subcommand_metavar="[IMAGE | show N]")
@option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at most.")
@option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def history(ctx: click.Context, limit: int, as_json: bool) -> None:
    """Past evaluations, the newest first: of all images, or of IMAGE (a name, tag, digest or id).

    `history show N` gives the report of one, in any format, as it was.
    """
    if ctx.invoked_subcommand is None:
        start: Start = ctx.obj
        with start.app(readonly=True) as app:
            _show(app.store.evaluations(limit=limit), as_json, "no evaluations yet: anchore scan IMAGE")


@history.command("of", hidden=True)
@click.argument("image")
@option("--limit", type=click.IntRange(1), default=None, help="How many at most.")
@option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def of(ctx: click.Context, image: str, limit: int | None, as_json: bool) -> None:
    """The evaluations of IMAGE, the newest first."""
    given: Mapping[str, Any] = ctx.parent.params if ctx.parent else {}
    limit, as_json = limit or given.get("limit", 20), as_json or given.get("as_json", False)
    start: Start = ctx.obj
    with start.app(readonly=True) as app:
        found = evaluations_of(app, image)
        if not found:
            hint = f"anchore history show {image}" if image.isdigit() else "anchore history lists all"
            raise NotFoundError(f"there is no evaluation of {image}", hint=hint)
        _show(found[:limit], as_json, "")


def evaluations_of(app: App, image: str) -> tuple[Evaluation, ...]:
    """The evaluations of what a text means: a reference exactly, or else all that it can mean; the newest first."""
    from anchorecli.scan.past import names_of

    found = {each.id: each for name in names_of(image) for each in app.store.find_evaluations(name)}
    exact = [each for each in found.values() if each.reference in names_of(image)]
    if not found and not (image.isdigit() and len(image) < 6):
        ids = {stored.image_id for name in names_of(image) for stored in app.store.find_images(name)}
        found = {each.id: each for image_id in ids for each in app.store.evaluations(image_id=image_id)}
    return tuple(sorted(exact or found.values(), key=lambda each: -each.id))


@history.command("show")
@click.argument("number", type=int)
@output_options("report")
@click.pass_obj
def show_(start: Start, number: int, outputs: tuple[str, ...], show_all: bool, color: bool | None) -> None:
    """The report of evaluation NUMBER, as it was."""
    from anchorecli.scan.kept import recall

    chosen = parse_outputs(outputs, "report", "table")
    with start.app(readonly=True) as app:
        kept = app.store.evaluation(number)
        if kept is None:
            raise NotFoundError(f"there is no evaluation {number}", hint="anchore history lists them")
        whole = recall(app.store, kept)
        if whole.cause is not None:
            app.note(_because(whole.cause))
        report = whole.report
        look = render_options(os.environ, show_all=show_all, color=color, verbose=start.verbose)
        write_outputs(chosen, report, look)


def _because(cause: Mapping[str, Any]) -> str:
    """Why an evaluation was made that nobody asked for."""
    feeds = ", ".join(f"{each['feed']} ({each['before']} -> {each['after']})" for each in cause["feeds"])
    told = f"; it differs by {', '.join(cause['advisories'])}" if cause["advisories"] else ""
    return f"made by `anchore update` after evaluation {cause['previous']}, since {feeds} changed{told}"


def _show(evaluations: Sequence[Evaluation], as_json: bool, empty: str) -> None:
    rows = [_whole(each) if as_json else _line(each) for each in evaluations]
    show(rows, as_json=as_json, empty=empty)


def _line(each: Evaluation) -> dict[str, Any]:
    return {
        "id": each.id,
        "created_at": each.created_at,
        "image": each.reference,
        "digest": short(each.digest),
        "status": each.status,
        # Unknown of evaluations that an older program kept.
        "vulnerabilities": each.vulnerabilities if each.vulnerabilities >= 0 else "",
        "matches": ", ".join(f"{count} {name}" for name, count in each.by_severity.items()) or each.matches,
        "feeds": each.feed_revision,
        "bundle": f"{each.bundle_id} {short(each.bundle_digest)}",
    }


def _whole(each: Evaluation) -> dict[str, Any]:
    return {
        "id": each.id,
        "created_at": each.created_at,
        "image": each.reference,
        "image_id": each.image_id,
        "digest": each.digest,
        "platform": each.platform,
        "status": each.status,
        "action": each.action,
        "vulnerabilities": each.vulnerabilities if each.vulnerabilities >= 0 else None,
        "matches": each.matches,
        "by_severity": dict(each.by_severity),
        "feed_revision": each.feed_revision,
        "bundle": each.bundle_id,
        "bundle_digest": each.bundle_digest,
        "tool_version": each.tool_version,
    }

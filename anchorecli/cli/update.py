"""``anchore update``: bring past results up to date after a sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from anchorecli.cli.app import App, Start
from anchorecli.cli.columns import Row, short, show
from anchorecli.cli.options import option
from anchorecli.errors import EXIT_FEED, EXIT_INDETERMINATE, EXIT_PASS, UsageError

if TYPE_CHECKING:
    from anchorecli.scan.update import Change


@click.command()
@option("--since-revision", type=click.IntRange(0), metavar="N", help="What changed after it [default: since then].")
@option("--notify", "is_told", is_flag=True, help="Tell each change as the watch does: to standard output, webhooks.")
@option("--webhook", multiple=True, metavar="URL", help="With --notify: POST each change to URL as JSON; repeatable.")
@option("--json", "as_json", is_flag=True, help="As JSON, with the cause of each difference.")
@click.pass_obj
def update(start: Start, /, since_revision: int | None, is_told: bool, as_json: bool, **flags: object) -> int:
    """Bring past results up to date after a sync.

    The last evaluation of each image is made again where a changed record of the feeds can touch it, and no other: by
    the bundle it was made with, from the store alone. It is kept as a new evaluation that knows its cause.

    \b
    anchore feeds sync && anchore update
    anchore update --notify --webhook https://chat.example/hook
    """
    from anchorecli.scan.update import update

    if is_told and as_json:
        raise UsageError("--notify and --json both write to standard output", hint="leave one of them out")
    with start.app(flags) as app:
        delivery = _Delivery(app, is_told)
        done = update(app.store, app.now, since_revision, delivery.take)
        rows = [_whole(each) if as_json else _line(each) for each in done.changes]
        if as_json or (rows and not is_told):
            show(rows, as_json=as_json, empty="")
        app.tell_problems(done.problems)
        differ = sum(bool(each.events) for each in done.changes)
        app.note(f"feed revision {done.revision}: evaluated {len(done.changes)} again, changed: {differ}")
        if done.problems:
            return EXIT_INDETERMINATE
        return EXIT_FEED if delivery.failed else EXIT_PASS


class _Delivery:
    """Tells each change as it is found, and notes for the watch that it was told."""

    def __init__(self, app: App, is_told: bool) -> None:
        self.failed = False
        self._app = app
        self._is_told = is_told
        self._watched = {tag.reference: tag for tag in app.store.watch_list() if tag.active} if is_told else {}

    def take(self, change: Change) -> None:
        from dataclasses import replace

        if not self._is_told:
            return
        if change.events:
            self.failed |= not self._app.notify(change.events)
        tag = self._watched.get(change.reference)
        if tag is not None and tag.evaluation_id == change.before.id:
            self._app.store.watch_update(replace(tag, evaluation_id=change.after.id))


def _line(change: Change) -> Row:
    before, after = change.before, change.after
    return {
        "image": change.reference,
        "digest": short(after.digest),
        "status": _moved(before.status, after.status),
        "vulnerabilities": _moved(*change.counts),
        "differs": len(change.cause["vulnerabilities"]),
        "because_of": change.cause["advisories"] or [each["feed"] for each in change.cause["feeds"]],
        "evaluation": after.id,
    }


def _moved(before: object, after: object) -> str:
    return f"{after}" if before == after else f"{before} -> {after}"


def _whole(change: Change) -> Row:
    before, after = change.before, change.after
    return {
        "reference": change.reference,
        "digest": after.digest,
        "evaluation": after.id,
        "status": after.status,
        "action": after.action,
        "vulnerabilities": change.counts[1],
        "previous": {
            "evaluation": before.id,
            "status": before.status,
            "action": before.action,
            "vulnerabilities": change.counts[0],
        },
        "cause": dict(change.cause),
    }

"""``anchore watch``: follow tags, tell what changes."""

from __future__ import annotations

import time

import click

from anchorecli.cli.app import App, Start, source_options
from anchorecli.cli.columns import short, show
from anchorecli.cli.options import image_options, option, policy_options
from anchorecli.errors import EXIT_FEED, EXIT_PASS, EXIT_SOURCE, NotFoundError, UsageError


@click.group()
def watch() -> None:
    """Follow tags: rescan on change, tell about it."""


@watch.command()
@click.argument("image")
@click.pass_obj
def add(start: Start, image: str) -> None:
    """Watch IMAGE (a tag in a registry, or anything else that can be scanned)."""
    with start.app() as app:
        reference = app.reference(image)
        if reference.digest and not reference.tag:
            raise UsageError(
                f"{image} is a digest and never changes", hint="watch a tag; new feeds reach it by its tag"
            )
        name = image if reference.transport != "registry" else reference.name
        added = app.store.watch_add(name, app.now)
        app.note(f"watching {name}" if added else f"{name} is watched already")


@watch.command()
@click.argument("image")
@click.pass_obj
def remove(start: Start, image: str) -> None:
    """Stop watching IMAGE."""
    with start.app() as app:
        names = {image, app.reference(image).name}
        if not any([app.store.watch_remove(name) for name in names]):
            raise NotFoundError(f"{image} is not watched", hint="anchore watch list")


@watch.command("list")
@option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(start: Start, as_json: bool) -> None:
    """What is watched, and what was last seen of it."""
    with start.app(readonly=True) as app:
        rows = []
        for tag in app.store.watch_list():
            last = app.store.evaluation(tag.evaluation_id) if tag.evaluation_id else None
            rows.append({
                "image": tag.reference,
                "digest": tag.digest if as_json else short(tag.digest),
                "status": last.status if last else "not yet seen",
                "vulnerabilities": last.matches if last else 0,
                "checked_at": tag.checked_at,
                "evaluation": tag.evaluation_id,
            })  # fmt: skip
        show(rows, as_json=as_json, empty="nothing is watched: anchore watch add IMAGE")


@watch.command("run")
@option("--once", is_flag=True, help="One round, for cron; exit code 3 or 5 if an image or a feed could not be had.")
@option("--interval", metavar="TIME", help="Between rounds: 90s, 30m, 6h, 1d.")
@option("--webhook", multiple=True, metavar="URL", help="POST each change to URL as JSON; repeatable.")
@option("--no-sync", is_flag=True, help="Leave the feeds as they are.")
@option("--offline", is_flag=True, default=None, help="Use no network at all.")
@image_options
@policy_options
@click.pass_obj
def run_(start: Start, /, once: bool, no_sync: bool, **flags: object) -> int:
    """Sync the feeds, look at every watched tag, tell each change on standard output and to the webhook; repeat."""
    with start.app(flags) as app:
        bundle_is_readable = app.bundle()
        del bundle_is_readable  # a bundle that cannot be used is told before the first round
        while True:
            app.now = start.now()
            code = _round(app, sync=not no_sync and not app.settings.offline)
            if once:
                return code
            time.sleep(app.settings.watch_interval)


def _round(app: App, *, sync: bool) -> int:
    from anchorecli.cli.feeds import sync_each
    from anchorecli.feeds import FEEDS, find
    from anchorecli.feeds.sync import SyncOptions
    from anchorecli.source import open_source
    from anchorecli.watch import Watch, run_round

    failed: list[str] = []
    if sync:
        names = {driver.name for driver in FEEDS if app.settings.feed_enabled(driver.name)}
        # What was synced by name before (osv:PyPI) is kept up to date, unless it was read from a file.
        names |= {state.name for state in app.store.feed_states() if state.url.startswith(("http://", "https://"))}
        failed = sync_each(app, [find(name) for name in sorted(names)], SyncOptions())
    done = run_round(
        Watch(
            store=app.store,
            bundle=app.bundle(),
            open_image=lambda reference: open_source(reference, source_options(app.settings)),
            parse=app.reference,
            now=app.now,
        )
    )
    app.tell_problems(done.problems)
    delivered = app.notify(done.events)
    app.note(f"{done.tags} tags, {done.evaluated} evaluated, {len(done.events)} changes")
    if done.problems:
        return EXIT_SOURCE
    return EXIT_FEED if failed or not delivered else EXIT_PASS

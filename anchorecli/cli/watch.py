"""``anchore watch``: follow tags, tell what changes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anchorecli.cli import completion
from anchorecli.cli.app import App, Start
from anchorecli.cli.columns import short, show
from anchorecli.cli.options import image_options, option, policy_options
from anchorecli.errors import EXIT_FEED, EXIT_PASS, EXIT_SOURCE, AnchoreError, NotFoundError, UsageError
from anchorecli.model import Event, ImageRef, Problem

if TYPE_CHECKING:
    from anchorecli.policy.values import Bundle


@click.group()
def watch() -> None:
    """Follow tags: rescan on change, tell about it."""


@watch.command()
@click.argument("image", shell_complete=completion.files)
@click.pass_obj
def add(start: Start, image: str) -> None:
    """Watch IMAGE.

    A tag in a registry, or anything else that can be scanned.
    """
    with start.app() as app:
        reference = app.reference(image)
        if reference.digest:
            hint = "watch a tag; new feeds reach it by its tag"
            raise UsageError(f"{image} is a digest and never changes", hint=hint)
        name = watched_name(reference)
        added = app.store.watch_add(name, app.now)
        app.note(f"watching {name}" if added else f"{name} is watched already")


@watch.command()
@click.argument("image")
@click.pass_obj
def remove(start: Start, image: str) -> None:
    """Stop watching IMAGE."""
    with start.app() as app:
        # What it was called is enough, also where there is no such file any more.
        if app.store.watch_remove(image):
            return
        if not app.store.watch_remove(watched_name(app.reference(image))):
            raise NotFoundError(f"{image} is not watched", hint="anchore watch list")


def watched_name(reference: ImageRef) -> str:
    """The name that means the same image in every directory."""
    if reference.transport == "registry":
        return reference.name
    if not reference.path:
        return reference.original
    prefix = f"{reference.transport}:" if reference.original.startswith(f"{reference.transport}:") else ""
    return f"{prefix}{Path(reference.path).absolute()}" + (f":{reference.tag}" if reference.tag else "")


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
                "vulnerabilities": last.vulnerabilities if last and last.vulnerabilities >= 0 else None,
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
    """Look at every watched tag, again and again.

    Each round syncs the feeds, looks at the tags and tells each change on standard output and to the webhooks.
    """
    with start.app(flags) as app:
        app.bundle()  # one that cannot be used is told before the first round
        known: Needs = {}
        while True:
            app.now = start.now()
            try:
                code = _round(app, known if not no_sync and not app.settings.offline else None)
            except AnchoreError as exc:
                if once:
                    raise
                app.tell_problems([Problem("watch", "this round", exc.message, exc.hint)])
            if once:
                return code
            time.sleep(app.settings.watch_interval)


Needs = dict[str, frozenset[str]]
"""Image id → the feeds it needs: what is in an image does not change from one round to the next."""


def _round(app: App, needs: Needs | None) -> int:
    """One round; it syncs where it is given what images need."""
    from anchorecli.watch import Watch, run_round

    bundle = app.bundle()
    failed = [] if needs is None else _sync(app, bundle, needs)
    undelivered = False

    def tell(events: Sequence[Event]) -> None:
        nonlocal undelivered
        undelivered |= not app.notify(events)

    demand = app.demand(bundle)
    watch = Watch(
        app.store,
        bundle,
        app.reference,
        lambda reference: app.analyze(reference, demand),
        tell,
        app.now,
        app.vex(),
        lambda analysis: app.find_attached(analysis, bundle),
        app.hangs_otherwise,
    )
    done = run_round(watch)
    app.tell_problems(done.problems)
    app.note(f"looked at {done.tags}, evaluated {done.evaluated}, changes: {done.changes}")
    if done.problems:
        return EXIT_SOURCE
    return EXIT_FEED if failed or undelivered else EXIT_PASS


def _sync(app: App, bundle: Bundle, needs: Needs) -> list[str]:
    """Bring the feeds up to date that the store holds, the watched images need, or the bundle looks at; the names of
    those that failed. What the settings disable is left out; what was read from a file stays as it is. Where the
    settings name an upstream, all comes from there."""
    from anchorecli.cli.feeds import sync_each, sync_site
    from anchorecli.feeds import find
    from anchorecli.feeds.sync import SyncOptions
    from anchorecli.scan.needed import feeds_for_bundle

    if upstream := app.settings.feeds_upstream:
        try:
            sync_site(app)
        except AnchoreError as exc:
            app.tell_problems([Problem("feeds", upstream, exc.message, exc.hint)])
            return [upstream]
        return []
    held = {state.name: state.url.startswith(("http://", "https://")) for state in app.store.feed_states()}
    names = {name for name, is_fetched in held.items() if is_fetched}
    names |= (_for_images(app, bundle, needs) | feeds_for_bundle(bundle)) - held.keys()
    return sync_each(app, [find(name) for name in sorted(names) if app.settings.feed_enabled(name)], SyncOptions())


def _for_images(app: App, bundle: Bundle, needs: Needs) -> set[str]:
    """The feeds that watched images need. One that was never looked at is analyzed: its feeds are to be there when it
    is first judged. Where that fails the round will tell."""
    from anchorecli.scan.documents import read_analysis
    from anchorecli.scan.needed import feeds_for_image

    demand = app.demand(bundle)
    found: set[str] = set()
    for tag in app.store.watch_list():
        if tag.active and tag.image_id not in needs:
            document = app.store.latest_analysis(tag.image_id) if tag.image_id else None
            with suppress(AnchoreError, OSError, ValueError):
                analysis = read_analysis(document) if document else app.analyze(app.reference(tag.reference), demand)
                needs[analysis.image.image_id] = feeds_for_image(analysis)
                found |= needs[analysis.image.image_id]
        elif tag.active:
            found |= needs[tag.image_id]
    return found

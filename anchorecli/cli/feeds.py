"""``anchore feeds``: sync and inspect; the commands for files, registries and sites have files of their own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anchorecli.cli import completion
from anchorecli.cli.app import App, Start
from anchorecli.cli.columns import show
from anchorecli.cli.feeds_file import conditions, export, import_, keygen
from anchorecli.cli.feeds_registry import pull, push
from anchorecli.cli.feeds_serve import serve
from anchorecli.cli.feeds_show import show_vulnerability
from anchorecli.cli.options import option, trust_options
from anchorecli.cli.progress import progress
from anchorecli.cli.told import told
from anchorecli.errors import EXIT_FEED, EXIT_PASS, AnchoreError, StoreError, UsageError
from anchorecli.model import FeedState, Problem

if TYPE_CHECKING:
    from anchorecli.feeds.base import Driver


@click.group()
def feeds() -> None:
    """Vulnerability feeds."""


for command in (export, import_, keygen, push, pull, serve, show_vulnerability):
    feeds.add_command(command)


@feeds.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completion.feeds)
@option("--from", "source", metavar="PATH", help="Read upstream's own file, zip or directory instead of the network.")
@option("--allow-shrink", is_flag=True, help="Accept a snapshot that lost many records.")
@option("--refresh", is_flag=True, help="Read again what has not changed.")
@option("--all", "everything", is_flag=True, help="Every feed there is, those of hundreds of megabytes too.")
@option("--needed", multiple=True, metavar="IMAGE", help="The feeds that a stored image needs, too; repeatable.")
@option("--upstream", metavar="URL", help="Take all feeds from another site (see: feeds serve).")
@trust_options
@click.pass_obj
def sync(
    start: Start,
    /,
    names: tuple[str, ...],
    source: str | None,
    allow_shrink: bool,
    refresh: bool,
    **flags: object,
) -> int:
    """Bring feeds up to date: the usual ones, or those NAMEd.

    What the store holds already is brought along. Names are those that `anchore feeds list` shows, and osv:ECOSYSTEM
    (osv:PyPI, osv:npm, osv:Debian:12 …). With --from, one name; for an osv.dev export plain osv will do:

    \b
    anchore feeds sync osv --from all.zip
    anchore feeds sync --needed debian:12
    """
    from anchorecli.feeds import find
    from anchorecli.feeds.osv import recognised
    from anchorecli.feeds.sync import SyncOptions

    if source and len(names) != 1:
        raise UsageError("--from needs the one feed that PATH holds", hint=f"anchore feeds sync NAME --from {source}")
    everything, needed = bool(flags.pop("everything")), flags.pop("needed")
    if flags["upstream"] and names:
        raise UsageError("--upstream brings all feeds", hint="leave the names away, or --upstream")
    with start.app(flags) as app:
        if needed:
            names += tuple(sorted(_needed(app, needed) - set(names)))
            if not names:
                app.note("no feed is known for the packages of these images")
                return EXIT_PASS
        if not names and app.settings.feeds_upstream:
            if app.settings.offline:
                raise UsageError("--offline forbids the network", hint="anchore feeds import FILE")
            sync_site(app)
            return EXIT_PASS
        if names == ("osv",) and source:
            drivers: list[Driver] = [recognised(Path(source))]
        elif names:
            drivers = [find(name) for name in names]
        else:
            drivers = [find(name) for name in _usual(app, everything=everything)]
        options = SyncOptions(Path(source) if source else None, allow_shrink=allow_shrink, force=refresh)
        if app.settings.offline and not source:
            raise UsageError("--offline forbids the network", hint="anchore feeds import FILE, or --from PATH")
        return EXIT_FEED if sync_each(app, drivers, options) else EXIT_PASS


def _needed(app: App, images: object) -> set[str]:
    """The feeds that stored images need. Raises: UsageError for one that is not stored."""
    from anchorecli.scan.needed import feeds_for_image
    from anchorecli.scan.past import find

    assert isinstance(images, tuple)  # noqa: S101 - typed loosely with the other flags
    held = frozenset(state.name for state in app.store.feed_states() if not state.starter)
    found = {name for image in images for name in feeds_for_image(find(app.store, image, "").analysis, held)}
    return {name for name in found if app.settings.feed_enabled(name)}


def _usual(app: App, *, everything: bool) -> list[str]:
    """The feeds that a sync without names is about, by name: what the settings switch off is left out."""
    from anchorecli.feeds import REGISTERED

    held = {state.name for state in app.store.feed_states() if not state.starter}
    names = {each.name for each in REGISTERED if each.usual or everything} | held
    return sorted(name for name in names if app.settings.feed_enabled(name))


def sync_site(app: App) -> None:
    """Take all feeds from the site that the settings name as upstream. Raises: FeedError."""
    from anchorecli.feeds.upstream import sync_upstream
    from anchorecli.net import Fetcher, NetLimits

    url = app.settings.feeds_upstream
    fetcher = Fetcher(NetLimits(read=app.settings.http_timeout))
    with progress(url, enabled=not app.quiet) as tell:
        steps = list(sync_upstream(url, app.store, fetcher, conditions(app), tell))
    for item, outcomes in steps:
        app.note(f"{item.name}: {item.size / 1e6:.2f} MB")
        for outcome in outcomes:
            app.note(told(outcome))
    if not steps:
        app.note(f"nothing newer than what is here: {len(app.store.feed_states())} feeds")


def sync_each(app: App, drivers: list[Driver], options: object) -> list[str]:
    """Sync drivers one by one; gives the names of those that failed, each of which was told on standard error."""
    from dataclasses import replace

    from anchorecli.feeds.sync import SyncOptions, sync
    from anchorecli.net import Fetcher, NetLimits

    fetcher = Fetcher(NetLimits(read=app.settings.http_timeout))
    assert isinstance(options, SyncOptions)  # noqa: S101 - typed loosely to keep the import lazy
    failed = []
    for driver in _supplied(app, drivers, options.source):
        chosen = replace(options, url=app.settings.feed_url(driver.name))
        try:
            with progress(driver.name, enabled=not app.quiet) as tell:
                outcome = sync(driver, app.store, now=app.now, fetcher=fetcher, options=chosen, progress=tell)
        except StoreError:
            raise  # nor is there a place for the other feeds
        except AnchoreError as exc:
            failed.append(driver.name)
            app.tell_problems([Problem("feeds", driver.name, exc.message, exc.hint)])
            continue
        except OSError as exc:
            failed.append(driver.name)
            from tempfile import gettempdir

            hint = f"feeds are read by way of {gettempdir()}: set TMPDIR to a directory with more room"
            app.tell_problems([Problem("feeds", driver.name, exc.strerror or str(exc), hint)])
            continue
        app.note(told(outcome))
    return failed


def _supplied(app: App, drivers: list[Driver], source: Path | None) -> list[Driver]:
    """The drivers, that of registries with the names to ask for; left out where there are none."""
    if source is not None or all(driver.name != "packages" for driver in drivers):
        return drivers
    from anchorecli.feeds.language.packages import Packages
    from anchorecli.scan.held import registry_names

    names = registry_names(app.store)
    if not names:
        app.note("packages: no stored image holds packages of npm or RubyGems")
    given = [driver.wanting(names) if isinstance(driver, Packages) else driver for driver in drivers]
    return [driver for driver in given if names or driver.name != "packages"]


@feeds.command()
@option("--json", "as_json", is_flag=True, help="As JSON, with digests.")
@option("--problems", is_flag=True, help="What could not be read, record by record.")
@click.pass_obj
def status(start: Start, as_json: bool, problems: bool) -> None:
    """Show records, age, source and digest of each feed in the store."""
    with start.app(readonly=True) as app:
        if problems:
            show(_problems(app), as_json=as_json, empty="everything could be read")
            return
        rows = [_row(state, app.now, as_json) for state in app.store.feed_states()]
        show(rows, as_json=as_json, empty="no feeds yet: anchore feeds sync, or anchore feeds import FILE")


@feeds.command("list")
def list_() -> None:
    """The feeds there are, where they come from and under which licence."""
    from anchorecli.feeds import FEEDS

    rows = [{"name": d.name, "title": d.title, "url": d.url, "licence": d.attribution} for d in FEEDS]
    show(rows, as_json=False, empty="")


def _row(state: FeedState, now: str, whole: bool) -> dict[str, object]:
    row: dict[str, object] = {
        "feed": state.name,
        "records": state.records,
        "revision": state.revision,
        "age": _age(state.updated_at, now),
        "data_of": state.source_date[:10],
        "source": state.url,
    }
    if not whole:
        return row | {"digest": state.digest.removeprefix("sha256:")[:12], "unread": state.problems}
    return row | {
        "updated_at": state.updated_at,
        "source_date": state.source_date,
        "digest": state.digest,
        "etag": state.etag,
        "problems": state.problems,
        "starter": state.starter,
        "ecosystems": list(state.ecosystems),
    }


def _problems(app: App) -> list[dict[str, object]]:
    """What could not be read of each feed: the first of it, then how many more there were."""
    rows: list[dict[str, object]] = []
    for state in app.store.feed_states():
        listed = app.store.feed_problems(state.name)
        rows += [
            {"feed": state.name, "subject": each.subject, "message": each.message, "lost": each.incomplete}
            for each in listed
        ]
        if more := state.problems - sum(each.incomplete for each in listed):
            message = "more, of which only the number is kept" if listed else "told where the feed was synced"
            rows.append({"feed": state.name, "subject": f"{more:,} records", "message": message, "lost": True})
    return rows


def _age(then: str, now: str) -> str:
    try:
        seconds = (datetime.fromisoformat(now) - datetime.fromisoformat(then)).total_seconds()
    except ValueError:
        return "unknown"
    days, hours = divmod(int(max(0, seconds)) // 3600, 24)
    return f"{days} d" if days > 1 else f"{hours + 24 * days} h"

"""``anchore feeds export``, ``import`` and ``keygen``: feeds in files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from anchorecli.cli.app import App, Start
from anchorecli.cli.options import option, trust_options
from anchorecli.cli.progress import progress
from anchorecli.cli.told import told
from anchorecli.errors import UsageError

if TYPE_CHECKING:
    from anchorecli.feeds.offline.read import Conditions


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.argument("names", nargs=-1, metavar="[NAME]...")
@option("--since", type=click.IntRange(min=0), metavar="REVISION", help="Only what changed since then: a delta.")
@option("--sign", metavar="KEY", help="Sign it with this private key (see: feeds keygen).")
@click.pass_obj
def export(start: Start, file: str, names: tuple[str, ...], since: int | None, sign: str | None) -> None:
    """Write feeds to one FILE for a machine without network.

    All that the store holds, or those NAMEd. With --since a small file for a machine that has what this store held at
    that revision; `anchore feeds status` names the newest.
    """
    from anchorecli.feeds.delta import export_store
    from anchorecli.feeds.offline.write import Head
    from anchorecli.feeds.signing import Signer

    with start.app(readonly=True) as app:
        states = [state for state in app.store.feed_states() if not names or state.name in names]
        if unknown := set(names) - {state.name for state in states}:
            raise UsageError(f"the store has no feed {', '.join(sorted(unknown))}", hint="anchore feeds status")
        head = Head(app.now, since=-1 if since is None else since, sign=Signer(Path(sign)) if sign else None)
        digest = export_store(Path(file), app.store, head, names)
        megabytes = Path(file).stat().st_size / 1e6
        span = f"revision {app.store.revision()}" if since is None else f"revisions {since} to {app.store.revision()}"
        from anchorecli.report.lines import plural

        app.note(f"{file}: {plural(len(states), 'feed')}, {span}, {megabytes:.2f} MB, {digest}")


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(dir_okay=False))
@option("--allow-older", is_flag=True, help="Take feeds that are older than what the store has.")
@trust_options
@click.pass_obj
def import_(start: Start, /, files: tuple[str, ...], allow_older: bool, **flags: object) -> None:
    """Take the feeds of exported FILEs into the store.

    One after the other. A damaged file is refused whole, and so is a delta that does not start from what the store
    holds.
    """
    with start.app(flags) as app:
        for file in files:
            take_file(app, Path(file), allow_older=allow_older)


def take_file(app: App, path: Path, *, allow_older: bool = False) -> None:
    """Import one file by the settings, and tell what came of it. Raises: FeedError."""
    from anchorecli.feeds.delta import import_file

    with progress(path.name, enabled=not app.quiet) as tell:
        outcomes = import_file(path, app.store, conditions=conditions(app), allow_older=allow_older, progress=tell)
    for outcome in outcomes:
        app.note(told(outcome))


def conditions(app: App) -> Conditions:
    """What the settings ask of a feed file."""
    from anchorecli.feeds.offline.read import Conditions
    from anchorecli.feeds.signing import Trust

    return Conditions(app.now, Trust(app.settings.feeds_trusted_keys, app.settings.require_signed_feed))


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.pass_obj
def keygen(start: Start, file: str) -> None:
    """Make a pair of keys to sign feed files with.

    The private key, in FILE, stays where feeds are exported; the public one, in FILE.pub, goes to those who import
    them.
    """
    from anchorecli.feeds.signing import generate

    with start.app(readonly=True) as app:
        name = generate(Path(file), Path(f"{file}.pub"))
        app.note(f"{file} is the private key, {file}.pub the public one; the key's name is {name[:16]}")

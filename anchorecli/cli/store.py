"""``anchore store``: place, size and retention."""

from __future__ import annotations

import sys

import click

from anchorecli.cli.app import Start
from anchorecli.cli.columns import size
from anchorecli.cli.options import option


@click.group()
def store() -> None:
    """The store's place, size and retention."""


@store.command()
@click.pass_obj
def info(start: Start) -> None:
    """Where the store is and what it holds."""
    with start.app(readonly=True) as app:
        held = app.store
        layers = {layer for image in held.images() for layer in image.layers}
        bytes_used = held.path.stat().st_size if held.path.exists() else 0
        sys.stdout.write(
            f"path      {held.path}\nsize      {size(bytes_used)}\nimages    {len(held.images())}\n"
            f"layers    {len(layers)}\nfeeds     {len(held.feed_states())}\nrevision  {held.revision()}\n"
        )


@store.command()
@option("--older-than-days", "--days", type=click.IntRange(0), metavar="N", help="Images not used for N days go.")
@option("--keep", type=click.IntRange(0), metavar="N", help="Keep at most N images.")
@option("--dry-run", is_flag=True, help="Only say what would go.")
@click.pass_obj
def gc(start: Start, older_than_days: int | None, keep: int | None, dry_run: bool) -> None:
    """Remove images by age and count, and the layers no image refers to.

    Watched images and the newest evaluation of each watched tag stay. Without options the configured retention holds.
    """
    with start.app() as app:
        done = app.store.gc(
            older_than_days=older_than_days if older_than_days is not None else app.settings.retention_days,
            keep=keep if keep is not None else app.settings.retention_count,
            now=app.now,
            dry_run=dry_run,
        )
        verb = "would remove" if dry_run else "removed"
        sys.stdout.write(
            f"{verb} {done.images} images, {done.layers} layers, {done.evaluations} evaluations,"
            f" {done.advisories} old feed records;"
            f" {size(done.bytes_freed)} freed\n"
        )

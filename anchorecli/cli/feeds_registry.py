"""``anchore feeds push`` and ``pull``: feed files in a registry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from anchorecli.cli.app import App, Start
from anchorecli.cli.feeds_file import conditions
from anchorecli.cli.options import option, trust_options
from anchorecli.cli.progress import progress
from anchorecli.cli.told import told
from anchorecli.errors import FeedError, UsageError

if TYPE_CHECKING:
    from anchorecli.feeds.oci import Artifact

F = TypeVar("F", bound=Callable[..., Any])


def _registry_options(function: F) -> F:
    for decorate in reversed((
        option("--tls-verify/--no-tls-verify", "tls_verify", default=None, help="Verify the registry's certificate."),
        option("--authfile", metavar="FILE", help="Credentials [default: REGISTRY_AUTH_FILE, DOCKER_CONFIG]."),
        option("--timeout", type=float, metavar="SECONDS", help="Give up on a registry that is silent this long."),
    )):  # fmt: skip
        function = decorate(function)
    return function


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.argument("reference", metavar="REF")
@_registry_options
@click.pass_obj
def push(start: Start, /, file: str, reference: str, **flags: object) -> None:
    """Put an exported FILE into a registry, under the name REF.

    A delta is put beside the full file and the deltas that are there; a full file takes the place of the last one.
    """
    with start.app(flags, readonly=True) as app:
        artifact = _open(app, reference)
        items = artifact.push(Path(file))
        megabytes = sum(each.size for each in items) / 1e6
        from anchorecli.report.lines import plural

        app.note(f"{artifact.name}: {plural(len(items), 'file')}, {megabytes:.1f} MB, revision {items[-1].revision}")


@click.command()
@click.argument("reference", metavar="REF")
@option("--out", metavar="FILE", help="Write the full file to FILE, and import nothing.")
@_registry_options
@trust_options
@click.pass_obj
def pull(start: Start, /, reference: str, out: str | None, **flags: object) -> None:
    """Take feeds from a registry into the store.

    From where `feeds push` put them. Only what the store does not have yet is fetched: deltas where they lead there.
    """
    from anchorecli.feeds.shelf import bring

    with start.app(flags, readonly=bool(out)) as app:
        artifact = _open(app, reference)
        items = artifact.items()
        if not items:
            raise FeedError(f"{artifact.name} is not in the registry", hint="anchore feeds push FILE REF puts it there")
        if out:
            _write(app, artifact, Path(out))
            return
        steps = 0
        with progress(artifact.name, enabled=not app.quiet) as tell:
            for item, outcomes in bring(items, artifact.fetch, app.store, conditions(app), tell):
                steps += 1
                app.note(f"{item.name}: {item.size / 1e6:.2f} MB")
                for outcome in outcomes:
                    app.note(told(outcome))
        if not steps:
            app.note(f"nothing newer than what is here: {artifact.name}")


def _open(app: App, reference: str) -> Artifact:
    from anchorecli.feeds.oci import Access, open_artifact

    settings = app.settings
    if settings.offline:
        raise UsageError("--offline forbids the network", hint="anchore feeds import FILE")
    return open_artifact(reference, Access(settings.tls_verify, settings.authfile, settings.timeout))


def _write(app: App, artifact: Artifact, path: Path) -> None:
    """The last full file, or what there is where there are deltas alone."""
    from anchorecli.feeds.offline.frame import writing

    items = artifact.items()
    item = next((each for each in reversed(items) if not each.delta), items[-1])
    with writing(path):
        temporary = path.with_name(f".{path.name}.part")
        try:
            artifact.fetch(item, temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    later = [each.name for each in items if each.delta and each.revision > item.revision]
    more = f"; {len(later)} deltas go on from there" if later else ""
    app.note(f"{path}: {item.name}, {item.size / 1e6:.2f} MB, revision {item.revision}{more}")

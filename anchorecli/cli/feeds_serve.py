"""``anchore feeds serve``: this store's feeds as the upstream of other sites."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import click

from anchorecli.cli.app import App, Start
from anchorecli.cli.options import option
from anchorecli.errors import AnchoreError
from anchorecli.model import Problem


@click.command()
@option("--listen", default="127.0.0.1:8228", show_default=True, metavar="ADDR:PORT", help="Where to answer.")
@option("--dir", "directory", metavar="DIR", help="Where the files are kept [default: beside the store].")
@option("--sign", metavar="KEY", help="Sign the files with this private key (see: feeds keygen).")
@option("--refresh-interval", default=60, show_default=True, metavar="SECONDS", type=click.IntRange(min=1),
        help="How often to look whether the store was synced.")  # fmt: skip
@option("--once", is_flag=True, help="Write the files and end, for a web server of your own.")
@click.pass_obj
def serve(
    start: Start, listen: str, directory: str | None, sign: str | None, refresh_interval: int, once: bool
) -> None:
    """Serve this store's feeds to other sites.

    A full file, and a delta for each change since. They take them with `anchore feeds sync --upstream URL`. Keep this
    store up to date with `anchore feeds sync` or `anchore watch run`.
    """
    from anchorecli.feeds.publish import SUFFIX
    from anchorecli.feeds.signing import Signer
    from anchorecli.serve import FileServer

    signer = Signer(Path(sign)) if sign else None
    with start.app(readonly=True) as app:
        store = app.settings.store
        folder = Path(directory) if directory else store.with_name(f"{store.name}.served")
        if once:
            _publish(app, folder, signer)
            return
        server = FileServer(listen, folder, SUFFIX, app.note if app.verbose else lambda _: None)
        try:
            _publish(app, folder, signer)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            app.note(f"serving {folder} at {server.url}")
            while True:
                time.sleep(refresh_interval)
                app.now = start.now()
                try:
                    _publish(app, folder, signer)
                except AnchoreError as error:  # what was published is served on
                    app.tell_problems([Problem("feeds", str(folder), error.message, error.hint)])
        finally:
            server.server_close()


def _publish(app: App, folder: Path, signer: object) -> None:
    from anchorecli.feeds.publish import publish
    from anchorecli.feeds.signing import Signer

    sign = signer if isinstance(signer, Signer) else None
    for each in publish(folder, app.store, app.now, sign):
        app.note(f"{each.name}: {each.size / 1e6:.2f} MB")

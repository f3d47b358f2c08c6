"""``anchore vex IMAGE``: what is settled or accepted in an evaluation, as a VEX document for others."""

from __future__ import annotations

import sys
from typing import Any

import click

from anchorecli.cli.app import Start
from anchorecli.cli.options import option
from anchorecli.errors import NotFoundError

_FORMS = ("openvex", "csaf", "cyclonedx")


@click.command()
@click.argument("image")
@option("-o", "--output", "form", type=click.Choice(_FORMS), default="openvex", show_default=True, help="The format.")
@option("--author", default="anchore", show_default=True, metavar="NAME", help="Who says it.")
@option("--namespace", default="", metavar="URL", help="Where the author's name is unique; CSAF wants it.")
@option(
    "--allowed-as",
    type=click.Choice(["affected", "not_affected"]),
    default="affected",
    show_default=True,
    help="What exceptions of the policy say of what they let through.",
)
@click.pass_obj
def vex(start: Start, /, image: str, form: str, author: str, namespace: str, allowed_as: str, **flags: Any) -> None:
    """Write what is settled or accepted in IMAGE as a VEX document.

    IMAGE is a name, digest or id of an image whose last evaluation counts, or the number of an evaluation. Suppressed
    vulnerabilities are written as not affected (or fixed) with their reason, those that an exception lets through as
    affected with its reason as the action: an accepted risk is still one.

    \b
    anchore vex debian:12 > debian.openvex.json
    anchore scan debian:12 --vex debian.openvex.json
    anchore vex app:1.4 -o csaf --author "Example Org" --namespace https://example.org
    """
    from anchorecli.scan.past import find
    from anchorecli.vex.saying import Author
    from anchorecli.vex.values import VexStatus
    from anchorecli.vex.write import write

    with start.app(flags, readonly=True) as app:
        subject = find(app.store, image)
        if subject.kept is None:
            raise NotFoundError(f"{image} was never evaluated", hint=f"anchore scan {image}")
        text = write(form, subject.kept.report, Author(author, namespace), VexStatus(allowed_as))
        sys.stdout.write(text + "\n")

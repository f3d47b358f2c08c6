"""``anchore replay IMAGE``: an image ever analysed, by any kept feeds and any bundle; no registry, no network."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anchorecli.cli.app import App, Start, text_of
from anchorecli.cli.options import option, output_options, policy_options, vex_option
from anchorecli.cli.output import parse_outputs, render_options, write_outputs
from anchorecli.errors import UsageError

if TYPE_CHECKING:
    from anchorecli.policy.values import Bundle

_DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{6,64}")


@click.command()
@click.argument("image")
@option("--feed-revision", type=click.IntRange(0), metavar="N", help="By the feeds of that revision [default: newest].")
@option("--as-of", metavar="DATE", help="At that moment: YYYY-MM-DD (its end) or YYYY-MM-DDTHH:MM:SSZ.")
@policy_options
@vex_option
@option("--dockerfile", metavar="FILE", help="The Dockerfile it was built from [default: the one given at its scan].")
@output_options("report")
@click.pass_obj
def replay(start: Start, /, image: str, **flags: Any) -> int:
    """Judge IMAGE again as of any moment, from the store alone.

    IMAGE is a name, digest or id of an image that was analysed once, or the number of an evaluation. A name means
    what it named at the moment asked for. --policy takes a file, or the digest of a bundle that an evaluation was made
    with. The clock stands at --as-of, else at the revision asked for, else it is now. Nothing is stored; exit codes
    are those of scan.

    \b
    anchore replay debian:12 --as-of 2026-03-01
    anchore replay app:1.4 --feed-revision 17 --policy sha256:4f0c -o json
    """
    from anchorecli.cli.output import exit_code
    from anchorecli.scan.past import decide_again, find
    from anchorecli.scan.replay import moment_of, replay_inputs

    revision, as_of = flags.pop("feed_revision"), read_moment(flags.pop("as_of"))
    look = render_options(os.environ, show_all=flags.pop("show_all"), color=flags.pop("color"), verbose=start.verbose)
    policy = flags.pop("policy")
    digest = policy if policy and is_digest(policy) else ""
    flags |= {"policy": None if digest else policy, "output": flags.pop("outputs")}
    with start.app(flags, readonly=True) as app:
        outputs = parse_outputs(app.settings.outputs, "report", "table")
        bundle = bundle_of(app, digest)
        subject = find(app.store, image, as_of)
        moment = moment_of(app.store, revision, as_of, app.now)
        inputs = replay_inputs(app.store, subject, bundle, moment, text_of(app.dockerfile), app.vex())
        report = decide_again(app.store, inputs).report
        write_outputs(outputs, report, look)
        app.note(
            f"replayed {subject.analysis.image.digest} by feed revision {report.feed_revision}"
            f" and bundle {bundle.digest} as of {report.created_at}; nothing was stored"
        )
        return exit_code(report)


def bundle_of(app: App, digest: str) -> Bundle:
    """The bundle of a digest, where one was given, else the one in force."""
    if not digest:
        return app.bundle()
    from anchorecli.scan.past import kept_bundle

    return kept_bundle(app.store, digest)


def is_digest(policy: str) -> bool:
    """Whether a bundle is meant by its digest; a file of that name goes first."""
    return _DIGEST.fullmatch(policy) is not None and not Path(policy).exists()


def read_moment(text: str | None) -> str:
    """A date or a time as RFC 3339 UTC, empty for none; a date means its last second. Raises: UsageError."""
    from datetime import UTC, datetime

    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(f"{text}T23:59:59Z" if len(text) == len("2026-03-01") else text)
    except ValueError as exc:
        hint = "write YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SSZ"
        raise UsageError(f"{text!r} is no date", hint=hint) from exc
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""``anchore policy allow``: write an exception into a bundle, and nothing else."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from difflib import unified_diff
from pathlib import Path

import click

from anchorecli.cli.app import App, Start
from anchorecli.cli.options import option
from anchorecli.errors import NotFoundError, UsageError
from anchorecli.model import Finding
from anchorecli.values import dataclass

_LOOKED_AT = 50
"""Evaluations, from the newest on, in which a finding is searched."""
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_MD5 = re.compile(r"[0-9a-f]{32}")
_DAYS = re.compile(r"([1-9]\d{0,6})d")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for."""

    finding: str
    package: str = ""
    gate: str = ""
    image: str = ""


@click.command()
@click.argument("finding")
@option("--reason", required=True, metavar="TEXT", help="Why it may pass.")
@option("--expires", required=True, metavar="WHEN", help="30d, a date (2030-01-31), a time, or: never.")
@option("--owner", default="", metavar="WHO", help="Who answers for it.")
@option("--ticket", default="", metavar="ID", help="Where it is followed.")
@option("--package", default="", metavar="NAME", help='With a vulnerability: of which package ("*": of any).')
@option("--gate", default="", metavar="NAME", help="The gate of a trigger id that no evaluation has.")
@option(
    "--image", default="", metavar="PATTERN", help="Only for images REGISTRY/REPOSITORY:TAG that fit; * is any run."
)
@option("-p", "--policy", "policy", metavar="FILE", help="The bundle [default: the configured one].")
@option("--whitelist", default="", metavar="ID", help="The whitelist [default: the one the bundle uses].")
@option("--dry-run", is_flag=True, help="Print the change as a diff, and write nothing.")
@click.pass_obj
def allow(start: Start, /, finding: str, *, policy: str | None, whitelist: str, dry_run: bool, **texts: str) -> int:
    """Let FINDING through for a time, and say why: writes an exception into the bundle.

    FINDING is a trigger id (CVE-2099-0001+openssl), a vulnerability with --package, the fingerprint of a finding in a
    JSON report, or EVALUATION:NUMBER, its place among the findings there. The file's comments and layout stay.
    """
    from anchorecli.policy.authoring.exceptions import new_exception
    from anchorecli.policy.bundle import load_bundle

    with start.app({"policy": policy}, readonly=True) as app:
        end = _checked(texts, app.now)
        if not app.settings.policy:
            hint = "Make one of your own: anchore policy init policy.yaml; then name it with --policy policy.yaml."
            raise UsageError("no bundle is named, and the built-in one cannot be changed", hint=hint)
        bundle = load_bundle(app.settings.policy)
        about = _selected(app, Wish(finding, texts["package"], texts["gate"], texts["image"]))
        said = {name: texts[name].strip() for name in ("owner", "reason", "ticket")}
        item = about | said | {"created": app.now[:10], "expires": end}
        item = {name: text for name, text in item.items() if text}
        change = new_exception(bundle, item, whitelist)
        if dry_run:
            lines = change.before.splitlines(keepends=True), change.after.splitlines(keepends=True)
            sys.stdout.writelines(_whole(unified_diff(*lines, change.path, change.path)))
            return 0
        _replace(change.path, change.after)
        until = f"until {end}" if end else "without an end"
        app.note(f"{change.path}: {change.item_id} in {change.allowlist_id} lets it through {until}")
    return 0


def _checked(texts: Mapping[str, str], now: str) -> str:
    """The end of the exception. Raises: UsageError for what is wrong with the options."""
    from anchorecli.policy.patterns import wildcard_fault

    if not texts["reason"].strip():
        raise UsageError("--reason is empty", hint="say in a few words why it may pass")
    for name in ("image", "package"):
        if fault := wildcard_fault(texts[name]):
            message = f"--{name} {texts[name]} is not usable as a regular expression: {fault}"
            raise UsageError(message, hint="use * for any run of characters")
    return _end(texts["expires"], now)


def _selected(app: App, wish: Wish) -> dict[str, str]:
    """The part of the item that says which findings it means."""
    image = {"image": wish.image} if wish.image else {}
    if re.fullmatch(r"\d+:\d+", wish.finding):
        number, place = map(int, wish.finding.split(":"))
        return _of(_at(app, number, place)) | image
    if _FINGERPRINT.fullmatch(wish.finding):
        return _of(_known(app, wish.finding)) | image
    if "+" in wish.finding or wish.gate:
        return {"gate": wish.gate or "vulnerabilities", "trigger_id": wish.finding} | image
    if _MD5.fullmatch(wish.finding) or wish.finding == "always":
        return _of(_known(app, wish.finding)) | image
    if not wish.package:
        hint = f'name the package: --package NAME, or --package "*" for {wish.finding} wherever it is'
        raise UsageError(f"{wish.finding} is taken for a vulnerability, which may be in many packages", hint=hint)
    package = {} if wish.package == "*" else {"package": wish.package}
    return {"vulnerability": wish.finding} | package | image


def _of(finding: Finding) -> dict[str, str]:
    return {"gate": finding.gate, "trigger_id": finding.trigger_id}


def _at(app: App, number: int, place: int) -> Finding:
    from anchorecli.report.identity import finding_order
    from anchorecli.scan.kept import recall

    kept = app.store.evaluation(number)
    if kept is None:
        raise NotFoundError(f"there is no evaluation {number}", hint="anchore history lists them")
    verdict = recall(app.store, kept).report.verdict
    findings = sorted(verdict.findings, key=finding_order) if verdict else []
    if not 1 <= place <= len(findings):
        hint = f"anchore history show {number} -o json has them in this order"
        raise NotFoundError(f"evaluation {number} has {len(findings)} findings, and no number {place}", hint=hint)
    return findings[place - 1]


def _known(app: App, wanted: str) -> Finding:
    """The finding with a fingerprint or trigger id, in the newest evaluation that has it."""
    from anchorecli.report.identity import finding_id

    for finding in _stored(app):
        if wanted in (finding.trigger_id, finding_id(finding)):
            return finding
    hint = "Name its gate with --gate if it is a trigger id; or scan the image first."
    raise NotFoundError(f"no finding {wanted} in the last {_LOOKED_AT} evaluations", hint=hint)


def _stored(app: App) -> Iterator[Finding]:
    from anchorecli.scan.kept import recall

    for row in app.store.evaluations(limit=_LOOKED_AT):
        kept = app.store.evaluation(row.id)
        verdict = recall(app.store, kept).report.verdict if kept else None
        yield from verdict.findings if verdict else ()


def _end(text: str, now: str) -> str:
    """The day or time an exception ends; empty for never."""
    from anchorecli.policy.times import utc

    text = text.strip()
    if text == "never":
        return ""
    moment = utc(now) or datetime.now(UTC)
    days = _DAYS.fullmatch(text)
    if days:
        try:
            return (moment + timedelta(days=int(days.group(1)))).date().isoformat()
        except OverflowError:
            raise UsageError(f"--expires {text} is too far away", hint="an exception has to end in time") from None
    end = utc(text)
    if end is None:
        raise UsageError(f"--expires {text} is no time", hint="such as 30d, 2030-01-31, 2030-01-31T12:00:00Z or never")
    if end <= moment:
        raise UsageError(f"--expires {text} is past", hint="an exception has to end later than it begins")
    return text


def _whole(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _replace(path: str, text: str) -> None:
    """Write a file beside its place, then rename; its mode stays, and a link keeps pointing to it."""
    real = Path(path).resolve()
    part = ""
    try:
        handle, part = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        Path(part).chmod(real.stat().st_mode & 0o7777)
        Path(part).replace(real)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", hint="may you write in its folder?") from error
    finally:
        if part:
            Path(part).unlink(missing_ok=True)

"""The head of the table: which image, seen by what evidence, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from anchorecli.model import Action, Check, Checked, FeedState, Finding, Report, Status, Verdict
from anchorecli.report.base import RenderOptions
from anchorecli.report.identity import counted
from anchorecli.report.lines import Line, Style, plural, severity_counts, wrapped
from anchorecli.report.text import clean, fit

_INDENT = 11
_QUIET = 30 * 24 * 60
"""Minutes: a feed without a newer record for so long before it was synced is hardly what its source has."""
_DAY = 24 * 60
_ROUND = 60
"""Minutes that a sync of all feeds may take."""
_MANY = 4
_UNCONFIGURED = {
    "dir": "a directory: no history, no labels; user and entrypoint are not known",
    "rootfs": "the tar of a root file system: no history, no labels; user and entrypoint are not known",
}
"""Transports without an image's configuration: what the report then cannot tell."""
_NAME = 300
"""An image's name is never cut to the width, since it is there to be copied."""


def header(report: Report, options: RenderOptions) -> list[Line]:
    """Image, distribution, packages by type, feeds with their age, policy."""
    image = report.analysis.image
    facts = [str(image.config.platform), short_digest(image.digest or image.image_id), image.config.created[:10]]
    built = f"built {facts.pop()}" if facts[-1] else facts.pop()
    lines: list[Line] = [[(fit(clean(image.ref.name or image.ref.original), _NAME), "title")]]
    for label, text in (
        ("image", ", ".join(fact for fact in (*facts, built) if fact)),
        ("", _UNCONFIGURED.get(image.origin, "")),
        ("distro", _distro(report)),
        ("packages", _packages(report)),
        *zip(("feeds", *[""] * len(report.feeds)), _feeds(report), strict=False),
        ("policy", report.bundle_name or report.bundle_id),
        ("attached", "" if report.attached is None else attached(report.attached)),
    ):
        if text:
            lines += wrapped(clean(text), options.width, first=(f"  {label}", "dim"), indent=_INDENT)
    return lines


def attached(found: Sequence[Checked]) -> str:
    """``signature by release, attestation (slsa.dev/provenance/v1) by ci, 2 documents unchecked``."""
    told = Counter(_hanging(each) for each in found)
    return ", ".join(f"{count} × {text}" if count > 1 else text for text, count in told.items()) or "nothing"


def _hanging(each: Checked) -> str:
    what = f"{each.kind.value} ({each.predicate.removeprefix('https://')})" if each.predicate else each.kind.value
    if each.check is Check.VERIFIED:
        return f"{what} by {each.signer}"
    who = f" of {each.identity}" if each.identity else ""
    return f"{what}{who}, {each.check.value}"


def verdict_lines(report: Report, options: RenderOptions) -> list[Line]:
    """The verdict and its reason, then the vulnerabilities in numbers."""
    verdict = report.verdict
    lines: list[Line] = []
    if verdict is None:
        lines += wrapped("No policy was evaluated.", options.width)
    else:
        style: Style = _STATUS_STYLES[verdict.status]
        lines += wrapped(clean(reason(verdict)), options.width, first=(f"{verdict.status.upper()}  ", style))
    lines += wrapped(numbers(report), options.width)
    return lines


def reason(verdict: Verdict) -> str:
    """Why the verdict is what it is, in one sentence without a full stop."""
    blocking = [finding for finding in verdict.findings if not finding.allowed_by]
    stops = [finding for finding in blocking if finding.action is Action.STOP]
    warns = sum(finding.action is Action.WARN for finding in blocking)
    more = f"; {plural(warns, 'warning')}" if warns else ""
    if verdict.reason == "blacklisted":
        return "the policy blocks this image by name" + more
    if verdict.reason == "whitelisted":
        return "the policy trusts this image by name" + more
    if verdict.reason == "no_mapping":
        return "no mapping of the policy speaks of this image"
    if verdict.status is Status.INDETERMINATE:
        problems = plural(len({p for p in verdict.problems if p.incomplete}), "problem")
        seen = f"; what could be seen has {plural(len(stops), 'finding')} to stop for" if stops else more
        return f"the evidence does not allow a verdict: {problems} below" + seen
    if stops:
        return f"the policy says stop: {plural(len(stops), 'finding')} ({_by_trigger(stops)})" + more
    return "no rule of the policy says stop" + more


def numbers(report: Report) -> str:
    """``12 vulnerabilities in 5 packages: 3 critical, 9 high; 10 have a fix.``"""
    matches = counted(report)
    if not matches:
        if not report.feeds:
            return "No feed was asked for vulnerabilities."
        if not report.analysis.packages:
            return "No package was found, so there was nothing to ask the feeds about."
        seen = " in what could be seen" if any(problem.incomplete for problem in report.problems) else ""
        return f"The feeds know of no vulnerability{seen}."
    packages = len({(match.package.type, match.package.name, match.package.version) for match in matches})
    # A vulnerability of several binary packages is one vulnerability to whoever has to fix it.
    worst = {}
    fixable = set()
    for match in reversed(matches):
        worst[match.id] = match.severity
        if match.fixed_in:
            fixable.add(match.id)
    found = plural(len(worst), "vulnerability", "vulnerabilities")
    return f"{found} in {plural(packages, 'package')}: {severity_counts(worst.values())}; {len(fixable):,} with a fix."


def short_digest(digest: str) -> str:
    """``sha256:`` and twelve digits: enough to tell images apart by eye."""
    return digest[:19]


def age(since: str, now: str) -> str:
    """``40 min``, ``5 h``, ``12 d`` between two RFC 3339 times; empty where one cannot be read."""
    minutes = _minutes(since, now)
    if minutes < 0:
        return ""
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440:,} d"


def _minutes(since: str, now: str) -> int:
    """Minutes between two RFC 3339 times, 0 where they are the wrong way round; -1 where one cannot be read."""
    try:
        passed = datetime.fromisoformat(now) - datetime.fromisoformat(since)
    except (ValueError, TypeError):
        return -1
    return max(int(passed.total_seconds() // 60), 0)


_STATUS_STYLES: dict[Status, Style] = {
    Status.PASS: "pass",
    Status.FAIL: "fail",
    Status.INDETERMINATE: "indeterminate",
}


def _distro(report: Report) -> str:
    distro = report.analysis.distro
    if distro is None:
        return "unknown: no os-release, no package database of a known distribution"
    return distro.pretty_name or f"{distro.name or distro.id} {distro.version_id}"


def _packages(report: Report) -> str:
    types = Counter(package.type for package in report.analysis.packages)
    if not types:
        return "none found"
    by_type = ", ".join(f"{count:,} {name}" for name, count in sorted(types.items(), key=lambda item: (-item[1], item)))
    return by_type if len(types) == 1 else f"{types.total():,}: {by_type}"


def _feeds(report: Report) -> list[str]:
    """The fresh feeds as one text, each starter feed as another."""
    feeds = sorted(report.feeds, key=lambda feed: feed.name)
    fresh = _fresh([feed for feed in feeds if not feed.starter], report.created_at)
    starter = [_starter(feed) for feed in feeds if feed.starter]
    return [fresh] * bool(fresh) + starter or ["none: nothing was matched"]


def _fresh(feeds: Sequence[FeedState], now: str) -> str:
    """Each feed with its age; of many that were synced at once the age is told once."""
    last = max((feed.updated_at for feed in feeds), default="")
    at_once = [feed for feed in feeds if 0 <= _minutes(feed.updated_at, last) <= _ROUND]
    if len(at_once) < _MANY:
        return ", ".join(_feed(feed, now) for feed in feeds)
    oldest = min(feed.updated_at for feed in at_once)
    names = ", ".join(f"{feed.name} ({behind})" if (behind := _behind(feed)) else feed.name for feed in at_once)
    others = "".join(f", {_feed(feed, now)}" for feed in feeds if feed not in at_once)
    return f"{len(at_once)} {_ahead(oldest, now) or f'at most {age(oldest, now) or oldest} old'}: {names}{others}"


def _feed(feed: FeedState, now: str) -> str:
    if not feed.updated_at:
        return f"{feed.name} (never synced)"
    behind = f", {_behind(feed)}" if _behind(feed) else ""
    aged = _ahead(feed.updated_at, now) or f"{age(feed.updated_at, now) or feed.updated_at} old"
    return f"{feed.name} ({aged}{behind})"


def _ahead(since: str, now: str) -> str:
    """What is said of a feed that was synced after the report's moment: by a wrong clock it would look fresh."""
    return f"synced {since[:10]}, after this report's {now[:10]}" if _minutes(now, since) > _DAY else ""


def _behind(feed: FeedState) -> str:
    """Of which day the data is: a copy that was taken in today may be of last year."""
    return f"data of {feed.source_date[:10]}" if _minutes(feed.source_date, feed.updated_at) > _QUIET else ""


def _starter(feed: FeedState) -> str:
    return f"{feed.name}: built in, of {feed.source_date[:10]}, {plural(feed.records, 'record')}, not fresh evidence"


def _by_trigger(findings: list[Finding]) -> str:
    counts = Counter(f"{finding.gate}/{finding.trigger}" for finding in findings)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda item: (-item[1], item)))

"""Security updates of Fedora and EPEL, by Bodhi, where they are pushed from: one record for each, with its CVEs.

Fetched are the updates of the releases that are supported and of some before them, and from then on those pushed since
the last time. EPEL's are about its own packages on Enterprise Linux: ``epel:9``, and ``epel:10.1`` where each minor
release has its own. From a path also a repository's ``updateinfo.xml``; that one is poorer: an update is no longer in
it once a later one of the same package is.

Format: https://bodhi.fedoraproject.org/docs/server_api/, ``releases/`` and ``updates/``: pages ``{"updates": [{"alias":
"FEDORA-2025-…", "type": "security", "status": "stable", "release": {"id_prefix": "FEDORA", "version": "42"}, "builds":
[{"nvr": "curl-8.11.1-4.fc42", "epoch": 0, "type": "rpm"}], "bugs": [{"title": "CVE-2025-…", "security": true}]}],
"page": 1, "pages": 9}``; builds are source packages; EPEL's prefix is ``FEDORA-EPEL``. From a path also one update in a
file. Not handled: modules and flatpaks, EPEL Next.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, Snapshot, from_path
from anchorecli.feeds.osv import reason
from anchorecli.feeds.record import one_line
from anchorecli.feeds.rpm.oval import moment
from anchorecli.feeds.rpm.statements import Said, affected
from anchorecli.feeds.rpm.updateinfo import Update, is_updateinfo, updates
from anchorecli.feeds.snapshot import from_downloads, problem, unpacked_name
from anchorecli.model import Advisory, FeedState, Problem, Severity, Statement
from anchorecli.values import dataclass, replace

if TYPE_CHECKING:
    from anchorecli.net import Download, Fetcher

ROWS = 100
PAST = 4
"""Releases before the oldest supported one whose updates are fetched as well: images outlive them."""
MAX_PAGES = 2000
_OVERLAP = timedelta(days=1)
"""An update is listed some time after it was pushed."""
_ID = re.compile(r"FEDORA-(?:[A-Z]+-)*\d{4}-[0-9a-f]{4,}", re.ASCII)
_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.ASCII)
_RELEASE = re.compile(r"\d{1,3}", re.ASCII)
_BRANCH = re.compile(r"\d{1,3}(?:\.\d{1,2})?", re.ASCII)
_COLLECTION = re.compile(r"F(?P<fedora>\d{1,3})|EPEL-(?P<epel>\d{1,3}(?:\.\d{1,2})?)", re.ASCII)
_PREFIX = "FEDORA"
_EPEL = "FEDORA-EPEL"
_OLD_EPEL = 7
"""The oldest EPEL whose updates are fetched, long archived: images outlive it."""
_URGENT = {"urgent": Severity.CRITICAL}
"""Bodhi's own word; the others are everybody's."""


@dataclass(frozen=True, slots=True)
class Fedora:
    """All security updates that are stable."""

    name: str = "fedora"
    title: str = "Fedora and EPEL security updates (Bodhi)"
    url: str = "https://bodhi.fedoraproject.org"
    attribution: str = "Fedora Project, bodhi.fedoraproject.org"
    version: int = 2

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """Every page of the updates, or of those pushed since the last time; None where none was."""
        base = url.rstrip("/")
        query = f"type=security&status=stable&rows_per_page={ROWS}"
        since = state.source_date if state is not None and state.url == base else ""
        if since:
            start = datetime.fromisoformat(since) - _OVERLAP
            query += f"&pushed_since={start:%Y-%m-%dT%H:%M:%S}"
        query += "".join(f"&releases={each}" for each in _releases(fetcher, base))
        parts = _pages(fetcher, f"{base}/updates/?{query}", progress, empty_ok=bool(since))
        return replace(from_downloads(base, parts, ""), partial=bool(since)) if parts else None

    def open(self, path: Path) -> Snapshot:
        """Pages of the API, updates one by one, or updateinfo: a file, or a folder, zip or tar of them."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One record for each update of a release of Fedora or EPEL."""
        gathered = _Gathered(self.name)
        for item in snapshot.streams(lambda name: is_updateinfo(name) or _is_json(name)):
            if isinstance(item, Problem):
                yield item
                continue
            name, stream = item
            if is_updateinfo(name):
                for update in updates(self.name, name, stream):
                    yield from gathered.erratum(update)
                continue
            try:
                listed = _listed(json.loads(stream.read()))
            except (ValueError, OSError, RecursionError) as error:
                yield problem(f"{self.name}: {name}", reason(error))
                continue
            for each in listed:
                yield from gathered.update(name, each)
        yield from gathered.advisories()


class _Gathered:
    """Updates by id: an updateinfo of each architecture lists them."""

    def __init__(self, feed: str) -> None:
        self._feed = feed
        self._heads: dict[str, Advisory] = {}
        self._rows: dict[str, dict[Said, None]] = {}
        self._others: Counter[str] = Counter()

    def update(self, name: str, content: Any) -> Iterator[Problem]:
        """Take in an update as the API gives it."""
        alias = content.get("alias") if isinstance(content, dict) else None
        subject = alias if isinstance(alias, str) else name
        try:
            if not isinstance(alias, str) or not _ID.fullmatch(alias):
                raise ValueError("not an update: no usable alias")
            if content.get("type") != "security" or content.get("status", "stable") != "stable":
                return
            release = _object(content, "release")
            space = _space(release, alias)
            if not space:
                self._others[_text(release, "name") or "another release"] += 1
                return
            rows = list(_builds(content, space))
            if not rows:
                raise ValueError("it lists no packages")
            self._take(_head(content, alias, self._feed), rows)
        except ValueError as error:
            yield problem(f"{self._feed}: {subject}", str(error))

    def erratum(self, update: Update) -> Iterator[Problem]:
        """Take in an update as a repository's metadata give it."""
        if update.kind != "security":
            return
        found = next(filter(None, map(_COLLECTION.fullmatch, update.collections)), None)
        if not _ID.fullmatch(update.id) or not found:
            self._others[update.collections[0] if update.collections else "another release"] += 1
            return
        space = f"{found.lastgroup}:{found[found.lastgroup or 0]}"
        rows = [Said(space, each.name, Statement.AFFECTED, each.evr, arch=each.arch) for each in update.builds]
        if not rows:
            yield problem(f"{self._feed}: {update.id}", "it lists no packages")
            return
        cves = _cves(update.notes) or _cves((update.title, update.description))
        head = Advisory(
            update.id,
            self._feed,
            aliases=cves,
            severity=_severity(update.severity),
            summary=one_line(update.title),
            url=_url(update.id),
            published=moment(update.issued),
            modified=moment(update.updated) or moment(update.issued),
        )
        self._take(head, rows)

    def _take(self, head: Advisory, rows: list[Said]) -> None:
        held = self._heads.get(head.id)
        if held is None or head.modified > held.modified:
            self._heads[head.id] = head
        self._rows.setdefault(head.id, {}).update(dict.fromkeys(rows))

    def advisories(self) -> Iterator[Advisory | Problem]:
        """What was gathered, sorted by id."""
        for identifier in sorted(self._heads):
            yield replace(self._heads[identifier], affected=affected(self._rows.pop(identifier)))
        for name, count in sorted(self._others.items()):
            message = f"{count} updates of what is no release of Fedora or EPEL left out"
            yield problem(f"{self._feed}: {name}", message, incomplete=False)


def _space(release: dict[str, Any], alias: str) -> str:
    """The namespace of a release; empty for one of which nobody asks."""
    version = _text(release, "version")
    prefix = _text(release, "id_prefix") or (_EPEL if alias.startswith(f"{_EPEL}-") else _PREFIX)
    if prefix == _EPEL:
        return f"epel:{version}" if _BRANCH.fullmatch(version) else ""
    return f"fedora:{version}" if prefix == _PREFIX and _RELEASE.fullmatch(version) else ""


def _is_json(name: str) -> bool:
    """Updates are often kept under the bare name of the update."""
    return unpacked_name(name).endswith(".json") or _ID.fullmatch(name.rpartition("/")[2]) is not None


def _head(content: dict[str, Any], alias: str, feed: str) -> Advisory:
    bugs = [_text(each, "title") for each in _objects(content, "bugs") if each.get("security")]
    titles = (_text(content, "display_name"), _text(content, "title"))
    notes = _text(content, "notes")
    pushed = moment(_text(content, "date_stable") or _text(content, "date_pushed"))
    return Advisory(
        alias,
        feed,
        aliases=_cves(bugs) or _cves(titles) or _cves((notes,)),
        severity=_severity(_text(content, "severity")),
        summary=one_line(titles[0] or titles[1]),
        url=_url(alias),
        published=pushed or moment(_text(content, "date_submitted")),
        modified=max(pushed, moment(_text(content, "date_modified"))),
    )


def _builds(content: dict[str, Any], space: str) -> Iterator[Said]:
    """Raises: ValueError where a build is not named as one."""
    for build in _objects(content, "builds"):
        if build.get("type", "rpm") != "rpm":
            continue
        nvr, epoch = _text(build, "nvr"), build.get("epoch") or 0
        name, _, rest = nvr.rpartition("-")
        name, _, version = name.rpartition("-")
        if not name or not version or not rest or not nvr.isprintable() or not isinstance(epoch, int):
            raise ValueError(f"a build that is not NAME-VERSION-RELEASE: {nvr[:80]!r}")
        yield Said(space, name, Statement.AFFECTED, f"{epoch}:{version}-{rest}", arch="src")


def _releases(fetcher: Fetcher, base: str) -> list[str]:
    """The names of the releases whose updates are wanted, the newest first. Raises: FeedError."""
    url = f"{base}/releases/?rows_per_page={ROWS}&exclude_archived=true"
    try:
        listed = json.loads(fetcher.text(url))["releases"]
        current = [
            int(each["version"]) for each in listed if each["id_prefix"] == _PREFIX and each["version"].isdigit()
        ]
        epel = {each["name"] for each in listed if each["id_prefix"] == _EPEL and _BRANCH.fullmatch(each["version"])}
        past = [f"F{each}" for each in range(max(current), min(current) - PAST - 1, -1)]
        return past + sorted(epel | {f"EPEL-{_OLD_EPEL}"})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise FeedError(f"{url} lists no releases of Fedora", hint="check the base URL of fedora") from error


def _pages(fetcher: Fetcher, url: str, progress: Progress, *, empty_ok: bool) -> dict[str, Download]:
    """Every page. What is pushed meanwhile moves updates to later pages, never to earlier ones. Raises: FeedError."""
    parts: dict[str, Download] = {}
    page, total = 1, 1
    try:
        while page <= min(total, MAX_PAGES):
            found = fetcher.download(f"{url}&page={page}")
            assert found is not None  # noqa: S101 - nothing was asked conditionally
            parts[f"{page:06}.json"] = found
            content = json.loads(found.file.read())
            found.file.seek(0)
            total = int(content["pages"])
            if empty_ok and page == 1 and not _listed(content):
                break
            progress("download", page, total)
            page += 1
        else:
            return parts
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        _close(parts)
        raise FeedError(f"{url}&page={page} is no page of Bodhi's updates", hint="check the base URL") from error
    except BaseException:
        _close(parts)
        raise
    _close(parts)
    return {}


def _close(parts: dict[str, Download]) -> None:
    for each in parts.values():
        each.file.close()


def _listed(content: Any) -> list[Any]:
    """The updates of a page, or the one that a file holds. Raises: ValueError."""
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    if "alias" in content:
        return [content]
    found = content.get("updates", [content["update"]] if "update" in content else None)
    if not isinstance(found, list):
        raise ValueError("neither a page of updates nor an update")
    return found


def _cves(texts: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for text in texts for each in _CVE.findall(text)))


def _severity(word: str) -> Severity:
    word = word.strip().lower()
    return Severity.UNKNOWN if word == "none" else _URGENT.get(word) or Severity.parse(word)


def _url(identifier: str) -> str:
    return f"https://bodhi.fedoraproject.org/updates/{identifier}"


def _text(content: dict[str, Any], name: str) -> str:
    found = content.get(name)
    if found is not None and not isinstance(found, str):
        raise ValueError(f"{name} is not text")
    return found or ""


def _object(content: dict[str, Any], name: str) -> dict[str, Any]:
    found = content.get(name)
    if not isinstance(found, dict):
        raise ValueError(f"{name} is not an object")
    return found


def _objects(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = content.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ValueError(f"{name} holds something other than objects")
    return found

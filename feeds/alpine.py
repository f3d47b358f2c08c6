"""Alpine's secdb: for every release and repository, which package version fixed which vulnerabilities.

It says what is fixed and what is not affected (version ``0``); it is silent about what is still open, and about
severities, which stay unknown.

Records: one advisory for each vulnerability, over all releases and both repositories. So a fix that is published
touches one record, and a vulnerability is found once by its id; the price, paid twice a year, is that a new release
touches all the records it takes part in.

Format: https://secdb.alpinelinux.org/, ``v3.20/main.json``: ``{"distroversion": "v3.20", "reponame": "main",
"packages": [{"pkg": {"name": "curl", "secfixes": {"8.9.1-r0": ["CVE-2024-7264"], "0": ["CVE-2021-22897"]}}}]}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING, Any

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, Snapshot, from_path
from anchorecli.feeds.snapshot import from_downloads, problem
from anchorecli.model import Advisory, Affected, FeedState, Problem, Range, Statement
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Download, Fetcher

REPOSITORIES = ("main", "community")
_LINK = re.compile(r"""href=["']?/?(v\d{1,3}\.\d{1,3}|edge)/""")
_RELEASE = re.compile(r"v?(\d{1,3}\.\d{1,3})|(edge)")
_COMMENT = re.compile(r"\([^()]*\)")
_CVE = re.compile(r"CVE[-_](\d{4}-\d{4,})(?:\.patch)?", re.IGNORECASE)
_OTHER = re.compile(r"(?=[^\s]*\d)[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)+|VSV\d+")
_NOT_AFFECTED = "0"
_MISSING = "missing"
"""Stands for the ETag of a file that upstream does not have: a new release starts without community."""


@dataclass(frozen=True, slots=True)
class Alpine:
    """All releases that secdb lists, and edge."""

    name: str = "alpine"
    title: str = "Alpine Linux secdb"
    url: str = "https://secdb.alpinelinux.org"
    attribution: str = "Alpine Linux security database, secdb.alpinelinux.org"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """Every release's files; those that have not changed are asked for conditionally first."""
        base = url.rstrip("/")
        names = _listed(fetcher, base)
        known = _known_tags(state) if state is not None and state.url == base else {}
        if known and set(known) == set(names):
            first = _first_changed(fetcher, base, names, known)
            if first is None:
                return None
        parts: dict[str, Download] = {}
        try:
            for number, name in enumerate(names, 1):
                found = fetcher.download(f"{base}/{name}", missing_ok=True)
                if found is not None:
                    parts[name] = found
                progress("download", number, len(names))
        except BaseException:
            for part in parts.values():
                part.file.close()
            raise
        missing = [name for name in names if name not in parts]
        tags = {name: part.etag for name, part in parts.items()} | dict.fromkeys(missing, _MISSING)
        problems = tuple(problem(f"alpine: {name}", f"{base} does not have it") for name in missing)
        return from_downloads(base, parts, json.dumps(tags), problems)

    def open(self, path: Path) -> Snapshot:
        """One file of a release, or a folder or zip of them."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One advisory for each vulnerability id."""
        gathered = _Gathered()
        for member in snapshot.members(lambda name: ".json" in name):
            if isinstance(member, Problem):
                yield member
                continue
            yield from gathered.read(*member)
        yield from gathered.advisories(self.name)


def _listed(fetcher: Fetcher, base: str) -> list[str]:
    """The files of every release that the index page links to. Raises: FeedError where it links to none."""
    releases = sorted(set(_LINK.findall(fetcher.text(f"{base}/"))))
    if not releases:
        raise FeedError(
            f"{base}/: the page lists no releases (v3.20/, edge/ …)",
            hint="check the base URL; a mirror without an index can be read with --from",
        )
    # The first releases have no community repository.
    return [
        f"{release}/{repository}.json"
        for release in releases
        for repository in REPOSITORIES
        if repository == "main" or release not in ("v3.2",)
    ]


def _known_tags(state: FeedState) -> dict[str, str]:
    try:
        tags = json.loads(state.etag)
    except ValueError:
        return {}
    usable = isinstance(tags, dict) and all(isinstance(tag, str) and tag for tag in tags.values())
    return tags if usable else {}


def _first_changed(fetcher: Fetcher, base: str, names: list[str], tags: dict[str, str]) -> str | None:
    for name in names:
        if tags[name] == _MISSING:
            continue
        found = fetcher.download(f"{base}/{name}", etag=tags[name])
        if found is not None:
            found.file.close()
            return name
    return None


class _Gathered:
    """Fixes by vulnerability: secdb lists them by package and version."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[tuple[str, str], dict[str, None]]] = {}
        self._aliases: dict[str, set[str]] = {}

    def read(self, name: str, data: bytes) -> Iterator[Problem]:
        """Take in the file of one repository."""
        try:
            content = json.loads(data)
            release, packages = _head(content)
        except (ValueError, RecursionError) as error:
            yield problem(f"alpine: {name}", f"not a secdb file: {error}")
            return
        for entry in packages:
            package = entry.get("pkg") if isinstance(entry, dict) else None
            fixes = package.get("secfixes") if isinstance(package, dict) else None
            title = package.get("name") if isinstance(package, dict) else None
            if not isinstance(title, str) or not title.isprintable() or not isinstance(fixes, dict | None):
                yield problem(f"alpine: {name}", f"an entry that is not a package: {str(entry)[:80]}")
                continue
            for version, identifiers in (fixes or {}).items():
                yield from self._fixed((release, intern(title)), version, identifiers)

    def _fixed(self, place: tuple[str, str], version: str, identifiers: Any) -> Iterator[Problem]:
        subject = f"alpine: {place[0]} {place[1]} {version}"
        if not isinstance(identifiers, list | None) or not version.isprintable() or not version:
            yield problem(subject, "not a version with its vulnerabilities")
            return
        for text in identifiers or ():
            named = _names(text) if isinstance(text, str) else ([], [])
            if not any(named):
                yield problem(subject, f"no vulnerability id in {str(text)[:80]!r}")
                continue
            self._note(place, intern(version), *named)

    def _note(self, place: tuple[str, str], version: str, cves: list[str], others: list[str]) -> None:
        for identifier in cves or others[:1]:
            self._rows.setdefault(identifier, {}).setdefault(place, {})[version] = None
            for other in others if cves else others[1:]:
                self._aliases.setdefault(other, set()).add(identifier)

    def advisories(self, feed: str) -> Iterator[Advisory]:
        """What was gathered, sorted by id."""
        aliases: dict[str, list[str]] = {}
        for other, identifiers in sorted(self._aliases.items()):
            # One XSA may be about several CVEs: then it is another name of none of them.
            if len(identifiers) == 1 and other not in self._rows:
                aliases.setdefault(next(iter(identifiers)), []).append(other)
        for identifier in sorted(self._rows):
            places = self._rows.pop(identifier)
            yield Advisory(
                identifier,
                feed,
                aliases=tuple(aliases.get(identifier, ())),
                url=f"https://security.alpinelinux.org/vuln/{identifier}",
                affected=tuple(
                    statement for place in sorted(places) for statement in _statements(place, places[place])
                ),
            )


def _head(content: Any) -> tuple[str, list[Any]]:
    """Release and packages. Raises: ValueError where they are not there."""
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    release = _RELEASE.fullmatch(str(content.get("distroversion", "")))
    packages = content.get("packages")
    if release is None:
        raise ValueError("no distroversion")
    if not isinstance(packages, list | None):
        raise ValueError("packages is not a list")
    return f"alpine:{release[1] or release[2]}", packages or []


def _names(text: str) -> tuple[list[str], list[str]]:
    """The CVEs and the other ids in an entry: ``CVE-2017-8904 XSA-214``, ``CVE-2018-14462 (ICMP)``, ``CVE_2019-1``."""
    cves, others = [], []
    for word in _COMMENT.sub(" ", text).split():
        if cve := _CVE.fullmatch(word):
            cves.append(intern(f"CVE-{cve[1]}"))
        elif _OTHER.fullmatch(word) and len(word) < 100:
            others.append(intern(word))
    return cves, others


def _statements(place: tuple[str, str], versions: dict[str, None]) -> Iterator[Affected]:
    """A vulnerability that was fixed twice is fixed by the later one: both bounds are kept, the wider range wins."""
    fixes = [version for version in versions if version != _NOT_AFFECTED]
    ecosystem, package = place
    if fixes:
        yield Affected(ecosystem, package, "apk", ranges=tuple(Range(fixed=version) for version in fixes))
    else:
        yield Affected(ecosystem, package, "apk", statement=Statement.NOT_AFFECTED)

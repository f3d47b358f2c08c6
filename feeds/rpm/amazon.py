"""Amazon Linux errata (ALAS): the updateinfo of every repository of Amazon Linux 2 and 2023, and of AL2's extras.

An extra's packages have the names of the distribution's own (``kernel`` of ``kernel-5.15``, ``postgresql`` of
``postgresql14``); its errata speak only of versions from the extra's own on.

Format: see ``updateinfo``; a repository is found by its ``mirror.list`` (a base URL a line), AL2's extras by
``extras-catalog.json``. From a path also the JSON of the vuls project, one file for each erratum with the same fields.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, Snapshot, from_path
from anchorecli.feeds.record import one_line
from anchorecli.feeds.rpm.oval import moment
from anchorecli.feeds.rpm.several import fetch_files
from anchorecli.feeds.rpm.statements import Said, affected
from anchorecli.feeds.rpm.updateinfo import Build, Update, evr, is_updateinfo, location, updates
from anchorecli.feeds.snapshot import problem, unpacked_name
from anchorecli.model import Advisory, FeedState, Problem, Severity, Statement
from anchorecli.values import dataclass, replace

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

BASE = "https://cdn.amazonlinux.com"
ARCHES = ("x86_64", "aarch64")
CORE = {"2": "2/core/latest/{arch}/mirror.list", "2023": "al2023/core/mirrors/latest/{arch}/mirror.list"}
LIVEPATCH = "al2023/kernel-livepatch/mirrors/latest/{arch}/mirror.list"
EXTRAS = "2/extras-catalog.json"
EXTRA = "2/extras/{topic}/latest/{arch}/mirror.list"

_COLLECTION = re.compile(r"amazon-linux(?:-(ami|\d+))?(?:---?(.*))?")
_ID = re.compile(r"ALAS(\d{0,4})([A-Z][\w.-]*?)?-(\d{4})-(\d+)")
_TOPIC = re.compile(r"[\w.+-]{1,80}")
_DIGITS = "0123456789."
_SYMBOLS = re.compile(r"-debug(?:info|source)(?:$|-)")
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_FIRST = "amzn:1"
"""The first Amazon Linux, whose releases are called by years."""


@dataclass(frozen=True, slots=True)
class Amazon:
    """Amazon Linux 2 and 2023; the first Amazon Linux too where its updateinfo is given."""

    name: str = "amazon"
    title: str = "Amazon Linux errata (ALAS)"
    url: str = BASE
    attribution: str = "Amazon Linux Security Center, alas.aws.amazon.com"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The updateinfo of every repository; its name holds its digest, so a changed one has another URL."""
        base = url.rstrip("/")
        files: dict[str, str] = {}
        missing: list[Problem] = []
        for name, path in _repositories(fetcher, base):
            if address := _updateinfo(fetcher, base, path):
                files[f"{name}/{address.rpartition('/')[2]}"] = address
            elif "/core/" in name:  # not every extra is built for every architecture
                missing.append(problem(f"{self.name}: {name}", f"{base} does not have its errata"))
        found = fetch_files(fetcher, state, base, files, progress)
        return found and replace(found, problems=(*found.problems, *missing))

    def open(self, path: Path) -> Snapshot:
        """Files of updateinfo, packed or not, or of the JSON form."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One record for each erratum: the repositories of all architectures list it."""
        gathered = _Gathered(self.name)
        for item in snapshot.streams():
            if isinstance(item, Problem):
                yield item
                continue
            name, stream = item
            if unpacked_name(name).endswith(".json"):
                try:
                    found: Iterable[Update] = (_from_json(json.loads(stream.read())),)
                except (ValueError, RecursionError) as error:
                    yield problem(f"{self.name}: {name}", f"not an erratum: {error}")
                    continue
            elif is_updateinfo(name):
                found = updates(self.name, name, stream)
            else:
                continue
            for update in found:
                yield from gathered.take(update)
        yield from gathered.advisories()


def _repositories(fetcher: Fetcher, base: str) -> Iterator[tuple[str, str]]:
    """Name and path of the mirror list of each repository. Raises: FeedError."""
    for arch in ARCHES:
        for release, path in CORE.items():
            yield f"{release}/core/{arch}", path.format(arch=arch)
        yield f"2023/kernel-livepatch/{arch}", LIVEPATCH.format(arch=arch)
    for topic in _topics(fetcher.text(f"{base}/{EXTRAS}"), f"{base}/{EXTRAS}"):
        for arch in ARCHES:
            yield f"2/{topic}/{arch}", EXTRA.format(topic=topic, arch=arch)


def _topics(text: str, url: str) -> list[str]:
    try:
        listed = json.loads(text)
        topics = listed["topics"] if isinstance(listed, dict) else listed
        return [each["n"] for each in topics if _TOPIC.fullmatch(each["n"])]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FeedError(f"{url} is not the catalog of extras", hint="check the base URL") from error


def _updateinfo(fetcher: Fetcher, base: str, path: str) -> str:
    """The URL of a repository's updateinfo; empty where there is no such repository, or it has no errata.

    Raises: FeedError where it has no usable metadata.
    """
    listed = fetcher.download(f"{base}/{path}", missing_ok=True)
    if listed is None:
        return ""
    with listed.file as file:
        lines = file.read(64 * 1024).decode("utf-8", "replace").split()
    mirror = next((each.rstrip("/") for each in lines if each.startswith(("https://", "http://"))), "")
    if not mirror:
        raise FeedError(f"{base}/{path} names no mirror", hint="check the base URL")
    # A mirror that somebody made keeps the list as it was: what it points to is asked of the mirror.
    mirror = base + mirror[len(BASE) :] if mirror.startswith(f"{BASE}/") else mirror
    text = fetcher.text(f"{mirror}/repodata/repomd.xml")
    try:
        found = location(io.BytesIO(text.encode()), "updateinfo")
    except ValueError as error:
        raise FeedError(f"{mirror}/repodata/repomd.xml: {error}", hint="check the mirror") from error
    return f"{mirror}/{found}" if found else ""


def _from_json(content: Any) -> Update:
    """Raises: ValueError where it has not the fields of an erratum."""
    try:
        packages = content["Pkglist"]["Collection"]["Package"]
        return Update(
            id=content["ID"],
            kind=content["Type"],
            title=content["Title"],
            severity=content.get("Severity", ""),
            issued=content["Issued"]["Date"],
            updated=content["Updated"]["Date"],
            description=content.get("Description", ""),
            cves=tuple(each["ID"] for each in content["References"]["Reference"] or () if each["Type"] == "cve"),
            collections=(content["Pkglist"]["Collection"]["Short"],),
            builds=tuple(
                Build(each["Name"], evr(each.get("Epoch", ""), each["Version"], each["Release"]), each["Arch"])
                for each in packages or ()
            ),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a field is missing or of another type: {error}") from error


class _Gathered:
    """Errata by id: their heads, and the builds of all repositories."""

    def __init__(self, feed: str) -> None:
        self._feed = feed
        self._heads: dict[str, Update] = {}
        self._builds: dict[str, dict[tuple[str, Build], None]] = {}

    def take(self, update: Update) -> Iterator[Problem]:
        """Take in an erratum of one repository."""
        found = _ID.fullmatch(update.id)
        if found is None:
            yield problem(f"{self._feed}: {update.id[:80]!r}", "not the id of an erratum")
            return
        space = _space(update, found)
        if not space:
            yield problem(f"{self._feed}: {update.id}", f"of an unknown repository: {update.collections}")
            return
        held = self._heads.get(update.id)
        if held is None or update.updated > held.updated:
            # Only the head is kept: of ten thousand errata the texts alone would be a hundred megabytes.
            self._heads[update.id] = update._replace(builds=(), description="")
        builds = self._builds.setdefault(update.id, {})
        if not all(build.name for build in update.builds):
            yield problem(f"{self._feed}: {update.id}", "a package without a name")
        for build in filter(attrgetter("name"), update.builds):
            # Symbols for debuggers hold no code; whoever installs them is asked by the source too.
            if not _SYMBOLS.search(build.name):
                builds[space, build] = None

    def advisories(self) -> Iterator[Advisory | Problem]:
        """What was gathered, sorted by id."""
        for identifier in sorted(self._heads):
            update, builds = self._heads[identifier], self._builds.pop(identifier)
            cves = tuple(dict.fromkeys(each for each in update.cves if _CVE.fullmatch(each)))
            statements = affected(_said(space, build, identifier) for space, build in builds)
            if not statements:
                yield problem(f"{self._feed}: {identifier}", "it lists no packages")
                continue
            yield Advisory(
                identifier,
                self._feed,
                aliases=cves,
                severity=Severity.parse(update.severity),
                summary=one_line(update.title),
                url=_url(identifier),
                published=moment(update.issued),
                modified=moment(update.updated) or moment(update.issued),
                affected=statements,
            )


def _space(update: Update, found: re.Match[str]) -> str:
    """The namespace, by the repository's name, or by the id where there is none."""
    release = ""
    for short in update.collections:
        if collection := _COLLECTION.match(short.lower().replace(" ", "-")):
            release = collection[1] or ""
            break
    release = release or found[1] or "ami"
    if release == "ami":
        return _FIRST
    return f"amzn:{release}" if release in ("2", "2022", "2023") else ""


def _said(space: str, build: Build, identifier: str) -> Said:
    introduced = _beginning(identifier, build.evr)
    return Said(space, build.name, Statement.AFFECTED, build.evr, introduced=introduced, arch=build.arch)


def _beginning(identifier: str, fixed: str) -> str:
    """Where an extra's versions begin, if its name says so and the fix is one of them: 5.15 of KERNEL-5.15."""
    found = _ID.fullmatch(identifier)
    topic = (found[2] or "") if found else ""
    plain = topic.rstrip("-")
    version = plain[len(plain.rstrip(_DIGITS)) :].rpartition("..")[2].lstrip(".")
    if not version or version.endswith("."):
        return ""
    epoch, colon, rest = fixed.rpartition(":")
    return f"{epoch}{colon}{version}" if rest.startswith(f"{version}.") else ""


def _url(identifier: str) -> str:
    found = _ID.fullmatch(identifier)
    number = found[1] if found else ""
    folder = {"": "", "2": "AL2/", "2023": "AL2023/", "2022": "AL2022/"}.get(number, "")
    # AL2's pages go without the number of the release: ALAS2-2018-939 is AL2/ALAS-2018-939.
    page = re.sub(r"^ALAS\d+", "ALAS", identifier)
    return f"https://alas.aws.amazon.com/{folder}{page}.html"

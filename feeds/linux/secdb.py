"""The security databases of apk distributions: for every package, which of its versions fixed which vulnerabilities.

They say what is fixed and what is not affected (version ``0``); they are silent about what is still open, and about
severities, which stay unknown.

Records: one advisory for each vulnerability, over all releases and repositories. So a fix that is published touches
one record, and a vulnerability is found once by its id; the price, paid twice a year, is that a new release touches all
the records it takes part in.

Format: https://secdb.alpinelinux.org/, ``v3.20/main.json``: ``{"distroversion": "v3.20", "reponame": "main",
"packages": [{"pkg": {"name": "curl", "secfixes": {"8.9.1-r0": ["CVE-2024-7264"], "0": ["CVE-2021-22897"]}}}]}``; the
same as YAML, ``main.yaml``. Wolfi and Chainguard have no ``distroversion``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from sys import intern
from typing import Any

from anchorecli.feeds.plain_yaml import load_yaml
from anchorecli.feeds.snapshot import problem
from anchorecli.model import Advisory, Affected, Problem, Range, Statement

RELEASE = re.compile(r"v?(\d{1,3}\.\d{1,3})|(edge)")
_COMMENT = re.compile(r"\([^()]*\)")
_CVE = re.compile(r"CVE[-_](\d{4}-\d{4,})(?:\.patch|-\d)?", re.IGNORECASE)
_OTHER = re.compile(r"(?=[^\s]*\d)[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)+|VSV\d+")
_NOT_AFFECTED = "0"
_NOTHING = (None, "")
"""What stands behind a key without a value: null in JSON, an empty text from the reader of YAML."""
_HOSTS = {
    "packages.wolfi.dev": "wolfi",
    "packages.cgr.dev": "chainguard",
    "packages.mini.dev": "minimos",
    "apk.cve0.io": "secureos",
}
"""Where the packages are from says whose file it is, since nothing else does."""

Place = tuple[str, str]
"""A namespace and a package in it."""


def is_secdb(name: str) -> bool:
    """Whether a member is one of the files, perhaps compressed, by its name."""
    return any(form in name for form in (".json", ".yaml", ".yml"))


class Gathered:
    """Fixes by vulnerability: the files list them by package and version.

    ``rolling`` is the namespace of a distribution without releases, empty where the files name theirs.
    """

    def __init__(self, feed: str, page: str, rolling: str = "") -> None:
        self._feed = feed
        self._page = page
        self._rolling = rolling
        self._rows: dict[str, dict[Place, dict[str, None]]] = {}
        self._aliases: dict[str, set[str]] = {}
        self._twins = Twins()

    def read(self, name: str, data: bytes) -> Iterator[Problem]:
        """Take in the file of one repository."""
        subject = f"{self._feed}: {name}"
        try:
            content = _loaded(name, data)
            space, packages = self._head(content)
        except (ValueError, RecursionError) as error:
            yield problem(subject, f"not a secdb file: {error}")
            return
        for entry in packages:
            package = entry.get("pkg") if isinstance(entry, dict) else None
            fixes = package.get("secfixes") if isinstance(package, dict) else None
            title = package.get("name") if isinstance(package, dict) else None
            fixes = {} if fixes in _NOTHING else fixes
            if not isinstance(title, str) or not title or not title.isprintable() or not isinstance(fixes, dict):
                yield problem(subject, f"an entry that is not a package: {str(entry)[:80]}")
                continue
            for version, identifiers in fixes.items():
                yield from self._fixed((space, intern(title)), version, [] if identifiers in _NOTHING else identifiers)

    def _head(self, content: Any) -> tuple[str, list[Any]]:
        """Namespace and packages. Raises: ValueError where they are not there."""
        if not isinstance(content, dict):
            raise ValueError("not an object")
        packages = content.get("packages")
        packages = [] if packages in _NOTHING else packages
        if not isinstance(packages, list):
            raise ValueError("packages is not a list")
        version = content.get("distroversion")
        if self._rolling:
            self._check_rolling(content)
            return self._rolling, packages
        release = RELEASE.fullmatch(str(version or ""))
        if release is None:
            raise ValueError("no distroversion")
        return f"{self._feed}:{release[1] or release[2]}", packages

    def _check_rolling(self, content: dict[str, Any]) -> None:
        if "packages" not in content:
            raise ValueError("no packages")
        # SecureOS calls itself v1; Alpine's numbers have two parts.
        if (version := content.get("distroversion")) and RELEASE.fullmatch(str(version)):
            raise ValueError(f"it is about a release, {version}")
        host = str(content.get("urlprefix", "")).partition("://")[2].partition("/")[0]
        if (owner := _HOSTS.get(host, self._rolling)) != self._rolling:
            raise ValueError(f"it is {owner}'s")

    def _fixed(self, place: Place, version: str, identifiers: Any) -> Iterator[Problem]:
        subject = f"{self._feed}: {' '.join(place)} {version}"
        if not isinstance(identifiers, list) or not version.isprintable() or not version:
            yield problem(subject, "not a version with its vulnerabilities")
            return
        found: list[str] = []
        for text in identifiers:
            cves, others = _names(text) if isinstance(text, str) else ([], [])
            if not cves and not others:
                yield problem(subject, f"no vulnerability id in {str(text)[:80]!r}")
                continue
            found += cves or others[:1]
            self._note(place, intern(version), cves, others)
        if self._rolling:
            self._twins.note(place[1], found)

    def _note(self, place: Place, version: str, cves: list[str], others: list[str]) -> None:
        for identifier in cves or others[:1]:
            self._rows.setdefault(identifier, {}).setdefault(place, {})[version] = None
            for other in others if cves else others[1:]:
                self._aliases.setdefault(other, set()).add(identifier)

    def advisories(self) -> Iterator[Advisory]:
        """What was gathered, sorted by id."""
        aliases: dict[str, list[str]] = {}
        for other, cve in self._twins.pairs():
            self._rows.pop(other, None)
            self._aliases.setdefault(other, set()).add(cve)
        for other, identifiers in sorted(self._aliases.items()):
            # One XSA may be about several CVEs: then it is another name of none of them.
            if len(identifiers) == 1 and other not in self._rows:
                aliases.setdefault(next(iter(identifiers)), []).append(other)
        for identifier in sorted(self._rows):
            places = self._rows.pop(identifier)
            yield Advisory(
                identifier,
                self._feed,
                aliases=tuple(aliases.get(identifier, ())),
                url=f"{self._page}/{identifier}",
                affected=tuple(
                    statement for place in sorted(places) for statement in _statements(place, places[place])
                ),
            )


class Twins:
    """Which GHSA is which CVE, in lists that name both without saying so.

    Wolfi and Chainguard list ``CVE-2024-6104`` and ``GHSA-v6v8-xj6m-xwqh`` side by side where they mean one flaw. A
    GHSA is taken for a CVE where it stands in no list without it, and that CVE is the only one of which this holds; in
    one list alone it is not enough, unless that has nothing else. A GHSA that stays is reported on its own.
    """

    def __init__(self) -> None:
        self._with: dict[str, frozenset[str]] = {}
        self._packages: dict[str, set[str]] = {}
        self._certain: set[str] = set()

    def note(self, package: str, identifiers: list[str]) -> None:
        """Take in what is listed behind one version."""
        cves = frozenset(each for each in identifiers if each.startswith("CVE-"))
        for other in identifiers:
            if not other.startswith("GHSA-"):
                continue
            self._with[other] = self._with.get(other, cves) & cves
            self._packages.setdefault(other, set()).add(package)
            if len(identifiers) == 2:
                self._certain.add(other)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Each GHSA that is a CVE, with it."""
        claims: dict[str, list[str]] = {}
        for other, cves in sorted(self._with.items()):
            if len(cves) == 1:
                claims.setdefault(next(iter(cves)), []).append(other)
        for cve, others in claims.items():
            if len(others) == 1 and (others[0] in self._certain or len(self._packages[others[0]]) > 1):
                yield others[0], cve


def _loaded(name: str, data: bytes) -> Any:
    """The file as plain values. Raises: ValueError where it is neither JSON nor YAML."""
    return json.loads(data) if ".json" in name else load_yaml(data.decode("utf-8"))


def _names(text: str) -> tuple[list[str], list[str]]:
    """The CVEs and the other ids in an entry: ``CVE-2017-8904 XSA-214``, ``CVE-2018-14462 (ICMP)``, ``CVE_2019-1``."""
    cves, others = [], []
    for word in _COMMENT.sub(" ", text).split():
        if cve := _CVE.fullmatch(word):
            cves.append(intern(f"CVE-{cve[1]}"))
        elif _OTHER.fullmatch(word) and len(word) < 100:
            others.append(intern(word))
    return cves, others


def _statements(place: Place, versions: dict[str, None]) -> Iterator[Affected]:
    """A vulnerability that was fixed twice is fixed by the later one: both bounds are kept, the wider range wins."""
    fixes = [version for version in versions if version != _NOT_AFFECTED]
    space, package = place
    if fixes:
        yield Affected(space, package, "apk", ranges=tuple(Range(fixed=version) for version in fixes))
    else:
        yield Affected(space, package, "apk", statement=Statement.NOT_AFFECTED)

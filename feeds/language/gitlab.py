"""GitLab's advisory database, open source edition, for what GitHub's has no ecosystem for: Conan, of C and C++.

Format: https://gitlab.com/gitlab-org/advisories-community, ``conan/gsoap/CVE-2020-13574.yml``: ``identifier``,
``identifiers``, ``package_slug: conan/gsoap``, ``title``, ``date``, ``pubdate``, ``cvss_v2`` (without its version),
``cvss_v3``, and ``affected_range``: ``>=2.0 <2.8.108||=3.0``, all versions where it is empty. Not handled: the other
ecosystems, which GitHub and osv.dev speak of, 30 days earlier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorecli.feeds import cvss
from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.language.constraints import inside, parse
from anchorecli.feeds.language.trees import day, gathered, load_yaml, rating, records, text, texts
from anchorecli.feeds.record import one_line
from anchorecli.model import Advisory, Affected, Cvss, FeedState, Problem, Range
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

SCHEME = "fuzzy"
"""A recipe has the version of the library it builds, however that counts (1.1.1k, 2023-01-01)."""
_ID = re.compile(r"(?:CVE|GHSA|GMS)-[\w-]{4,40}", re.ASCII)
_SLUG = re.compile(r"conan/([a-z0-9_][a-z0-9_+.-]{0,100})", re.ASCII)
_NEXT = re.compile(r"(?<![\s,])[\s,]++(?=[<>=])")


@dataclass(frozen=True, slots=True)
class GitLab:
    """The advisories on packages of Conan."""

    name: str = "gitlab"
    title: str = "GitLab advisory database, open source edition (Conan)"
    url: str = (
        "https://gitlab.com/gitlab-org/advisories-community/-/archive/main/advisories-community-main.zip?path=conan"
    )
    attribution: str = "GitLab Advisory Database (Open Source Edition), MIT"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The zip of the folder for Conan."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """A clone, a zip of it, or a part of either."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """Every vulnerability, with all packages it is in."""
        return gathered(records(snapshot, self.name, _is_record, self._read))

    def _read(self, _: str, data: bytes) -> Advisory | None:
        found = load_yaml(data)
        if not isinstance(found, dict):
            raise ValueError("not a YAML mapping")
        identifier, package = text(found, "identifier").upper(), _SLUG.fullmatch(text(found, "package_slug"))
        if not _ID.fullmatch(identifier) or package is None:
            raise ValueError("no usable identifier or package_slug")
        scores = tuple(_scores(found))
        ranges = tuple(dict.fromkeys(_ranges(text(found, "affected_range"))))
        return Advisory(
            identifier,
            self.name,
            aliases=tuple(
                dict.fromkeys(
                    each for each in texts(found, "identifiers") if each != identifier and _ID.fullmatch(each)
                )
            ),
            severity=rating(scores),
            summary=one_line(text(found, "title")),
            url=f"https://advisories.gitlab.com/pkg/conan/{package[1]}/{identifier}/",
            published=day(text(found, "pubdate")),
            modified=day(text(found, "date")),
            cvss=scores,
            affected=(Affected("conan", package[1], SCHEME, ranges=ranges),),
        )


def _is_record(name: str) -> bool:
    return name.endswith(".yml") and "conan/" in name


def _ranges(condition: str) -> Iterator[Range]:
    """Raises: ValueError where a part of the condition cannot be read."""
    for part in condition.split("||") if condition else ():
        yield inside(SCHEME, parse(SCHEME, _NEXT.sub(",", part.strip())))


def _scores(found: dict[str, Any]) -> Iterator[Cvss]:
    for name in ("cvss_v4", "cvss_v3", "cvss_v2"):
        if score := cvss.read(text(found, name)):
            yield Cvss(score.version, score.vector, score.score, "GitLab")

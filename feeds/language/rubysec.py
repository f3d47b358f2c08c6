"""The Ruby advisory database: gems, and the interpreters themselves.

Interpreters have a namespace of their own, ``ruby-engine`` (``ruby``, ``jruby``, ``mruby``, ``rubinius``), which
``matching.programs`` asks for programs recognised by their strings.

Format: https://github.com/rubysec/ruby-advisory-db, ``gems/GEM/….yml`` and ``rubies/ENGINE/….yml``: gem or engine, cve,
ghsa, osvdb, title, date, patched_versions and unaffected_versions (requirements of RubyGems), scores of CVSS as bare
numbers. A file for each package: files that name one vulnerability are one record. Not handled: ``platform`` (the few
advisories on the Java edition of a gem alone count for all editions).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.language.constraints import outside, parse
from anchorecli.feeds.language.trees import day, gathered, load_yaml, rating, records, text, texts
from anchorecli.feeds.record import one_line
from anchorecli.model import Advisory, Affected, Cvss, FeedState, Problem
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

ENGINES = "ruby-engine"
_PATH = re.compile(r"(?:^|/)(gems|rubies)/[^/]+/([^/]+)\.ya?ml$")
_NAME = re.compile(r"[A-Za-z0-9_][\w.-]{0,99}", re.ASCII)
_IDS = (("cve", "CVE-", r"\d{4}-\d{4,}"), ("ghsa", "GHSA-", r"\w{4}-\w{4}-\w{4}"), ("osvdb", "OSVDB-", r"\d+"))
_SCORES = (("cvss_v4", "4.0"), ("cvss_v3", "3.0"), ("cvss_v2", "2.0"))
_NUMBER = re.compile(r"\d{1,2}(?:\.\d)?")


@dataclass(frozen=True, slots=True)
class RubySec:
    """Every advisory on a gem or an interpreter."""

    name: str = "rubysec"
    title: str = "Ruby advisory database"
    url: str = "https://codeload.github.com/rubysec/ruby-advisory-db/zip/refs/heads/master"
    attribution: str = "Ruby advisory database (public domain)"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The repository's zip."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """A clone, a zip of it, or a part of either."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """Every vulnerability, with all packages it is in."""
        return gathered(records(snapshot, self.name, lambda name: _PATH.search(name) is not None, self._read))

    def _read(self, name: str, data: bytes) -> Advisory:
        found = load_yaml(data)
        path = _PATH.search(name)
        if not isinstance(found, dict) or path is None:
            raise ValueError("not a YAML mapping")
        engine = path[1] == "rubies"
        package = text(found, "engine" if engine else "gem")
        if not _NAME.fullmatch(package):
            raise ValueError("it names no gem or engine")
        names = [prefix + value for field, prefix, form in _IDS if re.fullmatch(form, value := text(found, field))]
        identifier = names[0] if names else path[2]
        safe = texts(found, "patched_versions") + texts(found, "unaffected_versions")
        scores = tuple(_scores(found))
        return Advisory(
            identifier,
            self.name,
            aliases=tuple(names[1:]),
            severity=rating(scores),
            summary=one_line(text(found, "title")),
            url=text(found, "url"),
            published=day(text(found, "date")),
            modified=day(text(found, "date")),
            cvss=scores,
            affected=(
                Affected(
                    ENGINES if engine else "gem",
                    package,
                    "gem",
                    ranges=outside("gem", [parse("gem", each) for each in safe]),
                ),
            ),
        )


def _scores(found: dict[str, Any]) -> Iterator[Cvss]:
    """Scores without vectors: all that these files have."""
    for field, version in _SCORES:
        if _NUMBER.fullmatch(value := text(found, field)):
            yield Cvss(version, "", float(value), "rubysec")

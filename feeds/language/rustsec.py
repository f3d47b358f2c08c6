"""The RustSec advisory database: crates of crates.io.

Besides vulnerabilities it tells of crates that nobody maintains (``unmaintained``), of interfaces that are unsound
without anybody having used it for an attack (``unsound``), and notices. They are taken as what they are: negligible,
unsound ones low, with the word in front of the summary. Functions are passed over: a crate counts whichever are called.

Format: https://github.com/RustSec/advisory-db, ``crates/CRATE/RUSTSEC-….md``: a block of TOML (``[advisory]`` with id,
package, date, aliases, cvss, informational, withdrawn; ``[versions]`` with the requirements patched and unaffected;
``[affected]`` with os), then a title and text in Markdown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorecli.feeds import cvss
from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.language.constraints import outside, parse
from anchorecli.feeds.language.trees import day, rating, records
from anchorecli.feeds.record import one_line
from anchorecli.model import Advisory, Affected, FeedState, Problem, Severity
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

_HEAD = re.compile(r"\s*```toml\s*\n(.*?)^```\s*$(.*)", re.DOTALL | re.MULTILINE)
_TITLE = re.compile(r"^#\s+(.+)$", re.MULTILINE)
_ID = re.compile(r"RUSTSEC-\d{4}-\d{4,}")
_NAME = re.compile(r"[A-Za-z0-9][\w-]{0,99}", re.ASCII)
_INFORMATIONAL = {"unsound": Severity.LOW, "unmaintained": Severity.NEGLIGIBLE, "notice": Severity.NEGLIGIBLE}


@dataclass(frozen=True, slots=True)
class RustSec:
    """Every advisory on a crate."""

    name: str = "rustsec"
    title: str = "RustSec advisory database"
    url: str = "https://codeload.github.com/RustSec/advisory-db/zip/refs/heads/main"
    attribution: str = "RustSec advisory database, CC0-1.0 (records from GitHub CC-BY-4.0)"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The repository's zip."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """A clone, a zip of it, or a part of either."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """Every advisory, withdrawn ones too (marked)."""
        return records(snapshot, self.name, _is_record, self._read)

    def _read(self, name: str, data: bytes) -> Advisory:
        head, title = _parts(data)
        about = _table(head, "advisory")
        identifier, crate = _text(about, "id"), _text(about, "package")
        if not _ID.fullmatch(identifier) or not _NAME.fullmatch(crate):
            raise ValueError("no usable id or package")
        kind = _text(about, "informational")
        score = cvss.read(_text(about, "cvss"))
        scores = (score,) if score else ()
        versions = _table(head, "versions")
        if "patched" not in versions:
            raise ValueError("it says nothing of patched versions")
        safe = [*_texts(versions, "patched"), *_texts(versions, "unaffected")]
        affected = Affected(
            "cargo",
            crate,
            "cargo",
            ranges=outside("cargo", [parse("cargo", each) for each in safe]),
            arches=tuple(sorted(_texts(_table(head, "affected"), "os"))),
        )
        return Advisory(
            identifier,
            self.name,
            aliases=_texts(about, "aliases"),
            severity=_INFORMATIONAL.get(kind, Severity.UNKNOWN) or rating(scores),
            summary=one_line(f"{kind}: {title}" if kind else title),
            url=f"https://rustsec.org/advisories/{identifier}",
            published=_day(about, "date"),
            modified=_day(about, "date"),
            withdrawn=_day(about, "withdrawn"),
            cvss=scores,
            affected=(affected,),
        )


def _is_record(name: str) -> bool:
    return name.rpartition("/")[2].startswith("RUSTSEC-") and name.endswith(".md")


def _parts(data: bytes) -> tuple[dict[str, Any], str]:
    """The TOML head, and the title of what follows it."""
    found = _HEAD.match(data.decode("utf-8"))
    if found is None:
        raise ValueError("no block of TOML at the beginning")
    try:
        head = tomllib.loads(found[1])
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"not TOML: {error}") from error
    title = _TITLE.search(found[2])
    return head, title[1] if title else ""


def _table(head: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = head.get(name, {})
    if not isinstance(found, dict):
        raise ValueError(f"{name} is not a table")
    return found


def _text(table: Mapping[str, Any], name: str) -> str:
    value = table.get(name, "")
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{name} is not text")
    return value


def _texts(table: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) and each.isprintable() for each in value):
        raise ValueError(f"{name} is not a list of text")
    return tuple(value)


def _day(table: Mapping[str, Any], name: str) -> str:
    value = table.get(name, "")
    return day(value.isoformat() if isinstance(value, date) else str(value))

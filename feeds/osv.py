"""osv.dev's exports: one zip of OSV records for each ecosystem, ``osv:PyPI``, ``osv:Debian:12``, ``osv:AlmaLinux``.

Each ecosystem is a feed of its own, since each has its own state; statements about other ecosystems in a record are
left to theirs. AlmaLinux's and Go's own trees have the same form and can be read with --from.

Format: https://google.github.io/osv.dev/data/ (``<base>/<ecosystem>/all.zip``), one JSON file for each record.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from anchorecli.errors import UsageError
from anchorecli.feeds import osv_range, osv_record
from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.snapshot import problem
from anchorecli.model import Advisory, Affected, FeedState, Problem, Range
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

BASE = "https://osv-vulnerabilities.storage.googleapis.com"


@dataclass(frozen=True, slots=True)
class Osv:
    """The export of one ecosystem, in upstream's spelling."""

    ecosystem: str
    version: int = 6
    url: str = BASE
    attribution: str = "OSV.dev; each record under its source's licence (CC-BY-4.0 for GHSA and PYSEC)"

    @property
    def name(self) -> str:
        """``osv:`` and the ecosystem."""
        return f"osv:{self.ecosystem}"

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return f"OSV.dev export of {self.ecosystem}"

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The ecosystem's zip; ``url`` is a base, or the address of a zip itself."""
        if not url.endswith(".zip"):
            url = f"{url.rstrip('/')}/{quote(self.ecosystem, safe=':')}/all.zip"
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """A zip or tree of OSV records."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """Every record with a statement about the ecosystem or a release of it."""
        return parse_records(snapshot, self.name, self._covers, is_json)

    def _covers(self, ecosystem: str) -> bool:
        return ecosystem == self.ecosystem or ecosystem.startswith(f"{self.ecosystem}:")


def recognised(path: Path) -> Osv:
    """The feed that a file, zip or tree of OSV records is the export of.

    Records of one ecosystem's export speak of others in passing: such a part must not pass for the other's feed. So one
    ecosystem has to stand in nine of ten records.

    Raises: UsageError that names the ecosystems where that holds of none.
    """
    snapshot = from_path(path)
    total, seen = 0, Counter[str]()
    try:
        for member in snapshot.members(is_json):
            if isinstance(member, Problem):
                continue
            total += 1
            seen.update(_ecosystems(member[1]))
    finally:
        snapshot.close()
    first = seen.most_common(1)
    if first and first[0][1] >= 0.9 * total:
        return Osv(first[0][0])
    held = ", ".join(f"osv:{name} ({count})" for name, count in seen.most_common(5)) or "no OSV record"
    raise UsageError(f"{path} is not one ecosystem's export: it holds {held}", hint="name the feed: osv:ECOSYSTEM")


def _ecosystems(data: bytes) -> set[str]:
    """The ecosystems a record speaks of, without their releases (``Debian`` of ``Debian:12``)."""
    try:
        affected = json.loads(data)["affected"]
        return {str(each["package"]["ecosystem"]).partition(":")[0] for each in affected if "package" in each}
    except (ValueError, TypeError, KeyError, RecursionError):
        return set()


def is_json(name: str) -> bool:
    """Whether a member is a record by its name."""
    return name.endswith(".json")


def parse_records(
    snapshot: Snapshot,
    feed: str,
    covers: osv_record.Covers,
    wanted: Callable[[str], bool],
    load: Callable[[bytes], Any] = json.loads,
) -> Iterator[Advisory | Problem]:
    """OSV records from the wanted members of a snapshot; ``load`` makes the record of a member's bytes."""
    hollow = 0
    for member in snapshot.members(wanted):
        if isinstance(member, Problem):
            yield member
            continue
        name, data = member
        try:
            found = osv_record.read(load(data), feed, covers)
        except (ValueError, RecursionError) as error:
            yield problem(f"{feed}: {name}", reason(error))
            continue
        if found is None:
            continue
        yield found
        for each in found.affected:
            for span in each.ranges:
                empty = osv_range.hollow(each.scheme, span)
                hollow += bool(empty)
                if empty is None:
                    yield problem(f"{feed}: {found.id}", _contradiction(each, span))
    if hollow:
        yield problem(feed, f"{hollow} ranges that end where they begin, and hold no version", incomplete=False)


def _contradiction(statement: Affected, span: Range) -> str:
    end = f"fixed in {span.fixed}" if span.fixed else f"last in {span.last_affected}"
    return f"{statement.package}: affected from {span.introduced}, but {end} before that"


def reason(error: Exception) -> str:
    """Why a member is no record, in a few words."""
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} at byte {error.pos}"
    return str(error) if isinstance(error, ValueError) else "nested too deep"

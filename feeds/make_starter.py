"""Make the starter feed anew: ``python -m anchorecli.feeds.make_starter DIRECTORY [FILE] [NAME=DATE ...]``.

For maintainers; nothing else imports it. DIRECTORY holds ``debian-osv/all.zip``, ``alpine-secdb/``,
``almalinux-osv/all.zip``, ``ghsa/npm.zip`` and ``ghsa/pip.zip``, each as its driver reads it. The same input gives the
same bytes: the date of a feed is that of its newest record, or for one without dates (alpine) the NAME=DATE given.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

from anchorecli.feeds.alpine import Alpine
from anchorecli.feeds.base import Driver
from anchorecli.feeds.debian import Debian
from anchorecli.feeds.ghsa import Ghsa
from anchorecli.feeds.lines import dump, pack
from anchorecli.feeds.osv import Osv
from anchorecli.feeds.record import to_json
from anchorecli.feeds.starter import FILE, PREFIX
from anchorecli.model import Advisory, FeedState, Problem

_LEVEL = 19


class _Part(NamedTuple):
    """One feed of the starter: where it comes from, and which ecosystems of it are kept."""

    name: str
    driver: Driver
    source: str
    ecosystems: frozenset[str]
    link: str
    attribution: str


_OSV, _GITHUB = "https://osv.dev/vulnerability/", "https://github.com/advisories/"

PARTS = (
    _Part(
        "almalinux",
        Osv("AlmaLinux"),
        "almalinux-osv/all.zip",
        frozenset({"almalinux:8", "almalinux:9", "almalinux:10"}),
        _OSV,
        "AlmaLinux OSV database, MIT",
    ),
    _Part(
        "alpine",
        Alpine(),
        "alpine-secdb",
        frozenset(f"alpine:{release}" for release in ("3.16", "3.17", "3.18", "3.19", "3.20", "3.21", "edge")),
        "https://security.alpinelinux.org/vuln/",
        Alpine().attribution,
    ),
    _Part(
        "debian",
        Osv("Debian"),
        "debian-osv/all.zip",
        frozenset({"debian:11", "debian:12", "debian:13"}),
        "https://security-tracker.debian.org/tracker/",
        f"{Debian().attribution}, through OSV.dev",
    ),
    _Part("npm", Ghsa(), "ghsa/npm.zip", frozenset({"npm"}), _GITHUB, Ghsa().attribution),
    _Part("pypi", Ghsa(), "ghsa/pip.zip", frozenset({"pypi"}), _GITHUB, Ghsa().attribution),
)


def main(arguments: list[str]) -> int:
    """Write the file; how many records and bytes it has goes to stderr."""
    given = dict(each.split("=", 1) for each in arguments if "=" in each)
    paths = [each for each in arguments if "=" not in each]
    if len(paths) not in (1, 2):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    target = Path(paths[1]) if len(paths) == 2 else Path(__file__).with_name(FILE)
    feeds = [(part, _records(part, Path(paths[0]))) for part in PARTS]
    states = [_state(part, records, given.get(part.name, "")) for part, records in feeds]
    frames = [b"".join(pack(_lines(records), _LEVEL)) for _, records in feeds]
    header = {
        "attribution": sorted({part.attribution for part in PARTS}),
        "feeds": [
            {"state": _described(state), "link": part.link, "size": len(frame)}
            for state, (part, _), frame in zip(states, feeds, frames, strict=True)
        ],
    }
    data = b"".join([dump(header).encode(), b"\n", *frames])
    target.write_bytes(data)
    sys.stderr.write(f"{target.name}: {sum(state.records for state in states)} records, {len(data)} bytes\n")
    return 0


def _records(part: _Part, directory: Path) -> list[Advisory]:
    snapshot = part.driver.open(directory / part.source)
    kept: dict[str, Advisory] = {}
    for found in part.driver.parse(snapshot):
        if not isinstance(found, Problem) and not found.withdrawn:
            affected = tuple(each for each in found.affected if each.ecosystem in part.ecosystems)
            if affected:
                # No sentences, and what can be made from the rest is left out too.
                kept[found.id] = replace(found, affected=affected, summary="", url="", cvss=())
    snapshot.close()
    return [kept[identifier] for identifier in sorted(kept)]


def _state(part: _Part, records: list[Advisory], date: str) -> FeedState:
    newest = date or max(record.modified for record in records)
    if not newest:
        raise SystemExit(f"{part.name}: its records have no dates; say {part.name}=DATE")
    return FeedState(
        PREFIX + part.name,
        records=len(records),
        updated_at=newest,
        source_date=newest,
        url=part.driver.url,
        ecosystems=tuple(sorted(part.ecosystems)),
    )


def _described(state: FeedState) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(state).items()
        if value and name != "starter"
    } | {"ecosystems": list(state.ecosystems)}


def _lines(records: list[Advisory]) -> Iterator[dict[str, Any]]:
    """The index of a feed's package names, then its records."""
    index: dict[str, list[int]] = {}
    for number, record in enumerate(records, 1):
        for name in {each.package for each in record.affected}:
            index.setdefault(name, []).append(number)
    yield index
    for record in records:
        yield to_json(record)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

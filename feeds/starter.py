"""The starter feed: a small part of the public feeds inside the package, so that the first scan without a network is
a real one. It is asked on demand, without putting it into a store.

It is never fresh evidence: its states say ``starter``, its names start with ``starter:``, and it gives way to any real
feed of the same ecosystem. Facts only: ids, package names, versions, severities and dates.

Format: one line of JSON, ``{"attribution": [...], "feeds": [{"state", "link", "size"}]}``, then for each feed a
Zstandard frame of ``size`` bytes: lines of JSON, of which the first is ``{package name: [line, ...]}`` and the others
are records (see ``record``). So a scan inflates only the feeds it needs and parses only the records that name one of
its packages. ``make_starter`` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from anchorecli.compression import ZSTD, inflate
from anchorecli.errors import FeedError
from anchorecli.feeds.record import from_json
from anchorecli.model import Advisory, Candidate, FeedState, Severity
from anchorecli.values import replace

PREFIX = "starter:"
FILE = "starter.zst"
_ROWS_PER_FEED = 10_000_000
"""Rows are negative, so that they never collide with the store's: -(feed * this + line)."""


class Starter:
    """The embedded feed. Raises: FeedError where the file in the package is damaged or missing."""

    def __init__(self, data: bytes | None = None) -> None:
        self._data = starter_bytes() if data is None else data
        self._lines: dict[int, list[bytes]] = {}

    @property
    def ecosystems(self) -> frozenset[str]:
        """Every namespace it has records for."""
        return frozenset(name for entry in self._entries for name in entry["state"]["ecosystems"])

    @property
    def attribution(self) -> tuple[str, ...]:
        """The lines that the sources' licences ask for."""
        return tuple(self._header["attribution"])

    def lookup(self, keys: Sequence[tuple[str, str]]) -> list[Candidate]:
        """Every statement about the (ecosystem, name) pairs, as the store's ``lookup`` gives them."""
        wanted = set(keys)
        spaces = {ecosystem for ecosystem, _ in keys}
        names = {name for _, name in keys}
        found: list[Candidate] = []
        for feed, entry in enumerate(self._entries):
            if spaces.isdisjoint(entry["state"]["ecosystems"]):
                continue
            index = self._parsed(feed, 0)
            for line in sorted({line for name in names & index.keys() for line in index[name]}):
                row = -(feed * _ROWS_PER_FEED + line)
                found += _candidates(self._parsed(feed, line), wanted, row, entry["state"]["name"])
        return found

    def advisories(self, rows: Sequence[int]) -> dict[int, Advisory]:
        """The advisories of rows that ``lookup`` gave."""
        return {row: self._advisory(*divmod(-row, _ROWS_PER_FEED)) for row in rows}

    def states(self) -> tuple[FeedState, ...]:
        """The feeds that ``lookup`` has read so far."""
        return tuple(self._state(feed) for feed in sorted(self._lines))

    def feeds(self) -> dict[FeedState, list[Advisory]]:
        """Everything in it: its feeds with all their records."""
        return {
            self._state(feed): [self._advisory(feed, line) for line in range(1, entry["state"]["records"] + 1)]
            for feed, entry in enumerate(self._entries)
        }

    @cached_property
    def _header(self) -> dict[str, Any]:
        try:
            header: dict[str, Any] = json.loads(self._data[: self._data.index(b"\n")])
        except ValueError as error:
            raise _damaged(error) from error
        return header

    @property
    def _entries(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self._header["feeds"]
        return entries

    def _parsed(self, feed: int, line: int) -> Any:
        try:
            if feed not in self._lines:
                sizes = [entry["size"] for entry in self._entries]
                start = self._data.index(b"\n") + 1 + sum(sizes[:feed])
                frame = self._data[start : start + sizes[feed]]
                self._lines[feed] = b"".join(inflate(iter((frame,)), ZSTD)).split(b"\n")
            return json.loads(self._lines[feed][line])
        except (ValueError, IndexError) as error:
            raise _damaged(error) from error

    def _advisory(self, feed: int, line: int) -> Advisory:
        entry = self._entries[feed]
        advisory = from_json(self._parsed(feed, line), entry["state"]["name"])
        # The address of an advisory is its id behind a link that all of a feed share, so it need not be in the file.
        return replace(advisory, url=f"{entry['link']}{advisory.id}")

    def _state(self, feed: int) -> FeedState:
        state = self._entries[feed]["state"]
        return FeedState(**{**state, "ecosystems": tuple(state["ecosystems"])}, starter=True)


def starter_bytes() -> bytes:
    """The file in the package. Raises: FeedError where the installation lacks it."""
    from importlib.resources import files

    try:
        return files("anchorecli.feeds").joinpath(FILE).read_bytes()
    except OSError as error:
        raise FeedError(f"the starter feed is missing from this installation: {error.strerror}") from error


def _damaged(error: Exception) -> FeedError:
    return FeedError(f"the starter feed of this installation is damaged: {error}", hint="install anchore again")


def _candidates(record: Mapping[str, Any], wanted: set[tuple[str, str]], row: int, feed: str) -> list[Candidate]:
    # As the store does: a statement without a severity of its own has the advisory's.
    severity = record.get("severity", "")
    return [
        Candidate(
            row=row,
            feed=feed,
            ecosystem=each["ecosystem"],
            package=each["package"],
            scheme=each["scheme"],
            statement=each.get("statement", "affected"),
            ranges="\n".join("\t".join(ends) for ends in each.get("ranges", ())),
            versions="\n".join(each.get("versions", ())),
            severity=Severity.parse(each.get("severity", severity)).value,
            module=each.get("module", ""),
            arches=",".join(each.get("arches", ())),
        )
        for each in record["affected"]
        if (each["ecosystem"], each["package"]) in wanted
    ]

"""The starter feed asked on demand: an image's packages against its records, without putting them into a store.

Only the records of feeds that have a namespace in question are parsed; rows have negative numbers, so that they never
collide with the store's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from anchorecli.compression import ZSTD, inflate
from anchorecli.errors import FeedError
from anchorecli.feeds.record import from_json
from anchorecli.feeds.starter import starter_bytes
from anchorecli.model import Advisory, Candidate, FeedState, Severity


class StarterIndex:
    """The embedded feed. Raises: FeedError where the file in the package is damaged or missing."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    @property
    def ecosystems(self) -> frozenset[str]:
        """Every namespace it has records for."""
        return frozenset(name for entry in self._entries for name in entry["state"]["ecosystems"])

    def lookup(self, keys: Sequence[tuple[str, str]]) -> list[Candidate]:
        """Every statement about the (ecosystem, name) pairs, as the store's ``lookup`` gives them."""
        wanted = set(keys)
        spaces = {ecosystem for ecosystem, _ in keys}
        found = []
        line = 1
        for entry in self._entries:
            state = entry["state"]
            if not spaces.isdisjoint(state["ecosystems"]):
                self._used.add(state["name"])
                for number in range(line, line + state["records"]):
                    found += _candidates(self._record(number), wanted, -number, state["name"])
            line += state["records"]
        return found

    def advisories(self, rows: Sequence[int]) -> dict[int, Advisory]:
        """The advisories of rows that ``lookup`` gave."""
        found = {}
        for row in rows:
            entry = self._entry_of(-row)
            advisory = from_json(self._record(-row), entry["state"]["name"])
            found[row] = replace(advisory, url=f"{entry['link']}{advisory.id}")
        return found

    def states(self) -> tuple[FeedState, ...]:
        """The feeds that ``lookup`` has read so far."""
        states = [entry["state"] for entry in self._entries if entry["state"]["name"] in self._used]
        return tuple(FeedState(**{**s, "ecosystems": tuple(s["ecosystems"])}, starter=True) for s in states)

    @cached_property
    def _lines(self) -> list[bytes]:
        data = starter_bytes()
        try:
            return b"".join(inflate(iter((data,)), ZSTD)).split(b"\n")
        except ValueError as error:
            raise FeedError(
                f"the starter feed of this installation is damaged: {error}", hint="install again"
            ) from error

    @cached_property
    def _entries(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = json.loads(self._lines[0])["feeds"]
        return entries

    def _record(self, number: int) -> Mapping[str, Any]:
        record: Mapping[str, Any] = json.loads(self._lines[number])
        return record

    def _entry_of(self, number: int) -> dict[str, Any]:
        for entry in self._entries:
            number -= entry["state"]["records"]
            if number <= 0:
                return entry
        raise FeedError("the starter feed has no such record", hint="install again")


def _candidates(record: Mapping[str, Any], wanted: set[tuple[str, str]], row: int, feed: str) -> list[Candidate]:
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
            severity=Severity.parse(each.get("severity") or record.get("severity", "")).value,
            module=each.get("module", ""),
            arches=",".join(each.get("arches", ())),
        )
        for each in record["affected"]
        if (each["ecosystem"], each["package"]) in wanted
    ]

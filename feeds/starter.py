"""The starter feed: a small part of the public feeds inside the package, so that the first scan without a network is
a real one.

It is never fresh evidence: its states say ``starter``, its names start with ``starter:``, and it gives way to any real
feed of the same ecosystem. Facts only: ids, package names, versions, severities and dates.

Format: ``lines`` of which the first is ``{"attribution", "feeds": [{"state", "link"}]}`` and the others are the records
(see ``record``) of each feed in turn, as many as its state says. ``make_starter`` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from anchorecli.errors import FeedError
from anchorecli.feeds.lines import unpack
from anchorecli.feeds.record import from_json
from anchorecli.model import Advisory, FeedState
from anchorecli.values import dataclass, replace

PREFIX = "starter:"
FILE = "starter.jsonl.zst"
MAX_INFLATED = 256 << 20


class StarterFeed(NamedTuple):
    """One feed of the starter: its state and its records."""

    state: FeedState
    records: tuple[Advisory, ...]


@dataclass(frozen=True, slots=True)
class StarterInfo:
    """How the starter is to be labelled: the dates of its data, its size in bytes and records, whom it is from."""

    oldest: str
    newest: str
    size: int
    records: int
    attribution: tuple[str, ...]


def starter_info() -> StarterInfo:
    """The label. Raises: FeedError where the file in the package is damaged."""
    data = starter_bytes()
    header = _header(_values(data))
    states = [entry["state"] for entry in header["feeds"]]
    dates = [state["source_date"] for state in states]
    records = sum(state["records"] for state in states)
    return StarterInfo(min(dates), max(dates), len(data), records, tuple(header["attribution"]))


def load_starter() -> tuple[StarterFeed, ...]:
    """The feeds of the starter. Raises: FeedError where the file in the package is damaged."""
    values = _values(starter_bytes())
    header = _header(values)
    return tuple(_feed(entry, values) for entry in header["feeds"])


def starter_bytes() -> bytes:
    """The file in the package. Raises: FeedError where the installation lacks it."""
    from importlib.resources import files

    try:
        return files("anchorecli.feeds").joinpath(FILE).read_bytes()
    except OSError as error:
        raise FeedError(f"the starter feed is missing from this installation: {error.strerror}") from error


def _values(data: bytes) -> Iterator[Any]:
    try:
        yield from unpack(iter((data,)), MAX_INFLATED)
    except ValueError as error:
        raise FeedError(f"the starter feed of this installation is damaged: {error}", hint="install again") from error


def _header(values: Iterator[Any]) -> dict[str, Any]:
    header: dict[str, Any] = next(values)
    return header


def _feed(entry: dict[str, Any], values: Iterator[Any]) -> StarterFeed:
    described = entry["state"] | {"ecosystems": tuple(entry["state"]["ecosystems"])}
    state = FeedState(**described, starter=True)
    records = tuple(_linked(from_json(next(values), state.name), entry["link"]) for _ in range(state.records))
    return StarterFeed(state, records)


def _linked(advisory: Advisory, link: str) -> Advisory:
    """The address of an advisory is its id behind one that all of a feed share, so it need not be in the file."""
    return replace(advisory, url=f"{link}{advisory.id}")

"""Ranges of an OSV record: a list of events becomes intervals, a list of versions only what they leave out.

Format: https://ossf.github.io/osv-schema/#affectedrangesevents-fields: each event is one of introduced, fixed,
last_affected and limit; sorted by version they open and close intervals.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cmp_to_key
from typing import Any

from anchorecli.errors import VersionError
from anchorecli.feeds.ecosystems import Namespace
from anchorecli.model import Range

Event = tuple[str, str]

_OPENS = "introduced"
_CLOSES = ("fixed", "last_affected", "limit")


def ranges_of(entry: dict[str, Any], scheme: str) -> tuple[Range, ...]:
    """The intervals of all ranges of an ``affected`` entry, in order, without duplicates.

    Raises: ValueError where events are not of the schema's form.
    """
    last_known = _last_known(entry)
    found: list[Range] = []
    listed = entry.get("ranges") or []
    if not isinstance(listed, list):
        raise ValueError("ranges is not a list")
    for each in listed:
        if not isinstance(each, dict):
            raise ValueError("ranges holds something other than objects")
        if each.get("type") in ("ECOSYSTEM", "SEMVER"):
            found += _intervals(_events(each), scheme)
    found = _with_custom(found, entry, scheme)
    if last_known and len(found) == 1 and not found[0].fixed and not found[0].last_affected:
        found = [Range(found[0].introduced, last_known.fixed, last_known.last_affected)]
    return tuple(dict.fromkeys(found))


def _with_custom(found: list[Range], entry: dict[str, Any], scheme: str) -> list[Range]:
    """The Go database's own addition: ranges of versions that are a project's, but none of the module system's.

    Its plain range is then without an end for whoever knows the module system's versions alone. Of those
    ``v0.0.0-DATE-COMMIT`` says nothing of the project's numbers, and stays affected.
    """
    specific = entry.get("ecosystem_specific")
    listed = specific.get("custom_ranges") if isinstance(specific, dict) and scheme == "go" else None
    if not isinstance(listed, list):
        return found
    custom = [
        each
        for one in listed
        if isinstance(one, dict) and one.get("type") == "ECOSYSTEM"
        for each in _intervals(_events(one), scheme)
    ]
    if not custom:
        return found
    return [*custom, *([_WITHOUT_NUMBER] if found == [Range()] else found)]


_WITHOUT_NUMBER = Range(last_affected="0.0.1-0")
"""Above every ``v0.0.0-DATE-COMMIT``, below every release."""


def uncovered(versions: tuple[str, ...], ranges: tuple[Range, ...], space: Namespace) -> tuple[str, ...]:
    """The enumerated versions that no range holds.

    osv.dev writes out the versions of every range, ten times the size of the rest. For distributions the list is made
    from the ranges and says nothing more; for languages each version is compared, and stays where it cannot be.
    """
    if not ranges or not versions:
        return tuple(dict.fromkeys(versions))
    if space.distro or Range() in ranges:
        return ()
    return tuple(each for each in dict.fromkeys(versions) if not _held(each, ranges, space.scheme))


def hollow(scheme: str, span: Range) -> bool | None:
    """Whether a range ends where it begins, and so holds nothing; None where it ends before, which nobody can mean.

    Bitnami writes the former where only pre-releases are affected. Versions nobody can read contradict nothing.
    """
    end = span.fixed or span.last_affected
    if not span.introduced or not end:
        return False
    from anchorecli.versions import compare

    try:
        order = compare(scheme, span.introduced, end)
    except VersionError:
        return False
    return None if order > 0 else order == 0 and bool(span.fixed)


def _held(version: str, ranges: tuple[Range, ...], scheme: str) -> bool:
    from anchorecli.versions import within

    return any(within(scheme, each, version) for each in ranges)


def _events(entry: dict[str, Any]) -> list[Event]:
    events: list[Event] = []
    listed = entry.get("events") or []
    if not isinstance(listed, list):
        raise ValueError("events is not a list")
    for each in listed:
        if not isinstance(each, dict):
            raise ValueError("events holds something other than objects")
        for kind, version in each.items():
            if kind != _OPENS and kind not in _CLOSES:
                raise ValueError("events holds an unknown kind of event")
            if not isinstance(version, str) or not version.isprintable():
                raise ValueError("an event's version is not text")
            events.append((kind, version))
    if events and not any(kind == _OPENS for kind, _ in events):
        raise ValueError("a range has no introduced event")
    return events


def _intervals(events: list[Event], scheme: str) -> list[Range]:
    if not _alternates(events):
        events = _sorted(events, scheme)
    elif len(events) > 2:
        # Bitnami writes 7.3.0 to 6.2.18 between others, which the order of versions alone can tell.
        try:
            events = _sorted(events, scheme)
        except ValueError:
            return list(_paired(events))
    return list(_paired(events))


def _alternates(events: list[Event]) -> bool:
    """introduced, end, introduced, end …, as nearly everybody writes them."""
    return all((kind == _OPENS) == (place % 2 == 0) for place, (kind, _) in enumerate(events))


def _sorted(events: list[Event], scheme: str) -> list[Event]:
    from anchorecli.versions import compare

    def order(a: Event, b: Event) -> int:
        if a[1] == b[1] or "0" in (a[1], b[1]):
            return (a[1] != "0") - (b[1] != "0")
        return compare(scheme, a[1], b[1])

    try:
        return sorted(events, key=cmp_to_key(order))
    except VersionError as error:
        raise ValueError(f"its events are out of order, and {error}") from error


def _paired(events: list[Event]) -> Iterator[Range]:
    """Intervals from sorted events: the lowest introduced opens, the first end after it closes."""
    start: str | None = None
    for kind, version in events:
        if kind == _OPENS:
            start = version if start is None else start
        elif start is not None and version != "*":
            lower = "" if start == "0" else start
            # A limit bounds what is looked at; no field of ours says that, and "not from here on" comes nearest.
            yield Range(lower, last_affected=version) if kind == "last_affected" else Range(lower, fixed=version)
            start = None
    if start is not None:
        yield Range("" if start == "0" else start)


def _last_known(entry: dict[str, Any]) -> Range | None:
    """GitHub's upper bound where no fix is known: ``<= 1.2`` or ``< 1.3``, beside a range that is open in OSV."""
    specific = entry.get("database_specific")
    text = specific.get("last_known_affected_version_range") if isinstance(specific, dict) else None
    if not isinstance(text, str) or not text.isprintable():
        return None
    operator, _, version = text.strip().partition(" ")
    if not version or " " in version:
        return None
    return {"<=": Range(last_affected=version), "<": Range(fixed=version)}.get(operator)

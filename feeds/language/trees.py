"""What the drivers of trees share: a file for each record, in YAML or Markdown, and several files for one id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from anchorecli.feeds import plain_yaml
from anchorecli.feeds.osv import reason
from anchorecli.feeds.snapshot import Snapshot, problem
from anchorecli.model import Advisory, Cvss, Problem, Severity
from anchorecli.values import replace

MAX_YAML = 4 << 20
"""Bytes of a YAML record; the largest known one, a list of versions, has 300 kB."""

Read = Callable[[str, bytes], Advisory | None]
"""A member's name and bytes as a record; None where it holds none. Raises: ValueError."""


def records(snapshot: Snapshot, feed: str, wanted: Callable[[str], bool], read: Read) -> Iterator[Advisory | Problem]:
    """The record of each wanted member, or a Problem in its place."""
    for member in snapshot.members(wanted):
        if isinstance(member, Problem):
            yield member
            continue
        try:
            found = read(*member)
        except (ValueError, RecursionError) as error:
            yield problem(f"{feed}: {member[0]}", reason(error))
            continue
        if found is not None:
            yield found


def gathered(found: Iterable[Advisory | Problem]) -> Iterator[Advisory | Problem]:
    """One record for each id: such trees have a file for each package that a vulnerability is in.

    The trees are small (the largest has 2,000 files), so that they are held.
    """
    by_id: dict[str, Advisory] = {}
    for each in found:
        if isinstance(each, Problem):
            yield each
        elif each.id in by_id:
            by_id[each.id] = _joined(by_id[each.id], each)
        else:
            by_id[each.id] = each
    yield from by_id.values()


def load_yaml(data: bytes) -> Any:
    """A record as plain text, lists and mappings. Raises: ValueError where it is none."""
    if len(data) > MAX_YAML:
        raise ValueError(f"more than {MAX_YAML} bytes")
    return plain_yaml.load_yaml(data.decode("utf-8"))


def text(record: dict[str, Any], name: str) -> str:
    """A field that is text; empty where it is missing or YAML's null. Raises: ValueError for anything else."""
    value = record.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name} is not text")
    value = value.strip()
    return "" if value in ("~", "null") else value


def texts(record: dict[str, Any], name: str) -> tuple[str, ...]:
    """A field that is a list of texts; one text counts as a list of it. Raises: ValueError for anything else."""
    value = record.get(name) or []
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise ValueError(f"{name} is not a list of text")
    return tuple(each.strip() for each in listed)


def day(value: str) -> str:
    """``2024-05-01`` and whatever follows it, as RFC 3339 UTC; empty for anything else."""
    from datetime import date

    try:
        return f"{date.fromisoformat(value[:10]).isoformat()}T00:00:00Z"
    except ValueError:
        return ""


def rating(scores: Iterable[Cvss]) -> Severity:
    """The word for the newest version's highest score; UNKNOWN where there is none."""
    from anchorecli.feeds.cvss import severity

    best = max(scores, key=lambda each: (each.version, each.score), default=None)
    return Severity.UNKNOWN if best is None else severity(best)


def _joined(first: Advisory, second: Advisory) -> Advisory:
    return replace(
        first,
        aliases=tuple(each for each in dict.fromkeys(first.aliases + second.aliases) if each != first.id),
        severity=max(first.severity, second.severity),
        published=min(filter(None, (first.published, second.published)), default=""),
        modified=max(first.modified, second.modified),
        cvss=tuple(dict.fromkeys(first.cvss + second.cvss)),
        affected=tuple(dict.fromkeys(first.affected + second.affected)),
    )

"""Access to a JSON document that says what is wrong with it, and where."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any


class VexError(ValueError):
    """A document that is not what its format asks for: the place and the fault."""


Object = dict[str, Any]


def mapping(value: Any, where: str) -> Object:
    """A JSON object. Raises: VexError."""
    if not isinstance(value, dict):
        raise VexError(f"{where}: an object is wanted")
    return value


def items(parent: Object, key: str, where: str, *, required: bool = False) -> Iterator[tuple[str, Any]]:
    """The items of a list with their places; nothing where there is no such key. Raises: VexError."""
    value = parent.get(key)
    if value is None and not required:
        return
    if not isinstance(value, list):
        raise VexError(f"{where}{key}: a list is wanted")
    yield from ((f"{where}{key}[{at}]", each) for at, each in enumerate(value))


def objects(parent: Object, key: str, where: str, *, required: bool = False) -> Iterator[tuple[str, Object]]:
    """The objects of a list with their places. Raises: VexError."""
    for place, each in items(parent, key, where, required=required):
        yield place, mapping(each, place)


def text(parent: Object, key: str, where: str, *, required: bool = False) -> str:
    """A text, empty where there is none. Raises: VexError."""
    value = parent.get(key)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value.strip()):
        raise VexError(f"{where}{key}: a text is wanted")
    return value.strip()


def texts(parent: Object, key: str, where: str) -> tuple[str, ...]:
    """A list of texts. Raises: VexError."""
    found = []
    for place, each in items(parent, key, where):
        if not isinstance(each, str):
            raise VexError(f"{place}: a text is wanted")
        found.append(each.strip())
    return tuple(found)


def moment(parent: Object, keys: tuple[str, ...], where: str) -> str:
    """The first of some times that is given, as RFC 3339 UTC; empty for none. Raises: VexError where it is no time."""
    for key in keys:
        if value := text(parent, key, where):
            try:
                found = datetime.fromisoformat(value)
            except ValueError:
                raise VexError(f"{where}{key}: {value[:40]!r} is no time") from None
            found = found if found.tzinfo else found.replace(tzinfo=UTC)
            try:
                return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            except OverflowError:
                raise VexError(f"{where}{key}: {value[:40]!r} is no time") from None
    return ""

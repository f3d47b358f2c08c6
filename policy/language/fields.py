"""Mappings of a bundle read key by key: types checked, spellings unified, unknown keys reported."""

from __future__ import annotations

from collections.abc import Mapping

from anchorecli.policy.language.document import Node
from anchorecli.policy.language.faults import Faults, place, quoted, unknown
from anchorecli.policy.language.spellings import KEYS, VERSIONS
from anchorecli.policy.patterns import wildcard_fault

_FREE_TEXT = ("comment", "description", "name")
_NAMED: Mapping[str, str] = {"list": "a list", "mapping": "a mapping", "null": "empty"}


class Fields:
    """The keys of one mapping. ``what`` names it in messages (``rule "r1"``); keys outside ``known`` are faults."""

    def __init__(self, node: Node, what: str, known: tuple[str, ...], faults: Faults) -> None:
        self.line = node.line
        self.what = what
        self._faults = faults
        self._entries: dict[str, Node] = {}
        self._keys: dict[str, int] = {}
        if node.kind != "mapping":
            faults.add(node.line, f"{what} must be a mapping, not {kind_name(node)}")
            self.valid = False
            return
        self.valid = True
        for written, value in node.entries.items():
            name = KEYS.get(written, written)
            line = node.keys.get(written, node.line)
            if name in self._entries:
                faults.add(line, f"{what} has both {quoted(written)} and its other spelling")
            elif name in known or name in _FREE_TEXT:
                self._entries[name], self._keys[name] = value, line
            elif not written.startswith("x-"):
                faults.add(line, unknown("key", written, {*known, *_FREE_TEXT}, f" in {what}"))

    def has(self, name: str) -> bool:
        """Whether the key is there, whatever its value."""
        return name in self._entries

    def line_of(self, name: str) -> int:
        """The line of a key, or that of the mapping where the key is missing."""
        return self._keys.get(name, self.line)

    def node(self, name: str, *, required: bool = False) -> Node | None:
        """The value of a key; a fault where a required one is missing."""
        node = self._entries.get(name)
        if node is None and required and self.valid:
            self._faults.add(self.line, f"{self.what} has no {quoted(name)}")
        return node

    def text(self, name: str, *, required: bool = False) -> str:
        """A scalar as it was written, empty where the key is missing or has no value."""
        node = self.node(name, required=required)
        if node is None:
            return ""
        if node.kind in ("list", "mapping"):
            self._faults.add(node.line or self.line_of(name), f"{quoted(name)} must be a text, not {kind_name(node)}")
            return ""
        if required and not node.text:
            self._faults.add(self.line_of(name), f"{quoted(name)} is empty in {self.what}")
        return node.text

    def comment(self) -> str:
        """The author's free text, under either of its names."""
        return self.text("comment") or self.text("description")

    def items(self, name: str, *, required: bool = False) -> tuple[Node, ...]:
        """The items of a list; a missing key and a null are the empty list."""
        node = self.node(name, required=required)
        if node is None or node.kind == "null":
            return ()
        if node.kind != "list":
            self._faults.add(self.line_of(name), f"{quoted(name)} must be a list, not {kind_name(node)}")
            return ()
        return node.items

    def words(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        words: list[str] = []
        for node in self.items(name):
            if node.kind in ("list", "mapping", "null"):
                self._faults.add(node.line, f"{quoted(name)} must hold texts, not {kind_name(node)}")
            else:
                words.append(node.text)
        return tuple(words)


def kind_name(node: Node) -> str:
    """What a node is, as messages call it."""
    return _NAMED.get(node.kind, quoted(node.text))


def check_version(fields: Fields, faults: Faults, *, required: bool = False) -> None:
    """A fault where a mapping's ``version`` is none of the formats read here."""
    version = fields.text("version", required=required)
    if version and version not in VERSIONS:
        supported = " and ".join(quoted(known) for known in VERSIONS)
        message = f"version {quoted(version)} of {fields.what} is not supported; there is {supported}"
        faults.add(fields.line_of("version"), message)


def wildcard(fields: Fields, name: str, faults: Faults, *, required: bool = True) -> str:
    """The wildcard under a key; a fault where it is none."""
    value = fields.text(name, required=required)
    fault = wildcard_fault(value)
    if fault:
        faults.add(fields.line_of(name), f"{quoted(name)} is not usable as a regular expression: {fault}")
    return value


class Ids:
    """The ids of one list: a second use of one is a fault, and what has none is numbered."""

    def __init__(self, what: str, faults: Faults) -> None:
        self._what = what
        self._faults = faults
        self._lines: dict[str, int] = {}
        self._count = 0

    def take(self, fields: Fields, prefix: str = "") -> str:
        """The id of the next item: its own, or ``prefix`` and its number in the list."""
        self._count += 1
        own = fields.text("id")
        if not own:
            return f"{prefix}{self._count}"
        if own in self._lines:
            line = fields.line_of("id")
            first = f", first in {place(self._lines[own], line)}" if self._lines[own] else ""
            self._faults.add(line, f"{self._what} id {quoted(own)} is given twice{first}")
        self._lines.setdefault(own, fields.line_of("id"))
        return own

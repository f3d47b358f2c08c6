"""Something appended to a list inside a bundle's text, with every other character left as it is.

Format: YAML 1.1, edited at the places its parser names; JSON is written anew with the indent it had. The caller
compares what the new text says with what the old one said: a layout that is not understood here (an alias as the last
item, a block that keeps its blank lines) gives a text that says something else, and is refused there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from anchorecli.errors import BundleError

Keys = Sequence[str | int]
"""The way from the root of a document to a list: names of keys as they are written, and places in lists."""

_COMMENT = re.compile(r"[ \t]*#")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./@+-]*(?: [A-Za-z0-9_./@+-]+)*")


def append(text: str, document: int, keys: Keys, value: Any) -> str:
    """The text with ``value`` as the last item of the list at ``keys`` of a document, counted from 0.

    A list that is missing is added to its mapping. Raises: BundleError where there is no place for it.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    body = text.removeprefix("\ufeff")
    if body.lstrip()[:1] in ("{", "["):
        return mark + _append_json(body, keys, value)
    newline = "\r\n" if "\r\n" in body else "\n"
    changed = _Yaml(body.replace("\r\n", "\n"), document).append(keys, value)
    return mark + changed.replace("\n", newline)


def _append_json(text: str, keys: Keys, value: Any) -> str:
    root = json.loads(text)
    place = root
    for at, key in enumerate(keys):
        if isinstance(place, dict) and place.get(key) is None:
            place[key] = [] if at == len(keys) - 1 else {}
        place = place[key]
    place.append(value)
    indent = re.search(r"\n([ \t]+)\S", text)
    spaced = '": ' in text
    separators = None if indent else (", " if spaced else ",", ": " if spaced else ":")
    written = json.dumps(
        root, indent=indent.group(1) if indent else None, separators=separators, ensure_ascii=text.isascii()
    )
    return text[: len(text) - len(text.lstrip())] + written + text[len(text.rstrip()) :]


class _Insertion(NamedTuple):
    """Text that replaces what stands between two places."""

    start: int
    end: int
    text: str


class _Yaml:
    """One edit of one document."""

    def __init__(self, text: str, document: int) -> None:
        import yaml

        self._yaml = yaml
        self._text = text
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._root = list(yaml.compose_all(text, Loader=loader))[document]

    def append(self, keys: Keys, value: Any) -> str:
        """The text with one item more."""
        *way, last = keys
        parent = self._root
        for key in way:
            parent = self._child(parent, key)
        node = self._child(parent, last, missing=True)
        if node is None:
            edit = self._new_key(parent, str(last), value)
        elif isinstance(node, self._yaml.SequenceNode):
            edit = self._in_list(parent, node, value)
        elif isinstance(node, self._yaml.ScalarNode) and node.value in ("", "~", "null") and not node.style:
            edit = self._in_nothing(parent, node, value)
        else:
            raise self._no_place(node, f"{last} is no list")
        return self._text[: edit.start] + edit.text + self._text[edit.end :]

    def _child(self, parent: Any, key: str | int, *, missing: bool = False) -> Any:
        if isinstance(key, int) and isinstance(parent, self._yaml.SequenceNode) and key < len(parent.value):
            return parent.value[key]
        if isinstance(key, str) and isinstance(parent, self._yaml.MappingNode):
            found = next((value for name, value in parent.value if name.value == key), None)
            if found is not None or missing:
                return found
        raise self._no_place(parent, f"there is no {key}")

    def _in_list(self, parent: Any, node: Any, value: Any) -> _Insertion:
        if not node.flow_style:
            return self._below(node, value)
        if node.value:
            end = self._end(node.value[-1])
            line = self._text.rfind("\n", 0, self._start(node.value[-1])) + 1
            before = self._text[line : self._start(node.value[-1])]
            # Items on lines of their own stay so.
            between = f",\n{before}" if not before.strip() and line > self._start(node) else ", "
            return _Insertion(end, end, between + flow(value))
        if parent.flow_style:
            return _Insertion(self._start(node), self._end(node), f"[{flow(value)}]")
        return self._in_nothing(parent, node, value)

    def _below(self, node: Any, value: Any) -> _Insertion:
        """A new item below the last one of a block list."""
        last = node.value[-1]
        column = node.start_mark.column
        place = self._after(self._end(last), column)
        blank = "\n" if len(node.value) > 1 and self._is_apart(last) else ""
        if getattr(last, "flow_style", False):
            item = " " * column + f"- {flow(value)}\n"
        else:
            item = block_item(value, column, max(last.start_mark.column - column, 2))
        return _Insertion(place, place, self._line_break(place) + blank + item)

    def _in_nothing(self, parent: Any, node: Any, value: Any) -> _Insertion:
        """The first item of a list that is ``[]``, ``null`` or nothing at all."""
        if parent.flow_style:
            return _Insertion(self._start(node), self._end(node), f"[{flow(value)}]")
        key = next(name for name, child in parent.value if child is node)
        colon = self._text.index(":", self._end(key)) + 1
        line_end = self._line_end(max(colon, self._end(node)))
        rest = self._text[max(colon, self._end(node)) : line_end].strip()
        comment = f"  {rest}" if rest else ""
        item = block_item(value, key.start_mark.column + self._step(), 2)
        closed = line_end + (line_end < len(self._text))
        return _Insertion(colon, closed, f"{comment}\n{item}")

    def _new_key(self, parent: Any, name: str, value: Any) -> _Insertion:
        if not parent.value:
            raise self._no_place(parent, "it is empty")
        if parent.flow_style:
            end = self._end(parent.value[-1][1])
            return _Insertion(end, end, f", {name}: [{flow(value)}]")
        column = parent.value[0][0].start_mark.column
        place = self._after(max(self._end(node) for pair in parent.value for node in pair), column)
        # A new part of the whole stands apart from the others.
        apart = "\n" if parent is self._root else ""
        item = block_item(value, column + self._step(), 2)
        return _Insertion(place, place, f"{self._line_break(place)}{apart}{' ' * column}{name}:\n{item}")

    def _step(self) -> int:
        """How far the lists of this document stand to the right of their keys."""
        pairs = self._root.value if isinstance(self._root, self._yaml.MappingNode) else []
        for key, value in pairs:
            if isinstance(value, self._yaml.SequenceNode) and value.value and not value.flow_style:
                return int(value.start_mark.column - key.start_mark.column)
        return 2

    def _is_apart(self, node: Any) -> bool:
        line = self._text.rfind("\n", 0, self._start(node))
        while line > 0:
            before = self._text.rfind("\n", 0, line)
            content = self._text[before + 1 : line].strip()
            if not content.startswith("#"):
                return not content
            line = before
        return False

    def _after(self, end: int, column: int) -> int:
        """Where the lines that belong to what ends at a place are over: its comments are indented deeper."""
        place = self._next_line(end)
        looked = place
        while looked < len(self._text):
            line = self._text[looked : self._line_end(looked)]
            looked = self._next_line(looked)
            if _COMMENT.match(line) and len(line) - len(line.lstrip()) > column:
                place = looked
            elif line.strip():
                break
        return place

    def _next_line(self, place: int) -> int:
        return min(self._line_end(place) + 1, len(self._text))

    def _line_end(self, place: int) -> int:
        found = self._text.find("\n", place)
        return len(self._text) if found < 0 else found

    def _line_break(self, place: int) -> str:
        return "" if not place or self._text[place - 1] == "\n" else "\n"

    def _start(self, node: Any) -> int:
        return int(node.start_mark.index)

    def _end(self, node: Any) -> int:
        """Where the content of a node ends; block collections end only where the next thing begins."""
        if isinstance(node, self._yaml.ScalarNode) or node.flow_style or not node.value:
            return (
                len(self._text[: node.end_mark.index].rstrip())
                if node.end_mark.index > self._start(node)
                else (self._start(node))
            )
        last = node.value[-1]
        return self._end(last[1] if isinstance(last, tuple) else last)

    def _no_place(self, node: Any, message: str) -> BundleError:
        return BundleError(f"nothing can be added here: {message}", line=node.start_mark.line + 1)


def block_item(value: Any, column: int, step: int) -> str:
    """A value as lines of a block list whose dashes stand in a column; what follows stands ``step`` to the right."""
    lines = _block(value)
    first, *rest = lines
    dash = " " * column + "-" + " " * (step - 1)
    return "\n".join([dash + first, *(" " * (column + step) + line for line in rest)]) + "\n"


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return _scalar(value)


def _block(value: Any) -> list[str]:
    if not isinstance(value, Mapping):
        return [_scalar(value)]
    lines: list[str] = []
    for name, item in value.items():
        if isinstance(item, list):
            lines.append(f"{name}:")
            lines += [line for each in item for line in block_item(each, 2, 2).splitlines()]
        else:
            lines.append(f"{name}: {_scalar(item)}")
    return lines


def _scalar(text: str) -> str:
    """A text as a scalar that reads as that text: plain where that is what it means to every reader."""
    import yaml

    if _PLAIN.fullmatch(text):
        resolver: Any = yaml.resolver.Resolver()
        tag = resolver.resolve(yaml.ScalarNode, text, (True, False))
        if tag in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp"):
            return text
    return json.dumps(text, ensure_ascii=not text.isprintable())

"""The text of a bundle as a tree of nodes that know their line.

Format: YAML 1.1 (https://yaml.org/spec/1.1/) by libyaml, or JSON (RFC 8259), which is told apart by its first
character and read by a reader of its own: YAML knows no tabs between JSON's tokens, and importing yaml takes a
quarter of the time a scan has. Scalars keep the text they were written with, so that ``version: 1_0``, an octal
mode or a date reach the rules as they stand in the file.

Raises: BundleError for a syntax error, a document past its limits, an unknown YAML tag, a key given twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from anchorecli.errors import BundleError

MAX_BYTES = 16 << 20
MAX_NODES = 500_000
_MAX_DEPTH = 40

NodeKind = Literal["text", "number", "boolean", "null", "list", "mapping"]


class Line(int):
    """A line that knows its file, for documents of several files: messages name both."""

    path: str

    def __new__(cls, number: int, path: str) -> Line:
        """Line ``number`` of the file ``path``."""
        line = super().__new__(cls, number)
        line.path = path
        return line


class Node(NamedTuple):
    """One node: ``text`` of a scalar as written, ``items`` of a list, or ``entries`` of a mapping; ``line`` is
    1-based, 0 where there is no file; ``keys`` holds the line of each key of a mapping."""

    kind: NodeKind
    line: int
    text: str = ""
    items: tuple[Node, ...] = ()
    entries: Mapping[str, Node] = {}
    keys: Mapping[str, int] = {}


def read_document(text: str, path: str = "") -> Node:
    """The root node of a text of one document."""
    first, *rest = read_documents(text, path)
    if rest:
        raise _refused("a second document begins here: a bundle is one document", path, rest[0].line)
    return first


def read_documents(text: str, path: str = "") -> tuple[Node, ...]:
    """The root nodes of a bundle's text: at least one, and several in YAML that has ``---`` between them."""
    if len(text) > MAX_BYTES:
        raise _refused(f"larger than {MAX_BYTES >> 20} MiB: this is no policy bundle", path)
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise _refused("the bundle is empty", path)
    if text.lstrip()[0] in "{[":
        return (_JsonReader(text, path).document(),)
    return _yaml_documents(text, path)


def located(node: Node, path: str) -> Node:
    """The same tree with lines that know their file."""
    return Node(
        node.kind,
        Line(node.line, path),
        node.text,
        tuple(located(item, path) for item in node.items),
        {name: located(value, path) for name, value in node.entries.items()},
        {name: Line(line, path) for name, line in node.keys.items()},
    )


def weight(node: Node) -> int:
    """How many values a tree holds; what an alias repeats counts each time."""
    return 1 + sum(map(weight, node.items)) + sum(map(weight, node.entries.values()))


def from_plain(value: Any) -> Node:
    """A tree of nodes from dicts, lists and scalars, without lines."""
    if isinstance(value, Mapping):
        return Node("mapping", 0, entries={key: from_plain(item) for key, item in value.items()})
    if isinstance(value, Sequence) and not isinstance(value, str):
        return Node("list", 0, items=tuple(from_plain(item) for item in value))
    if isinstance(value, bool):
        return Node("boolean", 0, "true" if value else "false")
    return Node("null", 0) if value is None else Node("text" if isinstance(value, str) else "number", 0, str(value))


class _JsonReader:
    """A strict JSON reader that notes lines; strings and numbers are scanned by the standard library's code."""

    _words: tuple[tuple[str, NodeKind], ...] = (("true", "boolean"), ("false", "boolean"), ("null", "null"))

    def __init__(self, text: str, path: str) -> None:
        from json.decoder import scanstring  # type: ignore[attr-defined]

        self._scan_string = scanstring
        self._blank = re.compile(r"[ \t\r\n]*")
        self._number = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", re.ASCII)
        self._text = text
        self._path = path
        self._at = 0
        self._line = 1
        self._nodes = 0

    def document(self) -> Node:
        """The whole text as one value."""
        self._skip()
        root = self._value(0)
        if self._at < len(self._text):
            raise self._error("something follows the end of the JSON document")
        return root

    def _value(self, depth: int) -> Node:
        self._nodes += 1
        _check_limits(self._nodes, depth, self._path, self._line)
        line = self._line
        first = self._peek()
        if first == "{":
            return self._mapping(depth, line)
        if first == "[":
            return self._list(depth, line)
        if first == '"':
            return Node("text", line, self._string())
        for word, kind in self._words:
            if self._text.startswith(word, self._at):
                self._step(len(word))
                return Node(kind, line, "" if kind == "null" else word)
        number = self._number.match(self._text, self._at)
        if number is None:
            raise self._error("a value is missing here" if first in ",]}" else f"unexpected {first!r}")
        self._step(len(number.group()))
        return Node("number", line, number.group())

    def _mapping(self, depth: int, line: int) -> Node:
        entries: dict[str, Node] = {}
        keys: dict[str, int] = {}
        self._step(1)
        while self._peek() != "}":
            if self._peek() != '"':
                raise self._error("a key in double quotes, or }, is expected here")
            key_line, key = self._line, self._string()
            if key in entries:
                raise _refused(f"{key!r} is given twice, first in line {keys[key]}", self._path, key_line)
            self._expect(":")
            entries[key], keys[key] = self._value(depth + 1), key_line
            self._separator("}")
        self._step(1)
        return Node("mapping", line, entries=entries, keys=keys)

    def _list(self, depth: int, line: int) -> Node:
        items: list[Node] = []
        self._step(1)
        while self._peek() != "]":
            items.append(self._value(depth + 1))
            self._separator("]")
        self._step(1)
        return Node("list", line, items=tuple(items))

    def _separator(self, closing: str) -> None:
        if self._peek() == closing:
            return
        self._expect(",")
        if self._peek() == closing:
            raise self._error(f"JSON has no comma before {closing}")

    def _string(self) -> str:
        try:
            text, end = self._scan_string(self._text, self._at + 1, True)
        except ValueError as error:
            raise self._error(getattr(error, "msg", str(error))) from None
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            raise self._error("half of a surrogate pair")
        # A valid JSON string holds no line break, so the line number stays.
        self._step(end - self._at)
        return str(text)

    def _peek(self) -> str:
        if self._at >= len(self._text):
            raise self._error("the file ends in the middle of the JSON document")
        return self._text[self._at]

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise self._error(f"{character!r} is expected here, not {self._peek()!r}")
        self._step(1)

    def _step(self, count: int) -> None:
        self._at += count
        self._skip()

    def _skip(self) -> None:
        blank = self._blank.match(self._text, self._at)
        if blank is not None and blank.end() > self._at:
            self._line += blank.group().count("\n")
            self._at = blank.end()

    def _error(self, message: str) -> BundleError:
        return _refused(f"not valid JSON: {message}", self._path, self._line)


def _yaml_documents(text: str, path: str) -> tuple[Node, ...]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        return _YamlReader(loader, path).documents()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        begun = error.context_mark
        where = f" begun in line {begun.line + 1}" if begun and mark and begun.line != mark.line else ""
        context = f"{error.context}{where}, " if error.context else ""
        line = mark.line + 1 if mark else 0
        raise _refused(f"not valid YAML: {context}{error.problem}", path, line) from None
    except yaml.YAMLError as error:
        raise _refused(f"not valid YAML: {str(error).splitlines()[0]}", path) from None
    finally:
        loader.dispose()


class _YamlReader:
    """Builds nodes from libyaml's events.

    Not from yaml's own node trees: its composer recurses in C, and a line of 100,000 dashes crashes the process.
    Nothing is constructed either, so tags that name Python objects have no effect.
    """

    _prefix = "tag:yaml.org,2002:"
    _scalars: Mapping[str, NodeKind] = {
        "str": "text",
        "int": "number",
        "float": "number",
        "bool": "boolean",
        "null": "null",
        "timestamp": "text",
        "value": "text",
        "merge": "text",
    }

    def __init__(self, loader: Any, path: str) -> None:
        import yaml

        self._yaml = yaml
        self._loader = loader
        self._path = path
        self._nodes = 0
        self._anchors: dict[str, tuple[Node, int]] = {}

    def documents(self) -> tuple[Node, ...]:
        """The documents of the stream."""
        self._loader.get_event()  # the start of the stream
        found: list[Node] = []
        while not self._loader.check_event(self._yaml.StreamEndEvent):
            self._loader.get_event()  # the start of the document
            self._anchors.clear()
            found.append(self._node(0))
            self._loader.get_event()  # its end
        if not found:
            raise _refused("the bundle is empty: it holds only comments", self._path)
        # A document marker at the end of a file begins nothing that anybody meant.
        while len(found) > 1 and found[-1].kind == "null":
            found.pop()
        return tuple(found)

    def _node(self, depth: int) -> Node:
        event = self._loader.get_event()
        line = event.start_mark.line + 1
        if isinstance(event, self._yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise _refused(f"*{event.anchor} names no value before it", self._path, line)
            node, weight = self._anchors[event.anchor]
            # What an alias repeats counts each time: a few lines of aliases can stand for billions of values.
            self._count(weight, depth, line)
            return node
        before = self._nodes
        self._count(1, depth, line)
        node = self._content(event, depth, line)
        if event.anchor:
            self._anchors[event.anchor] = (node, self._nodes - before)
        return node

    def _content(self, event: Any, depth: int, line: int) -> Node:
        if isinstance(event, self._yaml.ScalarEvent):
            return self._scalar(event, line)
        if event.tag not in (None, "!", self._prefix + "map", self._prefix + "seq"):
            raise self._unknown_tag(event.tag, line)
        if isinstance(event, self._yaml.MappingStartEvent):
            return self._mapping(depth, line)
        items: list[Node] = []
        while not self._loader.check_event(self._yaml.SequenceEndEvent):
            items.append(self._node(depth + 1))
        self._loader.get_event()
        return Node("list", line, items=tuple(items))

    def _scalar(self, event: Any, line: int) -> Node:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._loader.resolve(self._yaml.ScalarNode, event.value, event.implicit)
        kind = self._scalars.get(tag.removeprefix(self._prefix))
        if kind is None:
            raise self._unknown_tag(tag, line)
        if kind == "boolean":
            return Node(kind, line, "true" if event.value.lower() in ("true", "yes", "on") else "false")
        return Node(kind, line, "" if kind == "null" else event.value)

    def _mapping(self, depth: int, line: int) -> Node:
        entries: dict[str, Node] = {}
        keys: dict[str, int] = {}
        merged: list[Node] = []
        while not self._loader.check_event(self._yaml.MappingEndEvent):
            # A quoted "<<" is a key like any other.
            plain = getattr(self._loader.peek_event(), "style", "-") in (None, "")
            key = self._node(depth + 1)
            value = self._node(depth + 1)
            if key.kind in ("list", "mapping"):
                raise _refused("a key must be a word", self._path, key.line)
            if key.text == "<<" and plain:
                merged += self._sources(value)
                continue
            if key.text in entries:
                first = keys[key.text]
                raise _refused(f"{key.text!r} is given twice, first in line {first}", self._path, key.line)
            entries[key.text], keys[key.text] = value, key.line
        self._loader.get_event()
        for source in merged:
            for name in source.entries.keys() - entries.keys():
                entries[name], keys[name] = source.entries[name], source.keys[name]
        return Node("mapping", line, entries=entries, keys=keys)

    def _sources(self, node: Node) -> tuple[Node, ...]:
        """The mappings a merge key (``<<: *name``) names, the most important one first."""
        sources = node.items if node.kind == "list" else (node,)
        for source in sources:
            if source.kind != "mapping":
                raise _refused("<< takes a mapping or a list of mappings", self._path, source.line)
        return sources

    def _count(self, weight: int, depth: int, line: int) -> None:
        self._nodes += weight
        _check_limits(self._nodes, depth, self._path, line)

    def _unknown_tag(self, tag: str, line: int) -> BundleError:
        return _refused(f"the YAML tag {tag!r} is not known here", self._path, line)


def _check_limits(nodes: int, depth: int, path: str, line: int) -> None:
    if depth > _MAX_DEPTH:
        raise _refused(f"nested deeper than {_MAX_DEPTH} levels", path, line)
    if nodes > MAX_NODES:
        raise _refused(f"more than {MAX_NODES} values; aliases that repeat aliases add up quickly", path, line)


def _refused(message: str, path: str, line: int = 0) -> BundleError:
    return BundleError(message, path=path, line=line, hint="Nothing was evaluated: mend the file, or name another one.")

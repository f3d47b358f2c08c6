"""XML of any size, one wanted element at a time: a definition, an erratum, a test.

Nothing is taken from a document but its own text: a document type declaration, without which there can be no entities
of its own, is refused.

Format: XML 1.0 in UTF-8, US-ASCII or ISO 8859-1; namespace prefixes are cut off the names of elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.parsers import expat

from anchorecli.errors import LimitError
from anchorecli.feeds.snapshot import Readable

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

MAX_DEPTH = 64
MAX_ELEMENTS = 2_000_000
"""Elements below one wanted element; the largest definition known has 60,000."""
MAX_TEXT = 64 << 20
"""Characters of one wanted element."""
_CHUNK = 256 * 1024
_ENCODINGS = ("", "utf-8", "us-ascii", "ascii", "iso-8859-1")


class Node:
    """An element with what is in it. ``text`` is all the text directly inside."""

    __slots__ = ("attributes", "children", "parts", "tag")

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Node] = []
        self.parts: list[str] = []

    @property
    def text(self) -> str:
        """The text directly inside, without blanks around it."""
        return "".join(self.parts).strip()

    def get(self, name: str) -> str:
        """An attribute, or empty."""
        return self.attributes.get(name, "")

    def child(self, tag: str) -> Node:
        """The first child of that name, or an empty element."""
        return next((each for each in self.children if each.tag == tag), Node(tag, {}))

    def all(self, tag: str) -> Iterator[Node]:
        """Every element of that name below, in order."""
        for each in self.children:
            if each.tag == tag:
                yield each
            yield from each.all(tag)


def elements(stream: Readable, root: str, wanted: frozenset[str]) -> Iterator[Node]:
    """The outermost wanted elements, in order.

    Raises: ValueError where the document is not XML with that root, damaged or cut off, or has a document type;
    LimitError for what is larger or deeper than anything real.
    """
    reader = _Reader(root, wanted)
    while data := stream.read(_CHUNK):
        yield from reader.feed(data)
    yield from reader.feed(b"", final=True)


class _Reader:
    def __init__(self, root: str, wanted: frozenset[str]) -> None:
        self._root, self._wanted = root, wanted
        self._path: list[Node] = []
        self._depth = 0
        self._count = self._text = 0
        self._found: list[Node] = []
        self._parser = self._new()

    def _new(self) -> XMLParserType:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.buffer_size = _CHUNK
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        parser.XmlDeclHandler = self._declared
        return parser

    def feed(self, data: bytes, *, final: bool = False) -> list[Node]:
        """What has become whole."""
        self._found = []
        try:
            self._parser.Parse(data, final)
        except expat.ExpatError as error:
            if final and self._depth:
                raise ValueError("cut off") from error
            raise ValueError(f"not XML: {expat.ErrorString(error.code)} at line {error.lineno}") from error
        except LookupError as error:
            raise ValueError("not XML: of an unknown encoding") from error
        return self._found

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        if (encoding or "").lower() not in _ENCODINGS:
            raise ValueError(f"of encoding {encoding!r}, not UTF-8")

    def _doctype(self, *declared: object) -> None:
        raise ValueError("it has a document type declaration, which this kind of file never has")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        self._depth += 1
        if self._depth == 1 and tag != self._root:
            raise ValueError(f"its outermost element is {tag[:80]!r}, not {self._root}")
        if self._depth > MAX_DEPTH:
            raise LimitError(f"elements more than {MAX_DEPTH} deep")
        if self._path:
            self._count += 1
            if self._count > MAX_ELEMENTS:
                raise LimitError(f"more than {MAX_ELEMENTS} elements in one")
            node = Node(tag, attributes)
            self._path[-1].children.append(node)
            self._path.append(node)
        elif tag in self._wanted:
            self._count = self._text = 0
            self._path.append(Node(tag, attributes))

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._path:
            node = self._path.pop()
            if not self._path:
                self._found.append(node)

    def _characters(self, text: str) -> None:
        # Blanks between elements are most of a file's text; inside a text they are part of it.
        if self._path and (self._path[-1].parts or not text.isspace()):
            self._text += len(text)
            if self._text > MAX_TEXT:
                raise LimitError(f"more than {MAX_TEXT} characters in one element")
            self._path[-1].parts.append(text)

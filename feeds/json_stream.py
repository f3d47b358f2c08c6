"""The items of one huge JSON object, one after the other, without holding the object.

Format: RFC 8259; the outermost value must be an object. Values are read whole, by the standard library.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from anchorecli.errors import LimitError
from anchorecli.feeds.snapshot import Readable

MAX_ITEM = 128 << 20
"""Characters of one item; the largest of Debian's has 6 million."""
_CHUNK = 256 * 1024
_BLANK = re.compile(r"[ \t\r\n]*")
_scan = json.JSONDecoder().raw_decode


def items(stream: Readable) -> Iterator[tuple[str, Any]]:
    """Key and value of each item, in order.

    Raises: ValueError where the text is not an object, damaged or cut off; LimitError for an item past ``MAX_ITEM``.
    """
    buffer = _Buffer(stream)
    buffer.expect("{")
    if buffer.peek() == "}":
        buffer.expect("}")
    else:
        yield from _items(buffer)
    if buffer.peek():
        raise ValueError("there is more after the end of the JSON object")


def _items(buffer: _Buffer) -> Iterator[tuple[str, Any]]:
    while True:
        key = buffer.value()
        if not isinstance(key, str):
            raise ValueError("a key of the JSON object is not text")
        buffer.expect(":")
        yield key, buffer.value()
        if buffer.peek() == "}":
            buffer.expect("}")
            return
        buffer.expect(",")


def elements(stream: Readable, name: str) -> Iterator[Any]:
    """The elements of the list under ``name`` in a huge JSON object, one after the other; what else it has is skipped.

    Raises: ValueError where the text is not an object, damaged or cut off, or has no list of that name; LimitError as
    ``items``.
    """
    buffer, found = _Buffer(stream), False
    closing = buffer.open("{}")
    while closing != "}":
        key = buffer.value()
        buffer.expect(":")
        if key == name and buffer.peek() == "[":
            found = True
            closing = buffer.open("[]")
            while closing != "]":
                yield buffer.value()
                closing = buffer.next("]")
        else:
            buffer.value()
        closing = buffer.next("}")
    if not found:
        raise ValueError(f"it holds no list of {name}")
    if buffer.peek():
        raise ValueError("there is more after the end of the JSON object")


class _Buffer:
    """A window on the text that grows until a value is whole and then forgets it."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._text = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            self._at = _end_of(_BLANK.match(self._text, self._at))
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more(_CHUNK):
                return ""

    def expect(self, character: str) -> None:
        """Step over one character. Raises: ValueError where it is another one."""
        found = self.peek()
        if found != character:
            raise ValueError(f"expected {character} and found {found or 'the end'}: not JSON, or cut off")
        self._at += 1

    def open(self, brackets: str) -> str:
        """Step into an object or list; gives its closing bracket, stepped over too, where it is empty."""
        self.expect(brackets[0])
        if self.peek() != brackets[1]:
            return ""
        self.expect(brackets[1])
        return brackets[1]

    def next(self, closing: str) -> str:
        """Step over the comma before the next item, or over ``closing``; gives which it was."""
        found = "," if self.peek() == "," else closing
        self.expect(found)
        return found

    def value(self) -> Any:
        """The next value, whole."""
        self.peek()
        wanted = _CHUNK
        while True:
            try:
                value, end = _scan(self._text, self._at)
                # A number might go on in what has not been read yet.
                if end < len(self._text) or self._ended:
                    self._at = end
                    return value
            except json.JSONDecodeError as error:
                if self._ended:
                    raise ValueError(f"{error.msg}: not JSON, or cut off") from error
            except RecursionError as error:
                raise ValueError("nested too deep") from error
            if len(self._text) - self._at > MAX_ITEM:
                raise LimitError(f"one item of more than {MAX_ITEM} characters")
            # Doubling keeps the work of starting over linear in the size of the value.
            self._more(wanted)
            wanted = max(_CHUNK, len(self._text) - self._at)

    def _more(self, wanted: int) -> bool:
        """Read on; False at the end."""
        pieces, length = [self._text[self._at :]], 0
        while length < wanted and not self._ended:
            data = self._stream.read(_CHUNK)
            self._ended = not data
            text = self._decode(data, final=self._ended)
            pieces.append(text)
            length += len(text)
        self._text = "".join(pieces)
        self._at = 0
        return length > 0


def _end_of(match: re.Match[str] | None) -> int:
    return match.end() if match else 0

"""The lasting form of long values, written and read a piece at a time.

What ``codec.write_lasting`` makes of an image of a hundred thousand packages takes more memory than the packages: as
lists, as text and as bytes. Here it exists as pieces; the bytes are the same.

A value read back takes less as well: of texts and mappings that stand in many of its rows there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, get_args, get_origin

from anchorecli import codec
from anchorecli.longjson import Reader
from anchorecli.values import fields, is_dataclass

AT_A_TIME = 1024
"""So many items of a sequence are written at once."""
LONG = 4 * 1024 * 1024
"""Bytes from which a document is worth reading in this way: shorter ones are read sooner by the decoder's one pass."""
_MEMO = 32 * 1024

_Memo = dict[Any, Any]


def write(kind: type, value: object) -> Iterator[bytes]:
    """What ``codec.write_lasting`` writes of a value of the class ``kind``, in pieces.

    Raises: TypeError as that does.
    """
    recipes = codec.Recipes()
    recipes.of(kind)
    yield f"[{codec.dump(recipes.classes)},[".encode("utf-8", "surrogatepass")
    for place, (name, hint) in enumerate(_hints(kind).items()):
        recipe = recipes.of(hint)
        for piece in _pieces(hint, recipe.write, getattr(value, name)):
            yield (("," if place else "") + piece).encode("utf-8", "surrogatepass")
            place = 0
    yield b"]]"


def write_items(kind: type, values: tuple[Any, ...], shared: Sequence[object] = ()) -> Iterator[bytes]:
    """What ``codec.write_lasting`` writes of values of the class ``kind``, in pieces; see there for ``shared``.

    Raises: as that does.
    """
    recipes = codec.Recipes()
    if shared:
        places = {id(each): place for place, each in enumerate(shared)}
        recipes.share(type(shared[0]), lambda each: places[id(each)], None)
    hint = tuple[kind, ...]  # type: ignore[valid-type]
    convert = recipes.of(hint).write
    for piece in chain([f"[{codec.dump(recipes.classes)},"], _pieces(hint, convert, values), ["]"]):
        yield piece.encode("utf-8", "surrogatepass")


def sequence(kind: type, values: tuple[Any, ...]) -> Iterator[str]:
    """Values of the class ``kind`` as JSON, in pieces; equal ones give equal pieces."""
    recipe = codec.Recipes().of(tuple[kind, ...])  # type: ignore[valid-type]
    return _pieces(tuple[kind, ...], recipe.write, values)  # type: ignore[valid-type]


def _pieces(hint: Any, convert: Any, value: Any) -> Iterator[str]:
    """A field's JSON; a long sequence in pieces."""
    if get_origin(hint) is not tuple or len(value) <= AT_A_TIME:
        yield codec.dump(value if convert is None else convert(value))
        return
    before = "["
    for start in range(0, len(value), AT_A_TIME):
        part = value[start : start + AT_A_TIME]
        yield before + codec.dump(part if convert is None else convert(part))[1:-1]
        before = ","
    yield "]"


def read(kind: type, data: bytes) -> Any:
    """The value of the class ``kind`` that ``write`` or ``codec.write_lasting`` wrote, by this version or another one.

    Raises: ValueError where the bytes are damaged, or speak of what this version does not know.
    """
    with _read_whole(), codec.uncollected():
        return _read(kind, Reader(data))


def read_items(kind: type, data: bytes, shared: Sequence[object] = ()) -> tuple[Any, ...]:
    """The values of the class ``kind`` that ``write_items`` wrote; see ``codec.read_lasting`` for ``shared``.

    Raises: ValueError as ``read`` does.
    """
    with _read_whole(), codec.uncollected():
        reader = Reader(data)
        reader.sign(b"[")
        recipes = codec.Recipes(reader.value())
        if shared:
            recipes.share(type(shared[0]), None, shared.__getitem__)
        reader.sign(b",")
        found = _items(recipes.of(kind).read, reader)
        _end(reader, b"]")
        return found


@contextmanager
def _read_whole() -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(f"a damaged document: {error}") from error


def _read(kind: type, reader: Reader) -> Any:
    reader.sign(b"[")
    classes = reader.value()
    reader.sign(b",")
    reader.sign(b"[")
    recipes = codec.Recipes(classes)
    hints = _hints(kind)
    found: dict[str, Any] = {}
    # A class that the document does not name has the fields that this version knows, as in the lasting form.
    for place, name in enumerate(classes.get(kind.__name__, hints)):
        if place:
            reader.sign(b",")
        convert = _item_reader(recipes, hints.get(name))
        if convert is not None and reader.next() == b"[":
            found[name] = _items(convert, reader)
            continue
        value = reader.value()
        # What this version does not know is passed over.
        if name in hints:
            read = recipes.of(hints[name]).read
            found[name] = value if read is None else read(value)
    _end(reader, b"]]")
    return kind(**found)


def _end(reader: Reader, signs: bytes) -> None:
    for sign in signs:
        reader.sign(bytes([sign]))
    if reader.next():
        raise ValueError("it does not end where it should")


def _item_reader(recipes: codec.Recipes, hint: Any) -> Any:
    """What reads an item of a ``tuple[Class, ...]``; None for every other kind of field."""
    item = get_args(hint)[0] if get_origin(hint) is tuple else None
    return recipes.of(item).read if is_dataclass(item) else None


def _items(convert: Any, reader: Reader) -> tuple[Any, ...]:
    """The items of a sequence, each converted as soon as it is read."""
    items: list[Any] = []
    memo: _Memo = {}
    for row, _, _ in reader.items():
        items.append(convert(_shared(row, memo)))
        if len(memo) > _MEMO:
            memo.clear()
    return tuple(items)


def _shared(value: Any, memo: _Memo) -> Any:
    """A value with texts and mappings of rows before it instead of its own equal ones."""
    if isinstance(value, str):
        return memo.setdefault(value, value)
    if isinstance(value, list):
        return [_shared(each, memo) for each in value]
    if isinstance(value, dict):
        own = {key: _shared(each, memo) for key, each in value.items()}
        return memo.setdefault(tuple(own.items()), own) if all(isinstance(each, str) for each in own.values()) else own
    return value


def _hints(kind: Any) -> dict[str, Any]:
    hints = codec.hints(kind)
    return {each.name: hints[each.name] for each in fields(kind)}

"""Values of the model as bytes for the store, and back.

A value is written as JSON: a dataclass is the list of its fields in order, without names, so that three thousand
packages stay small and quick to read. How each class is written and read is worked out from its annotations, once.

Format: byte 0 is ``0xA1`` (plain) or ``0xA2`` (zlib): the encoding's version and what follows; bytes 1-4 are the first
bytes of a SHA-256 over the shape of the class (every field, by name and type, of every class it holds); then the JSON
in UTF-8. The shape makes a value written by another version of a class unreadable rather than wrong: nobody has to
remember to raise a number when a field is added.

That is for what can be made again. What has to outlive the program's versions is written in the *lasting* form: UTF-8
JSON ``[{"Class": ["field", ...]}, value]``, the fields of every class named once. A reader takes fields by name, gives
those that were added since their defaults, and passes over those that are gone.
"""

from __future__ import annotations

import base64
import gc
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from hashlib import sha256
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, NamedTuple, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_PLAIN = b"\xa1"
_ZLIB = b"\xa2"
_HEADER = 5
_COMPRESS_FROM = 512
"""Below this many bytes zlib gains nothing worth its time."""

dump = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"), sort_keys=True).encode
"""A value as JSON, as all of this is written."""


def encode(value: object) -> bytes:
    """A model value as bytes; equal values give equal bytes.

    Raises: TypeError for a class whose annotations hold something other than the model's kinds of value.
    """
    cls: Any = type(value)
    write = _recipe(cls).write
    written = value if write is None else write(value)
    # surrogatepass, since paths of an image need not be UTF-8 (surrogateescape).
    body = dump(written).encode("utf-8", "surrogatepass")
    if len(body) < _COMPRESS_FROM:
        return _PLAIN + _fingerprint(cls) + body
    return _ZLIB + _fingerprint(cls) + zlib.compress(body, 1)


def decode(cls: type[T], data: bytes) -> T:
    """The value of class ``cls`` that ``encode`` wrote.

    Raises: ValueError where the bytes are damaged, of another class, or of another version of the class: the caller
    treats what it asked for as not there.
    """
    kind: Any = cls
    if data[1:_HEADER] != _fingerprint(kind):
        raise ValueError(f"not a {cls.__name__} as this version writes it")
    try:
        with uncollected():
            body = _body(data)
            read = _recipe(kind).read
            loaded = json.loads(body.decode("utf-8", "surrogatepass"))
            value: T = loaded if read is None else read(loaded)
    except (zlib.error, TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(f"a damaged {cls.__name__}: {error}") from error
    if not isinstance(value, cls):
        raise ValueError(f"a damaged {cls.__name__}")
    return value


@contextmanager
def uncollected() -> Iterator[None]:
    """Tens of thousands of new values without a cycle among them: the collector would look at them over and over."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _body(data: bytes) -> bytes:
    if data[:1] == _ZLIB:
        return zlib.decompress(data[_HEADER:])
    if data[:1] == _PLAIN:
        return data[_HEADER:]
    raise ValueError("unknown encoding")


def shape(cls: Any) -> str:
    """A short name for what ``encode`` makes of a class: another one where a field was added anywhere in it."""
    return _fingerprint(cls).hex()


def write_lasting(kind: Any, value: object, shared: Sequence[object] = ()) -> bytes:
    """A value of the type ``kind`` (a class, or ``tuple[X, ...]``) in the lasting form, not compressed.

    ``shared`` are values of one class that are written as their places in it, wherever they stand in ``value``; who
    reads it must have them.

    Raises: TypeError as ``encode`` does, LookupError for a value of the class of ``shared`` that is not among them.
    """
    recipes = Recipes()
    if shared:
        places = {id(each): place for place, each in enumerate(shared)}
        recipes.share(type(shared[0]), lambda each: places[id(each)], None)
    write = recipes.of(kind).write
    with uncollected():
        written = value if write is None else write(value)
        return dump([recipes.classes, written]).encode("utf-8", "surrogatepass")


def read_lasting(kind: Any, data: bytes, shared: Sequence[object] = ()) -> Any:
    """The value that ``write_lasting`` wrote, by this version of the program or another one.

    Raises: ValueError where the bytes are damaged, or speak of what this version does not know.
    """
    try:
        with uncollected():
            classes, body = json.loads(data.decode("utf-8", "surrogatepass"))
            recipes = Recipes(classes)
            if shared:
                recipes.share(type(shared[0]), None, shared.__getitem__)
            read = recipes.of(kind).read
            return body if read is None else read(body)
    except (TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(f"a damaged document: {error}") from error


_Convert = Callable[[Any], Any]


class _Recipe(NamedTuple):
    """How values of one annotation become JSON and come back; None where JSON keeps them as they are."""

    write: _Convert | None
    read: _Convert | None
    shape: str


_AS_IS = (str, int, float, bool, NoneType, Any)


class Recipes:
    """The recipes of a form, each worked out when first asked for.

    In the lasting form ``classes`` become the fields of each class, and ``written`` are those that a document names.
    """

    def __init__(self, written: Mapping[str, list[str]] | None = None, *, lasting: bool = True) -> None:
        self.classes: dict[str, list[str]] = {}
        self._written = written
        self._lasting = lasting
        self._made: dict[Any, _Recipe] = {}

    def share(self, cls: type, place: _Convert | None, take: _Convert | None) -> None:
        """Values of a class become numbers: ``place`` gives that of a value, ``take`` the value back."""
        self._made[cls] = _Recipe(place, take, "shared")

    def of(self, kind: Any) -> _Recipe:
        """The recipe of an annotation."""
        while isinstance(kind, NewType):
            kind = kind.__supertype__
        if kind not in self._made:
            self._made[kind] = self._make(kind)
        return self._made[kind]

    def _make(self, kind: Any) -> _Recipe:
        origin = get_origin(kind)
        if kind in _AS_IS:
            return _Recipe(None, None, getattr(kind, "__name__", "Any"))
        if kind is bytes:
            return _Recipe(lambda value: base64.b64encode(value).decode("ascii"), base64.b64decode, "bytes")
        if origin is tuple:
            return self._sequence(get_args(kind))
        if origin in (UnionType, Union):
            return self._optional(get_args(kind))
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return self._mapping(get_args(kind))
        if isinstance(kind, type) and issubclass(kind, Enum):
            members = ",".join(f"{member.name}={member.value!r}" for member in kind)
            # A table is several times quicker than the enum's own call, and as strict.
            return _Recipe(None, {member.value: member for member in kind}.__getitem__, f"{kind.__name__}<{members}>")
        if is_dataclass(kind):
            return self._record(kind, [field.name for field in fields(kind)])
        if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
            return self._record(kind, list(kind._fields))
        raise TypeError(f"no way to store {kind!r}")

    def _sequence(self, args: tuple[Any, ...]) -> _Recipe:
        if len(args) != 2 or args[1] is not Ellipsis:
            raise TypeError("only tuple[X, ...] can be stored")
        item = self.of(args[0])
        write, read = item.write, item.read
        return _Recipe(
            None if write is None else lambda value: [write(each) for each in value],
            tuple if read is None else lambda value: tuple([read(each) for each in value]),
            f"({item.shape}*)",
        )

    def _mapping(self, args: tuple[Any, ...]) -> _Recipe:
        key, item = (self.of(arg) for arg in args)
        if key.shape != "str":
            raise TypeError("only mappings of str can be stored")
        write, read = item.write, item.read
        return _Recipe(
            dict if write is None else lambda value: {name: write(each) for name, each in value.items()},
            None if read is None else lambda value: {name: read(each) for name, each in value.items()},
            f"{{{item.shape}}}",
        )

    def _optional(self, args: tuple[Any, ...]) -> _Recipe:
        others = [arg for arg in args if arg is not NoneType]
        if len(others) != 1 or len(args) != 2:
            raise TypeError("only X | None can be stored")
        item = self.of(others[0])
        write, read = item.write, item.read
        return _Recipe(
            None if write is None else lambda value: None if value is None else write(value),
            None if read is None else lambda value: None if value is None else read(value),
            f"{item.shape}?",
        )

    def _record(self, cls: Any, names: list[str]) -> _Recipe:
        types = hints(cls)
        recipes = [self.of(types[name]) for name in names]
        if self._lasting and self.classes.setdefault(cls.__name__, names) is not names:
            raise TypeError(f"two classes are called {cls.__name__}")
        written = names if self._written is None else self._written.get(cls.__name__, names)
        readers = {name: each.read for name, each in zip(names, recipes, strict=True)}
        shape_ = ",".join(f"{name}:{each.shape}" for name, each in zip(names, recipes, strict=True))
        return _Recipe(
            _row_writer(names, [each.write for each in recipes]),
            _row_reader(cls, list(readers.values())) if written == names else _reader_by_name(cls, written, readers),
            f"{cls.__name__}[{shape_}]",
        )


@cache
def hints(cls: Any) -> dict[str, Any]:
    """The annotations of a class, by field."""
    return get_type_hints(cls)


def _row_writer(names: list[str], converters: list[_Convert | None]) -> _Convert:
    writers = [(at, convert) for at, convert in enumerate(converters) if convert is not None]
    columns = _getter(names)

    def write(value: Any) -> list[Any]:
        row = columns(value)
        for at, convert in writers:
            row[at] = convert(row[at])
        return row

    return write


def _row_reader(cls: Any, converters: list[_Convert | None]) -> _Convert:
    readers = [(at, convert) for at, convert in enumerate(converters) if convert is not None]
    width = len(converters)

    def read(row: Any) -> Any:
        # A row that is too short must not be filled up with defaults.
        if len(row) != width:
            raise ValueError(f"{cls.__name__} has {width} fields, not {len(row)}")
        for at, convert in readers:
            row[at] = convert(row[at])
        return cls(*row)

    return read


def _reader_by_name(cls: Any, written: list[str], readers: Mapping[str, _Convert | None]) -> _Convert:
    """For rows of another version of a class: what is not known is dropped, what is missing has its default."""
    known = [(at, name, readers[name]) for at, name in enumerate(written) if name in readers]

    def read(row: Any) -> Any:
        if len(row) != len(written):
            raise ValueError(f"{cls.__name__} was written with {len(written)} fields, not {len(row)}")
        return cls(**{name: row[at] if convert is None else convert(row[at]) for at, name, convert in known})

    return read


def _getter(names: list[str]) -> Callable[[Any], list[Any]]:
    if len(names) == 1:
        return lambda value: [getattr(value, names[0])]
    get = attrgetter(*names)
    return lambda value: list(get(value))


_CURRENT = Recipes(lasting=False)


def _recipe(kind: Any) -> _Recipe:
    return _CURRENT.of(kind)


@cache
def _fingerprint(cls: Any) -> bytes:
    return sha256(_recipe(cls).shape.encode()).digest()[:4]

"""Values of the model as bytes for the store, and back.

A value is written as JSON: a dataclass is the list of its fields in order, without names, so that three thousand
packages stay small and quick to read. How each class is written and read is worked out from its annotations, once.

Format: byte 0 is ``0xA1`` (plain) or ``0xA2`` (zlib): the encoding's version and what follows; bytes 1-4 are the first
bytes of a SHA-256 over the shape of the class (every field, by name and type, of every class it holds); then the JSON
in UTF-8. The shape makes a value written by another version of a class unreadable rather than wrong: nobody has to
remember to raise a number when a field is added.
"""

from __future__ import annotations

import base64
import gc
import json
import zlib
from collections.abc import Callable, Mapping
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

_dump = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"), sort_keys=True).encode


def encode(value: object) -> bytes:
    """A model value as bytes; equal values give equal bytes.

    Raises: TypeError for a class whose annotations hold something other than the model's kinds of value.
    """
    cls: Any = type(value)
    write = _recipe(cls).write
    written = value if write is None else write(value)
    # surrogatepass, since paths of an image need not be UTF-8 (surrogateescape).
    body = _dump(written).encode("utf-8", "surrogatepass")
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
    collecting = gc.isenabled()
    # Tens of thousands of new values without a cycle among them: the collector would look at them again and again.
    gc.disable()
    try:
        body = _body(data)
        read = _recipe(kind).read
        loaded = json.loads(body.decode("utf-8", "surrogatepass"))
        value: T = loaded if read is None else read(loaded)
    except (zlib.error, TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(f"a damaged {cls.__name__}: {error}") from error
    finally:
        if collecting:
            gc.enable()
    if not isinstance(value, cls):
        raise ValueError(f"a damaged {cls.__name__}")
    return value


def _body(data: bytes) -> bytes:
    if data[:1] == _ZLIB:
        return zlib.decompress(data[_HEADER:])
    if data[:1] == _PLAIN:
        return data[_HEADER:]
    raise ValueError("unknown encoding")


_Convert = Callable[[Any], Any]


class _Recipe(NamedTuple):
    """How values of one annotation become JSON and come back; None where JSON keeps them as they are."""

    write: _Convert | None
    read: _Convert | None
    shape: str


_AS_IS = (str, int, float, bool, NoneType, Any)


@cache
def _recipe(kind: Any) -> _Recipe:
    while isinstance(kind, NewType):
        kind = kind.__supertype__
    origin = get_origin(kind)
    if kind in _AS_IS:
        return _Recipe(None, None, getattr(kind, "__name__", "Any"))
    if kind is bytes:
        return _Recipe(lambda value: base64.b64encode(value).decode("ascii"), base64.b64decode, "bytes")
    if origin is tuple:
        return _sequence(get_args(kind))
    if origin in (UnionType, Union):
        return _optional(get_args(kind))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        members = ",".join(f"{member.name}={member.value!r}" for member in kind)
        # A table is several times quicker than the enum's own call, and as strict.
        return _Recipe(None, {member.value: member for member in kind}.__getitem__, f"{kind.__name__}<{members}>")
    if is_dataclass(kind):
        return _record(kind, [field.name for field in fields(kind)])
    if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _record(kind, list(kind._fields))
    raise TypeError(f"no way to store {kind!r}")


def _sequence(args: tuple[Any, ...]) -> _Recipe:
    if len(args) != 2 or args[1] is not Ellipsis:
        raise TypeError("only tuple[X, ...] can be stored")
    item = _recipe(args[0])
    write, read = item.write, item.read
    return _Recipe(
        None if write is None else lambda value: [write(each) for each in value],
        tuple if read is None else lambda value: tuple([read(each) for each in value]),
        f"({item.shape}*)",
    )


def _mapping(args: tuple[Any, ...]) -> _Recipe:
    key, item = (_recipe(arg) for arg in args)
    if key.shape != "str":
        raise TypeError("only mappings of str can be stored")
    write, read = item.write, item.read
    return _Recipe(
        dict if write is None else lambda value: {name: write(each) for name, each in value.items()},
        None if read is None else lambda value: {name: read(each) for name, each in value.items()},
        f"{{{item.shape}}}",
    )


def _optional(args: tuple[Any, ...]) -> _Recipe:
    others = [arg for arg in args if arg is not NoneType]
    if len(others) != 1 or len(args) != 2:
        raise TypeError("only X | None can be stored")
    item = _recipe(others[0])
    write, read = item.write, item.read
    return _Recipe(
        None if write is None else lambda value: None if value is None else write(value),
        None if read is None else lambda value: None if value is None else read(value),
        f"{item.shape}?",
    )


def _record(cls: Any, names: list[str]) -> _Recipe:
    hints = get_type_hints(cls)
    recipes = [_recipe(hints[name]) for name in names]
    writers = [(at, each.write) for at, each in enumerate(recipes) if each.write is not None]
    readers = [(at, each.read) for at, each in enumerate(recipes) if each.read is not None]
    columns = _getter(names)
    width = len(names)

    def write(value: Any) -> list[Any]:
        row = columns(value)
        for at, convert in writers:
            row[at] = convert(row[at])
        return row

    def read(row: Any) -> Any:
        # A row that is too short must not be filled up with defaults.
        if len(row) != width:
            raise ValueError(f"{cls.__name__} has {width} fields, not {len(row)}")
        for at, convert in readers:
            row[at] = convert(row[at])
        return cls(*row)

    shape = ",".join(f"{name}:{each.shape}" for name, each in zip(names, recipes, strict=True))
    return _Recipe(write, read, f"{cls.__name__}[{shape}]")


def _getter(names: list[str]) -> Callable[[Any], list[Any]]:
    if len(names) == 1:
        return lambda value: [getattr(value, names[0])]
    get = attrgetter(*names)
    return lambda value: list(get(value))


@cache
def _fingerprint(cls: Any) -> bytes:
    return sha256(_recipe(cls).shape.encode()).digest()[:4]

"""``dataclass`` as the standard library has it, at a third of its price.

There are eighty values and plugins on the path of a scan, and the standard decorator compiles six methods for each:
0.65 ms a class, a quarter of a scan of a known image. This one compiles ``__init__`` alone, and that when the first
value is made; the others are closures over ``operator.attrgetter``. ``fields``, ``replace`` and ``asdict`` work on the
result, and type checkers see the original.

Not handled: ``InitVar``, ``ClassVar``, ``KW_ONLY``, ``match_args=False``, ``unsafe_hash``, ``weakref_slot``, and to be
the base of a class that the standard decorator makes: use the standard one where they are needed.
"""

from __future__ import annotations

from dataclasses import field, fields, is_dataclass, replace
from typing import TYPE_CHECKING

__all__ = ["dataclass", "field", "fields", "is_dataclass", "replace"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from dataclasses import _FIELD, _FIELDS, MISSING, Field, FrozenInstanceError
    from operator import attrgetter, ge, gt, le, lt
    from types import MemberDescriptorType

    def dataclass(cls=None, /, *, frozen=False, slots=False, order=False, **others):
        """``dataclasses.dataclass`` with the options that this program uses."""

        def make(cls):
            unknown = others.keys() - {"eq", "repr", "kw_only"}
            if unknown:
                raise TypeError(f"{unknown}: use the standard library's dataclass")
            kw_only = others.get("kw_only", False)
            cls = _with_fields(cls, kw_only)
            if slots:
                cls = _with_slots(cls)
            known = fields(cls)
            if "__init__" not in cls.__dict__:
                cls.__init__ = _first_init(cls, known, frozen)
            methods = {}
            if others.get("repr", True):
                methods |= {"__repr__": _repr([f.name for f in known if f.repr])}
            if others.get("eq", True):
                methods |= _comparisons(cls, [f.name for f in known if f.compare], frozen, order)
            if frozen:
                methods |= {"__setattr__": _refuse_set, "__delattr__": _refuse_delete}
            for name, method in methods.items():
                if name not in cls.__dict__ or (name == "__hash__" and cls.__dict__[name] is None):
                    setattr(cls, name, method)
            return cls

        return make if cls is None else make(cls)

    def _with_fields(cls, kw_only):
        """The class with what ``fields`` reads: those of its bases, then its own annotations."""
        found = {}
        for base in cls.__mro__[-1:0:-1]:
            found |= getattr(base, _FIELDS, {})
        for name, kind in cls.__annotations__.items():
            found[name] = _field(cls, name, kind, kw_only)
        for name, value in cls.__dict__.items():
            if isinstance(value, Field) and name not in cls.__annotations__:
                raise TypeError(f"{name!r} is a field but has no type annotation")
        setattr(cls, _FIELDS, found)
        cls.__match_args__ = tuple(f.name for f in found.values() if f.init and not f.kw_only)
        _check_order(f for f in found.values() if f.init and not f.kw_only)
        return cls

    def _field(cls, name, kind, kw_only):
        default = cls.__dict__.get(name, MISSING)
        if isinstance(default, MemberDescriptorType):
            default = MISSING  # a slot, not a value
        found = default if isinstance(default, Field) else field(default=default)
        found.name, found.type, found._field_type = name, kind, _FIELD
        if found.kw_only is MISSING:
            found.kw_only = kw_only
        if found.default is not MISSING and found.default.__class__.__hash__ is None:
            raise ValueError(f"mutable default {type(found.default)} for field {name} is not allowed")
        if isinstance(default, Field):
            if found.default is MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, found.default)
        return found

    def _check_order(known):
        given = False
        for f in known:
            if f.default is not MISSING or f.default_factory is not MISSING:
                given = True
            elif given:
                raise TypeError(f"non-default argument {f.name!r} follows default argument")

    def _with_slots(cls):
        """A class of the same body with a slot for each field of its own."""
        if "__slots__" in cls.__dict__:
            raise TypeError(f"{cls.__name__} already specifies __slots__")
        names = [f.name for f in fields(cls)]
        inherited = {slot for base in cls.__mro__[1:-1] for slot in getattr(base, "__slots__", ())}
        body = {name: value for name, value in cls.__dict__.items() if name not in names}
        body.pop("__dict__", None)
        body.pop("__weakref__", None)
        body["__slots__"] = tuple(name for name in names if name not in inherited)
        made = type(cls)(cls.__name__, cls.__bases__, body)
        made.__qualname__ = cls.__qualname__
        return made

    def _first_init(cls, known, frozen):
        """An ``__init__`` that compiles the real one when the first value is made: many classes never have one."""

        def __init__(self, *args, **kwargs):
            # Two threads may both compile it: either's is as good.
            if cls.__init__ is __init__:
                cls.__init__ = _init(cls, known, frozen)
            cls.__init__(self, *args, **kwargs)

        __init__.__qualname__ = f"{cls.__qualname__}.__init__"
        return __init__

    def _init(cls, known, frozen):
        """The one method that is compiled: its signature makes calls with wrong arguments fail as they should."""
        names, parameters, body, keyword = {"_FACTORY": _FACTORY}, [], [], []
        for f in known:
            value = f.name
            if f.default is not MISSING:
                names[f"_default_{f.name}"] = f.default
                parameter = f"{f.name}=_default_{f.name}"
            elif f.default_factory is not MISSING:
                names[f"_make_{f.name}"] = f.default_factory
                parameter = f"{f.name}=_FACTORY"
                value = f"_make_{f.name}() if {f.name} is _FACTORY else {f.name}"
            else:
                parameter = f.name
            if not f.init:
                if f.default is MISSING and f.default_factory is MISSING:
                    continue
                value = f"_default_{f.name}" if f.default is not MISSING else f"_make_{f.name}()"
            else:
                (keyword if f.kw_only else parameters).append(parameter)
            if frozen:
                names[f"_set_{f.name}"] = _setter(cls, f.name)
                body.append(f"_set_{f.name}(self, {value})")
            else:
                body.append(f"self.{f.name} = {value}")
        if hasattr(cls, "__post_init__"):
            body.append("self.__post_init__()")
        signature = ", ".join(["self", *parameters, *(["*", *keyword] if keyword else [])])
        source = f"def __init__({signature}):\n " + ("\n ".join(body) or "pass")
        exec(source, names)  # noqa: S102 - made of field names above, as the standard library does it
        function = names["__init__"]
        function.__qualname__ = f"{cls.__qualname__}.__init__"
        return function

    def _setter(cls, name):
        """The slot's own setter, which a frozen class's ``__setattr__`` does not reach."""
        descriptor = cls.__dict__.get(name)
        if hasattr(type(descriptor), "__set__"):
            return descriptor.__set__
        return lambda self, value: object.__setattr__(self, name, value)

    def _repr(names):
        def __repr__(self):
            inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
            return f"{type(self).__qualname__}({inner})"

        return __repr__

    def _comparisons(cls, names, frozen, order):
        # With no field attrgetter cannot be made, with one it gives no tuple: neither matters to ==, < and hash.
        key = attrgetter(*names) if names else lambda self: ()

        def __eq__(self, other):
            return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

        def __hash__(self):
            return hash(key(self))

        methods = {"__eq__": __eq__, "__hash__": __hash__ if frozen else None}
        if order:
            methods |= {f"__{compare.__name__}__": _ordering(key, compare) for compare in (lt, le, gt, ge)}
        return methods

    def _ordering(key, compare):
        def method(self, other):
            return compare(key(self), key(other)) if other.__class__ is self.__class__ else NotImplemented

        return method

    def _refuse_set(self, name, value):
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def _refuse_delete(self, name):
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    _FACTORY = type("_Factory", (), {"__repr__": lambda self: "<factory>"})()

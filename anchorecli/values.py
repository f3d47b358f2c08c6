"""``dataclass`` as the standard library has it, at a third of its price.

There are sixty values and plugins on the path of a scan, and the standard decorator compiles six methods for each:
0.65 ms a class, a quarter of a scan of a known image. This one compiles ``__init__`` alone, and that when the first
value is made; the others are closures over ``operator.attrgetter``. ``fields``, ``replace`` and ``asdict`` work on the
result, and type checkers see the original.

Not handled: ``InitVar``, ``ClassVar``, ``KW_ONLY``, ``match_args=False``, ``unsafe_hash``, ``weakref_slot``: use the
standard one where they are needed.
"""

from __future__ import annotations

from dataclasses import field, fields, is_dataclass, replace
from typing import TYPE_CHECKING

__all__ = ["dataclass", "field", "fields", "is_dataclass", "replace"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from dataclasses import MISSING, FrozenInstanceError
    from dataclasses import dataclass as _standard
    from operator import attrgetter, ge, gt, le, lt

    def dataclass(cls=None, /, *, frozen=False, slots=False, order=False, **others):
        """``dataclasses.dataclass`` with the options that this program uses."""

        def make(cls):
            unknown = others.keys() - {"eq", "repr", "kw_only"}
            if unknown:
                raise TypeError(f"{unknown}: use the standard library's dataclass")
            kw_only = others.get("kw_only", False)
            cls = _standard(cls, init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)
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

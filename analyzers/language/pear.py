"""Installed PEAR and PECL packages, by PEAR's registry.

Format: https://pear.php.net/manual/en/guide.developers.package2.php as an array that PHP serialised
(https://www.php.net/manual/en/function.serialize.php) into ``.registry/NAME.reg``, below ``.channel.pecl.php.net`` for
another channel than PEAR's own: ``a:2:{s:4:"name";s:5:"redis";…}``.

Emits: packages of the type ``pear``, with channel and licence.

Not handled: extensions that were built without ``pecl``, and those of the distribution, which its packages own.
"""

from __future__ import annotations

import re

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.limits import Limit, Limits
from anchorecli.analyzers.purl import purl
from anchorecli.errors import LimitError
from anchorecli.model import Json, Package
from anchorecli.values import dataclass

MAX_BYTES = 8 * 1024 * 1024
LIMITS = Limits("pear", (Limit("values", 1_000_000, "values in one file"),))
DEFAULT_CHANNEL = "pear.php.net"

_REGISTRY = re.compile(r"(?:^|/)\.registry/(?:\.channel\.[^/]+/)?[^/]+\.reg$")
_CHANNEL = re.compile(r"/\.registry/\.channel\.([^/]{1,200})/")
_TEXT = 300
_DEPTH = 100
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")


@dataclass(frozen=True, slots=True)
class Pear:
    """Packages that ``pear`` or ``pecl`` installed, PHP's extensions among them.

    A fact is ``name``, ``channel``, ``version`` and ``license``, those that are there.
    """

    name: str = "pear"
    version: int = 2
    options: str = ""
    wants: Wants = Wants(
        suffixes=frozenset({".reg"}),
        match=lambda path, size, mode: _REGISTRY.search(path) is not None,
        max_bytes=MAX_BYTES,
    )
    limits: Limits = LIMITS

    def read(self, file: LayerFile) -> Json | None:
        """The few fields of one registry file."""
        try:
            fact = read_registry(file.data(), self.limits)
            # package.xml 1.0 knows no channels; the registry keeps what is not of the default one apart.
            if (place := _CHANNEL.search(file.path)) and fact.get("channel", DEFAULT_CHANNEL) == DEFAULT_CHANNEL:
                fact["channel"] = place[1]
        except LimitError:
            raise
        except ValueError as error:
            return partial(None, str(error))
        return fact if "name" in fact and "version" in fact else partial(None, "no name and version in it")

    def assemble(self, view: View) -> Found:
        """A package for each file of the registry."""
        return Found(packages=tuple(_package(view, fact) for fact in view.facts()))


def read_registry(data: bytes, limits: Limits = LIMITS) -> dict[str, str]:
    """``name``, ``channel``, ``version`` and ``license``, of package.xml 2.0 and of 1.0.

    Raises:
        ValueError: it is not what PHP serialises, or nested absurdly.
        LimitError: it has too many values.
    """
    found = _Reader(data).texts(limits)
    fact = {}
    for key, paths in (
        ("name", (("name",), ("package",))),
        ("channel", (("channel",),)),
        ("version", (("version", "release"), ("version",))),
        ("license", (("license", "_content"), ("license",), ("release_license",))),
    ):
        text = next((found[path] for path in paths if path in found), "")
        if text:
            fact[key] = text
    if not _NAME.fullmatch(fact.get("name", "")):
        fact.pop("name", None)
    return fact


class _Reader:
    """Walks a serialised array without building it: most of it is the list of files, which nobody asks for."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def texts(self, limits: Limits) -> dict[tuple[str, ...], str]:
        """The strings of the outermost array and those directly in it, by their keys."""
        found: dict[tuple[str, ...], str] = {}
        # Of each open array: how many values are still to come, and the key whose value is next.
        left: list[int] = []
        keys: list[str | None] = []
        for _ in range(limits["values"]):
            value = self._value()
            if isinstance(value, int):
                if keys:
                    keys[-1] = keys[-1] or ""
                left.append(value)
                keys.append(None)
                if len(left) > _DEPTH:
                    raise ValueError(f"more than {_DEPTH} arrays inside each other")
            elif not left:
                raise ValueError("no array")
            elif keys[-1] is None:
                keys[-1] = value
            else:
                if value and len(keys) <= 2:
                    found.setdefault(tuple(key or "" for key in keys), value)
                keys[-1] = None
                left[-1] -= 1
            while left and left[-1] == 0 and keys[-1] is None:
                self._expect(b"}")
                left.pop()
                keys.pop()
                if not left:
                    return found
                keys[-1] = None
                left[-1] -= 1
        raise limits.exceeded("values")

    def _value(self) -> str | int:
        """A scalar as text, or how many elements the array has that begins here."""
        kind = self._data[self._at : self._at + 2]
        self._at += 2
        if kind == b"N;":
            return ""
        if kind == b"a:":
            count = self._number(b":")
            self._expect(b"{")
            return count
        if kind == b"s:":
            length = self._number(b":")
            text = self._data[self._at + 1 : self._at + 1 + length]
            self._at += length + 1
            self._expect(b'";')
            return printable(text[:_TEXT])
        if kind in (b"i:", b"b:", b"d:"):
            end = self._data.find(b";", self._at, self._at + 40)
            if end >= 0:
                start, self._at = self._at, end + 1
                return printable(self._data[start:end])
        raise ValueError(f"not what PHP serialises: byte {self._at - 2}")

    def _number(self, end: bytes) -> int:
        stop = self._data.find(end, self._at, self._at + 12)
        digits = self._data[self._at : stop]
        if stop < 0 or not digits.isdigit():
            raise ValueError(f"not what PHP serialises: byte {self._at}")
        self._at = stop + 1
        return int(digits)

    def _expect(self, text: bytes) -> None:
        if not self._data.startswith(text, self._at):
            raise ValueError(f"not what PHP serialises: byte {self._at}")
        self._at += len(text)


def _package(view: View, fact: Fact) -> Package:
    name, version = fact.value["name"], fact.value["version"]
    channel = fact.value.get("channel", DEFAULT_CHANNEL)
    return Package(
        name=name,
        version=version,
        type="pear",
        scheme="composer",
        purl=purl("pear", name, version, namespace=channel),
        source=name,
        source_version=version,
        licenses=normalise([fact.value["license"]] if "license" in fact.value else []),
        locations=(view.location(fact),),
        layer=since(view, fact),
        analyzer="pear",
        metadata={"channel": channel},
    )

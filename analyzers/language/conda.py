"""Installed Conda packages, by what Conda and Mamba write into ``conda-meta`` of an environment.

Format: https://docs.conda.io/projects/conda/en/stable/dev-guide/specs/index.html (records of installed packages), one
JSON document each: ``{"name": "openssl", "version": "3.3.0", "build": "h4bc722e_3", "channel": "conda-forge", …}``.

Emits: packages of the type ``conda``, with build, channel, platform and licence.

Not handled: which Python package a Conda package is; that one is found by its own metadata and checked as such.
"""

from __future__ import annotations

import re

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.purl import purl
from anchorecli.errors import LimitError
from anchorecli.model import Json, Package
from anchorecli.values import dataclass

MAX_BYTES = 32 * 1024 * 1024
"""It lists the package's files with their digests; some have a hundred thousand."""
MAX_TEXT = 300

_FIELDS = ("name", "version", "build", "build_string", "channel", "subdir", "license")
_RECORD = re.compile(r"(?:^|/)conda-meta/[^/]+\.json$")
_CREDENTIALS = re.compile(r"//[^/@]*@|/t/[^/]+/")


@dataclass(frozen=True, slots=True)
class Conda:
    """Packages of every Conda environment in the image.

    A fact is ``name``, ``version``, ``build``, ``channel``, ``subdir`` and ``license``, those that are there.
    """

    name: str = "conda"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(
        parents=frozenset({"conda-meta"}),
        match=lambda path, size, mode: _RECORD.search(path) is not None,
        max_bytes=MAX_BYTES,
    )

    def read(self, file: LayerFile) -> Json | None:
        """The few fields of one record."""
        try:
            return read_record(file.data())
        except LimitError:
            raise
        except ValueError as error:
            return partial(None, str(error))

    def assemble(self, view: View) -> Found:
        """A package for each record."""
        return Found(packages=tuple(_package(view, fact) for fact in view.facts()))


def read_record(data: bytes) -> dict[str, str]:
    """The fields of one record.

    Raises:
        ValueError: it is no JSON object with a name and a version.
    """
    document = read_json(data)
    if not isinstance(document, dict):
        raise ValueError("no JSON object")
    texts = {key: document[key] for key in _FIELDS if isinstance(document.get(key), str)}
    found = {key: text for key, value in texts.items() if (text := printable(value).strip()[:MAX_TEXT])}
    if "build_string" in found:
        found["build"] = found.pop("build_string")
    if not {"name", "version"} <= found.keys():
        raise ValueError("no name and version in it")
    return found


def _package(view: View, fact: Fact) -> Package:
    value = fact.value
    # An address may hold a token: https://conda.anaconda.org/t/SECRET/private/linux-64
    channel = _channel(value.get("channel", ""))
    qualifiers = {"build": value.get("build", ""), "channel": channel, "subdir": value.get("subdir", "")}
    return Package(
        name=value["name"],
        version=value["version"],
        type="conda",
        scheme="fuzzy",
        purl=purl("conda", value["name"], value["version"], qualifiers),
        source=value["name"],
        source_version=value["version"],
        licenses=normalise([value["license"]] if "license" in value else []),
        locations=(view.location(fact),),
        layer=since(view, fact),
        analyzer="conda",
        metadata={key: text for key, text in qualifiers.items() if text},
    )


def _channel(text: str) -> str:
    """A channel's name: the last part of its address, before the platform."""
    if "://" not in text:
        return text
    path = _CREDENTIALS.sub("//" if "@" in text else "/", text).rstrip("/")
    parts = path.partition("://")[2].split("/")[1:]
    if parts and re.fullmatch(r"noarch|(?:linux|osx|win|emscripten|wasi)-\w+", parts[-1]):
        parts.pop()
    return "/".join(parts)

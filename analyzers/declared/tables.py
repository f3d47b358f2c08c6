"""Lock files that are TOML.

Format: https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html , Poetry's, PDM's and uv's lock files, each
an array ``[[package]]``; https://packaging.python.org/en/latest/specifications/pylock-toml/ (``[[packages]]``);
https://pkgdocs.julialang.org/v1/toml-files/#Manifest.toml (``[[deps.NAME]]``, before Julia 1.7 ``[[NAME]]``).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from anchorecli.analyzers.declared.needed import uv_needed
from anchorecli.analyzers.documents import MOST_TEXT, text_bytes
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row
from anchorecli.errors import LimitError

MOST_TOML = 800_000
"""Values, of which a table counts for four."""
_DOTTED = re.compile(rb"(?:[\w\"'-]{1,100}+\s{0,9}+\.\s{0,9}+){200}")
_LARGE = 64 * 1024
_LOCAL = frozenset({"virtual", "editable", "directory", "path", "git"})


def cargo(data: bytes) -> Iterator[Row]:
    """Crates from a registry; those without a source are the workspace's own."""
    for entry in _packages(table(data).get("package")):
        source = entry.get("source")
        if isinstance(source, str) and source.startswith(("registry+", "sparse+")):
            yield from _row("cargo", entry)


def poetry(data: bytes) -> Iterator[Row]:
    """Distributions from an index; left out are those of groups without ``main``, or of the category ``dev`` (before
    Poetry 1.5; between it and Poetry 2 the file does not tell)."""
    for entry in _packages(table(data).get("package")):
        groups = entry.get("groups")
        grouped = entry.get("category") == "dev" or (isinstance(groups, list) and "main" not in groups)
        if not grouped and not _is_elsewhere(entry.get("source")):
            yield from _distribution(entry)


def pdm(data: bytes) -> Iterator[Row]:
    """Distributions from an index, all of them: the file does not tell groups for development from extras."""
    for entry in _packages(table(data).get("package")):
        if not _is_elsewhere(entry.get("source")):
            yield from _distribution(entry)


def uv(data: bytes) -> Iterator[Row]:
    """Distributions from an index, but for those that only groups of members' dependencies reach."""
    document = table(data)
    packages = list(_packages(document.get("package")))
    needed = uv_needed(packages, document.get("manifest"))
    for place, entry in enumerate(packages):
        if (needed is None or place in needed) and not _is_elsewhere(entry.get("source")):
            yield from _distribution(entry)


def pylock(data: bytes) -> Iterator[Row]:
    """Distributions that are from no repository or directory."""
    for entry in _packages(table(data).get("packages")):
        if not {"vcs", "directory"} & entry.keys():
            yield from _distribution(entry)


def table(data: bytes) -> dict[str, Any]:
    """A document. Raises: ValueError; LimitError where it has too many values, or takes too much memory."""
    if len(data) > _LARGE:
        # Each takes ten times the bytes it is written in, and of keys the reader notes down which were there.
        values = data.count(b"=") + data.count(b"[") + 3 * (data.count(b"\n[") + data.count(b"{"))
        if values > MOST_TOML:
            raise LimitError(f"more than {MOST_TOML} values in one TOML document (a fixed limit)")
        if _DOTTED.search(data):
            raise LimitError("more than 200 keys inside each other in a TOML document (a fixed limit)")
        if text_bytes(data) > MOST_TEXT // 2:
            raise LimitError(f"a text that takes more than {MOST_TEXT // 2} bytes of memory (a fixed limit)")
    try:
        return tomllib.loads(data.decode("utf-8", "replace").replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as exc:
        raise ValueError(f"no TOML: {exc}") from None


def _is_elsewhere(source: object) -> bool:
    """Whether a distribution is from no index: Poetry says a type, uv by the key, PDM puts it beside the name."""
    if not isinstance(source, dict) or "registry" in source:
        return False
    return source.get("type", "legacy") != "legacy" or not _LOCAL.isdisjoint(source) or source.keys() == {"url"}


def julia(data: bytes) -> Iterator[Row]:
    """Registered packages; the standard library has no versions of its own there."""
    document = table(data)
    first = "manifest_format" not in document and "julia_version" not in document
    deps = document if first else document.get("deps")
    for name, entries in deps.items() if isinstance(deps, dict) else ():
        for entry in _packages(entries):
            if "uuid" in entry or not first:
                uuid = entry.get("uuid")
                for each in _row("julia", {**entry, "name": name}):
                    yield {**each, "qualifiers": {"uuid": printable(uuid)}} if isinstance(uuid, str) else each


def _distribution(entry: dict[str, Any]) -> Iterator[Row]:
    for each in _row("pypi", entry):
        yield {**each, "name": re.sub(r"[-_.]+", "-", each["name"]).lower()}


def _row(kind: str, entry: dict[str, Any]) -> Iterator[Row]:
    name, version = entry.get("name"), entry.get("version")
    if isinstance(name, str) and isinstance(version, str) and name and version:
        yield row(kind, printable(name), printable(version))


def _packages(value: object) -> Iterator[dict[str, Any]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())

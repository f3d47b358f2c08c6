"""What apk says of its files.

Format: the installed database (https://wiki.alpinelinux.org/wiki/Apk_spec): ``F:`` a directory, ``R:`` a file in it,
``a:uid:gid:mode`` of a file (0:0:644 where it is missing), ``Z:Q1`` and the base64 of the sha1 of its content, or of a
link's target; ``Q2`` and sha256 in apk 3. What is below ``etc`` is configuration.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence

from anchorecli.analyzers.base import Fact, LayerFile
from anchorecli.analyzers.demand.expected import Expected, short
from anchorecli.errors import LimitError
from anchorecli.model import ImagePath, Json, Package

_DATABASE = re.compile(r"(?:(?P<root>.*?)/)??(?:usr/)?lib/apk/db/installed$")
MAX_DATABASE = 16 * 1024 * 1024
_KINDS = {"Q1": "sha1", "Q2": "sha256"}
_DEFAULT_MODE = 0o644


def is_database(path: str) -> bool:
    """Whether a file is an installed database."""
    return path.endswith("/apk/db/installed") and _DATABASE.match(path) is not None


def read(file: LayerFile) -> Json | None:
    """Name, version, and the files of each package, each ``mode``, ``digest`` and path in a line."""
    if file.size > MAX_DATABASE:
        raise LimitError(f"more than {MAX_DATABASE} bytes in a database that files are compared with (a fixed limit)")
    packages: list[Json] = []
    for entry in file.data().decode("utf-8", "surrogateescape").split("\n\n"):
        values = {line[:2]: line[2:].strip() for line in entry.split("\n") if line[:2] in ("P:", "V:", "A:")}
        files = [f"{mode:o} {digest} {path}" for mode, digest, path in _files(entry)]
        if "P:" in values and files:
            packages.append([values["P:"], values.get("V:", ""), values.get("A:", ""), files])
    return {"apk": packages}


def _files(entry: str) -> Iterator[tuple[int, str, str]]:
    directory, path, mode, digest = "", "", _DEFAULT_MODE, ""
    for line in (*entry.split("\n"), "R:"):
        key, value = line[:2], line[2:]
        if key in ("R:", "F:"):
            if path and digest:
                yield mode, digest, path
            path, mode, digest = "", _DEFAULT_MODE, ""
        if key == "F:":
            directory = value
        elif key == "R:" and value:
            path = f"{directory}/{value}" if directory else value
        elif key == "a:" and path:
            mode = _octal(value.split(":")[2:3])
        elif key == "Z:" and path:
            digest = _digest(value)


def _octal(fields: list[str]) -> int:
    try:
        return int(fields[0], 8)
    except (IndexError, ValueError):
        return _DEFAULT_MODE


def _digest(text: str) -> str:
    try:
        return short(_KINDS.get(text[:2], ""), b64decode(text[2:]))
    except ValueError:
        return ""


def expected(facts: Mapping[ImagePath, Fact], packages: Sequence[Package]) -> Iterator[Expected]:
    """Every file of the packages."""
    purls = {(p.locations[0].path, p.name, p.version, p.arch): p.purl for p in packages}
    for database in dict.fromkeys(package.locations[0].path for package in packages):
        fact = facts.get(database)
        place = _DATABASE.match(database)
        prefix = f"{place['root']}/" if place and place["root"] else ""
        for name, version, arch, files in fact.value["apk"] if fact else ():
            purl = purls.get((database, name, version, arch), "")
            for line in files if purl else ():
                mode, digest, path = line.split(" ", 2)
                yield Expected(name, purl, prefix + path, digest, int(mode, 8), config=path.startswith("etc/"))

"""Readers of what a Python installer leaves: core metadata and direct_url.json, as small dictionaries.

Format: https://packaging.python.org/en/latest/specifications/core-metadata/ ; mail-style headers, ``Name: requests``,
up to the first blank line, continued on lines that start with white space; after it the long description, never read.
``direct_url.json``: PEP 610. Read as bytes by hand: ``email.parser`` takes ten times as long and reads the body too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.documents import pieces, read_json
from anchorecli.model import Json

SHORT_LICENSE = 120
"""A License field may hold a whole licence; what is longer than this is not a name."""

MOST_NAMES = 1000
"""Of one distribution; of more requirements the first count, as with packages of other kinds."""
MOST_CLASSIFIERS = 100
_FOLDED, _LINE, _LARGE = 10_000, 10_000, 1024 * 1024
_WANTED = {b"name", b"version", b"license", b"license-expression", b"classifier", b"requires-dist"}
_REQUIRED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")


def read_metadata(data: bytes) -> dict[str, Json]:
    """``name``, ``version``, ``expression``, ``license``, ``classifiers`` (of licences), ``requires``, where given.

    Whatever the bytes are, it does not raise: what is damaged is not there, or has replacement characters.
    """
    fields: dict[bytes, str] = {}
    classifiers: list[str] = []
    requires: dict[str, None] = {}
    for key, value in _headers(_head(data)):
        if key == b"classifier":
            if value.startswith("License ::") and len(classifiers) < MOST_CLASSIFIERS:
                classifiers.append(" ".join(value.split()))
        elif key == b"requires-dist":
            if len(requires) < MOST_NAMES:
                requires.update(_required(value))
        elif key not in fields and value and value != "UNKNOWN":
            fields[key] = value
    fact: dict[str, Json] = {}
    for key, name in ((b"name", "name"), (b"version", "version"), (b"license-expression", "expression")):
        if key in fields:
            fact[name] = " ".join(fields[key].split())
    more = {"license": license_title(fields.get(b"license", "")), "classifiers": classifiers, "requires": [*requires]}
    fact.update((key, value) for key, value in more.items() if value)
    return fact


def read_direct_url(data: bytes) -> dict[str, Json]:
    """``url`` (without credentials), ``vcs``, ``commit`` and ``editable`` of a distribution that is from no index.

    Raises:
        ValueError: it is no JSON object with a URL.
    """
    document = read_json(data)
    url = document.get("url") if isinstance(document, dict) else None
    if not isinstance(url, str):
        raise ValueError("no url in it")
    fact: dict[str, Json] = {"url": _without_credentials(printable(url))}
    vcs, directory = document.get("vcs_info"), document.get("dir_info")
    if isinstance(vcs, dict) and isinstance(vcs.get("vcs"), str):
        fact["vcs"] = printable(vcs["vcs"])
        if isinstance(vcs.get("commit_id"), str):
            fact["commit"] = printable(vcs["commit_id"])
    if isinstance(directory, dict) and directory.get("editable") is True:
        fact["editable"] = True
    return fact


def license_title(text: str) -> str:
    """A License field that is a name, as it is; of a whole licence its title, where the first lines are one."""
    lines = [line.strip(" \t|") for line in text.splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        return ""
    title = lines[0]
    if len(lines) > 1:
        if "copyright" in title.lower() or "licen" not in title.lower():
            return ""
        if lines[1].lower().startswith("version"):
            title = f"{title} {lines[1]}"
    return title if len(title) <= SHORT_LICENSE else ""


def printable(value: bytes | str) -> str:
    """Text that can always be written out again: undecodable bytes and lone surrogates replaced, NULs gone."""
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return value
        value = value.encode("utf-8", "replace")
    return value.decode("utf-8", "replace").replace("\0", "")


def _required(text: str) -> Iterator[tuple[str, None]]:
    """The name in ``urllib3 (<3,>=1.21.1) ; python_version > "3"``; what an extra asks for is there only by chance."""
    if "extra" not in text.partition(";")[2] and (name := _REQUIRED.match(text)):
        yield name[0], None


def _head(data: bytes) -> bytes:
    ends = [end for blank in (b"\n\n", b"\n\r\n", b"\r\r") if (end := data.find(blank)) >= 0]
    return data[: min(ends)] if ends else data


def _headers(head: bytes) -> Iterator[tuple[bytes, str]]:
    """Lower-case name and unfolded value of each wanted header; a line that is none is passed over."""
    key: bytes = b""
    lines: list[bytes] = []
    for line in _lines(head.removeprefix(b"\xef\xbb\xbf")):
        if line[:1] in (b" ", b"\t"):
            # Of a licence that stands there the first lines are looked at.
            if key and len(lines) < _FOLDED:
                lines.append(line[:_LINE])
            continue
        if key:
            yield key, printable(b"\n".join(lines)).strip()
        name, colon, value = line.partition(b":")
        name = name.lower()
        key = name if colon and name in _WANTED else b""
        lines = [value[:_LINE]]
    if key:
        yield key, printable(b"\n".join(lines)).strip()


def _lines(head: bytes) -> Iterator[bytes]:
    if len(head) < _LARGE:
        return iter(head.splitlines())
    # Of the millions of lines that may stand in it there is never a list.
    return (line for piece in pieces(head, b"\n") for line in piece.splitlines())


def _without_credentials(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return scheme + separator + host.rpartition("@")[2] + slash + path

"""OVAL definitions, one after the other, each with what it claims of packages.

A definition stands before the tests it refers to, so a file is read twice: once for the tests, once for the
definitions. Where a publisher's comments say the same in words (``bind is earlier than 30:9.3.3-8.el5``) once is
enough. What a definition claims is told by ``criteria``.

Format: OVAL 5.11 (https://oval.mitre.org/language/version5.11/): ``oval_definitions`` with ``definitions``, ``tests``
(``rpminfo_test``), ``objects`` and ``states`` (``evr``, ``version``, ``arch``). Not handled: variables, extended
definitions, and tests of other things than packages, which are Problems where a definition rests on them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from anchorecli.errors import FeedError, LimitError
from anchorecli.feeds.rpm.criteria import Check, Claim, claims
from anchorecli.feeds.rpm.xml import Node, elements
from anchorecli.feeds.snapshot import Readable, problem
from anchorecli.model import Cvss, Problem

ROOT = "oval_definitions"
_TESTS = frozenset({"rpminfo_test", "rpminfo_object", "rpminfo_state"})
_DEFINITION = frozenset({"definition"})
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)?.*)?", re.ASCII)

PlatformOf = Callable[[str], str]
"""The platform that a criterion's comment names (``Oracle Linux 8 is installed``), or empty for another criterion."""


class Definition(NamedTuple):
    """A definition: its metadata as they stand, and its claims."""

    id: str
    kind: str
    metadata: Node
    claims: tuple[Claim, ...]

    @property
    def title(self) -> str:
        """The title, in one line."""
        return " ".join(self.metadata.child("title").text.split())

    def references(self) -> list[tuple[str, str]]:
        """Source and id of each reference."""
        return [(each.get("source"), each.get("ref_id")) for each in self.metadata.all("reference")]

    def cves(self) -> tuple[str, ...]:
        """Every CVE that is named by a reference, the advisory's list or the title, in order."""
        named = [identifier for _, identifier in self.references()]
        named += [each.text for each in self.metadata.all("cve")]
        found = [match[0] for text in named if (match := _CVE.search(text))]
        return tuple(dict.fromkeys(found or _CVE.findall(self.title)))

    def scores(self, source: str) -> tuple[Cvss, ...]:
        """The scores of the advisory's list of CVEs, ``8.1/CVSS:3.0/AV:N…``."""
        from anchorecli.feeds import cvss

        found: dict[str, Cvss] = {}
        for each in self.metadata.all("cve"):
            for name in ("cvss4", "cvss3", "cvss2"):
                vector = each.get(name).partition("/")[2]
                if vector and (read_ := cvss.read(vector)):
                    found[vector] = Cvss(read_.version, read_.vector, read_.score, source)
        return tuple(found.values())

    def date(self, name: str) -> str:
        """The advisory's ``issued`` or ``updated`` date as a time."""
        advisory = self.metadata.child("advisory")
        return moment(advisory.child(name).get("date"))


def moment(text: str) -> str:
    """A date, with a time or without, as RFC 3339 UTC; empty for anything else."""
    found = _DATE.fullmatch(text.strip())
    return f"{found[1]}T{found[2] or '00:00:00'}Z" if found else ""


def definitions(
    feed: str, name: str, stream: Readable, platform_of: PlatformOf, *, in_words: bool = False
) -> Iterator[Definition | Problem]:
    """The definitions of one file, each read or a Problem; ``in_words`` where comments are enough.

    Raises: FeedError where the file is no OVAL, damaged or cut off.
    """
    try:
        if in_words:
            yield from _read(feed, stream, _Tests(), platform_of)
            return
        with TemporaryFile() as spool:
            tests = _Tests()
            for node in elements(_Tee(stream, spool), ROOT, _TESTS):
                tests.take(node)
            spool.seek(0)
            yield from _read(feed, spool, tests, platform_of)
    except (ValueError, OSError) as error:
        raise FeedError(f"{feed}: {name} cannot be read: {error}", hint="fetch or copy it again") from error


def _read(feed: str, stream: Readable, tests: _Tests, platform_of: PlatformOf) -> Iterator[Definition | Problem]:
    for node in elements(stream, ROOT, _DEFINITION):
        identifier, metadata = node.get("id"), node.child("metadata")
        if node.get("deprecated") == "true":
            continue
        if not identifier or not identifier.isprintable():
            yield problem(f"{feed}: a definition", "it has no id")
            continue
        try:
            found = claims(node.child("criteria"), tests.check, platform_of)
        except (ValueError, LimitError) as error:
            yield problem(f"{feed}: {identifier}", str(error))
            continue
        yield Definition(identifier, node.get("class"), metadata, found)


class _Tests:
    """What the tests ask of packages, by id."""

    def __init__(self) -> None:
        self._tests: dict[str, tuple[str, tuple[str, ...], bool]] = {}
        self._objects: dict[str, str] = {}
        self._states: dict[str, tuple[str, str, str]] = {}

    def take(self, node: Node) -> None:
        identifier = node.get("id")
        if node.tag == "rpminfo_object":
            self._objects[identifier] = node.child("name").text
        elif node.tag == "rpminfo_state":
            self._states[identifier] = _state(node)
        else:
            states = tuple(each.get("state_ref") for each in node.children if each.tag == "state")
            absent = node.get("check_existence") == "none_exist"
            self._tests[identifier] = (node.child("object").get("object_ref"), states, absent)

    def check(self, reference: str) -> Check | None:
        """What a test asks; None where it is none of ours or asks nothing that has to do with a version.

        Raises: ValueError for one that refers to what is not there.
        """
        found = self._tests.get(reference)
        if found is None:
            return None
        object_, states, absent = found
        package = self._objects.get(object_, "")
        if not package or not package.isprintable() or any(each not in self._states for each in states):
            raise ValueError(f"test {reference} refers to what is not in the file")
        if absent:
            return Check(package, "absent")
        operation, version, arch = "", "", ""
        for state in states:
            asked, value, arches = self._states[state]
            operation, version, arch = asked or operation, value or version, arches or arch
        if states and not operation:
            return None  # who signed it
        return Check(package, operation or "installed", version, arch)


def _state(node: Node) -> tuple[str, str, str]:
    """Operation and version a state asks for, and the architectures (``x86_64|aarch64``)."""
    arch = node.child("arch").text.strip("()^$")
    for tag in ("evr", "version"):
        found = node.child(tag)
        if found.text:
            operation = found.get("operation") or "equals"
            return f"version {operation}" if tag == "version" else operation, "".join(found.text.split()), arch
    return "", "", arch


class _Tee:
    """A stream whose bytes are kept as they are read."""

    def __init__(self, stream: Readable, spool: IO[bytes]) -> None:
        self._stream, self._spool = stream, spool

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._spool.write(data)
        return data

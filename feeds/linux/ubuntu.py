"""Ubuntu, by Canonical's own exports: for every source package and release, what is fixed, open or harmless.

Fetched is the OSV export. From a path Canonical's VEX documents are read beside it or alone, and so are the text files
of the CVE tracker. Notices (USN) repeat what the records of their CVEs say: they are other names of those, and records
of their own only where they name no CVE.

Format: https://security-metadata.canonical.com/osv/, a tar of OSV records (see ``feeds.osv_record``),
``osv/cve/2024/UBUNTU-CVE-2024-51988.json``, with ecosystems as in ``Ubuntu:22.04:LTS`` and ``Ubuntu:Pro:22.04:LTS`` and
a severity of the type ``Ubuntu``. Other forms: ``ubuntu_vex`` and ``ubuntu_tracker``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING, Any

from anchorecli.feeds import cvss
from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.linux import ubuntu_tracker, ubuntu_vex
from anchorecli.feeds.linux.ubuntu_rows import Row, is_series, space_of_ecosystem, statements
from anchorecli.feeds.osv_range import ranges_of
from anchorecli.feeds.osv_record import moment
from anchorecli.feeds.record import one_line
from anchorecli.feeds.snapshot import problem
from anchorecli.model import Advisory, Cvss, FeedState, Problem, Range, Severity, Statement
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

_PAGE = "https://ubuntu.com/security"
_ID = re.compile(r"UBUNTU-(CVE-\d{4}-\d{4,})", re.ASCII)
_CVE = re.compile(r"(?:UBUNTU-)?CVE-\d{4}-\d{4,}", re.ASCII)
_NOTICE = re.compile(r"USN-\d+-\d+", re.ASCII)
_VEX_NAME = re.compile(r"(?:.*/)?CVE-\d{4}-\d{4,}\.json", re.ASCII)
_MAX_TEXT = 1200


@dataclass(frozen=True, slots=True)
class Ubuntu:
    """Every release, and Expanded Security Maintenance."""

    name: str = "ubuntu"
    title: str = "Ubuntu security metadata"
    url: str = "https://security-metadata.canonical.com/osv/osv-all.tar.xz"
    attribution: str = "Canonical, Ubuntu security metadata (CC-BY-SA-4.0)"
    version: int = 2

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The OSV export, in one file."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """The OSV export, the VEX documents or both, packed or as trees; or a tree of the CVE tracker."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One advisory for each CVE, and for each notice without one."""
        others: Counter[str] = Counter()
        documents = yield from _documents(self.name, snapshot)
        for document in documents.values():
            others.update(document.others)
        for member in snapshot.members(lambda name: _is_record(name) or ubuntu_tracker.is_document(name)):
            if isinstance(member, Problem):
                yield member
                continue
            yield from self._read(*member, documents, others)
        for identifier in sorted(documents):
            yield _advisory(self.name, documents[identifier])
        for space, count in sorted(others.items()):
            missed = is_series(space)
            why = "about a release that is not known here" if missed else "nothing here asks for"
            yield problem(f"{self.name}: {space}", f"{count} statements {why}", incomplete=missed)

    def _read(
        self, name: str, data: bytes, documents: dict[str, ubuntu_vex.Document], others: Counter[str]
    ) -> Iterator[Advisory | Problem]:
        try:
            if ubuntu_tracker.is_document(name):
                yield from _tracked(self.name, data, others)
            elif (found := _record(self.name, json.loads(data), documents, others)) is not None:
                yield found
        except UnicodeDecodeError:
            yield problem(f"{self.name}: {name}", "not UTF-8")
        except RecursionError:
            yield problem(f"{self.name}: {name}", "nested too deep")
        except ValueError as error:
            yield problem(f"{self.name}: {name}", str(error))


def _is_record(name: str) -> bool:
    return name.endswith(".json") and not _VEX_NAME.fullmatch(name)


def _documents(feed: str, snapshot: Snapshot) -> Generator[Problem, None, dict[str, ubuntu_vex.Document]]:
    """The VEX documents of a snapshot by CVE, read before the records they belong to."""
    found: dict[str, ubuntu_vex.Document] = {}
    if snapshot.url.startswith(("http:", "https:")):
        return found  # one download, of one kind
    for member in snapshot.members(lambda name: _VEX_NAME.fullmatch(name) is not None):
        if isinstance(member, Problem):
            yield member
            continue
        name, data = member
        try:
            value = json.loads(data)
            if not ubuntu_vex.is_document(value):
                raise ValueError("not a VEX document")
            document = ubuntu_vex.read(value)
        except (ValueError, RecursionError) as error:
            yield problem(f"{feed}: {name}", str(error))
            continue
        if document.rows:
            found[document.identifier] = document
    return found


def _advisory(feed: str, document: ubuntu_vex.Document) -> Advisory:
    return Advisory(
        document.identifier,
        feed,
        aliases=document.notices,
        summary=one_line(document.summary[:_MAX_TEXT]),
        url=f"{_PAGE}/{document.identifier}",
        affected=statements(document.rows),
    )


def _tracked(feed: str, data: bytes, others: Counter[str]) -> Iterator[Advisory | Problem]:
    """Raises: ValueError where it is not a file of the tracker."""
    document = ubuntu_tracker.read(data)
    others.update(document.others)
    for fault in document.faults:
        yield problem(f"{feed}: {document.identifier}", fault)
    if not document.rows:
        return  # about no package of Ubuntu's
    yield Advisory(
        document.identifier,
        feed,
        aliases=document.notices,
        severity=document.severity,
        summary=one_line(document.summary[:_MAX_TEXT]),
        url=f"{_PAGE}/{document.identifier}",
        published=document.published,
        cvss=document.scores,
        affected=statements(document.rows),
    )


def _record(feed: str, record: Any, documents: dict[str, ubuntu_vex.Document], others: Counter[str]) -> Advisory | None:
    """An OSV record; None for a notice whose CVEs have records, and for a live patch of the kernel.

    Raises: ValueError where it is not what the schema allows.
    """
    if ubuntu_vex.is_document(record):
        return None  # about a notice: those of its CVEs say the same
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise ValueError("not an OSV record")
    identifier = record["id"]
    if found := _ID.fullmatch(identifier):
        identifier = found[1]
    elif not _NOTICE.fullmatch(identifier) or not _speaks_alone(record):
        return None
    rows = list(_rows(record, others))
    notices = [each for each in _texts(record, "related") if _NOTICE.fullmatch(each)]
    document = documents.pop(identifier, None)
    if document is not None:
        rows = ubuntu_vex.merged(rows, document.rows)
        notices += document.notices
    withdrawn = moment(_text(record, "withdrawn"))
    if not rows and not withdrawn:
        return None
    return Advisory(
        identifier,
        feed,
        aliases=tuple(dict.fromkeys(each for each in (*_texts(record, "aliases"), *notices) if each != identifier)),
        severity=_severity(record),
        summary=one_line((_text(record, "summary") or _text(record, "details")).strip()[:_MAX_TEXT]),
        url=f"{_PAGE}/notices/{identifier}" if identifier.startswith("USN-") else f"{_PAGE}/{identifier}",
        published=moment(_text(record, "published")),
        modified=moment(_text(record, "modified")),
        withdrawn=withdrawn,
        cvss=_scores(record),
        affected=statements(rows),
    )


def _speaks_alone(record: dict[str, Any]) -> bool:
    """Whether a notice is about a vulnerability that has no CVE; those without are mostly about regressions."""
    named = (*_texts(record, "related"), *_texts(record, "upstream"), *_texts(record, "aliases"))
    return not any(map(_CVE.fullmatch, named)) and "vulnerabilit" in _text(record, "summary")


def _rows(record: dict[str, Any], others: Counter[str]) -> Iterator[Row]:
    for entry in _objects(record, "affected"):
        package = entry.get("package")
        ecosystem = package.get("ecosystem") if isinstance(package, dict) else None
        name = package.get("name") if isinstance(package, dict) else None
        if not isinstance(ecosystem, str) or not isinstance(name, str) or not name or not name.isprintable():
            raise ValueError("affected.package has no usable ecosystem or name")
        space = space_of_ecosystem(ecosystem)
        if not space:
            others[ecosystem] += 1
            continue
        ranges = tuple(each for each in ranges_of(entry, "deb") if each != Range())
        if ranges or entry.get("ranges"):
            priority = entry.get("ecosystem_specific")
            word = priority.get("ubuntu_priority") if isinstance(priority, dict) else ""
            yield Row(space, intern(name), Statement.AFFECTED, ranges, Severity.parse(str(word or "")))


def _severity(record: dict[str, Any]) -> Severity:
    words = [_text(each, "score") for each in _objects(record, "severity") if each.get("type") == "Ubuntu"]
    return max(map(Severity.parse, words), default=Severity.UNKNOWN)


def _scores(record: dict[str, Any]) -> tuple[Cvss, ...]:
    vectors = dict.fromkeys(
        _text(each, "score") for each in _objects(record, "severity") if _text(each, "type").startswith("CVSS_")
    )
    return tuple(found for vector in vectors if (found := cvss.read(vector)))


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name) or ""
    if not isinstance(value, str):
        raise ValueError(f"{name} is not text")
    return value


def _texts(record: dict[str, Any], name: str) -> list[str]:
    found = record.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ValueError(f"{name} holds something other than text")
    return found


def _objects(record: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = record.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ValueError(f"{name} holds something other than objects")
    return found

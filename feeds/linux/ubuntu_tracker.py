"""The files of Ubuntu's CVE tracker: one text for each CVE, as its security team writes it.

Format: https://git.launchpad.net/ubuntu-cve-tracker/tree/README, ``active/CVE-2022-36879``: fields ``Candidate``,
``Priority``, ``Priority_PACKAGE``, and ``RELEASE_PACKAGE: STATUS (DETAIL)`` with the statuses DNE, needs-triage,
needed, active, deferred, pending, ignored, not-affected and released; the detail of released is a version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from sys import intern
from typing import NamedTuple

from anchorecli.feeds import cvss
from anchorecli.feeds.linux.ubuntu_rows import Row, is_left_out, space_of_pocket
from anchorecli.model import Cvss, Range, Severity, Statement

_FIELD = re.compile(r"([A-Za-z][\w./+-]*+):[ \t]*(.*)", re.ASCII)
_STATE = re.compile(r"([\w-]+)(?:\s+\((.*)\))?\s*", re.ASCII)
_VERSION = re.compile(r"(?:\d+:)?\d[\w.+~:-]*", re.ASCII)
_NOTICE = re.compile(r"usn-\d+-\d+", re.IGNORECASE | re.ASCII)
_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.ASCII)
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d) UTC)?", re.ASCII)
_STATUS = {
    "needed": Statement.AFFECTED,
    "active": Statement.AFFECTED,
    "deferred": Statement.AFFECTED,
    "pending": Statement.AFFECTED,
    "released": Statement.AFFECTED,
    "ignored": Statement.WONT_FIX,
    "not-affected": Statement.NOT_AFFECTED,
    "needs-triage": Statement.UNDER_INVESTIGATION,
}
_ABSENT = "DNE"


class Document(NamedTuple):
    """One file."""

    identifier: str
    summary: str
    published: str
    severity: Severity
    scores: tuple[Cvss, ...]
    notices: tuple[str, ...]
    rows: tuple[Row, ...]
    faults: tuple[str, ...]
    others: tuple[str, ...]
    """For each statement about what is no release's archive, about what it is."""


def is_document(name: str) -> bool:
    """Whether a member is one of the files, by its name."""
    return _CVE.fullmatch(name.rpartition("/")[2]) is not None


def read(data: bytes) -> Document:
    """Raises: ValueError where it is not such a file."""
    fields = dict(_fields(data.decode("utf-8")))
    identifier = fields.get("Candidate", "").strip()
    if not _CVE.fullmatch(identifier):
        raise ValueError("no Candidate, or not a CVE")
    rows: list[Row] = []
    faults: list[str] = []
    others: list[str] = []
    for name, value in fields.items():
        pocket, _, package = name.partition("_")
        space = space_of_pocket(pocket)
        if not package or not space:
            if package and is_left_out(pocket) and _speaks(value):
                others.append(pocket)
            continue
        try:
            row = _row(space, intern(package), value, _priority(fields, package, pocket))
        except ValueError as error:
            faults.append(f"{name}: {error}")
            continue
        if row is not None:
            rows.append(row)
    lines = fields.get("References", "") + fields.get("Discovered-by", "")
    found = _DATE.match(fields.get("PublicDate", ""))
    return Document(
        identifier,
        " ".join(fields.get("Description", "").split()),
        f"{found[1]}T{found[2] or '00:00:00'}Z" if found else "",
        _priority(fields),
        tuple(_scores(fields.get("CVSS", ""))),
        tuple(dict.fromkeys(each.upper() for each in _NOTICE.findall(lines))),
        tuple(rows),
        tuple(faults),
        tuple(others),
    )


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Each field with its value; the lines of a value that go on are indented."""
    name, lines = "", [""]
    for line in text.splitlines():
        if line[:1] in (" ", "\t"):
            lines.append(line.strip())
        elif found := _FIELD.fullmatch(line):
            if name:
                yield name, "\n".join(lines)
            name, lines = found[1], [found[2]]
    if name:
        yield name, "\n".join(lines)


def _speaks(value: str) -> bool:
    """Whether a field holds a status; others (``Tags_curl``, ``Patches_curl``) have names like that as well."""
    found = _STATE.match(value.partition("\n")[0].strip())
    return found is not None and found[1] in _STATUS


def _row(space: str, package: str, value: str, severity: Severity) -> Row | None:
    """Raises: ValueError for a status that the tracker does not have."""
    found = _STATE.match(value.partition("\n")[0].strip())
    status = found[1] if found else ""
    if not found or status == _ABSENT or not status:
        return None
    if status not in _STATUS:
        raise ValueError(f"unknown status {status!r}")
    ranges: tuple[Range, ...] = ()
    if status == "released":
        detail = (found[2] or "").strip()
        if not _VERSION.fullmatch(detail):
            raise ValueError(f"released, but {detail!r} is no version")
        ranges = (Range(fixed=detail),)
    return Row(space, package, _STATUS[status], ranges, severity)


def _priority(fields: dict[str, str], package: str = "", pocket: str = "") -> Severity:
    """The one of the package in this release, of the package, or of the vulnerability; the reason stands below it."""
    names = (f"Priority_{package}_{pocket}", f"Priority_{package}", "Priority")
    value = next((fields[name] for name in names if name in fields), "")
    return Severity.parse(value.partition("\n")[0].strip())


def _scores(text: str) -> Iterator[Cvss]:
    for line in text.splitlines():
        _, _, vector = line.partition(": ")
        score = cvss.read(vector.partition(" ")[0]) if vector else None
        if score:
            yield score

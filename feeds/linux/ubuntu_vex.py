"""Canonical's VEX documents, for what the OSV export leaves out: not affected, under investigation, no longer fixed.

They list the source and all binary packages as they are in the archive now; only the source counts here. ``fixed``
says that the version now in the archive has the fix, not which version was the first: where nothing else tells that,
older versions are under investigation.

Format: OpenVEX 0.2.0, https://github.com/openvex/spec, one document for each CVE, ``vex/cve/2023/CVE-2023-38545.json``,
products as ``pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.24?arch=source&distro=jammy``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from sys import intern
from typing import Any, NamedTuple
from urllib.parse import unquote

from anchorecli.feeds.linux.ubuntu_rows import Row, is_left_out, space_of_pocket
from anchorecli.model import Range, Statement

_SOURCE = re.compile(r"pkg:deb/ubuntu/([^/@?]+)@([^?]+)\?(?:.*&)?arch=source&(?:.*&)?distro=([\w/.-]+)")
_GIVEN_UP = re.compile(r"no longer supported|will not be|won't be|ignored", re.IGNORECASE)
_NOTICE = re.compile(r"USN-\d+-\d+", re.IGNORECASE)
_STATUS = {
    "affected": Statement.AFFECTED,
    "not_affected": Statement.NOT_AFFECTED,
    "under_investigation": Statement.UNDER_INVESTIGATION,
    "fixed": Statement.UNDER_INVESTIGATION,
}


class Document(NamedTuple):
    """One document: what it is about, other ids, its time, and its rows."""

    identifier: str
    summary: str
    notices: tuple[str, ...]
    rows: tuple[Row, ...]
    others: tuple[str, ...] = ()
    """For each statement about what is no release's archive, about what it is."""


def is_document(value: Any) -> bool:
    """Whether parsed JSON is an OpenVEX document."""
    return isinstance(value, dict) and isinstance(value.get("statements"), list) and "affected" not in value


def read(value: dict[str, Any]) -> Document:
    """Raises: ValueError where it is about no CVE, or a statement is not of the specification's form."""
    identifier, summary = "", ""
    notices: dict[str, None] = {}
    rows: list[Row] = []
    others: list[str] = []
    for statement in value["statements"]:
        about = statement.get("vulnerability") if isinstance(statement, dict) else None
        if not isinstance(about, dict) or not isinstance(about.get("name"), str):
            raise ValueError("a statement about no vulnerability")
        if identifier and about["name"] != identifier:
            raise ValueError("it is about several vulnerabilities")
        identifier = about["name"]
        summary = summary or str(about.get("description") or "")
        for alias in about.get("aliases") or ():
            if found := _NOTICE.search(str(alias)):
                notices[found[0].upper()] = None
        rows += _rows(statement, others)
    if value["statements"] and not identifier.startswith("CVE-"):
        raise ValueError("it is about no CVE")
    return Document(identifier, summary, tuple(notices), tuple(dict.fromkeys(rows)), tuple(others))


def _rows(statement: dict[str, Any], others: list[str]) -> Iterator[Row]:
    status = statement.get("status")
    said = _STATUS.get(status) if isinstance(status, str) else None
    products = statement.get("products") or ()
    if said is None or not isinstance(products, list | tuple):
        raise ValueError(f"a statement of status {status!r}")
    if said is Statement.AFFECTED and _GIVEN_UP.search(str(statement.get("action_statement") or "")):
        said = Statement.WONT_FIX
    for product in products:
        found = _SOURCE.fullmatch(str(product.get("@id"))) if isinstance(product, dict) else None
        space = space_of_pocket(found[3]) if found else ""
        if found and space:
            ranges = (Range(fixed=unquote(found[2])),) if status == "fixed" else ()
            yield Row(space, intern(unquote(found[1])), said, ranges)
        elif found and is_left_out(found[3]):
            others.append(found[3])


def merged(rows: Iterable[Row], others: Iterable[Row]) -> list[Row]:
    """Rows of the OSV export with those of a VEX document about the same vulnerability.

    The export knows what was fixed; the document whether what is open will be, and what it does not mention.
    """
    known = {(row.space, row.package): row for row in rows}
    for other in others:
        place = other.space, other.package
        row = known.get(place)
        if row is None:
            known[place] = other
        elif row.statement is Statement.AFFECTED and other.statement is Statement.WONT_FIX and not _is_fixed(row):
            known[place] = row._replace(statement=Statement.WONT_FIX)
    return list(known.values())


def _is_fixed(row: Row) -> bool:
    return any(each.fixed for each in row.ranges)

"""Advisories as plain values for files: rows for the spool of a sync, JSON objects for the offline file.

The JSON form is the one of the offline feed file: the model's field names, empty fields left out, ranges as lists of
three. Reading it checks every type, since the file may have been damaged or made by somebody else.
"""

from __future__ import annotations

from typing import Any

from anchorecli.model import Advisory, Affected, Cvss, FixSince, Range, Severity, Statement

Row = tuple[Any, ...]

_ADVISORY_TEXTS = ("summary", "url", "published", "modified", "withdrawn")
_SEVERITIES = {each.label: each for each in Severity}


def one_line(text: str, limit: int = 300) -> str:
    """Somebody's sentence as a summary: one line without control characters, cut at a word."""
    text = " ".join(text.split())
    if not text.isprintable():
        text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return text if len(text) <= limit else text[: limit - 1].rpartition(" ")[0] + "…"


def to_row(advisory: Advisory) -> Row:
    """An advisory as nested tuples of text and numbers."""
    return (
        advisory.id,
        advisory.feed,
        advisory.aliases,
        int(advisory.severity),
        advisory.summary,
        advisory.url,
        advisory.published,
        advisory.modified,
        advisory.withdrawn,
        tuple((each.version, each.vector, each.score, each.source) for each in advisory.cvss),
        tuple(
            (
                each.ecosystem,
                each.package,
                each.scheme,
                each.statement.value,
                tuple((span.introduced, span.fixed, span.last_affected) for span in each.ranges),
                each.versions,
                int(each.severity),
                each.module,
                each.arches,
            )
            for each in advisory.affected
        ),
        tuple(map(tuple, advisory.fixes_since)),
    )


def from_row(row: Row) -> Advisory:
    """The reverse of ``to_row``; the row is trusted."""
    return Advisory(
        row[0],
        row[1],
        row[2],
        Severity(row[3]),
        row[4],
        row[5],
        row[6],
        row[7],
        row[8],
        tuple(Cvss(*each) for each in row[9]),
        tuple(
            Affected(
                each[0],
                each[1],
                each[2],
                Statement(each[3]),
                tuple(Range(*span) for span in each[4]),
                each[5],
                Severity(each[6]),
                each[7],
                each[8],
            )
            for each in row[10]
        ),
        tuple(FixSince(*each) for each in row[11]),
    )


def to_json(advisory: Advisory) -> dict[str, Any]:
    """An advisory as a JSON object without its feed, which the file says once."""
    found: dict[str, Any] = {"id": advisory.id}
    if advisory.aliases:
        found["aliases"] = list(advisory.aliases)
    if advisory.severity:
        found["severity"] = advisory.severity.label
    for name in _ADVISORY_TEXTS:
        if value := getattr(advisory, name):
            found[name] = value
    if advisory.cvss:
        found["cvss"] = [[each.version, each.vector, each.score, each.source] for each in advisory.cvss]
    found["affected"] = [_affected_to_json(each) for each in advisory.affected]
    if advisory.fixes_since:
        found["fixes_since"] = [list(each) for each in advisory.fixes_since]
    return found


def from_json(value: Any, feed: str) -> Advisory:
    """The reverse of ``to_json``. Unknown fields are skipped: a newer program may add some.

    Raises: ValueError where a field is missing or of another type.
    """
    if not isinstance(value, dict):
        raise ValueError("not an object")
    identifier = _text(value, "id")
    if not identifier:
        raise ValueError("no id")
    return Advisory(
        identifier,
        feed,
        aliases=_texts(value, "aliases"),
        severity=_severity(value),
        **{name: _text(value, name) for name in _ADVISORY_TEXTS},
        cvss=tuple(_cvss(each) for each in _list(value, "cvss")),
        affected=tuple(_affected(each) for each in _list(value, "affected")),
        fixes_since=tuple(map(_fix_since, _list(value, "fixes_since"))) if "fixes_since" in value else (),
    )


def _affected_to_json(affected: Affected) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ecosystem": affected.ecosystem,
        "package": affected.package,
        "scheme": affected.scheme,
    }
    if affected.statement is not Statement.AFFECTED:
        found["statement"] = affected.statement.value
    if affected.ranges:
        found["ranges"] = [[each.introduced, each.fixed, each.last_affected] for each in affected.ranges]
    if affected.versions:
        found["versions"] = list(affected.versions)
    if affected.severity:
        found["severity"] = affected.severity.label
    if affected.module:
        found["module"] = affected.module
    if affected.arches:
        found["arches"] = list(affected.arches)
    return found


def _affected(value: Any) -> Affected:
    if not isinstance(value, dict):
        raise ValueError("affected holds something other than objects")
    names = {name: _text(value, name) for name in ("ecosystem", "package", "scheme")}
    statement = Statement(_text(value, "statement") or Statement.AFFECTED)
    # What is known beside advisories speaks of no versions, and has no scheme to compare them by.
    note = statement is Statement.UNDER_INVESTIGATION and "ranges" not in value
    if not names["ecosystem"] or not names["package"] or not (names["scheme"] or note):
        raise ValueError("affected without ecosystem, package or scheme")
    return Affected(
        **names,
        statement=statement,
        ranges=tuple(_range(each) for each in _list(value, "ranges")),
        versions=_texts(value, "versions"),
        severity=_severity(value),
        module=_text(value, "module"),
        arches=_texts(value, "arches"),
    )


def _range(value: Any) -> Range:
    if not isinstance(value, list) or len(value) != 3 or not all(_is_line(each) for each in value):
        raise ValueError("a range is not a list of three texts")
    return Range(*value)


def _fix_since(value: Any) -> FixSince:
    if not isinstance(value, list) or len(value) != 4 or not all(map(_is_line, value)):
        raise ValueError("fixes_since holds something other than lists of four texts")
    return FixSince(*value)


def _cvss(value: Any) -> Cvss:
    if not isinstance(value, list) or len(value) != 4:
        raise ValueError("cvss holds something other than lists of four")
    version, vector, score, source = value
    if not all(_is_line(each) for each in (version, vector, source)) or type(score) not in (int, float):
        raise ValueError("cvss of other types")
    # The number as it was written: 7 and 7.0 are the same score, but not the same record.
    return Cvss(version, vector, score, source)


def _severity(value: dict[str, Any]) -> Severity:
    label = _text(value, "severity") or "unknown"
    if label not in _SEVERITIES:
        raise ValueError(f"unknown severity {label!r}")
    return _SEVERITIES[label]


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name, "")
    # Written out, since it is asked ten million times for a full file.
    if type(found) is not str or "\n" in found or "\t" in found:
        raise ValueError(f"{name} is not one line of text")
    return found


def _texts(value: dict[str, Any], name: str) -> tuple[str, ...]:
    if name not in value:
        return ()
    found = _list(value, name)
    if not all(_is_line(each) for each in found):
        raise ValueError(f"{name} holds something other than lines of text")
    return tuple(found)


def _list(value: dict[str, Any], name: str) -> list[Any]:
    found = value.get(name, [])
    if not isinstance(found, list):
        raise ValueError(f"{name} is not a list")
    return found


def _is_line(value: Any) -> bool:
    """Tabs and line ends would run into the next field in the store's packed forms."""
    return isinstance(value, str) and "\n" not in value and "\t" not in value

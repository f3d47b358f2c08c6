"""Records of a feed file at speed: whether one is sound beyond doubt, and its value once it is known to be.

A full file has a million and a half statements, and is read twice: checked, then taken. ``record.from_json`` asks of
every field what it is and names the one that is wrong. Here all texts of a record are asked at once, which a sound
record passes in a third of the time; whatever else it is, ``record.from_json`` decides.

Format: see ``record``.
"""

from __future__ import annotations

from typing import Any

from anchorecli.feeds.record import from_json
from anchorecli.model import Advisory, Affected, Cvss, FixSince, Range, Severity, Statement

_TEXTS = frozenset(("id", "summary", "url", "published", "modified", "withdrawn"))
_SEVERITIES = {"": Severity.UNKNOWN, **{each.label: each for each in Severity}}
_STATEMENTS = {"": Statement.AFFECTED, **{each.value: each for each in Statement}}


def check(value: Any) -> None:
    """Raises: ValueError for what ``record.from_json`` refuses."""
    try:
        texts: list[Any] = []
        # One text of all of them: joining refuses what is no text.
        sound = _record(value, texts) and not _broken("".join(texts))
    except (TypeError, LookupError, AttributeError):
        sound = False
    if not sound:
        from_json(value, "")


def build(record: Any, feed: str) -> Advisory:
    """The advisory of a record that passed ``check``: ``record.from_json`` without asking again."""
    get = record.get
    return Advisory(
        record["id"],
        feed,
        tuple(get("aliases", ())),
        _SEVERITIES[get("severity", "")],
        get("summary", ""),
        get("url", ""),
        get("published", ""),
        get("modified", ""),
        get("withdrawn", ""),
        tuple([Cvss(*each) for each in get("cvss", ())]),
        tuple([_affected(each) for each in get("affected", ())]),
        tuple([FixSince(*each) for each in get("fixes_since", ())]),
    )


def _affected(each: dict[str, Any]) -> Affected:
    get = each.get
    return Affected(
        each["ecosystem"],
        each["package"],
        get("scheme", ""),
        _STATEMENTS[get("statement", "")],
        tuple([Range(*span) for span in get("ranges", ())]),
        tuple(get("versions", ())),
        _SEVERITIES[get("severity", "")],
        get("module", ""),
        tuple(get("arches", ())),
    )


def _record(record: dict[str, Any], texts: list[Any]) -> bool:
    """Whether all is of the right kind but for what is put to ``texts``: that has to be lines of text."""
    for name, value in record.items():
        if name in _TEXTS:
            texts.append(value)
        elif name == "severity":
            if value not in _SEVERITIES:
                return False
        elif type(value) is not list:
            return False
        elif name == "affected":
            if not all([_statement(each, texts) for each in value]):
                return False
        elif name == "aliases":
            texts += value
        elif not all([_four(name, each, texts) for each in value]):
            return False
    return bool(record["id"])


def _statement(each: dict[str, Any], texts: list[Any]) -> bool:
    ecosystem, package, scheme = each["ecosystem"], each["package"], each["scheme"]
    if not (ecosystem and package and scheme):
        return False
    texts += (ecosystem, package, scheme)
    for name, value in each.items():
        if name == "ranges":
            if type(value) is not list or not _spans(value, texts):
                return False
        elif name in ("versions", "arches"):
            if type(value) is not list:
                return False
            texts += value
        elif name == "module":
            texts.append(value)
        elif name not in _NAMED and value not in _CHOSEN[name]:  # of other names nothing is known: LookupError
            return False
    return True


_NAMED = frozenset(("ecosystem", "package", "scheme"))
_CHOSEN: dict[str, Any] = {"severity": _SEVERITIES, "statement": _STATEMENTS}


def _spans(spans: list[Any], texts: list[Any]) -> bool:
    for span in spans:
        if type(span) is not list or len(span) != 3:
            return False
        texts += span
    return True


def _four(name: str, each: Any, texts: list[Any]) -> bool:
    """An entry of ``cvss`` or ``fixes_since``; of others nothing is known."""
    if type(each) is not list or len(each) != 4:
        return False
    if name == "cvss":
        texts += (each[0], each[1], each[3])
        return type(each[2]) in (int, float)
    texts += each
    return name == "fixes_since"


def _broken(text: str) -> bool:
    return "\n" in text or "\t" in text

"""One OSV record as an Advisory: the form in which osv.dev, GitHub, AlmaLinux, Rocky Linux and others publish.

Format: https://ossf.github.io/osv-schema/ (1.0 to 1.7), e.g. ``{"id": "GHSA-…", "modified": "2024-01-01T00:00:00Z",
"affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced":
"0"}, {"fixed": "1.2"}]}]}]}``. Not handled: ranges of type GIT (commits say nothing of versions); symbols of Go, Rust.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from anchorecli.feeds import cvss
from anchorecli.feeds.ecosystems import Namespace, namespace, package_name
from anchorecli.feeds.osv_range import ranges_of, uncovered
from anchorecli.feeds.record import one_line
from anchorecli.model import Advisory, Affected, Cvss, Range, Severity

Covers = Callable[[str], bool]
"""Whether a feed takes statements about an OSV ecosystem (others belong to other feeds)."""

MAX_SUMMARY = 300
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_VENDOR_CVE = re.compile(r"[A-Z]+-(CVE-\d{4}-\d{4,})")
_CVE_PAGE = re.compile(r"[/=](CVE-\d{4}-\d{4,})/?$")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)", re.ASCII)
_ID = re.compile(r"[\w][\w.:+/-]{0,199}")
_MODULE = re.compile(r"(?<![\w.+-])([a-z0-9][\w.+-]*:[a-z0-9][\w.]*)(?=[\s,]|$)", re.IGNORECASE)
_TITLE_WITHDRAWN = re.compile(r"\W*withdrawn(?: advisory)?\W*(?::|$)", re.IGNORECASE)
_NOT_SECURITY = ("ALBA-", "ALEA-", "RHBA-", "RHEA-", "RLBA-", "RLEA-")
"""Errata for bugs and enhancements: of interest only where they also name a CVE."""


def read(record: Any, feed: str, covers: Covers) -> Advisory | None:
    """The advisory in an OSV record; None where it holds nothing for this feed.

    Raises: ValueError where the record is not what the schema allows; the message says what is wrong.
    """
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    identifier = _text(record, "id")
    if not _ID.fullmatch(identifier):
        raise ValueError("no usable id")
    entries = [entry for entry in _objects(record, "affected") if _covered(entry, covers)]
    if not entries:
        return None
    aliases = _aliases(record, identifier, any(_space(entry).distro for entry in entries))
    if identifier.startswith(_NOT_SECURITY) and not any(_CVE.fullmatch(alias) for alias in aliases):
        return None
    affected = _merged(statement for entry in entries for statement in _statements(entry, record))
    withdrawn = _withdrawn(record)
    if not affected and not withdrawn:
        raise ValueError("it names no range of versions that can be read")
    scores = _scores(record, entries)
    return Advisory(
        identifier,
        feed,
        aliases=aliases,
        severity=_severity(record, identifier, scores),
        summary=_summary(record),
        url=_url(identifier),
        published=moment(_text(record, "published")),
        modified=moment(_text(record, "modified")),
        withdrawn=withdrawn,
        cvss=scores,
        affected=affected,
    )


def moment(text: str) -> str:
    """An RFC 3339 UTC time to the second; empty for anything else, and for the year 1 that some tools write."""
    found = _TIME.fullmatch(text)
    return f"{found[1]}Z" if found and not text.startswith("0001-") else ""


def _withdrawn(record: dict[str, Any]) -> str:
    """When it was withdrawn. GitHub says so in the title too, which copies keep that lost the field."""
    said = moment(_text(record, "withdrawn"))
    if said or not _TITLE_WITHDRAWN.match(_text(record, "summary")):
        return said
    return moment(_text(record, "modified")) or "1970-01-01T00:00:00Z"


def _covered(entry: dict[str, Any], covers: Covers) -> bool:
    """Entries without a package are about commits; those of other ecosystems belong to other feeds."""
    package = entry.get("package")
    if not package:
        return False
    if not isinstance(package, dict):
        raise ValueError("affected.package is not an object")
    ecosystem = _text(package, "ecosystem")
    name = _text(package, "name")
    if not ecosystem or not name or not f"{ecosystem}{name}".isprintable():
        raise ValueError("affected.package has no usable ecosystem or name")
    return covers(ecosystem)


def _space(entry: dict[str, Any]) -> Namespace:
    return namespace(entry["package"]["ecosystem"])


def _statements(entry: dict[str, Any], record: dict[str, Any]) -> Iterator[Affected]:
    space = _space(entry)
    ranges = ranges_of(entry, space.scheme)
    versions = tuple(_version(each) for each in _list(entry, "versions"))
    if not ranges and not versions:
        return  # commits only: nothing can be said of a version
    versions = uncovered(versions, ranges, space)
    for module in _modules(record, ranges) if space.scheme == "rpm" else ("",):
        yield Affected(
            ecosystem=space.name,
            package=package_name(space.name, _text(entry["package"], "name")),
            scheme=space.scheme,
            ranges=ranges,
            versions=versions,
            severity=_local_severity(entry),
            module=module,
            arches=_systems(entry) if space.scheme == "go" else (),
        )


def _merged(statements: Iterable[Affected]) -> tuple[Affected, ...]:
    """One statement for a package: GitHub lists a package once for each range."""
    grouped: dict[tuple[object, ...], list[Affected]] = {}
    for each in statements:
        key = each.ecosystem, each.package, each.severity, each.module, each.arches
        grouped.setdefault(key, []).append(each)
    return tuple(group[0] if len(group) == 1 else _union(group) for group in grouped.values())


def _union(group: list[Affected]) -> Affected:
    first = group[0]
    return Affected(
        ecosystem=first.ecosystem,
        package=first.package,
        scheme=first.scheme,
        ranges=tuple(dict.fromkeys(each for one in group for each in one.ranges)),
        versions=tuple(dict.fromkeys(each for one in group for each in one.versions)),
        severity=first.severity,
        module=first.module,
        arches=first.arches,
    )


def _systems(entry: dict[str, Any]) -> tuple[str, ...]:
    """The operating systems (GOOS) a module is affected on, where all that is wrong in it is for some only."""
    imports = _object(entry, "ecosystem_specific").get("imports")
    if not isinstance(imports, list):
        return ()
    systems = [each.get("goos") if isinstance(each, dict) else None for each in imports]
    if not all(isinstance(each, list) and each for each in systems):
        return ()
    return tuple(sorted({name for each in systems for name in each or () if isinstance(name, str)}))


def _aliases(record: dict[str, Any], identifier: str, distro: bool) -> tuple[str, ...]:
    """Other ids of the same thing: ``aliases``, ``upstream``, and for a distributor's advisory the CVEs it is about.

    ``related`` is only that in general, but it is where AlmaLinux, Rocky Linux and Debian list what they fix; some
    errata of AlmaLinux name it only by links to the CVEs' pages.
    """
    named = [*_ids(record, "aliases"), *_ids(record, "upstream")]
    # A USN names only Ubuntu's records, UBUNTU-CVE-2024-1: whoever looks for the CVE is to find it.
    named += [found[1] for each in (identifier, *named) if (found := _VENDOR_CVE.fullmatch(each))]
    if distro and not _CVE.fullmatch(identifier) and not any(_CVE.fullmatch(each) for each in named):
        named += [each for each in _ids(record, "related") if _CVE.fullmatch(each)]
        named += [
            found[1] for each in _objects(record, "references") if (found := _CVE_PAGE.search(_text(each, "url")))
        ]
    return tuple(dict.fromkeys(each for each in named if each != identifier))


def _severity(record: dict[str, Any], identifier: str, scores: tuple[Cvss, ...]) -> Severity:
    """What the publisher says, and only then what a score says."""
    if identifier.startswith("MAL-"):
        return Severity.CRITICAL
    stated = [_text(_object(record, "database_specific"), "severity")]
    stated += [_text(each, "score") for each in _objects(record, "severity") if _text(each, "type") == "Ubuntu"]
    # "Important: thunderbird security update" is how errata of the Red Hat family are titled.
    stated.append(_text(record, "summary").partition(":")[0])
    for word in stated:
        if (found := Severity.parse(word)) is not Severity.UNKNOWN:
            return found
    return max((cvss.severity(each) for each in scores), default=Severity.UNKNOWN)


def _scores(record: dict[str, Any], entries: list[dict[str, Any]]) -> tuple[Cvss, ...]:
    listed = [*_objects(record, "severity"), *(each for entry in entries for each in _objects(entry, "severity"))]
    vectors = dict.fromkeys(_text(each, "score") for each in listed if _text(each, "type").startswith("CVSS_"))
    return tuple(found for vector in vectors if (found := cvss.read(vector)))


def _local_severity(entry: dict[str, Any]) -> Severity:
    """Debian's urgency, or OSS-Fuzz's severity, of one package."""
    specific = _object(entry, "ecosystem_specific")
    return Severity.parse(_text(specific, "urgency").rstrip("*") or _text(specific, "severity"))


def _modules(record: dict[str, Any], ranges: tuple[Range, ...]) -> tuple[str, ...]:
    """The rpm modules the statement is about: only the title names them (``nodejs:16 security update``), if anything.

    Several are several statements: ``virt:rhel and virt-devel:rhel`` says nothing of the other modules that have
    packages of those names.
    """
    if not any(".module" in each.fixed for each in ranges):
        return ("",)
    return tuple(dict.fromkeys(_MODULE.findall(_text(record, "summary")))) or ("",)


def _summary(record: dict[str, Any]) -> str:
    text = _text(record, "summary") or _text(record, "details").strip().partition("\n")[0]
    return one_line(text[: 4 * MAX_SUMMARY], MAX_SUMMARY)


def _url(identifier: str) -> str:
    kind = identifier.partition("-")[0]
    return f"{_PAGES.get(kind, 'https://osv.dev/vulnerability/')}{identifier}"


_PAGES = {
    "GHSA": "https://github.com/advisories/",
    "GO": "https://pkg.go.dev/vuln/",
    "RUSTSEC": "https://rustsec.org/advisories/",
}


def _version(value: Any) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError("affected.versions holds something other than versions")
    return value


def _ids(record: dict[str, Any], name: str) -> list[str]:
    return [each for each in _list(record, name) if isinstance(each, str) and _ID.fullmatch(each)]


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{name} is not text")
    return value


def _list(record: dict[str, Any], name: str) -> list[Any]:
    value = record.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"{name} is not a list")
    return value


def _object(record: dict[str, Any], name: str) -> dict[str, Any]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _objects(record: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = _list(record, name)
    if not all(isinstance(each, dict) for each in found):
        raise ValueError(f"{name} holds something other than objects")
    return found

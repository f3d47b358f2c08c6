"""Which vulnerabilities a package has, decided the slow way, straight from upstream's files.

Nothing here uses the program: records are read with the json module, versions compared by the distributions' and
registries' own tools (``tests/versions/check_oracles.py`` calls them), and ranges judged by the algorithm that the
OSV schema spells out. What a record is about is its CVEs, or where it names none its own id.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cmp_to_key
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.versions.check_oracles import ORACLES, Orders, Pairs

CVE = re.compile(r"CVE-\d{4}-\d{4,}")
ERRATA = ("ALSA-", "ALBA-", "ALEA-", "RLSA-", "RXSA-", "DSA-", "DLA-")
"""Whose ``related`` are the vulnerabilities they fix; elsewhere these are only akin."""
Events = tuple[tuple[str, str], ...]


class Statement(NamedTuple):
    """What one record says of one package; without events and versions it is about every version."""

    record: str
    about: frozenset[str]
    """CVEs, or the record's id."""
    space: str
    """The ecosystem in upstream's words."""
    package: str
    ranges: tuple[Events, ...]
    versions: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    """Those that the title names."""
    modular: bool = False
    denies: bool = False

    def bounds(self) -> set[str]:
        """Every version that the ranges name."""
        return {version for events in self.ranges for _, version in events if version not in ("", "0", "*")}


class Asked(NamedTuple):
    """A package to be judged."""

    package: str
    version: str
    module: str = ""


class Order:
    """The order of versions by the scheme's own tool, asked for many pairs at once."""

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme
        self.known: dict[tuple[str, str], int | None] = {}

    def learn(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Ask about the pairs that are new."""
        new = list(dict.fromkeys(pair for pair in pairs if pair not in self.known))
        if new:
            self.known.update(zip(new, _ask(self.scheme, new), strict=True))

    def __call__(self, a: str, b: str) -> int:
        """Raises: ValueError where the tool refuses one of them."""
        if a == b:
            return 0
        found = self.known.get((a, b))
        if found is None:
            raise ValueError(f"{self.scheme} does not order {a!r} and {b!r}")
        return found


def judge(asked: Sequence[Asked], statements: Sequence[Statement], scheme: str) -> dict[Asked, dict[str, str] | None]:
    """For each package the vulnerabilities it has and a record that says so; None where its version has no order."""
    by_name: dict[str, list[Statement]] = {}
    for each in statements:
        by_name.setdefault(each.package, []).append(each)
    order = Order(scheme)
    order.learn(pair for one in asked for each in by_name.get(one.package, ()) for pair in _pairs(one.version, each))
    return {one: _found(one, by_name.get(one.package, ()), order) for one in asked}


def _pairs(version: str, statement: Statement) -> Iterator[tuple[str, str]]:
    yield from ((version, each) for each in statement.versions)
    for events in statement.ranges:
        bounds = [bound for _, bound in events if bound not in ("", "0", "*")]
        yield from ((version, bound) for bound in bounds)
        if len(bounds) > 2:
            yield from ((a, b) for a in bounds for b in bounds if a != b)


def _found(one: Asked, statements: Sequence[Statement], order: Order) -> dict[str, str] | None:
    found: dict[str, str] = {}
    denied: set[str] = set()
    try:
        for each in statements:
            if not _speaks_of(each, one) or not _affected(each, one.version, order):
                continue
            if each.denies:
                denied |= each.about
            else:
                found |= dict.fromkeys(each.about, each.record)
    except ValueError:
        return None
    return {name: record for name, record in found.items() if name not in denied}


def _speaks_of(statement: Statement, one: Asked) -> bool:
    if statement.modules and one.module:
        return one.module in statement.modules
    return statement.modular == (".module" in one.version)


def _affected(statement: Statement, version: str, order: Order) -> bool:
    if not statement.ranges and not statement.versions:
        return True
    if version in statement.versions:
        return True
    if order.scheme == "pep440" and any(order(version, each) == 0 for each in statement.versions):
        return True  # 1.0 and 1.0.0 are one version, and == 1.0 takes 1.0+local
    fixes = {bound for events in statement.ranges for kind, bound in events if kind == "fixed"}
    if order.scheme == "rpm" and any(order(version, fix) == 0 for fix in fixes):
        return False  # one erratum, several builds of the same fix
    return any(_in_range(events, version, order) for events in statement.ranges)


def _in_range(events: Events, version: str, order: Order) -> bool:
    """The evaluation that the OSV schema describes: events in order of version, each switches on or off."""

    def compare(a: tuple[str, str], b: tuple[str, str]) -> int:
        if "0" in (a[1], b[1]):
            return (a[1] != "0") - (b[1] != "0")
        return order(a[1], b[1])

    vulnerable = False
    for kind, bound in sorted(events, key=cmp_to_key(compare)) if len(events) > 2 else events:
        step = 1 if bound == "0" else -1 if bound == "*" else order(version, bound)
        if kind == "introduced" and step >= 0:
            vulnerable = True
        elif (kind in ("fixed", "limit") and step >= 0) or (kind == "last_affected" and step > 0):
            vulnerable = False
    return vulnerable


# ── upstream's files ──────────────────────────────────────────────────────────────────────────────────────


def osv(paths: Iterable[Path]) -> Iterator[Statement]:
    """The statements of zips of OSV records."""
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".json"):
                    yield from osv_record(json.loads(archive.read(name)))


def osv_record(record: dict[str, Any]) -> Iterator[Statement]:
    """The statements of one OSV record; none of one that was withdrawn, or that tells of no vulnerability."""
    about = _about(record)
    if record.get("withdrawn") or (record["id"][:4] in ("ALBA", "ALEA") and about == {record["id"]}):
        return
    streams = set(re.findall(r"(?<!\S)([a-z][\w.+-]*:\w[\w.]*)(?![\w:])", record.get("summary", ""), re.IGNORECASE))
    grouped: dict[tuple[str, str, bool], list[dict[str, Any]]] = {}
    for entry in record.get("affected", []):
        if "ecosystem" in entry.get("package", {}):
            modular = ".module" in str(entry.get("ranges"))
            grouped.setdefault((entry["package"]["ecosystem"], entry["package"]["name"], modular), []).append(entry)
    for (space, package, modular), entries in grouped.items():
        ranges = tuple(events for entry in entries for events in _events(entry))
        versions = frozenset(version for entry in entries for version in entry.get("versions", ()))
        if not ranges and not versions:
            continue  # commits only
        modules = frozenset(streams if modular else ())
        yield Statement(record["id"], about, space, package, ranges, versions, modules, modular)


def _about(record: dict[str, Any]) -> frozenset[str]:
    if CVE.fullmatch(record["id"]):
        return frozenset((record["id"],))
    named = {name for field in ("aliases", "upstream") for name in record.get(field) or () if CVE.fullmatch(name)}
    if not named and record["id"].startswith(ERRATA):
        named = {name for name in record.get("related") or () if CVE.fullmatch(name)}
        # AlmaLinux names some by links alone: https://access.redhat.com/security/cve/CVE-2022-36369
        pages = (each["url"].rstrip("/").rpartition("/") for each in record.get("references") or ())
        named |= {name for _, _, name in pages if CVE.fullmatch(name)}
    return frozenset(named or (record["id"],))


def _events(entry: dict[str, Any]) -> Iterator[Events]:
    last = str((entry.get("database_specific") or {}).get("last_known_affected_version_range") or "")
    listed = [each for each in entry.get("ranges") or () if each["type"] in ("ECOSYSTEM", "SEMVER")]
    for each in listed:
        events = tuple((kind, version) for event in each["events"] for kind, version in event.items())
        # GitHub shows the bound for which it knows no fix as "<= 1.2"; OSV has it beside the range.
        if len(listed) == 1 and len(events) == 1 and last.startswith("<"):
            events += (("last_affected" if last.startswith("<=") else "fixed", last.lstrip("<= ")),)
        yield events


def secdb(root: Path) -> Iterator[Statement]:
    """The statements of a tree of Alpine's secdb, ``v3.20/main.json``."""
    for path in sorted(root.rglob("*.json")):
        content = json.loads(path.read_bytes())
        for entry in content["packages"] or ():
            fixes: dict[str, list[str]] = {}
            for version, lines in (entry["pkg"].get("secfixes") or {}).items():
                for line in lines or ():
                    ids = re.findall(r"CVE[-_](\d{4}-\d{4,})", line, re.IGNORECASE)
                    words = [f"CVE-{each}" for each in ids] or [
                        w for w in line.split() if re.fullmatch(r"[\w-]*\d[\w-]*", w)
                    ][:1]
                    for identifier in words:
                        fixes.setdefault(identifier, []).append(version)
            for identifier, versions in fixes.items():
                bounds = [version for version in versions if version != "0"]
                ranges = tuple((("introduced", "0"), ("fixed", bound)) for bound in bounds)
                if bounds:
                    space = content["distroversion"]
                    yield Statement(identifier, frozenset((identifier,)), space, entry["pkg"]["name"], ranges)


def debian_tracker(path: Path) -> Iterator[Statement]:
    """The statements of the Debian tracker's export; the space is the release's code name."""
    for package, entries in json.loads(path.read_bytes()).items():
        for identifier, entry in entries.items():
            releases = entry["releases"]
            for release, said in releases.items() if isinstance(releases, dict) else ():
                fixed = said.get("fixed_version", "")
                if said["status"] == "resolved" and fixed != "0":
                    ranges: tuple[Events, ...] = ((("introduced", "0"), ("fixed", fixed)),)
                elif said["status"] == "resolved":
                    continue
                else:
                    ranges = ()
                yield Statement(identifier, frozenset((identifier,)), release, package, ranges)


# ── tools ─────────────────────────────────────────────────────────────────────────────────────────────────


def _ask(scheme: str, pairs: Pairs) -> Orders:
    tools: dict[str, Callable[[Pairs], Orders | None]] = {**ORACLES, "pep440": _pep440}
    found = tools[scheme](pairs)
    if found is None and scheme == "apk":
        found = [apk_order(a, b) for a, b in pairs]
    if found is None:
        raise SystemExit(f"the tool that compares {scheme} versions is not on this machine")
    return found


def _pep440(pairs: Pairs) -> Orders:
    from packaging.version import InvalidVersion, Version

    def order(a: str, b: str) -> int | None:
        try:
            left, right = Version(a), Version(b)
        except InvalidVersion:
            return None
        if left.local and not right.local:
            left = Version(left.public)  # as specifiers have it
        return (left > right) - (left < right)

    return [order(a, b) for a, b in pairs]


def apk_order(a: str, b: str) -> int | None:
    """The order of Alpine versions, token by token as apk-tools walks along both; for machines without apk."""
    left, right = _apk_tokens(a), _apk_tokens(b)
    if left is None or right is None:
        return None
    return (left > right) - (left < right)


def _apk_tokens(text: str) -> list[tuple[int, Any]] | None:
    suffixes = ("alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p")
    matched = re.fullmatch(r"([\d.]*\d)([a-z]?)((?:_[a-z]+\d*)*)(?:~[0-9a-f]+)?(?:-r(\d+))?", text)
    if matched is None or ".." in text:
        return None
    numbers, letter, rest, revision = matched.groups()
    tokens: list[tuple[int, Any]] = []
    for place, number in enumerate(numbers.split(".")):
        fraction = place and number.startswith("0")
        tokens.append((7, number) if fraction else (8, int(number)))
    tokens += [(6, letter)] if letter else []
    for name, number in re.findall(r"_([a-z]+)(\d*)", rest):
        if name not in suffixes:
            return None
        rank = suffixes.index(name) - 4
        tokens.append((5 if rank > 0 else 0, rank))
        tokens += [(4, int(number))] if number else []
    tokens += [(2, int(revision))] if revision else []
    return [*tokens, (1, 0)]

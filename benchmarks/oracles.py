"""Which vulnerabilities a package has, decided the slow way, straight from upstream's files.

Nothing here uses the program: records are read with the json module, versions compared by the distributions' and
registries' own tools (``tests/versions/check_oracles.py`` calls them), and ranges judged by the algorithm that the
OSV schema spells out. What a record is about is its CVEs, or where it names none its own id.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cmp_to_key
from pathlib import Path
from typing import Any, NamedTuple

from oracle_orders import apk_order, julia_order, nuget_order, plain_order

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.versions.check_oracles import ORACLES, Orders, Pairs

CVE = re.compile(r"CVE-\d{4}-\d{4,}")
ERRATA = ("ALSA-", "ALBA-", "ALEA-", "RLSA-", "RXSA-", "DSA-", "DLA-")
"""Whose ``related`` are the vulnerabilities they fix; elsewhere these are only akin."""
Events = tuple[tuple[str, str], ...]
UNNUMBERED = (("introduced", "0"), ("fixed", "0.0.1-0"))
"""Go's versions that are made of a date: v0.0.0-20240102030405-abcdef012345."""


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
    but: frozenset[str] = frozenset()
    """Versions that the ranges would hold and do not."""
    safe: tuple[str, ...] = ()
    """Requirements of RubyGems; a version that meets one of them is not affected."""

    def bounds(self) -> set[str]:
        """Every version that the ranges name."""
        named = {version for each in self.safe for version in re.findall(r"\d[\w.]*", each)}
        ranges = (events for events in self.ranges if events != UNNUMBERED)
        return named | self.but | {each for events in ranges for _, each in events if each not in ("", "0", "*")}


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
        self.met: dict[tuple[str, str], bool | None] = {}

    def learn_requirements(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Ask which versions (first) meet which requirements."""
        new = list(dict.fromkeys(pairs))
        if new:
            self.met.update(zip(new, gem_requirements(new), strict=True))

    def meets(self, version: str, requirement: str) -> bool:
        """Raises: ValueError where the tool refuses one of them."""
        found = self.met[version, requirement]
        if found is None:
            raise ValueError(f"RubyGems cannot say whether {version!r} is {requirement!r}")
        return found

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
    order.learn(
        pair
        for one in asked
        for each in by_name.get(one.package, ())
        for pair in _pairs(_met(one.version, each, scheme), each)
    )
    order.learn_requirements(
        (one.version, rule) for one in asked for each in by_name.get(one.package, ()) for rule in each.safe
    )
    return {one: _found(one, by_name.get(one.package, ()), order) for one in asked}


def _met(version: str, statement: Statement, scheme: str) -> str:
    """A version as bounds meet it: whole feeds leave epochs out, and hardly a package gets its first after a fix."""
    epochs = scheme != "rpm" or any(":" in each for each in statement.bounds())
    return version if epochs else version.rpartition(":")[2]


def _pairs(version: str, statement: Statement) -> Iterator[tuple[str, str]]:
    yield from ((version, each) for each in statement.versions | statement.but)
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
            if not _speaks_of(each, one) or not _affected(each, _met(one.version, each, order.scheme), order):
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
    if statement.safe:
        return not any([order.meets(version, rule) for rule in statement.safe])
    if any([order(version, each) == 0 for each in statement.but]):
        return False
    if not statement.ranges and not statement.versions:
        return True
    if version in statement.versions:
        return True
    if any([order(version, each) == 0 for each in statement.versions]):
        return True  # where 1.0 and 1.0.0 are one version, or == 1.0 takes 1.0+local
    fixes = {bound for events in statement.ranges for kind, bound in events if kind == "fixed"}
    if order.scheme == "rpm" and any(order(version, fix) == 0 for fix in fixes):
        return False  # one erratum, several builds of the same fix
    minor = re.search(r"\.el\d+_\d+", version) if statement.space.startswith("Red Hat ") else None
    if minor and any(f"{minor[0]}." in f"{fix}." and order(version, fix) > 0 for fix in fixes):
        return False  # fixed in its own minor release, whatever number a later one has
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
    withdrawn = record.get("withdrawn") or re.match(r"\**withdrawn( advisory)?(:|$)", record.get("summary", ""), re.I)
    if withdrawn or (record["id"][:4] in ("ALBA", "ALEA") and about == {record["id"]}):
        return
    streams = set(re.findall(r"(?<!\S)([a-z][\w.+-]*:\w[\w.]*)(?![\w:])", record.get("summary", ""), re.IGNORECASE))
    grouped: dict[tuple[str, str, bool], list[dict[str, Any]]] = {}
    for entry in record.get("affected", []):
        if "ecosystem" in entry.get("package", {}):
            modular = ".module" in str(entry.get("ranges"))
            grouped.setdefault((entry["package"]["ecosystem"], entry["package"]["name"], modular), []).append(entry)
    for (space, package, modular), entries in grouped.items():
        entries = [entry for entry in entries if _for_linux(entry)]
        if not entries:
            continue
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


def _for_linux(entry: dict[str, Any]) -> bool:
    """Whether any package that a record of Go's database names is built for Linux; others name no systems."""
    imports = (entry.get("ecosystem_specific") or {}).get("imports") or ()
    return not imports or any("linux" in (each.get("goos") or ["linux"]) for each in imports)


def _events(entry: dict[str, Any]) -> Iterator[Events]:
    custom = (entry.get("ecosystem_specific") or {}).get("custom_ranges")
    if custom:
        # Go's database: the project's numbers, where to the module system every version is affected.
        yield from (tuple((k, v) for event in each["events"] for k, v in event.items()) for each in custom)
        if all(each["events"] == [{"introduced": "0"}] for each in entry["ranges"]):
            yield UNNUMBERED
            return
    last = str((entry.get("database_specific") or {}).get("last_known_affected_version_range") or "")
    listed = [each for each in entry.get("ranges") or () if each["type"] in ("ECOSYSTEM", "SEMVER")]
    for each in listed:
        events = tuple((kind, version) for event in each["events"] for kind, version in event.items())
        # GitHub shows the bound for which it knows no fix as "<= 1.2"; OSV has it beside the range.
        if len(listed) == 1 and len(events) == 1 and last.startswith("<"):
            events += (("last_affected" if last.startswith("<=") else "fixed", last.lstrip("<= ")),)
        yield events


# ── tools ─────────────────────────────────────────────────────────────────────────────────────────────────


class NoOracle(Exception):
    """The tool that compares versions of a scheme is not on this machine."""


TOOLS = {
    "deb": "dpkg --compare-versions",
    "rpm": "rpm's own rpm.vercmp",
    "apk": "apk version -t",
    "pep440": "packaging.version",
    "npm": "node-semver, loose",
    "maven": "ComparableVersion of maven-artifact",
    "go": "golang.org/x/mod/semver",
    "gem": "Gem::Version",
    "composer": "composer/semver",
    "cargo": "the semver crate",
    "pacman": "libalpm (vercmp)",
    "hex": "Elixir's Version",
    "cran": "R's compareVersion",
    "portage": "portage.versions",
    "nuget": "NuGet's documented rules",
    "bitnami": "node-semver, the revision cut off",
    "semver": "node-semver, loose",
    "julia": "Julia's documented order",
    "plain": "numbers alone",
}
"""What decides, in words."""


def tool(scheme: str) -> str:
    """What decides on this machine, in words; empty where nothing does."""
    if scheme == "apk" and ORACLES["apk"]([("1", "2")]) is None:
        return "apk's documented rules"
    return TOOLS[scheme] if scheme in TOOLS and _asked(scheme, [("1.0.0", "2.0.0")]) is not None else ""


def _ask(scheme: str, pairs: Pairs) -> Orders:
    found = _asked(scheme, pairs)
    if found is None:
        raise NoOracle(scheme)
    return found


def _asked(scheme: str, pairs: Pairs) -> Orders | None:
    tools: dict[str, Callable[[Pairs], Orders | None]] = {
        **ORACLES,
        "pep440": _pep440,
        "nuget": lambda pairs: [nuget_order(a, b) for a, b in pairs],
        "semver": ORACLES["npm"],
        "julia": lambda pairs: [julia_order(a, b) for a, b in pairs],
        "plain": lambda pairs: [plain_order(a, b) for a, b in pairs],
        "bitnami": lambda pairs: ORACLES["npm"]([(_unrevised(a), _unrevised(b)) for a, b in pairs]),
    }
    found = tools[scheme](pairs)
    return [apk_order(a, b) for a, b in pairs] if found is None and scheme == "apk" else found


def _unrevised(version: str) -> str:
    return re.sub(r"-\d+$", "", version)


def gem_requirements(pairs: Pairs) -> list[bool | None]:
    """Whether each version meets each requirement (parts of one are parted by commas), by RubyGems."""
    ruby = shutil.which("ruby")
    if not ruby:
        raise NoOracle("gem")
    script = (
        "require 'json';puts JSON.dump(JSON.parse(STDIN.read).map{|v,r|"
        "begin;Gem::Requirement.new(r.split(/,\\s*/)).satisfied_by?(Gem::Version.new(v));rescue ArgumentError;nil;end})"
    )
    out = subprocess.run([ruby, "-e", script], input=json.dumps(pairs), capture_output=True, text=True, check=True)
    found: list[bool | None] = json.loads(out.stdout)
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

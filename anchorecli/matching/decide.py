"""One statement against one package: is it affected, and what comparison says so. The hot path of matching.

There are ten thousand statements where there are a hundred matches, so nothing is built for those that do not
match, and what a statement says is parsed once for each distinct text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from anchorecli.errors import VersionError
from anchorecli.matching.ecosystems import Query
from anchorecli.model import Candidate, MatchVerdict, Statement
from anchorecli.versions import fit, key, shape

_UNREADABLE = object()

_SPELLINGS = frozenset({"pep440", "nuget", "gem", "maven", "composer"})
"""Schemes in which one version is often written in several ways, so that a list of versions is compared, not read."""
_BUILDS = frozenset({"npm", "cargo"})
"""Schemes whose registries hold no two versions that differ after a plus alone."""

_ARCH = {
    "x86_64": "amd64",
    "x64": "amd64",
    "aarch64": "arm64",
    "i386": "386",
    "i486": "386",
    "i586": "386",
    "i686": "386",
    "x86": "386",
    "armhf": "arm",
    "armv7": "arm",
    "armv7hl": "arm",
    "armv7l": "arm",
    "ppc64el": "ppc64le",
}
_MINOR = re.compile(r"\.el(\d+)_(\d+)(?=\.)", re.ASCII)
"""The minor release in the release of one of Red Hat's builds."""
_ANY_ARCH = frozenset({"", "noarch", "all", "any", "src", "source"})


class Bound(NamedTuple):
    """One end of a range: as written, its ``versions.shape``, and its sort key or what is wrong with it."""

    text: str
    shape: str
    key: Any
    error: str = ""


class Hit(NamedTuple):
    """A statement that holds for a package; not ``compared`` where it only may, since a version cannot be read.

    ``guessed`` where the order of the versions is nobody's rule: what follows from it is not known either.
    """

    candidate: Candidate
    verdict: MatchVerdict
    compared: bool = True
    guessed: bool = False


class Subject:
    """A version to be judged, with its keys as they are needed: for each scheme and shape of bound one."""

    __slots__ = ("any_epoch", "arch", "keys", "modular", "module", "source", "version")

    def __init__(self, query: Query) -> None:
        self.version = query.version
        self.any_epoch = query.any_epoch
        self.source = query.source
        self.arch = "" if query.arch in _ANY_ARCH else _ARCH.get(query.arch, query.arch)
        self.module = query.module
        self.modular = bool(query.module) or ".module" in query.version
        self.keys: dict[tuple[str, str], Any] = {}

    def key(self, scheme: str, shape_: str) -> Any:
        """The sort key to hold against bounds of that shape; ``_UNREADABLE`` where there is none."""
        found = self.keys.get((scheme, shape_))
        if found is None:
            version = self.version
            if scheme == "rpm" and ":" in version and ":" not in shape_:
                # Whole feeds leave epochs out; hardly a package gets its first one after a fix.
                version = version.partition(":")[2]
            try:
                found = key(scheme, fit(scheme, version, shape_, any_epoch=self.any_epoch))
            except VersionError:
                found = _UNREADABLE
            self.keys[scheme, shape_] = found
        return found


def judge(candidate: Candidate, subject: Subject) -> Hit | None:
    """The statement as it holds for the subject: affected, unknown, or None for neither.

    A ``not-affected`` statement that holds is a Hit too: what it settles is for the merge to say.
    """
    _, _, _, _, scheme, statement, ranges, versions, _, module, arches = candidate
    found: bool | None
    if ranges:
        found = _in_ranges(subject, scheme, ranges)
        if found is not True and versions and _listed(subject, scheme, versions):
            found = True
    else:
        found = not versions or _listed(subject, scheme, versions)
        if not found and subject.key(scheme, "") is _UNREADABLE:
            found = None
    if found and scheme == "rpm" and ".centos." in subject.version and _is_rebuild_of_fix(subject, ranges):
        found = False
    if found is False or ((module or scheme == "rpm") and not _module_holds(candidate, subject)):
        return None
    if arches and not _arch_holds(arches, subject.arch):
        return None
    if found is None:
        # Nothing is denied by what may not hold.
        return None if statement == "not-affected" else Hit(candidate, MatchVerdict.UNKNOWN, compared=False)
    if scheme == "fuzzy" and _guessed(candidate, subject):
        return None if statement == "not-affected" else Hit(candidate, MatchVerdict.UNKNOWN, guessed=True)
    return Hit(candidate, MatchVerdict.UNKNOWN if statement == "under-investigation" else MatchVerdict.AFFECTED)


def fits_platform(candidate: Candidate, arch: str) -> bool:
    """Whether a statement is about what was built for an architecture or operating system; empty stands for any."""
    return not candidate.arches or _arch_holds(candidate.arches, "" if arch in _ANY_ARCH else _ARCH.get(arch, arch))


def why(hit: Hit, subject: Subject) -> str:
    """What comparison says so, in the words of a report."""
    if not hit.compared:
        return _unknown_why(hit.candidate, subject)
    if hit.guessed:
        return f"{_affected_why(hit.candidate, subject)}: a guess, the scheme of these versions is not known"
    if hit.verdict is MatchVerdict.UNKNOWN:
        return f"under investigation by {hit.candidate.feed}"
    return _affected_why(hit.candidate, subject)


def fixes(candidate: Candidate, subject: Subject) -> tuple[str, ...]:
    """The fixed versions above the subject's, the lowest first; all of them, as listed, where they cannot be told."""
    scheme = candidate.scheme
    above: dict[Any, str] = {}
    unread: list[str] = []
    for _, fixed, _ in bounds(scheme, candidate.ranges):
        if fixed is None:
            continue
        own = subject.key(scheme, fixed.shape)
        if fixed.error or own is _UNREADABLE:
            unread.append(fixed.text)
        elif fixed.key > own:
            above.setdefault(fixed.key, fixed.text)
    if len(above) + len(unread) < 2:
        return (*above.values(), *unread)
    return tuple(dict.fromkeys([above[each] for each in sorted(above)] + unread))


@lru_cache(maxsize=1 << 16)
def bounds(scheme: str, packed: str) -> tuple[tuple[Bound | None, Bound | None, Bound | None], ...]:
    """Packed ranges as bounds (introduced, fixed, last affected); None where a side is open."""
    found = []
    for line in packed.split("\n") if packed else ():
        introduced, fixed, last = line.split("\t")
        low = _bound(scheme, introduced) if introduced and introduced != "0" else None
        found.append((low, _bound(scheme, fixed) if fixed else None, _bound(scheme, last) if last else None))
    return tuple(found)


def _bound(scheme: str, text: str) -> Bound:
    try:
        return Bound(text, shape(scheme, text), key(scheme, text))
    except VersionError as error:
        return Bound(text, "", None, str(error))


def _in_ranges(subject: Subject, scheme: str, packed: str) -> bool | None:
    # Errata of the RHEL family list one fix as it was built for several minor releases: each of the builds has it.
    if scheme == "rpm" and "\n" in packed and _is_fix(subject, scheme, packed):
        return False
    unknown = False
    own_keys = subject.keys
    for line in _checks(scheme, packed):
        held: bool | None = True
        # A version outside one readable end is outside, whatever the other end holds.
        for bound, side in line:
            own = own_keys.get((scheme, bound.shape)) or subject.key(scheme, bound.shape)
            if bound.error or own is _UNREADABLE:
                held = None
            elif (own >= bound.key) if side < 0 else (own < bound.key) if side > 0 else (own > bound.key):
                held = False
                break
        if held:
            return True
        unknown |= held is None
    return None if unknown else False


def _guessed(candidate: Candidate, subject: Subject) -> bool:
    """Whether the verdict hangs on the order of versions with words in them, of which nobody knows the scheme."""
    from anchorecli.versions.fuzzy import is_certain

    if not candidate.ranges or _listed(subject, candidate.scheme, candidate.versions):
        return False
    lines = bounds(candidate.scheme, candidate.ranges)
    if not all(any(line) for line in lines):
        return False  # every version is affected
    texts = [bound.text for line in lines for bound in line if bound is not None]
    return not all(map(is_certain, (subject.version, *texts)))


@lru_cache(maxsize=1 << 16)
def _checks(scheme: str, packed: str) -> tuple[tuple[tuple[Bound, int], ...], ...]:
    """The ends that each of the packed ranges has, the deciding one first: -1 for fixed, 1 introduced, 0 last."""
    return tuple(
        tuple((bound, side) for bound, side in ((fixed, -1), (low, 1), (last, 0)) if bound is not None)
        for low, fixed, last in bounds(scheme, packed)
    )


def _is_fix(subject: Subject, scheme: str, packed: str) -> bool:
    return any(
        fixed is not None and subject.key(scheme, fixed.shape) == fixed.key for _, fixed, _ in bounds(scheme, packed)
    )


def _is_rebuild_of_fix(subject: Subject, packed: str) -> bool:
    """Whether CentOS' build has a fix of Red Hat's: what it changes it builds as ``.el7.centos.5`` for ``.el7_9.5``."""
    for _, fixed, _ in bounds("rpm", packed):
        found = _MINOR.search(fixed.text) if fixed is not None else None
        if fixed is None or found is None or fixed.error:
            continue
        version = subject.version.replace(f".el{found[1]}.centos.", f".el{found[1]}_{found[2]}.")
        own = Subject(Query("", "", version, any_epoch=subject.any_epoch)).key("rpm", fixed.shape)
        if version != subject.version and own is not _UNREADABLE and own >= fixed.key:
            return True
    return False


def _listed(subject: Subject, scheme: str, versions: str) -> bool:
    if f"\n{subject.version}\n" in f"\n{versions}\n":
        return True
    if scheme == "cpe":
        # A version that is listed without an update stands for every update; 9.2:- is the one that has none.
        version, update, _ = subject.version.partition(":")
        return f"\n{version}{'' if update else ':-'}\n" in f"\n{versions}\n"
    if scheme in _BUILDS and "+" in subject.version:
        return f"\n{subject.version.partition('+')[0]}\n" in f"\n{versions}\n"
    if scheme not in _SPELLINGS:
        return False
    own = subject.key(scheme, "")
    return own is not _UNREADABLE and own in _keys(scheme, versions)


@lru_cache(maxsize=1 << 12)
def _keys(scheme: str, versions: str) -> frozenset[Any]:
    found = set()
    for line in versions.split("\n"):
        try:
            found.add(key(scheme, line))
        except VersionError:
            continue  # compared as text by the caller
    return frozenset(found)


def _module_holds(candidate: Candidate, subject: Subject) -> bool:
    """Whether the statement is about the package's module, or about packages outside modules.

    Where the feed names the module it must be the beginning of the package's. Where it does not, the build strings
    tell: ``.module`` stands in the release of everything built for a module, and of nothing else.
    """
    if candidate.module:
        if not subject.module:
            # Without a label: modular all the same by its build string, or Oracle's, who never label.
            return subject.modular or candidate.ecosystem.startswith("ol:")
        return f"{subject.module}:".startswith(f"{candidate.module}:")
    if candidate.scheme != "rpm" or "\t" not in candidate.ranges:
        return True
    fixed = [line.split("\t")[1] for line in candidate.ranges.split("\n")]
    return not any(fixed) or any((".module" in each) == subject.modular for each in fixed if each)


def _arch_holds(arches: str, arch: str) -> bool:
    return not arch or any(each in _ANY_ARCH or _ARCH.get(each, each) == arch for each in arches.split(","))


def _affected_why(candidate: Candidate, subject: Subject) -> str:
    version, scheme = subject.version, candidate.scheme
    about = f" ({scheme}, source {subject.source})" if subject.source else f" ({scheme})"
    if scheme == "cpe":
        about = f" (by its CPE {candidate.package}, {_confidence(candidate)} confidence)"
    if candidate.statement == Statement.NOT_AFFECTED:
        return f"{candidate.feed} states not affected"
    lines = candidate.ranges.split("\n") if candidate.ranges else ()
    for (low, fixed, last), line in zip(bounds(scheme, candidate.ranges), lines, strict=True):
        if not _in_ranges(subject, scheme, line):
            continue
        start = f"{low.text} <= {version}" if low else version
        if fixed:
            return f"{start} < {fixed.text}{about}"
        if last:
            return f"{start} <= {last.text}{about}"
        return (f"{version} >= {low.text}" if low else f"{version}: every version is affected") + about
    if candidate.versions:
        return f"{version} is listed as affected{about}"
    return f"{version}: every version is affected{about}"


def _confidence(candidate: Candidate) -> str:
    """How much a match by CPE is worth: little where the record holds of every version there is."""
    bounded = candidate.versions or any(line.strip("\t") for line in candidate.ranges.split("\n"))
    return "medium" if bounded else "low"


def _unknown_why(candidate: Candidate, subject: Subject) -> str:
    try:
        key(candidate.scheme, subject.version)
    except VersionError as error:
        return f"the installed version cannot be compared: {error}"
    for line in bounds(candidate.scheme, candidate.ranges):
        for bound in line:
            if bound is not None and bound.error:
                return f"the advisory's version cannot be compared: {bound.error}"
    return "the versions cannot be compared"

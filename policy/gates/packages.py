"""Gate ``packages``: required and forbidden packages, and what the package manager says of its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import NamedTuple

from anchorecli.errors import VersionError
from anchorecli.model import Demand, Package, Problem
from anchorecli.policy.base import Evidence, Fire, Fires, Parameter, Trigger
from anchorecli.policy.facts.gathered import counted, lines, not_gathered
from anchorecli.policy.facts.ignored import ignore_fault, ignore_parameter, ignored
from anchorecli.policy.facts.package_types import is_meant, package_type
from anchorecli.policy.language.parameters import Arguments
from anchorecli.policy.patterns import regex_fault

_ORDER: Mapping[str, Callable[[int, int], bool]] = {"=": eq, "!=": ne, "<": lt, ">": gt, "<=": le, ">=": ge}
_LIKE = ("like", "not_like")


def _required(evidence: Evidence, arguments: Arguments) -> Fires:
    name, version = arguments.text("name"), arguments.text("version")
    found = evidence.once(_by_name).get(name, [])
    if not found:
        wanted = f"{name},{version}" if version else name
        yield Fire(f"Required input package ({wanted}) is not present in container image")
    elif not version:
        return
    elif arguments.text("version_match_type") == "minimum":
        yield from _at_least(found, name, version)
    elif all(package.version != version for package in found):
        head = f"Required input package ({name}) is present ({found[0].version}), but not at the version"
        # The original prints the name where the version belongs; its id rests on that text.
        yield Fire(f"{head} specified in policy ({version})", stable=f"{head} specified in policy ({name})")


def _at_least(found: list[Package], name: str, version: str) -> Iterator[Fire | Problem]:
    from anchorecli.versions import compare

    for package in found:
        try:
            if compare(package.scheme, package.version, version) >= 0:
                return
        except VersionError as error:
            subject = package.purl or f"{package.name}@{package.version}"
            yield Problem("policy", subject, f"packages.required_package could not compare its version: {error}")
    yield Fire(
        f"Required min-version input package ({name}) is present ({found[0].version}), "
        f"but is lower version than what is specified in policy ({version})"
    )


def _verify(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    if lines(evidence, "verify") is None:
        yield not_gathered("packages.verify", arguments, "differences between files and the package database")
        return
    packages, check = arguments.words("only_packages"), arguments.text("check")
    found = [
        (difference.package, "/" + difference.path, difference.status)
        for difference in sorted(evidence.analysis.differences)
        if (not packages or difference.package in packages) and check in ("", difference.status)
    ]
    left = ignored(arguments, {path for _, path, _ in found})
    for package, path, status in found:
        if path not in left and _is_below(path, arguments):
            yield Fire(
                f"VERIFY check against package db for package '{package}' failed on entry '{path}' "
                f"with status: '{status}'",
                path=path,
            )


def _is_below(path: str, arguments: Arguments) -> bool:
    """Whether a path lies in one of the rule's directories; the original takes any path that begins like one."""
    directories = arguments.words("only_directories")
    if arguments.compat:
        return not directories or path.startswith(directories)
    return not directories or any(f"{path}/".startswith(f"{one.rstrip('/')}/") for one in directories)


def _metadata(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    conditions = " and ".join(
        f"{what} {arguments.text(f'{what}_comparison')} {arguments.text(what)}"
        for what in ("name", "version")
        if arguments.text(what)
    )
    unread: list[str] = []
    name_holds, version_holds = _name_test(arguments), _version_test(arguments)
    for package in evidence.analysis.packages:
        if not (is_meant(arguments.text("type"), package.type) and name_holds(package)):
            continue
        try:
            holds = version_holds(package)
        except VersionError:
            unread.append(f"{package.name}@{package.version}")
            continue
        if holds:
            kind = f"{package.name} {package.version} ({package.type})"
            message = f"Package matches the rule: {kind}" + (f": {conditions}" if conditions else "")
            yield Fire(message, purl=package.purl)
    if unread:
        shown = ", ".join(unread[:5]) + (" …" if len(unread) > 5 else "")
        said = f"rule {arguments.rule_id} could not compare {counted(len(unread), 'version')}: {shown}"
        yield Problem("policy", "packages.metadata", said)


def _name_test(arguments: Arguments) -> Callable[[Package], bool]:
    name, comparison, pattern = arguments.text("name"), arguments.text("name_comparison"), None
    if not name:
        return lambda package: True
    if comparison in _LIKE:
        pattern = arguments.pattern("name")
        return lambda package: pattern is not None and pattern.matches(package.name) is (comparison == "like")
    return lambda package: (package.name == name) is (comparison == "=")


def _version_test(arguments: Arguments) -> Callable[[Package], bool]:
    version, comparison = arguments.text("version"), arguments.text("version_comparison")
    if not version:
        return lambda package: True
    if comparison in _LIKE:
        pattern = arguments.pattern("version")
        return lambda package: pattern is not None and pattern.matches(package.version) is (comparison == "like")

    def holds(package: Package) -> bool:
        from anchorecli.versions import compare

        if package.version == version:
            return _ORDER[comparison](0, 0)
        return _ORDER[comparison](compare(package.scheme, package.version, version), 0)

    return holds


def _metadata_fault(arguments: Arguments) -> str:
    if not (arguments.text("name") or arguments.text("version")) and arguments.text("type") == "all":
        return 'it needs at least one of "name", "version" and "type"'
    for what in ("name", "version"):
        if arguments.text(f"{what}_comparison") in _LIKE:
            fault = regex_fault(arguments.text(what))
            if fault:
                return f'"{what}" is not usable as a regular expression: {fault}'
    return ""


def _blacklist(evidence: Evidence, arguments: Arguments) -> Fires:
    name, version = arguments.text("name"), arguments.text("version")
    found = evidence.once(_by_name).get(name, [])
    if not version:
        return (Fire(f"Package is blacklisted: {name}"),) if found else ()
    if any(version in _spellings(package) for package in found):
        return (Fire(f"Package is blacklisted: {name}-{version}"),)
    return ()


def _by_name(evidence: Evidence) -> dict[str, list[Package]]:
    found: dict[str, list[Package]] = {}
    for package in evidence.analysis.packages:
        found.setdefault(package.name, []).append(package)
    return found


def _spellings(package: Package) -> tuple[str, ...]:
    """The version whole, and as Anchore Engine keeps it: for rpm and apk without the release (and the epoch)."""
    if package.type not in ("rpm", "apk"):
        return (package.version,)
    bare = package.version.rpartition("-")[0] or package.version
    return package.version, bare, bare.partition(":")[2] or bare


def _comparison(what: str, allowed: tuple[str, ...]) -> Parameter:
    said = f"How to compare the {what}; like is a regular expression matched from the start."
    return Parameter(f"{what}_comparison", "enum", said, default="=", allowed=allowed)


def _verify_demand(_arguments: Arguments) -> Demand:
    return Demand(verify=True)


def _verified(evidence: Evidence, _arguments: Arguments) -> str:
    return counted(len(evidence.analysis.differences), "difference")


def _looked_at(evidence: Evidence, _arguments: Arguments) -> str:
    return counted(len(evidence.analysis.packages), "package")


_NAME = Parameter("name", "string", "Name of the package, whatever its type.", required=True, example="openssl")

_TRIGGERS = (
    Trigger(
        "required_package",
        "A package that must be there is missing, or not at the required version.",
        _required,
        (
            _NAME,
            Parameter("version", "string", "Whole version, epoch and release included.", example="3.0.15-1~deb12u1"),
            Parameter(
                "version_match_type",
                "enum",
                "Whether the version must be equal or may be newer.",
                default="exact",
                allowed=("exact", "minimum"),
            ),
        ),
        notes="Where several packages bear the name, one that satisfies the rule suffices; the original looks at the "
        "first only. The message of an exact mismatch names the version (the original repeats the name); the "
        "trigger id is the original's.",
        looks_at=_looked_at,
    ),
    Trigger(
        "verify",
        "A file of a package differs from what the package database says, or is missing. Fires for each.",
        _verify,
        (
            Parameter("only_packages", "strings", "Look at these packages only.", example="openssl,bash"),
            Parameter("only_directories", "strings", "Look below these directories only.", example="/usr,/etc"),
            Parameter(
                "check",
                "enum",
                "Look for one kind of difference only; both by default.",
                allowed=("changed", "missing"),
            ),
            ignore_parameter("ignore", "/usr/share/(doc|man|locale)/.*"),
        ),
        notes="/usr means what is below it, not /usrlocal as well, which compat: anchore-engine restores. The "
        "parameter ignore is new.",
        check=ignore_fault,
        demands=_verify_demand,
        looks_at=_verified,
    ),
    Trigger(
        "blacklist",
        "A package that must not be there is.",
        _blacklist,
        (_NAME, Parameter("version", "string", "Only this version; for rpm and apk without the release.")),
        notes="The whole version, with epoch and release, is accepted as well.",
        looks_at=_looked_at,
    ),
    Trigger(
        "metadata",
        "A package has the name, the type and the version given (all that are given). Fires for each package.",
        _metadata,
        (
            Parameter("name", "string", "Name to compare with.", example="log4j-core"),
            _comparison("name", ("=", "!=", *_LIKE)),
            package_type()._replace(name="type", example="maven"),
            Parameter("version", "string", "Version to compare with.", example="2.17.1"),
            _comparison("version", (*_ORDER, *_LIKE)),
        ),
        notes="Enterprise's. Versions are compared as the package's own ecosystem does; = is equality of versions, not "
        "of texts.",
        check=_metadata_fault,
        looks_at=_looked_at,
    ),
)


class PackagesGate(NamedTuple):
    """Packages by name, of every type."""

    name: str = "packages"
    description: str = "Which packages must and must not be there, and whether their files are as installed."
    triggers: tuple[Trigger, ...] = _TRIGGERS

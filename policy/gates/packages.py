"""Gate ``packages``: required and forbidden packages, and what the package manager says of its files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.errors import VersionError
from anchorecli.model import Package, Problem
from anchorecli.policy.base import Evidence, Fire, Fires, Parameter, Trigger
from anchorecli.policy.parameters import Arguments


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
    ),
    Trigger(
        "verify",
        "A file of a package differs from what the package database says, or is missing.",
        None,
        (
            Parameter("only_packages", "strings", "Look at these packages only.", example="openssl,bash"),
            Parameter("only_directories", "strings", "Look below these directories only.", example="/usr,/etc"),
            Parameter(
                "check",
                "enum",
                "Look for one kind of difference only; both by default.",
                allowed=("changed", "missing"),
            ),
        ),
        needs="the digests and modes of files",
    ),
    Trigger(
        "blacklist",
        "A package that must not be there is.",
        _blacklist,
        (_NAME, Parameter("version", "string", "Only this version; for rpm and apk without the release.")),
        notes="The whole version, with epoch and release, is accepted as well.",
    ),
)


class PackagesGate(NamedTuple):
    """Packages by name, of every type."""

    name: str = "packages"
    description: str = "Which packages must and must not be in the image, and whether their files are as installed."
    triggers: tuple[Trigger, ...] = _TRIGGERS

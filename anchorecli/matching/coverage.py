"""What is asked about which packages, and which packages nobody can be asked about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from typing import NamedTuple

from anchorecli.matching.distributions import ESM, Lineage, lineage
from anchorecli.matching.ecosystems import OS_TYPES, Query, language_ecosystem, queries
from anchorecli.matching.origins import Origin, outsiders
from anchorecli.matching.programs import CPE, is_program
from anchorecli.matching.streams import streams, upstream
from anchorecli.model import Distro, Package, Problem


class Plan(NamedTuple):
    """Packages in groups of which the same is asked (copies of one package), and what is not covered."""

    groups: dict[tuple[Query, ...], list[Package]]
    problems: tuple[Problem, ...]
    distro_covered: bool
    programs: tuple[tuple[Package, tuple[Query, ...], str], ...] = ()
    """Programs that feeds may speak of by name alone, which is known once those have been asked."""
    scored: bool = False
    """Whether there are records about CVEs themselves."""
    outsiders: Container[str] = ()
    """The purls of packages that are not the distribution's, of whose contents its feed does not decide."""


def plan(packages: Sequence[Package], distro: Distro | None, covered: frozenset[str]) -> Plan:
    """Who is asked about the packages of an image."""
    family = lineage(distro) if distro is not None else Lineage(())
    choices = tuple(each for each in family.own + family.inherited if not each.endswith(ESM))
    chosen = next((each for each in choices if each in covered), choices[0] if choices else "")
    spaces = (chosen, *_channels(packages, chosen))
    groups: dict[tuple[Query, ...], list[Package]] = {}
    strangers: Counter[tuple[str, str]] = Counter()
    others: list[tuple[Package, tuple[Query, ...]]] = []
    native = 0
    theirs = outsiders(packages, distro)
    guests: dict[Origin, list[str]] = {}
    for package in packages:
        if package.type not in OS_TYPES:
            asked = queries(package, language_ecosystem(package))
            if not (package.owner and chosen in covered and package.owner not in theirs):
                others.append((package, asked))  # the others are for the distribution's feed to decide
        elif distro is None or family.native not in ("", package.type) or _is_foreign(package, distro):
            strangers[package.type, package.metadata.get("evidence", "")] += 1
            continue
        elif origin := theirs.get(package.purl):
            guests.setdefault(origin, []).append(package.name)
            own = (origin.ecosystem, *streams(package, origin.ecosystem, covered)) if origin.ecosystem else ()
            asked = tuple(query for space in own for query in queries(package, space))
        else:
            asked = tuple(
                query for space in spaces + streams(package, chosen, covered) for query in queries(package, space)
            )
            native += bool(asked)
        if asked:
            groups.setdefault(asked, []).append(package)
    problems = [_stranger(kind, count, distro, evidence) for (kind, evidence), count in strangers.items()]
    problems += [_guest(origin, names, distro) for origin, names in guests.items() if origin.ecosystem not in covered]
    languages = Counter(
        language_ecosystem(package)
        for package, _ in others
        if not is_program(package) and not is_standard_library(package)
    )
    problems += [_language(ecosystem, count) for ecosystem, count in languages.items() if ecosystem not in covered]
    if native and distro is not None and chosen not in covered:
        problems.append(_distro(distro, choices, native))
    elif native and distro is not None and chosen != choices[0]:
        problems.append(_substitute(distro, choices[0], chosen))
    elif native and distro is not None and (origin_ := upstream(chosen)) and origin_ not in covered:
        problems.append(_fixes_only(distro, chosen))
    programs = _programs(others, covered)
    return Plan(groups, tuple(sorted(problems)), chosen in covered, programs, "cve" in covered, theirs)


def _programs(
    others: Sequence[tuple[Package, tuple[Query, ...]]], covered: frozenset[str]
) -> tuple[tuple[Package, tuple[Query, ...], str], ...]:
    """The programs that are not covered by their CPEs, each with the namespace that is missing for it."""
    found = []
    for package, asked in others:
        spaces = [query.ecosystem for query in asked]
        if is_standard_library(package):
            found.append((package, asked, STANDARD_LIBRARY))
        elif is_program(package) and not (CPE in spaces and CPE in covered):
            missing = [each for each in (CPE, "bitnami") if each in spaces and each not in covered]
            found.append((package, asked, missing[0] if missing else ""))
    return tuple(found)


def unspoken(planned: Plan, known: Container[tuple[str, str]]) -> list[Problem]:
    """The programs that no feed speaks of; ``known`` are the (namespace, name) pairs that some feed has a word on."""
    silent = [
        (package, missing)
        for package, asked, missing in planned.programs
        if not any((query.ecosystem, query.name) in known for query in asked)
    ]
    unread = Counter(missing for _, missing in silent if missing)
    problems = [_language(ecosystem, count) for ecosystem, count in unread.items()]
    if nameless := sorted({package.name for package, missing in silent if not missing}):
        message = f"no feed speaks of {', '.join(nameless)}: not checked for vulnerabilities"
        problems.append(Problem("match", "programs", message, _STATUS, incomplete=False))
    return problems


def is_standard_library(package: Package) -> bool:
    """Whether it is Go's own library, of which most feeds for Go's modules say nothing."""
    return package.type == "golang" and package.name in ("stdlib", "toolchain")


def feed_for(ecosystem: str) -> str:
    """The feed to sync for a namespace, empty where none is known."""
    if ecosystem in _GHSA:
        return "ghsa"
    return (_FEEDS.get(ecosystem) or _FEEDS.get(ecosystem.partition(":")[0], "")).strip("'")


def _channels(packages: Sequence[Package], chosen: str) -> tuple[str, ...]:
    """Whose word counts beside the release's own: an image with a package out of Ubuntu's ESM was made with it."""
    if not chosen.startswith("ubuntu:"):
        return ()
    entitled = any(package.type == "deb" and "esm" in package.version for package in packages)
    return (chosen + ESM,) if entitled else ()


def _distro(distro: Distro, choices: Sequence[str], count: int) -> Problem:
    feeds = (_FEEDS.get(each.partition(":")[0], "") for each in choices)
    return Problem(
        "match",
        _called(distro),
        f"no feed covers {' or '.join(choices)}: {_packages(count)} not checked for vulnerabilities",
        _sync(next(filter(None, feeds), "")),
    )


def _substitute(distro: Distro, wanted: str, used: str) -> Problem:
    return Problem(
        "match",
        _called(distro),
        f"judged as {used}, since no feed covers {wanted}: what differs between them is not known",
        _STATUS,
        incomplete=False,
    )


def _fixes_only(distro: Distro, used: str) -> Problem:
    message = f"{used} tells of fixes only: vulnerabilities that have no fix yet are known with Red Hat's feed alone"
    return Problem("match", _called(distro), message, _sync("redhat"), incomplete=False)


def _stranger(kind: str, count: int, distro: Distro | None, evidence: str) -> Problem:
    if source := _SECOND_HAND.get(evidence):
        # No package manager brought them: before anybody told of them, nobody missed them.
        message = f"named by {source}, of another distribution: {_packages(count)} not checked for vulnerabilities"
        return Problem("match", f"{kind} packages", message, _STATUS, incomplete=False)
    if distro is None:
        return Problem(
            "match",
            f"{kind} packages",
            f"the distribution is not known: {_packages(count)} not checked for vulnerabilities",
            "see whether the image has an /etc/os-release",
            cause="unknown_distro",
        )
    return Problem(
        "match",
        f"{kind} packages",
        f"not packages of {_called(distro)}: {_packages(count)} not checked for vulnerabilities",
    )


def _guest(origin: Origin, names: Sequence[str], distro: Distro | None) -> Problem:
    if origin.ecosystem:
        message = f"no feed covers {origin.ecosystem}: {_packages(len(names))} not checked for vulnerabilities"
        return Problem("match", origin.name, message, _sync(feed_for(origin.ecosystem)))
    listed = ", ".join(sorted(set(names))[:_NAMED]) + (" …" if len(set(names)) > _NAMED else "")
    message = f"not of {_called(distro)}" if distro else "not the distribution's"
    message += f", and no feed speaks of these packages: {_packages(len(names))} not checked by name ({listed})"
    # Nothing that could be synced would make it complete.
    return Problem("match", origin.name, message, "programs and modules in them are checked", incomplete=False)


def _language(ecosystem: str, count: int) -> Problem:
    return Problem(
        "match",
        ecosystem,
        f"no feed covers {_SPOKEN.get(ecosystem, ecosystem)}: {_packages(count)} not checked for vulnerabilities",
        _sync("ghsa" if ecosystem in _GHSA else _FEEDS.get(ecosystem, "")),
        # Nothing that could be synced would make it complete.
        incomplete=ecosystem not in _UNSPOKEN,
    )


def _sync(feed: str) -> str:
    return f"{f'anchore feeds sync {feed}' if feed else 'no feed is known for it'}; {_STATUS}"


def _is_foreign(package: Package, distro: Distro) -> bool:
    """Whether a package says of which distribution it is, and that is not the image's."""
    label = package.metadata.get("distribution", "")
    return bool(label) and label not in (distro.id, f"{distro.id}-{distro.version_id}")


def _called(distro: Distro) -> str:
    return f"{distro.id} {distro.version_id or distro.codename}".strip()


def _packages(count: int) -> str:
    return "1 package was" if count == 1 else f"{count} packages were"


_NAMED = 5
"""Packages that a problem about a repository names."""
STANDARD_LIBRARY = "golang stdlib"
"""What the gap is called where nobody speaks of Go's standard library."""
_SECOND_HAND = {"elf-note": "notes in programs", "sbom": "documents in the image"}
"""What tells of packages that no package manager lists."""
_STATUS = "anchore feeds status lists what is covered"
_GHSA = frozenset(
    ("pypi", "npm", "maven", "golang", "gem", "cargo", "nuget", "composer", "hex", "pub", "swift", "github-actions")
)
_UNSPOKEN = frozenset(
    (
        *("ansible-collection", "flatpak", "huggingface", "luarocks", "ml-model", "spack", "swipl-pack", "terraform"),
        "vscode-extension",
    )
)
"""Types of packages that no source of advisories knows: they are named, and leave the evidence as complete as it was.
"""
_SPOKEN = {"nvd": "programs that are known by their CPE alone"}
"""Namespaces whose names tell a reader nothing."""
_FEEDS = {
    "debian": "debian",
    "alpine": "alpine",
    "ubuntu": "ubuntu",
    "arch": "arch",
    "almalinux": "osv:AlmaLinux",
    "rocky": "'osv:Rocky Linux'",
    "rhel": "redhat",
    "sles": "suse",
    "opensuse-leap": "suse",
    "wolfi": "wolfi",
    "chainguard": "chainguard",
    "minimos": "minimos",
    "echo": "echo",
    "secureos": "secureos",
    "fedora": "fedora",
    "epel": "fedora",
    "hummingbird": "redhat",
    "mageia": "osv:Mageia",
    "openeuler": "osv:openEuler",
    "photon": "photon",
    "azurelinux": "azurelinux",
    "mariner": "azurelinux",
    "ol": "oracle",
    "amzn": "amazon",
    "sle-micro": "suse",
    "sl-micro": "suse",
    "opensuse-leap-micro": "suse",
    "opensuse-tumbleweed": "suse",
    "cran": "osv:CRAN",
    "hackage": "osv:Hackage",
    "bitnami": "bitnami",
    STANDARD_LIBRARY: "govulndb",
    "nvd": "nvd",
    "julia": "osv:Julia",
    "conan": "gitlab",
}
"""Who speaks of a namespace, as ``anchore feeds sync`` takes it in a shell."""

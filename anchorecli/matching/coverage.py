"""What is asked about which packages, and which packages nobody can be asked about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from anchorecli.matching.distributions import ESM, Lineage, lineage
from anchorecli.matching.ecosystems import OS_TYPES, Query, language_ecosystem, queries
from anchorecli.matching.streams import streams
from anchorecli.model import Distro, Package, Problem


class Plan(NamedTuple):
    """Packages in groups of which the same is asked (copies of one package), and what is not covered."""

    groups: dict[tuple[Query, ...], list[Package]]
    problems: tuple[Problem, ...]
    distro_covered: bool


def plan(packages: Sequence[Package], distro: Distro | None, covered: frozenset[str]) -> Plan:
    """Who is asked about the packages of an image."""
    family = lineage(distro) if distro is not None else Lineage(())
    choices = tuple(each for each in family.own + family.inherited if not each.endswith(ESM))
    chosen = next((each for each in choices if each in covered), choices[0] if choices else "")
    spaces = (chosen, *_channels(packages, chosen))
    groups: dict[tuple[Query, ...], list[Package]] = {}
    strangers: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    native = 0
    for package in packages:
        if package.type not in OS_TYPES:
            ecosystem = language_ecosystem(package)
            if ecosystem not in covered and not (package.owner and chosen in covered):
                languages[ecosystem] += 1
            asked = queries(package, ecosystem)
        elif distro is None or family.native not in ("", package.type):
            strangers[package.type] += 1
            continue
        else:
            asked = tuple(
                query for space in spaces + streams(package, chosen, covered) for query in queries(package, space)
            )
            native += bool(asked)
        if asked:
            groups.setdefault(asked, []).append(package)
    problems = [_stranger(kind, count, distro) for kind, count in strangers.items()]
    problems += [_language(ecosystem, count) for ecosystem, count in languages.items()]
    if native and distro is not None and chosen not in covered:
        problems.append(_distro(distro, choices, native))
    elif native and distro is not None and chosen != choices[0]:
        problems.append(_substitute(distro, choices[0], chosen))
    return Plan(groups, tuple(sorted(problems)), chosen in covered)


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


def _stranger(kind: str, count: int, distro: Distro | None) -> Problem:
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


def _language(ecosystem: str, count: int) -> Problem:
    return Problem(
        "match",
        ecosystem,
        f"no feed covers {ecosystem}: {_packages(count)} not checked for vulnerabilities",
        _sync("ghsa" if ecosystem in _GHSA else _FEEDS.get(ecosystem, "")),
    )


def _sync(feed: str) -> str:
    return f"{f'anchore feeds sync {feed}' if feed else 'no feed is known for it'}; {_STATUS}"


def _called(distro: Distro) -> str:
    return f"{distro.id} {distro.version_id or distro.codename}".strip()


def _packages(count: int) -> str:
    return "1 package was" if count == 1 else f"{count} packages were"


_STATUS = "anchore feeds status lists what is covered"
_GHSA = frozenset(
    ("pypi", "npm", "maven", "golang", "gem", "cargo", "nuget", "composer", "hex", "pub", "swift", "github-actions")
)
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
    "minimos": "osv:MinimOS",
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
    "bitnami": "osv:Bitnami",
    "julia": "osv:Julia",
}
"""Who speaks of a namespace, as ``anchore feeds sync`` takes it in a shell."""

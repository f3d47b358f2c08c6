"""Hand-made feeds: advisories in memory, looked up as the store would."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from anchorecli.matching import MatchResult, match
from anchorecli.model import Advisory, Affected, Candidate, Distro, Package, Range, Statement, pack_ranges

DEBIAN = Distro("debian", "12")
ALPINE = Distro("alpine", "3.20.3")
ALMA = Distro("almalinux", "9.4", like=("rhel", "centos", "fedora"))

SCHEMES = {"deb": "deb", "rpm": "rpm", "apk": "apk", "pypi": "pep440", "npm": "npm"}


@dataclass
class Feeds:
    advisories: Sequence[Advisory]
    covered: frozenset[str] | None = None
    asked: list = field(default_factory=list)
    fetched: list = field(default_factory=list)

    def lookup(self, keys):
        self.asked.append(list(keys))
        wanted = set(keys)
        return [
            Candidate(
                row,
                advisory.feed,
                each.ecosystem,
                each.package,
                each.scheme,
                each.statement.value,
                pack_ranges(each.ranges),
                "\n".join(each.versions),
                int(each.severity),
                each.module,
                ",".join(each.arches),
            )
            for row, advisory in enumerate(self.advisories)
            for each in advisory.affected
            if (each.ecosystem, each.package) in wanted
        ]

    def details(self, rows):
        self.fetched.append(list(rows))
        return {row: self.advisories[row] for row in rows}

    def match(self, *packages: Package, distro: Distro | None = DEBIAN) -> MatchResult:
        covered = self.covered
        if covered is None:
            covered = frozenset(each.ecosystem for advisory in self.advisories for each in advisory.affected)
        return match(packages, distro, self.lookup, self.details, covered)


def advisory(id_, *affected, feed="debian", **rest):
    return Advisory(id_, feed, affected=affected, **rest)


def affected(ecosystem, package, fixed="", *, introduced="", last="", scheme="", **rest):
    ranges = (Range(introduced, fixed, last),) if fixed or introduced or last else ()
    rest.setdefault("ranges", ranges)
    kind = {"debian": "deb", "ubuntu": "deb", "alpine": "apk", "pypi": "pep440", "npm": "npm"}
    return Affected(ecosystem, package, scheme or kind.get(ecosystem.partition(":")[0], "rpm"), **rest)


def denial(ecosystem, package, **rest):
    return affected(ecosystem, package, statement=Statement.NOT_AFFECTED, **rest)


def package(name, version, type_="deb", **rest):
    rest.setdefault("purl", f"pkg:{type_}/{name}@{version}")
    return Package(name, version, type_, SCHEMES.get(type_, type_), **rest)

"""Programs: asked by their own names and by CPE, and by nothing better known."""

from __future__ import annotations

from typing import Any

import pytest

from anchorecli.matching import match, queries
from anchorecli.matching.programs import is_program
from anchorecli.model import (
    Advisory,
    Affected,
    Candidate,
    Distro,
    Location,
    Match,
    MatchVerdict,
    Package,
    Range,
    pack_ranges,
)

CPE = "cpe:2.3:a:%s:%s:*:*:*:*:*:*"


def program(name: str, version: str, *cpes: tuple[str, str], kind: str = "generic", **more: Any) -> Package:
    written = tuple(CPE % (product, f"{number}:*" if ":" not in number else number) for product, number in cpes)
    written = tuple(each.replace(":*:*:*:*:*:*:*:*", ":*:*:*:*:*:*:*") for each in written)
    return Package(name, version, kind, "fuzzy", f"pkg:{kind}/{name}@{version}", cpes=written, **more)


def asked(package: Package) -> set[tuple[str, str, str, str]]:
    return {(each.ecosystem, each.name, each.version, each.arch) for each in queries(package, package.type)}


def test_a_program_is_asked_by_every_name_it_has() -> None:
    assert asked(program("node", "18.1.0", ("nodejs:node.js", "18.1.0"))) == {
        ("bitnami", "node", "18.1.0", ""),
        ("nvd", "nodejs:node.js", "18.1.0", "linux"),
    }
    assert asked(program("openssh", "9.2p1", ("openbsd:openssh", "9.2:p1"))) == {
        ("bitnami", "openssh", "9.2p1", ""),
        ("nvd", "openbsd:openssh", "9.2:p1", "linux"),
    }
    assert asked(program("ruby", "3.2.1")) == {("bitnami", "ruby", "3.2.1", ""), ("ruby-engine", "ruby", "3.2.1", "")}
    assert asked(program("go", "1.22.1")) == {
        ("bitnami", "golang", "1.22.1", ""),
        ("golang", "toolchain", "1.22.1", "linux"),
    }
    assert asked(program("fluent/fluent-bit", "1.0", kind="github")) == {("bitnami", "fluent-bit", "1.0", "")}


def test_bitnamis_own_packages_are_asked_without_their_revision() -> None:
    assert asked(program("redis", "7.2.4-0", kind="bitnami")) == {("bitnami", "redis", "7.2.4", "")}


def test_java_has_two_ways_to_write_its_old_versions() -> None:
    assert asked(program("openjdk", "1.8.0_302", ("oracle:openjdk", "1.8.0:update302"))) == {
        ("bitnami", "java", "8.0.302", ""),
        ("nvd", "oracle:openjdk", "1.8.0:update302", "linux"),
        ("nvd", "oracle:openjdk", "8:update302", "linux"),
    }
    assert ("bitnami", "java", "17.0.9+9", "") in asked(program("openjdk", "17.0.9+9"))


def test_what_a_language_feed_speaks_of_is_not_asked_by_cpe() -> None:
    package = Package("django", "4.2", "pypi", "pep440", cpes=(CPE % ("djangoproject:django", "4.2:*"),))
    assert asked(package) == {("pypi", "django", "4.2", "")}
    assert not is_program(package)
    unheard_of = Package("zlib", "1.2", "conan", "fuzzy", cpes=("cpe:2.3:a:zlib:zlib:1.2:*:*:*:*:*:*:*",))
    assert asked(unheard_of) == {("nvd", "zlib:zlib", "1.2", "linux")}


def test_a_name_of_the_older_form_asks_the_same() -> None:
    older, newer = (
        Package("x", "1", "generic", "fuzzy", cpes=(each,))
        for each in ("cpe:/a:b:c%2b:1:u2", r"cpe:2.3:a:b:c\+:1:u2:*:*:*:*:*:*")
    )
    assert asked(older) == asked(newer)
    assert ("nvd", "b:c+", "1:u2", "linux") in asked(older)


@pytest.mark.parametrize(
    "text",
    [
        "cpe:2.3:o:acme:system:1:*:*:*:*:*:*:*",
        "",
        "cpe:/a:b",
        "cpe:2.3:a:b",
        "cpe:2.3:a:*:c:1:*:*:*:*:*:*:*",
        "cpe:2.3:a:b:-:1:*:*:*:*:*:*:*",
        ":" * 12,
    ],
)
def test_what_is_no_cpe_with_vendor_and_product_asks_nothing(text: str) -> None:
    package = Package("x", "1", "generic", "fuzzy", cpes=(text,))
    assert asked(package) == {("bitnami", "x", "1", "")}


def test_the_kernel_is_the_one_system_that_is_asked() -> None:
    cpe = "cpe:2.3:o:linux:linux_kernel:6.1.5:*:*:*:*:*:*:*"
    kernel = Package("linux", "6.1.5-amd64", "linux-kernel", "fuzzy", cpes=(cpe,))
    assert asked(kernel) == {("nvd", "linux:linux_kernel", "6.1.5", "linux")}
    assert Feeds(nvd("linux:linux_kernel", Range("6.0", fixed="6.1.9"))).found(kernel)


def test_a_cpe_without_a_version_takes_the_packages_own_and_colons_may_be_quoted() -> None:
    package = Package("x", "1.5", "generic", "fuzzy", cpes=(r"cpe:2.3:a:B\:b:c\+\+:*:*:*:*:*:*:*:*",))
    assert ("nvd", "b:b:c++", "1.5", "linux") in asked(package)


def test_the_operating_system_comes_from_the_build_or_the_file() -> None:
    go = Package("stdlib", "1.22", "golang", "go", locations=(Location("app/x.exe"),))
    assert asked(go) == {("golang", "stdlib", "1.22", "windows")}
    assert asked(Package("stdlib", "1.22", "golang", "go", metadata={"GOOS": "darwin"})) == {
        ("golang", "stdlib", "1.22", "darwin")
    }
    assert asked(Package("ring", "0.1", "cargo", "cargo")) == {("cargo", "ring", "0.1", "linux")}


# Matching by CPE

Statement = tuple[str, Affected]


class Feeds:
    """Feeds made of (feed, advisory) pairs, as the store answers."""

    def __init__(self, *advisories: Advisory) -> None:
        self.advisories = dict(enumerate(advisories))
        self.covered = frozenset(each.ecosystem for one in advisories for each in one.affected)

    def lookup(self, keys: Any) -> list[Candidate]:
        wanted = set(keys)
        return [
            Candidate(
                row, one.feed, each.ecosystem, each.package, each.scheme, each.statement.value,
                pack_ranges(each.ranges), "\n".join(each.versions), each.severity or one.severity, each.module,
                ",".join(each.arches),
            )
            for row, one in self.advisories.items()
            for each in one.affected
            if (each.ecosystem, each.package) in wanted
        ]  # fmt: skip

    def details(self, rows: Any) -> dict[int, Advisory]:
        return {row: self.advisories[row] for row in rows}

    def found(self, *packages: Package) -> tuple[Match, ...]:
        return match(packages, None, self.lookup, self.details, self.covered).matches


def nvd(product: str, *ranges: Range, cve: str = "CVE-2024-0001", **more: Any) -> Advisory:
    return Advisory(cve, "nvd", affected=(Affected("nvd", product, "cpe", ranges=ranges, **more),))


OPENSSH = program("openssh", "9.2p1", ("openbsd:openssh", "9.2:p1"))


@pytest.mark.parametrize(
    ("ranges", "versions", "held"),
    [
        ((Range(fixed="9.3"),), (), True),
        ((Range(fixed="9.2"),), (), False),
        ((Range(fixed="9.2p2"),), (), True),
        ((Range(last_affected="9.2:p1"),), (), True),
        ((Range("9.2:p2", fixed="9.4"),), (), False),
        ((), ("9.2",), True),
        ((), ("9.2:-",), False),
        ((), ("9.2:p1",), True),
        ((), ("9.2:p2", "9.1:p1"), False),
        ((), (), True),
    ],
)
def test_versions_and_updates(ranges: tuple[Range, ...], versions: tuple[str, ...], held: bool) -> None:
    found = Feeds(nvd("openbsd:openssh", *ranges, versions=versions)).found(OPENSSH)
    assert bool(found) is held
    if found:
        assert found[0].verdict is MatchVerdict.AFFECTED
        assert "by its CPE openbsd:openssh" in found[0].why
        assert ("low confidence" in found[0].why) is (not ranges and not versions)


def test_a_version_without_an_update_is_the_one_that_has_none() -> None:
    plain = program("openssh", "9.2", ("openbsd:openssh", "9.2"))
    assert Feeds(nvd("openbsd:openssh", versions=("9.2:-",))).found(plain)
    assert Feeds(nvd("openbsd:openssh", versions=("9.2",))).found(plain)
    assert not Feeds(nvd("openbsd:openssh", versions=("9.2:p1",))).found(plain)


def test_vendor_product_and_target_must_all_fit() -> None:
    node = program("node", "18.1.0", ("nodejs:node.js", "18.1.0"))
    assert Feeds(nvd("nodejs:node.js", Range(fixed="18.2"))).found(node)
    assert not Feeds(nvd("another:node.js", Range(fixed="18.2"))).found(node)
    assert not Feeds(nvd("nodejs:node.js", Range(fixed="18.2"), arches=("windows",))).found(node)
    assert not Feeds(nvd("nodejs:node.js", Range(fixed="18.2"), arches=("wordpress",))).found(node)


def test_openssls_letters_are_in_order() -> None:
    openssl = program("openssl", "1.0.2k", ("openssl:openssl", "1.0.2k"))
    assert Feeds(nvd("openssl:openssl", Range("1.0.2", fixed="1.0.2zf"))).found(openssl)
    assert not Feeds(nvd("openssl:openssl", Range("1.0.2l", fixed="1.0.2zf"))).found(openssl)


# Coverage


def problems(packages: list[Package], feeds: Feeds, *covered: str) -> list[tuple[str, bool, str]]:
    found = match(packages, None, feeds.lookup, feeds.details, feeds.covered | frozenset(covered)).problems
    return [(each.message, each.incomplete, each.hint.partition(";")[0]) for each in found]


def test_a_program_without_data_is_told_with_the_feed_that_has_it() -> None:
    assert problems([OPENSSH, program("tini", "0.19")], Feeds(), "debian:12") == [
        ("no feed covers bitnami: 1 package was not checked for vulnerabilities", True, "anchore feeds sync bitnami"),
        (
            "no feed covers programs that are known by their CPE alone: 1 package was not checked for vulnerabilities",
            True,
            "anchore feeds sync nvd",
        ),
    ]


def test_a_program_that_nobody_speaks_of_is_a_remark() -> None:
    (found,) = problems([OPENSSH, program("tini", "0.19")], Feeds(nvd("a:b")), "bitnami")
    assert found == (
        "no feed speaks of tini: not checked for vulnerabilities",
        False,
        "anchore feeds status lists what is covered",
    )


def test_a_program_that_bitnami_knows_needs_no_cpe() -> None:
    bitnami = Advisory(
        "BIT-tini-1", "bitnami", affected=(Affected("bitnami", "tini", "fuzzy", ranges=(Range(fixed="0.1"),)),)
    )
    assert problems([program("tini", "0.19")], Feeds(bitnami)) == []


def test_programs_of_a_covered_distributions_packages_are_its_feeds() -> None:
    owned = program("openssh", "9.2p1", ("openbsd:openssh", "9.2:p1"), owner="pkg:deb/debian/openssh@1:9.2p1-2")
    feeds = Feeds(nvd("openbsd:openssh", Range(fixed="9.3")))
    found = match([owned], Distro("debian", "12"), feeds.lookup, feeds.details, feeds.covered | {"debian:12"})
    assert [each.suppressed for each in found.matches] == [
        "owned by pkg:deb/debian/openssh@1:9.2p1-2: the distribution's feed decides"
    ]
    assert not found.problems

"""What an image asks the feeds: the names that matching and enrichment look up, whatever the feeds cover."""

from __future__ import annotations

from collections.abc import Sequence

from anchorecli.matching import match
from anchorecli.model import Candidate, Distro, Package
from anchorecli.scan.asked import Pair, asked, vulnerabilities
from tests.scan.deciding import DEBIAN, analysis, deb

JINJA = Package("Jinja2", "3.1.2", "pypi", "pep440")
LEFT_PAD = Package("left-pad", "1.0.0", "npm", "npm")


class Nothing:
    """Feeds that know nothing, and note what they are asked."""

    def __init__(self, seen: set[Pair]) -> None:
        self.seen = seen

    def __call__(self, keys: Sequence[Pair]) -> list[Candidate]:
        self.seen.update(keys)
        return []


def test_names_of_packages_their_sources_and_registries() -> None:
    found = asked(analysis(deb("libssl3", "1", "openssl"), deb("bash", "1"), JINJA, LEFT_PAD))
    assert {("debian:12", "openssl"), ("debian:12", "bash"), ("pypi", "jinja2"), ("npm", "left-pad")} <= found
    assert ("npm-registry", "left-pad") in found
    assert ("end-of-life", "debian:12") in found
    assert not {name for _, name in found} & {"libssl3", "Jinja2"}


def test_every_namespace_that_may_be_asked_is() -> None:
    mint = Distro("linuxmint", "21", base_codename="jammy", like=("ubuntu", "debian"))
    found = asked(analysis(deb("bash", "1esm1"), distro=mint))
    assert {space for space, name in found if name == "bash"} == {"linuxmint:21", "ubuntu:22.04", "ubuntu:22.04+esm"}
    assert asked(analysis(deb("bash", "1"), distro=None)) == set()
    assert ("pypi", "jinja2") in asked(analysis(JINJA, distro=None))


def test_whatever_matching_asks_is_among_them() -> None:
    image = analysis(deb("libssl3", "1", "openssl"), JINJA, LEFT_PAD, distro=DEBIAN)
    for covered in (set(), {"debian:12"}, {"debian:12", "pypi"}, {"pypi", "npm"}):
        looked_up: set[Pair] = set()
        match(image.packages, image.distro, Nothing(looked_up), lambda _: {}, frozenset(covered))
        assert looked_up
        assert looked_up <= asked(image), covered


def test_matches_are_known_by_their_cves() -> None:
    assert vulnerabilities(()) == set()

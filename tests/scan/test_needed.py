"""Which feeds an image or a bundle needs."""

from __future__ import annotations

import pytest

from anchorecli.feeds import find
from anchorecli.model import Distro, Package
from anchorecli.policy.bundle import default_bundle
from anchorecli.scan.needed import BESIDE, feeds_for_bundle, feeds_for_image, looked_at
from tests.scan.deciding import DEBIAN, analysis, bundle, deb

JINJA = Package("jinja2", "3.1.2", "pypi", "pep440")
MUSL = Package("musl", "1.2", "apk", "apk")
EPEL = Package("nginx", "1-1.el9", "rpm", "rpm", purl="pkg:rpm/redhat/nginx@1-1.el9", vendor="Fedora Project")
NOBODYS = Package("x", "1", "nobodys", "fuzzy")


@pytest.mark.parametrize(
    ("distro", "packages", "needed"),
    [
        (DEBIAN, [deb("bash", "1")], {"debian"}),
        (DEBIAN, [deb("bash", "1"), JINJA, NOBODYS], {"debian", "ghsa"}),
        (DEBIAN, [JINJA], {"ghsa"}),
        (Distro("alpine", "3.20"), [MUSL], {"alpine"}),
        (Distro("rocky", "9"), [Package("bash", "1", "rpm", "rpm")], {"osv:Rocky Linux", "redhat"}),
        (Distro("rhel", "9"), [Package("bash", "1", "rpm", "rpm")], {"redhat"}),
        (
            Distro("rhel", "9"),
            [Package("bash", "1-1.el9", "rpm", "rpm", vendor="Red Hat, Inc."), EPEL],
            {"redhat", "fedora"},
        ),
        (Distro("linuxmint", "21", base_codename="jammy", like=("ubuntu", "debian")), [deb("bash", "1")], {"ubuntu"}),
        (None, [deb("bash", "1")], set()),
        (Distro("nobodys", "1"), [deb("bash", "1")], set()),
    ],
)
def test_an_image_needs_the_feeds_of_its_distribution_and_languages(
    distro: Distro | None, packages: list[Package], needed: set[str]
) -> None:
    found = feeds_for_image(analysis(*packages, distro=distro))
    assert found == needed
    assert {find(name).name for name in found} == needed


NODE = Package("node", "20.1.0", "generic", "fuzzy", cpes=("cpe:2.3:a:nodejs:node.js:20.1.0:*:*:*:*:*:*:*",))
REDIS = Package("redis", "7.2.4-1", "bitnami", "fuzzy")
STDLIB = Package("stdlib", "1.22.1", "golang", "go")
OWNED = Package("jinja2", "3.1.2", "pypi", "pep440", owner="pkg:deb/debian/python3-jinja2@3.1.2-1")


@pytest.mark.parametrize(
    ("packages", "held", "needed"),
    [
        ([NODE], set(), {"nvd"}),
        ([NODE], {"bitnami"}, {"bitnami"}),
        ([NODE], {"nvd", "debian"}, {"nvd"}),
        ([REDIS], set(), {"bitnami"}),
        ([STDLIB], set(), {"govulndb"}),
        ([STDLIB, Package("golang.org/x/net", "0.17.0", "golang", "go")], set(), {"govulndb", "ghsa"}),
        ([deb("bash", "1"), OWNED], set(), {"debian"}),
        ([OWNED], set(), {"ghsa"}),
    ],
)
def test_programs_need_a_feed_that_knows_them_by_name(
    packages: list[Package], held: set[str], needed: set[str]
) -> None:
    found = feeds_for_image(analysis(*packages, distro=DEBIAN), frozenset(held))
    assert found == needed
    assert {find(name).name for name in found} == needed


RULES = """
id: b
version: "1_0"
policies:
  - id: p
    version: "1_0"
    rules:
      - {gate: vulnerabilities, trigger: package, action: stop, params: {package_type: all, kev: true}}
      - {gate: vulnerabilities, trigger: package, action: stop, params: {package_type: all, epss_score: "0.5"}}
mappings: []
"""

REGISTRY = """
id: b
version: "1_0"
policies:
  - {id: p, version: "1_0", rules: [{gate: npms, trigger: newer_version_in_feed, action: stop, params: {}}]}
mappings: []
"""


def test_a_bundle_needs_the_feeds_its_rules_look_at() -> None:
    assert feeds_for_bundle(bundle(RULES)) == {"kev", "epss"}
    assert feeds_for_bundle(default_bundle()) == set()
    assert looked_at(bundle(REGISTRY)) == {"npm-registry"}
    assert looked_at(bundle(REGISTRY)) | looked_at(bundle(RULES)) < BESIDE

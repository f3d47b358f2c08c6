"""For what an exception holds: vulnerabilities by any name, and scopes that leave out what is not known."""

from __future__ import annotations

import dataclasses

import pytest

from anchorecli.model import DiffId, Digest, FixState, ImageRef, Layer, Status
from anchorecli.policy.base import Fire
from anchorecli.policy.bundle import parse_bundle
from anchorecli.policy.evaluate import evaluate
from anchorecli.policy.judging.allowing import Allowing

from .evidence import evidence, match, package, rule_line
from .test_evaluate import with_allowlist

BASE, TOP = DiffId("sha256:" + "a" * 64), DiffId("sha256:" + "b" * 64)
LAYERS = (Layer(BASE, Digest("sha256:" + "c" * 64)), Layer(TOP))
OPENSSL = package("libssl3", "3.0.1", "deb", "var/lib/dpkg/status", source="openssl", layer=BASE)
LODASH = package("lodash", "4.1.0", "npm", "srv/app/node_modules/lodash/package.json", layer=TOP)
SCOPED = package(
    "@types/node", "1.0.0", "npm", "opt/x/node_modules/@types/node/package.json", purl="pkg:npm/%40types/node@1.0.0"
)


def allowed(item: str, *matches, **fields) -> list[bool]:
    """Whether each finding is let through."""
    given = evidence([each.package for each in matches], matches, layers=LAYERS, **fields)
    return [bool(finding.allowed_by) for finding in evaluate(parse_bundle(with_allowlist(item)), given).findings]


ON_OPENSSL = match("CVE-1", OPENSSL, aliases=("GHSA-1", "DSA-1"), advisory="DEBIAN-CVE-1")
ON_LODASH = match("CVE-1", LODASH, fixed_in=(), fix_state=FixState.UNKNOWN)
OTHER = match("CVE-2", LODASH)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("{vulnerability: CVE-1}", [True, True, False]),
        ("{vulnerability: GHSA-1}", [True, True, False]),
        ("{vulnerability: DEBIAN-CVE-1, package: openssl}", [True, False, False]),
        ('{vulnerability: "CVE-*"}', [True, True, True]),
        ('{vulnerability: "regexp:CVE-[2-9]"}', [False, False, True]),
        ("{vulnerability: cve-1}", [False, False, False]),
        ("{vulnerability: CVE-1, package: libssl3}", [True, False, False]),
        ("{vulnerability: CVE-1, package: openssl}", [True, False, False]),
        ('{vulnerability: CVE-1, package: "lod*"}', [False, True, False]),
        ("{vulnerability: CVE-1, package: ssl}", [False, False, False]),
        ('{gate: vulnerabilities, trigger_id: "CVE-1+*", package: openssl}', [True, False, False]),
        ("{gate: vulnerabilities, purl: pkg:npm/lodash}", [False, True, True]),
        ("{gate: vulnerabilities, purl: pkg:npm/lodash@4.1.0}", [False, True, True]),
        ("{gate: vulnerabilities, purl: pkg:npm/lodash@4.1.1}", [False, False, False]),
        ("{gate: vulnerabilities, purl: pkg:npm/lod}", [False, False, False]),
        ('{gate: vulnerabilities, purl: "pkg:npm/*"}', [False, True, True]),
        ("{gate: vulnerabilities, path: /srv/app/*}", [False, True, True]),
        ("{gate: vulnerabilities, path: srv/app/*}", [False, True, True]),
        ('{gate: vulnerabilities, path: "*/lodash/*"}', [False, True, True]),
        ("{gate: vulnerabilities, path: /opt/*}", [False, False, False]),
        (f"{{gate: vulnerabilities, layer: {'a' * 8}}}", [True, False, False]),
        (f"{{gate: vulnerabilities, layer: 'sha256:{'c' * 12}'}}", [True, False, False]),
        (f"{{gate: vulnerabilities, layer: {'b' * 64}}}", [False, True, True]),
        (f"{{gate: vulnerabilities, layer: {'d' * 6}}}", [False, False, False]),
        ("{gate: vulnerabilities, while_no_fix: true}", [False, True, False]),
        ("{vulnerability: CVE-2, while_no_fix: true}", [False, False, False]),
        ("{vulnerability: CVE-1, package: openssl, while_no_fix: true}", [False, False, False]),
        ("{vulnerability: CVE-1, image: docker.io/debian:12}", [True, True, False]),
        ('{vulnerability: CVE-1, image: "docker.io/*"}', [True, True, False]),
        ('{vulnerability: CVE-1, image: "*:1*"}', [True, True, False]),
        ("{vulnerability: CVE-1, image: docker.io/debian}", [False, False, False]),
        ('{vulnerability: CVE-1, image: "quay.io/*"}', [False, False, False]),
    ],
)
def test_what_an_item_holds_for(item, expected):
    assert allowed(item, ON_OPENSSL, ON_LODASH, OTHER) == expected


def test_the_scope_of_npm_may_be_written_either_way():
    for purl in ('"pkg:npm/@types/node"', "pkg:npm/%40types/node", "pkg:npm/%40types/node@1.0.0"):
        assert allowed(f"{{gate: vulnerabilities, purl: {purl}}}", match("CVE-1", SCOPED)) == [True]


def test_qualifiers_count_only_where_they_are_written():
    deb = package("x", "1", purl="pkg:deb/debian/x@1?arch=amd64&distro=debian-12")
    for purl, expected in (
        ("pkg:deb/debian/x", True),
        ("pkg:deb/debian/x@1", True),
        ("pkg:deb/debian/x@1?arch=amd64&distro=debian-12", True),
        ("pkg:deb/debian/x@1?arch=arm64", False),
    ):
        assert allowed(f'{{gate: vulnerabilities, purl: "{purl}"}}', match("CVE-1", deb)) == [expected]


@pytest.mark.parametrize(
    ("base", "expected"),
    [(frozenset({BASE}), [True, False]), (frozenset(), [False, False]), (None, [False, False])],
)
def test_the_base_image_alone(base, expected):
    item = "{gate: vulnerabilities, base_only: true}"
    assert allowed(item, ON_OPENSSL, OTHER, base=base) == expected


def test_one_finding_of_two_packages_is_in_scope_only_with_both():
    twice = [
        match("CVE-1", dataclasses.replace(OPENSSL, arch=arch, layer=layer))
        for arch, layer in (("a", BASE), ("b", TOP))
    ]
    assert allowed("{gate: vulnerabilities, layer: aaaaaa}", *twice) == [False]
    assert allowed("{gate: vulnerabilities, layer: aaaaaa}", twice[0]) == [True]
    assert allowed("{vulnerability: CVE-1, package: openssl}", *twice) == [True]


def test_what_a_trigger_does_not_say_is_not_in_scope():
    text = with_allowlist("{gate: always, path: /opt/*}", rules=(rule_line("always", "always"),))
    assert evaluate(parse_bundle(text), evidence()).status is Status.FAIL


@pytest.mark.parametrize(
    ("fire", "scope", "expected"),
    [
        (Fire("m", path="opt/x/run"), {"path": "/opt/*"}, True),
        (Fire("m", path="/opt/x/run"), {"path": "/opt/*"}, True),
        (Fire("m", path="usr/run"), {"path": "/opt/*"}, False),
        (Fire("m", purl=LODASH.purl), {"purl": "pkg:npm/lodash"}, True),
        (Fire("m", purl=LODASH.purl), {"package": "lodash"}, True),
        (Fire("m", purl=LODASH.purl), {"layer": "bbbbbb"}, True),
        (Fire("m", purl="pkg:npm/gone@1"), {"purl": "pkg:npm/gone"}, True),
        (Fire("m", purl="pkg:npm/gone@1"), {"layer": "bbbbbb"}, False),
    ],
)
def test_findings_of_other_gates_say_what_they_are_about(fire, scope, expected):
    given = evidence([LODASH], layers=LAYERS)
    (allowlist,) = parse_bundle(with_allowlist("{gate: files, trigger_id: '*'}")).allowlists
    items = [dataclasses.replace(allowlist.items[0], **scope)]
    entry = Allowing([("w", items)], given, lambda item, error: None).judge("files", fire, "id")
    assert bool(entry) is expected


def test_the_first_item_in_force_lets_a_finding_through():
    text = with_allowlist(
        "{id: late, vulnerability: CVE-1, expires: 2025-06-01}",
        "{id: narrow, vulnerability: CVE-1, package: lodash}",
        '{id: first, gate: vulnerabilities, trigger_id: "*+libssl3"}',
        "{id: second, vulnerability: CVE-1}",
    )
    (finding,) = evaluate(parse_bundle(text), evidence([OPENSSL], [ON_OPENSSL])).findings
    assert (finding.allowed_by, finding.allowlist) == ("first", "w")


def test_an_image_without_a_name_is_meant_by_a_star_alone():
    archive = ImageRef("docker-archive", "a.tar", path="a.tar")
    assert allowed('{vulnerability: CVE-1, image: "*"}', ON_OPENSSL, reference=archive) == [True]
    assert allowed('{vulnerability: CVE-1, image: "docker.io/*"}', ON_OPENSSL, reference=archive) == [False]

"""How exceptions are written: keys, dates, scopes, and what is refused."""

from __future__ import annotations

import json

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import Allow
from anchorecli.policy.bundle import parse_bundle
from anchorecli.policy.language.allowlists import allow_document
from anchorecli.policy.language.canonical import canonical

from .test_evaluate import with_allowlist


def read(item: str) -> Allow:
    (allowlist,) = parse_bundle(with_allowlist(item), "b").allowlists
    (found,) = allowlist.items
    return found


def test_everything_an_item_may_say():
    item = read(
        "{id: i, vulnerability: CVE-1, package: openssl, purl: 'pkg:deb/*', path: /opt/*, layer: 'sha256:ABCDEF01', "
        "image: 'docker.io/*', base_only: true, while_no_fix: true, owner: jo, reason: why, ticket: T-1, "
        "created: 2025-01-01, expires: 2025-02-01T00:00:00Z, comment: c}"
    )
    assert item == Allow(
        id="i",
        gate="vulnerabilities",
        trigger_id="",
        expires_on="2025-02-01T00:00:00Z",
        comment="c",
        line=item.line,
        vulnerability="CVE-1",
        package="openssl",
        purl="pkg:deb/*",
        path="/opt/*",
        layer="sha256:abcdef01",
        image="docker.io/*",
        base_only=True,
        while_no_fix=True,
        owner="jo",
        reason="why",
        ticket="T-1",
        created="2025-01-01",
    )


def test_an_item_of_the_original_has_nothing_of_ours():
    item = read(
        '{id: i, gate: Vulnerabilities, trigger_id: "CVE-1+*", expires_on: "2030-01-01T00:00:00Z", created_at: 17}'
    )
    assert item == Allow("i", "vulnerabilities", "CVE-1+*", "2030-01-01T00:00:00Z", line=item.line)
    assert allow_document(item) == {
        "id": "i",
        "gate": "vulnerabilities",
        "trigger_id": "CVE-1+*",
        "expires_on": "2030-01-01T00:00:00Z",
    }


@pytest.mark.parametrize("scope", ["path: /opt/*", "package: x", "purl: pkg:npm/x", "layer: abcdef", "base_only: true"])
def test_a_scope_alone_means_every_finding_of_the_gate(scope):
    assert read(f"{{gate: packages, {scope}}}").trigger_id == "*"


@pytest.mark.parametrize(
    ("item", "fault"),
    [
        ("{gate: files}", 'the whitelist item has no "trigger_id"'),
        ("{gate: files, image: x}", 'the whitelist item has no "trigger_id"'),
        ("{trigger_id: x}", 'the whitelist item has no "gate"'),
        ("{gate: file, trigger_id: x}", 'unknown gate "file"; did you mean "files"?'),
        ("{gate: files, vulnerability: CVE-1}", '"vulnerability" is for gate vulnerabilities, not "files"'),
        ("{vulnerability: CVE-1, trigger_id: x}", 'both "vulnerability" and "trigger_id"'),
        ('{vulnerability: "regexp:("}', '"vulnerability" is not usable as a regular expression'),
        ('{gate: files, trigger_id: x, path: "regexp:("}', '"path" is not usable as a regular expression'),
        ('{gate: files, trigger_id: x, image: "regexp:("}', '"image" is not usable as a regular expression'),
        ("{gate: files, trigger_id: x, while_no_fix: true}", '"while_no_fix" has no meaning in gate files'),
        ("{vulnerability: CVE-1, while_no_fix: perhaps}", '"while_no_fix" must be true or false, not "perhaps"'),
        ("{gate: files, trigger_id: x, layer: abc}", 'at least its first 6 digits, not "abc"'),
        ("{gate: files, trigger_id: x, layer: sha256:xyzxyz}", '"layer" must be a diff_id or digest'),
        ("{gate: files, trigger_id: x, expires: soon}", "expires must be a time such as 2030-01-31 or"),
        ("{gate: files, trigger_id: x, created: then}", "created must be a time such as"),
        (
            "{gate: files, trigger_id: x, expires: 2030-01-01, expires_on: 2030-01-01}",
            'both "expires" and "expires_on"',
        ),
        ("{gate: files, trigger_id: x, reason: [a]}", '"reason" must be a text, not a list'),
        ("{gate: files, trigger_id: x, expire: 2030-01-01}", 'unknown key "expire"'),
    ],
)
def test_what_is_refused(item, fault):
    with pytest.raises(BundleError) as caught:
        read(item)
    assert fault in caught.value.message
    assert caught.value.line == 9


def test_who_why_and_scope_survive_the_canonical_form_and_enter_the_digest():
    text = with_allowlist("{vulnerability: CVE-1, package: x, reason: why, expires: 2030-01-01, while_no_fix: true}")
    bundle = parse_bundle(text)
    again = parse_bundle(json.dumps(canonical(bundle)))
    assert again.digest == bundle.digest
    assert allow_document(again.allowlists[0].items[0]) == allow_document(bundle.allowlists[0].items[0])
    for change in (("why", "other"), ("2030-01-01", "2030-01-02"), ("package: x", "package: y")):
        assert parse_bundle(text.replace(*change)).digest != bundle.digest

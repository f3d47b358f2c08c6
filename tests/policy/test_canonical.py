"""The canonical form: the same bundle again, whatever it was written as."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import Severity
from anchorecli.policy.bundle import default_bundle, fail_on_bundle, parse_bundle
from anchorecli.policy.language.canonical import canonical
from anchorecli.policy.values import Bundle

from .test_bundle import ENTERPRISE, GOOD

FULL = """\
id: b
name: B
version: "1_0"
comment: what for
compat: anchore-engine
evidence: {on_incomplete: warn, max_feed_age_days: 3}
policies:
- id: p
  name: P
  description: the policy
  rules:
  - {gate: dockerfile, trigger: exposed_ports, action: warn, name: no ssh, description: why, recommendation: close it,
     params: {type: denylist, ports: [22, 23]}}
  - {id: own, gate: pkgdiff, trigger: x, action: go, params: [{name: Any, value: 1}]}
whitelists:
- {id: w, name: W, comment: exceptions, items: [{gate: packages, trigger_id: "x*", comment: é, expires_on: 2030-01-01}]}
mappings:
- {registry: quay.io, repository: "*", image: {type: digest, value: "sha256:1"}, policy_ids: [p], comment: rare}
- {id: all, registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_id: p, whitelist_ids: [w]}
whitelisted_images: [{registry: a, repository: b, image: {type: id, value: c}, name: n}]
blacklisted_images: [{registry: a, repository: b, image: {type: tag, value: "regexp:^1"}}]
"""


def without_lines(bundle: Bundle) -> Bundle:
    """The bundle as if it had been written nowhere."""

    def bare(value: Any) -> Any:
        return value._replace(line=0)

    return bundle._replace(
        path="",
        warnings=(),
        policies=tuple(bare(p)._replace(rules=tuple(replace(r, line=0) for r in p.rules)) for p in bundle.policies),
        allowlists=tuple(bare(w)._replace(items=tuple(replace(i, line=0) for i in w.items)) for w in bundle.allowlists),
        mappings=tuple(m._replace(image=bare(m.image)) for m in bundle.mappings),
        allowed_images=tuple(map(bare, bundle.allowed_images)),
        denied_images=tuple(map(bare, bundle.denied_images)),
    )


@pytest.mark.parametrize(
    "bundle",
    [
        parse_bundle(GOOD),
        parse_bundle(FULL),
        parse_bundle(json.dumps(ENTERPRISE)),
        default_bundle(),
        fail_on_bundle(Severity.HIGH),
    ],
    ids=["good", "full", "enterprise", "default", "fail-on"],
)
def test_the_form_reads_as_the_bundle_it_came_from(bundle: Bundle):
    form = canonical(bundle)
    again = parse_bundle(json.dumps(form))
    assert without_lines(again) == without_lines(bundle)
    assert again.digest == bundle.digest
    assert canonical(again) == form


def test_what_it_looks_like():
    form = canonical(parse_bundle(FULL))
    assert form["version"] == "1_0"
    assert form["compat"] == "anchore-engine"
    assert form["policies"][0]["rules"][0] == {
        "id": "p:1",
        "name": "no ssh",
        "description": "why",
        "recommendation": "close it",
        "gate": "dockerfile",
        "trigger": "exposed_ports",
        "action": "WARN",
        "params": [{"name": "ports", "value": "22,23"}, {"name": "type", "value": "blacklist"}],
    }
    assert form["mappings"][1]["policy_ids"] == ["p"]
    assert form["whitelists"][0]["items"][0]["comment"] == "é"


@pytest.mark.parametrize(
    "text", ["comment: what for\n", "description: the policy", ", name: no ssh", ", comment: rare"]
)
def test_what_is_written_for_people_is_kept_and_does_not_enter_the_digest(text: str):
    assert text in FULL
    assert parse_bundle(FULL.replace(text, "")).digest == parse_bundle(FULL).digest
    assert canonical(parse_bundle(FULL.replace(text, ""))) != canonical(parse_bundle(FULL))


def test_compat_is_part_of_the_meaning():
    plain = FULL.replace("compat: anchore-engine\n", "")
    assert (parse_bundle(FULL).compat, parse_bundle(plain).compat) == (True, False)
    assert parse_bundle(plain).digest != parse_bundle(FULL).digest
    with pytest.raises(BundleError, match=r'^b:5: unknown value of compat "anchor"; did you mean "anchore-engine"'):
        parse_bundle(FULL.replace("compat: anchore-engine", "compat: anchor"), "b")

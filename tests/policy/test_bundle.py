"""Reading bundles: both parameter forms, both spellings, and every fault with its line."""

from __future__ import annotations

import json

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import Action
from anchorecli.policy.bundle import load_bundle, parse_bundle

GOOD = """\
id: b
name: B
version: "1_0"
policies:
  - id: p
    version: "1_0"
    rules:
      - id: r
        gate: vulnerabilities
        trigger: package
        action: STOP
        params:
          package_type: all
          severity: high
whitelists:
  - id: w
    version: "1_0"
    items:
      - {id: i, gate: vulnerabilities, trigger_id: "CVE-1+*", expires_on: 2030-01-01T00:00:00Z, comment: why}
mappings:
  - id: m
    name: all
    registry: "*"
    repository: "*"
    image: {type: tag, value: "*"}
    policy_ids: [p]
    whitelist_ids: [w]
"""


def faults(text: str) -> list[str]:
    with pytest.raises(BundleError) as caught:
        parse_bundle(text, "b.yaml")
    assert caught.value.exit_code == 2
    assert "Nothing was evaluated" in caught.value.hint
    return str(caught.value).splitlines()


def test_a_good_bundle():
    bundle = parse_bundle(GOOD, "b.yaml")
    (policy,) = bundle.policies
    (rule,) = policy.rules
    assert (rule.id, rule.gate, rule.trigger, rule.action, rule.line) == (
        "r",
        "vulnerabilities",
        "package",
        Action.STOP,
        8,
    )
    assert rule.params == {"package_type": "all", "severity": "high"}
    (item,) = bundle.allowlists[0].items
    assert (item.id, item.trigger_id, item.expires_on, item.comment, item.line) == (
        "i",
        "CVE-1+*",
        "2030-01-01T00:00:00Z",
        "why",
        19,
    )
    assert bundle.mappings[0].policy_ids == ("p",)
    assert (bundle.path, bundle.warnings, bundle.evidence.on_incomplete) == ("b.yaml", (), "indeterminate")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "trigger: package",
            "trigger: pakage",
            '10: unknown trigger "pakage" in gate vulnerabilities; did you mean "package"?',
        ),
        (
            "gate: vulnerabilities\n",
            "gate: vulnerabilites\n",
            '9: unknown gate "vulnerabilites"; did you mean "vulnerabilities"?',
        ),
        (
            "severity: high",
            "severty: high",
            '14: unknown parameter "severty" of vulnerabilities.package; did you mean "severity"?',
        ),
        (
            "severity: high",
            "severity: High",
            '14: parameter "severity" must be one of unknown negligible low medium high critical, not "High"',
        ),
        ("severity: high", "fix_available: maybe", '14: parameter "fix_available" must be true or false, not "maybe"'),
        ("severity: high", "cvss_v3_base_score: 7,5", '14: parameter "cvss_v3_base_score" must be a number, not "7,5"'),
        (
            "severity: high",
            "max_days_since_fix: -1",
            '14: parameter "max_days_since_fix" must be a whole number, not "-1"',
        ),
        ("severity: high", "max_days_since_fix:", '14: parameter "max_days_since_fix" must be a value, not empty'),
        ("severity: high", "severity: [high]", '14: parameter "severity" must be a value, not a list'),
        ("severity: high", "severity: {a: b}", '14: parameter "severity" must be a value, not a mapping'),
        ("severity: high", "Severity: high\n          severity: low", '15: parameter "severity" is given twice'),
        (
            "severity: high",
            'package_path_exclude: "("',
            '14: parameter "package_path_exclude" is not usable as a regular expression: '
            'missing ), unterminated subpattern at position 0, not "("',
        ),
        (
            "package_type: all\n",
            "\n",
            '8: vulnerabilities.package needs the parameter "package_type", for example package_type: all',
        ),
        ("action: STOP", "action: HALT", '11: unknown action "HALT"; there is go, stop, warn'),
        ("action: STOP", "action: stpo", '11: unknown action "stpo"; did you mean "stop"?'),
        ("        action: STOP\n", "", '8: the rule has no "action"'),
        ("action: STOP", "action: [STOP]", '11: "action" must be a text, not a list'),
        ("action: STOP", "actoin: STOP", '11: unknown key "actoin" in the rule; did you mean "action"?'),
        (
            'version: "1_0"\npol',
            'version: "3"\npol',
            '3: version "3" of the bundle is not supported; there is "1_0" and "2"',
        ),
        ('    version: "1_0"\n    rules', "    version: 7\n    rules", '6: version "7" of the policy is not supported'),
        ('version: "1_0"\npol', "pol", '1: the bundle has no "version"'),
        ("id: b\n", "", '1: the bundle has no "id"'),
        ("id: b\n", "id:\n", '1: "id" is empty in the bundle'),
        ("policies:", "polices:", '4: unknown key "polices" in the bundle; did you mean "policies"?'),
        ("policy_ids: [p]", "policy_ids: [q]", '26: unknown policy id "q" in the mapping; there is p'),
        ("whitelist_ids: [w]", "whitelist_ids: [white]", '27: unknown whitelist id "white" in the mapping; there is w'),
        (
            "policy_ids: [p]",
            "policy_ids: [p]\n    policy_id: p",
            '26: the mapping has both "policy_id" and "policy_ids"; keep one',
        ),
        ("    policy_ids: [p]\n", "", '21: the mapping has no "policy_ids"'),
        ("policy_ids: [p]", "policy_ids: [[p]]", '26: "policy_ids" must hold texts, not a list'),
        ("policy_ids: [p]", "policy_ids: p", '26: "policy_ids" must be a list, not "p"'),
        (
            "whitelist_ids",
            "whitelist_id",
            '27: unknown key "whitelist_id" in the mapping; did you mean "whitelist_ids"?',
        ),
        ("type: tag", "type: tags", '25: unknown image type "tags"; did you mean "tag"?'),
        ('registry: "*"', 'registry: "regexp:["', '23: "registry" is not usable as a regular expression: unterminated'),
        ('repository: "*"\n', "\n", '21: the mapping has no "repository"'),
        (
            "image: {type: tag",
            "image: [{type: tag",
            "26: not valid YAML: while parsing a flow sequence begun in line 25, did not find",
        ),
        ('image: {type: tag, value: "*"}', "image: debian", '25: "image" must be a mapping, not "debian"'),
        (
            "2030-01-01T00:00:00Z",
            "tomorrow",
            '19: expires_on must be a time such as 2030-01-31T00:00:00Z, not "tomorrow"',
        ),
        ("- {id: i, gate: vulnerabilities", "- {id: i, gate: vulns", '19: unknown gate "vulns"'),
        ('trigger_id: "CVE-1+*"', "trigger_id: 'regexp:(a'", '19: "trigger_id" is not usable as a regular expression'),
        (
            "mappings:",
            "evidence: {on_incomplete: pass}\nmappings:",
            '20: unknown value of on_incomplete "pass"; there is',
        ),
        ("mappings:", "evidence: {max_feed_age_days: old}\nmappings:", "20: max_feed_age_days must be a whole number"),
        ("mappings:", "evidence: yes\nmappings:", '20: "evidence" must be a mapping, not "true"'),
        ("mappings:", "policies: []\nmappings:", "20: 'policies' is given twice, first in line 4"),
        ("mappings:", "rule_sets: []\nmappings:", '20: the bundle has both "rule_sets" and its other spelling'),
        (
            "mappings:",
            "whitelisted_images: [x]\nmappings:",
            '20: the entry of whitelisted_images must be a mapping, not "x"',
        ),
        ("mappings:", "blacklisted_images: 7\nmappings:", '20: "blacklisted_images" must be a list, not "7"'),
    ],
)
def test_a_fault_has_its_line_and_the_nearest_name(old, new, fault):
    assert old in GOOD
    found = faults(GOOD.replace(old, new, 1))
    assert any(line.startswith("b.yaml:" + fault) for line in found), found


def test_all_faults_at_once_in_the_order_of_the_file():
    text = GOOD.replace("pakage", "").replace("trigger: package", "trigger: pakage").replace("[w]", "[v]")
    text = text.replace("vulnerabilities, trigger_id", "x, trigger_id").replace("id: b\n", "id: b\nnmae: x\n")
    found = faults(text)
    assert [line.split(": ")[0] for line in found] == ["b.yaml:2", "b.yaml:11", "b.yaml:20", "b.yaml:28"]


def test_cases_are_told_from_a_bundle():
    with pytest.raises(BundleError) as caught:
        parse_bundle("bundle: ci.yaml\ncases: []\n", "ci.cases.yaml")
    assert str(caught.value) == "ci.cases.yaml:2: these are cases, not a bundle: `anchore policy test FILE` runs them"


def test_many_faults_are_cut():
    rules = "".join(f"    - {{gate: always, trigger: never{number}, action: go}}\n" for number in range(200))
    found = faults('id: b\nversion: "1_0"\nmappings: []\npolicies:\n- id: p\n  rules:\n' + rules)
    assert len(found) == 51
    assert found[-1] == "and 150 more"


@pytest.mark.parametrize(
    ("section", "line", "what"),
    [
        ("policies", "- {id: p, rules: []}\n- {id: p, rules: []}", 'policy id "p"'),
        (
            "policies",
            "- {id: p, rules: [{id: r, gate: always, trigger: always, action: go},\n"
            "    {id: r, gate: always, trigger: always, action: go}]}",
            'rule id "r"',
        ),
        ("whitelists", "- {id: w}\n- {id: w}", 'whitelist id "w"'),
        (
            "whitelists",
            "- {id: w, items: [{id: i, gate: always, trigger_id: x},\n    {id: i, gate: always, trigger_id: x}]}",
            'whitelist item id "i"',
        ),
        (
            "blacklisted_images",
            "- {id: x, registry: a, repository: b, image: {type: tag, value: c}}\n"
            "- {id: x, registry: a, repository: b, image: {type: tag, value: c}}",
            'blacklisted_images id "x"',
        ),
    ],
)
def test_duplicate_ids(section, line, what):
    sections = {"policies": "[]", "mappings": "[]"} | {section: f"\n{line}"}
    text = 'id: b\nversion: "1_0"\n' + "".join(f"{name}: {value}\n" for name, value in sections.items())
    (fault,) = faults(text)
    assert f"{what} is given twice, first in line" in fault


@pytest.mark.parametrize("text", ["- a\n", "text\n", "42\n", "[]", '"x"\n', "null\n"])
def test_not_a_mapping(text):
    (fault,) = faults(text)
    assert "the bundle must be a mapping" in fault


@pytest.mark.parametrize(
    "rule", ["x", "[]", "~", "{}", "{gate: 1, trigger: [], action: {}}", "{gate: always, params: 3}"]
)
def test_rules_of_wrong_types(rule):
    text = f'id: b\nversion: "1_0"\nmappings: []\npolicies: [{{id: p, rules: [{rule}]}}]\n'
    assert all(fault.startswith("b.yaml:4: ") for fault in faults(text))


@pytest.mark.parametrize(
    "params",
    [
        "[{name: ports, value: '22,80'}, {name: type, value: blacklist}]",
        "[{value: '22,80', name: PORTS}, {name: type, value: denylist}]",
        "{ports: [22, 80], type: blacklist}",
        "{ports: '22,80', type: denylist}",
        '{ports: ["22", 80], Type: blacklist}',
    ],
)
def test_parameters_in_either_form(params):
    rule = f"{{id: r, gate: DockerFile, trigger: Exposed_Ports, action: Warn, params: {params}}}"
    bundle = parse_bundle(f'id: b\nversion: "1_0"\nmappings: []\npolicies: [{{id: p, rules: [{rule}]}}]\n')
    (read,) = bundle.policies[0].rules
    assert (read.gate, read.trigger, read.action) == ("dockerfile", "exposed_ports", Action.WARN)
    assert read.params == {"ports": "22,80", "type": "blacklist"}


@pytest.mark.parametrize(
    ("params", "fault"),
    [
        ("{ports: [[22]], type: blacklist}", "must hold words without commas"),
        ('{ports: ["22,23"], type: blacklist}', "must hold words without commas"),
        ("{ports: [ssh], type: blacklist}", "must be a list of whole numbers"),
        ("{ports: [], type: blacklist}", "must be a list of whole numbers"),
        ("[{name: ports}]", 'the parameter has no "value"'),
        ("[{value: x}]", 'the parameter has no "name"'),
        ("[{name: ports, value: 22, op: x}]", 'unknown key "op" in the parameter'),
        ("[ports]", "the parameter must be a mapping"),
        ("ports", '"params" must be a mapping, or a list of name and value, not "ports"'),
        ("{type: grey, ports: 1}", "must be one of whitelist blacklist"),
    ],
)
def test_faulty_parameters(params, fault):
    rule = f"{{gate: dockerfile, trigger: exposed_ports, action: go, params: {params}}}"
    found = faults(f'id: b\nversion: "1_0"\nmappings: []\npolicies: [{{id: p, rules: [{rule}]}}]\n')
    assert fault in found[0]


def test_a_value_that_a_check_makes_a_regular_expression():
    rule = "{gate: dockerfile, trigger: instruction, action: go, params: {instruction: RUN, check: %s, value: '['}}"
    text = 'id: b\nversion: "1_0"\nmappings: []\npolicies: [{id: p, rules: [' + rule + "]}]\n"
    (fault,) = faults(text % "like")
    assert 'dockerfile.instruction: "value" is not usable as a regular expression' in fault
    assert parse_bundle(text % "'='").policies[0].rules[0].params["value"] == "["


ENTERPRISE = {
    "id": "b",
    "name": "B",
    "version": "2",
    "description": "from Enterprise",
    "last_updated": "2024-01-01T00:00:00Z",
    "rule_sets": [
        {
            "id": "p",
            "name": "",
            "version": "2",
            "artifact_type": "image",
            "rules": [
                {
                    "id": "r",
                    "gate": "packages",
                    "trigger": "denylist",
                    "action": "stop",
                    "recommendation": "remove it",
                    "params": [{"name": "name", "value": "telnet"}],
                }
            ],
        }
    ],
    "allowlists": [
        {"id": "w", "version": "2", "items": [{"id": "i", "gate": "packages", "trigger_id": "x", "description": "d"}]}
    ],
    "mappings": [
        {
            "id": "m",
            "name": "all",
            "registry": "*",
            "repository": "*",
            "image": {"type": "tag", "value": "*"},
            "rule_set_ids": ["p"],
            "allowlist_ids": ["w"],
        }
    ],
    "allowlisted_images": [],
    "denylisted_images": [{"id": "d", "registry": "x", "repository": "y", "image": {"type": "tag", "value": "z"}}],
}


def test_enterprise_spelling_means_the_same():
    text = json.dumps(ENTERPRISE)
    for new, old in (
        ("rule_sets", "policies"),
        ("allowlists", "whitelists"),
        ("rule_set_ids", "policy_ids"),
        ("allowlist_ids", "whitelist_ids"),
        ("allowlisted_images", "whitelisted_images"),
        ("denylisted_images", "blacklisted_images"),
        ("denylist", "blacklist"),
        ("description", "comment"),
        ('"2"', '"1_0"'),
    ):
        text = text.replace(new, old)
    original, enterprise = parse_bundle(text), parse_bundle(json.dumps(ENTERPRISE, indent="\t"))
    assert enterprise.digest == original.digest
    assert enterprise.policies[0].rules[0].trigger == "blacklist"
    assert enterprise.denied_images[0].id == "d"
    assert enterprise.allowlists[0].items[0].comment == "d"


def test_keys_that_anchore_writes_have_no_effect():
    stamped = ENTERPRISE | {"created_at": 1, "last_updated": 2, "last_modified": 3}
    assert parse_bundle(json.dumps(stamped)).digest == parse_bundle(json.dumps(ENTERPRISE)).digest


def test_what_is_not_for_images_is_a_remark():
    bundle = parse_bundle(json.dumps(ENTERPRISE | {"source_mappings": [{"id": "s"}]}), "b.json")
    (warning,) = bundle.warnings
    assert "source_mappings is not evaluated" in warning.message
    assert not warning.incomplete


def test_retired_gates_are_accepted_and_reported():
    rule = "{id: r, gate: %s, trigger: x, action: stop, params: {anything: 1}}"
    text = 'id: b\nversion: "1_0"\nmappings: []\npolicies:\n- id: p\n  rules:\n  - ' + rule + "\n"
    (warning,) = parse_bundle(text % "PkgDiff", "b.yaml").warnings
    assert (warning.subject, warning.hint) == ("b.yaml:7", "Nothing replaces it; remove the rule.")
    (warning,) = parse_bundle(text % "gemcheck", "").warnings
    assert (warning.subject, warning.hint) == ("bundle:7", "Use the gate ruby_gems.")


def test_gates_to_come_are_accepted_with_any_parameters():
    rule = "{id: r, gate: stig, trigger: no_stig_evaluations_available, action: stop, params: {a: [1, 2], b: true}}"
    bundle = parse_bundle(f'id: b\nversion: "1_0"\nmappings: []\npolicies: [{{id: p, rules: [{rule}]}}]\n')
    assert bundle.policies[0].rules[0].params == {"a": "1,2", "b": "true"}
    assert bundle.warnings == ()


def test_ids_not_given_are_numbered():
    text = (
        'id: b\nversion: "1_0"\npolicies: [{id: p, rules: [{gate: always, trigger: always, action: go}, '
        "{gate: always, trigger: always, action: go}]}]\nmappings: []\nwhitelists: [{id: w, items: "
        "[{gate: always, trigger_id: x}]}]\n"
    )
    bundle = parse_bundle(text)
    assert [rule.id for rule in bundle.policies[0].rules] == ["p:1", "p:2"]
    assert bundle.allowlists[0].items[0].id == "w:1"


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("id: b\n", "# a comment\nid: b\n", True),
        ("name: B\n", "name:    'B'\ndescription: more\nx-note: mine\n", True),
        ("comment: why", "comment: why not", True),
        ("STOP", "stop", True),
        (
            "          package_type: all\n          severity: high\n",
            "          severity: high\n          package_type: all\n",
            True,
        ),
        ("severity: high", "severity: low", False),
        ("STOP", "WARN", False),
        ("CVE-1+*", "CVE-2+*", False),
        ("2030-", "2031-", False),
        ('registry: "*"', "registry: quay.io", False),
        ("mappings:", "evidence: {on_incomplete: ignore}\nmappings:", False),
        ("mappings:", "evidence: {on_incomplete: indeterminate}\nmappings:", True),
    ],
)
def test_the_digest_is_of_the_meaning(old, new, same):
    assert old in GOOD
    assert (parse_bundle(GOOD).digest == parse_bundle(GOOD.replace(old, new)).digest) is same


def test_json_and_yaml_have_one_digest():
    import yaml

    document = yaml.load(GOOD, yaml.BaseLoader)
    assert parse_bundle(json.dumps(document)).digest == parse_bundle(GOOD).digest


def test_json_lines():
    text = json.dumps(ENTERPRISE, indent=2).replace('"denylist"', '"denylst"')
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "denylst" in each)
    with pytest.raises(BundleError, match=f'^b.json:{line}: unknown trigger "denylst" in gate packages; did you mean'):
        parse_bundle(text, "b.json")


def test_ten_thousand_rules():
    rules = [
        {"gate": "packages", "trigger": "blacklist", "action": "stop", "params": {"name": f"x{n}"}}
        for n in range(10_000)
    ]
    text = json.dumps({"id": "b", "version": "1_0", "mappings": [], "policies": [{"id": "p", "rules": rules}]})
    assert len(parse_bundle(text).policies[0].rules) == 10_000


def test_files(tmp_path):
    path = tmp_path / "b.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_bundle(path).digest == parse_bundle(GOOD).digest
    assert load_bundle(str(path)).path == str(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the bundle is empty"),
        (b" \n\t\n", "the bundle is empty"),
        (b"# nothing\n", "it holds only comments"),
        (b"id: b\nname: \xff\n", "2: not UTF-8 text"),
        (b"x" * ((16 << 20) + 1), "larger than 16 MiB"),
    ],
)
def test_files_that_are_no_bundles(tmp_path, content, message):
    path = tmp_path / "b.yaml"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=message) as caught:
        load_bundle(path)
    assert str(caught.value).startswith(str(path) + ":")


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(BundleError, match=r"missing\.yaml: cannot be read: No such file") as caught:
        load_bundle(tmp_path / "missing.yaml")
    assert "built-in" in caught.value.hint
    with pytest.raises(BundleError, match="cannot be read: Is a directory"):
        load_bundle(tmp_path)

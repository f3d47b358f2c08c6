"""`anchore policy …` from the outside: what it prints, and its exit codes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.world import archive, debian

HEAD = 'id: b\nversion: "1_0"\npolicies:\n- id: p\n  rules:\n'
MAPPINGS = (
    'mappings:\n- {registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_id: p, whitelist_ids: [w]}\n'
)
GOOD = HEAD + "  - {id: r, gate: always, trigger: always, action: go}\n"
DOUBTFUL = GOOD + "  - {id: s, gate: always, trigger: always, action: go}\n"


@pytest.fixture
def bundle(tmp_path: Path):
    """Writes a bundle beside the program's home."""

    def write(text: str, name: str = "b.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_init_lint_and_test(run: Run) -> None:
    done = run("policy", "init", "--preset", "cis-docker", "--with-tests", "cis.yaml")
    assert (done.code, done.out) == (0, "")
    assert "anchore: wrote cis.yaml and cis.cases.yaml" in done.err
    done = run("policy", "lint", "--strict", "cis.yaml")
    assert done.code == 0
    assert done.out.startswith("cis.yaml: 1 policy, ")
    done = run("policy", "test", "cis.cases.yaml", "--junit", "junit.xml")
    assert done.code == 0
    assert done.out.splitlines()[0] == "ok    an image that follows the benchmark"
    assert " passed, 0 failed" in done.out
    again = run("policy", "init", "cis.yaml")
    assert (again.code, "cis.yaml is there already" in again.err) == (2, True)
    assert run("policy", "init", "--overwrite", "cis.yaml").code == 0


def test_init_to_standard_output(run: Run) -> None:
    assert run("policy", "init", "-").out.startswith("# The policy of `anchore scan`")
    done = run("policy", "init", "--preset", "lax")
    assert done.code == 2
    assert "cis-docker" in done.err


def test_lint_tells_file_line_severity_and_next_step(run: Run, bundle) -> None:
    path = bundle(DOUBTFUL)
    done = run("policy", "lint", path)
    assert done.code == 0
    assert done.out.splitlines()[:2] == [
        f'{path}:7: warning: rule "s" repeats rule "r" in line 6',
        "  next: Remove one of them.",
    ]
    assert done.out.endswith("0 errors, 1 warnings\n")
    assert run("policy", "lint", "--strict", path).code == 2


def test_lint_of_several_files_goes_on_after_a_fault(run: Run, bundle) -> None:
    bad, good = bundle("id: b\nversion: 7\n", "bad.yaml"), bundle(GOOD)
    done = run("policy", "lint", bad, good, "--format", "json")
    assert done.code == 2
    assert [(Path(one["file"]).name, one["line"], one["severity"]) for one in done.json] == [
        ("bad.yaml", 1, "error"),
        ("bad.yaml", 1, "error"),
        ("bad.yaml", 2, "error"),
    ]
    done = run("policy", "lint", bad, good)
    assert 'bad.yaml:2: error: version "7" of the bundle is not supported' in done.out
    assert f"{good}: 1 policy, 1 rule, sha256:" in done.out


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join('*' + before for _ in range(10))}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BAD = {
    "empty": ("", "the bundle is empty"),
    "comments": ("# nothing\n", "it holds only comments"),
    "bomb": (BOMB, "more than 500000 values"),
    "deep": ("[" * 1000, "nested deeper than 40 levels"),
    "duplicate": (GOOD.replace("policies:", "policies:\n- {id: p, rules: []}"), 'policy id "p" is given twice'),
    "dangling": (GOOD + MAPPINGS, 'unknown whitelist id "w" in the mapping'),
    "circle": (GOOD + "include: b.yaml\n", "goes round in a circle"),
    "regex": (GOOD.replace("gate: always, trigger: always", "gate: files, trigger: name_match, params: {regex: '('}"),
              "is not usable as a regular expression"),
    "type": (GOOD.replace("action: go", "action: [go]"), '"action" must be a text, not a list'),
    "date": (GOOD + "whitelists: [{id: w, items: [{gate: always, trigger_id: x, expires_on: soon}]}]\n",
             "expires_on must be a time"),
    "binary": ("\x00\x01", "not valid YAML"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bundle_that_cannot_be_used_is_exit_2_for_every_command(run: Run, bundle, case: str) -> None:
    text, words = BAD[case]
    path = bundle(text)
    for command in (["policy", "lint"], ["policy", "digest"]):
        done = run(*command, path)
        assert done.code == 2
        assert words in done.out + done.err
        assert f"{path}:" in done.out + done.err


def test_ten_thousand_rules_are_read_and_linted(run: Run, bundle) -> None:
    rules = "".join(
        f"  - {{id: r{number}, gate: packages, trigger: blacklist, action: stop, params: {{name: p{number}}}}}\n"
        for number in range(10_000)
    )
    done = run("policy", "lint", bundle(HEAD + rules))
    assert done.code == 0
    assert "1 policy, 10,000 rules" in done.out


def test_lint_with_an_image_points_out_exceptions_for_nothing(run: Run, bundle, tmp_path: Path) -> None:
    image = archive(tmp_path / "image.tar", debian("openssl=1"))
    items = "- {id: used, gate: always, trigger_id: always}\n  - {id: unused, gate: always, trigger_id: other}\n"
    path = bundle(GOOD + f"whitelists:\n- id: w\n  items:\n  {items}" + MAPPINGS)
    assert run("policy", "lint", path).out.endswith(
        f"{path}: 1 policy, 1 rule, " + run("policy", "digest", path).out[:71] + "\n"
    )
    done = run("policy", "lint", path, "--image", image)
    assert [line for line in done.out.splitlines() if "warning" in line] == [
        f'{path}:11: warning: whitelist item "unused" lets nothing through: nothing in this image fits it',
        "0 errors, 1 warnings",
    ]
    assert "no evaluations" in run("history").err


def test_lint_with_an_image_looks_for_what_the_rules_ask(run: Run, bundle, tmp_path: Path) -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA7bq0xk3v9sYc\n" * 8 + "-----END RSA PRIVATE KEY-----\n"
    image = archive(tmp_path / "image.tar", debian("openssl=1") | {"root/.ssh/id_rsa": key})
    rule = "  - {id: r, gate: secret_scans, trigger: content_regex_checks, action: stop}\n"
    items = "whitelists:\n- id: w\n  items: [{id: known, gate: secret_scans, path: /root/.ssh/*}]\n"
    done = run("policy", "lint", bundle(HEAD + rule + items + MAPPINGS), "--image", image, "--strict")
    assert (done.code, "warning" in done.out) == (0, False), done.out


def test_show_digest_and_convert(run: Run, bundle) -> None:
    path = bundle(
        DOUBTFUL + "blacklisted_images: [{id: d, registry: '*', repository: old, image: {type: tag, value: '*'}}]\n"
    )
    digest = run("policy", "digest", path).out.split()[0]
    shown = run("policy", "show", path)
    assert digest in shown.out
    assert "  */*:*: policies p" in shown.out
    assert "  go   r: always.always  (line 6)" in shown.out
    denied = run("policy", "show", path, "--image", "quay.io/old:1").out
    assert "quay.io/old:1 is denied, whatever is in it: */old:*  (line 8)" in denied
    as_json = run("policy", "show", path, "--image", "quay.io/new:1", "--json").json
    assert (as_json["mapping"], as_json["policies"], as_json["denied_by"]) == ("every-image", ["p"], None)
    for form, version in (("yaml", "1_0"), ("json", "1_0"), ("yaml", "2"), ("json", "2")):
        assert run("policy", "convert", path, "-o", f"{form}=out.{form}", "--to", version).code == 0
        assert run("policy", "digest", f"out.{form}").out == f"{digest}  out.{form}\n"
    assert run("policy", "convert", path, "-o", "toml").code == 2


def test_show_without_a_file_is_the_policy_in_force(run: Run) -> None:
    assert run("policy", "show").out.startswith("bundle anchore-default: Default policy\n")


def test_an_image_that_no_mapping_means(run: Run, bundle) -> None:
    path = bundle(
        GOOD + "mappings: [{registry: a, repository: b, image: {type: digest, value: 'sha256:1'}, policy_id: p}]\n"
    )
    out = run("policy", "show", path, "--image", "debian:12").out
    assert "no mapping means debian:12: no rule is run, and the verdict is pass" in out
    assert "(not compared: a/b@sha256:1 asks for a digest, which a name does not tell)" in out


def test_gates_and_schema(run: Run) -> None:
    assert "vulnerabilities: Which vulnerabilities" in run("policy", "gates").out
    assert run("policy", "gates", "dockerfile", "exposed_ports").out.startswith("dockerfile.exposed_ports\n")
    assert run("policy", "gates", "packages", "--json").json["gates"][0]["name"] == "packages"
    assert run("policy", "gates", "--markdown").out.startswith("# Gates and triggers\n")
    assert run("policy", "gates", "--markdown", "--json").code == 2
    done = run("policy", "gates", "dockerfile", "ports")
    assert (done.code, "unknown trigger" in done.err, "anchore policy gates dockerfile" in done.err) == (2, True, True)
    assert json.loads(run("policy", "schema").out)["title"] == "Policy bundle"


CASES = """\
bundle: b.yaml
cases:
- {name: holds, image: {}, expect: {verdict: pass}}
- {name: fails, image: {}, expect: {verdict: fail}}
"""


def test_failing_cases_are_exit_1_with_a_diff(run: Run, bundle, tmp_path: Path) -> None:
    bundle(GOOD)
    path = bundle(CASES, "cases.yaml")
    done = run("policy", "test", path, "--junit", tmp_path / "junit.xml")
    assert done.code == 1
    assert done.out.splitlines() == [
        "ok    holds",
        f"FAIL  fails  ({path}:4)",
        "      - verdict: fail",
        "      + verdict: pass",
        "        because policy_evaluation",
        "1 passed, 1 failed",
    ]
    assert ET.parse(tmp_path / "junit.xml").getroot().get("failures") == "1"
    only = run("-q", "policy", "test", path, "-k", "HOLDS")
    assert (only.code, only.out) == (0, "1 passed, 0 failed\n")


def test_wrong_cases_are_exit_2_before_anything_runs(run: Run, bundle) -> None:
    bundle(GOOD)
    good, bad = bundle(CASES, "cases.yaml"), bundle("bundle: b.yaml\ncases: [{nmae: x}]\n", "bad.yaml")
    done = run("policy", "test", good, bad)
    assert (done.code, done.out) == (2, "")
    assert 'bad.yaml:2: unknown key "nmae" in the case; did you mean "name"?' in done.err
    assert run("policy", "test", "none.yaml").code == 2


def test_recorded_evaluations_as_cases(run: Run, bundle, tmp_path: Path) -> None:
    image = archive(tmp_path / "image.tar", debian("openssl=1"))
    path = bundle(GOOD)
    assert run("scan", image, "--policy", path, "-o", f"json={tmp_path / 'report.json'}").code in (0, 4)
    cases = (
        "bundle: b.yaml\ncases:\n"
        "- {name: report, report: report.json, expect: {findings: [{rule: r}], exact: true}}\n"
        "- {name: stored, evaluation: 1, expect: {findings: [{rule: r}], exact: true}}\n"
    )
    done = run("policy", "test", bundle(cases, "cases.yaml"))
    assert done.out == "ok    report\nok    stored\n2 passed, 0 failed\n"
    cases = "bundle: b.yaml\ncases: [{name: stored, evaluation: 9, expect: {verdict: pass}}]\n"
    done = run("policy", "test", bundle(cases, "cases.yaml"))
    assert done.code in (2, 3)
    assert "9" in done.err

"""Cases: synthetic images as evidence, recorded evaluations, and what is said of a case that fails."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import FixState, MatchVerdict, Severity
from anchorecli.policy.authoring.junit import junit
from anchorecli.policy.authoring.testing import Case, read_cases, run_case

from .evidence import rule_line

NOW = "2025-06-15T12:00:00Z"
BUNDLE = """\
bundle:
  id: b
  version: "1_0"
  policies:
  - id: p
    rules:
"""


@pytest.fixture
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Reads cases for a bundle of some rules; the case begins in the line after them."""
    monkeypatch.chdir(tmp_path)

    def read(text: str, *rules: str) -> tuple[Case, ...]:
        listed = "".join(f"    - {rule}\n" for rule in rules or (rule_line("always", "always", "warn"),))
        Path("cases.yaml").write_text(BUNDLE + listed + "cases:\n" + text)
        return read_cases("cases.yaml", NOW)

    return read


@pytest.fixture
def faults(cases):
    def go(text: str, *rules: str) -> list[str]:
        with pytest.raises(BundleError) as caught:
            cases(text, *rules)
        return str(caught.value).splitlines()

    return go


def no_store(*_: object):
    raise AssertionError("needs no store")


def differences(case: Case) -> tuple[str, ...]:
    return run_case(case, no_store).differences


IMAGE = """\
- name: x
  expect: {verdict: pass}
  image:
    reference: quay.io/team/app:1.2
    distro: alpine:3.20
    platform: linux/arm64/v8
    user: app
    env: [A=b=c, D=]
    labels: {l: m}
    annotations: {n: o}
    ports: [80, 53/udp]
    healthcheck: [CMD, x]
    created: 2025-01-01T00:00:00Z
    dockerfile: "FROM x"
    packages:
    - musl 1.2.5-r0
    - {name: requests, version: 2.0.0, type: pypi, licenses: [MIT], path: /opt/requests, layer: "sha256:1", source: s}
    vulnerabilities:
    - {id: CVE-1, package: musl, severity: high, fixed_in: [1.2.6-r0], aliases: [GHSA-1], epss: 0.5, kev: 2025-07-01}
    - {id: CVE-2, package: requests, cvss: 9.8, fix_state: wont-fix, undecided: true, kev: true, epss: 0.1,
       epss_percentile: 0.9}
    files:
    - {path: /etc/passwd, content: "root:x:0:0::/root:/bin/sh", mode: "0600", uid: 1}
    - path: /usr/bin/su
      mode: "4755"
      size: 10
      sha256: "abababababababababababababababababababababababababababababababab"
    - {path: /bin, target: usr/bin}
    secrets: [{path: /a, rule: r, line: 3}]
    private_keys: [{path: /k, encrypted: true, owner: pkg:deb/debian/a@1}, {path: /l, kind: EC P-256}]
    contents: [{path: /b, pattern: "N=x"}]
    malware: [{path: /c, signature: Eicar}]
    changed_files: [{package: musl, path: /d, detail: mode}]
    unowned: [/e]
    previous: [musl 1.2.4-r0]
    problems: [{subject: s, message: m}]
    end_of_life: 2026-05-01
    base_layers: ["sha256:1"]
    feed_age_days: 3
"""


def test_an_image_with_everything(cases):
    (case,) = cases(IMAGE)
    given = case.evidence
    assert given is not None
    analysis, config = given.analysis, given.analysis.image.config
    assert (given.reference.registry, given.reference.repository, given.reference.tag) == ("quay.io", "team/app", "1.2")
    assert (str(config.platform), config.user, config.env) == ("linux/arm64/v8", "app", ("A=b=c", "D="))
    assert (config.exposed_ports, config.healthcheck, config.labels) == (("80/tcp", "53/udp"), ("CMD", "x"), {"l": "m"})
    assert analysis.image.annotations == {"n": "o"}
    musl, requests = analysis.packages
    assert (musl.type, musl.scheme, musl.version, musl.purl) == ("apk", "apk", "1.2.5-r0", "pkg:apk/musl@1.2.5-r0")
    assert (requests.type, requests.scheme, requests.licenses, requests.layer) == (
        "pypi",
        "pep440",
        ("MIT",),
        "sha256:1",
    )
    assert (requests.source, requests.locations[0].path) == ("s", "opt/requests")
    first, second = given.matches
    assert (first.id, first.package, first.severity, first.fix_state) == ("CVE-1", musl, Severity.HIGH, FixState.FIXED)
    assert (second.fix_state, second.verdict, second.cvss[0].score) == (FixState.WONT_FIX, MatchVerdict.UNKNOWN, 9.8)
    assert given.enrichment.epss == {"CVE-1": (0.5, 0.5), "CVE-2": (0.1, 0.9)}
    assert {name: entry.due for name, entry in (given.enrichment.exploited or {}).items()} == {
        "CVE-1": "2025-07-01",
        "CVE-2": "",
    }
    assert given.enrichment.end_of_life == "2026-05-01"
    tree = given.tree
    assert tree is not None
    su, passwd, link = (tree.stat(path) for path in ("usr/bin/su", "etc/passwd", "bin"))
    assert su is not None and passwd is not None and link is not None
    assert (oct(su.mode), su.size, su.sha256, passwd.uid, link.target) == ("0o4755", 10, "ab" * 32, 1, "usr/bin")
    assert len(passwd.sha256) == 64
    assert analysis.retrieved[0].data.startswith(b"root:")
    assert (analysis.secrets[0].line, analysis.contents[0].pattern, analysis.malware[0].scanner) == (3, "N=x", "clamav")
    assert [(each.kind, each.encrypted, each.owner) for each in analysis.private_keys] == [
        ("RSA", True, "pkg:deb/debian/a@1"),
        ("EC P-256", False, ""),
    ]
    assert (analysis.differences[0].status, analysis.unowned, given.problems[0].subject) == ("changed", ("e",), "s")
    assert given.previous is not None and given.previous.packages[0].version == "1.2.4-r0"
    assert (given.feeds[0].updated_at, given.base) == ("2025-06-12T12:00:00Z", {"sha256:1"})
    assert {"alpine:3.20", "pypi"} <= given.covered


def test_unless_said_otherwise_everything_was_looked_for(cases):
    retrieve = rule_line("retrieved_files", "content_regex", path="/etc/x", regex="y", check="match")
    (case,) = cases("- {name: x, image: {}, expect: {verdict: pass}}", retrieve)
    assert differences(case) == ()
    (case,) = cases("- {name: x, image: {unknown: [retrieve]}, expect: {verdict: indeterminate}}", retrieve)
    assert differences(case) == ()


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        ("{packges: []}", 'unknown key "packges" in the image; did you mean "packages"?'),
        ("[]", "the image must be a mapping, not a list"),
        ("{packages: [[x]]}", "the package must be a mapping, not a list"),
        ("{packages: [{version: 1}]}", 'the package has no "name"'),
        ("{vulnerabilities: [{id: x, package: y}]}", 'unknown package "y" in the image; there is none'),
        (
            "{packages: [y 1], vulnerabilities: [{id: x, package: y, severity: High}]}",
            'unknown severity "High"; did you',
        ),
        ("{packages: [y 1], vulnerabilities: [{id: x, package: y, fix_state: no}]}", "unknown fix_state"),
        ("{packages: [y 1], vulnerabilities: [{id: x, package: y, epss: 5}]}", '"epss" must be a number from 0 to 1'),
        ("{packages: [y 1], vulnerabilities: [{id: x, package: y, cvss: a}]}", '"cvss" must be a number from 0 to 10'),
        ("{files: [{path: x, mode: 999}]}", '"mode" must be octal digits, not "999"'),
        ("{files: [{path: x, uid: y}]}", '"uid" must be a whole number, not "y"'),
        ("{files: [{path: x, sha256: zz}]}", '"sha256" must be 64 hexadecimal digits, not "zz"'),
        ("{files: [{path: x, sha256: abcd}]}", '"sha256" must be 64 hexadecimal digits, not "abcd"'),
        ("{files: [{path: x, kind: pipe}]}", 'unknown kind of file "pipe"'),
        ("{files: [{mode: 0644}]}", 'the entry of files has no "path"'),
        ("{secrets: [{path: x}]}", 'the entry of secrets has no "rule"'),
        ("{env: [A]}", '"env" must hold NAME=VALUE, not "A"'),
        ("{unknown: [feds]}", 'unknown name of a gap "feds"; did you mean "feeds"?'),
        ("{reference: 'A B'}", "A B"),
    ],
)
def test_faults_of_an_image(faults, image: str, fault: str):
    found = faults(f"- {{name: x, image: {image}, expect: {{verdict: pass}}}}")
    assert any(line.startswith("cases.yaml:9: ") and fault in line for line in found), found


@pytest.mark.parametrize(
    ("case", "fault"),
    [
        ("{}", 'the case has no "name"'),
        ("x", 'the case must be a mapping, not "x"'),
        ("{name: x, image: {}}", 'the case has no "expect"'),
        ("{name: x, image: {}, expect: {}}", '"expect" expects nothing'),
        ("{name: x, image: {}, expect: {verdict: ok}}", 'unknown verdict "ok"; there is fail, indeterminate, pass'),
        ("{name: x, image: {}, expect: {action: halt}}", 'unknown action "halt"'),
        ("{name: x, image: {}, expect: {exact: maybe}}", '"exact" must be true or false, not "maybe"'),
        ("{name: x, image: {}, expect: {findings: [{}]}}", "the finding names nothing"),
        (
            "{name: x, image: {}, expect: {findings: [{rul: x}]}}",
            'unknown key "rul" in the finding; did you mean "rule"',
        ),
        ("{name: x, image: {}, expect: {findings: [{message: 'regexp:('}]}}", '"message" is not usable'),
        ("{name: x, image: {}, report: y, expect: {verdict: pass}}", 'the case "x" needs one of image, report and'),
        ("{name: x, expect: {verdict: pass}}", 'the case "x" needs one of image, report and evaluation'),
        ("{name: x, report: none.json, expect: {verdict: pass}}", "none.json: cannot be read: No such file"),
        (
            "{name: x, image: {}, now: soon, expect: {verdict: pass}}",
            'now must be a time such as 2030-01-31, not "soon"',
        ),
        (
            "{name: x, image: {}, bundle: no.yaml, expect: {verdict: pass}}",
            "the bundle cannot be used: no.yaml: cannot",
        ),
        ("{name: x, image: {}, bundle: {id: q}, expect: {verdict: pass}}", "the bundle cannot be used: cases.yaml:9: "),
    ],
)
def test_faults_of_a_case(faults, case: str, fault: str):
    found = faults(f"- {case}\n")
    assert any(line.startswith("cases.yaml:9: ") and fault in line for line in found), found


def test_a_file_without_cases(tmp_path: Path):
    for text in ("cases: []\n", "{}\n", "bundle: x\n", "[]\n"):
        (tmp_path / "c.yaml").write_text(text)
        with pytest.raises(BundleError, match="case"):
            read_cases(str(tmp_path / "c.yaml"), NOW)
    with pytest.raises(BundleError, match="cannot be read"):
        read_cases(str(tmp_path / "none.yaml"), NOW)


def test_a_case_without_a_bundle(tmp_path: Path):
    (tmp_path / "c.yaml").write_text("cases: [{name: x, image: {}, expect: {verdict: pass}}]\n")
    with pytest.raises(BundleError, match="the case has no bundle"):
        read_cases(str(tmp_path / "c.yaml"), NOW)


PORTS = rule_line("dockerfile", "exposed_ports", "stop", type="blacklist", ports="22,23")
WARN = rule_line("always", "always", "warn").replace('"r"', '"w"')


@pytest.mark.parametrize(
    "expect",
    [
        "{verdict: fail}",
        "{action: stop, reason: policy_evaluation, mapping: every-image}",
        "{findings: [{rule: r}]}",
        "{findings: [{rule: r}, {rule: r}, {rule: w}], exact: true}",
        "{findings: [{gate: docker*, message: '*(22/tcp)*', action: stop, policy: p}]}",
        "{findings: [{trigger_id: always, trigger: always}]}",
        "{not: [{gate: vulnerabilities}, {message: '*(80/tcp)*'}]}",
    ],
)
def test_cases_that_hold(cases, expect: str):
    (case,) = cases(f"- {{name: x, image: {{ports: [22, 23]}}, expect: {expect}}}", PORTS, WARN)
    assert differences(case) == ()


@pytest.mark.parametrize(
    ("expect", "lines"),
    [
        ("{verdict: pass}", ["- verdict: pass", "+ verdict: fail", "  because stop r dockerfile.exposed_ports"]),
        ("{action: go}", ["- action: go", "+ action: stop"]),
        ("{reason: whitelisted}", ["- reason: whitelisted", "+ reason: policy_evaluation"]),
        ("{mapping: m}", ["- mapping: m", "+ mapping: every-image"]),
        ("{findings: [{rule: r}, {rule: r}]}", ["- finding: rule r"]),
        ("{findings: [{rule: r}], exact: true}", ["+ finding: warn w always.always always: "]),
        ("{findings: []}", ["+ finding: stop r dockerfile", "+ finding: warn w always.always"]),
        ("{not: [{action: warn}]}", ["+ finding: warn w always.always"]),
    ],
)
def test_cases_that_fail_say_what_is_not_as_expected(cases, expect: str, lines: list[str]):
    (case,) = cases(f"- {{name: x, image: {{ports: [22]}}, expect: {expect}}}", PORTS, WARN)
    found = differences(case)
    assert len(found) == len(lines), found
    assert all(line.startswith(begin) for line, begin in zip(found, lines, strict=True)), found


def test_why_a_verdict_is_indeterminate(cases):
    (case,) = cases("- {name: x, image: {problems: [{subject: s, message: broken}]}, expect: {verdict: pass}}")
    assert differences(case) == ("- verdict: pass", "+ verdict: indeterminate", "  because s: broken")


ALWAYS = rule_line("always", "always")


def test_an_exception_is_named_by_what_let_it_through(cases):
    extra = "whitelists: [{id: w, items: [{id: i, gate: always, trigger_id: always}]}]"
    (case,) = cases(
        f"- name: x\n  image: {{}}\n  expect: {{findings: [{{allowed_by: i, action: go}}], exact: true}}\n"
        f"  bundle: {{id: b, version: '1_0', policies: [{{id: p, rules: [{ALWAYS}]}}], {extra}}}\n"
    )
    assert differences(case) == ()


def test_a_stored_evaluation_is_judged_by_whoever_has_the_store(cases):
    asked = []

    def judge(number: str, bundle, now: str):
        asked.append((number, bundle.id, now))
        from anchorecli.policy.evaluate import evaluate

        from .evidence import evidence

        return evaluate(bundle, evidence())

    first, second = cases(
        "- {name: x, evaluation: 12, expect: {verdict: pass}}\n"
        "- {name: y, evaluation: 13, now: 2025-01-01, expect: {verdict: pass}}\n"
    )
    assert run_case(first, judge).ok
    assert run_case(second, judge).ok
    assert asked == [("12", "b", ""), ("13", "b", "2025-01-01")]


def test_junit(cases):
    found = cases(
        '- {name: "a <b> \\x07", image: {}, expect: {verdict: pass}}\n- {name: c, image: {}, expect: {verdict: fail}}\n'
    )
    root = ET.fromstring(junit([run_case(case, no_store) for case in found]))
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "2", "1")
    (suite,) = root
    first, second = suite
    assert (suite.get("name"), first.get("name"), first.get("line"), len(first)) == ("cases.yaml", "a <b> ?", "9", 0)
    (failure,) = second
    assert failure.get("message") == "- verdict: fail"
    assert "+ verdict: pass" in (failure.text or "")

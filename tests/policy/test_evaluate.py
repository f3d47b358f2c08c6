"""From findings to the verdict: allowlists, mappings, image lists, and what incomplete evidence does."""

from __future__ import annotations

import dataclasses

import pytest

from anchorecli.model import Action, FeedState, ImageRef, Problem, Status
from anchorecli.policy import GATES
from anchorecli.policy.bundle import parse_bundle
from anchorecli.policy.evaluate import evaluate
from anchorecli.policy.language.spellings import PENDING_GATES

from .evidence import FEED, NOW, REFERENCE, bundle, evidence, match, package, rule_line

ALWAYS = rule_line("always", "always")
WARN = rule_line("always", "always", "warn")
GO = rule_line("always", "always", "go")
VULNERABLE = rule_line("vulnerabilities", "package", package_type="all")
EVERY = '{registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_id: p, whitelist_ids: [w]}'


def with_allowlist(*items: str, rules: tuple[str, ...] = (VULNERABLE,)) -> str:
    return (
        'id: b\nversion: "1_0"\npolicies:\n- {id: p, rules: [' + ", ".join(rules) + "]}\n"
        "whitelists:\n- id: w\n  name: W\n  items:\n"
        + "".join(f"  - {item}\n" for item in items)
        + f"mappings:\n- {EVERY}\n"
    )


@pytest.mark.parametrize(
    ("rules", "status", "action"),
    [
        ([ALWAYS], Status.FAIL, Action.STOP),
        ([WARN], Status.PASS, Action.WARN),
        ([GO], Status.PASS, Action.GO),
        ([], Status.PASS, Action.GO),
        ([GO, ALWAYS, WARN], Status.FAIL, Action.STOP),
        ([GO, WARN], Status.PASS, Action.WARN),
    ],
)
def test_the_worst_action_wins(rules, status, action):
    ruled = [rule.replace('"r"', f'"r{number}"') for number, rule in enumerate(rules)]
    verdict = evaluate(bundle(*ruled), evidence())
    assert (verdict.status, verdict.action, verdict.reason) == (status, action, "policy_evaluation")
    assert [finding.trigger_id for finding in verdict.findings] == ["always"] * len(rules)
    assert verdict.policy_ids == ("p",)
    assert verdict.mapping_id == "mapping:1"


def test_a_finding_names_its_rule_and_policy():
    (finding,) = evaluate(bundle(ALWAYS), evidence()).findings
    assert (finding.rule_id, finding.policy_id, finding.message) == ("r", "p", "Unconditional trigger match")


@pytest.mark.parametrize(
    ("item", "allowed"),
    [
        ("{id: i, gate: vulnerabilities, trigger_id: CVE-2025-1+openssl}", True),
        ("{id: i, gate: VULNERABILITIES, trigger_id: CVE-2025-1+openssl}", True),
        ('{id: i, gate: vulnerabilities, trigger_id: "CVE-2025-1+*"}', True),
        ('{id: i, gate: vulnerabilities, trigger_id: "*+openssl"}', True),
        ('{id: i, gate: vulnerabilities, trigger_id: "CVE-2025-*"}', True),
        ('{id: i, gate: vulnerabilities, trigger_id: "*"}', True),
        ('{id: i, gate: vulnerabilities, trigger_id: "regexp:CVE-2025-[0-9]+\\\\+open"}', True),
        ("{id: i, gate: vulnerabilities, trigger_id: GHSA-1+openssl}", True),
        ("{id: i, gate: vulnerabilities, trigger_id: CVE-2025-1}", False),
        ("{id: i, gate: vulnerabilities, trigger_id: CVE-2025-1+openss}", False),
        ("{id: i, gate: vulnerabilities, trigger_id: cve-2025-1+openssl}", False),
        ('{id: i, gate: vulnerabilities, trigger_id: "regexp:openssl"}', False),
        ("{id: i, gate: dockerfile, trigger_id: CVE-2025-1+openssl}", False),
        ('{id: i, gate: vulnerabilities, trigger_id: "*", expires_on: "2025-06-15T12:00:01Z"}', True),
        ('{id: i, gate: vulnerabilities, trigger_id: "*", expires_on: "2025-06-15T12:00:00Z"}', False),
        ('{id: i, gate: vulnerabilities, trigger_id: "*", expires_on: "2025-06-15T12:00:00.5Z"}', True),
        ('{id: i, gate: vulnerabilities, trigger_id: "*", expires_on: 2025-06-16T00:00:00Z}', True),
        ('{id: i, gate: vulnerabilities, trigger_id: "*", expires_on: 2025-06-15}', False),
        ('{id: i, gate: vulnerabilities, trigger_id: "*", expires_on: "2025-06-15T12:30:00+02:00"}', False),
    ],
)
def test_allowlist_items(item, allowed):
    given = evidence([package()], [match(aliases=("GHSA-1",))])
    verdict = evaluate(parse_bundle(with_allowlist(item)), given)
    (finding,) = verdict.findings
    assert finding.trigger_id == "CVE-2025-1+openssl"
    assert (finding.action, finding.allowed_by) == ((Action.GO, "i") if allowed else (Action.STOP, ""))
    assert verdict.status is (Status.PASS if allowed else Status.FAIL)


def test_the_trigger_name_is_not_compared():
    item = '{gate: dockerfile, trigger_id: "41cb7cdf04850e33a11f80c42bf660b3"}'
    rule = rule_line("dockerfile", "instruction", instruction="HEALTHCHECK", check="not_exists")
    verdict = evaluate(parse_bundle(with_allowlist(item, rules=(rule,))), evidence())
    assert [finding.allowed_by for finding in verdict.findings] == ["w:1"]


def test_without_a_clock_nothing_with_an_end_is_let_through():
    text = with_allowlist('{gate: vulnerabilities, trigger_id: "*", expires_on: "2099-01-01T00:00:00Z"}')
    given = dataclasses.replace(evidence([package()], [match()]), now="")
    assert evaluate(parse_bundle(text), given).status is Status.FAIL


def test_an_allowlist_of_another_mapping_has_no_effect():
    text = with_allowlist('{gate: vulnerabilities, trigger_id: "*"}').replace("whitelist_ids: [w]", "whitelist_ids: []")
    assert evaluate(parse_bundle(text), evidence([package()], [match()])).status is Status.FAIL


MAPPED = """\
id: b
version: "1_0"
policies:
- {id: stop, rules: [{id: s, gate: always, trigger: always, action: stop}]}
- {id: warn, rules: [{id: w, gate: always, trigger: always, action: warn}]}
- {id: go, rules: []}
mappings:
%s
"""


@pytest.mark.parametrize(
    ("mapping", "matched"),
    [
        ('registry: docker.io, repository: debian, image: {type: tag, value: "12"}', True),
        ('registry: docker.io, repository: debian, image: {type: tag, value: "1*"}', True),
        ('registry: dockerhub, repository: debian, image: {type: tag, value: "*"}', True),
        ('registry: index.docker.io, repository: library/debian, image: {type: tag, value: "*"}', True),
        ('registry: "*.io", repository: "*", image: {type: tag, value: "regexp:^1[0-9]$"}', True),
        ('registry: "docker*", repository: "deb*n", image: {type: tag, value: "*"}', True),
        ('registry: docker.io, repository: debian, image: {type: tag, value: "1"}', False),
        ('registry: docker.io, repository: deb, image: {type: tag, value: "*"}', False),
        ('registry: quay.io, repository: "*", image: {type: tag, value: "*"}', False),
        ('registry: docker.io, repository: "library*", image: {type: tag, value: "*"}', False),
        (f'registry: "*", repository: "*", image: {{type: digest, value: "sha256:{"2" * 64}"}}', True),
        (f'registry: "*", repository: "*", image: {{type: digest, value: "sha256:{"3" * 64}"}}', True),
        (f'registry: "*", repository: "*", image: {{type: digest, value: "sha256:{"1" * 64}"}}', False),
        ('registry: "*", repository: "*", image: {type: digest, value: "*"}', False),
        (f'registry: "*", repository: "*", image: {{type: id, value: "{"1" * 64}"}}', True),
        (f'registry: "*", repository: "*", image: {{type: id, value: "sha256:{"1" * 64}"}}', True),
        (f'registry: "quay.io", repository: "*", image: {{type: id, value: "{"1" * 64}"}}', False),
    ],
)
def test_what_a_mapping_means(mapping, matched):
    text = MAPPED % f"- {{id: m, {mapping}, policy_ids: [stop]}}"
    verdict = evaluate(parse_bundle(text), evidence())
    assert verdict.mapping_id == ("m" if matched else "")
    assert verdict.status is (Status.FAIL if matched else Status.PASS)


def test_the_first_mapping_wins_and_all_its_policies_count():
    text = MAPPED % "\n".join(
        f'- {{id: {name}, registry: "*", repository: "{repository}", image: {{type: tag, value: "*"}}, policy_ids: {ids}}}'  # noqa: E501
        for name, repository, ids in (
            ("other", "alpine", "[stop]"),
            ("first", "debian", "[go, warn]"),
            ("second", "*", "[stop]"),
        )
    )
    verdict = evaluate(parse_bundle(text), evidence())
    assert (verdict.mapping_id, verdict.policy_ids, verdict.action) == ("first", ("go", "warn"), Action.WARN)
    both = evaluate(parse_bundle(text.replace("[go, warn]", "[warn, stop]")), evidence())
    assert (both.action, [finding.policy_id for finding in both.findings]) == (Action.STOP, ["warn", "stop"])


def test_without_a_mapping_it_passes_and_says_so():
    text = MAPPED % '- {registry: quay.io, repository: "*", image: {type: tag, value: "*"}, policy_id: stop}'
    broken = Problem("analyze", "var/lib/dpkg/status", "damaged")
    verdict = evaluate(parse_bundle(text), evidence(problems=(broken,)))
    assert (verdict.status, verdict.action, verdict.reason) == (Status.PASS, Action.GO, "no_mapping")
    said = [problem for problem in verdict.problems if problem.stage == "policy"]
    assert said[0].subject == "docker.io/debian:12"
    assert "no mapping" in said[0].message
    assert not said[0].incomplete


@pytest.mark.parametrize(
    ("reference", "value", "matched"),
    [
        (ImageRef("dir", "dir:/srv", path="/srv"), 'registry: "*", repository: "*"', True),
        (ImageRef("docker-archive", "a.tar", path="a.tar"), 'registry: "*", repository: "*"', True),
        (ImageRef("docker-archive", "a.tar", path="a.tar"), 'registry: docker.io, repository: "*"', False),
        (
            ImageRef("docker-archive", "a.tar:x", path="a.tar", tag="app:1"),
            'registry: docker.io, repository: "app"',
            True,
        ),
        (
            ImageRef("oci-dir", "x", path="x", tag="quay.io/a/b:1"),
            'registry: quay.io, repository: "a/b"',
            True,
        ),
        (ImageRef("oci-archive", "x", path="x", tag="localhost/b"), 'registry: localhost, repository: "b"', True),
        (
            ImageRef("registry", "x", registry="docker.io", repository="library/debian", tag="1"),
            "registry: docker.io, repository: debian",
            True,
        ),
        (
            ImageRef("registry", "x", registry="docker.io", repository="debian", digest="sha256:" + "5" * 64),
            "registry: docker.io, repository: debian",
            True,
        ),
    ],
)
def test_images_by_other_names(reference, value, matched):
    text = MAPPED % f'- {{id: m, {value}, image: {{type: tag, value: "*"}}, policy_id: go}}'
    assert bool(evaluate(parse_bundle(text), evidence(reference=reference)).mapping_id) is matched


def test_names_an_archive_claims_choose_nothing():
    given = evidence(reference=ImageRef("docker-archive", "a.tar", path="a.tar"))
    image = dataclasses.replace(given.analysis.image, names=("docker.io/trusted/base:1",))
    given = dataclasses.replace(given, analysis=dataclasses.replace(given.analysis, image=image))
    text = MAPPED % (
        '- {registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_id: stop}\n'
        'whitelisted_images: [{registry: docker.io, repository: "trusted/*", image: {type: tag, value: "*"}}]'
    )
    assert evaluate(parse_bundle(text), given).status is Status.FAIL


HERE = "[{registry: docker.io, repository: debian, image: {type: tag, value: '12'}}]"
ELSEWHERE = "[{registry: docker.io, repository: alpine, image: {type: tag, value: '*'}}]"


@pytest.mark.parametrize(
    ("rule", "lists", "status", "action", "reason"),
    [
        (GO, f"blacklisted_images: {HERE}", Status.FAIL, Action.STOP, "blacklisted"),
        (ALWAYS, f"whitelisted_images: {HERE}", Status.PASS, Action.GO, "whitelisted"),
        (
            GO,
            f"whitelisted_images: {HERE}\nblacklisted_images: {HERE}",
            Status.FAIL,
            Action.STOP,
            "blacklisted",
        ),
        (
            ALWAYS,
            f"whitelisted_images: {ELSEWHERE}\nblacklisted_images: {ELSEWHERE}",
            Status.FAIL,
            Action.STOP,
            "policy_evaluation",
        ),
        (WARN, f"denylisted_images: {HERE}", Status.FAIL, Action.STOP, "blacklisted"),
    ],
)
def test_image_lists(rule, lists, status, action, reason):
    verdict = evaluate(bundle(rule, extra=lists), evidence())
    assert (verdict.status, verdict.action, verdict.reason) == (status, action, reason)
    assert len(verdict.findings) == 1, "image lists do not hide what the rules say"


def test_an_allowed_image_passes_on_any_evidence():
    given = evidence(problems=(Problem("analyze", "x", "damaged"),))
    assert evaluate(bundle(ALWAYS, extra=f"whitelisted_images: {HERE}"), given).status is Status.PASS


BROKEN = Problem("analyze", "var/lib/dpkg/status", "damaged at line 7")
REMARK = Problem("analyze", "usr/x", "skipped", incomplete=False)


@pytest.mark.parametrize(
    ("rule", "choice", "problem", "status", "action", "reason"),
    [
        (WARN, "", BROKEN, Status.INDETERMINATE, Action.WARN, "evidence"),
        (GO, "indeterminate", BROKEN, Status.INDETERMINATE, Action.GO, "evidence"),
        (GO, "warn", BROKEN, Status.PASS, Action.WARN, "policy_evaluation"),
        (GO, "ignore", BROKEN, Status.PASS, Action.GO, "policy_evaluation"),
        (ALWAYS, "", BROKEN, Status.FAIL, Action.STOP, "policy_evaluation"),
        (GO, "", REMARK, Status.PASS, Action.GO, "policy_evaluation"),
    ],
)
def test_incomplete_evidence(rule, choice, problem, status, action, reason):
    extra = f"evidence: {{on_incomplete: {choice}}}" if choice else ""
    verdict = evaluate(bundle(rule, extra=extra), evidence(problems=(problem,)))
    assert (verdict.status, verdict.action, verdict.reason) == (status, action, reason)
    assert (problem in verdict.problems) is problem.incomplete


@pytest.mark.parametrize(("rule", "status"), [(GO, Status.PASS), (VULNERABLE, Status.INDETERMINATE)])
def test_problems_with_the_data_matter_where_a_rule_looks_at_it(rule, status):
    given = evidence(problems=(Problem("match", "gem", "no feed covers gem"),))
    assert evaluate(bundle(rule), given).status is status
    uncovered = evidence([package()], covered=frozenset())
    assert evaluate(bundle(rule), uncovered).status is status


STARTER = FeedState("starter", 1, 10, updated_at=NOW, ecosystems=("debian:12",), starter=True)


@pytest.mark.parametrize(
    ("feeds", "covered", "message"),
    [
        ((STARTER,), (), "only the embedded starter feed has vulnerability data for 2 packages of debian:12"),
        ((), (), "no feed has vulnerability data for 2 packages of debian:12"),
        ((FEED,), ("pypi",), "no feed has vulnerability data for 2 packages of debian:12"),
    ],
)
def test_data_that_is_not_there(feeds, covered, message):
    given = evidence([package(), package("bash")], feeds=feeds, covered=frozenset(covered))
    verdict = evaluate(bundle(VULNERABLE), given)
    assert (verdict.status, verdict.reason) == (Status.INDETERMINATE, "evidence")
    assert [problem.message for problem in verdict.problems] == [message]
    assert "feeds sync" in verdict.problems[0].hint


def test_what_matching_said_is_not_said_twice():
    said = Problem("match", "debian 12", "no feed covers debian:12: 1 package was not checked for vulnerabilities")
    verdict = evaluate(bundle(VULNERABLE), evidence([package()], covered=frozenset(), feeds=(), problems=(said,)))
    assert verdict.problems == (said,)
    assert verdict.status is Status.INDETERMINATE


def test_an_unknown_distribution_is_told_once():
    said = Problem("match", "deb packages", "the distribution is not known: 1 package was not checked")
    given = evidence([package()], distro=None)
    assert [problem.subject for problem in evaluate(bundle(VULNERABLE), given).problems] == ["Unknown:0"]
    given = dataclasses.replace(given, problems=(said,))
    assert evaluate(bundle(VULNERABLE), given).problems == (said,)


@pytest.mark.parametrize(
    ("updated", "days", "message"),
    [
        ("2025-06-01T00:00:00Z", 14, "is 14 days old; the bundle allows 14"),
        ("2025-06-02T00:00:00Z", 14, ""),
        ("2020-01-01T00:00:00Z", 0, ""),
        ("", 14, "age of the vulnerability data for 1 package of debian:12 is not known"),
    ],
)
def test_data_that_is_too_old(updated, days, message):
    feed = dataclasses.replace(FEED, updated_at=updated)
    extra = f"evidence: {{max_feed_age_days: {days}}}"
    verdict = evaluate(bundle(VULNERABLE, extra=extra), evidence([package()], feeds=(feed,)))
    assert verdict.status is (Status.INDETERMINATE if message else Status.PASS)
    assert [message in problem.message for problem in verdict.problems] == ([True] if message else [])


@pytest.mark.parametrize("gate", sorted(PENDING_GATES.keys() - {gate.name for gate in GATES}))
def test_a_gate_to_come_is_no_silent_pass(gate):
    verdict = evaluate(bundle(rule_line(gate, "anything", anything="x")), evidence())
    assert (verdict.status, verdict.findings) == (Status.INDETERMINATE, ())
    assert verdict.problems[0].message == f"gate {gate} {PENDING_GATES[gate]}: rule r was not run"


def test_a_retired_gate_is_a_remark():
    read = bundle(rule_line("anchoresec", "cvehigh"), GO.replace('"r"', '"g"'))
    verdict = evaluate(read, evidence())
    assert verdict.status is Status.PASS
    assert [finding.gate for finding in verdict.findings] == ["always"]
    (problem,) = verdict.problems
    assert problem.message == "gate anchoresec is retired; its rule is not evaluated"
    assert problem.hint == "Use the gate vulnerabilities."


def test_a_catastrophic_expression_cannot_hang_a_scan():
    rule = rule_line("dockerfile", "instruction", instruction="RUN", check="like", value=r"(a|a)*(a|aa)*(a?){40}$")
    verdict = evaluate(bundle(rule), evidence(dockerfile="FROM x\nRUN " + "a" * 5000 + "b"))
    assert verdict.findings == ()


def test_an_expression_past_its_budget_makes_the_verdict_indeterminate():
    rule = rule_line("dockerfile", "instruction", instruction="RUN", check="like", value=r"(?:(?!.*b)a)+b")
    verdict = evaluate(bundle(rule), evidence(dockerfile="FROM x\nRUN " + "a" * 20_000))
    assert (verdict.status, verdict.reason) == (Status.INDETERMINATE, "evidence")
    assert "rule r could not look at everything" in verdict.problems[0].message


def test_a_mapping_past_its_budget_is_not_taken_for_no_mapping():
    text = (
        MAPPED % '- {registry: "*", repository: "regexp:(?:(?!.*b)a)+b", image: {type: tag, value: "*"}, policy_id: go}'
    )
    reference = dataclasses.replace(REFERENCE, repository="a" * 20_000)
    verdict = evaluate(parse_bundle(text), evidence(reference=reference))
    assert verdict.status is Status.INDETERMINATE
    assert "no mapping could be chosen" in verdict.problems[0].message


def test_paths_that_are_no_text_have_ids():
    rule = rule_line("dockerfile", "instruction", instruction="RUN", check="exists")
    (finding,) = evaluate(bundle(rule), evidence(dockerfile="RUN \udcff")).findings
    assert len(finding.trigger_id) == 32


def test_equal_inputs_give_equal_verdicts():
    given = evidence([package()], [match(), match("CVE-2025-2")], problems=(BROKEN, REMARK))
    assert evaluate(bundle(VULNERABLE, WARN.replace('"r"', '"w"')), given) == evaluate(
        bundle(VULNERABLE, WARN.replace('"r"', '"w"')), given
    )


def test_rules_are_grouped_by_gate():
    rules = [
        rule_line(gate, trigger, "go", **params).replace('"r"', f'"{number}"')
        for number, (gate, trigger, params) in enumerate(
            [("always", "always", {}), ("packages", "blacklist", {"name": "openssl"}), ("always", "always", {})]
        )
    ]
    verdict = evaluate(bundle(*rules), evidence([package()]))
    assert [finding.rule_id for finding in verdict.findings] == ["0", "2", "1"]


LONG = dataclasses.replace(REFERENCE, repository="a" * 20_000)
SLOW = '[{registry: "*", repository: "regexp:(?:(?!.*b)a)+b", image: {type: tag, value: "*"}}]'


@pytest.mark.parametrize(
    ("lists", "status"),
    [
        (f"blacklisted_images: {SLOW}", Status.INDETERMINATE),
        (f"whitelisted_images: {SLOW}", Status.INDETERMINATE),
        (
            f'blacklisted_images: {SLOW}\nwhitelisted_images: [{{registry: "*", repository: "*", '
            'image: {type: tag, value: "*"}}]',
            Status.INDETERMINATE,
        ),
    ],
)
def test_an_image_list_past_its_budget_decides_nothing(lists, status):
    verdict = evaluate(bundle(GO, extra=lists), evidence(reference=LONG))
    assert verdict.status is status
    assert "could not be compared" in verdict.problems[0].message


def test_an_allowlist_item_past_its_budget_lets_nothing_through():
    text = with_allowlist('{id: i, gate: vulnerabilities, trigger_id: "regexp:CVE-2025-1.(?:(?!.*b)a)+b"}')
    of = package("a" * 20_000)
    verdict = evaluate(parse_bundle(text), evidence([of], [match(of=of)]))
    assert verdict.status is Status.FAIL
    assert [problem.subject for problem in verdict.problems] == ["whitelist item i"]

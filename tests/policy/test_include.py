"""Bundles in several files and documents: order, circles, limits, and every fault in its own file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anchorecli.errors import BundleError
from anchorecli.policy.bundle import load_bundle, parse_bundle
from anchorecli.policy.language.canonical import canonical

HEAD = 'id: b\nversion: "1_0"\n'
RULES = "rules: [{gate: always, trigger: always, action: go}]"


def policy(name: str) -> str:
    return f"policies:\n- {{id: {name}, {RULES}}}\n"


def mapping(tag: str, name: str) -> str:
    return f"mappings:\n- {{registry: '*', repository: '*', image: {{type: tag, value: {tag}}}, policy_id: {name}}}\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def go(**files: str) -> None:
        for name, text in files.items():
            path = Path(name.replace("__", "/") + ".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return go


def fault(path: str = "b.yaml") -> list[str]:
    with pytest.raises(BundleError) as caught:
        load_bundle(path)
    return str(caught.value).splitlines()


def test_pieces_become_one_bundle_in_order(write):
    write(
        b=HEAD + "include: [one/*.yaml, two.yaml]\n" + policy("own") + mapping("own", "one"),
        one__b=policy("one-b"),
        one__a=policy("one-a") + "include: ../three.yaml\n",
        one__ignored=mapping("z", "own") + "rule_sets: []\n",
        two=policy("two") + "include: [three.yaml]\n",
        three=policy("one") + "x-note: 1\nname: the third\nversion: '1_0'\n",
    )
    Path("one/.hidden.yaml").write_text("not: read")
    bundle = load_bundle("b.yaml")
    assert [one.id for one in bundle.policies] == ["one", "one-a", "one-b", "two", "own"]
    assert [one.image.value for one in bundle.mappings] == ["z", "own"]
    assert parse_bundle(json.dumps(canonical(bundle))).digest == bundle.digest


def test_it_means_what_one_file_means(write):
    write(
        b=HEAD + "include: [p.yaml]\n" + mapping("x", "p"), p=policy("p"), whole=HEAD + policy("p") + mapping("x", "p")
    )
    assert load_bundle("b.yaml").digest == load_bundle("whole.yaml").digest


def test_documents_of_one_file():
    text = HEAD + policy("p") + "---\n" + policy("q") + "---\n" + mapping("x", "q") + "...\n---\n"
    bundle = parse_bundle(text)
    assert [one.id for one in bundle.policies] == ["p", "q"]
    assert (bundle.policies[1].line, bundle.mappings[0].policy_ids) == (7, ("q",))


def test_an_anchor_ends_with_its_document():
    with pytest.raises(BundleError, match=r"^b:5: \*x names no value before it"):
        parse_bundle(HEAD + "x-y: &x 1\n---\nname: *x\n", "b")


def test_spellings_may_differ_from_file_to_file(write):
    write(
        b=HEAD + "include: p.yaml\n" + policy("own"), p=policy("p").replace("policies", "rule_sets") + mapping("x", "p")
    )
    assert [one.id for one in load_bundle("b.yaml").policies] == ["p", "own"]


def test_each_fault_names_its_file(write):
    write(
        b=HEAD + "include: [p.yaml]\npolicies:\n- {id: p}\n" + mapping("x", "q"),
        p="nmae: x\n" + policy("p") + "- {id: q, rules: [{gate: alway, trigger: always, action: go}]}\n",
    )
    assert fault() == [
        'b.yaml:5: policy id "p" is given twice, first in p.yaml:3',
        'b.yaml:5: the policy has no "rules"',
        'p.yaml:1: unknown key "nmae" in the included part; did you mean "name"?',
        'p.yaml:4: unknown gate "alway"; did you mean "always"?',
    ]


def test_the_first_use_of_an_id_in_the_bundle_itself():
    (said,) = faults_of(HEAD + "policies: [{id: p, rules: []}, {id: p, rules: []}]\nmappings: []\n")
    assert said == 'b:3: policy id "p" is given twice, first in line 3'


def faults_of(text: str) -> list[str]:
    with pytest.raises(BundleError) as caught:
        parse_bundle(text, "b")
    return str(caught.value).splitlines()


def test_a_warning_names_its_file(write):
    rule = "policies: [{id: p, rules: [\n{gate: pkgdiff, trigger: x, action: go}]}]\n"
    write(b=HEAD + "include: p.yaml\n" + mapping("x", "p"), p=rule)
    assert [warning.subject for warning in load_bundle("b.yaml").warnings] == ["p.yaml:2"]


def test_circles_are_told_with_all_their_files(write):
    write(b=HEAD + "include: x.yaml\n", x="include: y.yaml\n", y="\ninclude: [x.yaml]\n")
    assert 'y.yaml:2: include "x.yaml" goes round in a circle: b.yaml → x.yaml → y.yaml → x.yaml' in fault()
    write(b=HEAD + "include: b.yaml\n")
    assert 'b.yaml:3: include "b.yaml" goes round in a circle: b.yaml → b.yaml' in fault()


@pytest.mark.parametrize(
    ("include", "said"),
    [
        ("none.yaml", 'b.yaml:3: include "none.yaml": there is no such file beside b.yaml'),
        ("none/*.yaml", 'b.yaml:3: include "none/*.yaml": there is no such file beside b.yaml'),
        (".", 'b.yaml:3: include ".": there is no such file beside b.yaml'),
        ("/etc/passwd", 'b.yaml:3: include "/etc/passwd" must be relative to this file, without **'),
        ("'**/*.yaml'", 'b.yaml:3: include "**/*.yaml" must be relative to this file, without **'),
        ("{a: b}", 'b.yaml:3: "include" must hold paths of files'),
        ("[[p.yaml]]", 'b.yaml:3: "include" must hold paths of files'),
        ("7", 'b.yaml:3: "include" must hold paths of files'),
    ],
)
def test_what_cannot_be_included(write, include, said):
    write(b=HEAD + f"include: {include}\n" + policy("p"))
    assert fault() == [said]


def test_nothing_outside_of_the_bundles_folder_is_read(write):
    write(secret="password", in__b=HEAD + "include: ../secret.yaml\n" + policy("p"))
    assert fault("in/b.yaml") == [
        'in/b.yaml:3: include "../secret.yaml" is outside of the bundle\'s folder in/; move it there'
    ]
    Path("in/link.yaml").symlink_to("../secret.yaml")
    write(in__b=HEAD + "include: link.yaml\n" + policy("p"))
    assert "outside of the bundle's folder" in fault("in/b.yaml")[0]


def test_a_bundle_that_is_no_file_includes_nothing(write):
    write(p=policy("p"))
    assert faults_of(HEAD + "include: p.yaml\n" + policy("q")) == [
        'b:3: "include" works in a bundle that is read from a file'
    ]


@pytest.mark.parametrize("key", ["id: x", "evidence: {}", "defaults: {}", "compat: anchore-engine"])
def test_what_is_for_the_whole_stands_in_the_bundle(write, key):
    write(b=HEAD + "include: p.yaml\n", p=policy("p") + key + "\n")
    assert fault() == [f'p.yaml:3: "{key.split(":")[0]}" is for the head of the bundle, b.yaml, alone']


def test_a_piece_with_broken_syntax(write):
    write(b=HEAD + "include: p.yaml\n", p="a: [\n")
    assert fault()[0].startswith("p.yaml:2: not valid YAML")
    write(p="- a\n")
    assert "p.yaml:1: the included part must be a mapping, not a list" in fault()
    write(p="policies: x\n")
    assert 'p.yaml:1: "policies" must be a list, not "x"' in fault()
    Path("p.yaml").write_bytes(b"\n\xff")
    assert fault() == ["p.yaml:2: not UTF-8 text"]


def test_depth_and_number_are_limited(write):
    write(b=HEAD + "include: n0.yaml\n", **{f"n{n}": f"include: n{n + 1}.yaml\n" for n in range(12)})
    assert 'n7.yaml:1: include "n8.yaml" is nested deeper than 8 files: b.yaml … n8.yaml' in fault()
    write(b=HEAD + "include: many/*.yaml\n", **{f"many__{n}": "name: x\n" for n in range(201)})
    assert 'b.yaml:3: include "many/*.yaml": the bundle has more than 200 files' in fault()


def test_aliases_in_many_files_add_up(write):
    bomb = "x-a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"x-{name}: &{name} [{','.join('*' + before for _ in range(10))}]\n"
        for before, name in zip("abcd", "bcde", strict=True)
    )
    write(b=HEAD + "include: many/*.yaml\n", **{f"many__{n}": bomb for n in range(9)})
    (said,) = fault()
    assert said == "many/4.yaml: with this file the bundle has more than 500000 values"


def test_a_broken_head_is_told_beside_its_pieces(write):
    write(b=HEAD + "include: p.yaml\npolicies: x\n", p=policy("p") + mapping("x", "p"))
    assert 'b.yaml:4: "policies" must be a list, not "x"' in fault()

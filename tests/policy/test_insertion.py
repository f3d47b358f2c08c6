"""An exception written into a bundle: every layout, nothing else changed, refused where that cannot be had."""

from __future__ import annotations

import json
from difflib import ndiff
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.errors import BundleError, UsageError
from anchorecli.policy.authoring.exceptions import new_exception
from anchorecli.policy.authoring.insertion import append, flow
from anchorecli.policy.bundle import load_bundle

ITEM = {"vulnerability": "CVE-1", "package": "openssl", "reason": "not reachable: #12", "expires": "2030-01-31"}
POLICIES = 'id: b\nversion: "1_0"\npolicies:\n- {id: p, rules: [{gate: always, trigger: always, action: go}]}\n'
MAPPINGS = (
    'mappings:\n- {registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_id: p, whitelist_ids: [w]}\n'
)
LINES = """\
{0}- id: allow-cve-1-openssl
{0}  vulnerability: CVE-1
{0}  package: openssl
{0}  reason: "not reachable: #12"
{0}  expires: 2030-01-31
"""
FLOW = (
    "{id: allow-cve-1-openssl, vulnerability: CVE-1, package: openssl, "
    'reason: "not reachable: #12", expires: 2030-01-31}'
)
W = "whitelists:\n- id: w\n  items:\n"


def added(folder: Path, text: str, name: str = "b.yaml", **options: str) -> str:
    """The lines that are new, after the proof that those that were there are there still."""
    path = folder / name
    path.write_bytes(text.encode())
    change = new_exception(load_bundle(path), ITEM, **options)
    path.write_bytes(change.after.encode())
    items = [item for one in load_bundle(path).allowlists for item in one.items if item.id == change.item_id]
    assert [(item.vulnerability, item.package, item.expires_on) for item in items] == [
        ("CVE-1", "openssl", "2030-01-31")
    ]
    differences = list(ndiff(text.splitlines(keepends=True), change.after.splitlines(keepends=True)))
    assert [line for line in differences if line.startswith("- ")] == []
    return "".join(line[2:] for line in differences if line.startswith("+ "))


@pytest.mark.parametrize(
    ("lists", "column"),
    [
        ("whitelists:\n- id: w\n  items:\n  - {gate: files, trigger_id: x}\n", None),
        ("whitelists:\n- id: w\n  items:\n  - gate: files\n    trigger_id: x\n", 2),
        (
            "whitelists:\n  - id: w\n    items:\n"
            "      - gate: files\n        trigger_id: x   # why\n        # more\n\n",
            6,
        ),
        (
            W + "    # first\n    - gate: files\n      trigger_id: x\n  # of w\n  name: W\n",
            4,
        ),
        (
            W + "  - gate: files\n    trigger_id: x\n    comment: |\n      # not a comment\n",
            2,
        ),
        (
            W + "  - gate: files\n    trigger_id:\n      x\n    comment: >-\n      a\n\n      b\n",
            2,
        ),
        ("whitelists:\n- id: v\n- id: w\n  items:\n  - gate: files\n    trigger_id: x\n- id: z\n", 2),
        ("whitelists:\n- items:\n  - gate: files\n    trigger_id: x\n  id: w\n", 2),
        ("whitelists:\n- id: w\n  items:\n", 2),
        ("whitelists:\n- id: w\n", 2),
        ("whitelists:\n  - id: w\n    # nothing yet\n# the end\n", 4),
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_a_block_gets_lines_of_its_own(tmp_path, lists, column, last):
    text = POLICIES + (MAPPINGS + lists if last else lists + MAPPINGS)
    new = added(tmp_path, text, allowlist_id="w")
    if column is None:
        assert new == f"  - {FLOW}\n"
    else:
        assert (
            new.removeprefix(f"{' ' * column}items:\n").replace("  items:\n", "").endswith(LINES.format(" " * column))
        )


def test_items_with_blank_lines_between_them_stay_so(tmp_path):
    items = "".join(f"  # about {name}\n  - gate: files\n    trigger_id: {name}\n\n" for name in "xy")
    new = added(tmp_path, POLICIES + "whitelists:\n- id: w\n  items:\n" + items + MAPPINGS)
    assert new == "\n" + LINES.format("  ") or new == LINES.format("  ") + "\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("items: []", "items:\n" + LINES.format("  ").rstrip()),
        ("items: [ ]   # none", "items:  # none\n" + LINES.format("  ").rstrip()),
        ("items: null", "items:\n" + LINES.format("  ").rstrip()),
        ("items: ~  # none", "items:  # none\n" + LINES.format("  ").rstrip()),
        ("items: [{gate: files, trigger_id: x}]", f"items: [{{gate: files, trigger_id: x}}, {FLOW}]"),
        ("items: [{gate: files, trigger_id: x},]", f"items: [{{gate: files, trigger_id: x}}, {FLOW},]"),
        (
            "items: [\n    {gate: files, trigger_id: x},  # why\n  ]",
            f"items: [\n    {{gate: files, trigger_id: x}},\n    {FLOW},  # why\n  ]",
        ),
    ],
)
def test_lists_in_one_line(tmp_path, before, after):
    text = POLICIES + "whitelists:\n- id: w\n  " + before + "\n  name: W # w\n" + MAPPINGS
    path = tmp_path / "b.yaml"
    path.write_text(text)
    assert new_exception(load_bundle(path), ITEM).after == text.replace(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{id: w, items: []}", f"{{id: w, items: [{FLOW}]}}"),
        ("{id: w, items: null}", f"{{id: w, items: [{FLOW}]}}"),
        ("{id: w}", f"{{id: w, items: [{FLOW}]}}"),
        (
            '{items: [{gate: files, trigger_id: "]"}], id: w}',
            f'{{items: [{{gate: files, trigger_id: "]"}}, {FLOW}], id: w}}',
        ),
    ],
)
def test_a_list_within_a_line(tmp_path, before, after):
    text = POLICIES + f"whitelists: [{before}]\n" + MAPPINGS
    path = tmp_path / "b.yaml"
    path.write_text(text)
    assert new_exception(load_bundle(path), ITEM).after == text.replace(before, after)


@pytest.mark.parametrize("lists", ["", "whitelists: []\n", "whitelists:\n"])
def test_the_first_exception_makes_a_list_and_names_it(tmp_path, lists):
    mappings = (
        'mappings:\n  - registry: quay.io\n    repository: "*"\n    image: {type: tag, value: "*"}\n'
        "    policy_ids: [p]   # strict\n    whitelist_ids: []\n\n"
        '  # the rest\n  - registry: "*"\n    repository: "*"\n    image: {type: tag, value: "*"}\n    policy_id: p\n'
        "# end of file, without a line break"
    )
    path = tmp_path / "b.yaml"
    path.write_text(POLICIES + lists + mappings)
    change = new_exception(load_bundle(path), ITEM)
    path.write_text(change.after)
    bundle = load_bundle(path)
    assert [mapping.allowlist_ids for mapping in bundle.mappings] == [("exceptions",), ("exceptions",)]
    assert [(one.id, len(one.items)) for one in bundle.allowlists] == [("exceptions", 1)]
    kept = [line for line in (POLICIES + mappings).splitlines() if "whitelist_ids: []" not in line]
    assert [line for line in kept if line not in change.after.splitlines()] == []
    assert "    # the rest" not in change.after
    assert "  # the rest\n" in change.after


def test_without_mappings_the_list_holds_everywhere(tmp_path):
    path = tmp_path / "b.yaml"
    path.write_text(POLICIES)
    change = new_exception(load_bundle(path), ITEM, "mine")
    path.write_text(change.after)
    assert change.after.startswith(POLICIES + '\nwhitelists:\n- id: mine\n  name: Mine\n  version: "1_0"\n  items:\n')
    assert load_bundle(path).mappings[0].allowlist_ids == ("mine",)


def test_enterprises_words_stay_enterprises_words(tmp_path):
    text = (
        'id: b\nversion: "2"\nrule_sets:\n- {id: p, version: "2", rules: []}\n'
        'mappings:\n- {registry: "*", repository: "*", image: {type: tag, value: "*"}, rule_set_ids: [p]}\n'
    )
    path = tmp_path / "b.yaml"
    path.write_text(text)
    change = new_exception(load_bundle(path), ITEM)
    assert "allowlist_ids: [exceptions]" in change.after
    assert '\nallowlists:\n- id: exceptions\n  name: Exceptions\n  version: "2"\n' in change.after


@pytest.mark.parametrize("indent", [None, 2, 4, "\t"])
def test_json_keeps_its_indent(tmp_path, indent):
    document = {
        "id": "b",
        "version": "1_0",
        "policies": [{"id": "p", "rules": []}],
        "whitelists": [{"id": "w", "items": [{"gate": "files", "trigger_id": "é"}]}],
        "mappings": [
            {
                "registry": "*",
                "repository": "*",
                "image": {"type": "tag", "value": "*"},
                "policy_id": "p",
                "whitelist_ids": ["w"],
            }
        ],
    }
    for ascii_only in (True, False):
        text = json.dumps(document, indent=indent, ensure_ascii=ascii_only) + "\n"
        path = tmp_path / "b.json"
        path.write_text(text)
        change = new_exception(load_bundle(path), ITEM)
        expected = json.loads(text)
        expected["whitelists"][0]["items"].append({"id": "allow-cve-1-openssl", **ITEM})
        assert change.after == json.dumps(expected, indent=indent, ensure_ascii=ascii_only) + "\n"


def test_windows_line_ends_and_a_byte_order_mark_stay(tmp_path):
    text = "\ufeff" + (POLICIES + "whitelists:\n- id: w\n  items: []\n" + MAPPINGS).replace("\n", "\r\n")
    path = tmp_path / "b.yaml"
    path.write_bytes(text.encode())
    change = new_exception(load_bundle(path), ITEM)
    assert change.after.startswith("\ufeffid: b\r\n")
    assert "\n" not in change.after.replace("\r\n", "")


def test_a_list_in_an_included_file_is_changed_there(tmp_path):
    (tmp_path / "b.yaml").write_text("include: [lists/w.yaml]\n" + POLICIES + MAPPINGS)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "w.yaml").write_text("# ours\nwhitelists:\n- id: w\n  items: []\n")
    change = new_exception(load_bundle(tmp_path / "b.yaml"), ITEM)
    assert Path(change.path) == tmp_path / "lists" / "w.yaml"
    assert change.after == "# ours\nwhitelists:\n- id: w\n  items:\n" + LINES.format("  ")


def test_a_further_document_of_the_file(tmp_path):
    text = (
        POLICIES
        + MAPPINGS
        + "---\nwhitelists:\n- id: w\n  items:\n  - gate: files\n    trigger_id: x\n---\n# last\nwhitelists: []\n"
    )
    assert added(tmp_path, text) == LINES.format("  ")


def test_mappings_in_another_file_are_not_guessed_at(tmp_path):
    (tmp_path / "b.yaml").write_text("include: m.yaml\n" + POLICIES)
    (tmp_path / "m.yaml").write_text(MAPPINGS.replace(", whitelist_ids: [w]", ""))
    with pytest.raises(BundleError, match="no mapping names the whitelist exceptions"):
        new_exception(load_bundle(tmp_path / "b.yaml"), ITEM)


@pytest.mark.parametrize(
    "lists",
    [
        "x-a: &a {gate: files, trigger_id: x}\nwhitelists:\n- id: w\n  items:\n  - *a\n",
        "x-l: &l\n- {gate: files, trigger_id: x}\nwhitelists:\n- id: w\n  items: *l\n",
        "whitelists:\n- id: w\n  items:\n  - gate: files\n    trigger_id: x\n    comment: |+\n      a\n\n\n",
    ],
)
def test_what_would_change_more_is_refused(tmp_path, lists):
    path = tmp_path / "b.yaml"
    text = POLICIES + lists + MAPPINGS
    path.write_text(text)
    try:
        change = new_exception(load_bundle(path), ITEM)
    except BundleError as error:
        assert "does not fit into the layout" in error.message
        assert "by hand" in error.hint
    else:
        # Where it could be done all the same it says what it should.
        before, after = yaml.safe_load(text), yaml.safe_load(change.after)
        assert after["whitelists"][0]["items"][:-1] == before["whitelists"][0]["items"]
        after["whitelists"][0]["items"].pop()
        assert after == before


def test_an_alias_of_the_list_is_refused(tmp_path):
    path = tmp_path / "b.yaml"
    text = POLICIES + (
        "whitelists:\n- id: w\n  items: &l\n  - {gate: files, trigger_id: x}\n- id: v\n  items: *l\n" + MAPPINGS
    )
    path.write_text(text)
    with pytest.raises(BundleError, match="does not fit into the layout"):
        new_exception(load_bundle(path), ITEM)


def test_which_list(tmp_path):
    path = tmp_path / "b.yaml"
    lists = "whitelists: [{id: w, items: []}, {id: v, items: []}, {id: idle, items: []}]\n"
    path.write_text(POLICIES + lists + MAPPINGS.replace("[w]", "[w, v]"))
    bundle = load_bundle(path)
    with pytest.raises(UsageError, match=r"has several whitelists: w, v$"):
        new_exception(bundle, ITEM)
    assert new_exception(bundle, ITEM, "v").allowlist_id == "v"
    assert "whitelist_ids: [w, v, idle]" in new_exception(bundle, ITEM, "idle").after


def test_ids_are_free_and_say_something(tmp_path):
    path = tmp_path / "b.yaml"
    path.write_text(POLICIES + "whitelists:\n- id: w\n  items: []\n" + MAPPINGS)
    ids = []
    for trigger in ("CVE-1+a", "CVE-1 a", "+", "x" * 200):
        change = new_exception(load_bundle(path), {"gate": "vulnerabilities", "trigger_id": trigger})
        path.write_text(change.after)
        ids.append(change.item_id)
    assert ids == ["allow-cve-1-a", "allow-cve-1-a-2", "allow-vulnerabilities", "allow-" + "x" * 60]


def test_what_is_let_through_already_is_told(tmp_path):
    path = tmp_path / "b.yaml"
    path.write_text(POLICIES + f"whitelists:\n- id: w\n  items:\n  - {FLOW}\n" + MAPPINGS)
    with pytest.raises(UsageError, match="item allow-cve-1-openssl of w lets it through until 2030-01-31"):
        new_exception(load_bundle(path), ITEM)
    assert new_exception(load_bundle(path), ITEM | {"image": "docker.io/*"}).item_id == "allow-cve-1-openssl-2"


@given(st.text())
def test_any_text_is_written_as_what_it_is(text):
    written = flow({"reason": text})
    try:
        (read,) = yaml.compose(written).value
    except yaml.YAMLError:
        # The caller reads it as well, and refuses.
        assert not text.isprintable()
        return
    if text.isprintable():
        assert read[1].value == text


def test_there_has_to_be_a_place():
    with pytest.raises(BundleError, match="there is no whitelists"):
        append("id: b\n", 0, ("whitelists", 0, "items"), "x")
    with pytest.raises(BundleError, match="items is no list"):
        append("a:\n- items: 3\n", 0, ("a", 0, "items"), "x")

"""Texts as nodes: scalars as written, lines, and the limits of hostile documents."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.errors import BundleError
from anchorecli.policy.language.document import Node, from_plain, read_document, read_documents


def plain(node: Node):
    if node.kind == "mapping":
        return {key: plain(value) for key, value in node.entries.items()}
    return [plain(item) for item in node.items] if node.kind == "list" else node.text


def test_scalars_keep_their_text():
    text = "a: [1_0, 0755, 2030-01-01, 1.50, yes, No, ~, 'yes', \"1\", =]\n"
    root = read_document(text)
    assert plain(root) == {"a": ["1_0", "0755", "2030-01-01", "1.50", "true", "false", "", "yes", "1", "="]}
    kinds = [node.kind for node in root.entries["a"].items]
    assert kinds == ["number", "number", "text", "number", "boolean", "boolean", "null", "text", "text", "text"]


@pytest.mark.parametrize(
    "text",
    [
        "a:\n  - b: 1\n\n  - c: |\n      x\n      y\n    d: 2\n",
        '{"a": [\n{"b": 1},\n\n{"c": "x\\ny\\n",\n\n"d": 2}]}',
    ],
)
def test_lines_of_values_and_keys(text):
    root = read_document(text)
    first, second = root.entries["a"].items
    assert (root.line, first.line, second.line) == (1, 2, 4)
    assert second.keys == {"c": 4, "d": text.split("d")[0].count("\n") + 1}
    assert second.entries["c"].text == "x\ny\n"


def test_merge_keys():
    text = "x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {<<: [{a: 8}, *x], '<<': q}\n"
    root = read_document(text)
    assert plain(root.entries["y"]) == {"a": "1", "b": "3"}
    assert root.entries["y"].keys == {"a": 1, "b": 2}
    assert plain(root.entries["z"]) == {"a": "8", "b": "2", "<<": "q"}


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join('*' + before for _ in range(9))}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: 2\n", r"^f:2: not valid YAML: .*did not find expected"),
        ("a: b: c\n", "^f:1: not valid YAML: mapping values are not allowed"),
        ("a:\n\t- b\n", "^f:2: not valid YAML: .*cannot start any token"),
        ("a: \x00\n", "^f: not valid YAML: unacceptable character"),
        ("a: 1\nb: 2\na: 3\n", "^f:3: 'a' is given twice, first in line 1"),
        ("? [1]\n: 2\n", "^f:1: a key must be a word"),
        ("a: !!python/object/apply:os.system [x]\n", "^f:1: the YAML tag .* is not known here"),
        ("a: !!binary aGk=\n", "^f:1: the YAML tag .* is not known here"),
        ("a: !mine x\n", "^f:1: the YAML tag '!mine' is not known here"),
        ("a: 1\n--- \nb: 2\n", "^f:3: a second document begins here"),
        ("a: *b\n", r"^f:1: \*b names no value before it"),
        ("a: &a [*a]\n", r"^f:1: \*a names no value before it"),
        ("<<: 3\n", "^f:1: << takes a mapping"),
        (BOMB, "more than 500000 values"),
        ("- " * 100_000, "nested deeper than 40 levels"),
        ("[" * 100_000, "nested deeper than 40 levels"),
        ("a: " + "{b: " * 50_000, "nested deeper than 40 levels"),
        ("---\n# nothing\n", ""),
        ('{"a": 1,}', "^f:1: not valid JSON: JSON has no comma before }"),
        ("[1,]", "^f:1: not valid JSON: JSON has no comma before ]"),
        ('{"a"\n 1}', "^f:2: not valid JSON: ':' is expected here, not '1'"),
        ('{"a": 1\n"b": 2}', "^f:2: not valid JSON: ',' is expected here"),
        ("{a: 1}", "^f:1: not valid JSON: a key in double quotes"),
        ('{"a": }', "^f:1: not valid JSON: a value is missing here"),
        ('{"a": nope}', "^f:1: not valid JSON: unexpected 'n'"),
        ('{"a": "x\ny"}', "^f:1: not valid JSON: Invalid control character"),
        ('{"a": "x', "^f:1: not valid JSON: Unterminated string"),
        ('{"a": "\\x"}', r"^f:1: not valid JSON: Invalid \\escape"),
        ('{"a": "\\ud800"}', "^f:1: not valid JSON: half of a surrogate pair"),
        ('{"a": [1, 2', "^f:1: not valid JSON: the file ends"),
        ("{}\n{}", "^f:2: not valid JSON: something follows"),
        ('{"a": 1,\n"a": 2}', "^f:2: 'a' is given twice, first in line 1"),
    ],
)
def test_documents_that_are_refused(text, message):
    if not message:
        assert read_document(text).kind == "null"
        return
    with pytest.raises(BundleError, match=message):
        read_document(text, "f")


def test_several_documents():
    first, second = read_documents("a: 1\n---\nb: 2\n---\n")
    assert (plain(first), plain(second), second.line) == ({"a": "1"}, {"b": "2"}, 3)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), values, max_size=4), st.sampled_from([None, 2, "\t"]))
def test_json_is_read_as_the_standard_library_does(document, indent):
    text = json.dumps(document, indent=indent)
    assert plain(read_document(text)) == plain(from_plain(document))


def test_yaml_is_read_as_yaml_does():
    text = "a: [x, 'y', \"z\"]\nb:\n  c: |\n    d\n    e\n"
    assert plain(read_document(text)) == yaml.load(text, yaml.BaseLoader)

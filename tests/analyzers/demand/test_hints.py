"""The image's own hints: what they may say, and that they only add."""

from __future__ import annotations

import json

import pytest

from anchorecli.analyzers.demand.hints import HintAnalyzer
from anchorecli.model import Distro, Package
from tests.analyzers.view import make_view

DEBIAN = Distro("debian", "12")


def find(text, name="anchore_hints.json", packages=()):
    analyzer = HintAnalyzer.of("")
    view = make_view(
        analyzer, [{name: text if isinstance(text, str | bytes) else json.dumps({"packages": text})}], DEBIAN
    )
    view.packages = list(packages)
    return view, analyzer.assemble(view)


def test_hints_of_every_kind():
    _, found = find([
        {"name": "zlib", "version": "1.3.1", "type": "binary", "license": "Zlib", "location": "/opt/zlib"},
        {"name": "rails", "versions": ["6.0", "7.0"], "type": "gem"},
        {"name": "@a/b", "version": "1.0.0", "type": "NPM"},
        {"name": "My_Lib", "version": "1.0", "type": "python", "metadata": {"team": "x"}},
        {"name": "org.x:y", "version": "1.0", "type": "java"},
        {"name": "tool", "version": "1.0", "release": "2", "type": "dpkg", "origin": "us", "size": 9, "arch": "amd64"},
        {"name": "musl", "version": "1.2.4-r2", "type": "apkg", "origin": "musl-src"},
    ])  # fmt: skip
    assert sorted(package.purl for package in found.packages) == [
        "pkg:apk/debian/musl@1.2.4-r2?distro=debian-12&upstream=musl-src",
        "pkg:deb/debian/tool@1.0-2?arch=amd64&distro=debian-12",
        "pkg:gem/rails@6.0", "pkg:gem/rails@7.0", "pkg:generic/zlib@1.3.1", "pkg:maven/org.x/y@1.0",
        "pkg:npm/%40a/b@1.0.0", "pkg:pypi/my-lib@1.0",
    ]  # fmt: skip
    by_name = {package.name: package for package in found.packages}
    assert (by_name["zlib"].locations[0].path, by_name["zlib"].licenses) == ("opt/zlib", ("Zlib",))
    assert (by_name["tool"].vendor, by_name["tool"].size, by_name["tool"].scheme) == ("us", 9, "deb")
    assert by_name["My_Lib"].metadata == {"team": "x", "kind": "hint"}
    assert by_name["musl"].source == "musl-src"
    assert found.looked_for == {"hints": "8 packages"}


def test_yaml_keeps_versions_as_they_are_written():
    text = "packages:\n- {name: a, version: 1.10, type: gem}\n- name: b\n  version: 2024-01-02\n  type: generic\n"
    assert [package.version for package in find(text, "anchore_hints.yaml")[1].packages] == ["1.10", "2024-01-02"]


def test_a_hint_never_overrides_what_was_found():
    there = [Package("bash", "5.2", "deb", "deb"), Package("a", "1.0", "gem", "gem")]
    hints = [
        {"name": "bash", "version": "9", "type": "dpkg"}, {"name": "a", "version": "1.0", "type": "gem"},
        {"name": "a", "version": "2.0", "type": "gem"},
    ]  # fmt: skip
    _, found = find(hints, packages=there)
    assert [(package.name, package.version) for package in found.packages] == [("a", "2.0")]
    assert [problem.incomplete for problem in found.problems] == [False, False]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("x", "no mapping"),
        ({"name": "a", "type": "gem"}, "no version"),
        ({"version": "1", "type": "gem"}, "no name"),
        ({"name": "a", "version": "1", "type": "sausage"}, "no type"),
        ({"name": "a", "version": "1", "type": "apkg"}, "no release"),
        ({"name": ["a"], "version": {"b": 1}, "type": None}, "no name and no version and no type"),
    ],
)
def test_hints_that_cannot_be_used_are_problems(entry, words):
    _, found = find([entry])
    assert found.packages == ()
    assert len(found.problems) == 1 and words in found.problems[0].message and found.problems[0].incomplete


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("anchore_hints.json", "{"), ("anchore_hints.json", "[]"), ("anchore_hints.json", "[" * 100_000),
        ("anchore_hints.yaml", "a: ["), ("anchore_hints.yml", "x" * 200_000), ("anchore_hints.yaml", b"\xff\xfe\x00"),
        ("anchore_hints.json", '{"packages": {}}'),
    ],
)  # fmt: skip
def test_files_that_are_no_hints_are_problems(name, text):
    view, found = find(text, name)
    assert found.packages == () and len(view.read_problems) == 1


def test_only_at_the_root():
    _, found = find([{"name": "a", "version": "1", "type": "gem"}], "app/anchore_hints.json")
    assert found.packages == ()

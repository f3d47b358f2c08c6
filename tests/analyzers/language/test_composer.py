"""Installed PHP packages of Composer: both forms of installed.json, layers, and damage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from anchorecli.analyzers.language.composer import Composer, read_installed
from anchorecli.model import Package
from tests.analyzers.view import TestView, make_view
from tests.builders import Entry

PATH = "srv/vendor/composer/installed.json"
MONOLOG = {"name": "monolog/monolog", "version": "2.9.1", "license": ["MIT"], "type": "library"}
CONSOLE = {"name": "Symfony/Console", "version": "v5.4.0", "license": ["MIT", "Apache-2.0"]}


def packages(*layers: Mapping[str, bytes | str | Entry]) -> tuple[dict[str, Package], TestView]:
    view = make_view(Composer(), layers)
    return {package.name: package for package in Composer().assemble(view).packages}, view


def installed(*names: dict[str, Any], **more: Any) -> str:
    return json.dumps({"packages": list(names), "dev": True, **more})


@pytest.mark.parametrize("text", [json.dumps([MONOLOG, CONSOLE]), installed(MONOLOG, CONSOLE)])
def test_both_forms_are_read(text: str) -> None:
    found, _ = packages({PATH: text})
    assert {package.purl for package in found.values()} == {
        "pkg:composer/monolog/monolog@2.9.1",
        "pkg:composer/symfony/console@v5.4.0",
    }
    console = found["symfony/console"]
    assert (console.type, console.scheme, console.licenses) == ("composer", "composer", ("MIT", "Apache-2.0"))


def test_development_packages_branches_and_kinds_are_marked() -> None:
    branch = {"name": "a/b", "version": "dev-main", "source": {"reference": "abc123"}, "type": "composer-plugin"}
    found, _ = packages({PATH: installed(MONOLOG, branch, **{"dev-package-names": ["monolog/monolog", 7]})})
    assert found["monolog/monolog"].metadata == {"dev": "true"}
    assert found["a/b"].metadata == {"type": "composer-plugin", "reference": "abc123"}


def test_a_package_that_came_with_a_lower_layer_is_that_layers() -> None:
    found, view = packages({PATH: installed(MONOLOG)}, {PATH: installed(MONOLOG, CONSOLE)})
    assert found["monolog/monolog"].layer == view.diff_id(0)
    assert found["symfony/console"].layer == view.diff_id(1)


def test_other_files_of_that_name_are_not_read() -> None:
    assert packages({"srv/installed.json": installed(MONOLOG), "composer/x/installed.json": "{"})[0] == {}


@pytest.mark.parametrize("text", ["", "{", "7", "{}", '{"packages": 3}', "[" * 100_000, "\xff"])
def test_what_is_no_list_of_packages_is_told(text: str) -> None:
    found, view = packages({PATH: text})
    assert not found
    assert [problem.subject for problem in view.read_problems] == [PATH]


@pytest.mark.parametrize(
    "item",
    [
        None, 7, "text", [], {}, {"name": "a/b"}, {"version": "1"}, {"name": "no-vendor", "version": "1"},
        {"name": "a/b c", "version": "1"}, {"name": ["a/b"], "version": "1"}, {"name": "a/b", "version": 1},
        {"name": "a" * 1000 + "/b", "version": "1"}, {"name": "a" * 299 + "!", "version": "1"},
    ],
)  # fmt: skip
def test_what_is_no_package_is_left_out(item: object) -> None:
    assert read_installed(json.dumps([item, MONOLOG]).encode()) == [
        {"name": "monolog/monolog", "version": "2.9.1", "licenses": ["MIT"]}
    ]


def test_odd_values_in_a_package_do_no_harm() -> None:
    odd = {"name": "a/b", "version": "dev-x\ud800", "license": "MIT", "type": 3, "source": [], "dist": {"reference": 1}}
    [found] = read_installed(json.dumps([odd]).encode())
    assert found == {"name": "a/b", "version": "dev-x?", "licenses": ["MIT"]}


PHP = """<?php return array(
    'root' => array(
        'name' => 'acme/app',
        'pretty_version' => 'dev-main',
        'install_path' => __DIR__ . '/../../',
        'dev' => true,
    ),
    'versions' => array(
        'acme/app' => array(
            'pretty_version' => 'dev-main',
            'type' => 'project',
            'aliases' => array(),
        ),
        'monolog/monolog' => array(
            'pretty_version' => '2.9.1',
            'version' => '2.9.1.0',
            'reference' => 'f259e2b15fb95494c83f52d3caad003bbf5ffaa1',
            'type' => 'library',
            'aliases' => array(),
            'dev_requirement' => false,
        ),
        'psr/log-implementation' => array(
            'dev_requirement' => false,
            'provided' => array(
                0 => '1.0.0 || 2.0.0 || 3.0.0',
            ),
        ),
        'acme/tool' => array(
            'pretty_version' => 'dev-master',
            'reference' => 'abc',
            'type' => 'composer-plugin',
            'dev_requirement' => true,
        ),
    ),
);
"""
ARRAY = "srv/vendor/composer/installed.php"


def test_the_run_times_array_counts_where_the_list_is_gone() -> None:
    found, view = packages({ARRAY: PHP})
    assert {package.purl: package.metadata for package in found.values()} == {
        "pkg:composer/monolog/monolog@2.9.1": {},
        "pkg:composer/acme/tool@dev-master": {"type": "composer-plugin", "dev": "true", "reference": "abc"},
    }
    assert not view.read_problems
    both, _ = packages({ARRAY: PHP, PATH: installed(CONSOLE)})
    assert set(both) == {"symfony/console"}
    assert packages({ARRAY: "<?php return array();"})[0] == {}

"""Installed Conda packages."""

from __future__ import annotations

import json

import pytest

from anchorecli.analyzers.language.conda import Conda
from anchorecli.model import Package
from tests.analyzers.view import TestView, make_view

OPENSSL = {
    "name": "openssl",
    "version": "3.3.0",
    "build": "h4bc722e_3",
    "channel": "https://conda.anaconda.org/conda-forge/linux-64",
    "subdir": "linux-64",
    "license": "Apache-2.0",
    "files": ["bin/openssl"],
}


def packages(files: dict[str, bytes | str]) -> tuple[tuple[Package, ...], TestView]:
    view = make_view(Conda(), [files])
    return Conda().assemble(view).packages, view


def test_a_package_of_an_environment() -> None:
    [package], _ = packages({"opt/conda/conda-meta/openssl-3.3.0-h4bc722e_3.json": json.dumps(OPENSSL)})
    assert package.purl == "pkg:conda/openssl@3.3.0?build=h4bc722e_3&channel=conda-forge&subdir=linux-64"
    assert package.licenses == ("Apache-2.0",)


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("conda-forge", "conda-forge"),
        ("https://repo.anaconda.com/pkgs/main/linux-64", "pkgs/main"),
        ("https://repo.anaconda.com/pkgs/main/noarch", "pkgs/main"),
        ("https://user:word@example.org/private", "private"),
        ("https://conda.anaconda.org/t/se-cret/private/linux-64", "private"),
        ("", ""),
    ],
)
def test_a_channel_is_told_by_its_name_and_without_credentials(channel: str, name: str) -> None:
    [package], _ = packages({"env/conda-meta/a.json": json.dumps({**OPENSSL, "channel": channel})})
    assert package.metadata.get("channel", "") == name


def test_the_history_and_the_package_cache_are_no_packages() -> None:
    assert packages({"env/conda-meta/history": "x", "opt/conda/pkgs/a/info/index.json": json.dumps(OPENSSL)})[0] == ()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"name": "a"}', '{"name": 1, "version": "1"}', "[" * 100_000])
def test_a_record_without_a_package_is_told(text: str) -> None:
    found, view = packages({"env/conda-meta/a.json": text})
    assert not found
    assert [problem.subject for problem in view.read_problems] == ["env/conda-meta/a.json"]

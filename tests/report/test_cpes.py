"""Guessed CPE names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.model import Package
from anchorecli.report.cpe_names import NAMES
from anchorecli.report.cpes import MOST, guessed, is_cpe


def package(kind: str, name: str, version: str = "1.0", **more: Any) -> Package:
    return Package(name, version, kind, "fuzzy", **more)


def pairs(found: tuple[str, ...]) -> list[str]:
    return [":".join(each.split(":")[3:5]) for each in found]


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("pypi", "x", ["x:x", "x_project:x", "python-x:x", "python:x"]),
        ("npm", "lodash", ["lodash:lodash", "lodash_project:lodash"]),
        ("npm", "@babel/core", ["babel:core", "core:core"]),
        ("maven", "org.apache.poi:poi-ooxml", ["apache:poi-ooxml", "apache:poi_ooxml"]),
        ("maven", "commons-io:commons-io", ["apache:commons-io", "apache:commons_io"]),
        ("maven", "com.fasterxml.jackson:databind", ["fasterxml:databind", "jackson:databind", "databind:databind"]),
        ("golang", "github.com/hashicorp/vault/v2", ["hashicorp:vault"]),
        ("golang", "golang.org/x/text", ["golang:text", "text:text"]),
        ("gem", "rack", ["rack:rack", "rack_project:rack"]),
    ],
)  # fmt: skip
def test_vendors_and_products_by_the_customs_of_each_ecosystem(kind: str, name: str, expected: list[str]) -> None:
    found = guessed(package(kind, name, "v1.0" if kind == "golang" else "1.0"))
    assert pairs(found) == expected
    assert all(each.split(":")[5] == "1.0" for each in found)


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("maven", "org.apache.logging.log4j:log4j-core", ["apache:log4j"]),
        ("maven", "io.netty:netty-codec-http2", ["netty:netty"]),
        ("maven", "io.netty.incubator:netty-codec", ["netty:netty-codec", "incubator:netty-codec"]),
        ("maven", "mysql:mysql-connector-java", ["oracle:mysql_connector\\/j"]),
        ("pypi", "Django", ["djangoproject:django"]),
        ("npm", "semver", ["npmjs:semver"]),
        ("golang", "golang.org/x/net", ["golang:networking"]),
    ],
)  # fmt: skip
def test_packages_that_nvd_calls_otherwise_are_called_so(kind: str, name: str, expected: list[str]) -> None:
    assert pairs(guessed(package(kind, name)))[: len(expected)] == expected


def test_the_table_has_names_that_are_valid_and_each_package_once() -> None:
    rows = [tuple(line.split()[:2]) for line in NAMES.strip().splitlines()]
    assert rows == list(dict.fromkeys(rows))
    for kind, name in rows:
        assert guessed(package(kind, name.removesuffix(":") + (":x" if name.endswith(":") else ""))), name


def test_the_target_software_is_the_ecosystem() -> None:
    assert guessed(package("npm", "x"))[0] == "cpe:2.3:a:x:x:1.0:*:*:*:*:node.js:*:*"


@pytest.mark.parametrize(
    "found",
    [
        package("deb", "openssl"),
        package("rpm", "openssl"),
        package("apk", "openssl"),
        package("generic", "openssl"),
        package("pypi", "x", ""),
        package("golang", "x", metadata={"inexact": "a commit"}),
        package("pypi", "x", cpes=("cpe:2.3:a:b:x:1.0:*:*:*:*:*:*:*",)),
    ],
)
def test_nothing_is_guessed_where_it_would_be_wrong(found: Package) -> None:
    assert guessed(found) == ()


@given(st.sampled_from(["pypi", "npm", "maven", "golang"]), st.text(max_size=30), st.text(max_size=10))
def test_whatever_the_name_a_guess_is_a_name(kind: str, name: str, version: str) -> None:
    found = guessed(package(kind, name, version))
    assert len(found) <= MOST
    assert all(map(is_cpe, found))


@pytest.mark.parametrize(
    "text",
    [
        "", "cpe:/a:b:c", "cpe:2.3:a:b", "cpe:2.3:a:b c:d:1:*:*:*:*:*:*:*", "cpe:2.3:a:b:c:\\\ufffd1:*:*:*:*:*:*:*",
        "cpe:2.3:a:b:c:1\\\u202e:*:*:*:*:*:*:*", "cpe:2.3:a:b:c:1*2:*:*:*:*:*:*:*", "cpe:2.3:a:b:c:1\\-2:*:*:*:*:*:*:*",
    ],
)  # fmt: skip
def test_what_is_no_name(text: str) -> None:
    assert not is_cpe(text)

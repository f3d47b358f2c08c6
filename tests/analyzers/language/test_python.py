"""Installed Python distributions: which there are, what their metadata says, and what damage does."""

from __future__ import annotations

import email.parser
import json
import random
from collections.abc import Mapping

import pytest

from anchorecli.analyzers.base import Found
from anchorecli.analyzers.language.core_metadata import license_title, read_direct_url, read_metadata
from anchorecli.analyzers.language.python import Python, normalised
from anchorecli.model import Package
from tests.analyzers.view import MemoryFile, make_view
from tests.builders import Entry, hardlink, link

SITE = "usr/lib/python3.11/site-packages"
DEBIAN = "usr/lib/python3/dist-packages"

Files = Mapping[str, bytes | str | Entry]


def metadata(name: str = "Requests", version: str = "2.31.0", more: str = "") -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}\nName: not-a-header\nVersion: 9\n"


def assemble(*layers: Files) -> Found:
    return Python().assemble(make_view(Python(), layers))


def packages(*layers: Files) -> dict[str, Package]:
    found = assemble(*layers)
    assert not found.problems
    return {package.name: package for package in found.packages}


# ── what counts as installed ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "path",
    [
        f"{SITE}/requests-2.31.0.dist-info/METADATA",
        f"{DEBIAN}/requests-2.31.0.egg-info/PKG-INFO",
        f"{DEBIAN}/requests.egg-info/PKG-INFO",
        f"{DEBIAN}/requests-2.31.0.egg-info",
        f"{SITE}/requests-2.31.0-py3.11.egg/EGG-INFO/PKG-INFO",
        "opt/venv/lib/python3.12/site-packages/requests-2.31.0.dist-info/METADATA",
        "function/requests-2.31.0.dist-info/METADATA",
        "requests-2.31.0.dist-info/METADATA",
        "tests/requests-2.31.0.dist-info/METADATA",
    ],
)
def test_every_form_of_metadata_is_one_package(path: str) -> None:
    found = packages({path: metadata()})

    package = found["requests"]
    assert (package.version, package.type, package.scheme) == ("2.31.0", "pypi", "pep440")
    assert package.purl == "pkg:pypi/requests@2.31.0"
    assert [location.path for location in package.locations] == [path]
    assert package.analyzer == "python"
    assert package.metadata["name"] == "Requests"


@pytest.mark.parametrize(
    "path",
    [
        f"{SITE}/~equests-2.31.0.dist-info/METADATA",
        "root/.cache/uv/archive-v0/kZZlJ-GDqlKpdz6A/requests-2.31.0.dist-info/METADATA",
        f"{SITE}/requests-2.31.0.dist-info/PKG-INFO",
        f"{SITE}/requests/METADATA",
        f"{SITE}/pkg_resources/tests/data/my_test-1.0-py3.7.egg/EGG-INFO/PKG-INFO",
        f"{SITE}/EGG-INFO/PKG-INFO",
        "METADATA",
        "PKG-INFO",
    ],
)
def test_what_cannot_be_imported_is_no_package(path: str) -> None:
    assert assemble({path: metadata()}) == Found()


@pytest.mark.parametrize("inside", ["site-packages", "lib/python3.11/site-packages"])
def test_condas_cache_of_packages_is_not_installed(inside: str) -> None:
    cached = f"opt/conda/pkgs/six-1.16.0-pyhd_0/{inside}/six-1.16.0.dist-info/METADATA"
    installed = "opt/conda/lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA"
    files: dict[str, str | Entry] = {
        cached: metadata("six", "1.16.0"),
        "opt/conda/pkgs/six-1.16.0-pyhd_0/info/index.json": "{}",
        installed: hardlink(cached),
    }
    found = packages(files)
    assert [location.path for location in found["six"].locations] == [installed]
    assert packages({"srv/pkgs/app/six-1.16.0.dist-info/METADATA": metadata("six", "1.16.0")})


def test_a_distribution_that_is_hard_linked_to_uvs_cache_is_found() -> None:
    cached = "root/.cache/uv/archive-v0/kZZlJ-GDqlKpdz6A/six-1.16.0.dist-info/METADATA"
    installed = "srv/venv/lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA"
    found = packages({cached: metadata("six", "1.16.0"), installed: hardlink(cached)})
    assert [location.path for location in found["six"].locations] == [installed]


def test_the_interpreters_own_egg_info_is_no_package() -> None:
    assert not packages({"usr/lib/python2.7/lib-dynload/Python-2.7.egg-info": metadata("Python", "2.7.18")})


def test_two_forms_at_one_place_are_one_package_and_two_places_are_two() -> None:
    found = assemble(
        {
            f"{DEBIAN}/cryptography-38.0.4.dist-info/METADATA": metadata("cryptography", "38.0.4"),
            f"{DEBIAN}/cryptography.egg-info/PKG-INFO": metadata("Cryptography", "38.0.4"),
            f"{SITE}/cryptography-38.0.4.dist-info/METADATA": metadata("cryptography", "38.0.4"),
        }
    ).packages

    assert sorted([location.path for location in package.locations] for package in found) == [
        [f"{SITE}/cryptography-38.0.4.dist-info/METADATA"],
        [f"{DEBIAN}/cryptography-38.0.4.dist-info/METADATA", f"{DEBIAN}/cryptography.egg-info/PKG-INFO"],
    ]


def test_two_versions_at_one_place_are_both_told() -> None:
    found = assemble(
        {
            f"{SITE}/six-1.15.0.dist-info/METADATA": metadata("six", "1.15.0"),
            f"{SITE}/six-1.16.0.dist-info/METADATA": metadata("six", "1.16.0"),
        }
    ).packages
    assert sorted(package.version for package in found) == ["1.15.0", "1.16.0"]


def test_a_removed_distribution_is_gone_and_a_replaced_one_is_the_new_one() -> None:
    lower = {
        f"{SITE}/six-1.15.0.dist-info/METADATA": metadata("six", "1.15.0"),
        f"{SITE}/idna-3.0.dist-info/METADATA": metadata("idna", "3.0"),
    }
    upper = {
        f"{SITE}/.wh.six-1.15.0.dist-info": "",
        f"{SITE}/.wh.idna-3.0.dist-info": "",
        f"{SITE}/six-1.16.0.dist-info/METADATA": metadata("six", "1.16.0"),
    }
    found = packages(lower, upper)
    assert {name: package.version for name, package in found.items()} == {"six": "1.16.0"}


def test_a_distribution_behind_a_linked_directory_is_found_once() -> None:
    found = assemble({f"{SITE}/six-1.16.0.dist-info/METADATA": metadata("six"), "app/packages": link(f"/{SITE}")})
    assert len(found.packages) == 1


# ── the layer ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_layer_that_only_touches_a_file_did_not_bring_the_package() -> None:
    path = f"{SITE}/six-1.16.0.dist-info/METADATA"
    files = {path: metadata("six", "1.16.0")}
    view = make_view(Python(), [{"a": ""}, files, {"b": ""}, files])
    (package,) = Python().assemble(view).packages

    assert package.layer == view.diff_id(1)
    assert package.locations[0].layer == view.diff_id(3)


def test_a_layer_that_brings_a_package_back_did_bring_it() -> None:
    path = f"{SITE}/six-1.16.0.dist-info/METADATA"
    files = {path: metadata("six", "1.16.0")}
    view = make_view(Python(), [files, {f"{SITE}/.wh.six-1.16.0.dist-info": ""}, files])
    (package,) = Python().assemble(view).packages
    assert package.layer == view.diff_id(2)


# ── what the metadata says ──────────────────────────────────────────────────────────────────────────────────────────


def test_names_compare_as_pep_503_says() -> None:
    assert normalised("Zope.Interface__x-.y") == "zope-interface-x-y"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: BSD\n", ("MIT OR Apache-2.0",)),
        ("License: Apache 2.0\nClassifier: License :: OSI Approved :: BSD License\n", ("Apache-2.0",)),
        ("License: see LICENSE\nClassifier: License :: OSI Approved :: MIT License\n", ("MIT",)),
        ("License: BSD\nClassifier: License :: OSI Approved :: BSD License\n", ("BSD",)),
        ("License: UNKNOWN\nClassifier: License :: OSI Approved :: ISC License (ISCL)\n", ("ISC",)),
        (
            "Classifier: License :: OSI Approved :: MIT License\n"
            "Classifier: Topic :: Software Development\n"
            "Classifier: License :: OSI Approved :: Apache Software License\n",
            ("MIT", "Apache Software License"),
        ),
        ("License: MIT License\n        \n        Copyright (c) 2020 Somebody\n", ("MIT",)),
        ("License: Copyright (c) 2020 Somebody\n        Permission is hereby granted\n", ()),
        ("", ()),
    ],
)
def test_licences(headers: str, expected: tuple[str, ...]) -> None:
    found = packages({f"{SITE}/requests-2.31.0.dist-info/METADATA": metadata(more=headers)})
    assert found["requests"].licenses == expected


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("MIT", "MIT"),
        ("x" * 121, ""),
        ("Apache License\n    Version 2.0, January 2004\n  http://", "Apache License Version 2.0, January 2004"),
        ("| MIT License\n|\n| Copyright", "MIT License"),
        ("Copyright (c) by me, see license\nmore", ""),
        (" \n", ""),
    ],
)
def test_of_a_whole_licence_only_its_title_is_kept(text: str, title: str) -> None:
    assert license_title(text) == title


@pytest.mark.parametrize(
    ("data", "name", "version"),
    [
        (b"Name: a\nVersion: 1\n", "a", "1"),
        (b"NAME: a\r\nversion:1\r\n\r\nName: b\r\n", "a", "1"),
        (b"\xef\xbb\xbfName: a\nVersion: 1", "a", "1"),
        (b"Name: a\n\tb\nVersion: 1\n  rc1\n", "a b", "1 rc1"),
        (b"Name: a\nName: b\nVersion: 1\n", "a", "1"),
        (b"Summary: x\n Name: b\nName: a\nnot a header\nVersion: 1\n", "a", "1"),
        (b"Name: caf\xe9\nVersion: 1\n", "caf\N{REPLACEMENT CHARACTER}", "1"),
        (b"Name: a\0b\nVersion: 1\n", "ab", "1"),
        (b"Name:\nVersion: 1\n", None, "1"),
        (b"Name: a\n\nVersion: 1\n", "a", None),
        (b"", None, None),
    ],
)
def test_headers(data: bytes, name: str | None, version: str | None) -> None:
    fact = read_metadata(data)
    assert (fact.get("name"), fact.get("version")) == (name, version)


def test_headers_agree_with_the_standard_librarys_parser() -> None:
    rng = random.Random(7)
    fields = ["Name", "Version", "License", "Classifier", "Summary", "Requires-Dist", "License-Expression"]
    for _ in range(300):
        lines = []
        for _ in range(rng.randrange(1, 12)):
            value = " ".join(rng.choice(["a", "1.0", "MIT", "x:y", "License ::", "é"]) for _ in range(3))
            lines.append(f"{rng.choice(fields)}: {value}")
            lines += ["        continued"] * (rng.random() < 0.2)
        text = "\n".join(lines) + rng.choice(["", "\n", "\n\nName: body\n"])
        message = email.parser.Parser().parsestr(text, headersonly=True)
        fact = read_metadata(text.encode())
        for field, key in (("Name", "name"), ("Version", "version"), ("License-Expression", "expression")):
            expected = " ".join((message[field] or "").split())
            assert fact.get(key, "") == expected, text


def test_a_long_description_leaves_a_small_fact() -> None:
    body = "Version: 3\n" * 100_000
    fact = read_metadata(metadata(more="").encode() + body.encode())
    assert fact == {"name": "Requests", "version": "2.31.0"}


# ── where it came from ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_version_control_install_is_told_from_the_index_release() -> None:
    root = f"{SITE}/requests-2.31.0.dist-info"
    direct = {
        "url": "https://user:secret@github.com/psf/requests",
        "vcs_info": {"vcs": "git", "commit_id": "abc123", "requested_revision": "main"},
    }
    found = packages(
        {f"{root}/METADATA": metadata(), f"{root}/direct_url.json": json.dumps(direct), f"{root}/INSTALLER": "uv\n"}
    )["requests"]

    assert found.metadata == {
        "name": "Requests",
        "direct_url": "https://github.com/psf/requests",
        "vcs": "git",
        "commit": "abc123",
        "installer": "uv",
    }
    assert found.purl == "pkg:pypi/requests@2.31.0?vcs_url=git%2Bhttps://github.com/psf/requests%40abc123"


def test_an_editable_install_says_so() -> None:
    root = f"{SITE}/app-1.dist-info"
    direct = {"url": "file:///src/app", "dir_info": {"editable": True}}
    found = packages({f"{root}/METADATA": metadata("app", "1"), f"{root}/direct_url.json": json.dumps(direct)})["app"]
    assert found.metadata == {"direct_url": "file:///src/app", "editable": "true"}


def test_a_vendored_copy_names_its_owner() -> None:
    root = f"{SITE}/setuptools/_vendor/wheel-0.43.0.dist-info"
    assert packages({f"{root}/METADATA": metadata("wheel", "0.43.0")})["wheel"].metadata == {
        "vendored_by": "setuptools"
    }


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"url": 1}', b"\xff", b"[" * 100_000, b'{"url": "\\ud800", "vcs_info": []}'[:-9]]
)
def test_a_damaged_origin_is_a_remark_and_the_package_stays(data: bytes) -> None:
    root = f"{SITE}/requests-2.31.0.dist-info"
    found = assemble({f"{root}/METADATA": metadata(), f"{root}/direct_url.json": data})

    assert [package.name for package in found.packages] == ["requests"]
    (problem,) = found.problems
    assert problem.subject == f"{root}/direct_url.json"
    assert not problem.incomplete


def test_odd_fields_of_an_origin_are_left_out() -> None:
    document = {"url": "https://h/\ud800", "vcs_info": {"vcs": "git", "commit_id": 5}, "dir_info": {"editable": "yes"}}
    assert read_direct_url(json.dumps(document).encode()) == {"url": "https://h/?", "vcs": "git"}


# ── damage ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "content", "identity", "lacking"),
    [
        ("six-1.16.0.dist-info/METADATA", "Name: six\n", ("six", "1.16.0"), "no version"),
        ("six-1.16.0.dist-info/METADATA", "", ("six", "1.16.0"), "no name and no version"),
        ("six-1.16.0-py3.11.egg-info/PKG-INFO", "Name: six\n\n", ("six", "1.16.0"), "no version"),
        ("six-1.16.0-py3.11-linux-x86_64.egg-info", b"\0\xff\xfe", ("six", "1.16.0"), "no name and no version"),
        ("six-1.16.0.dist-info/METADATA", "Version: 2\n", ("six", "2"), "no name"),
    ],
)
def test_what_the_metadata_lacks_its_directorys_name_tells(
    path: str, content: str | bytes, identity: tuple[str, str], lacking: str
) -> None:
    found = assemble({f"{SITE}/{path}": content})

    assert [(package.name, package.version) for package in found.packages] == [identity]
    (problem,) = found.problems
    assert lacking in problem.message
    assert problem.subject == f"{SITE}/{path}"
    assert problem.incomplete


def test_what_nothing_names_is_a_problem() -> None:
    found = assemble({f"{SITE}/six.egg-info/PKG-INFO": "Name: six\n"})
    assert not found.packages
    assert "no version in it, nor" in found.problems[0].message
    assert found.problems[0].incomplete


def test_damage_that_a_later_layer_repaired_is_no_problem() -> None:
    path = f"{SITE}/six-1.16.0.dist-info/METADATA"
    assert packages({path: ""}, {path: metadata("six", "1.16.0")})["six"].version == "1.16.0"


def test_reading_cut_or_changed_metadata_never_raises() -> None:
    whole = metadata(more="License: MIT\n  more\nClassifier: License :: OSI Approved :: MIT License\n").encode()
    direct = b'{"url": "git+https://h/r", "vcs_info": {"vcs": "git", "commit_id": "a"}, "dir_info": {"editable": true}}'
    rng = random.Random(1)
    for path, data in ((f"{SITE}/a-1.dist-info/METADATA", whole), (f"{SITE}/a-1.dist-info/direct_url.json", direct)):
        cut = [data[:length] for length in range(len(data) + 1)]
        for broken in cut + [_mutated(data, rng) for _ in range(2000)]:
            fact = Python().read(MemoryFile(path, broken))
            json.dumps(fact).encode("utf-8")


def _mutated(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(changed))
        changed[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
    return bytes(changed)


def test_a_file_name_without_a_version_has_none() -> None:
    view = make_view(Python(), [{"usr/lib/python3/site-packages/no-version-py3.8.egg-info": "Name: no-version\n"}])
    found = Python().assemble(view)
    assert found.packages == ()
    assert [problem.message for problem in found.problems] == ["no version in it, nor in its directory's name"]

"""Zip files that are programs under names of their own: what is in them, which files are none, and damage."""

from __future__ import annotations

import random

import pytest

from anchorecli.analyzers.base import PARTIAL, Found
from anchorecli.analyzers.binary.plugin import Binaries
from tests.analyzers.language.jars import classes, jar, manifest, maven
from tests.analyzers.view import MemoryFile, TestView, make_view
from tests.builders import Entry

PYTHON = b"#!/usr/bin/env python3\n"
JAVA = b'#!/bin/sh\nexec java -jar "$0" "$@"\n'
FLASK = {"site-packages/Flask-2.0.1.dist-info/METADATA": "Name: Flask\nVersion: 2.0.1\nLicense: BSD-3-Clause\n"}
GUAVA = {**maven("com.google.guava", "guava", "31.1-jre"), **classes("com.google.common.base")}
FILLING = {"data.bin": random.Random(1).randbytes(30_000)}

APPLICATION = jar({**FLASK, **FILLING}, prefix=PYTHON)


def look(path: str, content: bytes, mode: int = 0o755) -> tuple[Found, TestView]:
    view = make_view(Binaries(), [{path: Entry(content, mode=mode)}])
    return Binaries().assemble(view), view


def purls(path: str, content: bytes, mode: int = 0o755) -> list[str]:
    found, view = look(path, content, mode)
    assert not view.read_problems
    return sorted(package.purl for package in found.packages)


def test_a_zip_application_may_have_any_name() -> None:
    found, view = look("usr/local/bin/app", APPLICATION)
    [package] = found.packages
    assert (package.purl, package.licenses) == ("pkg:pypi/flask@2.0.1", ("BSD-3-Clause",))
    assert package.metadata == {"kind": "zipapp", "inside": "site-packages/Flask-2.0.1.dist-info/METADATA"}
    assert [place.path for place in package.locations] == ["usr/local/bin/app"]
    assert not view.read_problems and not found.problems


def test_a_jar_may_stand_behind_the_script_that_starts_it() -> None:
    inner = {"BOOT-INF/lib/guava-31.1-jre.jar": jar(GUAVA)}
    content = jar({**inner, **manifest(Implementation_Title="x"), **FILLING}, stored=True, prefix=JAVA + b"#" * 9000)
    found, view = look("usr/local/bin/tool-1.0", content)
    itself, package = found.packages
    assert package.purl == "pkg:maven/com.google.guava/guava@31.1-jre"
    assert (itself.name, itself.version) == ("tool", "1.0")
    assert [place.path for place in package.locations] == [
        "usr/local/bin/tool-1.0:BOOT-INF/lib/guava-31.1-jre.jar",
        "usr/local/bin/tool-1.0",
    ]
    assert not view.read_problems


def test_one_without_a_first_line_counts_where_it_has_no_ending_or_may_be_executed() -> None:
    content = jar({**FLASK, **FILLING})
    large = jar({**FLASK, "data.bin": random.Random(2).randbytes(300_000)})
    assert purls("opt/app", content) == purls("opt/app-1.2", content) == purls("opt/app", large, 0o644)
    assert purls("opt/app", content) == ["pkg:pypi/flask@2.0.1"]
    assert purls("opt/report.docx", large, 0o644) == []


@pytest.mark.parametrize("name", ["app.pex", "app.pyz", "a.jar", "a-1.0-py3-none-any.whl", "A.ZIP"])
def test_those_of_a_known_ending_are_other_analyzers(name: str) -> None:
    assert purls(f"opt/{name}", jar({**FLASK, **FILLING}, prefix=PYTHON)) == []


def test_scripts_and_other_zip_files_are_nothing() -> None:
    assert purls("usr/bin/script", PYTHON + b"print(1)\n" * 5000) == []
    assert purls("usr/bin/data", jar(FILLING, prefix=PYTHON)) == []


def test_a_jar_that_nothing_names_is_a_remark_here_too() -> None:
    found, _ = look("usr/bin/tool", jar({**classes("com.example.tool"), **FILLING}, prefix=JAVA))
    [problem] = found.problems
    assert "usr/bin/tool" in problem.message and not problem.incomplete and not found.packages


def test_what_is_damaged_inside_is_told() -> None:
    name = next(iter(FLASK))
    content = bytearray(APPLICATION)
    start = content.index(name.encode()) + len(name)
    content[start : start + 20] = bytes(20)
    _found, view = look("usr/bin/app", bytes(content))
    assert [problem.subject for problem in view.read_problems] == ["usr/bin/app"]

    inner = jar({"lib/a.jar": jar(GUAVA)[:-30], **classes("x"), **FILLING}, stored=True, prefix=JAVA)
    fact = Binaries().read(MemoryFile("usr/bin/app", inner, 0o755))
    assert isinstance(fact, dict) and fact[PARTIAL] == "lib/a.jar: no zip archive, or a truncated one"


def test_small_programs_are_not_looked_into() -> None:
    program = b"\x7fELF\x02\x01\x01".ljust(30_000, b"\0")
    assert Binaries().read(MemoryFile("usr/bin/a", program, 0o755)) is None

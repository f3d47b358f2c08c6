"""Stanzas of a dpkg database, whole and damaged."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.analyzers.os.dpkg_status import parse

SAMPLE = """\
Package: bash
Status: install ok installed
Priority: required
Installed-Size: 7164
Maintainer: Matthias Klose <doko@debian.org>
Architecture: amd64
Version: 5.2.15-2+b2
Source: bash (5.2.15-2)
Conffiles:
 /etc/bash.bashrc 89269e1298235f1b12b4c16e4065ad0d
Description: GNU Bourne Again SHell
 Version: 9 is not a field here
\tPackage: neither is this

Package: libssl3
Status: deinstall ok config-files
Architecture: amd64
Version: 3.0.9-1
Source: openssl

Package: tzdata
Status: install ok triggers-pending
Architecture: all
Version: 2024a-0+deb12u1

"""


def names(text):
    return [stanza.name for stanza in parse(text).stanzas]


def test_fields():
    bash, tzdata = parse(SAMPLE).stanzas
    assert bash.version == "5.2.15-2+b2"
    assert (bash.source, bash.source_version) == ("bash", "5.2.15-2")
    assert (bash.arch, bash.state, bash.size) == ("amd64", "installed", 7164 * 1024)
    assert bash.maintainer == "Matthias Klose <doko@debian.org>"
    assert (tzdata.source, tzdata.source_version) == ("tzdata", "2024a-0+deb12u1")
    assert parse(SAMPLE).damage == ""


@pytest.mark.parametrize(
    ("status", "kept"),
    [
        ("install ok installed", True),
        ("hold ok installed", True),
        ("deinstall ok installed", True),
        ("install ok half-configured", True),
        ("install ok unpacked", True),
        ("install ok triggers-awaited", True),
        ("install ok triggers-pending", True),
        ("install reinstreq half-installed", True),
        ("deinstall ok config-files", False),
        ("purge ok not-installed", False),
        ("unknown ok not-installed", False),
    ],
)
def test_the_third_word_of_status_decides(status, kept):
    assert names(f"Package: a\nStatus: {status}\nVersion: 1\n\n") == (["a"] if kept else [])


def test_a_removed_package_needs_no_version():
    assert parse("Package: a\nStatus: purge ok not-installed\nPriority: extra\n\n").damage == ""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("gcc-12", ("gcc-12", "2")),
        ("gcc-12 (12.2.0-14)", ("gcc-12", "12.2.0-14")),
        ("gcc-12(1:2)", ("gcc-12", "1:2")),
        ("feeds/packages/utils/gcc", ("gcc", "2")),
        ("", ("a", "2")),
        ("broken (", ("broken", "2")),
    ],
)
def test_source(source, expected):
    (stanza,) = parse(f"Package: a\nVersion: 2\nSource: {source}\n").stanzas
    assert (stanza.source, stanza.source_version) == expected


def test_keys_in_any_case_repeated_keys_and_carriage_returns():
    assert names("PACKAGE: a\r\nversion: 1\r\n\r\nPackage: b\r\nVersion: 1\r\n") == ["a", "b"]
    assert parse("package: a\nversion: 1\nsource: x\nSource: y\n").stanzas[0].source == "y"


def test_a_stanza_of_two_versions_cannot_be_read():
    """dpkg refuses it too; neither of the two may hide the other."""
    read = parse("PACKAGE: a\r\nversion: 1\r\nVersion: 2\r\n\r\nPackage: b\r\nVersion: 1\r\n")
    assert [each.name for each in read.stanzas] == ["b"]
    assert read.damage


def test_a_tab_continues_a_field():
    assert names("Package: a\nDescription: x\n\tPackage: c\n\tVersion: 3\nVersion: 1\n") == ["a"]


@pytest.mark.parametrize(
    "stanza",
    [
        "Version: 1\n",
        "Package: a\nStatus: install ok installed\n",
        "Package: a b\nVersion: 1\n",
        "Package: a\nVersion: 1 2\n",
        "Package: a\nVersion: 1\0\n",
        "\0\0\0\0",
        "garbage",
        ": x\n",
    ],
)
def test_a_damaged_stanza_costs_only_itself(stanza):
    status = parse(f"Package: first\nVersion: 1\n\n{stanza}\n\nPackage: last\nVersion: 1\n\n")
    assert [found.name for found in status.stanzas] == ["first", "last"]
    assert status.damage.startswith("1 of 3 stanzas")
    assert status.damage.endswith("in line 4")


@pytest.mark.parametrize(("text", "size"), [("12", 12288), ("12.5K", 12800), ("x", 0), ("-3", 0), ("9" * 400 + "G", 0)])
def test_installed_size(text, size):
    found = parse(f"Package: a\nVersion: 1\nInstalled-Size: {text}\n").stanzas[0].size
    assert found == size or text.endswith("G")
    assert isinstance(found, int)


def test_cut_anywhere():
    for length in range(len(SAMPLE) + 1):
        assert names(SAMPLE[:length]) in ([], ["bash"], ["bash", "libssl3"], ["bash", "tzdata"])


@settings(deadline=None)
@given(st.text(max_size=300))
def test_no_text_breaks_it(text):
    parse(text)
    parse(f"{SAMPLE}{text}{SAMPLE}")


def test_this_machine_agrees_with_dpkg_query():
    status = Path("/var/lib/dpkg/status")
    if not status.exists():
        pytest.skip("no dpkg here")
    form = "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n"
    out = subprocess.run(["dpkg-query", "-W", "-f", form], capture_output=True, text=True, check=True).stdout
    theirs = {tuple(line.split("\t")[1:]) for line in out.splitlines() if not line.startswith(("config-", "not-"))}
    found = parse(status.read_text(encoding="utf-8", errors="replace")).stanzas
    assert {(s.name, s.version, s.arch, s.source, s.source_version) for s in found} == theirs

"""pom.properties, pom.xml and manifests: what is read from them, and that nothing makes them raise or slow."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.analyzers.language.java.manifest import read_manifest
from anchorecli.analyzers.language.java.pom import read_pom, read_properties


def test_properties_as_maven_and_gradle_write_them() -> None:
    text = b"#Generated\r\n version = 1.0\\u002b2 \r\ngroupId:org.a\nartifactId=b\nother=c\nversion=2\n"
    assert read_properties(text)["groupId"] == "org.a"
    assert read_properties(b"version=1.0\\u002b2\n") == {"version": "1.0+2"}


def test_a_pom_without_a_parent() -> None:
    text = b"""<?xml version="1.0"?><!-- <version>0</version> --><project xmlns="x">
      <modelVersion>4.0.0</modelVersion><groupId>org.a</groupId>
      <artifactId> b </artifactId><version>${own}</version>
      <properties><own>3.1</own></properties>
      <dependencies><dependency><groupId>no</groupId><version>9</version></dependency></dependencies>
      <licenses><license><name>A &amp; B</name><url/></license><license><name>MIT</name></license></licenses>
    </project>"""
    assert read_pom(text) == ({"groupId": "org.a", "artifactId": "b", "version": "3.1"}, ["A & B", "MIT"])


def test_what_a_pom_does_not_say_its_parent_does() -> None:
    parent = b"<parent><groupId>org.a</groupId><artifactId>p</artifactId><version>7</version></parent>"
    assert read_pom(b"<project>" + parent + b"<artifactId>b</artifactId></project>")[0] == {
        "groupId": "org.a",
        "artifactId": "b",
        "version": "7",
    }
    assert read_pom(b"<project>" + parent + b"<version>${project.parent.version}.1</version></project>")[0] == {
        "groupId": "org.a",
        "version": "7.1",
    }
    assert read_pom(b"<project><version>${nowhere}</version></project>")[0] == {"version": "${nowhere}"}


def test_entities_are_not_expanded_and_variables_not_without_end() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    assert read_pom(bomb + b"<project><version>&b;</version></project>")[0] == {"version": "&b;"}
    grown = b"<properties><a>${b}${b}${b}</a><b>${a}${a}${a}</b></properties>"
    found = read_pom(b"<project><version>${a}</version>" + grown + b"</project>")[0]["version"]
    assert len(found) <= 300


def test_a_manifests_lines_are_unfolded_and_only_what_is_wanted_is_kept() -> None:
    text = b"Manifest-Version: 1.0\r\nBundle-SymbolicName: org.a\r\n .b;x\r\nImplementation-version: 1\r\nFoo: x\r\n"
    assert read_manifest(text) == {"bundle-symbolicname": "org.a.b;x", "implementation-version": "1"}


def test_sections_for_packages_say_what_the_main_one_does_not() -> None:
    section = b"Manifest-Version: 1.0\n\nName: org/a\nImplementation-Version: 2.12\nImplementation-Title: a\n"
    assert read_manifest(section) == {"implementation-version": "2.12", "implementation-title": "a"}
    assert read_manifest(b"Bundle-Version: 1\n\nImplementation-Version: 2\n") == {"bundle-version": "1"}
    assert read_manifest(b"Implementation-Version: ${version}\nBundle-Version: @v@\n") == {}


BAITS = (
    b"<!--" * 200_000,
    b"<a " * 300_000,
    b"<a>" * 300_000,
    b"<project><version>" + b"${" * 400_000,
    b" " * 1_000_000,
    b"version=" + b"\\" * 900_000,
    b"version=" + b" " * 900_000 + b"x",
    b"\r\n " * 300_000,
    b"\n\n" * 500_000,
    b"A" * 1_000_000,
    b"&amp;" * 200_000,
)


def test_baits_are_read_to_the_end_soon() -> None:
    for bait in BAITS:
        read_manifest(bait)
        read_properties(bait)
        read_pom(bait)
        read_pom(b"<project>" + bait + b"</project>")


PIECES = (
    *(b"<project>", b"</project>", b"<version>", b"</version>", b"${project.version}", b"<", b">", b"1"),
    *(b"\n", b"\n ", b": ", b"Bundle-Version", b"version=", b"\xff", b"\\u00"),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES)))
def test_no_text_makes_them_raise(parts: list[bytes]) -> None:
    data = b"".join(parts)
    for texts in (read_manifest(data), read_properties(data), read_pom(data)[0]):
        for text in texts.values():
            text.encode()

"""What once took quadratic time, or more: expressions pumped with what they can be made to try again."""

from __future__ import annotations

import pytest

from anchorecli.errors import VersionError
from anchorecli.scan.history import line_of
from anchorecli.versions import SCHEMES, key
from tests.analyzers.language.jars import jar
from tests.fuzz.parsers import parsers

LOOK = parsers()
BEGIN = b"-----BEGIN PRIVATE KEY-----"


@pytest.mark.parametrize(
    "body",
    [b"Aaa: " * 40, b"Aaa: " * 90_000, b"Proc-Type: " * 40_000, b"\n" + b"+" * 300_000, b"\n" * 300_000],
)
def test_a_private_key_without_an_end_is_left_soon(body: bytes) -> None:
    for end in (b"", b"-----EN", b"!"):
        assert not LOOK["secrets"]("a.pem", BEGIN + body + end).found


@pytest.mark.parametrize("name", [b"aws_access_key_id", b"aws_secret_access_key", b"api_key"])
def test_an_assignment_of_nothing_is_left_soon(name: bytes) -> None:
    for gap in (b"=" * 500_000, b"=" + b" " * 500_000, b" = " * 160_000):
        assert not LOOK["secrets"]("a.txt", name + gap).found


@pytest.mark.parametrize("gap", ["=", " = ", " ===   ", "= = ", "=  = '"])
def test_what_is_assigned_after_any_gap_is_found(gap: str) -> None:
    access, secret = "AKIAQ3EGRIV7XNXQ5ZPT", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzkq93LmTz8"
    [found] = LOOK["secrets"]("a.txt", f"aws_access_key_id{gap}{access}\n".encode()).found
    assert "AWS_ACCESS_KEY" in found
    [found] = LOOK["secrets"]("a.txt", f"aws_secret_access_key{gap}{secret}\n".encode()).found
    assert "AWS_SECRET_KEY" in found


def test_headers_of_a_private_key_are_stepped_over() -> None:
    body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 4
    for gap in ("\n", "\\n", "\r\n"):
        header = f"Proc-Type: 4,ENCRYPTED{gap}DEK-Info: AES-256-CBC,{'0A' * 16}{gap}{gap}"
        key = f"{BEGIN.decode()}{gap}{header}{body}{gap}-----END PRIVATE KEY-----\n"
        [found] = LOOK["secrets"]("a.pem", key.encode()).found
        assert "PRIV_KEY" in found


LONG = 300_000
LINES = {
    "declared:pnpm-lock.yaml": b"lockfileVersion: '9.0'\npackages:\n" + (b"  a/1.1.1" + b"-" * 9900 + b"\n") * 30,
    "declared:requirements.txt": b"a" + b" " * LONG + b"b\n",
    "declared:setup.cfg": b"[options]\ninstall_requires =\n  a" + b" " * LONG + b"b\n",
    "declared:pom.xml": b"<dependencies>" + b"<dependency><groupId>a" * (LONG // 20),
    "declared:build.gradle": (b"  api 'a:" + b"b" * 9000 + b"\n") * 30,
    "declared:mix.exs": b'{:a, "1",' * (LONG // 9),
    "declared:a.csproj": (b"<PackageReference " + b"a " * 990 + b">") * 150,
    "declared:go.mod": b"module x\nrequire (\n" + b"a." * (LONG // 2) + b"\n)\n",
    "declared:packages.config": (b"<package " + b"a" * 1900 + b">") * 150,
    "gem:usr/lib/ruby/gems/3.0.0/specifications/a-1.gemspec": b"Gem::Specification.new do |s|\n"
    + (b"  s.licenses = " + b'\\"' * 2000 + b"\n") * 70,
    "others:var/lib/flatpak/app/a/x/stable/1/files/share/metainfo/a.metainfo.xml": b"<id>a</id><project_license>"
    + b"\n" * LONG,
    f"java:{'-linux' * 2500}.jar": jar({"x": "y"}),
    "java:a.jar": jar({f"{number}{'-linux' * 5000}.jar": jar({"x": "y"}) for number in range(9)}),
}
"""What once took quadratic time, or more."""


@pytest.mark.parametrize("name", LINES)
def test_lines_that_once_took_for_ever(name: str) -> None:
    parser, _, path = name.partition(":")
    LOOK[parser](path, LINES[name])


VERSIONS = (
    "1stable" + "23" * 500 + "!",
    "1" + "." * 1000 + "x",
    "~" * 1000,
    "v" * 1000,
    "1" + ".0" * 500,
    "a" + "-" * 999,
)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_versions_that_once_took_for_ever(scheme: str) -> None:
    for number in range(100):
        for version in VERSIONS:
            try:
                key(scheme, version[: 1000 - number])
            except VersionError as error:
                assert str(error)


def test_histories_that_once_took_for_ever() -> None:
    for text in (
        "EXPOSE map[" + "map[a" * LONG, "CMD [" + '\\"' * LONG + "]", 'CMD ["' + '\\"' * LONG + "]",
        "ADD " + "file:." * LONG, "HEALTHCHECK &{[]" + " " * LONG, "HEALTHCHECK &{[" + '"a" ' * LONG + "] }",
    ):  # fmt: skip
        assert line_of(text)


def test_parties_of_an_sbom_that_once_took_for_ever() -> None:
    from anchorecli.sbom.spdx import _party

    assert _party("Person: a" + " " * LONG + "b").startswith("a  ")
    assert _party("Organization: Foo (x) (a@b)") == "Foo (x) <a@b>"
    assert _party("Person:  Foo ()") == _party("Person: Foo") == "Foo"

"""Installed Ruby gems: what RubyGems wrote of them, and what damage does."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.analyzers.base import Found
from anchorecli.analyzers.language.gem import Gem, read_gemspec
from anchorecli.model import Package
from tests.analyzers.view import make_view
from tests.builders import Entry

SPECIFICATIONS = "usr/lib/ruby/gems/3.1.0/specifications"

SPEC = """# -*- encoding: utf-8 -*-
# stub: nokogiri 1.16.0 x86_64-linux lib
# stub: ext/nokogiri/extconf.rb

Gem::Specification.new do |s|
  s.name = "nokogiri".freeze
  s.version = "1.16.0"
  s.platform = "x86_64-linux".freeze

  s.required_rubygems_version = Gem::Requirement.new(">= 0".freeze) if s.respond_to? :required_rubygems_version=
  s.description = "It says s.version = \\"9\\"\\n  s.name = 'other'".freeze
  s.files = ["a.rb".freeze]
  s.homepage = "https://nokogiri.org".freeze
  s.licenses = ["MIT".freeze, "Ruby".freeze]

  if s.respond_to? :specification_version then
    s.specification_version = 4
  end
end
"""


def assemble(*layers: Mapping[str, bytes | str | Entry]) -> Found:
    return Gem().assemble(make_view(Gem(), layers))


def one(path: str, text: str) -> Package:
    found = assemble({path: text})
    assert not found.problems
    [package] = found.packages
    return package


def test_a_gem_with_a_platform() -> None:
    package = one(f"{SPECIFICATIONS}/nokogiri-1.16.0-x86_64-linux.gemspec", SPEC)
    assert (package.name, package.version, package.type, package.scheme) == ("nokogiri", "1.16.0", "gem", "gem")
    assert package.purl == "pkg:gem/nokogiri@1.16.0?platform=x86_64-linux"
    assert package.licenses == ("MIT", "Ruby")
    assert package.metadata == {
        "kind": "installed", "platform": "x86_64-linux", "homepage": "https://nokogiri.org"
    }  # fmt: skip


def test_a_default_gem_without_a_stub_line() -> None:
    text = (
        "Gem::Specification.new do |s|\n  s.name = 'json'\n  s.version = \"2.6.1\".freeze\n  s.license = %q<Ruby>\nend"
    )
    package = one(f"{SPECIFICATIONS}/default/json-2.6.1.gemspec", text)
    assert package.purl == "pkg:gem/json@2.6.1"
    assert (package.licenses, package.metadata) == (("Ruby",), {"kind": "default"})


def test_what_the_file_does_not_say_its_name_does() -> None:
    text = "Gem::Specification.new do |s|\n  s.name = NAME\n  s.version = Rake::VERSION\nend\n"
    assert one(f"{SPECIFICATIONS}/rake-13.0.6.gemspec", text).purl == "pkg:gem/rake@13.0.6"
    assert one(f"{SPECIFICATIONS}/a-b-1.0.a1-java.gemspec", "").purl == "pkg:gem/a-b@1.0.a1?platform=java"


@pytest.mark.parametrize("path", ["app/shop.gemspec", "gems/rake-13.0.6/rake.gemspec", "specifications/a/b/c.gemspec"])
def test_what_an_author_wrote_is_no_installed_gem(path: str) -> None:
    assert assemble({path: SPEC}) == Found()


def test_a_specification_without_name_and_version_is_told() -> None:
    found = assemble({f"{SPECIFICATIONS}/broken.gemspec": b"\xff\x00"})
    assert not found.packages
    assert [problem.subject for problem in found.problems] == [f"{SPECIFICATIONS}/broken.gemspec"]


def test_a_gem_in_two_places_is_two_packages() -> None:
    path = "specifications/nokogiri-1.16.0-x86_64-linux.gemspec"
    found = assemble({f"app/vendor/bundle/ruby/3.1.0/{path}": SPEC, f"var/lib/gems/3.1.0/{path}": SPEC})
    assert len(found.packages) == 2


def test_escapes_in_strings() -> None:
    fact = read_gemspec(b'x\n  s.name = "a\\u002Db\\"c\\u{1F600}"\n  s.version = "1"\n')
    assert fact["name"] == 'a-b"c\U0001f600'


def test_long_lines_and_unclosed_strings_are_read_to_the_end() -> None:
    for bait in (b'  s.name = "' + b"\\" * 1_000_000, b"  s.licenses = " + b'"' * 1_000_000, b"# stub: " * 200_000):
        read_gemspec(bait)


@given(
    st.lists(st.sampled_from([b"s.name", b" = ", b'"', b"'", b"\\u", b"00", b"\\", b"\n", b"# stub: ", b"a ", b"\xff"]))
)
def test_no_text_makes_it_raise(parts: list[bytes]) -> None:
    for value in read_gemspec(b"".join(parts)).values():
        str(value).encode()

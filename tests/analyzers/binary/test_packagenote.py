"""What programs say of their own package, and what becomes of it beside a package database."""

from __future__ import annotations

import json
import struct

import pytest

from anchorecli.analyzers.binary.plugin import Binaries
from anchorecli.analyzers.ownership import link_owners
from anchorecli.matching.coverage import plan
from anchorecli.model import Distro, Package
from tests.analyzers.binary import executables as made
from tests.analyzers.view import TestView, make_view
from tests.builders import Entry

FEDORA = {
    "type": "rpm",
    "name": "coreutils",
    "version": "9.1-12.fc38",
    "architecture": "x86_64",
    "osCpe": "cpe:/o:fedoraproject:fedora:38",
}
PURL = "pkg:rpm/fedora/coreutils@9.1-12.fc38?arch=x86_64&distro=fedora-38"


def note(said: object, order: str = "<") -> bytes:
    text = (said if isinstance(said, str) else json.dumps(said)).encode() + b"\0"
    text = text.ljust((len(text) + 3) & ~3, b"\0")
    return struct.pack(f"{order}III", 4, len(text), 0xCAFE1A7E) + b"FDO\0" + text


def in_front(said: object, order: str = "<", size: int = made.SIZE) -> bytes:
    """A program with its note on the first page, as a linker has it."""
    program = bytearray(made.elf({".text": b"x"}, order=order, size=size))
    data = note(said, order)
    program[0x338 : 0x338 + len(data)] = data
    return bytes(program)


def behind(said: object) -> bytes:
    """A program whose note objcopy added."""
    return made.elf({".data": bytes(6000), ".note.package": note(said)}, unloaded=(".note.package",))


def found(files: dict[str, bytes]) -> tuple[TestView, list[Package]]:
    view = make_view(Binaries(), [{path: Entry(data, mode=0o755) for path, data in files.items()}])
    return view, link_owners(list(Binaries().assemble(view).packages), {}, view.tree)


@pytest.mark.parametrize("program", [in_front(FEDORA), in_front(FEDORA, ">"), behind(FEDORA)])
def test_a_note_names_the_package(program: bytes) -> None:
    view, (package,) = found({"usr/bin/cat": program, "opt/ls": program})
    assert package.purl == PURL
    assert (package.type, package.scheme, package.source_version) == ("rpm", "rpm", "9.1-12.fc38")
    assert sorted(each.path for each in package.locations) == ["opt/ls", "usr/bin/cat"]
    assert package.metadata == {"evidence": "elf-note", "distribution": "fedora-38"}
    assert not view.read_problems


@pytest.mark.parametrize(
    ("said", "purl"),
    [
        (
            {"type": "rpm", "name": "curl", "version": "8.8.0-1.azl3", "os": "azurelinux", "osVersion": "3.0"},
            "pkg:rpm/azurelinux/curl@8.8.0-1.azl3?distro=azurelinux-3.0",
        ),
        (
            {"type": "deb", "os": "ubuntu", "name": "jq", "version": "1.7.1-3", "architecture": "amd64"},
            "pkg:deb/ubuntu/jq@1.7.1-3?arch=amd64&distro=ubuntu",
        ),
        ({"type": "arch", "name": "zlib", "version": "1:1.3.1-2"}, "pkg:alpm/zlib@1:1.3.1-2"),
        (
            {"type": "rpm", "name": "a", "version": "1-1", "osCpe": "cpe:2.3:o:fedoraproject:fedora:40:*:*:*:*:*:*:*"},
            "pkg:rpm/fedora/a@1-1?distro=fedora-40",
        ),
        ({"type": "own", "name": "tool", "version": "1.0"}, "pkg:generic/tool@1.0"),
        ({"name": "tool", "version": "1.0"}, "pkg:generic/tool@1.0"),
    ],
)
def test_distributions_write_it_in_their_ways(said: dict[str, str], purl: str) -> None:
    assert [package.purl for package in found({"usr/bin/x": in_front(said)})[1]] == [purl]


@pytest.mark.parametrize("said", ["{", "[]", '{"name": "x"}', '{"version": "1"}', "x" * 20_000])
def test_a_note_that_cannot_be_read_is_a_problem(said: str) -> None:
    for program in (in_front(said) if len(said) < 1000 else b"", behind(said)):
        if program:
            view, packages = found({"usr/bin/x": program})
            assert not packages and len(view.read_problems) == 1


def test_a_damaged_note_hides_nothing_else() -> None:
    blob = made.go_blob("go1.22.3", "path\texample.com/a\nmod\texample.com/a\tv1.2.3\th1:x=\n")
    data = note("{")
    program = bytearray(made.elf({".go.buildinfo": blob}))
    program[0x338 : 0x338 + len(data)] = data
    view, packages = found({"usr/bin/x": bytes(program)})
    assert {package.name for package in packages} == {"example.com/a", "stdlib"}
    assert len(view.read_problems) == 1


OWNER = Package(
    "coreutils-single", "0:9.1-12.fc38", "rpm", "rpm", "pkg:rpm/o@1", source="coreutils", source_version="9.1-12.fc38"
)


def test_a_package_that_its_database_lists_is_one_entry() -> None:
    files = {path: Entry(in_front(FEDORA), mode=0o755) for path in ("usr/bin/cat", "usr/bin/ls", "opt/bin/ls")}
    view = make_view(Binaries(), [files])
    packages = [OWNER, *Binaries().assemble(view).packages]
    owned = {OWNER.purl: ["/usr/bin/cat", "/usr/bin/ls"]}
    owner, copied = link_owners(packages, owned, view.tree)
    assert owner.metadata == {"elf-note": "2"}
    assert [each.path for each in copied.locations] == ["opt/bin/ls"] and not copied.owner


def test_another_version_in_the_owners_place_is_told() -> None:
    view = make_view(Binaries(), [{"usr/bin/cat": Entry(in_front({**FEDORA, "version": "9.3-1.fc39"}), mode=0o755)}])
    packages = [OWNER, *Binaries().assemble(view).packages]
    owner, other = link_owners(packages, {OWNER.purl: ["/usr/bin/cat"]}, view.tree)
    assert (other.owner, other.version, owner.metadata) == (OWNER.purl, "9.3-1.fc39", {})


def test_another_distributions_package_is_not_judged_as_the_images_own() -> None:
    _, packages = found({"usr/bin/cat": in_front(FEDORA)})
    own = plan(packages, Distro("fedora", "38"), frozenset({"fedora:38"}))
    other = plan(packages, Distro("rhel", "9.2"), frozenset({"redhat:9"}))
    assert own.groups and not other.groups
    assert [problem.message for problem in other.problems] == [
        "named by notes in programs, of another distribution: 1 package was not checked for vulnerabilities"
    ]
    assert not any(problem.incomplete for problem in other.problems)


def test_a_database_may_call_it_the_same() -> None:
    view = make_view(Binaries(), [{"usr/bin/cat": Entry(in_front(FEDORA), mode=0o755)}])
    (noted,) = Binaries().assemble(view).packages
    owner = Package("coreutils", "9.1-12.fc38", "rpm", "rpm", noted.purl, source="coreutils")
    assert [each.metadata for each in link_owners([owner, noted], {owner.purl: ["/usr/bin/cat"]}, view.tree)] == [
        {"elf-note": "1"}
    ]

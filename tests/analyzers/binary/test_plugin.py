"""Executable files of an image: what is found in them is the same in whatever way their layer is read."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Mapping

import pytest

from anchorecli.analyzers.base import Wants
from anchorecli.analyzers.binary import plugin
from anchorecli.analyzers.binary.classifiers import Search, rules_for
from anchorecli.analyzers.binary.evidence import prefix
from anchorecli.analyzers.binary.layout import Layout, Region
from anchorecli.analyzers.binary.plugin import Binaries, is_candidate
from anchorecli.analyzers.run import Collector, assemble
from anchorecli.layers.content import SPOOL_BYTES, FileContent
from anchorecli.model import Analysis, DiffId, Layer, Package
from tests.analyzers.binary import executables as made
from tests.analyzers.view import TestView, image, make_view
from tests.builders import Entry, hardlink, layer
from tests.layers.reading import read

MODULES = "path\texample.com/a\nmod\texample.com/a\tv1.2.3\th1:x=\ndep\tgolang.org/x/net\tv0.20.0\th1:y=\n"
GO = made.go_blob("go1.22.3", MODULES)
GO_PURLS = {"pkg:golang/example.com/a@v1.2.3", "pkg:golang/golang.org/x/net@v0.20.0", "pkg:golang/stdlib@1.22.3"}
CRATES = zlib.compress(b'{"packages":[{"name":"serde","version":"1.0.1","source":"crates.io"}]}')
LARGE = SPOOL_BYTES + 100_000


def program(data: bytes) -> Entry:
    return Entry(data, mode=0o755)


def purls(view: TestView) -> set[str]:
    return {package.purl for package in Binaries().assemble(view).packages}


def test_modules_of_a_program_and_crates_of_another() -> None:
    view = make_view(
        Binaries(),
        [
            {
                "usr/bin/a": program(made.elf({".go.buildinfo": GO})),
                "usr/bin/r": program(made.elf({".dep-v0": CRATES})),
                "usr/bin/w.exe": program(made.pe({".data": GO})),
            }
        ],
    )
    assert purls(view) == {*GO_PURLS, "pkg:cargo/serde@1.0.1"}
    modules = [package for package in Binaries().assemble(view).packages if package.name == "golang.org/x/net"]
    assert [package.locations[0].path for package in modules] == ["usr/bin/a", "usr/bin/w.exe"]
    assert modules[0].metadata == {"h1": "h1:y="}
    assert not view.read_problems


# ── one pass ────────────────────────────────────────────────────────────────────────────────────────────────────────


def one_pass(files: Mapping[str, bytes]) -> Analysis:
    """What a compressed layer's files give: ``FileContent`` without any way back."""
    collector = Collector([Binaries()])
    diff_id = DiffId("sha256:" + "0" * 64)
    index = read(layer({name: program(data) for name, data in files.items()})).index
    for path, data in files.items():
        token = collector.wants(path, len(data), 0o755)
        assert token is not None
        position = [0]

        def take(count: int, data: bytes = data, position: list[int] = position) -> bytes:
            position[0] += count
            return data[position[0] - count : position[0]]

        content = FileContent(path, len(data), 0o755, take)
        collector.visit(token, content)
        content.close()
        assert content._spool is None, "a large file was copied"
    return assemble(image([Layer(diff_id)]), [Binaries()], collector.facts(diff_id, index))


NOISE = random.Random(1).randbytes(LARGE)


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("a", made.elf({".rodata": NOISE, ".go.buildinfo": GO}, first=True), GO_PURLS),
        ("a", made.elf({".rodata": NOISE, ".go.buildinfo": GO}), GO_PURLS),
        ("a", made.elf({".rodata": NOISE, ".data": bytes(64) + GO}, table=False), GO_PURLS),
        (
            "a",
            made.elf({".debug": NOISE, ".dep-v0": CRATES}, unloaded=(".debug", ".dep-v0")),
            {"pkg:cargo/serde@1.0.1"},
        ),
        ("busybox", made.elf({".rodata": NOISE + b"BusyBox v1.35.0\0"}), {"pkg:generic/busybox@1.35.0"}),
        ("a", made.elf({".rodata": NOISE}), set()),
        ("a", NOISE, set()),
    ],
    ids="go-table-first go-table-last go-stripped rust program nothing no-program".split(),
)
def test_a_large_file_of_a_compressed_layer_passes_once(name: str, data: bytes, found: set[str]) -> None:
    analysis = one_pass({f"opt/{name}": data})
    assert {package.purl for package in analysis.packages} == found
    assert not any(problem.incomplete for problem in analysis.problems)
    view = make_view(Binaries(), [{f"opt/{name}": program(data)}])
    assert purls(view) == found


def test_an_old_go_program_passes_once() -> None:
    data = made.old_go("go1.16.7", MODULES + "dep\tx.y/z\tv1.0.0\t" + "h" * LARGE + "\n")
    analysis = one_pass({"opt/a": data})
    assert "pkg:golang/x.y/z@v1.0.0" in {package.purl for package in analysis.packages}


def test_an_old_go_program_whose_strings_are_too_many_to_keep_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anchorecli.analyzers.binary.layout.KEEP_BYTES", 1 << 20)
    data = made.old_go("go1.16.7", MODULES + "dep\tx.y/z\tv1.0.0\t" + "h" * LARGE + "\n")
    analysis = one_pass({"opt/a": data})
    assert not analysis.packages
    assert any("too large to keep" in problem.message for problem in analysis.problems if problem.subject == "opt/a")


def test_instructions_are_looked_through_where_the_version_stands_among_them() -> None:
    code = Region("", 0x1000, 0x4000, 0x1000, "code")
    layout = Layout("elf", (code, Region("", 0x5000, 0x4000, 0x5000, "constant")))
    size = 0x9000
    spans = {name: plugin._spans(layout, size, Search(name, rules_for(name))) for name in ("libwebp.so.7", "busybox")}
    assert spans["libwebp.so.7"] == [(0, size)]
    assert spans["busybox"][0][0] > code.offset


# ── which files ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "size", "mode", "wanted"),
    [
        ("usr/bin/a", 140_000, 0o755, True),
        ("usr/lib/libx.so.1", 140_000, 0o644, True),
        ("usr/bin/a", 30_000, 0o755, True),
        ("usr/lib/libx.so.1", 30_000, 0o644, False),
        ("srv/python3.11", 30_000, 0o644, True),
        ("srv/data.bin", 140_000, 0o644, False),
        ("srv/data.bin", 300_000, 0o644, True),
        ("usr/bin/a", 3_000, 0o755, False),
        ("usr/bin/composer", 3_000, 0o755, True),
        ("usr/bin/composer", 1, 0o755, False),
    ],
)
def test_whose_first_bytes_are_worth_a_look(path: str, size: int, mode: int, wanted: bool) -> None:
    assert is_candidate(path, size, mode) is wanted
    assert (Collector([Binaries()]).wants(path, size, mode) is not None) is wanted


def test_a_large_file_that_is_no_program_is_no_problem_whatever_its_size() -> None:
    wants: Wants = Binaries().wants
    assert wants.max_bytes == 0
    view = make_view(Binaries(), [{"srv/model.bin": bytes(300_000)}])
    assert not list(view.facts())
    assert not view.read_problems


def test_scripts_are_read_where_they_are_the_program_and_texts_where_they_tell_of_one() -> None:
    view = make_view(
        Binaries(),
        [
            {
                "usr/bin/elixir": program(b"#!/bin/sh\nELIXIR_VERSION=1.14.0\n"),
                "opt/firefox/application.ini": "[App]\nName=Firefox\nVersion=115.1\n",
                "etc/default/haproxy": " version 2.6.12, released 2023" + " " * 30_000,
                "usr/bin/bash": program(b"#!/bin/sh\n@(#)Bash version 5.2.15(1) release GNU" + bytes(30_000)),
            }
        ],
    )
    assert purls(view) == {"pkg:generic/elixir@1.14.0", "pkg:generic/firefox@115.1"}


# ── what it amounts to ──────────────────────────────────────────────────────────────────────────────────────────────


def packages(files: Mapping[str, Entry | str]) -> list[Package]:
    return list(Binaries().assemble(make_view(Binaries(), [files])).packages)


def strings(text: str) -> Entry:
    return program(made.elf({".rodata": bytes(64) + text.encode("latin-1") + bytes(64)}))


def test_a_program_has_purl_cpe_scheme_and_place() -> None:
    (found,) = packages({"usr/sbin/sshd": strings("\0OpenSSH_9.2p1 Debian\0")})
    assert (found.type, found.name, found.version, found.scheme) == ("generic", "openssh", "9.2p1", "fuzzy")
    assert found.purl == "pkg:generic/openssh@9.2p1"
    assert found.cpes == ("cpe:2.3:a:openbsd:openssh:9.2:p1:*:*:*:*:*:*",)
    assert [location.path for location in found.locations] == ["usr/sbin/sshd"]
    assert found.analyzer == "binary"
    assert found.layer


def test_executable_and_library_of_one_installation_are_one_package() -> None:
    python = "\0" + "3.11.2\0"
    found = packages(
        {
            "usr/local/bin/python3.11": strings(python),
            "usr/local/lib/libpython3.11.so.1.0": strings(python),
            "opt/other/bin/python3.11": strings(python),
        }
    )
    assert [[location.path for location in package.locations] for package in found] == [
        ["opt/other/bin/python3.11"],
        ["usr/local/bin/python3.11", "usr/local/lib/libpython3.11.so.1.0"],
    ]
    assert {package.purl for package in found} == {"pkg:generic/python@3.11.2"}


@pytest.mark.parametrize(
    ("path", "below"),
    [
        ("usr/bin/bash", "usr"),
        ("usr/lib/x86_64-linux-gnu/libz.so.1", "usr"),
        ("usr/lib/jvm/java-17/bin/java", "usr/lib/jvm/java-17"),
        ("usr/lib/jvm/java-17/release", "usr/lib/jvm/java-17"),
        ("bin/busybox", ""),
        ("opt/app/tool", "opt/app"),
        ("tool", ""),
    ],
)
def test_the_directory_of_an_installation(path: str, below: str) -> None:
    assert prefix(path) == below


def test_java_by_its_release_file_and_its_launcher_is_one() -> None:
    (found,) = packages(
        {
            "opt/java/release": 'JAVA_RUNTIME_VERSION="1.8.0_302-b08"\nOS_ARCH="amd64"\n',
            "opt/java/bin/java": strings("\0openjdk\0java\0" + "1.8\0" + "1.8.0_302-b08\0"),
        }
    )
    assert found.version == "1.8.0_302"
    assert found.cpes == ("cpe:2.3:a:oracle:openjdk:1.8.0:update302:*:*:*:*:*:*",)
    assert len(found.locations) == 2


def test_the_launcher_tells_whose_jdk_it_is() -> None:
    release = 'IMPLEMENTOR="x"\nJAVA_VERSION="21.0.4"\nOS_ARCH="x86_64"\n'
    files = {"opt/jdk/release": release, "opt/jdk/bin/java": strings("\0java\0" + "0.0\0" + "21.0.4+8-LTS-274\0")}
    (found,) = packages(files)
    assert (found.purl, found.cpes[0]) == (
        "pkg:generic/oracle/jre@21.0.4",
        "cpe:2.3:a:oracle:jre:21.0.4:*:*:*:*:*:*:*",
    )
    (found,) = packages({**files, "opt/jdk/bin/java": strings("\0openjdk\0java\0" + "0.0\0" + "21.0.4+7\0")})
    assert found.purl == "pkg:generic/openjdk@21.0.4"


def test_what_go_says_of_itself_is_not_said_again_by_its_strings() -> None:
    blob = made.go_blob("go1.22.3", "path\tgithub.com/hashicorp/consul\nmod\tgithub.com/hashicorp/consul\t(devel)\t\n")
    data = made.elf({".rodata": bytes(9) + b"CONSUL_VERSION: 1.17.1" + bytes(9), ".go.buildinfo": blob})
    main, library = packages({"bin/consul": program(data)})
    assert (main.purl, main.metadata["version-from"]) == ("pkg:golang/github.com/hashicorp/consul@v1.17.1", "content")
    assert main.cpes == ("cpe:2.3:a:hashicorp:consul:1.17.1:*:*:*:*:*:*:*",)
    assert library.name == "stdlib"


def test_the_strings_of_a_known_program_tell_a_version_that_its_build_left_out() -> None:
    blob = made.go_blob("go1.22.3", "path\thelm.sh/helm/v3/cmd/helm\nmod\thelm.sh/helm/v3\t(devel)\t\n")
    data = made.elf({".rodata": bytes(9) + b"v3.14.0\0\0v0.29.1\0" + bytes(9), ".go.buildinfo": blob})
    assert "pkg:golang/helm.sh/helm/v3@v3.14.0" in {package.purl for package in packages({"usr/bin/h": program(data)})}


def test_the_go_toolchain_is_a_program_too() -> None:
    found = packages(
        {"usr/local/go/bin/go": program(made.elf({".go.buildinfo": made.go_blob("go1.22.3", "path\tcmd/go\n")}))}
    )
    assert {package.purl for package in found} == {"pkg:golang/stdlib@1.22.3", "pkg:generic/go@1.22.3"}


def test_an_older_go_toolchain_is_known_by_its_name() -> None:
    old = program(made.elf({".go.buildinfo": made.go_blob("go1.16.15", "")}))
    found = packages({"usr/local/go/bin/go": old})
    assert {package.purl for package in found} == {"pkg:golang/stdlib@1.16.15", "pkg:generic/go@1.16.15"}
    (found,) = packages({"usr/local/go/bin/gofmt": old})
    assert found.purl == "pkg:golang/stdlib@1.16.15"


def test_a_crate_that_is_no_registrys_says_so() -> None:
    crates = zlib.compress(b'{"packages":[{"name":"app","version":"0.1.0","source":"local","root":true}]}')
    (found,) = packages({"usr/bin/app": program(made.elf({".dep-v0": crates}))})
    assert found.metadata == {"kind": "main", "source": "local"}


def test_a_hard_link_is_not_another_program() -> None:
    view = make_view(
        Binaries(),
        [{"usr/bin/a": program(made.elf({".go.buildinfo": GO})), "usr/bin/b": hardlink("usr/bin/a")}],
    )
    assert {location.path for package in Binaries().assemble(view).packages for location in package.locations} == {
        "usr/bin/a"
    }


def test_a_hard_link_whose_first_name_is_gone_has_the_modules() -> None:
    first = {"usr/bin/a": program(made.elf({".go.buildinfo": GO})), "usr/bin/b": hardlink("usr/bin/a")}
    view = make_view(Binaries(), [first, {"usr/bin/.wh.a": ""}])
    found = Binaries().assemble(view).packages
    assert {package.purl for package in found} == GO_PURLS
    assert {package.locations[0].path for package in found} == {"usr/bin/b"}


def test_hard_links_of_what_told_nothing_are_no_problem() -> None:
    view = make_view(Binaries(), [{"bin/gunzip": program(bytes(140_000)), "bin/uncompress": hardlink("bin/gunzip")}])
    found = Binaries().assemble(view)
    assert (found.packages, found.problems, view.problems) == ((), (), [])


# ── what cannot be read ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_packed_program_is_remarked_on() -> None:
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0
    )
    view = make_view(Binaries(), [{"usr/bin/packed": program(head.ljust(200, b"\0") + b"UPX!" + bytes(140_000))}])
    found = Binaries().assemble(view)
    assert not found.packages
    (remark,) = found.problems
    assert (remark.subject, remark.incomplete) == ("usr/bin/packed", False)
    assert "UPX" in remark.message


def test_what_bun_compiled_is_told_and_bun_itself_is_not() -> None:
    found = {
        name: Binaries().assemble(make_view(Binaries(), [{name: program(made.elf({".text": b"x", ".bun": content}))}]))
        for name, content in (("srv/app", b"application " * 99), ("srv/runtime", bytes(8)))
    }
    [remark] = found["srv/app"].problems
    assert (remark.subject, remark.incomplete) == ("srv/app", False)
    assert "compiled by Bun" in remark.message
    assert not found["srv/runtime"].problems


def test_a_damaged_list_is_a_problem_and_hides_nothing_else() -> None:
    data = made.elf({".rodata": b"\0BusyBox v1.35.0\0", ".dep-v0": CRATES[:-9]})
    view = make_view(Binaries(), [{"bin/busybox": program(data)}])
    assert purls(view) == {"pkg:generic/busybox@1.35.0"}
    (problem,) = view.read_problems
    assert problem.subject == "bin/busybox"
    assert "truncated" in problem.message
    assert problem.incomplete


def test_absurd_headers_are_a_problem() -> None:
    data = bytearray(made.elf({".data": b"x"}))
    data[60:62] = b"\xff\xff"
    view = make_view(Binaries(), [{"bin/a": program(bytes(data))}])
    (problem,) = view.read_problems
    assert "65535 sections" in problem.message


def test_the_registered_names_of_small_files_are_those_of_rules() -> None:
    from anchorecli.analyzers.binary.classifiers import rules_for

    assert all(rules_for(name) for name in plugin.NAMES)

"""Files made to hurt: bombs, cycles, absurd claims, names without end. Each is answered, what is missing is told."""

from __future__ import annotations

import json
import struct
import zipfile
from io import BytesIO

import pytest

from anchorecli.analyzers.limits import with_limits
from anchorecli.layers import Limits
from anchorecli.model import Problem
from anchorecli.tree import Tree
from tests.analyzers.binary import executables
from tests.analyzers.binary import test_nativeimage as nativeimage
from tests.analyzers.language.jars import jar
from tests.analyzers.os import rpmdb
from tests.analyzers.os import test_sboms as sboms
from tests.analyzers.view import make_view
from tests.builders import Entry, compressed, config, layer, link
from tests.fuzz.parsers import analyzers, parsers
from tests.layers.reading import Keeper, read

ANALYZERS = analyzers()
LOOK = parsers()


def problems(name: str, path: str, data: bytes, **limits: int) -> list[Problem]:
    """What one analyzer tells of one file, its limits lowered."""
    analyzer = with_limits(ANALYZERS[name], "", {key.replace("_", "-"): value for key, value in limits.items()})
    return list(make_view(analyzer, [{path: Entry(data, mode=0o755)}]).read_problems)


def deflated(files: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return out.getvalue()


# ── each limit, by an input that hits it ────────────────────────────────────────────────────────────────────────────


def nested(depth: int) -> bytes:
    content = jar({"x": "y"})
    for _ in range(depth):
        content = jar({"a.jar": content}, stored=True)
    return content


GO = "path\ta\nmod\ta\tv1\t\n" + "".join(f"dep\tm{number}\tv1\th1:x\n" for number in range(9))
CRATES = json.dumps({"packages": [{"name": f"c{number}", "version": "1"} for number in range(9)]}).encode()
WALL = b'{"jsonwall":"1.0","schema":"1.0","count":1}\n' * 99
CHISELLED = b"".join(
    b'{"kind":"package","name":"p%d","version":"1","arch":"x"}\n{"kind":"path","path":"/%d","slices":["p0_a"]}\n'
    % (n, n)
    for n in range(9)
)
HEADERS = [rpmdb.header(name, "1-1", [f"/usr/bin/{name}", "/x"]) for name in ("bash", "zlib")]
POMS = {f"META-INF/maven/g/a{number}/pom.properties": "version=1\n" for number in range(9)}
TWO = jar({"a.jar": jar({"x": "y"}), "b.jar": jar({"x": "y"})}, stored=True)
TOKENS = "".join(f"ghp_{'Ab3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0eF2hJ'}{number}\n" for number in range(9)).encode()


def program(modules: str = "", crates: bytes = b"") -> bytes:
    import zlib

    sections = {".go.buildinfo": executables.go_blob("go1.21", modules)} if modules else {}
    return executables.elf({**sections, **({".dep-v0": zlib.compress(crates)} if crates else {})})


HITS = {
    "dpkg.packages": ("var/lib/dpkg/status", b"Package: a\nVersion: 1\n\n" * 9, 5),
    "apk.packages": ("lib/apk/db/installed", b"P:a\nV:1\n\n" * 9, 5),
    "apk.files": ("lib/apk/db/installed", b"P:a\nV:1\nF:u\n" + b"R:x\n" * 9 + b"\n", 5),
    "java.depth": ("a.jar", nested(9), 5),
    "java.archives": ("a.jar", TWO, 2),
    "java.directory-bytes": ("a.jar", TWO, 150),
    "java.inflated-bytes": ("a.jar", jar({"lib/a.jar": bytes(2000)}), 1000),
    "java.artifacts": ("a.jar", jar(POMS), 5),
    "rpm.packages": ("var/lib/rpm/Packages", rpmdb.ndb(HEADERS), 1),
    "rpm.relation-bytes": ("var/lib/rpm/Packages", rpmdb.ndb([rpmdb.header("one", requires=["two", "three"])]), 7),
    "rpm.text-bytes": ("var/lib/rpm/Packages", rpmdb.ndb(HEADERS), 60),
    "rpm.path-bytes": ("var/lib/rpm/Packages", rpmdb.ndb(HEADERS), 5),
    "chisel.packages": ("var/lib/chisel/manifest.wall", compressed(CHISELLED, "zstd"), 5),
    "chisel.paths": ("var/lib/chisel/manifest.wall", compressed(CHISELLED, "zstd"), 5),
    "chisel.inflated-bytes": ("var/lib/chisel/manifest.wall", compressed(WALL, "zstd"), 1000),
    "sboms.components": ("a.cdx.json", sboms.cyclonedx(*(f"pkg:npm/a@{number}" for number in range(9))).encode(), 5),
    "pear.values": ("a/.registry/a.reg", b"a:9:{" + b"i:1;i:1;" * 9 + b"}", 5),
    "others.file-bytes": ("a/conaninfo.txt", b"[requires]\n" * 9, 50),
    "others.entries": ("a.egg", deflated({f"f{number}": b"" for number in range(9)}), 5),
    "binary.modules": ("app", program(GO), 5),
    "binary.module-bytes": ("app", program(GO), 50),
    "binary.crates": ("app", program(crates=CRATES), 5),
    "binary.crate-bytes": ("app", program(crates=CRATES), 50),
    "binary.bill-bytes": ("app", executables.elf({".svm_heap": b"x", ".data": nativeimage.packed()}), 50),
    "hints.yaml-bytes": ("anchore_hints.yaml", b"packages: []\n" * 9, 50),
    "secrets.findings": ("app/.env", TOKENS, 5),
    "contents.lines": ("notes", b"x\n" * 9, 5),
}


@pytest.mark.parametrize("name", HITS)
def test_a_limit_that_is_hit_is_told_with_file_and_name(name: str) -> None:
    analyzer, _, limit = name.partition(".")
    path, data, value = HITS[name]
    [problem] = problems(analyzer, path, data, **{limit: value})
    assert problem.subject == path
    assert name in problem.message
    assert (problem.cause, problem.incomplete) == ("limit_hit", True)
    assert not any(each.cause for each in problems(analyzer, path, data))


def test_every_limit_has_such_an_input() -> None:
    declared = {
        f"{name}.{limit.name}"
        for name, analyzer in ANALYZERS.items()
        if hasattr(analyzer, "limits")
        for limit in analyzer.limits.each
    }
    assert set(HITS) == declared


@pytest.mark.parametrize("name", [name for name, each in ANALYZERS.items() if each.wants.max_bytes])
def test_a_file_that_is_too_large_is_told_with_its_limit(name: str) -> None:
    analyzer = ANALYZERS[name]

    class Huge:
        path, size, mode, direct = "some/file", 10 << 30, 0o644, False

        def keep(self) -> None: ...

    from anchorecli.analyzers.run import Collector
    from anchorecli.model import DiffId
    from anchorecli.tree import LayerIndex

    collector = Collector([analyzer])
    collector.visit((analyzer,), Huge())  # type: ignore[arg-type]
    [problem] = collector.facts(DiffId("sha256:" + "0" * 64), LayerIndex())[1].problems
    assert (problem.subject, problem.cause) == ("some/file", "limit_hit")
    assert problem.message.endswith(f"over the limit of {analyzer.wants.max_bytes} ({name}.file-bytes)")


# ── claims ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_tar_entry_that_claims_ten_gigabytes() -> None:
    info = bytearray(layer({"etc/os-release": "ID=debian\n", "after": ""}))
    info[124:136] = b"%011o\0" % (10 << 30)
    info[148:156] = b" " * 8
    info[148:156] = b"%06o\0 " % sum(info[:512])
    keeper = Keeper(lambda path: False)
    result = read(bytes(info), keeper=keeper)
    assert not result.complete and "ends inside" in result.problems[0].message


def test_an_egg_whose_metadata_is_a_bomb() -> None:
    bomb = deflated({"EGG-INFO/PKG-INFO": b"Name: a\nVersion: 1\n\n" + bytes(64 << 20)})
    assert len(bomb) < 100_000
    assert LOOK["others"]("x/a.egg", bomb).found == {"package pypi a 1"}


def test_zeros_in_the_names_of_what_is_linked_in() -> None:
    crates = b'{"packages": [{"name": "c\\u0000", "version": "1\\u0000"}]}'
    seen = LOOK["binary"]("app", program("path\ta\nmod\ta\tv1\t\ndep\tm\0\tv1\0\th1:x\n", crates))
    assert {"package golang m v1", "package cargo c 1"} <= seen.found


@pytest.mark.parametrize("offset", [24, 32, 40, 52, 54, 56, 58, 60, 62])
@pytest.mark.parametrize("value", [0xFFFF, 0x8000, 1])
def test_elf_headers_that_are_absurd(offset: int, value: int) -> None:
    data = bytearray(executables.elf({".go.buildinfo": executables.go_blob("go1.21", GO)}, size=0))
    struct.pack_into("<H", data, offset, value)
    for name in ("binary", "binary-passing"):
        LOOK[name]("app", bytes(data))


@pytest.mark.parametrize("cut", [20, 33, 60, 64])
def test_what_a_damaged_elf_file_is_does_not_hang_on_the_layers_compression(cut: int) -> None:
    """Where a file passes once no other things are found than where it can be read by place."""
    banner = b"\0BusyBox v1.36.1 (2024-01-01 00:00:00 UTC)\0"
    data = executables.elf({}, size=0)[:cut] + banner
    by_place, passing = (LOOK[name]("bin/busybox", data) for name in ("binary", "binary-passing"))
    assert by_place == passing
    assert by_place.told or by_place.found == {"package generic busybox 1.36.1"}


def test_build_information_that_was_not_kept_is_told() -> None:
    data = bytearray(executables.elf({".go.buildinfo": executables.go_blob("go1.21", GO)}, wide=False, size=0))
    at = LOOK["binary"]("app", bytes(data))
    kinds = [struct.unpack_from("<I", data, 52 + 32 * row + 24)[0] for row in range(2)]
    assert at.found and kinds[1] == 6
    struct.pack_into("<I", data, 52 + 32 + 24, 5)  # its segment is code now, which is not kept
    assert LOOK["binary"]("app", bytes(data)).found == at.found
    assert LOOK["binary-passing"]("app", bytes(data)).told


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("composer", "vendor/composer/installed.json"),
        ("conda", "opt/conda/conda-meta/a.json"),
        ("dotnet", "a.deps.json"),
        ("declared", "composer.lock"),
    ],
)
def test_json_of_more_values_than_memory_holds(name: str, path: str) -> None:
    [problem] = problems(name, path, b"[" + b"[]," * 1_500_000 + b"[]]")
    assert (problem.subject, problem.cause) == (path, "limit_hit")
    assert "values in one JSON document" in problem.message


def test_a_manifest_of_lines_that_are_none_is_left_soon() -> None:
    [problem] = problems("chisel", "var/lib/chisel/manifest.wall", b"x\n" * 100_000)
    assert problem.message.startswith("damaged: line 1001: no JSON")


def test_names_of_4096_bytes() -> None:
    name = "/".join(["d" * 255] * 16)[:4096]
    result = read(layer({f"{name}": "x", "etc/motd": "x"}))
    assert result.complete and result.index.paths == [name, "etc/motd"]
    long = read(layer([("n" * 20_000, "x"), ("etc/motd", "x")]))
    assert "a path of 20000 bytes" in long.problems[0].message


# ── cycles ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_symbolic_links_in_a_circle() -> None:
    files = {"etc/os-release": link("../usr/lib/os-release"), "usr/lib/os-release": link("/etc/os-release")}
    view = make_view(ANALYZERS["distro"], [{**files, "a": link("b/a"), "b": link("a/b"), "c": link("c")}])
    assert ANALYZERS["distro"].assemble(view).distro is None
    for path in ("etc/os-release", "a/b/a", "b", "c/c/c"):
        assert view.tree.resolve(path) is None


@pytest.mark.parametrize("kind", [2, 5])
def test_a_sqlite_page_that_is_its_own_child(kind: int) -> None:
    table = "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"
    data = bytearray(rpmdb.sqlite_file(["PRAGMA page_size = 512", table], HEADERS))
    # Page 2 is the table's root: an inner page whose only child, and whose right-most one, it is itself.
    page = bytearray(512)
    page[0] = kind
    struct.pack_into(">HHHBI", page, 1, 0, 1, 500, 0, 2)
    struct.pack_into(">H", page, 12, 500)
    struct.pack_into(">IB", page, 500, 2, 1)
    data[512:1024] = page
    [problem] = problems("rpm", "var/lib/rpm/rpmdb.sqlite", bytes(data))
    assert "SQLite" in problem.message


def test_yaml_whose_aliases_grow_without_end() -> None:
    levels = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
    )
    text = f"{levels}packages: *a11\n".encode()
    seen = LOOK["hints"]("anchore_hints.yaml", text)
    assert seen.told and not seen.found
    seen = LOOK["hints"]("anchore_hints.yaml", b"packages: &p [*p, {name: a, version: 1, type: gem, licenses: *p}]\n")
    assert seen.told


def test_xml_entities_are_never_expanded() -> None:
    laughs = '<!DOCTYPE p [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + level)} "{f"&{chr(97 + level)};" * 10}">' for level in range(10)
    )
    pom = f"{laughs}]><project><groupId>g</groupId><artifactId>a</artifactId><version>&k;</version></project>"
    seen = LOOK["java"]("x.jar", jar({"META-INF/maven/g/a/pom.xml": pom}))
    assert all(len(each) < 100 for each in seen.found)
    config = f'{laughs}]><packages><package id="a" version="&k;"/></packages>'.encode()
    assert all(len(each) < 100 for each in LOOK["declared"]("packages.config", config).found)


# ── baits for expressions that try everything ───────────────────────────────────────────────────────────────────────

BAITS = (b" ", b"\n", b"\r", b"a", b"(", b"[", b"{", b"<", b'"', b"'", b"\\", b"=", b"-", b".", b"0", b"\t", b"#",
         b"a ", b"a: ", b"a=", b"- a\n", b"a\n\n", b"<a ", b"<!--", b"/*", b'{"a":', b"@", b"::")  # fmt: skip


@pytest.mark.parametrize("name", [name for name in ANALYZERS if name not in ("malware", "retrieve", "nix")])
def test_long_runs_of_one_thing(name: str) -> None:
    """What takes linear time takes none here; what tries every way would not come back."""
    from tests.fuzz.samples import samples

    for sample in samples():
        if sample.parser == name:
            middle = len(sample.data) // 2
            for bait in BAITS:
                run = bait * (30_000 // len(bait))
                LOOK[name](sample.path, sample.data[:middle] + run + sample.data[middle:])


def test_limits_of_a_layer_name_their_setting() -> None:
    many = read(layer({f"f{number}": "" for number in range(9)}), limits=Limits(entries=5))
    assert "limit limits.entries" in many.problems[0].message
    assert many.problems[0].cause == "limit_hit"


def test_directories_inside_each_other_without_end() -> None:
    deep = read(layer({"etc/motd": "", "a/" * 300 + "x": "", "etc/b": ""}))
    assert deep.index.paths == ["etc/motd"]
    assert "a path of 300 directories inside each other (limit 256)" in deep.problems[0].message
    assert deep.problems[0].cause == "limit_hit"
    assert read(layer({"a/" * 256 + "x": ""})).complete


# ── what would make packages vanish ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh...", "var/.wh.", "var/.wh..", ".wh./x"])
def test_a_whiteout_that_names_nothing_hides_nothing(name: str) -> None:
    tree = Tree([read(layer(files)).index for files in ({"var/lib/a": "x", "b": "y"}, {name: ""})])
    assert {"var/lib/a", "b"} <= set(tree)


def test_a_lone_block_of_zeros_is_told() -> None:
    first, second = (layer({name: "x"})[:1024] for name in ("a", "b"))
    lone = read(first + bytes(512) + second + bytes(1024))
    assert lone.index.paths == ["a"]
    assert "a lone block of zeros" in lone.problems[0].message
    for end in (b"", bytes(512), bytes(1024), bytes(1024) + second):
        assert read(first + end).complete


STANZA = b"Package: %s\nStatus: install ok installed\nVersion: 1\n"


@pytest.mark.parametrize("between", [b"\n", b"\n\0\n", b"\n \t\n", b"\n\f\n", b"\n\v\n", b"\r\n\r\n", b"\nX: y\n"])
def test_no_stanza_hides_another(between: bytes) -> None:
    data = STANZA % b"a" + between.lstrip(b"\n") + STANZA % b"b"
    found = LOOK["dpkg"]("var/lib/dpkg/status", data).found
    assert {"package deb a 1", "package deb b 1"} <= found


def test_what_a_stanza_says_twice_takes_nothing_back() -> None:
    for more in (b"Status: deinstall ok config-files\n", b"Status: purge ok not-installed\n"):
        assert "package deb a 1" in LOOK["dpkg"]("var/lib/dpkg/status", STANZA % b"a" + more).found
    assert LOOK["dpkg"]("var/lib/dpkg/status", STANZA % b"a" + b"Version: 9\n").told


def test_an_egg_whose_name_stands_beyond_what_is_read_is_told() -> None:
    far = deflated({"EGG-INFO/PKG-INFO": b"X: y\n" * (1 << 20) + b"Name: a\nVersion: 1\n\n"})
    seen = LOOK["others"]("x/a.egg", far)
    assert seen.told and not seen.found


def test_a_load_command_without_a_length_is_told() -> None:
    data = bytearray(executables.macho({"__go_buildinfo": b"x" * 64}))
    struct.pack_into("<I", data, 36, 0)
    assert LOOK["binary"]("app/macho", bytes(data)).told


def test_what_made_a_layer_is_told_in_short_where_it_is_long() -> None:
    from anchorecli.source.documents import Descriptor
    from anchorecli.source.imageconfig import describe_layers, read_config

    history = [{"created_by": "RUN " + "x" * 1_000_000}]
    made = json.dumps(config([b"x"]) | {"history": history}).encode()
    settings, diff_ids = read_config(made, "a")
    [only] = describe_layers(settings, diff_ids, [Descriptor(each) for each in diff_ids], "a")  # type: ignore[arg-type]
    assert len(only.instruction) == 4097
    assert len(settings.history[0].created_by) == 1_000_004

"""Java archives: which artifacts are found in what, where, and what damage and malice do."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Mapping

import pytest

from anchorecli.analyzers.base import PARTIAL, Found
from anchorecli.analyzers.language.java import zip
from anchorecli.analyzers.language.java.plugin import Java
from anchorecli.analyzers.limits import with_limits
from anchorecli.analyzers.ownership import link_owners
from anchorecli.model import Package
from tests.analyzers.language.jars import classes, jar, manifest, maven
from tests.analyzers.view import MemoryFile, TestView, make_view
from tests.builders import Entry, link

Files = Mapping[str, bytes | str | Entry]
GUAVA = {**maven("com.google.guava", "guava", "31.1-jre"), **classes("com.google.common.base")}


def assemble(*layers: Files) -> tuple[Found, TestView]:
    view = make_view(Java(), layers)
    return Java().assemble(view), view


def packages(*layers: Files) -> dict[str, Package]:
    found, view = assemble(*layers)
    assert not view.read_problems
    return {package.locations[0].path: package for package in found.packages}


def one(path: str, files: Mapping[str, bytes | str]) -> tuple[str, str]:
    """Name and version of the only package of a jar with these files."""
    [package] = packages({path: jar(files)}).values()
    return package.name, package.version


def names(path: str, content: bytes) -> set[tuple[str, str]]:
    return {(package.name, package.version) for package in assemble({path: content})[0].packages}


# ── what is found ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_jar_that_maven_made_says_what_it_is() -> None:
    found = packages({"app/lib/guava-31.1-jre.jar": jar(GUAVA)})["app/lib/guava-31.1-jre.jar"]

    assert (found.name, found.version) == ("com.google.guava:guava", "31.1-jre")
    assert (found.type, found.scheme, found.analyzer) == ("maven", "maven", "java")
    assert found.purl == "pkg:maven/com.google.guava/guava@31.1-jre"
    assert found.metadata == {"kind": "archive"}


def test_a_repository_of_links_says_what_the_jars_of_a_distribution_are() -> None:
    java, repository = "usr/share/java", "usr/share/maven-repo/org/eclipse/jdt/org.eclipse.jdt.core"
    core = link("../../../../../../java/eclipse-jdt-core-3.32.0.jar")
    found = packages({
        f"{java}/eclipse-jdt-core-3.32.0.jar": jar(classes("org.eclipse.jdt.internal")),
        f"{repository}/3.32.0/org.eclipse.jdt.core-3.32.0.jar": core,
        f"{repository}/debian/org.eclipse.jdt.core-debian.jar": core,
        f"{java}/nameless.jar": jar(classes("org.nameless")),
        "usr/share/maven-repo/org/nameless/core/2.1/core-2.1.jar": link("/usr/share/java/nameless.jar"),
        "usr/share/maven-repo/org/nameless/core/2.x/core-2.x.jar": link("/usr/share/java/nameless.jar"),
        f"{java}/two-1.0.jar": jar(classes("org.two")),
        "usr/share/maven-repo/org/two/one/1.0/one-1.0.jar": link("/usr/share/java/two-1.0.jar"),
        "usr/share/maven-repo/org/two/other/1.0/other-1.0.jar": link("/usr/share/java/two-1.0.jar"),
        f"{java}/guava.jar": jar(GUAVA),
        "usr/share/maven-repo/not/guava/1/guava-1.jar": link("/usr/share/java/guava.jar"),
    })  # fmt: skip

    assert {package.purl for package in found.values()} == {
        "pkg:maven/org.eclipse.jdt/org.eclipse.jdt.core@3.32.0",
        "pkg:maven/org.nameless/core@2.1",
        "pkg:maven/org.two/two@1.0",
        "pkg:maven/com.google.guava/guava@31.1-jre",
    }
    assert found[f"{java}/eclipse-jdt-core-3.32.0.jar"].metadata["group-from"] == "links"


def test_encrypted_archives_are_not_passed_over_in_silence() -> None:
    plain = jar({"node_modules/lodash/package.json": '{"name": "lodash"}', "node_modules/": ""})
    found, view = assemble({"srv/plain.zip": plain, "srv/secret.zip": _encrypted(plain)})

    [problem] = found.problems
    assert (problem.subject, problem.incomplete) == ("encrypted archives", False)
    assert problem.message == "1 not looked into: srv/secret.zip"
    assert not found.packages and not view.read_problems


def _encrypted(archive: bytes) -> bytes:
    """The same with the bit set in each entry of the central directory that says so."""
    data, place = bytearray(archive), archive.find(b"PK\x01\x02")
    while place >= 0:
        data[place + 8] |= 1
        place = archive.find(b"PK\x01\x02", place + 4)
    return bytes(data)


def test_parts_of_a_jdk_and_of_an_application_are_no_libraries() -> None:
    starter = manifest(Main_Class="io.quarkus.bootstrap.runner.QuarkusEntryPoint", Implementation_Version="1.0.0")
    found, _ = assemble({
        "opt/jdk/lib/jrt-fs.jar": jar({**manifest(Implementation_Version="17.0.15"), **classes("jdk.internal.jrtfs")}),
        "app/quarkus-run.jar": jar({**starter, **classes("io.quarkus.bootstrap.runner")}),
        "app/jrt-fs.jar": jar({**manifest(Implementation_Version="2.0"), **classes("org.example.fs")}),
    })  # fmt: skip

    assert [package.locations[0].path for package in found.packages] == ["app/jrt-fs.jar"]
    assert not found.problems


def test_jars_of_an_application_that_sbt_packed_begin_with_their_groups() -> None:
    code = jar({**manifest(Created_By="sbt"), **classes("graal.sdk")})
    name = "org.graalvm.sdk.collections-24.0.1.jar"
    found = packages({f"app/lib/{name}": code, "app/lib/org.scala-lang.scala-library-2.13.12.jar": code})
    assert found[f"app/lib/{name}"].name == "org.graalvm.sdk:collections"
    # Elsewhere it may be the name of a bundle.
    assert packages({f"app/lib/{name}": code})[f"app/lib/{name}"].name == "org.graalvm.sdk.collections"


def test_the_size_that_jib_puts_behind_a_version_is_no_part_of_it() -> None:
    code = jar({**manifest(Created_By="x"), **classes("io.grpc")})
    found = packages({f"app/libs/grpc-api-1.60.1-{len(code)}.jar": code, "app/libs/other-1.0-1234.jar": code})
    assert sorted((each.name, each.version) for each in found.values()) == [
        ("io.grpc:grpc-api", "1.60.1"),
        ("io.grpc:other", "1.0-1234"),
    ]


def test_archives_in_archives_are_located_inside_of_the_file() -> None:
    inner = jar(GUAVA)
    war = jar({"WEB-INF/lib/guava.jar": inner, **manifest(Created_By="x")})
    ear = jar({"shop.war": war})
    found = packages({"srv/shop.ear": ear})

    assert list(found) == ["srv/shop.ear:shop.war:WEB-INF/lib/guava.jar"]
    [package] = found.values()
    assert package.purl == "pkg:maven/com.google.guava/guava@31.1-jre"
    assert [location.path for location in package.locations][1] == "srv/shop.ear", "so that its owner is found"


def test_what_an_os_package_installed_owns_what_is_inside_too() -> None:
    found, view = assemble({"usr/share/java/shop.war": jar({"WEB-INF/lib/guava.jar": jar(GUAVA)})})
    owned = {"pkg:deb/debian/shop@1": ["/usr/share/java/shop.war"]}
    assert [package.owner for package in link_owners(list(found.packages), owned, view.tree)] == [
        "pkg:deb/debian/shop@1"
    ]


def test_spring_boots_executable_jar_with_a_script_in_front_and_stored_jars() -> None:
    boot = jar(
        {
            **manifest(Implementation_Title="shop", Implementation_Version="2.4.1", Start_Class="com.example.App"),
            **maven("com.example", "shop", "2.4.1"),
            **{f"BOOT-INF/classes/{name}": data for name, data in classes("com.example").items()},
            "BOOT-INF/lib/guava-31.1-jre.jar": jar(GUAVA),
            "BOOT-INF/lib/spring-core-6.1.6.jar": jar(
                {**manifest(Implementation_Title="spring-core"), **classes("org.springframework.core")}
            ),
        },
        stored=True,
        prefix=b"#!/bin/bash\nexit 0\n" * 20,
        comment=b"a comment",
    )
    found = {path: (each.name, each.version) for path, each in packages({"app.jar": boot}).items()}
    assert found == {
        "app.jar": ("com.example:shop", "2.4.1"),
        "app.jar:BOOT-INF/lib/guava-31.1-jre.jar": ("com.google.guava:guava", "31.1-jre"),
        "app.jar:BOOT-INF/lib/spring-core-6.1.6.jar": ("org.springframework:spring-core", "6.1.6"),
    }


def test_what_was_merged_into_a_jar_is_told_from_the_jar_itself() -> None:
    files = {**maven("io.netty", "netty-common", "4.1.109.Final"), **maven("org.jctools", "jctools-core", "3.1.0")}
    found, _ = assemble({"lib/netty-common-4.1.109.Final.jar": jar({**files, **classes("io.netty.util")})})

    assert {(each.name, each.metadata["kind"]) for each in found.packages} == {
        ("io.netty:netty-common", "archive"),
        ("org.jctools:jctools-core", "embedded"),
    }


def test_a_library_merged_into_a_jar_of_another_name_is_not_that_jar() -> None:
    files = {**maven("com.ongres.scram", "client", "2.1"), **classes("org.postgresql.jdbc")}
    assert names("lib/postgresql-42.6.2.jar", jar(files)) == {
        ("org.postgresql:postgresql", "42.6.2"),
        ("com.ongres.scram:client", "2.1"),
    }


def test_a_renamed_jar_is_what_its_only_metadata_say() -> None:
    assert one("app.jar", GUAVA) == ("com.google.guava:guava", "31.1-jre")


def test_metadata_of_others_in_a_jar_without_a_class_are_no_packages() -> None:
    bom = {**maven("com.example", "all", "1.0"), **maven("org.old", "thing", "0.1")}
    assert names("all-1.0.jar", jar(bom)) == {("com.example:all", "1.0")}


def test_an_unpacked_application_is_known_by_its_maven_metadata() -> None:
    files = {f"srv/ROOT/{name}": text for name, text in maven("com.example", "shop", "1.2").items()}
    [package] = packages(files).values()
    assert (package.purl, package.metadata["kind"]) == ("pkg:maven/com.example/shop@1.2", "unpacked")
    assert not packages({"src/target/classes/META-INF/maven/a/b/pom.properties": "groupId=a\nartifactId=b\nversion=1"})
    assert not packages({"etc/pom.properties": "groupId=a\nartifactId=b\nversion=1"})


def test_libraries_without_metadata_in_a_merged_jar_are_a_remark() -> None:
    files = {**classes("shop"), **classes("shaded.io.netty.handler.ssl"), **maven("com.example", "shop", "1.2")}
    [problem] = assemble({"srv/shop-1.2.jar": jar(files)})[0].problems
    assert not problem.incomplete and "srv/shop-1.2.jar (io.netty:netty-handler)" in problem.message


def test_jenkins_plugins_are_named_by_their_manifest() -> None:
    plugin = jar({
        **manifest(Group_Id="org.jenkins-ci.plugins", Short_Name="git", Plugin_Version="5.2.1", Jenkins_Version="2.387",
                   Plugin_License_Name="MIT License"),
        "WEB-INF/lib/git.jar": jar({**classes("hudson.plugins.git")}),
    })  # fmt: skip
    [package] = assemble({"plugins/git.jpi": plugin})[0].packages
    assert package.purl == "pkg:maven/org.jenkins-ci.plugins/git@5.2.1"
    assert package.metadata == {"kind": "jenkins-plugin", "group-from": "manifest"}
    assert package.licenses == ("MIT",)


def test_licences_come_from_the_pom_or_the_bundles_header() -> None:
    pom = "<project><artifactId>b</artifactId><licenses><license><name>Apache 2.0</name></license></licenses></project>"
    made = {**maven("a", "b", "1"), "META-INF/maven/a/b/pom.xml": pom}
    [first] = packages({"b-1.jar": jar(made)}).values()
    [second] = packages(
        {"c-1.jar": jar({**manifest(Bundle_License='MIT;link="https://x"'), **classes("c.d")})}
    ).values()
    assert (first.licenses, second.licenses) == (("Apache-2.0",), ("MIT",))


def test_the_same_jar_brought_again_by_an_upper_layer_came_with_the_lower_one() -> None:
    content = jar(GUAVA)
    found, view = assemble({"guava.jar": content}, {"guava.jar": Entry(content, mode=0o600)})
    assert found.packages[0].layer == view.diff_id(0)


# ── what is not ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("classifier", ["sources", "javadoc", "tests", "test-sources"])
def test_sources_documentation_and_tests_are_not_the_library(classifier: str) -> None:
    assert not packages({f"guava-31.1-jre-{classifier}.jar": jar(GUAVA)})


def test_a_jar_that_nothing_names_is_a_remark() -> None:
    found, _ = assemble({"lib/tool.jar": jar(classes("com.example.tool"))})
    assert not found.packages
    [problem] = found.problems
    assert "lib/tool.jar" in problem.message
    assert not problem.incomplete


def test_other_files_under_the_same_endings_are_not_told() -> None:
    found, view = assemble({"a.rar": b"Rar!\x1a\x07", "b.sar": b"text", "c.jar": b"", "d.zip": jar({"readme": "x"})})
    assert (found, view.read_problems) == (Found(), ())


# ── damage and malice ───────────────────────────────────────────────────────────────────────────────────────────────


def read(content: bytes, path: str = "lib/x.jar") -> object:
    return Java().read(MemoryFile(path, content))


def problem_of(content: bytes, path: str = "lib/x.jar") -> str:
    fact = read(content, path)
    assert isinstance(fact, dict) and PARTIAL in fact
    return str(fact[PARTIAL])


def limit_of(content: bytes, **limits: int) -> str:
    analyzer = with_limits(Java(), "", {name.replace("_", "-"): value for name, value in limits.items()})
    fact = analyzer.read(MemoryFile("lib/x.jar", content))
    assert isinstance(fact, dict) and fact[PARTIAL] == ""
    return str(fact["limit"])


def test_what_is_called_a_jar_and_is_none_is_told() -> None:
    assert problem_of(b"version https://git-lfs.github.com/spec/v1\n") == "no zip archive"
    assert "truncated" in problem_of(jar(GUAVA)[:-30])


NOTHING = b"PK\x05\x06" + bytes(18)
"""The end record of an archive without entries."""


@pytest.mark.parametrize("behind", [NOTHING + b"x", NOTHING[:20] + b"\5\0" + b"xxxxxxx", b"PK\x05\x06", bytes(700)])
def test_an_end_record_that_java_passes_over_hides_nothing(behind: bytes) -> None:
    guava = {("com.google.guava:guava", "31.1-jre")}
    assert names("lib/x.jar", jar(GUAVA) + behind) == guava
    assert names("lib/x.jar", jar(GUAVA, comment=behind)) == guava


def test_a_stored_entry_of_two_sizes_is_told() -> None:
    content = bytearray(jar({"lib/a.jar": jar(GUAVA)}, stored=True))
    central = content.rindex(b"PK\x01\x02")
    content[central + 24 : central + 28] = bytes(4)
    assert problem_of(bytes(content)) == "lib/a.jar: damaged: its sizes cannot be"
    deflated = bytearray(jar({"lib/a.jar": jar(GUAVA)}))
    central = deflated.rindex(b"PK\x01\x02")
    deflated[central + 24 : central + 28] = bytes(4)
    assert problem_of(bytes(deflated)).startswith("lib/a.jar: damaged: it inflates to another size")


def test_damaged_test_data_of_a_toolchain_is_no_gap() -> None:
    damaged = bytearray(jar({"readme": "x"}))
    damaged[damaged.rindex(b"PK\x05\x06") + 16] += 1
    go = "usr/local/go/src/archive/zip/testdata"

    _found, view = assemble({f"{go}/test-baddirsz.zip": bytes(damaged)})
    assert not view.read_problems
    for path in (f"{go}/a.jar", "srv/a.zip"):
        _found, view = assemble({path: bytes(damaged)})
        assert [problem.subject for problem in view.read_problems] == [path]


def test_a_damaged_inner_archive_costs_only_itself() -> None:
    inner = jar(GUAVA)
    outer = jar({"lib/bad.jar": inner[:-40], "lib/good.jar": inner, "lib/worse.jar": b"nothing"}, stored=True)
    assert names("app.jar", outer) == {("com.google.guava:guava", "31.1-jre")}
    _, view = assemble({"app.jar": outer})
    [problem] = view.read_problems
    assert problem.message == "lib/bad.jar: no zip archive, or a truncated one; lib/worse.jar: no zip archive"


def test_encrypted_and_oddly_compressed_entries_are_told() -> None:
    content = bytearray(jar({"lib/a.jar": jar(GUAVA)}))
    central = content.index(b"PK\x01\x02")
    content[central + 8] |= 1
    assert problem_of(bytes(content)) == "lib/a.jar: encrypted"
    content[central + 8] &= 0xFE
    content[central + 10] = 93
    assert problem_of(bytes(content)) == "lib/a.jar: compressed by method 93"


def test_fifty_jars_inside_each_other_stop_at_the_limit() -> None:
    content = jar(GUAVA)
    for _ in range(50):
        content = jar({"a.jar": content}, stored=True)
    assert limit_of(content).endswith("a.jar: more than 24 archives inside each other (limit java.depth)")
    whole = with_limits(Java(), "", {"depth": 60}).read(MemoryFile("lib/x.jar", content))
    assert len(whole["archives"]) == 51


def test_an_archive_that_inflates_to_more_than_allowed_is_left() -> None:
    bomb = jar({"lib/zeros.jar": bytes(50_000_000)})
    assert len(bomb) < 100_000
    expected = "more than 1000000 inflated bytes of what is in one file (limit java.inflated-bytes)"
    assert limit_of(bomb, inflated_bytes=1_000_000) == expected


def test_more_archives_than_allowed_are_left_and_the_rest_kept() -> None:
    outer = jar({f"lib/guava-{number}.jar": jar(GUAVA) for number in range(9)})
    analyzer = with_limits(Java(), "", {"archives": 3})
    view = make_view(analyzer, [{"app.jar": outer}])
    assert len(analyzer.assemble(view).packages) == 2
    assert view.read_problems[0].message == "more than 3 archives in one file (limit java.archives)"
    assert view.read_problems[0].cause == "limit_hit"


def test_a_large_inner_archive_goes_through_a_temporary_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip, "IN_MEMORY", 100)
    outer = jar({"lib/guava.jar": jar({**GUAVA, "zeros": bytes(3_000_000)})})
    assert names("app.jar", outer) == {("com.google.guava:guava", "31.1-jre")}
    damaged = bytearray(outer)
    damaged[200:220] = bytes(20)
    assert "damaged" in problem_of(bytes(damaged))


def test_sizes_that_lie_are_damage() -> None:
    content = bytearray(jar({"lib/a.jar": jar(GUAVA)}))
    central = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, central + 24, 10)
    assert problem_of(bytes(content))
    # What claims to be so large is left without a look at what it is.
    struct.pack_into("<L", content, central + 24, 10 << 28)
    assert "java.inflated-bytes" in limit_of(bytes(content))


def test_an_archive_that_holds_itself_ends() -> None:
    """The stored inner archive's bytes are those of the outer one, end record included."""
    content = bytearray(jar({"a.jar": b"x" * 10, "b/C.class": b""}, stored=True))
    central = content.index(b"PK\x01\x02")
    struct.pack_into("<LL", content, central + 20, len(content), len(content))
    assert read(bytes(content)) is not None


def test_zip64_archives_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in GUAVA.items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as entry:
                entry.write(text if isinstance(text, bytes) else text.encode())
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    for prefix in (b"", b"#!/bin/sh\n"):
        wide = jar(GUAVA, prefix=prefix)
        assert b"PK\x06\x06" in wide
        for content in (wide, prefix + buffer.getvalue()):
            assert names("guava.jar", content) == {("com.google.guava:guava", "31.1-jre")}


def test_no_truncation_and_no_wrong_byte_makes_it_raise_or_hang() -> None:
    inner = jar({**GUAVA, **manifest(Bundle_SymbolicName="com.google.guava")})
    content = jar({"lib/a.jar": inner, **manifest(Implementation_Title="x")}, stored=True)
    random_bytes = random.Random(7)
    for end in range(len(content)):
        Java().read(MemoryFile("a.jar", content[:end]))
    for _ in range(2000):
        damaged = bytearray(content)
        for _ in range(random_bytes.randint(1, 8)):
            damaged[random_bytes.randrange(len(damaged))] = random_bytes.randrange(256)
        found, _view = assemble({"a.jar": bytes(damaged)})
        assert all(package.name and package.version for package in found.packages)


def test_odd_names_and_texts_can_be_written_out() -> None:
    inner = jar({b"META-INF/maven/\xff/b/pom.properties".decode("latin-1"): "version=1\\u0000\\ud800"})
    found, _ = assemble({"a.jar": jar({"l\u00e9/\ud7ff.jar": inner})})
    for package in found.packages:
        (package.name + package.version + package.locations[0].path).encode()

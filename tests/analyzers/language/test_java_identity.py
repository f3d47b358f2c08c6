"""What a jar is called: by Maven's metadata, its file name, its manifest, its classes."""

from __future__ import annotations

from typing import Any

import pytest

from anchorecli.analyzers.language.java.contents import common_package
from anchorecli.analyzers.language.java.filename import is_code, split, stem
from anchorecli.analyzers.language.java.groups import groups, known_group, leading
from anchorecli.analyzers.language.java.identity import Archive
from anchorecli.analyzers.language.java.merged import signs


def named(path: str, package: str = "", **headers: str) -> tuple[str, str, str, str]:
    """Group, artifact, version and what the group is known from, of a jar without Maven's metadata."""
    evidence: dict[str, Any] = {"in": "", "package": package, "classes": 9}
    evidence["manifest"] = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    [artifact] = Archive(evidence, path).artifacts()
    return artifact.group, artifact.artifact, artifact.version, artifact.evidence


@pytest.mark.parametrize(
    ("name", "artifact", "version"),
    [
        ("spring-core-5.3.20", "spring-core", "5.3.20"),
        ("guava-31.1-jre", "guava", "31.1-jre"),
        ("log4j-1.2-api-2.17.1", "log4j-1.2-api", "2.17.1"),
        ("kafka_2.13-3.6.1", "kafka_2.13", "3.6.1"),
        ("scala-xml_2.12-2.1.0-M1", "scala-xml_2.12", "2.1.0-M1"),
        ("jcip-annotations-1.0-1", "jcip-annotations", "1.0-1"),
        ("netty-transport-native-epoll-4.1.109.Final-linux-x86_64", "netty-transport-native-epoll", "4.1.109.Final"),
        ("org.eclipse.osgi_3.18.300.v20230220", "org.eclipse.osgi", "3.18.300.v20230220"),
        ("bcprov-jdk15on-1.70", "bcprov-jdk15on", "1.70"),
        ("json-lib-2.4-jdk15", "json-lib", "2.4"),
        ("jetty-server-9.4.54.v20240208", "jetty-server", "9.4.54.v20240208"),
        ("commons-lang-2.1", "commons-lang", "2.1"),
        ("jsr305-2.0.2", "jsr305", "2.0.2"),
        ("h2-2.2.224", "h2", "2.2.224"),
        ("spark-core_2.12-3.5.1", "spark-core_2.12", "3.5.1"),
        ("shop-1.0-SNAPSHOT", "shop", "1.0-SNAPSHOT"),
        ("ojdbc8-12.2.0.1", "ojdbc8", "12.2.0.1"),
        ("listenablefuture-9999.0-empty-to-avoid-conflict-with-guava", "listenablefuture",
         "9999.0-empty-to-avoid-conflict-with-guava"),
        ("cats-effect_2.13", "cats-effect_2.13", ""),
        ("library_3", "library", "3"),
        ("plain", "plain", ""),
        ("log4j", "log4j", ""),
        ("", "", ""),
    ],
)  # fmt: skip
def test_names_come_apart_where_the_version_begins(name: str, artifact: str, version: str) -> None:
    assert split(name) == (artifact, version)


def test_a_known_version_says_where_the_name_ends() -> None:
    assert split("x-2-y-1.0", ["2-y-1.0"]) == ("x", "2-y-1.0")
    assert split("epoll-4.1-linux-x86_64", ["4.1"]) == ("epoll", "4.1")
    assert split("zstd-jni-1.5.5-1", ["1.5.5"]) == ("zstd-jni", "1.5.5-1")
    assert split("a-11.0", ["1"]) == ("a", "11.0")
    assert split("zio_3", ["2.0.1"]) == ("zio_3", "")


def test_the_stem_is_that_of_the_innermost_archive() -> None:
    assert stem("opt/app.war:WEB-INF/lib/a-1.0.jar") == "a-1.0"
    assert stem("opt/app.war:a-1.0.jar") == "a-1.0"
    assert not is_code("a-1.0-sources")
    assert is_code("sources-1.0")


@pytest.mark.parametrize(
    ("path", "package", "headers", "expected"),
    [
        ("spring-core-6.1.6.jar", "org.springframework", {}, ("org.springframework", "spring-core", "6.1.6", "table")),
        ("spring-boot-3.2.5.jar", "", {}, ("org.springframework.boot", "spring-boot", "3.2.5", "table")),
        ("commons-lang-2.1.jar", "org.apache.commons.lang", {}, ("commons-lang", "commons-lang", "2.1", "table")),
        ("asm-3.1.jar", "org.objectweb.asm", {}, ("asm", "asm", "3.1", "table")),
        ("asm-9.6.jar", "org.objectweb.asm", {}, ("org.ow2.asm", "asm", "9.6", "table")),
        ("groovy-4.0.1.jar", "", {}, ("org.apache.groovy", "groovy", "4.0.1", "table")),
        ("bson-4.11.2.jar", "org.bson", {"Bundle_SymbolicName": "org.mongodb.bson"},
         ("org.mongodb", "bson", "4.11.2", "manifest")),
        ("attoparser-2.0.7.jar", "", {"Bundle_SymbolicName": "org.attoparser"},
         ("org.attoparser", "attoparser", "2.0.7", "manifest")),
        ("commons-foo3-3.1.jar", "", {"Bundle_SymbolicName": "org.apache.commons.foo3;singleton:=true"},
         ("org.apache.commons", "commons-foo3", "3.1", "manifest")),
        ("rest-7.1.jar", "", {"Implementation_Title": "org.example.client#rest;7.1"},
         ("org.example.client", "rest", "7.1", "manifest")),
        ("thing-1.jar", "", {"Implementation_Vendor_Id": "com.acme"}, ("com.acme", "thing", "1", "manifest")),
        ("resilience4j-core-2.2.jar", "io.github", {"Automatic_Module_Name": "io.github.resilience4j.core"},
         ("io.github.resilience4j", "resilience4j-core", "2.2", "manifest")),
        ("ejml-cdense-0.39.jar", "org.ejml.dense.row", {}, ("org.ejml", "ejml-cdense", "0.39", "classes")),
        ("org.x.y.apache-el-10.1.jar", "", {}, ("org.x.y", "apache-el", "10.1", "name")),
        ("thing-1.jar", "com.acme.thing.x", {}, ("com.acme.thing", "thing", "1", "classes")),
        ("thing-1.jar", "com.acme.internal.x", {}, ("com.acme", "thing", "1", "classes")),
        ("thing-1.jar", "", {}, ("", "thing", "1", "")),
        ("org.scala-lang.scala-library-2.13.10.jar", "scala", {},
         ("org.scala-lang", "scala-library", "2.13.10", "table")),
        ("lib/catalina.jar", "org.apache.catalina",
         {"Implementation_Title": "Apache Tomcat", "Implementation_Version": "9.0.80"},
         ("org.apache.tomcat", "tomcat-catalina", "9.0.80", "table")),
        ("lib/catalina-tribes.jar", "org.apache.catalina",
         {"Implementation_Title": "Apache Tomcat", "Implementation_Version": "9.0.80"},
         ("org.apache.tomcat", "tomcat-tribes", "9.0.80", "table")),
        ("lib/servlet-api.jar", "jakarta.servlet",
         {"Bundle_SymbolicName": "org.apache.tomcat-servlet-api", "Bundle_Version": "10.1.24"},
         ("org.apache.tomcat", "tomcat-servlet-api", "10.1.24", "table")),
        ("lib/main/org.ow2.asm.asm-9.6.jar", "org.objectweb.asm", {"Bundle_SymbolicName": "org.objectweb.asm"},
         ("org.ow2.asm", "asm", "9.6", "name")),
        ("app.jar:lib/boot/org.hibernate.orm.hibernate-core-6.4.4.Final.jar", "org.hibernate", {},
         ("org.hibernate.orm", "hibernate-core", "6.4.4.Final", "name")),
        ("lib/deployment/jakarta.el.jakarta.el-api-5.0.1.jar", "", {},
         ("jakarta.el", "jakarta.el-api", "5.0.1", "name")),
        ("org.hibernate.orm.hibernate-core-6.4.4.Final.jar", "org.hibernate", {},
         ("org.hibernate.orm", "hibernate-core", "6.4.4.Final", "table")),
        ("opentelemetry-proto-0.20.0-alpha.jar", "io.opentelemetry", {"Implementation_Version": "0.20.0"},
         ("io.opentelemetry.proto", "opentelemetry-proto", "0.20.0-alpha", "table")),
        ("xpp3-1.1.4c.jar", "org.xmlpull", {}, ("xpp3", "xpp3", "1.1.4c", "table")),
        ("bcprov.jar", "org.bouncycastle", {"Implementation_Version": "1.77.00.0", "Bundle_Version": "1.77"},
         ("org.bouncycastle", "bcprov", "1.77.00.0", "table")),
        ("x.jar", "org.apache.xerces", {"Implementation_Version": "Xerces-J 2.12.0"},
         ("xerces", "x", "2.12.0", "table")),
        ("tomcat10-coyote-10.1.6.jar", "org.apache.coyote", {"Implementation_Title": "Apache Tomcat"},
         ("org.apache.tomcat", "tomcat-coyote", "10.1.6", "table")),
        ("app.jar", "com.acme", {"Implementation_Title": "shop", "Implementation_Version": "1.2 (abc)"},
         ("com.acme", "shop", "1.2", "classes")),
    ],
)  # fmt: skip
def test_a_jar_without_metadata_is_named_by_what_else_there_is(
    path: str, package: str, headers: dict[str, str], expected: tuple[str, str, str, str]
) -> None:
    assert named(path, package, **headers) == expected


@pytest.mark.parametrize("name", ["app.jar", "lib.jar", "something.jar"])
def test_without_a_version_there_is_no_package(name: str) -> None:
    archive = Archive({"in": "", "classes": 3, "package": "a.b"}, name)
    assert archive.artifacts() == []
    assert archive.anonymous


def own(path: str, *poms: tuple[str, str, str], **headers: str) -> list[tuple[str, str]]:
    """Artifact and kind of everything in a jar with these coordinates in it."""
    evidence: dict[str, Any] = {"in": "", "classes": 9, "package": "a.b"}
    evidence["poms"] = [{"group": group, "artifact": artifact, "version": version} for group, artifact, version in poms]
    evidence["manifest"] = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return [(each.artifact, each.kind) for each in Archive(evidence, path).artifacts()]


def test_the_file_name_chooses_among_several_metadata() -> None:
    client, common = ("org.a", "a-client", "3.3"), ("org.a", "a-common", "3.3")
    assert own("a-common-3.3.jar", client, common) == [("a-common", "archive"), ("a-client", "embedded")]
    assert own("org.a.a-client-3.3.jar", client, common)[0] == ("a-client", "archive")
    assert own("org.a-a-client-3.3.jar", client, common)[0] == ("a-client", "archive")
    assert own("app.jar", client, common, Implementation_Title="a-client")[0] == ("a-client", "archive")
    assert own("app.jar", client, common) == [("a-client", "embedded"), ("a-common", "embedded")]


def test_a_variant_of_the_same_build_keeps_its_own_name() -> None:
    found = own("notes-jakarta-2.2.jar", ("io.x", "notes", "2.2"), Bundle_SymbolicName="notes")
    assert found == [("notes-jakarta", "archive"), ("notes", "embedded")]


def test_only_metadata_in_a_jar_of_another_version_is_embedded() -> None:
    assert own("tool-5.0.jar", ("org.lib", "lib", "1.1")) == [("tool", "archive"), ("lib", "embedded")]
    assert own("tool-1.1.jar", ("org.lib", "lib", "1.1")) == [("lib", "archive")]
    assert own("tool.jar", ("org.lib", "lib", "1.1"), Implementation_Version="7") == [
        ("tool", "archive"),
        ("lib", "embedded"),
    ]


def test_versions_that_were_left_as_variables_come_from_elsewhere() -> None:
    assert own("tool-1.1.jar", ("org.lib", "tool", "${revision}")) == [("tool", "archive")]
    assert own("tool.jar", ("org.lib", "tool", "${revision}")) == []
    assert own("tool-1.1.jar", ("org.lib", "tool", "1.1"), ("org.b", "b", "${v}")) == [("tool", "archive")]


def test_an_address_of_a_licence_is_told_by_its_name() -> None:
    header = 'http://www.apache.org/licenses/LICENSE-2.0.txt;link="x", https://opensource.org/licenses/MIT, Own terms'
    evidence = {"in": "", "manifest": {"bundle-license": header}, "classes": 1}
    [artifact] = Archive(evidence, "a-1.jar").artifacts()
    assert artifact.licenses == ("Apache-2.0", "MIT", "Own terms")


def test_tests_are_told_by_a_classifier_behind_a_version() -> None:
    assert is_code("kotlin-stdlib-minimal-for-test")
    assert not is_code("a-1.0-test")


def test_the_package_is_that_of_most_classes() -> None:
    assert common_package({b"org/a/x": 8, b"org/a/y": 8, b"com/z": 1}) == "org.a"
    assert common_package({b"org/a": 1, b"com/z": 1}) == ""
    assert common_package({b"": 5}) == ""


def test_the_tables_hold_groups_that_can_be_groups() -> None:
    assert all(group and " " not in group for group in groups())
    assert known_group("nobody-knows", "no.such", "1") == ""
    assert known_group("log4j-core", "org.apache.logging.log4j.core", "2.17") == "org.apache.logging.log4j"
    assert known_group("log4j", "org.apache.log4j", "1.2.17") == "log4j"
    assert known_group("jaxb-impl", "com.sun.xml.bind.v2", "2.2.3-1") == "com.sun.xml.bind"


@pytest.mark.parametrize(
    ("path", "main", "group"),
    [
        (
            "wiremock-standalone-2.27.2.jar",
            "com.github.tomakehurst.wiremock.standalone.Runner",
            "com.github.tomakehurst",
        ),
        ("wiremock-standalone-3.3.1.jar", "com.github.tomakehurst.wiremock.standalone.Runner", "org.wiremock"),
        ("mockserver-netty-no-dependencies-5.15.0.jar", "org.mockserver.cli.Main", "org.mock-server"),
        ("shop-1.0.jar", "shop.Main", ""),
    ],
)
def test_a_program_with_its_libraries_merged_in_is_known_by_its_main_class(path: str, main: str, group: str) -> None:
    assert named(path, Main_Class=main)[0] == group


def test_plugins_of_others_are_not_taken_for_jenkins() -> None:
    assert named("sonar-go-plugin-1.11.0.3905.jar", Plugin_Version="1.11.0.3905", Plugin_Key="go") == (
        "", "sonar-go-plugin", "1.11.0.3905", "",
    )  # fmt: skip
    assert named("git.jar", Plugin_Version="5.2.1", Short_Name="git")[:3] == ("org.jenkins-ci.plugins", "git", "5.2.1")


def merged(path: str, directories: list[bytes], package: str = "", *poms: str) -> list[str]:
    listed = [{"group": "g", "artifact": each, "version": "1"} for each in poms]
    return Archive(
        {"in": "", "package": package, "classes": 9, "merged": signs(directories), "poms": listed}, path
    ).merged()


def test_libraries_whose_classes_were_merged_in_without_their_metadata_are_named() -> None:
    netty, guava = b"shaded/io/netty/handler/ssl", b"com/google/common/collect"
    assert merged("a-1.jar", [netty, guava, b"a/b"]) == ["com.google.guava:guava", "io.netty:netty-handler"]
    assert merged("a-1.jar", [netty, guava], "", "guava") == ["io.netty:netty-handler"]
    assert merged("a-1.jar", [netty], "", "netty-all") == []
    assert merged("netty-handler-4.1.jar", [netty], "io.netty.handler") == []
    assert merged("tomcat-embed-core-10.1.jar", [b"org/apache/catalina/core"], "org.apache") == []
    assert merged("a-1.jar", [b"a/handler/ssl", b"micrometer/okhttp3", b"collect", b""]) == []


@pytest.mark.parametrize(
    ("name", "group", "artifact"),
    [
        ("com.typesafe.akka.akka-actor_2.13", "com.typesafe.akka", "akka-actor_2.13"),
        ("org.scala-js.scalajs-dom_sjs1_2.13", "org.scala-js", "scalajs-dom_sjs1_2.13"),
        ("commons-io.commons-io", "commons-io", "commons-io"),
        ("classworlds.classworlds", "classworlds", "classworlds"),
        ("javax.inject.javax.inject", "javax.inject", "javax.inject"),
        ("jakarta.el.jakarta.el-api", "jakarta.el", "jakarta.el-api"),
        ("org.eclipse.platform.org.eclipse.core.jobs", "org.eclipse.platform", "org.eclipse.core.jobs"),
        ("org.graalvm.sdk.collections", "org.graalvm.sdk", "collections"),
        ("plain", "", "plain"),
    ],
)
def test_a_group_in_front_of_a_name_ends_where_the_artifact_begins(name: str, group: str, artifact: str) -> None:
    assert leading(name) == (group, artifact)


def test_a_group_in_front_is_known_by_the_name_alone_where_it_repeats_itself() -> None:
    assert named("lib/org.parboiled.parboiled_2.13-2.5.0.jar", "org.parboiled2") == (
        "org.parboiled", "parboiled_2.13", "2.5.0", "name",
    )  # fmt: skip
    assert named("lib/com.example.deep.deep-1.2.jar", Bundle_SymbolicName="com.example.deep.deep")[1:3] == (
        "com.example.deep.deep", "1.2",
    )  # fmt: skip
    assert named("lib/org.elasticsearch.plugin.aggs-matrix-stats-client-7.17.10.jar")[:2] == (
        "org.elasticsearch.plugin", "aggs-matrix-stats-client",
    )  # fmt: skip


def test_scalas_binary_version_is_no_version_and_kotlins_build_no_part_of_one() -> None:
    stated = {"Implementation_Version": "3.5.4"}
    assert named("lib/cats-effect_2.13.jar", "cats.effect", **stated)[1:3] == ("cats-effect_2.13", "3.5.4")
    assert named("lib/kotlin-stdlib-jdk8.jar", "kotlin", Implementation_Version="1.4.10-release-411") == (
        "org.jetbrains.kotlin", "kotlin-stdlib-jdk8", "1.4.10", "table",
    )  # fmt: skip

"""Who owns what: links to OS packages, and programs that are what their owner says they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anchorecli.analyzers.ownership import link_owners, link_secrets
from anchorecli.model import DiffId, ImagePath, Location, Package, PrivateKey, Secret
from anchorecli.tree import LayerIndex, Tree

OWNER = Package("zlib1g", "1:1.2.13.dfsg-1", "deb", "deb", "pkg:deb/debian/zlib1g@1", source_version="1:1.2.13.dfsg-1")
OWNED = {OWNER.purl: ["/usr/bin/tool"]}


def tree() -> Tree:
    index = LayerIndex()
    index.add("usr/bin/tool", "f", (0o755, 0, 0), 10)
    return Tree([index])


def found(version: str, kind: str = "generic") -> Package:
    place = (Location(ImagePath("usr/bin/tool")),)
    return Package("zlib", version, kind, "fuzzy", f"pkg:{kind}/zlib@{version}", locations=place, analyzer="binary")


@pytest.mark.parametrize("version", ["1.2.13", "1.2"])
def test_a_program_with_its_owners_version_is_evidence_for_the_owner(version: str) -> None:
    (owner,) = link_owners([OWNER, found(version)], OWNED, tree())
    assert owner.metadata == {"programs": f"zlib {version} in usr/bin/tool"}
    assert owner.purl == OWNER.purl


@pytest.mark.parametrize(
    ("version", "program", "listed"),
    [("1:1.3.dfsg+really1.3.1-1+b1", "1.3.1", 1), ("2.12.7+dfsg+really2.9.14-2.1", "2.9.14", 1), ("2+really1", "2", 2)],
)
def test_a_release_that_was_taken_back_is_the_one_behind_really(version: str, program: str, listed: int) -> None:
    owner = replace(OWNER, version=version, source_version=version)
    assert len(link_owners([owner, found(program)], OWNED, tree())) == listed


@pytest.mark.parametrize(
    ("version", "program"),
    [
        ("5.3-4", "5.3.15"),
        ("1:10.0p1-7+deb13u4", "10.0p2"),
        ("8:7.1.1.43+dfsg1-1", "7.1.1-43"),
        ("1.8.7-6", "1.8.8"),
    ],
)
def test_a_program_of_the_series_that_came_with_its_package_is_the_packages(version: str, program: str) -> None:
    owner = replace(OWNER, version=version, source_version=version, layer=LOWER)
    assert len(link_owners([owner, replace(found(program), layer=LOWER)], OWNED, tree())) == 1
    assert len(link_owners([owner, replace(found(program), layer=UPPER)], OWNED, tree())) == 2
    assert len(link_owners([owner, replace(found("11.0.1"), layer=LOWER)], OWNED, tree())) == 2


@pytest.mark.parametrize(
    ("version", "program"),
    [("3.0.15-1~deb12u1", "3.0.2"), ("1.1.1n-0+deb11u5", "1.1.1k"), ("1:10.0p2-1", "10.0p1"), ("2.4.62-1", "2.4.5")],
)
def test_an_earlier_program_in_its_packages_place_is_told_even_of_the_same_layer(version: str, program: str) -> None:
    owner = replace(OWNER, version=version, source_version=version, layer=LOWER)
    both = link_owners([owner, replace(found(program), layer=LOWER)], OWNED, tree())
    assert [each.version for each in both] == [version, program]


@pytest.mark.parametrize("version", ["1.3.1", "1.2.1", "13"])
def test_another_version_is_another_program_in_the_owners_place(version: str) -> None:
    owner, program = link_owners([OWNER, found(version)], OWNED, tree())
    assert owner == OWNER
    assert program.owner == OWNER.purl


def test_what_is_no_mere_program_stays() -> None:
    assert [each.owner for each in link_owners([OWNER, found("1.2.13", "golang")], OWNED, tree())] == ["", OWNER.purl]


def test_what_no_distribution_speaks_of_owns_nothing_but_itself() -> None:
    index = LayerIndex()
    for path in ("opt/bitnami/redis/bin/redis-server", "opt/bitnami/redis/a.py"):
        index.add(path, "f", (0o755, 0, 0), 10)
    paths = Tree([index])
    redis = Package("redis", "7.2.4-0", "bitnami", "fuzzy", purl="pkg:bitnami/redis@7.2.4-0")
    program = Package(
        "redis",
        "7.2.4",
        "generic",
        "fuzzy",
        purl="pkg:generic/redis@7.2.4",
        locations=(Location(ImagePath("opt/bitnami/redis/bin/redis-server")),),
        analyzer="binary",
    )
    library = Package(
        "a", "1", "pypi", "pep440", "pkg:pypi/a@1", locations=(Location(ImagePath("opt/bitnami/redis/a.py")),)
    )
    found = link_owners([redis, program, library], {redis.purl: list(paths)}, paths)
    assert [(each.name, each.type, each.owner) for each in found] == [("redis", "bitnami", ""), ("a", "pypi", "")]
    assert "redis 7.2.4" in found[0].metadata["programs"]


LOWER, UPPER = DiffId("sha256:1"), DiffId("sha256:2")
GOLANG = Package("golang-src", "1", "deb", "deb", "pkg:deb/debian/golang-src@1", layer=LOWER)


def secret(path: str, layer: DiffId = LOWER) -> Secret:
    return Secret(ImagePath(path), 1, "private-key", "0", layer)


def owners_of(*secrets: Secret | PrivateKey, package: Package = GOLANG) -> list[str]:
    paths = ["/lib/go/key.pem", "/etc/go/key.pem", "/usr/share/other.pem"]
    index = LayerIndex()
    for path in ("usr/lib/go/key.pem", "etc/go/key.pem", "srv/key.pem"):
        index.add(path, "f", (0o644, 0, 0), 10)
    index.targets[len(index.paths)] = "usr/lib"
    index.add("lib", "l", (0o777, 0, 0), 0)
    linked = link_secrets(list(secrets), [package], {package.purl: paths}, Tree([index]))
    return [each.owner for each in linked]


def test_a_secret_in_a_packages_file_is_the_packages_also_through_a_linked_directory() -> None:
    assert owners_of(secret("usr/lib/go/key.pem")) == [GOLANG.purl]


def test_a_private_key_in_a_packages_file_is_the_packages() -> None:
    key = PrivateKey(ImagePath("usr/lib/go/key.pem"), 1, "RSA", False, LOWER)
    assert owners_of(key, replace(key, layer=UPPER), replace(key, path=ImagePath("srv/key.pem"))) == [
        GOLANG.purl,
        "",
        "",
    ]


def test_a_secret_elsewhere_in_etc_or_put_there_by_a_later_layer_is_nobodys() -> None:
    places = (secret("srv/key.pem"), secret("etc/go/key.pem"), secret("usr/lib/go/key.pem", UPPER))
    assert owners_of(*places) == ["", "", ""]
    assert owners_of(secret("image config: Env", DiffId(""))) == [""]


def test_a_bundlers_files_are_no_distributions() -> None:
    package = Package("app", "1", "bitnami", "semver", "pkg:bitnami/app@1", layer=LOWER)
    assert owners_of(secret("usr/lib/go/key.pem"), package=package) == [""]

"""What no analyzer reads is told, unless an OS package brought it."""

from __future__ import annotations

from collections.abc import Mapping

from anchorecli.analyzers.second_hand import NOTE
from anchorecli.analyzers.uncataloged import SYSTEM, nameless, uncataloged, unlisted
from anchorecli.model import Distro, ImagePath, Location, Package, Platform, Problem
from anchorecli.tree import LayerIndex, Tree
from tests.builders import Entry, layer, link
from tests.layers.reading import read

LARGE = Entry(bytes(1 << 20), mode=0o755)


def told(files: Mapping[str, bytes | str | Entry], owned: Mapping[str, list[str]] | None = None) -> dict[str, Problem]:
    tree = Tree([read(layer(files)).index])
    return {problem.subject: problem for problem in uncataloged(tree, owned or {})}


def test_package_evidence_without_an_analyzer_makes_the_evidence_incomplete() -> None:
    found = told({
        "var/lib/flatpak/app/a/metadata": "", "var/lib/flatpak/app/b/metadata": "", "var/guix/db/db.sqlite": "",
    })  # fmt: skip
    assert set(found) == {"Flatpak applications", "Guix store paths"}
    assert found["Flatpak applications"].message.startswith("2 not looked into")
    assert "var/lib/flatpak/app/a/metadata, var/lib/flatpak/app/b/metadata" in found["Flatpak applications"].message
    assert all(problem.incomplete and problem.hint for problem in found.values())


def test_what_an_analyzer_reads_is_not_told() -> None:
    assert told({
        "app/lib/a.jar": "", "usr/lib/ruby/gems/3.1.0/specifications/rake-13.gemspec": "", "srv/app.deps.json": "",
        "srv/vendor/composer/installed.json": "", "usr/lib/R/library/MASS/DESCRIPTION": "", "conda-meta/x-1.json": "",
        "var/db/pkg/dev-libs/a-1/CONTENTS": "", "var/lib/pacman/local/a-1-1/desc": "", "nix/var/nix/db/db.sqlite": "",
    }) == {}  # fmt: skip


def test_what_looks_alike_but_is_something_else_is_not_told() -> None:
    assert told({
        "srv/flatpak/app/a/metadata": "", "metadata": "", "guix/db.sqlite": "", "README/DESCRIPTION": "",
        "var/lib/flatpak/app/a/metadata.bak": "",
    }) == {}  # fmt: skip


def test_what_an_os_package_installed_is_its_own_also_through_a_linked_directory() -> None:
    files = {"var/guix/db/db.sqlite": "", "db": link("var/guix/db"), "usr/bin/big": LARGE}
    owned = {"pkg:deb/debian/a@1": ["/db/db.sqlite", "/usr/bin/big"]}
    assert told(files, owned) == {}
    assert set(told(files)) == {"Guix store paths", "programs"}


def test_what_is_packed_into_a_file_of_its_own_is_not_taken_for_clean() -> None:
    large = "x" * (1 << 20)
    found = told({
        "disk/vm.qcow2": large, "boot/disk.img.xz": large, "boot/initramfs.img": large, "small.iso": "x",
        "opt/app.AppImage": large, "var/lib/snapd/snaps/core_1.snap": large, "t/__snapshots__/a.snap": large,
        "images/k3s.tar.zst": large, "srv/site.tgz": large, "srv/words.gz": large, "link.iso": link("disk/vm.qcow2"),
        "srv/plugin.wasm": large, "srv/small.wasm": "x", "srv/dist/main.js": large, "srv/small.js": "x",
    })  # fmt: skip
    assert {kind: problem.incomplete for kind, problem in found.items()} == {
        "disk images": True, "file systems in files": True, "snaps": True, "archives": False,
        "WebAssembly modules": False, "JavaScript bundles": False,
    }  # fmt: skip
    assert found["disk images"].message.endswith(": boot/disk.img.xz, disk/vm.qcow2")
    assert found["archives"].message.endswith(": images/k3s.tar.zst, srv/site.tgz")


def test_archives_that_a_package_brought_are_its_own() -> None:
    large = "x" * (1 << 20)
    files = {"usr/share/doc/a/data.tar.gz": large, "site-packages/b/zones.tar": large, "srv/c.tar": large}
    tree = Tree([read(layer(files)).index])
    brought = Package(
        name="b", version="1", type="pypi", scheme="pep440",
        locations=(Location(ImagePath("site-packages/b-1.dist-info/METADATA")),),
    )  # fmt: skip
    [remark] = uncataloged(tree, {"pkg:deb/debian/a@1": ["/usr/share/doc/a/data.tar.gz"]}, [brought])
    assert remark.message.startswith("1 not looked into") and remark.message.endswith(": srv/c.tar")


def test_what_was_bundled_is_the_applications_and_not_the_packages_that_came_whole() -> None:
    large = "x" * (1 << 20)
    places = {
        "npm": "srv/app/node_modules/vite/package.json",
        "pypi": "site-packages/notebook-1.dist-info/METADATA",
        "gem": "var/gems/specifications/rails-7.0.gemspec",
        "composer": "srv/shop/vendor/composer/installed.json",
        "cran": "usr/lib/R/library/plotly/DESCRIPTION",
    }
    brought = [
        Package("x", "1", kind, "npm", locations=(Location(ImagePath(path)),), metadata={"kind": "module"})
        for kind, path in places.items()
    ]
    application = Location(ImagePath("srv/app/package.json"))
    brought.append(Package("app", "1", "npm", "npm", locations=(application,), metadata={"kind": "application"}))
    files = {
        "srv/app/node_modules/vite/dist/a.js": large, "site-packages/notebook/a.js": large,
        "var/gems/gems/rails-7.0/a.js": large, "srv/shop/vendor/x/a.js": large,
        "usr/lib/R/library/plotly/a.js": large, "srv/app/dist/server.mjs": large,
    }  # fmt: skip
    [remark] = uncataloged(Tree([read(layer(files)).index]), {}, brought)
    assert (remark.subject, remark.incomplete) == ("JavaScript bundles", False)
    assert remark.message.endswith(": srv/app/dist/server.mjs")


def test_large_programs_that_nobody_owns_are_a_remark() -> None:
    found = told(
        {"usr/local/bin/app": LARGE, "usr/local/bin/script": Entry(b"#!/bin/sh", mode=0o755), "data": "x" * 2000000}
    )
    assert list(found) == ["programs"]
    assert not found["programs"].incomplete
    assert "1 that no package owns: usr/local/bin/app;" in found["programs"].message


def test_long_lists_are_cut() -> None:
    found = told({f"var/lib/flatpak/app/{n}/metadata": "" for n in range(9)})
    assert found["Flatpak applications"].message.endswith(
        "app/0/metadata, var/lib/flatpak/app/1/metadata, var/lib/flatpak/app/2/metadata, …"
    )


def package(kind: str) -> Package:
    return Package(name="a", version="1", type=kind, scheme="deb")


def test_a_distribution_without_any_package_is_told() -> None:
    debian = Distro("debian", "12", pretty_name="Debian 12", source=ImagePath("etc/os-release"))
    [problem] = unlisted(debian, [package("pypi")])
    assert problem.incomplete and problem.subject == "Debian 12"
    assert "etc/os-release" in problem.hint
    assert [each.subject for each in unlisted(Distro("flatcar", "1"), [])] == ["flatcar 1"]


def test_nothing_is_told_where_packages_are_or_nobody_keeps_a_list() -> None:
    assert unlisted(Distro("debian", "12"), [package("deb")]) == []
    assert unlisted(Distro("busybox", "1.36.1"), []) == []
    assert unlisted(None, []) == []


def test_an_image_of_another_system_is_a_gap() -> None:
    tree = Tree([read(layer({"Files/Windows/System32/ntdll.dll": LARGE})).index])
    [problem] = nameless(tree, Platform("windows", "amd64"), None, [package("npm")])
    assert problem.incomplete and problem.subject == "Windows"
    assert [each.subject for each in nameless(tree, Platform("plan9", "amd64"), None, [])] == ["plan9"]
    assert nameless(Tree([]), Platform("windows", "amd64"), None, []) == []


def test_a_system_that_says_nothing_of_itself_is_remarked() -> None:
    linux = Platform("linux", "amd64")
    system = Tree([read(layer({f"usr/bin/{n}": LARGE for n in range(SYSTEM)})).index])
    [remark] = nameless(system, linux, None, [package("pypi")])
    assert not remark.incomplete and "os-release" in remark.message
    assert nameless(system, linux, Distro("debian", "12"), []) == []
    assert nameless(system, linux, None, [package("apk")]) == []
    assert nameless(Tree([read(layer({"app": LARGE})).index]), linux, None, []) == []


def test_a_system_with_a_shell_that_says_nothing_of_itself_is_a_gap() -> None:
    files = {f"usr/bin/{n}": LARGE for n in range(SYSTEM)} | {"bin": link("usr/bin"), "usr/bin/sh": link("1")}
    system = Tree([read(layer(files)).index])
    [problem] = nameless(system, Platform("linux", "amd64"), None, [])
    assert problem.incomplete and problem.subject == "distribution"
    # A note in a program names a package; a list of all it is not.
    noted = Package("systemd", "252", "deb", "deb", metadata={"evidence": NOTE})
    assert nameless(system, Platform("linux", "amd64"), None, [noted]) == [problem]


def test_a_program_that_told_what_is_in_it_is_not_unknown() -> None:
    tree = Tree([read(layer({"opt/a": LARGE, "opt/b": LARGE})).index])
    known = Package("x", "1", "golang", "go", locations=(Location(ImagePath("opt/a")),))
    (remark,) = uncataloged(tree, {}, [known])
    assert "opt/b" in remark.message
    assert "opt/a" not in remark.message


def test_what_lies_in_a_language_packages_directory_is_that_packages() -> None:
    index = LayerIndex()
    for path in ("lib/python3/site-packages/x/_rust.so", "srv/node_modules/esbuild/bin/esbuild", "opt/tool"):
        index.add(path, "f", (0o755, 0, 0), 2 << 20)
    wheel = Location(ImagePath("lib/python3/site-packages/x-1.dist-info/METADATA"))
    module = Location(ImagePath("srv/node_modules/esbuild/package.json"))
    packages = [
        Package("x", "1", "pypi", "pep440", locations=(wheel,)),
        Package("esbuild", "1", "npm", "npm", locations=(module,)),
    ]
    (found,) = uncataloged(Tree([index]), {}, packages)
    assert found.message.startswith("1 that no package owns: opt/tool;")

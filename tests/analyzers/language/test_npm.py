"""Installed npm packages: which package.json counts, what it says, and what damage does."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from anchorecli.analyzers.base import Found
from anchorecli.analyzers.language.npm import MAX_BYTES, Npm, is_candidate, read_package
from anchorecli.model import Package
from tests.analyzers.view import MemoryFile, make_view
from tests.builders import Entry, hardlink, link

Files = Mapping[str, bytes | str | Entry]


def manifest(name: str = "lodash", version: str = "4.17.21", **more: Any) -> str:
    return json.dumps({"name": name, "version": version, **more})


def assemble(*layers: Files) -> Found:
    return Npm().assemble(make_view(Npm(), layers))


def packages(*layers: Files) -> dict[str, Package]:
    found = assemble(*layers)
    assert not found.problems
    return {package.name: package for package in found.packages}


# ── what counts as installed ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "name", "kind"),
    [
        ("app/node_modules/lodash/package.json", "lodash", "module"),
        ("node_modules/lodash/package.json", "lodash", "module"),
        ("app/node_modules/@babel/core/package.json", "@babel/core", "module"),
        ("app/node_modules/a/node_modules/@b/c/package.json", "@b/c", "module"),
        ("app/node_modules/.pnpm/lodash@4.17.21/node_modules/lodash/package.json", "lodash", "module"),
        ("usr/local/lib/node_modules/npm/package.json", "npm", "module"),
        ("usr/local/lib/node_modules/npm/node_modules/abbrev/package.json", "abbrev", "module"),
        ("usr/local/lib/node_modules/corepack/package.json", "corepack", "module"),
        ("srv/test/node_modules/test/node_modules/spec/package.json", "spec", "module"),
        ("usr/share/nodejs/lodash/package.json", "lodash", "library"),
        ("usr/share/nodejs/@babel/core/package.json", "@babel/core", "library"),
        ("usr/lib/x86_64-linux-gnu/nodejs/lodash/package.json", "lodash", "library"),
        ("deno-dir/npm/registry.npmjs.org/lodash/4.17.21/package.json", "lodash", "library"),
        ("deno-dir/npm/registry.npmjs.org/@a/b/4.17.21/package.json", "@a/b", "library"),
        ("app/node_modules/typescript/vendor/lodash/package.json", "lodash", "vendored"),
        ("app/node_modules/typescript/vendor/@a/b/package.json", "@a/b", "vendored"),
        ("app/node_modules/next/dist/compiled/cookie/package.json", "cookie", "vendored"),
        ("app/node_modules/next/dist/compiled/@edge/cookies/package.json", "@edge/cookies", "vendored"),
        ("app/node_modules/compiled/package.json", "compiled", "module"),
        ("site-packages/nbclassic/static/components/jquery/package.json", "jquery", "served"),
        ("site-packages/nbclassic/static/components/MathJax/package.json", "mathjax", "served"),
        ("airflow/www/static/dist/swagger-ui/package.json", "swagger-ui-dist", "served"),
        ("srv/wwwroot/lib/bootstrap/package.json", "bootstrap", "served"),
        ("srv/bower_components/angular/package.json", "angular", "served"),
    ],
)
def test_what_node_would_load_is_a_package(path: str, name: str, kind: str) -> None:
    package = packages({path: manifest(name)})[name]

    assert (package.version, package.type, package.scheme) == ("4.17.21", "npm", "npm")
    assert package.purl == f"pkg:npm/{name.replace('@', '%40')}@4.17.21"
    assert package.metadata == {"kind": kind}
    assert [location.path for location in package.locations] == [path]


@pytest.mark.parametrize(
    "path",
    [
        "package.json",
        "app/package.json",
        "app/node_modules/package.json",
        "app/node_modules/lodash/dist/package.json",
        "app/node_modules/@babel/package.json",
        "app/node_modules/@babel/core/lib/package.json",
        "app/node_modules/.cache/package.json",
        "app/node_modules/.ignored/lodash/package.json",
        "app/node_modules/.lodash-x7Gh2/package.json",
        "app/node_modules/resolve/test/resolver/baz/package.json",
        "app/node_modules/resolve/test/node_modules/baz/package.json",
        "app/node_modules/@a/b/fixtures/x/node_modules/baz/package.json",
        "app/node_modules/typescript/vendor/other/package.json",
        "app/node_modules/next/dist/compiled/other/package.json",
        "app/node_modules/next/dist/baz/package.json",
        f"root/.cache/yarn/v6/npm-baz-4.17.21-{'0f' * 20}-integrity/node_modules/baz/package.json",
        "deno-dir/npm/registry.npmjs.org/baz/1.0.0/package.json",
        "usr/share/nodejs/package.json",
        "usr/share/nodejs/lodash/dist/package.json",
        "usr/share/php/lodash/package.json",
        "usr/lib/python3/dist-packages/notebook/static/package.json",
    ],
)
def test_everything_else_is_not(path: str) -> None:
    assert assemble({path: manifest("baz")}) == Found()


def test_what_lies_deep_in_a_package_is_not_even_read() -> None:
    assert not is_candidate("app/node_modules/resolve/test/resolver/baz/package.json")
    assert is_candidate("app/package.json")


@pytest.mark.parametrize(
    ("path", "name", "version", "counts"),
    [
        ("opt/yarn-v1.22.22/package.json", "yarn", "1.22.22", True),
        ("opt/yarn-1.22.22/package.json", "yarn", "1.22.22", True),
        ("root/.cache/node/corepack/v1/pnpm/9.1.0/package.json", "pnpm", "9.1.0", True),
        ("root/.volta/tools/image/yarn/1.22.22/package.json", "yarn", "1.22.22", True),
        ("usr/share/yarn/package.json", "yarn", "1.22.22", True),
        ("opt/yarn-v1.22.22/package.json", "yarn", "1.22.21", False),
        ("opt/yarn/package.json", "yarn", "1.22.22", False),
    ],
)
def test_a_package_manager_is_known_by_its_directory(path: str, name: str, version: str, counts: bool) -> None:
    found = assemble({path: manifest(name, version, bin={name: "bin/x.js"})}).packages
    assert [package.metadata["kind"] for package in found] == ["tool"] * counts
    assert not assemble({path: manifest(name, version)}).packages


@pytest.mark.parametrize(
    "modules",
    [
        {"app/node_modules/lodash/package.json": manifest()},
        {"app/node_modules": link("/opt/modules"), "opt/modules": Entry(type=b"5"), "opt": Entry(type=b"5")},
        {"app/node_modules": Entry(type=b"5")},
    ],
)
def test_an_application_stands_beside_its_modules(modules: Files) -> None:
    found = packages({"app/package.json": manifest("my-app", "1.0.0", private=True), **modules})
    assert found["my-app"].metadata == {"kind": "application", "private": "true"}


def test_an_application_at_the_root() -> None:
    found = packages({"package.json": manifest("my-app"), "node_modules/lodash/package.json": manifest()})
    assert set(found) == {"my-app", "lodash"}


def test_an_application_whose_modules_were_removed_is_none() -> None:
    lower = {"app/package.json": manifest("my-app"), "app/node_modules/lodash/package.json": manifest()}
    assert not packages(lower, {"app/.wh.node_modules": ""})


def test_what_a_link_among_the_modules_leads_to_is_installed() -> None:
    copy = {
        "srv/copies/minimist/package.json": manifest("minimist", "1.2.5"),
        "srv/copies/other/package.json": manifest("x"),
    }
    modules = {
        "srv/app/node_modules/minimist": link("../../copies/minimist"),
        "srv/app/node_modules/@own/a": link("../../packages/a"),
        "srv/app/node_modules/second": link("/srv/copies/minimist"),
        "srv/app/node_modules/lodash/other": link("../../../copies/other"),
        "srv/app/node_modules/gone": link("../nowhere"),
        "srv/app/packages/a/package.json": manifest("@own/a", "1.0.0", private=True),
    }
    found = assemble(copy | modules)
    assert sorted((each.name, each.version, each.metadata["kind"]) for each in found.packages) == [
        ("@own/a", "1.0.0", "application"),
        ("minimist", "1.2.5", "linked"),
    ]
    assert "srv/copies/minimist/package.json" in {each.locations[0].path for each in found.packages}
    # A later layer took the link away.
    assert [each.name for each in assemble(copy | modules, {"srv/app/node_modules/.wh.@own": ""}).packages] == [
        "minimist"
    ]


def test_hard_linked_modules_are_packages_too() -> None:
    store = {"store/lodash/package.json": manifest()}
    view = make_view(Npm(), [store, {"app/node_modules/lodash/package.json": hardlink("store/lodash/package.json")}])
    found = Npm().assemble(view)
    assert [package.locations[0].path for package in found.packages] == ["app/node_modules/lodash/package.json"]


STORED = f"root/.local/share/pnpm/store/v3/files/4f/{'9a' * 63}"


def test_modules_that_pnpm_linked_to_its_store_are_packages() -> None:
    path = "srv/node_modules/.pnpm/lodash@4.17.21/node_modules/lodash/package.json"
    script = STORED.replace("9a9a", "9b9a") + "-exec"
    view = make_view(
        Npm(), [{STORED: manifest(), path: hardlink(STORED), script: "{ name }", "srv/x.js": hardlink(script)}]
    )
    found = Npm().assemble(view)

    assert [package.locations[0].path for package in found.packages] == [path]
    assert not [*found.problems, *view.problems, *view.read_problems]


def test_a_store_that_is_linked_to_the_modules_is_no_problem() -> None:
    path, script = "app/node_modules/lodash/package.json", "app/node_modules/lodash/x.js"
    other = STORED.replace("9a9a", "9b9b")
    view = make_view(Npm(), [{path: manifest(), script: "x", STORED: hardlink(path), other: hardlink(script)}])
    found = Npm().assemble(view)

    assert [package.locations[0].path for package in found.packages] == [path]
    assert not [*found.problems, *view.problems, *view.read_problems]


@pytest.mark.parametrize("content", ['{"name": ', "{}", "#!/bin/sh", "", '{"version": "1"}'])
def test_other_files_of_pnpms_store_are_nothing(content: str) -> None:
    assert Npm().read(MemoryFile(STORED, content.encode())) is None
    assert assemble({STORED: content}) == Found()


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("srv/static/components/mine/package.json", manifest("other")),
        ("srv/static/components/button/package.json", manifest("button", private=True)),
        ("srv/src/components/button/package.json", manifest("button")),
        ("srv/static/button/package.json", manifest("button")),
        ("srv/tests/static/components/button/package.json", manifest("button")),
        ("static/package.json", manifest("static")),
    ],
)
def test_what_a_web_application_has_of_its_own_is_no_library(path: str, document: str) -> None:
    assert packages({path: document}) == {}


# ── what it says ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_name_in_the_file_is_the_identity_and_the_directory_an_alias() -> None:
    package = packages({"app/node_modules/lodash-old/package.json": manifest("lodash", "4.17.20")})["lodash"]
    assert package.metadata == {"kind": "module", "alias": "lodash-old"}
    assert package.purl == "pkg:npm/lodash@4.17.20"


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("1.2.3", "1.2.3"),
        ("v1.2.3", "1.2.3"),
        ("=1.2.3", "1.2.3"),
        (" = v1.2.3-rc.1+build ", "1.2.3-rc.1+build"),
        ("vNext", "vNext"),
        ("latest", "latest"),
    ],
)
def test_versions(written: str, version: str) -> None:
    assert packages({"node_modules/lodash/package.json": manifest(version=written)})["lodash"].version == version


@pytest.mark.parametrize(
    "document",
    [
        {"type": "module"},
        {"name": "lodash"},
        {"version": "1.0.0"},
        {"name": "", "version": "1.0.0"},
        {"name": "lodash", "version": ""},
        {"name": "${name}", "version": "1.0.0"},
        {"name": "lodash", "version": "${version}"},
        {"name": "lodash", "version": "{{version}}"},
        {"name": "<%= name %>", "version": "1.0.0"},
        {"name": "lodash", "version": "%VERSION%"},
        {"name": "Some title", "version": "1.0.0"},
        {"name": "../../etc", "version": "1.0.0"},
        {"name": ["lodash"], "version": "1.0.0"},
        {"name": "lodash", "version": 1},
        {"name": "lodash", "version": None},
    ],
)
def test_stubs_and_templates_are_no_packages(document: object) -> None:
    assert assemble({"node_modules/lodash/package.json": json.dumps(document)}) == Found()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"license": "MIT"}, ("MIT",)),
        ({"license": "(MIT OR CC0-1.0)"}, ("(MIT OR CC0-1.0)",)),
        ({"license": {"type": "Apache 2.0", "url": "http://x"}}, ("Apache-2.0",)),
        ({"license": ["MIT", {"type": "ISC"}]}, ("MIT", "ISC")),
        ({"licenses": [{"type": "MIT"}, {"type": "BSD-3-Clause"}, {"url": "x"}, 5]}, ("MIT", "BSD-3-Clause")),
        ({"licenses": "MIT"}, ("MIT",)),
        ({"license": "MIT", "licenses": [{"type": "MIT"}]}, ("MIT",)),
        ({"license": "SEE LICENSE IN LICENSE.md"}, ("SEE LICENSE IN LICENSE.md",)),
        ({"license": 5, "licenses": {"type": ["x"]}}, ()),
        ({"license": "x" * 5000}, ()),
        ({}, ()),
    ],
)
def test_licences(fields: dict[str, object], expected: tuple[str, ...]) -> None:
    assert packages({"node_modules/lodash/package.json": manifest(**fields)})["lodash"].licenses == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_other_encodings_of_json(encoding: str) -> None:
    assert "lodash" in packages({"node_modules/lodash/package.json": manifest().encode(encoding)})


def test_a_layer_that_only_touches_a_file_did_not_bring_the_package() -> None:
    files = {"node_modules/lodash/package.json": manifest()}
    view = make_view(Npm(), [files, files])
    (package,) = Npm().assemble(view).packages
    assert package.layer == view.diff_id(0)

    changed = make_view(Npm(), [files, {"node_modules/lodash/package.json": manifest(version="5.0.0")}])
    (package,) = Npm().assemble(changed).packages
    assert (package.layer, package.version) == (changed.diff_id(1), "5.0.0")


# ── damage ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe\xfd", b"[" * 200_000, b'{"a":' * 200_000, b"1" * 10_000]
)
def test_a_damaged_file_of_an_installed_package_is_a_problem(data: bytes) -> None:
    path = "app/node_modules/lodash/package.json"
    found = assemble({path: data})

    assert not found.packages
    (problem,) = found.problems
    assert (problem.stage, problem.subject, problem.incomplete) == ("analyze", path, True)


def test_a_damaged_file_elsewhere_is_nobodys_problem() -> None:
    assert assemble({"app/template/package.json": "{{name}}", "app/node_modules/x/test/package.json": "{"}) == Found()


def test_damage_that_a_later_layer_repaired_is_no_problem() -> None:
    path = "app/node_modules/lodash/package.json"
    assert packages({path: "{"}, {path: manifest()})


def test_a_huge_file_is_not_read_and_told() -> None:
    view = make_view(Npm(), [{"app/node_modules/lodash/package.json": b" " * (MAX_BYTES + 1)}])
    assert not Npm().assemble(view).packages
    assert "over the limit" in view.read_problems[0].message


def test_text_that_cannot_be_written_out_is_replaced() -> None:
    fact = read_package(b'{"name": "a", "version": "1", "license": "\\ud800\\u0000x"}')
    assert fact == {"name": "a", "version": "1", "licenses": ["?x"]}


def test_reading_cut_or_changed_files_never_raises() -> None:
    data = manifest(license={"type": "MIT"}, licenses=["ISC"], private=True, bin={"x": "y"}).encode()
    rng = random.Random(1)
    broken = [data[:length] for length in range(len(data) + 1)]
    for _ in range(3000):
        changed = bytearray(data)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(changed))
            changed[at : at + rng.randrange(3)] = rng.choice([b"", b"[", b"{", b'"', b"\\u", rng.randbytes(1)])
        broken.append(bytes(changed))
    for each in broken:
        fact = Npm().read(MemoryFile("node_modules/lodash/package.json", each))
        json.dumps(fact).encode("utf-8")
        assemble({"node_modules/lodash/package.json": each}) if len(each) % 50 == 0 else None


def test_an_extension_of_an_editor_is_no_package_of_npm() -> None:
    extension = manifest("lint", engines={"vscode": "^1.80"}, publisher="acme")
    other = manifest("lint", engines={"vscode": "^1.80"})
    files = {"srv/a/package.json": extension, "srv/a/node_modules/x/package.json": manifest("x")}
    assert list(packages(files)) == ["x"]
    assert sorted(packages({**files, "srv/a/package.json": other})) == ["lint", "x"]

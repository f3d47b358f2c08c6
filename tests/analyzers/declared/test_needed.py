"""What production reaches, of lock files whose graph has to be followed: pnpm 9 and later, bun, uv; Poetry's groups."""

from __future__ import annotations

import json

import pytest

from anchorecli.analyzers.declared import needed
from anchorecli.analyzers.declared.plugin import DeclaredAnalyzer
from tests.analyzers.view import make_view

PNPM = """lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      alias:
        specifier: npm:@x/real@1.0.0
        version: '@x/real@1.0.0'
      local:
        specifier: file:./local
        version: file:local
    optionalDependencies:
      native:
        specifier: 1.0.0
        version: 1.0.0
    devDependencies:
      jest:
        specifier: 29.0.0
        version: 29.0.0(peer@2.0.0)
      shared:
        specifier: 1.0.0
        version: 1.0.0

  packages/own:
    dependencies:
      other:
        specifier: workspace:*
        version: link:../other
      shared:
        specifier: ^1.0.0
        version: 1.0.0(patch_hash=abc)(peer@1.0.0)
    devDependencies:
      tool:
        specifier: 3.0.0
        version: 3.0.0

packages:

  '@x/real@1.0.0':
    resolution: {integrity: sha512-x}
    peerDependencies:
      jest: '*'
  deep@1.0.0:
    resolution: {integrity: sha512-x}
  git@https://codeload.example.org/x/git/tar.gz/0a0a:
    resolution: {tarball: https://codeload.example.org/x/git/tar.gz/0a0a}
    version: 4.0.0
  jest@29.0.0:
    resolution: {integrity: sha512-x}
  local@file:local:
    resolution: {directory: local, type: directory}
  native@1.0.0:
    resolution: {integrity: sha512-x}
  peer@1.0.0:
    resolution: {integrity: sha512-x}
  peer@2.0.0:
    resolution: {integrity: sha512-x}
  shared@1.0.0:
    resolution: {integrity: sha512-x}
  tool@3.0.0:
    resolution: {integrity: sha512-x}

snapshots:

  '@x/real@1.0.0': {}

  ? deep@1.0.0(very@1.0.0)
  : dependencies:
      git: https://codeload.example.org/x/git/tar.gz/0a0a
    transitivePeerDependencies:
      - jest

  git@https://codeload.example.org/x/git/tar.gz/0a0a:
    dependencies:
      native: 1.0.0

  jest@29.0.0(peer@2.0.0):
    dependencies:
      peer: 2.0.0
      shared: 1.0.0(patch_hash=abc)(peer@1.0.0)

  local@file:local:
    dependencies:
      deep: 1.0.0(very@1.0.0)

  native@1.0.0:
    optional: true

  peer@1.0.0: {}

  peer@2.0.0: {}

  shared@1.0.0: {}

  shared@1.0.0(patch_hash=abc)(peer@1.0.0):
    dependencies:
      peer: 1.0.0

  tool@3.0.0:
    dependencies:
      peer: 2.0.0
"""
BUN = """{
  "lockfileVersion": 1,
  "workspaces": {
    "": {
      "name": "root",
      "dependencies": { "a": "1", "alias": "npm:real@1", },
      "devDependencies": { "dev": "1", "both": "1", },
      "optionalDependencies": { "native": "1", "elsewhere": "1", },
    },
    "packages/own": {
      "name": "@x/own",
      "dependencies": { "both": "2", "git": "x/git", },
      "devDependencies": { "tool": "1", },
      "peerDependencies": { "peer": "*", },
    },
  },
  "packages": {
    "@x/own": ["@x/own@workspace:packages/own"],
    "@x/own/both": ["both@2.0.0", "", { "dependencies": { "c": "2" } }, "sha512-x"],
    "@x/own/both/c": ["c@2.0.0", "", {}, "sha512-x"],
    "a": ["a@1.0.0", "", { "peerDependencies": { "d": "*", "e": "*" }, "optionalPeers": ["d", "e"] }, "sha512-x"],
    "alias": ["real@1.0.0", "", {}, "sha512-x"],
    "both": ["both@1.0.0", "", { "dependencies": { "c": "1" } }, "sha512-x"],
    "c": ["c@1.0.0", "", {}, "sha512-x"],
    "d": ["d@1.0.0", "", {}, "sha512-x"],
    "dev": ["dev@1.0.0", "", { "dependencies": { "d": "1" } }, "sha512-x"],
    "git": ["git@github:x/git#0a0a", { "dependencies": { "below": "1" } }, "x-git-0a0a"],
    "git/below": ["below@1.0.0", "", {}, "sha512-x"],
    "native": ["native@1.0.0", "", { "os": "none" }, "sha512-x"],
    "peer": ["peer@1.0.0", "", {}, "sha512-x"],
    "tool": ["tool@1.0.0", "", {}, "sha512-x"],
  },
}
"""
REGISTRY = 'source = { registry = "https://pypi.org/simple" }\n'
UV = f"""version = 1
[manifest]
members = ["root", "own"]
[[package]]
name = "root"
version = "1"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "requests", extra = ["socks"] }},
    {{ name = "numpy", version = "2.0", {REGISTRY.strip()}, marker = "python_full_version < '3.10'" }},
    {{ name = "beside" }},
]
[package.optional-dependencies]
fast = [{{ name = "ujson" }}]
[package.dev-dependencies]
dev = [
    {{ name = "pytest" }},
    {{ name = "httpx", extra = ["http2"] }},
    {{ name = "numpy", version = "1.0", {REGISTRY.strip()} }},
]
[[package]]
name = "own"
version = "1"
source = {{ editable = "packages/own" }}
dependencies = [{{ name = "attrs" }}]
[[package]]
name = "beside"
version = "1"
source = {{ editable = "../beside" }}
dependencies = [{{ name = "six" }}]
[package.dev-dependencies]
dev = [{{ name = "mypy" }}]
[[package]]
name = "requests"
version = "2.31.0"
{REGISTRY}dependencies = [{{ name = "idna" }}]
[package.optional-dependencies]
socks = [{{ name = "pysocks" }}]
[[package]]
name = "httpx"
version = "0.28"
{REGISTRY}dependencies = [{{ name = "idna" }}]
[package.optional-dependencies]
http2 = [{{ name = "h2" }}]
""" + "".join(
    f'[[package]]\nname = "{name}"\nversion = "{version}"\n{REGISTRY}'
    for name, version in (
        ("numpy", "1.0"), ("numpy", "2.0"), ("ujson", "5"), ("pytest", "8"), ("attrs", "1"), ("six", "1"),
        ("mypy", "1"), ("idna", "3"), ("pysocks", "1"), ("h2", "4"),
    )
)  # fmt: skip
POETRY = "".join(
    f'[[package]]\nname = "{name}"\nversion = "1"\noptional = false\n{groups}'
    for name, groups in (
        ("a", 'groups = ["main"]\n'),
        ("b", 'groups = ["dev", "main"]\nmarkers = {dev = "x"}\n'),
        ("c", 'groups = ["dev", "docs"]\n'),
        ("d", ""),
    )
)
CASES = {
    "pnpm-lock.yaml": (PNPM, ["@x/real@1.0.0", "deep@1.0.0", "native@1.0.0", "peer@1.0.0", "shared@1.0.0"]),
    "bun.lock": (
        BUN,
        ["a@1.0.0", "below@1.0.0", "both@2.0.0", "c@2.0.0", "d@1.0.0", "native@1.0.0", "peer@1.0.0", "real@1.0.0"],
    ),
    "uv.lock": (
        UV,
        ["attrs@1", "idna@3", "numpy@2.0", "pysocks@1", "requests@2.31.0", "six@1", "ujson@5"],
    ),
    "poetry.lock": (POETRY, ["a@1", "b@1", "d@1"]),
}


def listed(path: str, text: str) -> list[str]:
    analyzer = DeclaredAnalyzer.of("")
    view = make_view(analyzer, [{path: text}])
    assert view.read_problems == ()
    return sorted(f"{each.name}@{each.version}" for each in analyzer.assemble(view).packages)


@pytest.mark.parametrize("path", CASES)
def test_what_only_development_reaches_is_left_out(path: str) -> None:
    text, expected = CASES[path]
    assert listed(path, text) == expected


@pytest.mark.parametrize(
    ("path", "old", "new", "more"),
    [
        ("pnpm-lock.yaml", "version: file:local", "version: file:elsewhere", "jest@29.0.0"),
        ("pnpm-lock.yaml", "\nimporters:", "\nothers:", "tool@3.0.0"),
        ("pnpm-lock.yaml", "\nsnapshots:", "\nothers:", "jest@29.0.0"),
        ("bun.lock", '"dependencies": { "both": "2"', '"dependencies": { "gone": "2"', "tool@1.0.0"),
        ("bun.lock", '"workspaces": {', '"others": {', "dev@1.0.0"),
        ("uv.lock", '{ name = "attrs" }', '{ name = "gone" }', "pytest@8"),
    ],
)
def test_nothing_is_left_out_by_a_graph_that_is_not_understood(path: str, old: str, new: str, more: str) -> None:
    text, _ = CASES[path]
    assert old in text
    assert more in listed(path, text.replace(old, new, 1))


def test_a_project_of_its_own_needs_no_list_of_members() -> None:
    assert "attrs@1" not in listed("uv.lock", UV.replace('members = ["root", "own"]', ""))
    assert "pytest@8" in listed("uv.lock", UV.replace('members = ["root", "own"]', "").replace("virtual", "directory"))


def test_packages_that_need_each_other_end() -> None:
    text = BUN.replace('"c@2.0.0", "", {}', '"c@2.0.0", "", {"dependencies": {"both": "1"}}')
    assert listed("bun.lock", text) == CASES["bun.lock"][1]


def test_of_a_lock_file_with_too_many_needs_nothing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    without = listed("pnpm-lock.yaml", PNPM)
    monkeypatch.setattr(needed, "MAX_NEEDS", 3)
    assert set(listed("pnpm-lock.yaml", PNPM)) > set(without)


def test_the_keys_of_bun_that_are_no_text_end_nothing() -> None:
    document = {"workspaces": {"": {"dependencies": {"a": 1}}}, "packages": {"a": ["a@1.0.0", 3, None]}}
    assert listed("bun.lock", json.dumps(document)) == ["a@1.0.0"]

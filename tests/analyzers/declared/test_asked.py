"""What projects ask for: the names in each format, the versions that stand there, and when nothing is left open."""

from __future__ import annotations

import json

import pytest

from anchorecli.analyzers.declared.open_ends import LOCKS
from anchorecli.analyzers.declared.plugin import ASKING, DeclaredAnalyzer
from anchorecli.model import Distro, Package
from tests.analyzers.view import make_view

POM = """<project><groupId>a</groupId><artifactId>b</artifactId><version>3</version>
<properties><jackson.version>2.9.1</jackson.version></properties>
<dependencyManagement><dependencies>
 <dependency><groupId>g</groupId><artifactId>guava</artifactId><version>20.0</version></dependency>
 <dependency><groupId>g</groupId><artifactId>unused</artifactId><version>1</version></dependency>
</dependencies></dependencyManagement>
<dependencies>
 <!-- <dependency><groupId>no</groupId><artifactId>no</artifactId><version>1</version></dependency> -->
 <dependency><groupId>l</groupId><artifactId>log4j</artifactId><version>2.14.0</version></dependency>
 <dependency><groupId>f</groupId><artifactId>jackson</artifactId><version>${jackson.version}</version>
  <exclusions><exclusion><groupId>x</groupId><artifactId>y</artifactId></exclusion></exclusions></dependency>
 <dependency><groupId>g</groupId><artifactId>guava</artifactId></dependency>
 <dependency><groupId>${project.groupId}</groupId><artifactId>own</artifactId><version>${project.version}</version></dependency>
 <dependency><groupId>p</groupId><artifactId>managed</artifactId></dependency>
 <dependency><groupId>r</groupId><artifactId>range</artifactId><version>[1,2)</version></dependency>
 <dependency><groupId>t</groupId><artifactId>junit</artifactId><version>4.1</version><scope>test</scope></dependency>
</dependencies>
<build><plugins><plugin><dependencies>
 <dependency><groupId>pl</groupId><artifactId>pd</artifactId><version>1</version></dependency>
</dependencies></plugin></plugins></build></project>
"""
CASES: dict[str, tuple[str, str, list[str], list[str]]] = {
    "package.json": (
        json.dumps(
            {
                "dependencies": {"lodash": "^4.0.0", "alias": "npm:@scope/real@1.0.0", "own": "workspace:*"},
                "optionalDependencies": {"fsevents": "2"},
                "devDependencies": {"jest": "1"},
            }
        ),
        "npm",
        ["@scope/real", "fsevents", "lodash"],
        [],
    ),
    "composer.json": ('{"require": {"php": ">=8", "ext-json": "*", "a/b": "^1"}}', "composer", ["a/b"], []),
    "pyproject.toml": (
        '[project]\ndependencies = ["Requests[socks]>=2.0; python_version > \'3\'", "my_pkg", "x @ https://e/x.zip"]\n'
        '[tool.poetry.dependencies]\npython = "^3.9"\nflask = "^2"\nown = {path = "../own"}\n',
        "pypi",
        ["flask", "my-pkg", "requests", "x"],
        [],
    ),
    "setup.cfg": (
        "[metadata]\nname = x\n[options]\ninstall_requires =\n    six\n    Jinja2>=2 # why\n"
        "[options.extras_require]\n  y = z\n",
        "pypi",
        ["jinja2", "six"],
        [],
    ),
    "Cargo.toml": (
        '[dependencies]\nserde = "1"\nother = {package = "real", version = "1"}\nown = {path = "x"}\n'
        '[dev-dependencies]\nt = "1"\n[target."cfg(unix)".dependencies]\nlibc = "0.2"\n',
        "cargo",
        ["libc", "real", "serde"],
        [],
    ),
    "pom.xml": (
        POM,
        "maven",
        ["a:own", "f:jackson", "g:guava", "l:log4j", "p:managed", "r:range"],
        ["pkg:maven/a/own@3", "pkg:maven/f/jackson@2.9.1", "pkg:maven/g/guava@20.0", "pkg:maven/l/log4j@2.14.0"],
    ),
    "build.gradle": (
        "dependencies {\n  implementation 'a:b:1.2'\n  api(\"c:d:${v}\")\n  testImplementation 'junit:junit:4'\n"
        "  compileOnlyApi('e:f')\n  implementation project(':x')\n}\n",
        "maven",
        ["a:b", "c:d", "e:f"],
        ["pkg:maven/a/b@1.2"],
    ),
    "build.gradle.kts": ('implementation("a:b:1.2@aar")\n', "maven", ["a:b"], ["pkg:maven/a/b@1.2"]),
    "Gemfile": ("source 'x'\ngem 'rails', '~> 6'\n  gem \"rake\"\n# gem 'no'\n", "gem", ["rails", "rake"], []),
    "mix.exs": (
        'defp deps do\n [{:jason, "~> 1.0"},\n {:credo, "~> 1.0", only: [:dev]}, {:own, path: "x"}]\nend\n',
        "hex",
        ["jason"],
        [],
    ),
    "setup.py": (
        "from setuptools import setup\nNEEDS = ['Six', 'my_pkg>=1; python_version>\"3\"']\n"
        "setup(name='x', install_requires=NEEDS, tests_require=['pytest'], extras_require={'y': ['z']})\n",
        "pypi",
        ["my-pkg", "six"],
        [],
    ),
    "Package.swift": (
        "let package = Package(dependencies: [\n"
        '  .package(url: "https://github.com/apple/swift-nio.git", from: "2.0.0"),\n'
        '  .package(name: "Vapor", url: "https://github.com/vapor/vapor", .exact("4.1.0")),\n'
        '  // .package(url: "https://github.com/no/no", from: "1.0.0"),\n  .package(path: "../own"),\n'
        '  .package(url: "git@github.com:x/y.git", exact: "1.2.3")])\n',
        "swift",
        ["github.com/apple/swift-nio", "github.com/vapor/vapor", "github.com/x/y"],
        ["pkg:swift/github.com/vapor/vapor@4.1.0", "pkg:swift/github.com/x/y@1.2.3"],
    ),
    "pubspec.yaml": (
        "name: own\nenvironment:\n  sdk: ^3.0.0\ndependencies:\n  flutter:\n    sdk: flutter\n  http: ^1.0.0\n  # why\n"
        "  hosted:\n    hosted: https://e\n    version: ^1.0.0\n  own: {path: ../own}\n  any:\n"
        "dev_dependencies:\n  lints: ^3.0.0\n",
        "pub",
        ["any", "hosted", "http"],
        [],
    ),
    "Podfile": (
        "platform :ios\ntarget 'A' do\n  pod 'Alamofire', '~> 5.0'\n  pod 'Firebase/Core', '10.1.0'\n"
        "  # pod 'No'\n  pod 'Own', :path => '../own'\n  pod 'Git', git: 'https://e'\n  pod \"Bare\"\nend\n",
        "cocoapods",
        ["Alamofire", "Bare", "Firebase"],
        ["pkg:cocoapods/Firebase@10.1.0"],
    ),
    "conanfile.txt": (
        "[requires]\nzlib/1.3.1\n# no/1\nfmt/[>=10]@me/dev\n[tool_requires]\ncmake/3.28\n",
        "conan",
        ["fmt", "zlib"],
        ["pkg:conan/zlib@1.3.1"],
    ),
    "conanfile.py": (
        "class Own(ConanFile):\n    requires = ('zlib/1.3.1', ('fmt/[>=10]', 'private'))\n"
        "    tool_requires = 'cmake/3.28'\n"
        "    def requirements(self):\n        self.requires('boost/1.84.0', transitive_headers=True)\n",
        "conan",
        ["boost", "fmt", "zlib"],
        ["pkg:conan/boost@1.84.0", "pkg:conan/zlib@1.3.1"],
    ),
    "App.csproj": (
        '<Project><ItemGroup><PackageReference Include="Newtonsoft.Json" Version="9.0.1" />\n'
        '<PackageReference Include="Dapper">\n<Version>2.1.0</Version></PackageReference>'
        '<PackageReference Include="Serilog" Version="3.*" /></ItemGroup></Project>',
        "nuget",
        ["Dapper", "Newtonsoft.Json", "Serilog"],
        ["pkg:nuget/Dapper@2.1.0", "pkg:nuget/Newtonsoft.Json@9.0.1"],
    ),
    "requirements.txt": (
        "-r other.txt\nrequests>=2\nflask==2.0\nzope.interface\n./own\nhttps://e/x.zip\n# no\nsix==1.*\n",
        "pypi",
        ["requests", "six", "zope-interface"],
        ["pkg:pypi/flask@2.0"],
    ),
}


CLOSED = (".json", "deno.lock", "bun.lock", "Pipfile.lock", ".resolved", "conan.lock", "composer.lock")
"""Endings of lock files that are not empty even where nothing is locked."""


def find(files, installed=(), distro=None):
    analyzer = DeclaredAnalyzer.of("")
    view = make_view(analyzer, [files], distro)
    view.packages = list(installed)
    assert not view.read_problems
    return analyzer.assemble(view)


def test_every_format_has_a_case() -> None:
    assert set(ASKING) < set(CASES)
    assert {kind for _, kind, _, _ in CASES.values()} == set(LOCKS)


@pytest.mark.parametrize("path", CASES)
def test_what_a_file_asks_for(path: str) -> None:
    text, kind, names, purls = CASES[path]
    found = find({f"src/{path}": text})
    assert sorted(package.purl for package in found.packages) == purls
    [problem] = found.problems
    assert problem.subject == f"src/{path}" and problem.incomplete and problem.hint
    listed = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    count = f"{len(names)} package{'s' if len(names) > 1 else ''}"
    assert problem.message == f"no file says which versions come of what is asked for: {count} ({listed})"
    installed = [Package(name, "1", kind, "fuzzy") for name in names]
    assert not find({f"src/{path}": text}, installed).problems
    assert len(find({f"src/{path}": text}, installed[1:]).problems) == 1


@pytest.mark.parametrize("path", CASES)
def test_a_lock_file_beside_it_or_above_settles_it(path: str) -> None:
    text, kind, _, _ = CASES[path]
    for lock in LOCKS[kind]:
        empty = "{}" if lock.endswith(CLOSED) else ""
        assert not find({f"src/a/{path}": text, f"src/a/{lock}": empty}).problems
        assert not find({f"src/a/{path}": text, lock: empty}).problems
        assert find({f"src/a/{path}": text, f"src/b/{lock}": empty}).problems


def test_pins_settle_what_is_asked_for_by_name() -> None:
    asked = '[project]\ndependencies = ["Requests>=2"]\n'
    assert not find({"pyproject.toml": asked, "requirements.txt": "requests==2.31.0\nidna==3.1\n"}).problems


def test_many_files_are_one_gap_each_kind() -> None:
    found = find({**{f"m{number}/pom.xml": POM for number in range(5)}, "Gemfile": "gem 'rake'\n"})
    assert [problem.subject for problem in found.problems] == ["Gemfile", "maven packages"]
    assert "in 5 files (m0/pom.xml, m1/pom.xml, m2/pom.xml, …): 6 packages" in found.problems[1].message


def test_in_an_image_it_is_a_remark() -> None:
    [problem] = find({"srv/Gemfile": "gem 'rake'\n"}, distro=Distro("debian", "12")).problems
    assert not problem.incomplete


@pytest.mark.parametrize(
    "path", ["node_modules/a/package.json", "vendor/a/b/composer.json", "c/registry/src/x/Cargo.toml"]
)
def test_files_of_packages_that_were_brought_are_not_read(path: str) -> None:
    assert not DeclaredAnalyzer.of("").wants.match(path, 1, 0o644)


SETUP = "from setuptools import setup\nimport x\n{before}\nsetup(install_requires={value})\n"


@pytest.mark.parametrize(
    ("before", "value", "names", "reason"),
    [
        ("", "['six', 'idna>=2']", ["idna", "six"], ""),
        ("", "'six\\nidna'", ["idna", "six"], ""),
        ("N = ('six',)", "N", ["six"], ""),
        ("", "x.needs()", [], "install_requires is computed"),
        ("N = ['six']\nN.append('idna')", "N", [], "install_requires is computed"),
        ("N = ['six']\nN += ['idna']", "N", [], "install_requires is computed"),
        ("", "['six', x.y]", [], "install_requires is computed"),
        ("", "[], **x", [], "install_requires is computed"),
        ("N = open('requirements/base-requirements.txt').read()", "N.split()", [], ""),
        ("print 'x'", "[]", [], "it is no Python of today, or too long"),
        ("\0", "[]", [], "it is no Python of today, or too long"),
        ("#" * 70_000, "[]", [], "it is no Python of today, or too long"),
        ("", "-" * 60_000 + "1", [], "it is no Python of today, or too long"),
        ("", "a" + ".b" * 30_000, [], "it is no Python of today, or too long"),
        ("def f(): return '\\d'", "[]", [], ""),
    ],
)
def test_a_program_is_read_and_what_it_computes_is_a_gap(
    before: str, value: str, names: list[str], reason: str
) -> None:
    files = {"setup.py": SETUP.format(before=before, value=value)}
    found = find(files)
    told = [each.message for each in found.problems]
    listed = f"no file says which versions come of what is asked for: {len(names)} packages ({', '.join(names)})"
    assert told == [
        *([f"what it asks for could not be read: {reason}"] if reason else []),
        *([listed.replace("1 packages", "1 package")] if names else []),
    ]
    assert all(each.incomplete and each.hint for each in found.problems)
    assert not find({**files, "uv.lock": ""}).problems
    assert not find({"setup.py": "def setup(): pass\n"}).problems


def test_programs_that_compute_are_one_gap_each_kind() -> None:
    files = {f"m{number}/setup.py": SETUP.format(before="", value="x()") for number in range(3)}
    recipe = "class A(ConanFile):\n def requirements(self):\n  self.requires(f'zlib/{self.v}')\n"
    found = find({**files, "conanfile.py": recipe, "old/conanfile.py": "print 1"})
    assert [(each.subject, each.message.partition(": ")[2]) for each in found.problems] == [
        ("conanfile.py", "requires is computed, so of 1 other files (old/conanfile.py)"),
        ("m0/setup.py", "install_requires is computed, so of 2 other files (m1/setup.py, m2/setup.py)"),
    ]


PARENT = """<project><groupId>g</groupId><artifactId>parent</artifactId><version>1.0</version><packaging>pom</packaging>
<properties><a.version>1.1</a.version><b.version>2.2</b.version></properties>
<dependencyManagement><dependencies>
 <dependency><groupId>x</groupId><artifactId>a</artifactId><version>${a.version}</version></dependency>
 <dependency><groupId>x</groupId><artifactId>b</artifactId><version>${b.version}</version></dependency>
 <dependency><groupId>${project.groupId}</groupId><artifactId>own</artifactId><version>${project.version}</version></dependency>
 <dependency><groupId>x</groupId><artifactId>t</artifactId><version>1</version><scope>test</scope></dependency>
</dependencies></dependencyManagement></project>
"""
CHILD = """<project><parent><groupId>g</groupId><artifactId>PARENT</artifactId><version>1.0</version>WHERE</parent>
<artifactId>child</artifactId><properties><b.version>2.3</b.version></properties>
<dependencies>
 <dependency><groupId>x</groupId><artifactId>a</artifactId></dependency>
 <dependency><groupId>x</groupId><artifactId>b</artifactId></dependency>
 <dependency><groupId>g</groupId><artifactId>own</artifactId></dependency>
 <dependency><groupId>y</groupId><artifactId>c</artifactId><version>${project.parent.version}</version></dependency>
 <dependency><groupId>x</groupId><artifactId>t</artifactId></dependency>
</dependencies></project>
"""
INHERITED = ["pkg:maven/g/own@1.0", "pkg:maven/x/a@1.1", "pkg:maven/x/b@2.3", "pkg:maven/y/c@1.0"]


@pytest.mark.parametrize(
    ("where", "parent", "path", "purls"),
    [
        ("", "parent", "pom.xml", INHERITED),
        ("<relativePath>../other</relativePath>", "parent", "other/pom.xml", INHERITED),
        ("<relativePath>../other/p.xml</relativePath>", "parent", "other/pom.xml", INHERITED[3:]),
        ("<relativePath/>", "parent", "pom.xml", INHERITED[3:]),
        ("<relativePath />", "parent", "pom.xml", INHERITED[3:]),
        ("", "another", "pom.xml", INHERITED[3:]),
        ("<relativePath>pom.xml</relativePath>", "child", "pom.xml", INHERITED[3:]),
    ],
)
def test_a_project_has_what_its_parent_in_the_tree_tells(where: str, parent: str, path: str, purls: list[str]) -> None:
    child = CHILD.replace("PARENT", parent).replace("WHERE", where)
    found = find({path: PARENT, "child/pom.xml": child})
    assert sorted(each.purl for each in found.packages) == purls
    assert [each.incomplete for each in found.problems] == [True]


def test_the_parent_may_be_named_at_the_end() -> None:
    start, end = CHILD.index("<parent>"), CHILD.index("</parent>") + len("</parent>")
    child = CHILD[:start] + CHILD[end:].replace("</project>", CHILD[start:end] + "</project>")
    child = child.replace("PARENT", "parent").replace("WHERE", "")
    assert child.index("<parent>") > child.index("</dependencies>")
    assert sorted(each.purl for each in find({"pom.xml": PARENT, "child/pom.xml": child}).packages) == INHERITED


def test_a_parent_of_another_release_is_not_the_one_that_is_meant() -> None:
    child = CHILD.replace("PARENT", "parent").replace("WHERE", "")
    other = PARENT.replace("<version>1.0<", "<version>2.0<")
    assert [each.name for each in find({"pom.xml": other, "child/pom.xml": child}).packages] == ["y:c"]
    revision = PARENT.replace("<version>1.0<", "<version>${revision}<")
    assert len(find({"pom.xml": revision, "child/pom.xml": child}).packages) == 4


def test_a_grandparent_tells_too() -> None:
    middle = CHILD.replace("PARENT", "parent").replace("WHERE", "").replace("child", "middle").replace("2.3", "2.4")
    child = CHILD.replace("PARENT", "middle").replace("WHERE", "").replace("<b.version>2.3</b.version>", "")
    found = find({"pom.xml": PARENT, "m/pom.xml": middle, "m/c/pom.xml": child})
    assert {each.version for each in found.packages if each.name == "x:b"} == {"2.4"}


@pytest.mark.parametrize("name", [*CASES, "x.fsproj"])
@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b"\xff\x00", b'{"dependencies": [1]}', b"[project]\n", b"<dependency>"]
)
def test_damage_is_a_problem_at_most(name: str, data: bytes) -> None:
    analyzer = DeclaredAnalyzer.of("")
    view = make_view(analyzer, [{name: data}])
    assert analyzer.assemble(view).packages == ()
    assert all("could not be read" not in problem.message for problem in view.read_problems)

"""Which package needs which."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping

import pytest

from anchorecli.analyzers.base import Analyzer
from anchorecli.analyzers.binary.plugin import Binaries
from anchorecli.analyzers.language.gem import Gem
from anchorecli.analyzers.language.npm import Npm
from anchorecli.analyzers.language.python import Python
from anchorecli.analyzers.os.apk import ApkAnalyzer
from anchorecli.analyzers.os.dpkg import DpkgAnalyzer
from anchorecli.analyzers.os.pacman import PacmanAnalyzer
from anchorecli.analyzers.os.rpm.plugin import RpmAnalyzer
from anchorecli.model import ImagePath, Location, Package
from anchorecli.report.relations import dependencies
from tests.analyzers.binary import executables
from tests.analyzers.os import rpmdb
from tests.analyzers.view import make_view
from tests.builders import Entry


def related(analyzer: Analyzer, files: Mapping[str, bytes | str | Entry]) -> set[str]:
    """``one > other`` for each relation, by the packages' names and versions."""
    packages = analyzer.assemble(make_view(analyzer, [files])).packages
    names = {f"r{number}": f"{package.name} {package.version}" for number, package in enumerate(packages)}
    found = dependencies(zip(names, packages, strict=True))
    return {f"{names[one]} > {names[other]}" for one, others in found.items() for other in others}


def stanza(name: str, version: str = "1", **more: str) -> str:
    lines = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in more.items())
    return f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n{lines}\n"


def test_debian() -> None:
    status = (
        stanza(
            "app", Depends="libc6 (>= 2.36), awk, debconf (>= 1) | debconf-2.0, python3:any, gone | mawk (>= 1),  | , "
        )
        + stanza("libc6", "2.36")
        + stanza("mawk", Provides="awk", Pre_Depends="libc6 (>= 2.4)")
        + stanza("cdebconf", Provides="debconf-2.0 (= 1)")
        + stanza("python3")
    )
    assert related(DpkgAnalyzer(), {"var/lib/dpkg/status": status}) == {
        "app 1 > libc6 2.36",
        "app 1 > mawk 1",
        "app 1 > cdebconf 1",
        "app 1 > python3 1",
        "mawk 1 > libc6 2.36",
    }
    pieces = {f"var/lib/dpkg/status.d/{name}": stanza(name, Depends="b (>= 1)") for name in ("a", "b")}
    assert related(DpkgAnalyzer(), pieces) == {"a 1 > b 1"}


def test_alpine() -> None:
    text = (
        "P:busybox\nV:1.36-r0\nD:so:libc.musl-x86_64.so.1 !other\np:cmd:sh=1.36-r0 /bin/sh\n\n"
        "P:musl\nV:1.2-r0\np:so:libc.musl-x86_64.so.1=1\n\nP:base\nV:3-r0\nD:busybox>=1.2 cmd:sh nothing~1\n\n"
    )
    assert related(ApkAnalyzer(), {"lib/apk/db/installed": text}) == {
        "busybox 1.36-r0 > musl 1.2-r0",
        "base 3-r0 > busybox 1.36-r0",
    }


def test_rpm() -> None:
    headers = [
        rpmdb.header("bash", "5-1", requires=["libc.so.6()(64bit)", "rpmlib(X)", "(a if b)", "gone", "filesystem"]),
        rpmdb.header("glibc", "2-1", provides=["glibc", "libc.so.6()(64bit)", "libm.so.6()(64bit)"]),
        rpmdb.header("filesystem", "3-1", requires=["/bin/sh"]),
    ]
    view = make_view(RpmAnalyzer(), [{"var/lib/rpm/Packages.db": rpmdb.ndb(headers)}])
    packages = {package.name: package for package in RpmAnalyzer().assemble(view).packages}
    assert packages["glibc"].provides == ("libc.so.6()(64bit)",)
    assert related(RpmAnalyzer(), {"var/lib/rpm/Packages.db": rpmdb.ndb(headers)}) == {
        "bash 5-1 > glibc 2-1",
        "bash 5-1 > filesystem 3-1",
    }


def test_arch() -> None:
    place = "var/lib/pacman/local"
    assert related(PacmanAnalyzer(), {
        f"{place}/bash-5/desc": "%NAME%\nbash\n\n%VERSION%\n5\n\n%DEPENDS%\nreadline>=8\nlibc.so=6-64\n",
        f"{place}/readline-8/desc": "%NAME%\nreadline\n\n%VERSION%\n8\n",
        f"{place}/glibc-2/desc": "%NAME%\nglibc\n\n%VERSION%\n2\n\n%PROVIDES%\nlibc.so=6-64\n",
    }) == {"bash 5 > readline 8", "bash 5 > glibc 2"}  # fmt: skip


def test_python() -> None:
    def metadata(name: str, *requires: str) -> str:
        lines = "".join(f"Requires-Dist: {each}\n" for each in requires)
        return f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{lines}\n"

    one, other = "usr/lib/python3/site-packages", "opt/venv/lib/python3.12/site-packages"
    assert related(Python(), {
        f"{one}/requests-1.dist-info/METADATA": metadata(
            "requests",
            "urllib3 (<3,>=1.21.1)",
            'PySocks!=1.5.7; extra == "socks"',
            "Zope.Interface[x]>=2",
            "six; python_version<'3'",
        ),
        f"{one}/urllib3-1.dist-info/METADATA": metadata("urllib3"),
        f"{other}/urllib3-1.dist-info/METADATA": metadata("urllib3", "requests"),
        f"{one}/zope_interface-1.dist-info/METADATA": metadata("zope.interface"),
        f"{one}/PySocks-1.dist-info/METADATA": metadata("PySocks"),
    }) == {"requests 1 > urllib3 1", "requests 1 > zope-interface 1", "urllib3 1 > requests 1"}  # fmt: skip


def test_node_looks_upwards() -> None:
    def package(name: str, version: str, *needs: str) -> str:
        return json.dumps({"name": name, "version": version, "dependencies": dict.fromkeys(needs, "*")})

    assert related(Npm(), {
        "app/package.json": package("app", "0", "a", "b"),
        "app/node_modules/a/package.json": package("a", "1", "b", "@s/c", "gone"),
        "app/node_modules/a/node_modules/b/package.json": package("b", "2"),
        "app/node_modules/b/package.json": package("b", "1"),
        "app/node_modules/@s/c/package.json": package("@s/c", "1", "b"),
    }) == {"app 0 > a 1", "app 0 > b 1", "a 1 > b 2", "a 1 > @s/c 1", "@s/c 1 > b 1"}  # fmt: skip


def test_ruby() -> None:
    def spec(name: str, *needs: str) -> str:
        lines = "".join(f'  s.add_runtime_dependency(%q<{each}>.freeze, [">= 0".freeze])\n' for each in needs)
        tools = '  s.add_development_dependency(%q<rake>.freeze, [">= 0"])\n'
        return f"# stub: {name} 1.0 ruby lib\n\nGem::Specification.new do |s|\n{lines}{tools}end\n"

    place = "usr/lib/ruby/gems/3.1.0/specifications"
    assert related(Gem(), {
        f"{place}/sinatra-1.0.gemspec": spec("sinatra", "rack"),
        f"{place}/rack-1.0.gemspec": spec("rack"),
        f"{place}/rake-1.0.gemspec": spec("rake"),
    }) == {"sinatra 1.0 > rack 1.0"}  # fmt: skip


def test_what_is_linked_into_one_program() -> None:
    crates = [
        {"name": "app", "version": "1.0.0", "root": True, "dependencies": [1, 2, 9]},
        {"name": "rand", "version": "0.8.5", "dependencies": [3]},
        {"name": "rand", "version": "0.9.0"},
        {"name": "libc", "version": "0.2.1"},
    ]
    rust = Entry(executables.elf({".dep-v0": zlib.compress(json.dumps({"packages": crates}).encode())}), mode=0o755)
    text = "path\texample.com/a\nmod\texample.com/a\tv1.2.3\th1:x=\ndep\tgolang.org/x/net\tv0.20.0\th1:y=\n"
    go = Entry(executables.elf({".go.buildinfo": executables.go_blob("go1.22.3", text)}), mode=0o755)
    assert related(Binaries(), {"bin/r": rust, "bin/s": rust, "bin/g": go}) == {
        "app 1.0.0 > rand 0.8.5",
        "app 1.0.0 > rand 0.9.0",
        "rand 0.8.5 > libc 0.2.1",
        "example.com/a v1.2.3 > golang.org/x/net v0.20.0",
        "example.com/a v1.2.3 > stdlib 1.22.3",
    }


def package(name: str, path: str, arch: str = "", *depends: str) -> Package:
    return Package(name, "1", "deb", "deb", arch=arch, depends=depends, locations=(Location(ImagePath(path)),))


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([package("b", "x/status", "i386"), package("b", "x/status", "amd64")], {"a": ["2"]}),
        ([package("b", "y/status"), package("b", "x/status")], {"a": ["2"]}),
        ([package("b", "y/status"), package("b", "z/status")], {}),
        ([package("a", "x/status", "amd64")], {}),
        ([], {}),
    ],
)
def test_of_several_the_one_that_fits(others: list[Package], expected: dict[str, list[str]]) -> None:
    listed = [("a", package("a", "x/status", "amd64", "b", "a")), *((str(n), p) for n, p in enumerate(others, 1))]
    assert dependencies(listed) == expected

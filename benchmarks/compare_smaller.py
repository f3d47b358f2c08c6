"""An image for ``make compare`` of smaller ecosystems: Perl, LuaRocks, opam and GHC.

Their registries are seldom at hand, so most packages are made here, and installed by the ecosystem's own client: cpanm
from a mirror in a directory, ``make install``, ``luarocks make``, opam from a local repository. Haskell's libraries are
Debian's, without its database.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from images import over_debian, run

HASKELL = "aeson attoparsec unordered-containers vector text-icu http-client tls zlib network scientific".split()
LUA = "5.3"


def _smaller(root: Path) -> None:
    for fill in (_perl, _rocks, _opam, _haskell):
        work = root.with_suffix(fill.__name__.replace("_", "."))
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        fill(root, work)
        shutil.rmtree(work)


def _perl(root: Path, work: Path) -> None:
    """Distributions out of a mirror, which cpanm keeps a record of, and others by hand; newer ones over older ones."""
    author = work / "authors/id/C/CO/COMPARE"
    author.mkdir(parents=True)
    index, modules = [], []
    for number in range(60):
        module = f"Compare::Part{number % 45}"
        # As Scalar-List-Utils, whose module is List::Util.
        name = f"Compare-Dist{number % 45}-Utils" if number % 3 == 0 else module.replace("::", "-")
        version = ("1.{:03}", "0.{}", "v2.{}.1", "3.{:02}_01")[number % 4].format(number)
        folder = work / f"{name}-{version.removeprefix('v')}"
        _perl_distribution(folder, module, name, version)
        if number % 5 == 4:
            run("perl", "Makefile.PL", f"INSTALL_BASE={root / 'usr/local'}", cwd=folder)
            run("make", "-s", "install", cwd=folder)
            continue
        archive = author / f"{folder.name}.tar.gz"
        run("tar", "-czf", archive, "-C", work, folder.name)
        index = [line for line in index if not line.startswith(f"{module} ")]
        index.append(f"{module} {version} C/CO/COMPARE/{archive.name}\n")
        modules.append(module)
    (work / "modules").mkdir()
    with gzip.open(work / "modules/02packages.details.txt.gz", "wt") as file:
        file.write(f"File: 02packages.details.txt\nLine-Count: {len(index)}\n\n{''.join(sorted(index))}")
    mirror = ("--mirror", f"file://{work.resolve()}", "--mirror-only", "--notest", "--quiet")
    run("cpanm", *mirror, "--local-lib", (root / "usr/local").resolve(), *sorted(set(modules)))


def _perl_distribution(folder: Path, module: str, name: str, version: str) -> None:
    place = folder / f"lib/{module.replace('::', '/')}.pm"
    place.parent.mkdir(parents=True)
    place.write_text(f"package {module};\nour $VERSION = '{version}';\n1;\n")
    (folder / "Makefile.PL").write_text(
        "use ExtUtils::MakeMaker;\n"
        f"WriteMakefile(NAME => '{module}', DISTNAME => '{name}', VERSION_FROM => 'lib/{module.replace('::', '/')}.pm',"
        " LICENSE => 'perl_5');\n"
    )


def _rocks(root: Path, work: Path) -> None:
    """Rocks in two trees; two versions of every fourth."""
    (work / "src").mkdir()
    (work / "src/part.lua").write_text("return {}\n")
    for number in range(32):
        rock, version = f"compare-{number % 24}", f"{number // 24 + 1}.{number}.0-{number % 3 + 1}"
        rockspec = work / f"{rock}-{version}.rockspec"
        rockspec.write_text(
            f'package = "{rock}"\nversion = "{version}"\nsource = {{ url = "file:///part.lua" }}\n'
            f'description = {{ license = "MIT" }}\n'
            f'build = {{ type = "builtin", modules = {{ part{number} = "src/part.lua" }} }}\n'
        )
        tree = (root / ("usr/local" if number % 2 else "opt/lua")).resolve()
        kept = ("--keep",) if number >= 24 else ()
        run("luarocks", f"--lua-version={LUA}", "make", "--tree", tree, *kept, rockspec.name, cwd=work)


def _opam(root: Path, work: Path) -> None:
    """Two switches of one root, packages of a local repository, one of them removed again."""
    (work / "packages").mkdir()
    (work / "repo").write_text('opam-version: "2.0"\n')
    names = []
    for number in range(40):
        name = f"compare-{number}"
        version = ("1.{}.0", "v0.{}", "{}.0~beta2", "{}.1+ocaml4")[number % 4].format(number)
        folder = work / f"packages/{name}/{name}.{version}"
        folder.mkdir(parents=True)
        (folder / "opam").write_text(
            'opam-version: "2.0"\nsynopsis: "s"\nmaintainer: "a"\nauthors: "a"\nlicense: "MIT"\nhomepage: "h"\n'
            'bug-reports: "b"\n'
        )
        names.append(name)
    own = os.environ | {"OPAMROOT": str((root / "root/.opam").resolve()), "OPAMROOTISOK": "1", "OPAMYES": "1"}
    commands = (
        ("init", "--bare", "-n", "--disable-sandboxing", "default", str(work.resolve())),
        ("switch", "create", "first", "--empty"), ("install", "--switch=first", *names[:25]),
        ("remove", "--switch=first", names[3]),
        ("switch", "create", "second", "--empty"), ("install", "--switch=second", *names[15:]),
    )  # fmt: skip
    for command in commands:
        subprocess.run(["opam", *command], check=True, env=own, stdout=subprocess.DEVNULL)


def _haskell(root: Path, work: Path) -> None:
    run("apt-get", "download", "-q", *(f"libghc-{each}-dev" for each in HASKELL), cwd=work)
    for archive in work.glob("*.deb"):
        run("dpkg-deb", "-x", archive, root)


IMAGES: dict[str, Callable[[Path], None]] = {"smaller": over_debian(_smaller)}

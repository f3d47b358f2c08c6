"""Images for ``make compare`` whose system is out of the ordinary: apk, distroless, and layers that undo each other.

The apk database is written by the real ``apk`` of packages that its ``mkpkg`` built; where there is none, the image is
left out. The other two are made of Debian's packages as they are.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from images import debian, docker_archive, pack, run


def _apk(target: Path) -> None:
    """Packages of one origin, pre-releases, replaced and removed ones; a second layer with a newer database."""
    root, work = target.with_suffix(".root"), target.with_suffix(".apks")
    for each in (root, work):
        shutil.rmtree(each, ignore_errors=True)
        each.mkdir()
    built = [_apk_package(work, number) for number in range(180)]
    into = ("apk", "--root", root, "--arch", "x86_64", "--allow-untrusted", "--no-network", "--no-interactive")
    run(*into, "--initdb", "add", *built[:150])
    (root / "etc/os-release").write_text('ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n')
    first = target.with_suffix(".first")
    run("tar", "-cf", first, "-C", root, ".")
    before = _paths(root)
    run(*into, "add", *built[150:])
    run(*into, "del", *(f"compare-{number}" for number in range(0, 40, 4)))
    for gone in before - _paths(root):
        if (root / gone.parent).is_dir():
            (root / gone.parent / f".wh.{gone.name}").touch()
    second = target.with_suffix(".second")
    pack(root, second)
    docker_archive(target, [first, second], f"compare/{target.stem}:1")
    for layer in (first, second):
        layer.unlink()
    shutil.rmtree(work)


def _apk_package(work: Path, number: int) -> Path:
    """One package; every seventh is a newer version of the one before it in a list of 150."""
    name = f"compare-{number if number < 150 else (number - 150) * 5}"
    version = ("1.{0}.0-r1", "2.{0}_rc2-r0", "0.{0}.3_git20240101-r7", "{0}-r0", "1.{0}a_p1-r12")[number % 5]
    files = work / f"files{number}"
    (files / "usr/share/compare").mkdir(parents=True)
    (files / f"usr/share/compare/{name}").write_text(f"{number}\n")
    said = {
        "name": name, "version": version.format(number), "arch": "x86_64" if number % 6 else "noarch",
        "license": ("MIT", "GPL-2.0-or-later AND BSD-3-Clause", "custom")[number % 3],
        "origin": f"compare-{number // 3}",
        "description": "compared", "url": "https://example.org/", "maintainer": "A <a@example.org>",
    }  # fmt: skip
    out = work / f"{number}.apk"
    run("apk", "mkpkg", *(f"-I{key}:{value}" for key, value in said.items()), "-F", files, "-o", out)
    return out


def _distroless(target: Path) -> None:
    """A Debian whose database is one file for each package, as Bazel's rules write it; no ``status``, no dpkg."""
    root, layer = _extracted(target, "ca-certificates,libssl3,python3-minimal,tzdata,openjdk-17-jre-headless")
    admin = root / "var/lib/dpkg"
    stanzas = (admin / "status").read_text().split("\n\n")
    single = root / "status.d"
    single.mkdir()
    for stanza in stanzas:
        name = stanza.partition("Package: ")[2].partition("\n")[0]
        if not name:
            continue
        (single / name).write_text(f"{stanza}\n")
        for place in admin.glob(f"info/{name}[.:]*md5sums"):
            shutil.copy(place, single / f"{name}.md5sums")
    shutil.rmtree(admin)
    admin.mkdir()
    single.rename(admin / "status.d")
    _finish(target, [(root, layer)])


def _layers(target: Path) -> None:
    """A build that changes its mind: purged packages, whiteouts, an opaque directory; hard links and odd names."""
    root, base = _extracted(target, "python3-minimal,libpython3-stdlib,curl,jq,sqlite3,xz-utils,git")
    top = target.with_suffix(".top")
    shutil.rmtree(top, ignore_errors=True)
    for name in ("requests-2.25.1", "urllib3-1.26.4", "flask-1.1.2", "old-0.1"):
        _wheel(root / "usr/local/lib/python3.11/dist-packages", *name.rsplit("-", 1))
    for name in ("left-pad-1.0.0", "lodash-4.17.15", "replaced-1.0.0"):
        _module(root / "srv/app/node_modules", *name.rsplit("-", 1))
    # Links into a store, as pnpm makes them, and two names of one file.
    store = root / "srv/store/node_modules"
    _module(store, "linked", "2.0.0")
    (root / "srv/app/node_modules/linked").symlink_to("../../store/node_modules/linked")
    twin = root / "srv/other/node_modules/twin"
    twin.mkdir(parents=True)
    (twin / "package.json").hardlink_to(root / "srv/app/node_modules/lodash/package.json")
    _module(root / os.fsdecode(b"srv/caf\xe9 \xff/node_modules"), "inside", "3.1.4")
    # Above: packages purged by dpkg, one distribution gone, an opaque directory with another set of modules.
    site = "usr/local/lib/python3.11/dist-packages"
    for gone in ("old-0.1.dist-info", "flask-1.1.2.dist-info"):
        _touch(top / site / f".wh.{gone}")
    _wheel(top / site, "flask", "3.0.0")
    _touch(top / "srv/app/node_modules/.wh..wh..opq")
    _module(top / "srv/app/node_modules", "replaced", "2.0.0")
    _touch(top / "srv/.wh.store")
    after = target.with_suffix(".after")
    run("cp", "-a", root, after)
    run("dpkg", f"--root={after}", "--force-all", "--purge", "jq", "libjq1", "sqlite3")
    for gone in _paths(root) - _paths(after):
        if (after / gone.parent).is_dir():
            _touch(top / gone.parent / f".wh.{gone.name}")
    run("cp", "-a", "--parents", "var/lib/dpkg", top.resolve(), cwd=after)
    shutil.rmtree(after)
    _finish(target, [(root, base), (top, target.with_suffix(".upper"))])


def _paths(root: Path) -> set[Path]:
    return {each.relative_to(root) for each in root.rglob("*")}


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def _wheel(site: Path, name: str, version: str) -> None:
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (folder / "RECORD").write_text(f"{folder.name}/METADATA,,\n")


def _module(modules: Path, name: str, version: str) -> None:
    (modules / name).mkdir(parents=True)
    (modules / name / "package.json").write_text(f'{{"name": "{name}", "version": "{version}"}}')
    (modules / name / "index.js").write_text("")


def _extracted(target: Path, include: str) -> tuple[Path, Path]:
    """A Debian's root directory, and where its layer goes."""
    root, layer = target.with_suffix(".root"), target.with_suffix(".layer")
    debian(layer, include.split(","))
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    run("tar", "-xf", layer, "-C", root, "--exclude=./dev/*")
    return root, layer


def _finish(target: Path, layers: Iterable[tuple[Path, Path]]) -> None:
    made = []
    for root, layer in layers:
        pack(root, layer)
        made.append(layer)
    docker_archive(target, made, f"compare/{target.stem}:1")
    for layer in made:
        layer.unlink()


IMAGES: dict[str, Callable[[Path], None]] = {"apk": _apk, "distroless": _distroless, "layers": _layers}

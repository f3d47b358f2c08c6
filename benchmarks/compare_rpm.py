"""Images for ``make compare`` whose packages are rpm's: its three databases, each written by the real library.

The packages are built by rpmbuild: epochs, tildes, carets, several versions of one name and packages of one source, as
distributions have them. SQLite is written by rpm itself. Berkeley DB, of which rpm reads but no longer writes a
database, by libdb through Perl's ``DB_File``, with records that were replaced and removed before, in either byte order.
ndb by rpm where it was built with it (Debian's is not: ``--enable-ndb`` from its own source, first in ``PATH``).
"""

from __future__ import annotations

import shutil
import sqlite3
import struct
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from images import docker_archive, pack, run

SYSIMAGE = "usr/lib/sysimage/rpm"


def _sqlite(target: Path) -> None:
    root, _ = _installed(target)
    _finish(root, target)


def _bdb(target: Path, order: str = "<", page: int = 4096) -> None:
    root, _ = _installed(target)
    database = root / SYSIMAGE / "rpmdb.sqlite"
    headers = dict(sqlite3.connect(database).execute("SELECT hnum, blob FROM Packages ORDER BY hnum"))
    shutil.rmtree(root / "usr/lib/sysimage")
    (root / "var/lib/rpm").mkdir(parents=True)
    command = ("perl", "-e", BERKELEY, root / "var/lib/rpm/Packages", "1234" if order == "<" else "4321", page)
    subprocess.run([*map(str, command)], input="\n".join(_history(headers, order)) + "\n", text=True, check=True)
    _finish(root, target)


def _history(headers: dict[int, bytes], order: str) -> Iterator[str]:
    """A life of updates and removals that ends with the headers: lines of put or del, key and value."""

    def put(number: int, value: bytes) -> str:
        return f"put {key(number)} {value.hex()}"

    def key(number: int) -> str:
        return struct.pack(f"{order}I", number).hex()

    yield put(0, struct.pack(f"{order}I", max(headers)))
    for number, header in headers.items():
        yield put(number, header * (1 + number % 5))
        if number % 3 == 0:
            yield f"del {key(number)} 00"
        if number % 2 == 0 and number > 10:
            yield put(number - 9, headers.get(number - 9, header))
    for number, header in headers.items():
        yield put(number, header)


BERKELEY = """use DB_File; use Fcntl; my ($file, $order, $page) = @ARGV;
$DB_HASH->{bsize} = $page; $DB_HASH->{lorder} = $order;
tie(my %db, 'DB_File', $file, O_RDWR|O_CREAT, 0644, $DB_HASH) or die "$!";
while (<STDIN>) {
  my ($what, $key, $value) = split; $key = pack 'H*', $key;
  if ($what eq 'put') { $db{$key} = pack 'H*', $value } else { delete $db{$key} }
}
untie %db;
"""


def _ndb(target: Path) -> None:
    root, rpm = _installed(target, "--define", "_db_backend ndb", keep=True)
    packages = sorted((target.with_suffix(".rpms") / "RPMS").rglob("*.rpm"))
    # What is removed leaves its room behind; what comes next has other lengths.
    names = [each.name.rsplit("-", 2)[0] for each in packages]
    run(*rpm, "-e", "--nodeps", "--allmatches", *sorted(set(names[::3])))
    run(*rpm, "--nodeps", "--noscripts", "--force", "-i", *packages[::6])
    shutil.rmtree(target.with_suffix(".rpms"))
    _finish(root, target)


def _installed(target: Path, *options: str, keep: bool = False) -> tuple[Path, Sequence[str | Path]]:
    """A root directory with 480 packages, and the command that asks or changes it."""
    root, work = target.with_suffix(".root"), target.with_suffix(".rpms")
    for each in (root, work):
        shutil.rmtree(each, ignore_errors=True)
        each.mkdir()
    specs = []
    for number in range(240):
        name = f"compare{number // 2 if number % 5 == 0 else number}"
        version = ("1.{0}.0", "2.{0}~rc1", "3.{0}^20240101git", "0.{0}")[number % 4].format(number)
        spec = work / f"{number}.spec"
        epoch = f"Epoch: {number % 3}\n" * (number % 4 == 0)
        spec.write_text(SPEC.format(name=name, version=version, release=number % 7 + 1, epoch=epoch, number=number))
        specs.append(spec)
    run("rpmbuild", "-bb", "--quiet", "--nodeps", "--define", f"_topdir {work}", *specs)
    rpm = ("rpm", *options, "--root", root, "--dbpath", f"/{SYSIMAGE}")
    run(*rpm, "--nodeps", "--noscripts", "-i", *sorted((work / "RPMS").rglob("*.rpm")))
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/os-release").write_text('ID=almalinux\nVERSION_ID="9.4"\n')
    (root / "etc/almalinux-release").write_text("AlmaLinux release 9.4 (Seafoam Ocelot)\n")
    if not keep:
        shutil.rmtree(work)
    return root, rpm


def _finish(root: Path, target: Path) -> None:
    layer = target.with_suffix(".layer")
    pack(root, layer)
    docker_archive(target, [layer], f"compare/{target.stem}:1")
    layer.unlink()


SPEC = """Name: {name}
Version: {version}
Release: {release}.el9
{epoch}Summary: s
License: MIT
Vendor: Compare
BuildArch: noarch
%description
s
%package libs
Summary: l
%description libs
l
%install
mkdir -p %{{buildroot}}/usr/share/compare/{number}
echo {number} > %{{buildroot}}/usr/share/compare/{number}/data
%files
/usr/share/compare/{number}
%files libs
"""

IMAGES: dict[str, Callable[[Path], None]] = {
    "rpm": _sqlite,
    "rpm-bdb": _bdb,
    "rpm-bdb-big": lambda target: _bdb(target, ">", 512),
    "rpm-ndb": _ndb,
}

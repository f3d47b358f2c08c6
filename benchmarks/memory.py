"""`make bench-memory`: what a scan takes at most of memory, on images with very many of one thing.

usage: memory.py [--work DIRECTORY] [NAME...]      without names all of ``IMAGES``

Each image is made in code, a layer or several of small files; it is scanned into an empty store (``table``, ``json``)
and written as CycloneDX from there (``sbom``). Prints the peak resident memory of each process, in MB.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path

from images import docker_archive
from measure import Contender, once

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.analyzers.os import rpmdb

Entry = tuple[str, bytes, str]
"""A path, its content, the target of a symbolic link (``link``) or hard link (``=link``)."""


def npm(count: int = 100_000) -> Iterator[Entry]:
    """Packages with two dependencies each."""
    for number in range(count):
        needs = {f"pkg-{number * factor % count}": "^1.0.0" for factor in (7, 13)}
        body = {"name": f"pkg-{number}", "version": f"1.{number % 50}.{number % 7}", "license": "MIT"}
        text = json.dumps(body | {"author": "A. N. Author <a@example.org>", "dependencies": needs})
        yield f"app/node_modules/pkg-{number}/package.json", text.encode(), ""


def python(count: int = 100_000) -> Iterator[Entry]:
    """Distributions with one dependency each."""
    for number in range(count):
        text = (
            f"Metadata-Version: 2.1\nName: pack-{number}\nVersion: 1.{number}\nLicense: MIT\nRequires-Dist: pack-1\n\n"
        )
        yield f"usr/lib/python3/dist-packages/p{number}.dist-info/METADATA", text.encode(), ""


def debian(count: int = 100_000) -> Iterator[Entry]:
    """Packages of one dpkg database; Debian itself has some 60,000."""
    yield "etc/os-release", b'ID=debian\nVERSION_ID="12"\n', ""
    stanzas = (
        f"Package: pack-{number}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.{number}-1\n"
        f"Maintainer: A B <a@example.org>\nDepends: libc6 (>= 2.3), pack-{number // 2}\nDescription: text\n\n"
        for number in range(count)
    )
    yield "var/lib/dpkg/status", "".join(stanzas).encode(), ""


def alpine(count: int = 100_000) -> Iterator[Entry]:
    """Packages of one apk database; Alpine itself has some 20,000."""
    yield "etc/os-release", b"ID=alpine\nVERSION_ID=3.20.1\n", ""
    entries = (
        f"P:pack-{number}\nV:1.{number}-r0\nA:x86_64\nI:2\nT:text\nL:MIT\no:pack-{number}\nm:A B <a@example.org>\n"
        f"D:so:libc.musl so:lib{number // 2}.so\np:so:lib{number}.so=1\nF:usr/lib\nR:lib{number}.so\n\n"
        for number in range(count)
    )
    yield "lib/apk/db/installed", "".join(entries).encode(), ""


def rpm(count: int = 100_000) -> Iterator[Entry]:
    """Packages of one rpm database with twenty files each; all of Fedora has some 80,000."""
    yield "etc/os-release", b'ID=rocky\nVERSION_ID="9.4"\n', ""
    headers = (
        rpmdb.header(f"pack-{number}", f"1.{number}-1.el9", [f"/usr/lib/pack-{number}/file-{k}" for k in range(20)])
        for number in range(count)
    )
    yield "var/lib/rpm/rpmdb.sqlite", rpmdb.sqlite(list(headers)), ""


def matches(count: int = 20) -> Iterator[Entry]:
    """Packages of one source with five thousand vulnerabilities, as those of a kernel: see ``FEEDS``."""
    yield "etc/os-release", b'ID=debian\nVERSION_ID="12"\n', ""
    stanzas = (
        f"Package: linux-part-{number}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.10.1-1\n"
        f"Source: linux\nMaintainer: A B <a@example.org>\nDescription: text\n\n"
        for number in range(count)
    )
    yield "var/lib/dpkg/status", "".join(stanzas).encode(), ""


def kernel_advisories(path: Path, count: int = 5000) -> None:
    """Records of OSV's form, about the source package ``linux`` of Debian 12."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            cve = f"CVE-2023-{10000 + number}"
            events = [{"introduced": "0"}, {"fixed": f"6.1.{number % 90 + 1}-1"}]
            affected = {
                "package": {"ecosystem": "Debian:12", "name": "linux"},
                "ranges": [{"type": "ECOSYSTEM", "events": events}],
            }
            record = {
                "id": f"DEBIAN-{cve}",
                "modified": "2023-02-01T00:00:00Z",
                "upstream": [cve],
                "details": f"In part {number} of the kernel something was used after it had been freed. " * 5,
                "affected": [affected],
            }
            archive.writestr(f"DEBIAN-{cve}.json", json.dumps(record))


def crowd() -> Iterator[Entry]:
    """More packages than may be: ``limits.fact-bytes`` is hit."""
    return npm(300_000)


def broken(count: int = 300_000) -> Iterator[Entry]:
    """Metadata that nobody can read."""
    for number in range(count):
        yield f"usr/lib/python3/dist-packages/p{number}.dist-info/METADATA", b"\xff\xfe garbage", ""


def empty(count: int = 1_000_000) -> Iterator[Entry]:
    """Empty files in a thousand directories."""
    for number in range(count):
        yield f"srv/data/{number // 1000:04}/an-empty-file-of-many-{number % 1000:04}", b"", ""


def same(count: int = 100_000) -> Iterator[Entry]:
    """What twenty layers write again, as after ``chown -R``."""
    for number in range(count):
        yield f"usr/share/dir{number % 100}/file-{number}", b"", ""


def hard(count: int = 700_000) -> Iterator[Entry]:
    """Hard links to one file."""
    yield "a", b"x", ""
    for number in range(count):
        yield f"h/{number}", b"", "=a"


def symbolic(count: int = 500_000) -> Iterator[Entry]:
    """Symbolic links with targets of a hundred characters."""
    for number in range(count):
        yield f"l/{number}", b"", f"../target/{number}/{'y' * 80}"


def names(count: int = 200_000) -> Iterator[Entry]:
    """Paths of nine hundred characters: 190 MB of names."""
    for number in range(count):
        yield "/".join([f"d{number % 97:02}{'x' * 60}"] * 14) + f"/{number}", b"", ""


def most(count: int = 999_000) -> Iterator[Entry]:
    """Links, in two layers about as many entries as an image may have (``limits.entries``)."""
    yield from symbolic(count)


IMAGES: dict[str, tuple[Callable[[], Iterable[Entry]], int]] = {
    "npm": (npm, 1), "python": (python, 1), "debian": (debian, 1), "alpine": (alpine, 1), "rpm": (rpm, 1),
    "matches": (matches, 1), "crowd": (crowd, 1), "broken": (broken, 1), "empty": (empty, 1),
    "same": (same, 20), "hard": (hard, 1), "symbolic": (symbolic, 1), "most": (most, 2), "names": (names, 1),
}  # fmt: skip
"""What fills a layer, and how many layers have it."""
FEEDS: dict[str, tuple[str, Callable[[Path], None]]] = {"matches": ("osv:Debian:12", kernel_advisories)}
"""The feed that an image is compared with, and what writes its file."""


def layer(path: Path, entries: Iterable[Entry], mark: str) -> Path:
    """A layer of these entries, told from others by an empty file of the name ``mark``."""
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo(mark))
        for name, data, link in entries:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            if link:
                member.type = tarfile.LNKTYPE if link.startswith("=") else tarfile.SYMTYPE
                member.linkname = link.removeprefix("=")
            tar.addfile(member, BytesIO(data))
            tar.members.clear()  # it would remember each
    return path


def make(name: str, archive: Path) -> None:
    """One of ``IMAGES`` as a docker archive."""
    fill, count = IMAGES[name]
    layers = [layer(archive.with_name(f"{name}-{number}.layer"), fill(), f"layer-{number}") for number in range(count)]
    docker_archive(archive, layers, f"bench/{name}:1")
    for each in layers:
        each.unlink()


def fill_store(name: str, store: Path) -> None:
    """A new store with the feed of an image, where it has one."""
    if name in FEEDS:
        feed, write = FEEDS[name]
        records = store.with_suffix(".zip")
        write(records)
        anchore = [sys.executable, "-m", "anchorecli", "--store", str(store)]
        once(Contender("feed", [*anchore, "feeds", "sync", feed, "--from", str(records)]))
        records.unlink()


def peaks(name: str, work: Path) -> list[float]:
    """Peak MB of a scan as table, as JSON, and of the SBOM."""
    archive, store = work / f"{name}.tar", work / "store.db"
    # In a process of its own: what this one takes counts for those that it starts.
    maker = multiprocessing.Process(target=make, args=(name, archive))
    maker.start()
    maker.join()
    found = []
    for command, output in (("scan", "table"), ("scan", "json"), ("sbom", "cyclonedx-json")):
        if command == "scan":
            for left in work.glob("store.db*"):
                left.unlink()
            fill_store(name, store)
        anchore = [sys.executable, "-m", "anchorecli", "--store", str(store), command, f"docker-archive:{archive}"]
        # What is broken, or has no distribution, is told by the exit code.
        found.append(once(Contender(output, [*anchore, "-o", f"{output}={os.devnull}"], ok=(0, 1, 4)))[2])
        if not store.exists():
            raise SystemExit(f"{' '.join(anchore)} kept nothing: run it to see why")
    archive.unlink()
    return found


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(IMAGES))
    parser.add_argument("--work", type=Path, default=Path(".bench"))
    args = parser.parse_args()
    if unknown := set(args.names) - set(IMAGES):
        parser.error(f"no image {sorted(unknown)[0]}: there are {', '.join(IMAGES)}")
    args.work.mkdir(parents=True, exist_ok=True)
    print("| image | table | JSON | SBOM |\n|---|---|---|---|")
    for name in args.names or IMAGES:
        table, report, sbom = peaks(name, args.work)
        print(f"| {name} | {table:.0f} MB | {report:.0f} MB | {sbom:.0f} MB |", flush=True)


if __name__ == "__main__":
    main()

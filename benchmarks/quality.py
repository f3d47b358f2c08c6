"""`make quality`: are the findings right? The program beside slow oracles on the same upstream files.

usage: quality.py DIRECTORY [--packages N] [--seed N] [--only NAME] [--list]

DIRECTORY holds upstream's own files, by the names in ``SUBJECTS``; what is not there is left out. For each ecosystem
packages are made up whose versions lie around the bounds that the feed names (just below, equal, above, rebuilt,
pre-released), written as the databases that images have, and scanned by the program with a store of its own.
``oracles.py`` decides the same from the raw files with dpkg, rpm, apk, packaging and node's semver. A finding is a
package and a CVE (or, where a record names none, the record). ``--list`` prints those that only one side has.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from oracles import CVE, Asked, Statement, debian_tracker, judge, osv, secdb

from tests.analyzers.os import rpmdb


class Feed(NamedTuple):
    """A feed of the program, and the oracle's reading of the same files."""

    name: str
    path: str
    """In the directory."""
    read: Callable[[Path], Iterable[Statement]]


class Subject(NamedTuple):
    """One line of the table."""

    name: str
    feeds: tuple[Feed, ...]
    space: str
    """The ecosystem in upstream's words."""
    scheme: str
    write: Callable[[Path, Sequence[Asked]], None]
    os_release: str = ""


class Score(NamedTuple):
    """What both sides found; findings are (package, vulnerability)."""

    packages: int
    oracle: int
    ours: int
    missed: list[str]
    extra: list[str]
    doubled: int
    """Vulnerabilities that a package has in more than one match."""
    aside: int
    """Matches that the program found and set aside, with its reason in the report."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=lambda text: Path(text).resolve(), help="of upstream's files")
    parser.add_argument("--packages", type=int, default=400, help="for each line of the table")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", default="", help="lines whose name holds this text")
    parser.add_argument("--list", action="store_true", help="print the findings that only one side has")
    options = parser.parse_args()
    there = [each for each in SUBJECTS if all((options.directory / feed.path).exists() for feed in each.feeds)]
    if not there:
        known = sorted({feed.path for each in SUBJECTS for feed in each.feeds})
        parser.error(f"{options.directory} holds none of {', '.join(known)}")
    names = ("packages", "oracle", "ours", "missed", "extra", "precision", "recall")
    print(
        f"{'ecosystem':24}{names[0]:>9}{names[1]:>8}{names[2]:>8}{names[3]:>8}{names[4]:>7}{names[5]:>11}{names[6]:>8}"
    )
    wrong = False
    for subject in there:
        if options.only not in subject.name:
            continue
        score = measure(subject, options.directory, options.packages, random.Random(options.seed + subject.name))
        wrong |= bool(score.missed or score.extra or score.doubled)
        print(line(subject.name, score), flush=True)
        for sign, findings in (("-", score.missed), ("+", score.extra)):
            for finding in findings if options.list else ():
                print(f"  {sign} {finding}")
    sys.exit(wrong)


def line(name: str, score: Score) -> str:
    """The table's line of one ecosystem."""
    right = score.oracle - len(score.missed)
    precision, recall = right / max(right + len(score.extra), 1), right / max(score.oracle, 1)
    text = f"{name:24}{score.packages:9,}{score.oracle:8,}{score.ours:8,}{len(score.missed):8,}{len(score.extra):7,}"
    notes = [f"{score.doubled} doubled"] * bool(score.doubled) + [f"{score.aside} set aside"] * bool(score.aside)
    return f"{text}{precision:11.4f}{recall:8.4f}  {', '.join(notes)}".rstrip()


def measure(subject: Subject, directory: Path, amount: int, chance: random.Random) -> Score:
    """Make up packages, have both sides judge them, compare."""
    statements = [each for feed in subject.feeds for each in feed.read(directory / feed.path)]
    statements = [each for each in statements if each.space == subject.space]
    asked = list(around(statements, subject.scheme, amount, chance))
    truth = judge(asked, statements, subject.scheme)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "root")
        write(root / "etc/os-release", subject.os_release)
        subject.write(root, asked)
        store = Path(scratch, "store.db")
        for feed in subject.feeds:
            program(store, "feeds", "sync", feed.name, "--from", str(directory / feed.path))
        report = json.loads(program(store, "scan", f"dir:{root}", "-o", "json"))
    return compare(asked, truth, report)


def program(store: Path, *arguments: str) -> str:
    """What the program prints; it may find things (1), or not know (4)."""
    command = [sys.executable, "-m", "anchorecli", "--store", str(store), "-q", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1])
    if done.returncode not in (0, 1, 4):
        raise SystemExit(done.stderr)
    return done.stdout


def compare(asked: Sequence[Asked], truth: dict[Asked, dict[str, str] | None], report: dict[str, Any]) -> Score:
    """The findings of both sides, by the number that each package has."""
    numbers = {package["id"]: number_of(package) for package in report["packages"]}
    ours: dict[int, list[tuple[str, ...]]] = {}
    for match in [*report["matches"], *report["suppressed"]]:
        ours.setdefault(numbers[match["package"]["id"]], []).append((match["id"], *match["aliases"]))
    missed, extra = [], []
    oracle = total = doubled = 0
    for number, one in enumerate(asked):
        found = truth[one]
        if found is None:
            continue
        matches = ours.get(number, [])
        names = set().union(*matches)
        claimed = [name for each in matches for name in _claims(each)]
        right = {*found, *found.values()}
        oracle += len(found)
        total += len(claimed)
        doubled += len(claimed) - len(set(claimed))
        missed += [f"{one.package} {one.version}: {name} by {found[name]}" for name in sorted({*found} - names)]
        extra += [f"{one.package} {one.version}: {name}" for name in sorted({*claimed} - right)]
    judged = sum(truth[one] is not None for one in asked)
    return Score(judged, oracle, total, missed, extra, doubled, len(report["suppressed"]))


def _claims(names: Sequence[str]) -> Sequence[str]:
    """What a match (its id, then its aliases) is about: its CVE, or all of them, or it has none."""
    return names[:1] if CVE.fullmatch(names[0]) else [*filter(CVE.fullmatch, names)] or names[:1]


def number_of(package: dict[str, Any]) -> int:
    """The number that a made-up package carries in its name, vendor or path."""
    carriers = (package["name"], package["vendor"], package["locations"][0]["path"])
    found = next(found for each in carriers if (found := re.search(r"(?:-q(\d+)$|/q(\d+)/)", each)))
    return int(found[1] or found[2])


# ── packages ──────────────────────────────────────────────────────────────────────────────────────────────


def around(statements: Sequence[Statement], scheme: str, amount: int, chance: random.Random) -> Iterator[Asked]:
    """Packages the statements speak of, at versions around their bounds; each different."""
    seen: set[tuple[str, str]] = set()
    ordered = sorted(statements, key=lambda each: (each.package, each.record))
    for each in chance.choices(ordered, k=4 * amount) if ordered else ():
        choices = sorted(each.bounds() | each.versions)
        version = variant(chance.choice(choices), scheme, chance) if choices else "1.0"
        modules = sorted(each.modules) if ".module" in version else []
        one = Asked(each.package, version, chance.choice([*modules, ""]) if modules else "")
        identity = one.package, version.removeprefix("0:")
        if identity not in seen and len(seen) < amount:
            seen.add(identity)
            yield one


def variant(version: str, scheme: str, chance: random.Random) -> str:
    """A version near another: itself, one less or more in its last number, or with one of the scheme's endings."""
    form = chance.choice(("same", "less", "more", "least", *ENDINGS[scheme]))
    if form == "same":
        return version
    if form == "least":
        return chance.choice(("0.1.0", "1.0.0", "2.0.1")) + {"apk": "-r0", "deb": "-1", "rpm": "-1"}.get(scheme, "")
    if form in ("less", "more"):
        numbers = list(re.finditer(r"\d+", version))
        place = numbers[-1 - (chance.random() < 0.3 and len(numbers) > 1)]
        number = max(int(place[0]) + (1 if form == "more" else -1), 0)
        return f"{version[: place.start()]}{number}{version[place.end() :]}"
    return re.sub(*form, version, count=1) if isinstance(form, tuple) else version + form


ENDINGS: dict[str, tuple[Any, ...]] = {
    "deb": ("+b1", "+deb12u9", "~deb12u1", "~bpo12+1", ".1", "~", (r"^(\d+:)?", "1:"), (r"^(\d+:)?", "")),
    "apk": ((r"-r\d+", "-r0"), (r"-r\d+", "-r99"), (r"(-r\d+)?$", r"_rc1\1"), (r"(-r\d+)?$", r"_p1\1")),
    "rpm": (".1", "_1", "~rc1", "^git1", (r"^(\d+:)?", "1:"), (r"^(\d+:)?", "0:")),
    "pep440": ("rc1", ".post1", ".dev0", "+local.1", ".0", "a1", ".0.0", ".1"),
    "npm": ("-rc.1", "-0", "+build.5", "-alpha", "-beta.11"),
}


def write(path: Path, text: str | bytes) -> None:
    """Make a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


def write_dpkg(root: Path, asked: Sequence[Asked]) -> None:
    """Binary packages of the sources, every second one rebuilt."""
    stanza = (
        "Package: {0}-q{2}\nStatus: install ok installed\nArchitecture: amd64\nSource: {0} ({1})\nVersion: {1}{3}\n"
    )
    stanzas = (stanza.format(one.package, one.version, n, "+b1" * (n % 2)) for n, one in enumerate(asked))
    write(root / "var/lib/dpkg/status", "\n".join(stanzas))


def write_apk(root: Path, asked: Sequence[Asked]) -> None:
    """Packages of the origins."""
    entry = "P:{0}-q{2}\nV:{1}\nA:x86_64\no:{0}\nL:MIT\n"
    entries = (entry.format(one.package, one.version, n) for n, one in enumerate(asked))
    write(root / "lib/apk/db/installed", "\n".join(entries))


def write_rpm(root: Path, asked: Sequence[Asked]) -> None:
    """Packages by the very names that advisories have, so the number is in the vendor."""
    headers = []
    for n, one in enumerate(asked):
        epoch, colon, evr = one.version.rpartition(":")
        extra: dict[str, Any] = {"epoch": int(epoch)} if colon else {}
        if one.module:
            extra["module"] = f"{one.module}:8090020240101000000:abcdef01"
        headers.append(rpmdb.header(one.package, evr, source=f"{one.package}-{evr}.src.rpm", vendor=f"-q{n}", **extra))
    write(root / "usr/lib/sysimage/rpm/rpmdb.sqlite", rpmdb.sqlite(headers))


def write_python(root: Path, asked: Sequence[Asked]) -> None:
    """Installed distributions, with their names spelled as somebody might."""
    for n, one in enumerate(asked):
        name = (one.package, one.package.upper(), one.package.replace("-", "_"), one.package.replace("-", "."))[n % 4]
        folder = root / f"srv/q{n}/lib/python3.11/site-packages/{name.replace('-', '_')}-{one.version}.dist-info"
        write(folder / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {one.version}\n")


def write_npm(root: Path, asked: Sequence[Asked]) -> None:
    """Installed packages."""
    for n, one in enumerate(asked):
        content = {"name": one.package, "version": one.version}
        write(root / f"srv/q{n}/node_modules/{one.package}/package.json", json.dumps(content))


# ── what is compared ──────────────────────────────────────────────────────────────────────────────────────


def os_release(name: str, version: str) -> str:
    return f'ID={name}\nVERSION_ID="{version}"\n'


def python_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pypi(path: Path) -> Iterator[Statement]:
    return (each._replace(package=python_name(each.package)) for each in osv([path]))


DEBIAN = Feed("osv:Debian", "debian-osv/all.zip", lambda path: osv([path]))
TRACKER = Feed("debian", "distro-excerpts/vunnel/debian/input/debian.json", debian_tracker)
ALPINE = Feed("alpine", "alpine-secdb", secdb)
ALMA = Feed("osv:AlmaLinux", "almalinux-osv/all.zip", lambda path: osv([path]))
ROCKY = Feed("osv:Rocky Linux", "rocky-osv/all.zip", lambda path: osv([path]))
PYPI = Feed("osv:PyPI", "pypi-osv/all.zip", pypi)
GHSA_PIP = Feed("ghsa", "ghsa/pip.zip", pypi)
GHSA_NPM = Feed("ghsa", "ghsa/npm.zip", lambda path: osv([path]))

SUBJECTS = (
    *(
        Subject(f"debian:{n} (osv)", (DEBIAN,), f"Debian:{n}", "deb", write_dpkg, os_release("debian", str(n)))
        for n in (11, 12, 13)
    ),
    Subject("debian:12 (tracker)", (TRACKER,), "bookworm", "deb", write_dpkg, os_release("debian", "12")),
    *(
        Subject(f"alpine:{n}", (ALPINE,), f"v{n}", "apk", write_apk, os_release("alpine", f"{n}.1"))
        for n in ("3.15", "3.20")
    ),
    Subject("alpine:edge", (ALPINE,), "edge", "apk", write_apk, os_release("alpine", "edge")),
    *(
        Subject(f"almalinux:{n}", (ALMA,), f"AlmaLinux:{n}", "rpm", write_rpm, os_release("almalinux", f"{n}.4"))
        for n in (8, 9, 10)
    ),
    *(
        Subject(f"rocky:{n}", (ROCKY,), f"Rocky Linux:{n}", "rpm", write_rpm, os_release("rocky", f"{n}.4"))
        for n in (8, 9)
    ),
    Subject("pypi (osv)", (PYPI,), "PyPI", "pep440", write_python),
    Subject("pypi (osv + ghsa)", (PYPI, GHSA_PIP), "PyPI", "pep440", write_python),
    Subject("npm (ghsa)", (GHSA_NPM,), "npm", "npm", write_npm),
)

if __name__ == "__main__":
    main()

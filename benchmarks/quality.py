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
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from oracles import CVE, Asked, Statement, judge, tool
from quality_packages import SBOM, around, write
from quality_subjects import SUBJECTS, Feed, Subject


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
    parser.add_argument("--markdown", action="store_true", help="the table as Markdown")
    options = parser.parse_args()
    if not any((options.directory / feed.path).exists() for each in SUBJECTS for feed in each.feeds):
        known = sorted({feed.path for each in SUBJECTS for feed in each.feeds})
        parser.error(f"{options.directory} holds none of {', '.join(known)}")
    shown = Table(options.markdown)
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(options.directory, Path(scratch))
        results = [examine(each, options, shown, bench) for each in SUBJECTS if options.only in each.name]
    shown.end(sum(result is None for result in results))
    sys.exit(any(results))


class Bench:
    """What both sides read of upstream's files, once for all the lines that need it."""

    def __init__(self, directory: Path, scratch: Path) -> None:
        self.directory = directory
        self.scratch = scratch
        self.stores: dict[tuple[str, ...], Path] = {}
        self.read: tuple[tuple[Feed, ...], list[Statement]] = ((), [])

    def statements(self, feeds: tuple[Feed, ...]) -> list[Statement]:
        """The oracle's; those of the last feeds are kept."""
        if self.read[0] != feeds:
            self.read = feeds, [each for feed in feeds for each in feed.read(self.directory / feed.path)]
        return self.read[1]

    def store(self, feeds: tuple[Feed, ...]) -> Path:
        """The program's, with these feeds alone."""
        paths = tuple(feed.path for feed in feeds)
        if paths not in self.stores:
            self.stores[paths] = self.scratch / f"store{len(self.stores)}.db"
            for feed in feeds:
                program(self.stores[paths], "feeds", "sync", feed.name, "--from", str(self.directory / feed.path))
        return self.stores[paths]


def examine(subject: Subject, options: argparse.Namespace, shown: Table, bench: Bench) -> bool | None:
    """Put one line into the table; whether anything in it is wrong, None where it could not be examined."""
    if not all((options.directory / feed.path).exists() for feed in subject.feeds):
        shown.row(subject.name, None, "data not here")
        return None
    decides = tool(subject.scheme)
    if not decides:
        shown.row(subject.name, None, "oracle not here")
        return None
    score = measure(subject, bench, options.packages, random.Random(options.seed + subject.name))
    shown.row(subject.name, score, decides)
    for sign, findings in (("-", score.missed), ("+", score.extra)):
        for finding in findings if options.list else ():
            print(f"  {sign} {finding}")
    return bool(score.missed or score.extra or score.doubled)


class Table:
    """The table as text or as Markdown, a line at a time."""

    COLUMNS = ("packages", "oracle", "ours", "missed", "extra", "precision", "recall")

    def __init__(self, markdown: bool) -> None:
        self.markdown = markdown
        self._print("ecosystem", self.COLUMNS, "who decides")
        if markdown:
            print("|---" * (len(self.COLUMNS) + 2) + "|")

    def row(self, name: str, score: Score | None, words: str) -> None:
        """A line of figures; without them ``words`` say why there are none."""
        if score is None:
            self._print(name, ["-"] * len(self.COLUMNS), words)
            return
        right = score.oracle - len(score.missed)
        precision, recall = right / max(right + len(score.extra), 1), right / max(score.oracle, 1)
        counts = (score.packages, score.oracle, score.ours, len(score.missed), len(score.extra))
        notes = [f"{score.doubled} doubled"] * bool(score.doubled) + [f"{score.aside} set aside"] * bool(score.aside)
        figures = [*(f"{each:,}" for each in counts), f"{precision:.4f}", f"{recall:.4f}"]
        self._print(name, figures, ", ".join([words, *notes]))

    def end(self, unexamined: int) -> None:
        """Say what the table does not show."""
        if unexamined:
            print(f"\n{unexamined} lines were not examined: nothing is claimed of them")

    def _print(self, name: str, figures: Sequence[str], words: str) -> None:
        if self.markdown:
            line = f"| {' | '.join((name, *figures, words))} |"
        else:
            line = f"{name:24}{''.join(f'{each:>10}' for each in figures)}  {words}"
        print(line, flush=True)


def measure(subject: Subject, bench: Bench, amount: int, chance: random.Random) -> Score:
    """Make up packages, have both sides judge them, compare."""
    spaces: dict[str, list[Statement]] = {}
    for each in bench.statements(subject.feeds):
        spaces.setdefault(each.space, []).append(each)
    asked = list(around(spaces.get(subject.space, ()), subject.scheme, amount, chance))
    truth: dict[Asked, dict[str, str] | None] = {}
    for space, theirs in by_space(subject, asked).items():
        truth |= judge(theirs, spaces.get(space, ()), subject.scheme)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "root")
        write(root / "etc/os-release", subject.os_release)
        subject.write(root, asked)
        scanned = f"sbom:{root / SBOM}" if (root / SBOM).exists() else f"dir:{root}"
        report = json.loads(program(bench.store(subject.feeds), "scan", scanned, "-o", "json"))
    return compare(asked, truth, report)


def by_space(subject: Subject, asked: Sequence[Asked]) -> dict[str, list[Asked]]:
    """The packages by whose records speak of them."""
    found: dict[str, list[Asked]] = {}
    for one in asked:
        found.setdefault(subject.speaks(one.version) or subject.space, []).append(one)
    return found


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
    # What a stream's own fix settles is no claim; other reasons to set a match aside are not for the oracle to know.
    aside = [each for each in report["suppressed"] if "has it fixed in" not in each["reason"]]
    for match in [*report["matches"], *aside]:
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
    """The number that a made-up package carries in its name, vendor, licence or path."""
    paths = [each["path"] for each in package["locations"]]
    carriers = (package["name"], package["vendor"], *package["licenses"], *paths)
    found = next(found for each in carriers if (found := re.search(r"(?:-q(\d+)$|/q(\d+)/)", each)))
    return int(found[1] or found[2])


if __name__ == "__main__":
    main()

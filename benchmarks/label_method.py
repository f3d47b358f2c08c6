"""Grype's label method: what people said of single findings, paired with what a scanner finds; the gate on top.

A label says of a vulnerability, an image and a package that a finding is right (``TP``), wrong (``FP``) or unclear
(``??``). A finding without a label, or with labels that contradict each other, is *indeterminate*: it counts neither
for nor against the scanner, but how many there are says how far the figures can be believed.

Format: https://github.com/anchore/vulnerability-match-labels, ``labels/IMAGE/UUID.json`` (``/`` of the image as ``+``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

VERDICTS = ("TP", "FP", "??")
PRACTICABLE = 0.1
"""The widest range of F1 from which anything can be concluded."""


class Label(NamedTuple):
    """What one file says."""

    file: str
    verdict: str
    ids: frozenset[str]
    """Never None: two labels without a CVE have nothing in common."""
    image: str
    package: tuple[str, str] | None = None
    """Name and version."""
    words: tuple[str, ...] = ()
    """Values that all stand somewhere in the finding (``fullentry_fields``)."""


class Found(NamedTuple):
    """A finding of a scanner."""

    ids: frozenset[str]
    package: tuple[str, str]
    ecosystem: str
    words: frozenset[str] = frozenset()
    """Every value of the finding as the scanner wrote it."""


class Score(NamedTuple):
    """The findings in one image, by what the labels say of them."""

    right: tuple[Found, ...] = ()
    wrong: tuple[Found, ...] = ()
    unclear: tuple[Found, ...] = ()
    """With ``??`` alone: neither right nor wrong, and not indeterminate."""
    indeterminate: tuple[Found, ...] = ()
    missed: tuple[Label, ...] = ()

    @property
    def total(self) -> int:
        """Of findings."""
        return len(self.right) + len(self.wrong) + len(self.unclear) + len(self.indeterminate)

    @property
    def precision(self) -> float | None:
        """None where nothing was judged."""
        return ratio(len(self.right), len(self.right) + len(self.wrong))

    @property
    def recall(self) -> float | None:
        """None where no label says that anything is to be found."""
        return ratio(len(self.right), len(self.right) + len(self.missed))

    @property
    def f1(self) -> float:
        """Of what was judged."""
        return f1(len(self.right), len(self.wrong), len(self.missed))

    @property
    def f1_range(self) -> tuple[float, float]:
        """Were everything indeterminate wrong, and were it right."""
        unknown = len(self.indeterminate)
        low = f1(len(self.right), len(self.wrong) + unknown, len(self.missed))
        return low, f1(len(self.right) + unknown, len(self.wrong), len(self.missed))

    @property
    def practicable(self) -> bool:
        """Whether the range is narrow enough to conclude anything."""
        low, high = self.f1_range
        return high - low <= PRACTICABLE

    @property
    def indeterminate_percent(self) -> float:
        """Of all findings."""
        return 100 * (ratio(len(self.indeterminate), self.total) or 0.0)


_Said = TypeVar("_Said", Label, Found)


class Limits(NamedTuple):
    """What a candidate may be worse by; Grype's own for a change."""

    f1_drop: float = 0.0
    new_missed: int = 0
    indeterminate_percent: float = 10.0


def ratio(part: int, whole: int) -> float | None:
    """None where there is nothing to divide by."""
    return part / whole if whole else None


def f1(right: int, wrong: int, missed: int) -> float:
    """The harmonic mean of precision and recall; 0 of nothing at all."""
    return right / (right + (wrong + missed) / 2) if right + wrong + missed else 0.0


def read_labels(directory: Path) -> tuple[list[Label], list[str]]:
    """The labels below a directory, and the files that hold none."""
    labels, faults = [], []
    for path in sorted(directory.rglob("*.json")):
        try:
            labels.append(label(json.loads(path.read_bytes()), path.name))
        except (ValueError, KeyError, TypeError) as fault:
            faults.append(f"{path.relative_to(directory)}: {fault}")
    return labels, faults


def label(content: dict[str, Any], file: str = "") -> Label:
    """Raises: ValueError, KeyError or TypeError where it is no label, or one that would fit any finding."""
    if content["label"] not in VERDICTS:
        raise ValueError(f"no label is called {content['label']!r}")
    ids = frozenset(each for each in (content["vulnerability_id"], content.get("effective_cve")) if each)
    said = content.get("package")
    package = (str(said["name"]), str(said["version"])) if said else None
    words = tuple(content.get("fullentry_fields") or ())
    if not ids or not (package or words):
        raise ValueError("it names no vulnerability, or nothing of the package")
    return Label(file, content["label"], ids, content["image"]["exact"], package, words)


def year_of(ids: Iterable[str]) -> int | None:
    """The year of a vulnerability: of its CVE (the first, where findings are merged), else of the erratum that it is.

    CVE-2021-3449, ALAS-2022-1826, ALASRUBY3.0-2023-003, ELSA-2021-9591; other ids tell none.
    """
    listed = list(ids)
    for pattern in (r"CVE-(\d{4})-\d+", r"(?:ELSA|ALAS[\w.-]*?)-(\d{4})-\d+"):
        found = (re.fullmatch(pattern, each, re.IGNORECASE) for each in listed)
        if years := [int(each[1]) for each in found if each]:
            return min(years)
    return None


def until(listed: Iterable[_Said], year: int | None) -> list[_Said]:
    """What is not of a later year; where no id tells it, it stays."""
    return [each for each in listed if year is None or (year_of(each.ids) or 0) <= year]


def pairs(said: Label, found: Found, *, fuzzy: bool = False) -> bool:
    """Whether a label is about a finding in the same image: an id, and the package or the words, all that it names."""
    if not said.ids & found.ids:
        return False
    if said.package and said.package != found.package and not (fuzzy and _near(said.package, found.package)):
        return False
    return all(word in found.words for word in said.words)


def _near(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether names differ by dashes alone, and a version is part of the other."""
    same = one[0].replace("-", "_") == other[0].replace("-", "_")
    return same and (one[1] in other[1] or other[1] in one[1])


def score(found: Sequence[Found], labels: Sequence[Label], *, fuzzy: bool = False) -> Score:
    """The findings in one image by the labels of it (and of the images it is declared to be made from)."""
    by_id: dict[str, list[Label]] = {}
    for each in labels:
        for identifier in each.ids:
            by_id.setdefault(identifier, []).append(each)
    judged: dict[str, list[Found]] = {"TP": [], "FP": [], "??": [], "": []}
    hit: set[Label] = set()
    for one in found:
        near = {each for identifier in one.ids for each in by_id.get(identifier, ())}
        about = {each for each in near if pairs(each, one, fuzzy=fuzzy)}
        hit |= about
        verdicts = {each.verdict for each in about}
        judged[verdicts.pop() if len(verdicts) == 1 else ""].append(one)
    sought = [each for each in labels if each.verdict == "TP"]
    missed = [each for each in sought if each not in hit and not _represented(each, hit, by_id)]
    right, wrong, unclear, unlabelled = (tuple(judged[each]) for each in ("TP", "FP", "??", ""))
    return Score(right, wrong, unclear, unlabelled, tuple(missed))


def _represented(missed: Label, hit: set[Label], by_id: dict[str, list[Label]]) -> bool:
    """Whether another label that was found says the same of the same package, by another of its ids."""
    akin = (each for identifier in missed.ids for each in by_id[identifier])
    return any(each.verdict == "TP" and each.package == missed.package and each in hit for each in akin)


def merged(scores: Iterable[Score]) -> Score:
    """Several images as if they were one."""
    return Score(*(tuple(each for part in parts for each in part) for parts in zip(*scores, strict=True)))


def by_ecosystem(whole: Score, of_label: dict[Label, str]) -> dict[str, Score]:
    """The parts of a score; what is missed has the ecosystem that ``of_label`` tells, or none."""

    def part(name: str) -> Score:
        right, wrong, unclear, unlabelled = (
            tuple(one for one in listed if one.ecosystem == name) for listed in whole[:4]
        )
        missed = tuple(each for each in whole.missed if of_label.get(each, "") == name)
        return Score(right, wrong, unclear, unlabelled, missed)

    names = {one.ecosystem for listed in whole[:4] for one in listed} | {
        of_label.get(each, "") for each in whole.missed
    }
    return {name: part(name) for name in sorted(names)}


def gate(candidate: Score, reference: Score, limits: Limits) -> Iterator[str]:
    """Why the candidate is not let through, for one image; nothing where it finds the same as the reference."""
    if not candidate.total:
        yield "nothing was found: that proves nothing"
        return
    if _findings(candidate) == _findings(reference):
        return
    if candidate.f1 < reference.f1 - limits.f1_drop:
        yield f"F1 fell from {reference.f1:.3f} to {candidate.f1:.3f}"
    if candidate.indeterminate_percent > limits.indeterminate_percent:
        yield f"{candidate.indeterminate_percent:.0f} % of the findings are indeterminate"
    if len(candidate.missed) > len(reference.missed) + limits.new_missed:
        yield f"{len(candidate.missed)} missed, {len(reference.missed)} before"


def _findings(whole: Score) -> set[tuple[frozenset[str], tuple[str, str]]]:
    return {(one.ids, one.package) for listed in whole[:4] for one in listed}

"""`make quality-labels`: findings beside what people said of them, by Grype's label method.

usage: labels.py LABELS [IMAGE=SUBJECT …] --store STORE [options]

LABELS is a clone of github.com/anchore/vulnerability-match-labels, STORE a store with feeds. Each IMAGE (any part of a
labelled image's name or digest that is its alone) is examined by scanning SUBJECT: an image, an archive, sbom:FILE.
Without any, the packages that the labels themselves name are scanned (``label_subjects.py`` tells what is guessed), and
labels about ids that no feed of the store knows for the distribution or language are left out of the table, counted.
``--save`` keeps the findings; ``--results`` takes kept ones instead of scanning; ``--reference`` takes others' to be
measured against, by the gate: 1 where it is shut. How labels are paired, counted and what the gate asks is told in
``label_method.py``.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from label_method import Found, Label, Limits, Score, by_ecosystem, gate, merged, read_labels, score, until
from label_subjects import Known, Made, distribution, document, packages, read_sources, spaces
from quality import number_of, program

Findings = dict[str, list[Found]]


class Examined(NamedTuple):
    """The labels that count, what was found, and which ecosystem each label's package is of."""

    labels: dict[str, list[Label]]
    found: Findings
    ecosystems: dict[Label, str]
    notes: list[str]


def main() -> None:
    options = arguments().parse_args()
    labels, faults = read_labels(options.labels)
    if not labels:
        raise SystemExit(f"{options.labels} holds no labels: clone github.com/anchore/vulnerability-match-labels")
    notes = [f"not a label: {each}" for each in faults]
    by_image: dict[str, list[Label]] = {}
    for each in until(labels, options.year):
        by_image.setdefault(each.image, []).append(each)
    examined = examine(by_image, options)
    for note in (*notes, *examined.notes):
        print(note, file=sys.stderr)
    scores = judged(examined.labels, examined.found, options)
    show(scores, examined.ecosystems)
    listed(scores, options.list)
    if options.save:
        options.save.write_text(
            json.dumps({image: [_kept(one) for one in each] for image, each in examined.found.items()})
        )
    if options.json:
        options.json.write_text(json.dumps(as_json(scores, examined.ecosystems), indent=1))
    sys.exit(shut(scores, examined.labels, options) if options.reference else 0)


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labels", type=Path, help="the directory of labels, or a clone that holds it")
    parser.add_argument("subjects", nargs="*", metavar="IMAGE=SUBJECT", help="what to scan for a labelled image")
    parser.add_argument("--store", type=Path, help="a store with feeds")
    parser.add_argument("--results", type=Path, help="findings that --save kept, instead of a scan")
    parser.add_argument("--reference", type=Path, help="findings that --save kept, to be no worse than")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--json", type=Path, help="the table, as JSON")
    parser.add_argument("--sources", type=Path, help="lines of a binary package, a tab, its source package")
    parser.add_argument("--parent", action="append", default=[], metavar="IMAGE=PARENT", help="whose labels count too")
    parser.add_argument("--year", type=int, default=2021, help="leave out what is later [default: 2021]")
    parser.add_argument("--fuzzy", action="store_true", help="names and versions that are nearly the same")
    parser.add_argument("--list", type=int, default=0, metavar="N", help="print so many missed and wrong ones")
    parser.add_argument("--max-f1-drop", type=float, default=Limits().f1_drop)
    parser.add_argument("--max-new-missed", type=int, default=Limits().new_missed)
    parser.add_argument("--max-indeterminate", type=float, default=Limits().indeterminate_percent, metavar="PERCENT")
    return parser


def examine(by_image: Mapping[str, list[Label]], options: argparse.Namespace) -> Examined:
    """Scan, or take what was kept."""
    if options.results:
        found = load(options.results)
        return Examined({image: by_image.get(image, []) for image in found}, found, {}, [])
    if options.store is None or not options.store.exists():
        raise SystemExit("a store with feeds is needed: anchore --store STORE feeds sync, then --store STORE")
    if not options.subjects:
        return from_labels(by_image, options)
    found = {}
    for each in options.subjects:
        image, _, subject = each.partition("=")
        name = named(image, by_image)
        report = json.loads(program(options.store, "scan", subject, "-o", "json"))
        found[name] = [finding(match, called(match["package"])) for match in report["matches"]]
    return Examined({image: by_image[image] for image in found}, found, {}, [])


def named(text: str, images: Iterable[str]) -> str:
    """The one labelled image in whose name the text stands."""
    fitting = [each for each in images if text and text in each]
    if len(fitting) != 1:
        raise SystemExit(f"{len(fitting)} labelled images are called {text!r}: {', '.join(sorted(fitting)[:5])}")
    return fitting[0]


def called(package: Mapping[str, Any]) -> tuple[str, str]:
    """A package's name and version as Syft, hence the labels, have them."""
    name, version = package["name"], package["version"]
    if package["type"] == "maven":
        return name.rpartition(":")[2], version
    if package["type"] == "golang":
        return name, f"go{version}" if name == "stdlib" else f"v{version.removeprefix('v')}"
    return name, version.removeprefix("0:") if package["type"] == "rpm" else version


def finding(match: Mapping[str, Any], package: tuple[str, str]) -> Found:
    """A match of the JSON report; all its ids are its own."""
    ids = frozenset((match["id"], match["advisory"], *match["aliases"]))
    return Found(ids, package, match["package"]["type"], frozenset(_values(match)))


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _values(each)
    elif isinstance(value, str):
        yield value


# ── packages made of labels ───────────────────────────────────────────────────────────────────────────────


def from_labels(by_image: Mapping[str, list[Label]], options: argparse.Namespace) -> Examined:
    """Scan the packages that the labels of each image name; keep the labels that a feed can answer for."""
    known, sources = Known(options.store), read_sources(options.sources)
    tags = names_with_tags(options.labels)
    examined = Examined({}, {}, {}, [])
    left = dict.fromkeys(("of packages that are told by a path alone", "of packages of no known kind"), 0)
    unknown = 0
    for image, labels in sorted(by_image.items()):
        distro = distribution(
            tags.get(image.partition("@")[2], image), [each.package[1] for each in labels if each.package]
        )
        made = {each.package: each for each in packages(labels, distro, known, sources)}
        kept = []
        for each in labels:
            its = made.get(each.package) if each.package else None
            left["of packages that are told by a path alone"] += not each.package
            left["of packages of no known kind"] += bool(each.package and not its)
            if its and known.speaks(spaces(its, distro), each.ids):
                kept.append(each)
                examined.ecosystems[each] = f"{distro[0]}:{distro[1]}" if distro and its.source else its.type
            elif its:
                unknown += 1
        if kept:
            examined.labels[image] = kept
            examined.found[image] = scan(list(made.values()), distro, options.store)
    examined.notes.extend(f"{count} labels left out: {why}" for why, count in left.items())
    examined.notes.append(f"{unknown} labels left out: no feed at hand knows the id for that distribution or language")
    return examined


def scan(made: Sequence[Made], distro: tuple[str, str] | None, store: Path) -> list[Found]:
    """What the program finds in an SBOM of the packages."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "sbom.json")
        path.write_text(json.dumps(document(made, distro)))
        report = json.loads(program(store, "scan", f"sbom:{path}", "-o", "json"))
    numbers = {each["id"]: number_of(each) for each in report["packages"]}
    found = []
    for match in report["matches"]:
        its = made[numbers[match["package"]["id"]]]
        name = f"{distro[0]}:{distro[1]}" if distro and its.source else its.type
        found.append(finding(match, its.package)._replace(ecosystem=name))
    return found


def names_with_tags(labels: Path) -> dict[str, str]:
    """Digest → an image's name with its tag, as the clone's own list of images has it."""
    for folder in (labels, *labels.resolve().parents):
        if (folder / ".yardstick.yaml").is_file():
            words = (folder / ".yardstick.yaml").read_text("utf-8").split()
            return {word.partition("@")[2]: word.partition("@")[0] for word in words if "@sha256:" in word}
    return {}


# ── figures ───────────────────────────────────────────────────────────────────────────────────────────────


def judged(labels: Mapping[str, list[Label]], found: Findings, options: argparse.Namespace) -> dict[str, Score]:
    """Each image's score, by its labels and those of its declared parents."""
    parents: dict[str, list[str]] = {}
    for each in options.parent:
        image, _, parent = each.partition("=")
        parents.setdefault(named(image, labels), []).append(parent)
    scores = {}
    for image, listed_ in found.items():
        inherited = [
            each for parent in parents.get(image, ()) for name in labels if parent in name for each in labels[name]
        ]
        about = [*labels[image], *inherited]
        scores[image] = score(timely(listed_, about, options.year), about, fuzzy=options.fuzzy)
    return scores


def timely(found: Sequence[Found], labels: Sequence[Label], year: int | None) -> list[Found]:
    """Findings of no later year, and those that a label names by an id that tells no year."""
    named_ = frozenset[str]().union(*(each.ids for each in labels))
    early = set(until(found, year))
    return [each for each in found if each in early or each.ids & named_]


def show(scores: Mapping[str, Score], ecosystems: dict[Label, str]) -> None:
    """The table: by ecosystem, all in one, and the mean over images, since a few hold a quarter of the labels."""
    whole = merged(scores.values())
    counts = "".join(f"{each:>7}" for each in ("TP", "FP", "FN"))
    print(f"{'ecosystem':22}{counts}{'??':>6}{'unlabelled':>12}{'precision':>11}{'recall':>8}{'F1':>7}  range")
    for name, part in by_ecosystem(whole, ecosystems).items():
        _line(name or "of no known kind", part)
    _line("all labels", whole)
    rated = [each for each in scores.values() if each.recall is not None]
    if rated:
        recall = sum(each.recall or 0 for each in rated) / len(rated)
        print(f"mean of {len(rated)} images: recall {recall:.3f}, F1 {sum(each.f1 for each in rated) / len(rated):.3f}")


def _line(name: str, part: Score) -> None:
    counts = (len(part.right), len(part.wrong), len(part.missed))
    low, high = part.f1_range
    figures = f"{part.f1:7.3f}  {low:.2f}-{high:.2f}{'' if part.practicable else ' (too wide)'}"
    ratios = "".join(
        f"{'-' if each is None else f'{each:.3f}':>{width}}" for each, width in ((part.precision, 11), (part.recall, 8))
    )
    counted = "".join(f"{each:7,}" for each in counts) + f"{len(part.unclear):6}{len(part.indeterminate):12,}"
    print(f"{name:22}{counted}{ratios}{figures}")


def listed(scores: Mapping[str, Score], amount: int) -> None:
    """Some of what is missed or wrong, by chance but always the same."""
    for sign, every in (
        ("-", [(image, each.ids, each.package) for image, part in scores.items() for each in part.missed]),
        ("+", [(image, each.ids, each.package) for image, part in scores.items() for each in part.wrong]),
    ):
        for image, ids, package in random.Random("labels").sample(every, min(amount, len(every))):
            print(f"  {sign} {image[:70]} {' '.join(sorted(ids))} {' '.join(package or ())}")


def as_json(scores: Mapping[str, Score], ecosystems: dict[Label, str]) -> dict[str, Any]:
    """The figures of every image and every ecosystem."""
    whole = merged(scores.values())
    return {
        "images": {image: _figures(part) for image, part in scores.items()},
        "ecosystems": {name: _figures(part) for name, part in by_ecosystem(whole, ecosystems).items()},
        "all": _figures(whole),
    }


def _figures(part: Score) -> dict[str, Any]:
    return {
        "tp": len(part.right),
        "fp": len(part.wrong),
        "fn": len(part.missed),
        "unclear": len(part.unclear),
        "indeterminate": len(part.indeterminate),
        "precision": part.precision,
        "recall": part.recall,
        "f1": part.f1,
        "f1_range": part.f1_range,
        "practicable": part.practicable,
    }


def shut(scores: Mapping[str, Score], labels: Mapping[str, list[Label]], options: argparse.Namespace) -> int:
    """Print why the gate is shut for an image; 1 where it is for any."""
    limits = Limits(options.max_f1_drop, options.max_new_missed, options.max_indeterminate)
    reference = load(options.reference)
    reasons = [f"{image}: not in the reference" for image in scores if image not in reference]
    others = judged(labels, {image: each for image, each in reference.items() if image in scores}, options)
    reasons += [f"{image}: {why}" for image, each in others.items() for why in gate(scores[image], each, limits)]
    for each in reasons:
        print(f"shut: {each}")
    return int(bool(reasons))


def load(path: Path) -> Findings:
    """Findings that ``--save`` kept."""
    content = json.loads(path.read_bytes())
    return {
        image: [
            Found(
                frozenset(one["ids"]), (one["package"][0], one["package"][1]), one["ecosystem"], frozenset(one["words"])
            )
            for one in each
        ]
        for image, each in content.items()
    }


def _kept(one: Found) -> dict[str, Any]:
    return {"ids": sorted(one.ids), "package": one.package, "ecosystem": one.ecosystem, "words": sorted(one.words)}


if __name__ == "__main__":
    main()

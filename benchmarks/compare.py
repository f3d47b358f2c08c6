"""`make compare`: what is found in real images, beside each ecosystem's own tool, Syft and Trivy.

usage: compare.py [ARCHIVE...] [--images DIRECTORY] [--differences FILE] [--only ECOSYSTEM]

Without archives the images of ``compare_images.py`` are made first. A package is its name and its version; one that is
there several times counts once. Recall is the part of the truth that a tool lists, precision the part of its list that
is true; what is neither (``truth.py`` tells) counts for nothing. FILE gets every difference, one a line.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote

import truth
import truth_smaller
from compare_images import IMAGES, build
from run import find, sbom_by_trivy
from truth import Pair, Truth

Listing = dict[str, set[Pair]]
"""Packages by purl type."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archives", nargs="*", type=Path)
    parser.add_argument("--images", type=Path, default=Path(".bench/compare"))
    parser.add_argument("--differences", type=Path)
    parser.add_argument("--only", default="", help="an ecosystem, by its purl type")
    options = parser.parse_args()
    results = [judged(each.resolve()) for each in options.archives or build(options.images, list(IMAGES))]
    print(report(results, options.only))
    if options.differences:
        options.differences.write_text("".join(f"{line}\n" for line in differences(results, options.only)))


class Judged:
    """One image: what is there, and what each tool lists."""

    def __init__(self, name: str, there: dict[str, Truth | None], listed: dict[str, Listing]) -> None:
        self.name = name
        self.there = there
        self.listed = listed


def judged(archive: Path) -> Judged:
    """Unpack an image and ask everybody; what was asked before is taken from the file beside it."""
    with tempfile.TemporaryDirectory(dir=archive.parent) as scratch:
        root = Path(scratch, "root")
        sys.stderr.write(f"{archive.name}: what is there\n")
        truth.unpack(archive, root)
        there = truth.of(root) | truth_smaller.of(root)
        listed = {}
        for name, ask in TOOLS.items():
            sys.stderr.write(f"{archive.name}: {name}\n")
            kept = archive.with_suffix(f".{name}.purls")
            if name in PEERS and kept.exists() and kept.stat().st_mtime > archive.stat().st_mtime:
                purls: Sequence[str] | None = kept.read_text().split("\n")
            else:
                purls = ask(archive, Path(scratch))
            if purls is None:
                continue
            if name in PEERS:
                kept.write_text("\n".join(purls))
            listed[name] = by_type(purls)
    return Judged(archive.stem, there, listed)


# ── the tools ─────────────────────────────────────────────────────────────────────────────────────────────


def ours(archive: Path, scratch: Path) -> Sequence[str]:
    """What this program lists."""
    out = scratch / "purls"
    command = [
        sys.executable, "-m", "anchorecli", "-q", "--store", str(scratch / "store.db"),
        "sbom", f"docker-archive:{archive}", "-o", f"purls={out}",
    ]  # fmt: skip
    # 4: something could not be read, which the remarks tell and the table will show.
    done = subprocess.run(command, check=False, stdout=sys.stderr, cwd=Path(__file__).parents[1])
    if done.returncode not in (0, 4):
        raise SystemExit(f"anchore ended with {done.returncode}")
    return out.read_text().split()


def syft(archive: Path, scratch: Path) -> Sequence[str] | None:
    """What Syft lists of an image when nothing is said."""
    program = find("syft")
    if program is None:
        return None
    out = scratch / "syft.json"
    subprocess.run([program, "-q", "scan", f"docker-archive:{archive}", "-o", f"syft-json={out}"], check=True)
    return [each["purl"] for each in json.loads(out.read_text())["artifacts"] if each.get("purl")]


def trivy(archive: Path, scratch: Path) -> Sequence[str] | None:
    """What Trivy lists without its databases; it knows jars only with one."""
    program = find("trivy")
    if program is None:
        return None
    out = scratch / "trivy.json"
    command = [*sbom_by_trivy(program, scratch / "cache", archive, str(out))]
    # With a single jar in the image and no Java database it ends without an answer.
    skipped = [option for kind in "jwe" for option in ("--skip-files", f"**/*.{kind}ar")]
    subprocess.run([*command, *skipped, "--skip-files", "**/*.par"], check=True)
    return [each["purl"] for each in json.loads(out.read_text()).get("components", ()) if each.get("purl")]


PEERS: dict[str, Callable[[Path, Path], Sequence[str] | None]] = {"Syft": syft, "Trivy": trivy}
"""Their lists are kept beside the image: it takes them minutes, and the answer stays the same."""
TOOLS: dict[str, Callable[[Path, Path], Sequence[str] | None]] = {"ours": ours, **PEERS}


def by_type(purls: Iterable[str]) -> Listing:
    """Names and versions by purl type, spelled as the truth spells them."""
    found: Listing = {}
    for purl in purls:
        matched = re.fullmatch(r"pkg:([a-z]+)/([^@?#]+)@([^?#]+)(?:\?([^#]*))?(?:#(.*))?", purl)
        if matched is None:
            continue
        kind, path, version = matched[1], unquote(matched[2]), unquote(matched[3])
        if kind == "golang" and matched[5]:
            path = f"{path}/{matched[5]}"  # Syft cuts module paths after three parts: xxhash@v2.2.0#v2
        qualifiers = dict(each.split("=", 1) for each in (matched[4] or "").split("&") if "=" in each)
        found.setdefault(kind, set()).add(spelled(kind, path, version, unquote(qualifiers.get("epoch", ""))))
    return found


def spelled(kind: str, path: str, version: str, epoch: str) -> Pair:
    """A package as the ecosystem's own tool would print it."""
    name = path
    if kind in ("deb", "rpm", "apk"):
        name = path.rpartition("/")[2]
        version = f"{epoch}:{version}" if epoch not in ("", "0") and not version.startswith(f"{epoch}:") else version
    elif kind == "maven":
        name = ":".join(path.rsplit("/", 1))
    elif kind == "pypi":
        name = re.sub(r"[-_.]+", "-", path).lower()
    elif kind == "composer":
        version = version.removeprefix("v")
    elif kind == "golang":
        version = version.removeprefix("v").removeprefix("go")
    return name, version


# ── the answer ────────────────────────────────────────────────────────────────────────────────────────────


def report(results: list[Judged], only: str) -> str:
    """Two Markdown tables: by image, and over all of them."""
    tools = [name for name in TOOLS if any(name in each.listed for each in results)]
    lines = [
        f"| image | ecosystem | there | {' | '.join(f'{tool}: missed, wrong' for tool in tools)} |",
        "|---" * (3 + len(tools)) + "|",
    ]
    sums: dict[str, dict[str, list[int]]] = {}
    for each in results:
        for kind, there in each.there.items():
            if only not in kind:
                continue
            if there is None:
                lines.append(f"| {each.name} | {kind} | its tool is not here |{' - |' * len(tools)}")
                continue
            cells = []
            for tool in tools:
                missed, wrong = apart(there, each.listed[tool].get(kind, set()))
                cells.append(f"{len(missed)}, {len(wrong)}" if there.closed else f"{len(missed)}, -")
                total = sums.setdefault(kind, {}).setdefault(tool, [0, 0, 0])
                for place, number in enumerate((len(there.there), len(missed), len(wrong))):
                    total[place] += number
            lines.append(f"| {each.name} | {kind} | {len(there.there):,} | {' | '.join(cells)} |")
    lines += ["", f"| ecosystem | there | {' | '.join(f'{tool}: recall, precision' for tool in tools)} |"]
    lines.append("|---" * (2 + len(tools)) + "|")
    for kind, by_tool in sorted(sums.items()):
        cells = [percent(*by_tool[tool]) for tool in tools]
        lines.append(f"| {kind} | {by_tool[tools[0]][0]:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def apart(there: Truth, listed: set[Pair]) -> tuple[set[Pair], set[Pair]]:
    """What is missed, and what is listed and not there."""
    wrong = listed - there.there - there.allowed if there.closed else set()
    # A program's own module, of which go knows no version, is nobody's to judge.
    known = {name for name, _ in there.there}
    own = {one for one in wrong if one[0] not in known and any(f"{p}/".startswith(f"{one[0]}/") for p in there.paths)}
    return set(there.there - listed), wrong - own


def percent(there: int, missed: int, wrong: int) -> str:
    """Recall and precision; nothing listed has no precision."""
    right = there - missed
    precision = f"{right / (right + wrong):.2%}" if right + wrong else "-"
    return f"{right / there:.2%}, {precision}"


def differences(results: list[Judged], only: str) -> Iterable[str]:
    """Every package that somebody misses or lists wrongly: image, ecosystem, package, and who."""
    for each in results:
        for kind, there in each.there.items():
            if there is None or only not in kind:
                continue
            said: dict[Pair, list[str]] = {}
            for tool, listed in each.listed.items():
                missed, wrong = apart(there, listed.get(kind, set()))
                for pair in missed:
                    said.setdefault(pair, []).append(f"-{tool}")
                for pair in wrong:
                    said.setdefault(pair, []).append(f"+{tool}")
            for (name, version), who in sorted(said.items()):
                yield f"{each.name}\t{kind}\t{name}\t{version}\t{' '.join(who)}"


if __name__ == "__main__":
    main()

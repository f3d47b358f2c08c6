"""The order of versions beside each ecosystem's own tool: ``make quality`` without data, and its second table.

usage: version_orders.py [--pairs N] [--seed N] [--list]

Pairs are made of the versions in ``tests/versions/fixtures`` by small changes (a number more or less, a
letter, a separator), so that they are near each other. A pair that the tool refuses says nothing and is not counted.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Iterator

from oracles import Order, tool

from anchorecli.errors import VersionError
from anchorecli.versions import SCHEMES, compare
from tests.versions.check_oracles import read_fixture

ASKED = [each for each in SCHEMES if each not in ("semver", "fuzzy", "cpe")]
"""Those with a tool of their own; fuzzy and cpe are this program's."""
KNOWN = {
    "maven": (
        r"j.*r.*e|j.*e.*7",
        "a classifier of the Java it is built for is no part of the version here: 12.10.2.jre11 is 12.10.2",
    ),
    "gem": (r"-", "what follows a dash is a platform here, a pre-release to Gem::Version"),
    "nuget": (
        r"-.*-|\d{10}",
        "NuGet's code reads -1 and the like as a number, its documentation does not say so; here as the code",
    ),
    "apk": (r"~", "hashes of commits: apk compares them as text, its documentation is silent; here as apk"),
    "rpm": (r"-(~.*)?$", "a release that is empty or begins with a tilde; no package has one"),
    "npm": (r"\.0\d", "node's loose mode takes 2.9.02.rc apart as 2.9.0-2.rc; no registry takes such a version"),
    "pep440": (
        r"\+",
        "with a bound that names no local part local versions are equal (the oracle), else greater (here)",
    ),
}
"""Pairs that are seen differently for a reason: a pattern of either version, and who is right."""
SLOW = frozenset({"deb"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5000, help="for each scheme")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--list", action="store_true", help="print the pairs that are seen differently")
    options = parser.parse_args()
    print("".join(f"{scheme}: {words}\n" for scheme, (_, words) in KNOWN.items()))
    print("| scheme | pairs | known differences | others | refused here | who decides |\n|---|---|---|---|---|---|")
    wrong = False
    for scheme in ASKED:
        amount = options.pairs // (10 if scheme in SLOW else 1)
        wrong |= examine(scheme, list(pairs(scheme, amount, random.Random(options.seed + scheme))), options.list)
    sys.exit(wrong)


def examine(scheme: str, asked: list[tuple[str, str]], listed: bool) -> bool:
    """Print a scheme's line; whether the program sees a pair differently."""
    decides = tool(scheme)
    if not decides:
        print(f"| {scheme} | - | - | - | - | oracle not here |", flush=True)
        return False
    order = Order(scheme)
    order.learn(asked)
    counted, known, refused, different = 0, 0, [], []
    pattern = re.compile(KNOWN.get(scheme, (r"(?!)", ""))[0])
    for a, b in asked:
        truth = order.known[a, b]
        if truth is None:
            continue
        counted += 1
        try:
            ours = compare(scheme, a, b)
        except VersionError:
            refused.append((a, b))
            continue
        if ours == truth:
            continue
        if pattern.search(a) or pattern.search(b):
            known += 1
        else:
            different.append(f"{a} and {b}: {ours}, the tool says {truth}")
    print(f"| {scheme} | {counted:,} | {known} | {len(different)} | {len(refused)} | {decides} |", flush=True)
    if listed:
        print("".join(f"    {each}\n" for each in [*different, *(f"refused: {a} {b}" for a, b in refused)]), end="")
    return bool(different)


def pairs(scheme: str, amount: int, chance: random.Random) -> Iterator[tuple[str, str]]:
    """Versions near each other, each pair once."""
    known = sorted({each for a, _, b in read_fixture(scheme)[0] for each in (a, b)})
    seen: set[tuple[str, str]] = set()
    while len(seen) < amount:
        a = chance.choice(known)
        b = changed(a, chance) if chance.random() < 0.8 else chance.choice(known)
        if a != b and b and (a, b) not in seen and not re.search(r"\s", b):
            seen.add((a, b))
            yield a, b


def changed(version: str, chance: random.Random) -> str:
    """One small change to a version."""
    place = chance.randrange(len(version) + 1)
    kind = chance.choice(("insert", "drop", "number", "number"))
    if kind == "insert":
        return version[:place] + chance.choice("0123456789.-~+_abrcpP") + version[place:]
    if kind == "drop":
        return version[:place] + version[place + 1 :]
    numbers = list(re.finditer(r"\d+", version))
    if not numbers:
        return version
    one = chance.choice(numbers)
    return version[: one.start()] + str(max(0, int(one[0]) + chance.choice((-1, 1, 9)))) + version[one.end() :]


if __name__ == "__main__":
    main()

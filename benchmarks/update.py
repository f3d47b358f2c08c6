"""What ``anchore update`` costs, by how many images are stored and by how many a change of the feeds touches.

    python benchmarks/update.py DIRECTORY [--images 10 1000 10000]

makes a store with N synthetic images (100 packages each out of 3,000) and a feed of 12,000 records, then changes ten
records of the feed and measures (CPU time of the process): which evaluations are touched (the query), the whole update,
and one that has nothing to do. The changed records are about packages that a given number of images has, whatever N is.
A store that is there already is measured again.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from pathlib import Path

from anchorecli.model import (
    Advisory,
    Affected,
    Analysis,
    DiffId,
    Digest,
    Distro,
    FeedState,
    Image,
    ImageConfig,
    ImageRef,
    Layer,
    Package,
    Platform,
    Range,
    Severity,
)
from anchorecli.policy.bundle import fail_on_bundle
from anchorecli.scan.analysis import save
from anchorecli.scan.asked import index
from anchorecli.scan.decision import Occasion, decide
from anchorecli.scan.kept import keep
from anchorecli.scan.update import update
from anchorecli.store import Store, open_store

SPACE = "debian:12"
PACKAGES, RECORDS, EACH = 3000, 4, 100
RARE = (1, 10)
"""So many images have the packages that change."""
NOW = "2026-01-02T00:00:00Z"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--images", type=int, nargs="+", default=[10, 1000, 10_000])
    options = parser.parse_args()
    print("| images stored | touched | find them, ms | update, ms | update with nothing to do, ms | store, MB |")
    print("|---:|---:|---:|---:|---:|---:|")
    for count in options.images:
        path = options.directory / f"update-{count}.db"
        is_new = not path.exists()
        with open_store(path) as store:
            if is_new:
                build(store, count)
            sync(store, 0, ())
            update(store, NOW)
            for touched in (0, *RARE):
                print(row(store, path, count, touched), flush=True)


def build(store: Store, count: int) -> None:
    sync(store, 0, ())
    bundle = fail_on_bundle(Severity.HIGH)
    for number in range(count):
        analysis = image(number)
        save(store, analysis, "benchmark", NOW)
        keep(store, decide(analysis, store, bundle, Occasion(NOW, analysis.image.ref)))


def row(store: Store, path: Path, count: int, touched: int) -> str:
    """Change ten records about packages that ``touched`` images have, and bring those up to date."""
    sync(store, store.revision(), [f"rare{touched}-{number}" for number in range(10)])
    started = time.process_time()
    found = index(store).touched()
    asked = time.process_time() - started
    assert len(found) == touched, (len(found), touched)
    started = time.process_time()
    done = update(store, NOW)
    whole = time.process_time() - started
    assert len(done.changes) == touched and not done.problems
    started = time.process_time()
    assert not update(store, NOW).changes
    idle = time.process_time() - started
    size = path.stat().st_size / 1e6
    return f"| {count:,} | {touched} | {asked * 1e3:.1f} | {whole * 1e3:.0f} | {idle * 1e3:.1f} | {size:.0f} |"


def image(number: int) -> Analysis:
    """An image of a package choice of its own; the first ones also have those packages that will change."""
    chance = random.Random(number)
    names = [f"package{each}" for each in chance.sample(range(PACKAGES), EACH)]
    names += [f"rare{rare}-{each}" for rare in RARE if number < rare for each in range(10)]
    layers = tuple(Layer(DiffId(f"sha256:{chance.randrange(16**64):064x}"), size=10**7) for _ in range(5))
    ref = ImageRef("registry", f"app{number}:1", registry="registry.example", repository=f"app{number}", tag="1")
    packages = tuple(
        Package(
            name, "1.0-1", "deb", "deb", f"pkg:deb/debian/{name}@1.0-1", arch="amd64", source=name,
            source_version="1.0-1", layer=layers[0].diff_id,
        )
        for name in sorted(names)
    )  # fmt: skip
    config = ImageConfig(Platform("linux", "amd64"), raw="{}")
    made = Image(ref, Digest(f"sha256:{number:064x}"), Digest(f"sha256:f{number:063x}"), config, layers)
    return Analysis(made, Distro("debian", "12", codename="bookworm"), packages, analyzers={"dpkg": 1})


def sync(store: Store, day: int, changed: list[str] | tuple[str, ...]) -> None:
    names = [f"package{each}" for each in range(PACKAGES)]
    names += [f"rare{touched}-{number}" for touched in (0, *RARE) for number in range(10)]

    def records() -> Iterator[Advisory]:
        for name in names:
            for number in range(RECORDS):
                # A third of them hold for version 1.0; the changed ones hold from now on.
                holds = number == 0 and (hash_of(name) % 3 == 0 or name in changed)
                fixed = f"1.{day if name in changed else 0}-2" if holds else "0.9-1"
                said = Affected(SPACE, name, "deb", ranges=(Range("", fixed),), severity=Severity.MEDIUM)
                identity = f"CVE-{2000 + number}-{hash_of(name):06d}"
                yield Advisory(identity + name, "debian", severity=Severity.MEDIUM, affected=(said,))

    store.sync_feed(FeedState("debian", updated_at=NOW, ecosystems=(SPACE,)), records())


def hash_of(name: str) -> int:
    """A number that is the same in every run."""
    return sum(ord(letter) * (at + 7) for at, letter in enumerate(name)) % 1_000_000


if __name__ == "__main__":
    main()

"""How fast past evaluations are kept, replayed, compared and judged anew: 1,000 images, 300,000 advisories.

    python benchmarks/audit.py FEEDS PATH [--images N]

copies FEEDS (the store that matching_db.py builds) to PATH once and evaluates N synthetic images there by a bundle of
60 rules; their package counts are those of a registry's: many small, a few of 3,000. Then it measures.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import matching_db

from anchorecli.model import (
    Analysis,
    DiffId,
    Digest,
    Distro,
    Image,
    ImageConfig,
    ImagePath,
    ImageRef,
    Layer,
    Location,
    Package,
    Platform,
)
from anchorecli.policy.bundle import parse_bundle
from anchorecli.scan.analysis import save
from anchorecli.scan.decision import Occasion, decide
from anchorecli.scan.kept import keep, recall
from anchorecli.scan.past import decide_again, find, inputs_of
from anchorecli.scan.replay import moment_of, replay_inputs
from anchorecli.store import Store, open_store
from anchorecli.values import replace

NOW = "2026-01-02T00:00:00Z"
SIZES = ((0.3, 20, 80), (0.4, 90, 250), (0.2, 250, 600), (0.08, 600, 1500), (0.02, 1500, 3200))
"""Share of the images and their least and most packages: Alpine, slim, full, with an application, large."""
LAYERS = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("feeds", type=Path)
    parser.add_argument("path", type=Path)
    parser.add_argument("--images", type=int, default=1000)
    options = parser.parse_args()
    if not options.path.exists():
        build(options.feeds, options.path, options.images)
    with open_store(options.path) as store:
        measure(store)
    with tempfile.TemporaryDirectory() as scratch:
        whole_processes(options.path, Path(scratch))


def build(feeds: Path, path: Path, count: int) -> None:
    partial = path.with_name(path.name + ".partial")
    shutil.copy(feeds, partial)
    bundle = parse_bundle(rules(60))
    chance = random.Random("images")
    pool = matching_db.packages(1)
    started = time.perf_counter()
    packages = 0
    with open_store(partial) as store:
        for number in range(count):
            analysis = image(number, chance, pool)
            packages += len(analysis.packages)
            save(store, analysis, "benchmark", NOW)
            keep(store, decide(analysis, store, bundle, Occasion(NOW, analysis.image.ref)))
    seconds = time.perf_counter() - started
    grown = (partial.stat().st_size - feeds.stat().st_size) / count / 1024
    print(f"{count} images, {packages} packages evaluated in {seconds:.0f} s; {grown:.0f} KiB of store each")
    partial.rename(path)


def image(number: int, chance: random.Random, pool: list[Package]) -> Analysis:
    """One image; a package's layer and place are those that reports show."""
    _, low, high = chance.choices(SIZES, [each[0] for each in SIZES])[0]
    layers = tuple(Layer(DiffId(f"sha256:{chance.randrange(16**64):064x}"), size=10**7) for _ in range(LAYERS))
    ref = ImageRef(
        "registry", f"team/app{number}:1", registry="registry.example", repository=f"team/app{number}", tag="1"
    )
    identity = f"{number:064x}"
    config = ImageConfig(Platform("linux", "amd64"), raw="{}", user="app", exposed_ports=("8080/tcp",))
    at = chance.randrange(len(pool))
    chosen = [pool[(at + step) % len(pool)] for step in range(chance.randrange(low, high))]
    packages = tuple(
        replace(
            each,
            name=f"{each.name}-{step // len(pool)}" if step >= len(pool) else each.name,
            layer=layers[step % LAYERS].diff_id,
            licenses=("MIT",),
            locations=(Location(ImagePath(f"usr/share/doc/{each.name}"), layers[step % LAYERS].diff_id),),
        )
        for step, each in enumerate(chosen)
    )
    made = Image(ref, Digest(f"sha256:{identity}"), Digest(f"sha256:f{identity[1:]}"), config, layers)
    return Analysis(made, Distro("debian", "12"), tuple(sorted(packages, key=lambda each: (each.type, each.name))))


def rules(count: int, forbidden: int = 0) -> str:
    """A bundle of so many rules, a sixth of them about vulnerabilities; it stops at one package, by its place."""
    stop = matching_db.packages(1)[forbidden].name
    lines = []
    for number in range(count):
        if number % 6 == 0:
            severity = ("low", "medium", "high", "critical")[number // 6 % 4]
            params = f'package_type: all, severity: {severity}, severity_comparison: ">=", vendor_only: false'
            gate, trigger = "vulnerabilities", "package"
            params += (", fix_available: true", "")[number // 6 % 2]
        elif number % 2:
            gate, trigger, params = "packages", "blacklist", f"name: {stop if number == 1 else f'forbidden{number}'}"
        else:
            gate, trigger, params = "dockerfile", "exposed_ports", f"ports: [{number}], type: blacklist"
        action = "STOP" if number == 1 else "WARN"
        lines.append(
            f"      - {{id: r{number}, gate: {gate}, trigger: {trigger}, action: {action}, params: {{{params}}}}}"
        )
    return "\n".join([
        "id: bench", 'version: "1_0"', "policies:", "  - id: p", '    version: "1_0"', "    rules:", *lines,
        "whitelists: []", "mappings:",
        '  - {id: m, registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_ids: [p]}',
    ]) + "\n"  # fmt: skip


def measure(store: Store) -> None:
    sizes = sorted((evaluation.matches, evaluation.id) for evaluation in store.latest_evaluations())
    for what, number in (("middling", sizes[len(sizes) // 2][1]), ("largest", sizes[-1][1])):
        evaluation = store.evaluation(number)
        assert evaluation is not None
        kept = recall(store, evaluation)
        decision = decide_again(store, inputs_of(store, kept))
        print(f"## the {what} image: {len(kept.report.analysis.packages)} packages, {len(kept.report.matches)} matches")
        print(f"keep its evaluation          {timed(lambda d=decision: again(store, d))}")
        print(f"recall it                    {timed(lambda e=evaluation: recall(store, e))}")
        subject = find(store, str(number))
        for revision in sorted({1, store.revision() - 1, store.revision()}):
            moment = moment_of(store, revision, "", NOW)
            inputs = replay_inputs(store, subject, decision.bundle, moment)
            print(f"replay of revision {revision}         {timed(lambda i=inputs: decide_again(store, i))}")


def again(store: Store, decision: object) -> None:
    keep(store, decision)  # type: ignore[arg-type]


def whole_processes(path: Path, scratch: Path) -> None:
    print("## whole processes")
    bundle = scratch / "new.yaml"
    bundle.write_text(rules(60, 500))
    base = [sys.executable, "-m", "anchorecli", "-q", "--store", str(path)]
    for name, args in (
        ("replay, newest feeds", ["replay", "team/app7:1", "-p", str(bundle), "-o", f"json={scratch}/r"]),
        ("replay, feeds of revision 5", ["replay", "team/app7:1", "--feed-revision", "5", "-o", f"json={scratch}/r"]),
        ("backtest, feeds of now", ["policy", "backtest", str(bundle), "--since", "all"]),
        ("backtest, as recorded", ["policy", "backtest", str(bundle), "--since", "all", "--as-recorded"]),
    ):
        seconds = []
        for _ in range(3 if "replay" in name else 1):
            started = time.perf_counter()
            done = subprocess.run([*base, *args], check=False, capture_output=True, text=True)
            seconds.append(time.perf_counter() - started)
            assert done.returncode in (0, 1, 4), done.stderr
        last = done.stdout.splitlines()[-1:] if "backtest" in name else []
        print(f"{name:28} {statistics.median(seconds):7.2f} s  {' '.join(last)}")


def timed(action: Callable[[], object]) -> str:
    return matching_db.timed(action)


if __name__ == "__main__":
    main()

"""Fuzzes parsers without end in sight: ``python -m tests.fuzz.target [PARSER …] [--seconds N] [--own]``.

With atheris (extra ``fuzz``) the changes are led by the code they reach; without it, or with ``--own``, they are drawn
at random. The corpus begins with the samples and grows below ``.fuzz``; what a parser fails on is printed as a line for
``tests/fuzz/corpus/PARSER.txt``, where the suite tries it for ever.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import FrameType

WORK = Path(".fuzz")
MEMORY = Path("/dev/shm")
"""Where temporary files cost least: those of a small file take longer to make and remove than the file to parse."""
HANG = 20
"""Seconds of processor time after which a file is left."""
SLOW = (2.0, 30e-6)
"""Seconds of processor time that a file may take, and for each of its bytes: a hundred times what real ones take."""
LARGE = 256 << 20
"""Bytes by which one file may raise the highest memory use."""
MAX_BYTES = 1 << 16
MAX_FAULTS = 20


def main() -> int:
    """Fuzz each parser for its time; 1 where one failed."""
    arguments = _arguments()
    if arguments.one:
        return _one(arguments.parsers[0], arguments)
    from tests.fuzz.parsers import parsers

    chosen = arguments.parsers or list(parsers())
    if unknown := set(chosen) - set(parsers()):
        sys.exit(f"no such parser: {', '.join(sorted(unknown))}; there are {', '.join(parsers())}")
    failed = []
    for name in chosen:
        # One process each: atheris ends it, and a hang must not end the others.
        command = [sys.executable, "-m", "tests.fuzz.target", "--one", name, "--seconds", str(arguments.seconds)]
        command += ["--seed", str(arguments.seed)] + ["--own"] * arguments.own
        before = kept(name).stat().st_size if kept(name).exists() else 0
        ended = subprocess.run(command, check=False).returncode
        if ended or (kept(name).exists() and kept(name).stat().st_size > before):
            failed.append(name)
    print("failed: " + ", ".join(failed) if failed else f"{len(chosen)} parsers, nothing found")
    return bool(failed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parsers", nargs="*", metavar="PARSER")
    parser.add_argument("--seconds", type=int, default=60, help="for each parser")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--own", action="store_true", help="random changes, even where atheris is installed")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _one(name: str, arguments: argparse.Namespace) -> int:
    signal.signal(signal.SIGPROF, _hung)
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
        tempfile.tempdir = str(MEMORY)
    if not arguments.own:
        try:
            import atheris
        except ImportError:
            print("atheris is not installed: random changes instead", file=sys.stderr)
        else:
            return _atheris(atheris, name, arguments)
    return _own(name, arguments)


def _atheris(atheris, name: str, arguments: argparse.Namespace) -> int:  # type: ignore[no-untyped-def]
    with atheris.instrument_imports(include=["anchorecli"]):
        look, paths, corpus = _prepared(name)
        for seed in corpus:
            # What a parser loads when it needs it is loaded here, where it is instrumented.
            look(paths[seed[0]], seed[1:])
    from tests.fuzz.inside import changed_inside

    faults = Faults(name)

    def test(data: bytes) -> None:
        # The first byte says which of the parser's samples the file is called after.
        faults.of(look, paths[data[0] % len(paths)] if data else paths[0], data[1:])
        if len(faults.places) > MAX_FAULTS:
            raise RuntimeError(f"more than {MAX_FAULTS} faults")

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        random = Random(seed)
        if len(data) < 2 or random.random() < 0.5:
            return bytes(atheris.Mutate(data, max_size))
        change: Callable[[bytes], bytes] = lambda part: atheris.Mutate(part, len(part) + 64)  # noqa: E731
        return (data[:1] + changed_inside(data[1:], change, random))[:max_size]

    folder = WORK / "corpus" / name
    folder.mkdir(parents=True, exist_ok=True)
    for seed in corpus:
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    options = [f"-max_total_time={arguments.seconds}", f"-seed={arguments.seed + 1}", f"-max_len={MAX_BYTES}"]
    options += [f"-artifact_prefix={WORK}/{name}-", "-verbosity=0", "-print_final_stats=1", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], *options, str(folder)], test, custom_mutator=mutate)
    atheris.Fuzz()
    return 0


def _own(name: str, arguments: argparse.Namespace) -> int:
    from tests.fuzz.inside import changed_inside
    from tests.fuzz.mutation import drawn, mutated

    look, paths, corpus = _prepared(name)
    random = Random(arguments.seed)
    faults = Faults(name)
    end, count = time.monotonic() + arguments.seconds, 0

    def change(part: bytes) -> bytes:
        return mutated(part, drawn(random))

    while time.monotonic() < end and len(faults.places) <= MAX_FAULTS:
        seed = random.choice(corpus)
        data = changed_inside(seed[1:], change, random) if random.random() < 0.5 else change(seed[1:])
        count += 1
        faults.of(look, paths[seed[0] % len(paths)], data[:MAX_BYTES])
    print(f"{name}: {count} files, {len(faults.places)} faults")
    return 0


class Faults:
    """What a parser fails on, once for each place in the code; the search goes on behind it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.places: set[tuple[str, str, int]] = set()

    def of(self, look: Callable[[str, bytes], object], path: str, data: bytes) -> None:
        """Try one file."""
        try:
            measured(look, path, data)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = (type(error).__name__, frame.filename, frame.lineno or 0)
            if place not in self.places:
                self.places.add(place)
                self._keep(path, data)

    def _keep(self, path: str, data: bytes) -> None:
        line = f"{base64.b64encode(data).decode()} {path}"
        WORK.mkdir(exist_ok=True)
        with kept(self.name).open("a") as file:
            file.write(line + "\n")
        print(f"{self.name} failed on: {line[:2000]}", file=sys.stderr)
        traceback.print_exc()


def kept(name: str) -> Path:
    """Where the files are noted that a parser failed on."""
    return WORK / f"{name}.txt"


def measured(look: Callable[[str, bytes], object], path: str, data: bytes) -> None:
    """Let a parser look at a file. Raises: what it raises, AssertionError where it takes too much time or memory."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    signal.setitimer(signal.ITIMER_PROF, HANG)
    try:
        look(path, data)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert seconds < SLOW[0] + SLOW[1] * len(data), f"{seconds:.1f} seconds for {len(data)} bytes"
    more = (after.ru_maxrss - before.ru_maxrss) << 10
    assert more < LARGE, f"{more >> 20} MiB more memory for {len(data)} bytes"


def _prepared(name: str) -> tuple[Callable[[str, bytes], object], list[str], list[bytes]]:
    """The parser, the paths its samples have, and the samples behind a byte that tells the path."""
    from tests.fuzz.parsers import parsers
    from tests.fuzz.samples import samples

    own = [sample for sample in samples() if sample.parser == name.removesuffix("-passing")]
    corpus = [bytes((number,)) + sample.data for number, sample in enumerate(own)]
    return parsers()[name], [sample.path for sample in own], corpus


def _hung(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {HANG} seconds of processor time for one small file")


if __name__ == "__main__":
    sys.exit(main())

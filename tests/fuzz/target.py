"""Fuzzes parsers without end in sight: ``python -m tests.fuzz.target [PARSER …] [--seconds N] [--own]``.

With atheris (extra ``fuzz``) the changes are led by the code they reach; without it, or with ``--own``, they are drawn
at random. The corpus begins with the samples and grows below ``.fuzz``; what a parser fails on is printed as a line for
``tests/fuzz/corpus/PARSER.txt``, where the suite tries it for ever.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import FrameType

WORK = Path(".fuzz")
HANG = 20
"""Seconds that one small file may take."""
MAX_BYTES = 1 << 16


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
        if subprocess.run(command, check=False).returncode:
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
    signal.signal(signal.SIGALRM, _hung)
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

    def test(data: bytes) -> None:
        # The first byte says which of the parser's samples the file is called after.
        _try(name, look, paths[data[0] % len(paths)] if data else paths[0], data[1:])

    folder = WORK / "corpus" / name
    folder.mkdir(parents=True, exist_ok=True)
    for seed in corpus:
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    options = [f"-max_total_time={arguments.seconds}", f"-seed={arguments.seed + 1}", f"-max_len={MAX_BYTES}"]
    options += [
        f"-timeout={HANG}",
        f"-artifact_prefix={WORK}/{name}-",
        "-verbosity=0",
        "-print_final_stats=1",
        "-rss_limit_mb=2048",
    ]
    atheris.Setup([sys.argv[0], *options, str(folder)], test)
    atheris.Fuzz()
    return 0


def _own(name: str, arguments: argparse.Namespace) -> int:
    from tests.fuzz.mutation import drawn, mutated

    look, paths, corpus = _prepared(name)
    random = Random(arguments.seed)
    end, count, faults = time.monotonic() + arguments.seconds, 0, set()
    while time.monotonic() < end:
        seed = random.choice(corpus)
        data = mutated(seed[1:], drawn(random))[:MAX_BYTES]
        count += 1
        try:
            _try(name, look, paths[seed[0] % len(paths)], data)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            place = traceback.extract_tb(error.__traceback__)[-1]
            faults.add((type(error).__name__, place.filename, place.lineno, str(error)[:60]))
            if len(faults) > 20:
                break
    print(f"{name}: {count} files, {len(faults)} faults")
    return bool(faults)


def _prepared(name: str) -> tuple[Callable[[str, bytes], object], list[str], list[bytes]]:
    """The parser, the paths its samples have, and the samples behind a byte that tells the path."""
    from tests.fuzz.parsers import parsers
    from tests.fuzz.samples import samples

    own = [sample for sample in samples() if sample.parser == name.removesuffix("-passing")]
    corpus = [bytes((number,)) + sample.data for number, sample in enumerate(own)]
    return parsers()[name], [sample.path for sample in own], corpus


def _try(name: str, look: Callable[[str, bytes], object], path: str, data: bytes) -> None:
    signal.alarm(HANG)
    try:
        look(path, data)
    except BaseException:
        line = f"{base64.b64encode(data).decode()} {path}"
        WORK.mkdir(exist_ok=True)
        with (WORK / f"{name}.txt").open("a") as file:
            file.write(line + "\n")
        print(f"{name} failed on: {line[:2000]}", file=sys.stderr)
        traceback.print_exc()
        raise
    finally:
        signal.alarm(0)


def _hung(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {HANG} seconds for one small file")


if __name__ == "__main__":
    sys.exit(main())

"""Times whole processes in turn (A, B, C, A, B, C …) and reports medians: the machine's noise then hits all alike."""

from __future__ import annotations

import os
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """A command with a name; ``before`` runs before each of its runs, outside the measurement (an empty store)."""

    name: str
    command: Sequence[str]
    before: Callable[[], None] = lambda: None
    env: Mapping[str, str] | None = None
    ok: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Figures:
    """Medians of one contender: wall and CPU in seconds, peak resident memory in MB, runs counted."""

    wall: float
    cpu: float
    memory: float
    runs: int


def race(contenders: Sequence[Contender], runs: int = 5) -> dict[str, Figures]:
    """Run all contenders in turn, once to warm up and ``runs`` times to count."""
    samples: dict[str, list[tuple[float, float, float]]] = {c.name: [] for c in contenders}
    for number in range(runs + 1):
        for contender in contenders:
            contender.before()
            sample = once(contender)
            if number:
                samples[contender.name].append(sample)
    return {
        name: Figures(*(statistics.median(column) for column in zip(*rows, strict=True)), len(rows))
        for name, rows in samples.items()
    }


def once(contender: Contender) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds (the process and what it waited for) and peak MB of one run."""
    from time import perf_counter

    env = dict(os.environ) | dict(contender.env or {})
    started = perf_counter()
    process = subprocess.Popen(contender.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
    assert process.stderr is not None
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in contender.ok:
        text = error.decode(errors="replace").strip()[-2000:]
        raise SystemExit(f"{' '.join(contender.command)}: exit {process.returncode}\n{text}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def table(title: str, figures: Mapping[str, Figures], ours: str) -> str:
    """The figures as Markdown rows, with the ratio ours/theirs."""
    own = figures[ours]
    lines = [f"\n{title}\n", "| tool | wall s | CPU s | peak MB | wall, ours/theirs |", "|---|---|---|---|---|"]
    for name, row in figures.items():
        ratio = "" if name == ours else f"{own.wall / row.wall:.2f}"
        lines.append(f"| {name} | {row.wall:.3f} | {row.cpu:.3f} | {row.memory:.0f} | {ratio} |")
    return "\n".join(lines)

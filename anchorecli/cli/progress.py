"""Progress of long steps on a terminal, on standard error; silent elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

Tell = Callable[[str, int, int], None]
"""(what, done, total); total 0 where it is not known. May be called from any thread."""

UNITS = {"download": "bytes", "pull": "bytes", "read": "bytes"}


@contextmanager
def progress(title: str, *, enabled: bool) -> Iterator[Tell]:
    """A line that grows while the block runs and is gone when it ends."""
    if not (enabled and sys.stderr.isatty()):
        yield lambda _what, _done, _total: None
        return
    line = _Line(title)
    try:
        yield line.tell
    finally:
        line.clear()


class _Line:
    """One line, redrawn at most ten times a second: a progress library costs more than most scans take."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._drawn = 0.0
        self._started = monotonic()

    def tell(self, what: str, done: int, total: int) -> None:
        """Redraw, unless that was done a moment ago."""
        now = monotonic()
        if now - self._drawn < 0.1:
            return
        self._drawn = now
        amount = f"{done:,}" if what not in UNITS else _size(done)
        if total:
            amount += f" of {total:,}" if what not in UNITS else f" of {_size(total)}"
            amount += f"  {_bar(done / total)}"
        sys.stderr.write(f"\r\x1b[K{self._title}: {what} {amount}  {now - self._started:.0f} s")
        sys.stderr.flush()

    def clear(self) -> None:
        """Wipe the line."""
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _bar(share: float) -> str:
    full = round(20 * min(1.0, max(0.0, share)))
    return "█" * full + "░" * (20 - full)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.0f} kB"

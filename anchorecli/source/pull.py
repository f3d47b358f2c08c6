"""A download in the background: skopeo writes blobs into a private directory, and each is ours once it is complete.

skopeo gives a blob its final name only when it is whole and its digest was right, so a layer can be analysed while the
next one is still coming. A thread watches the directory: it wakes who waits, tells the progress and gives up when
nothing arrives any more.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from anchorecli.errors import SourceError
from anchorecli.source.skopeo import COMPLAINTS, Process, Skopeo, stop

POLL = 0.02


class Pull:
    """One running skopeo and the directory it fills.

    ``wanted`` maps digests to sizes (0 where unknown); ``find`` gives the path of a complete blob, or None.
    """

    def __init__(
        self,
        skopeo: Skopeo,
        process: Process,
        directory: Path,
        wanted: Mapping[str, int],
        find: Callable[[str], Path | None],
    ) -> None:
        self.wanted = wanted
        self._skopeo = skopeo
        self._process = process
        self._directory = directory
        self._find = find
        self._changed = threading.Condition()
        self._error: SourceError | None = None
        self._done = False
        self._stopping = False
        self._watcher = threading.Thread(target=self._watch, name="anchore-pull", daemon=True)
        self._watcher.start()

    def wait(self, digest: str) -> Path:
        """The path of a complete blob. Raises: SourceError where it will not come."""
        with self._changed:
            while True:
                path = self._find(digest)
                if path is not None:
                    return path
                if self._done:
                    break
                self._changed.wait(POLL)
        path = self._find(digest)
        if path is not None:
            return path
        raise self._error or SourceError(
            f"{self._skopeo.subject}: layer {digest} did not arrive", hint="try again; the registry may not keep it"
        )

    def finish(self) -> None:
        """Wait for the end of the copy. Raises: SourceError where it failed."""
        self._watcher.join()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Kill what still runs."""
        self._stopping = True
        stop(self._process)
        self._watcher.join()

    def _watch(self) -> None:
        seen, since = -1, time.monotonic()
        while self._process.poll() is None:
            arrived = _bytes_below(self._directory)
            if arrived != seen:
                seen, since = arrived, time.monotonic()
                self._tell(arrived)
            elif time.monotonic() - since > self._skopeo.options.timeout:
                self._error = self._skopeo.timed_out()
                stop(self._process)
                break
            time.sleep(POLL)
        with self._changed:
            if self._process.returncode != 0 and not self._stopping and self._error is None:
                self._error = self._skopeo.explain(_tail(self._directory / COMPLAINTS))
            self._done = True
            self._changed.notify_all()
        if self._error is None and not self._stopping:
            self._tell(sum(self.wanted.values()))

    def _tell(self, done: int) -> None:
        progress = self._skopeo.options.progress
        if progress is not None:
            total = sum(self.wanted.values())
            progress(f"pulling {self._skopeo.subject}", min(done, total) if total else done, total)


def _bytes_below(directory: Path) -> int:
    """Bytes of all files below a directory that somebody is writing to."""
    total = 0
    waiting = [str(directory)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
    return total


def _tail(path: Path, limit: int = 64 * 1024) -> bytes:
    try:
        return path.read_bytes()[-limit:]
    except OSError:
        return b""

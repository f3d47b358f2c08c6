"""Files that are kept whole, because a rule looks at what stands in them: ``/etc/passwd`` and its like.

A path may lead through links of any layer, and a layer is read before they are known. What is asked for is read under
its own path and, in case a directory above is a link (``lib`` → ``usr/lib``), under the same last two names; where a
link leads elsewhere still, ``beyond`` says so and the layers are read once more for that.

Asked for by: the setting ``retrieve-files``, rules of the gates ``retrieved_files`` and ``passwd_file``.

Emits: whole files.

Not handled: links and devices themselves; directories.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Self

from anchorecli.analyzers.base import Found, LayerFile, View, Wants
from anchorecli.model import File, ImagePath, Json, Kind, Problem, RetrievedFile
from anchorecli.values import dataclass

MAX_BYTES = 1000 * 1024


@dataclass(frozen=True, slots=True)
class RetrieveAnalyzer:
    """Whole files. A fact is a file's content in base64."""

    name: str = "retrieve"
    version: int = 1
    options: str = ""
    wants: Wants = Wants()
    max_bytes: int = MAX_BYTES
    paths: tuple[str, ...] = ()

    @classmethod
    def of(cls, options: str, _scanner: object = None) -> Self:
        """The analyzer for options: the size up to which a file is kept, and a path a line.

        After an empty line stand paths that links lead to: read, not asked for.
        """
        asked, _, led = options.partition("\n\n")
        size, *paths = asked.split("\n")
        max_bytes = int(size or MAX_BYTES)
        tails = frozenset(_tail(path) for path in (*paths, *led.split("\n")) if path)
        wants = Wants(
            names=frozenset(tail.rpartition("/")[2] for tail in tails),
            match=lambda path, size, mode: size <= max_bytes and _tail(path) in tails,
            max_bytes=max_bytes,
        )
        return cls(options=options, wants=wants, max_bytes=max_bytes, paths=tuple(paths))

    def read(self, file: LayerFile) -> Json | None:
        """The file's content."""
        return b64encode(file.data()).decode("ascii")

    def beyond(self, view: View) -> Self | None:
        """The analyzer that would see the rest as well; None where this one has seen all there is."""
        if "\n\n" in self.options:
            return None
        unread = set()
        for path in self.paths:
            file = self._file(path, view)
            if file is not None and view.fact(path) is None:
                shared = view.tree.hardlink_source(file.layer, file.target) if file.kind is Kind.HARDLINK else None
                unread.add(shared[1] if shared else file.path)
        return type(self).of(self.options + "\n\n" + "\n".join(sorted(unread))) if unread else None

    def assemble(self, view: View) -> Found:
        """The files that are there, under the paths they were asked for."""
        kept: list[RetrievedFile] = []
        problems: list[Problem] = []
        for path in self.paths:
            fact = view.fact(path)
            real = view.tree.resolve(path)
            file = view.tree.stat(real) if real else None
            if fact is not None:
                kept.append(RetrievedFile(ImagePath(path), b64decode(fact.value), view.diff_id(fact.layer)))
            elif file is not None and file.kind in (Kind.FILE, Kind.HARDLINK):
                problems.append(self._not_kept(path, file))
        return Found(retrieved=tuple(kept), problems=tuple(problems), looked_for={"retrieve": "\n".join(self.paths)})

    def _file(self, path: str, view: View) -> File | None:
        """The regular file a path leads to, if it is small enough to be kept."""
        real = view.tree.resolve(path)
        file = view.tree.stat(real) if real else None
        regular = file is not None and file.kind in (Kind.FILE, Kind.HARDLINK)
        return file if file is not None and regular and file.size <= self.max_bytes else None

    def _not_kept(self, path: str, file: File) -> Problem:
        if file.size > self.max_bytes:
            message = f"not kept: {file.size} bytes, over the limit of {self.max_bytes}"
            return Problem("analyze", path, message, "raise retrieve-file-bytes in the settings", cause="limit_hit")
        message = f"not kept: what it leads to, {file.path}, could not be read"
        return Problem("analyze", path, message, f"ask for {file.path} itself")


def _tail(path: str) -> str:
    """The last two names of a path."""
    return path[path.rfind("/", 0, max(path.rfind("/"), 0)) + 1 :]

"""Files of a layer that an analyzer wants under the name of a hard link, and not under that of the file.

The first name of a file in a tar has its content, every other one is a link to that: in BusyBox's own image
``bin/busybox`` is a link to ``bin/[``. Only when the layer was read is it known what should have been.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from posixpath import basename
from typing import Any

from anchorecli.analyzers.base import Analyzer, LayerFile, Naming
from anchorecli.layerindex import LayerIndex
from anchorecli.model import ImagePath

MOST_NAMES, MOST_BYTES = 10_000, 512 * 1024 * 1024
"""Names that are read so in one layer, and bytes, each name's for itself: others stay links to what was not read."""

Wants = Callable[[str, int, int], "tuple[Analyzer, ...] | None"]
Visit = Callable[[tuple[Analyzer, ...], LayerFile], None]
Links = Mapping[str, Sequence[tuple[str, Analyzer]]]
"""By the file, its wanted names, and who wants each."""


def unread(index: LayerIndex, wants: Wants, has_fact: Callable[[Analyzer, str], bool]) -> Links:
    """What is to be read once more, of the layer with that index. A fact of a file is that of its links as well."""
    found: dict[str, list[tuple[str, Analyzer]]] = {}
    names, left = MOST_NAMES, MOST_BYTES
    for row, target in index.targets.pairs():
        if index.kinds[row] != "h" or (at := index.rows.get(target)) is None or index.kinds[at] != "f":
            continue
        path, size, mode = index.paths[row], index.sizes[at], index.modes[at]
        wanted = [each for each in wants(path, size, mode) or () if _for_its_name(each, path, mode, wants)]
        known = wants(target, size, mode) or () if wanted and basename(path) == basename(target) else ()
        for analyzer in wanted:
            if analyzer not in known and not has_fact(analyzer, target) and names and size <= left:
                found.setdefault(target, []).append((path, analyzer))
                names, left = names - 1, left - size
    return found


def _for_its_name(analyzer: Analyzer, path: str, mode: int, wants: Wants) -> bool:
    """Whether the link's name has a part in that it is wanted: what is wanted for its size was seen."""
    if analyzer.wants.everything:
        return False
    return analyzer.is_telling(path) if isinstance(analyzer, Naming) else analyzer in (wants(path, 1, mode) or ())


class Again:
    """A layer reader's visitor that shows files to those who want them under other names."""

    def __init__(self, links: Links, visit: Visit) -> None:
        self._links = links
        self._visit = visit

    def wants(self, path: str, size: int, mode: int) -> Sequence[tuple[str, Analyzer]] | None:
        """The names of a file, or None."""
        return self._links.get(path)

    def visit(self, token: object, file: LayerFile) -> None:
        """Show a file under each of its names."""
        names: Sequence[tuple[str, Analyzer]] = token  # type: ignore[assignment]
        file.keep()
        for name, analyzer in names:
            self._visit((analyzer,), _Called(file, ImagePath(name)))


class _Called:
    """A file under another name."""

    __slots__ = ("_file", "path")

    def __init__(self, file: LayerFile, path: ImagePath) -> None:
        self._file = file
        self.path = path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

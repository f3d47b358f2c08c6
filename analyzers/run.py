"""Runs the analyzers over a layer's wanted files, and over the squashed image.

``Collector`` is the visitor of one layer: it asks a table of exact names, base names, suffixes and parent names whether
anybody wants a path, opens each wanted file once, and turns what the analyzers return into stored facts. ``assemble``
merges the facts of all layers and asks every analyzer what they amount to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from threading import Lock
from time import thread_time
from typing import Any, TypeVar

from anchorecli.analyzers.base import PARTIAL, Analyzer, Finishing, Following, Found, LayerFile, Sifting
from anchorecli.analyzers.filelists import cut, file_indexes, packed_files
from anchorecli.analyzers.hardlinks import Again, unread
from anchorecli.analyzers.keys import fact_key, fact_keys, files_key
from anchorecli.analyzers.legible import legible
from anchorecli.analyzers.limits import FILE_BYTES
from anchorecli.analyzers.ownership import link_owners, link_secrets
from anchorecli.analyzers.records import LayerRecords, Records, read
from anchorecli.analyzers.room import BYTES, Room, told
from anchorecli.analyzers.sifting import Sifter
from anchorecli.analyzers.uncataloged import nameless, uncataloged, unlisted
from anchorecli.analyzers.view import ImageView
from anchorecli.errors import LimitError
from anchorecli.layerindex import MAX_ENTRIES
from anchorecli.model import (
    Analysis,
    DiffId,
    Distro,
    FactStatus,
    Image,
    Json,
    LayerFacts,
    Package,
    Problem,
)
from anchorecli.tree import LayerIndex, Tree

_ON_DEMAND = (
    *("secrets", "removed_secrets", "contents", "retrieved", "malware", "differences", "unowned"),
    *("certificates", "certificate_stores", "private_keys", "accounts", "groups"),
)
"""The fields that ``Found`` and ``Analysis`` share beside packages."""
MAX_TOLD = 1000
"""Problems of one analyzer that are told one by one; of more than that their number."""
MAX_MESSAGE = 2000
"""Characters of a problem's text: it may quote what a stranger wrote."""
_WRITTEN_FROM = 8 * 1024 * 1024
"""Bytes of an analyzer's facts from which the others are kept as their text."""
_TIMINGS = Lock()
_T = TypeVar("_T")


class Collector:
    """Collects one layer's facts; its ``wants`` and ``visit`` make it the layer reader's visitor."""

    def __init__(
        self,
        analyzers: Sequence[Analyzer],
        timings: dict[str, float] | None = None,
        fact_bytes: int = BYTES,
    ) -> None:
        self._analyzers = analyzers
        self._room = Room(fact_bytes)
        self._paths = _table(analyzers, "paths")
        self._names = _table(analyzers, "names")
        self._suffixes = _table(analyzers, "suffixes")
        self._parents = _table(analyzers, "parents")
        self._everything = tuple(a for a in analyzers if a.wants.everything)
        self._large = tuple(a for a in analyzers if a.wants.from_bytes)
        self._from_bytes = min((a.wants.from_bytes for a in self._large), default=1 << 63)
        self._values = {a.name: Records(room=self._room) for a in analyzers}
        self._problems: dict[str, list[Problem]] = {a.name: [] for a in analyzers}
        self._untold: dict[tuple[str, str], int] = {}
        sieves = {a.name: a.sieve() for a in analyzers if isinstance(a, Sifting)}
        self._sifters = {name: Sifter(sieve) for name, sieve in sieves.items() if sieve is not None}
        self._again: set[tuple[str, str]] = set()
        """Hard links that were read under their own names, and by which analyzer."""
        self._timings = timings
        self._seconds: dict[str, float] = dict.fromkeys(self._values, 0.0)

    def wants(self, path: str, size: int, mode: int) -> tuple[Analyzer, ...] | None:
        """The analyzers that want a file, or None."""
        slash = path.rfind("/")
        name = path[slash + 1 :]
        wanted = self._everything + self._names.get(name, ())
        dot = name.rfind(".")
        if dot >= 0 and (found := self._suffixes.get(name[dot:])):
            wanted += found
        if slash > 0 and (found := self._parents.get(path[path.rfind("/", 0, slash) + 1 : slash])):
            wanted += found
        if found := self._paths.get(path):
            wanted += found
        if size >= self._from_bytes:
            wanted += tuple(a for a in self._large if size >= a.wants.from_bytes)
        if not wanted:
            return None
        if len(wanted) > 1:
            # By what they are, since equal ones would be compared field by field for every file.
            wanted = tuple({id(a): a for a in wanted}.values())
        agreed = tuple([a for a in wanted if (m := a.wants.match) is None or m(path, size, mode)])
        return agreed or None

    def visit(self, token: object, file: LayerFile) -> None:
        """Let the analyzers read a file; what they raise becomes a Problem of that file."""
        analyzers: tuple[Analyzer, ...] = token  # type: ignore[assignment]
        if len(analyzers) > 1:
            file.keep()
        for analyzer in analyzers:
            limit = analyzer.wants.max_bytes
            if file.size > limit > 0:
                message = f"not read: {file.size} bytes, over the limit of {limit} ({analyzer.name}.{FILE_BYTES})"
                self._problem(analyzer, file.path, message, "limit_hit")
            elif self._timings is None:
                self._read(analyzer, file)
            else:
                # Of this thread alone: two layers are read at a time, and others inflate and hash.
                started = thread_time()
                self._read(analyzer, file)
                self._seconds[analyzer.name] += thread_time() - started

    def _read(self, analyzer: Analyzer, file: LayerFile) -> None:
        sifter = self._sifters.get(analyzer.name)
        if sifter is None:
            self._keep(analyzer, file.path, self._tried(analyzer, file, analyzer.read))
            return
        for held in self._tried(analyzer, file, sifter.add) or ():
            self._keep(analyzer, held.path, self._tried(analyzer, held, analyzer.read))

    def _tried(self, analyzer: Analyzer, file: LayerFile, step: Callable[[LayerFile], _T]) -> _T | None:
        """What ``step`` makes of a file; None where it raised what is now a Problem."""
        try:
            return step(file)
        except (MemoryError, EOFError):
            raise
        except LimitError as exc:
            self._problem(analyzer, file.path, f"not read: {exc}", "limit_hit")
        except Exception as exc:  # noqa: BLE001 - one bad file must not hide the others
            self._problem(analyzer, file.path, f"could not be read: {_reason(exc)}")
        return None

    def _keep(self, analyzer: Analyzer, path: str, value: Json | None) -> None:
        if isinstance(value, dict) and PARTIAL in value:
            value = self._of_partial(analyzer, path, value)
        if value is not None:
            self._values[analyzer.name].put(path, value)

    def again(self, index: LayerIndex) -> Again | None:
        """The visitor for a second reading of the layer, where hard links are wanted and their files were not."""
        links = unread(index, self.wants, lambda analyzer, path: path in self._values[analyzer.name])
        self._again = {(name, analyzer.name) for names in links.values() for name, analyzer in names}
        return Again(links, self.visit) if links else None

    def facts(
        self, diff_id: DiffId, index: LayerIndex, damage: tuple[Problem, ...] = (), *, digests: bool = False
    ) -> list[LayerFacts]:
        """The layer's facts as the store keeps them, the file list first.

        Where the layer was not read to its end (``damage``) all of them count as failed: they serve this scan, and the
        next one reads the layer again.
        """
        packed, gap = packed_files(diff_id, index)
        damage += gap
        status = FactStatus.FAILED if damage else FactStatus.OK
        rows = [LayerFacts(diff_id, files_key(digests), status, packed, damage)]
        links = self._links(index)
        for analyzer in self._analyzers:
            started = thread_time()
            values = self._finished(analyzer)
            self._seconds[analyzer.name] += thread_time() - started
            more = {cause: count for (name, cause), count in self._untold.items() if name == analyzer.name}
            problems = [*self._problems[analyzer.name], *_more(analyzer, more)]
            problems += self._room.problems(analyzer.name, self._values[analyzer.name].left_out)
            status = FactStatus.FAILED if damage else FactStatus.PARTIAL if problems else FactStatus.OK
            payload = values.packed(links.get(analyzer.name, {}))
            rows.append(LayerFacts(diff_id, fact_key(analyzer), status, payload, tuple(problems)))
        _note(self._timings, self._seconds)
        return rows

    def _finished(self, analyzer: Analyzer) -> Records:
        """An analyzer's facts, after its last word on the layer where it has one."""
        if (sifter := self._sifters.get(analyzer.name)) is not None:
            for held in sifter.rest():
                self._keep(analyzer, held.path, self._tried(analyzer, held, analyzer.read))
        values = self._values[analyzer.name]
        if not isinstance(analyzer, Finishing):
            return values
        try:
            return Records(analyzer.finish(dict(values)))
        except Exception as exc:  # noqa: BLE001 - one analyzer's fault must not hide what the others found
            self._problem(analyzer, analyzer.name, f"a layer's {len(values)} files could not be read: {_reason(exc)}")
            return Records()

    def _links(self, index: LayerIndex) -> dict[str, dict[str, str]]:
        """Hard links under a wanted name: by analyzer, the path and the path whose bytes it shares."""
        links: dict[str, dict[str, str]] = {}
        for row, target in index.targets.pairs():
            if index.kinds[row] == "h":
                path = index.paths[row]
                for analyzer in self.wants(path, 1, index.modes[row]) or ():
                    if (path, analyzer.name) in self._again:
                        continue
                    links.setdefault(analyzer.name, {})[path] = target
                for analyzer in self._large:
                    if target in self._values[analyzer.name]:
                        links.setdefault(analyzer.name, {})[path] = target
        return links

    def _of_partial(self, analyzer: Analyzer, path: str, said: dict[str, Json]) -> Json:
        """The fact that a ``partial`` holds, once its problems are noted."""
        for message, cause in ((said[PARTIAL], ""), (said["limit"], "limit_hit")):
            if message:
                self._problem(analyzer, path, message, cause)
        return said["value"]

    def _problem(self, analyzer: Analyzer, path: str, message: str, cause: str = "") -> None:
        noted = self._problems[analyzer.name]
        if len(noted) >= MAX_TOLD:
            self._untold[analyzer.name, cause] = self._untold.get((analyzer.name, cause), 0) + 1
            return
        if len(message) > MAX_MESSAGE:
            message = f"{message[:MAX_MESSAGE]}…"
        noted.append(Problem("analyze", path, message, _hint(analyzer), cause=cause))


def assemble(
    image: Image,
    analyzers: Sequence[Analyzer],
    facts: Iterable[LayerFacts],
    timings: dict[str, float] | None = None,
    entries: int = MAX_ENTRIES,
    fact_bytes: int = BYTES,
) -> Analysis:
    """One image's analysis from the stored facts of its layers. ``timings`` gets what each analyzer took.

    ``entries``: paths of all layers together, at most; of those beyond nothing is said. ``fact_bytes`` bounds what the
    facts of all layers may take of memory, see ``Room``.
    """
    by_layer: dict[DiffId, dict[str, LayerFacts]] = {}
    for row in facts:
        by_layer.setdefault(row.diff_id, {})[row.key.analyzer] = row
    indexes, gaps = file_indexes([layer.diff_id for layer in image.layers], by_layer, entries)
    tree = Tree([indexes[layer.diff_id] for layer in image.layers])
    gaps += [cut(image.layers[number].diff_id, reason) for number, reason in tree.cut.items()]
    problems = {*gaps, *(problem for rows in by_layer.values() for row in rows.values() for problem in row.problems)}
    distro: Distro | None = None
    packages: list[Package] = []
    owned: dict[str, Iterable[str]] = {}
    looked_for: dict[str, str] = {}
    room = Room(fact_bytes)
    others: dict[str, list[Any]] = {name: [] for name in _ON_DEMAND}
    for analyzer in analyzers:
        records, gap = _all_records(image, analyzer, by_layer, indexes, fact_bytes)
        view = ImageView(tree, image, records, distro)
        view.packages, view.owned, view.all_read = packages, owned, analyzer.wants.everything
        view.room = room
        started = thread_time()
        found = _assemble_one(analyzer, view)
        _note(timings, {analyzer.name: thread_time() - started})
        view.problems.extend((*found.problems, *gap, *room.problems(analyzer.name, view.left_out)))
        problems.update(_told(analyzer, set(view.problems)))
        distro = distro or found.distro
        packages.extend(found.packages)
        owned.update(found.owned)
        looked_for.update(found.looked_for)
        for name, values in others.items():
            values.extend(getattr(found, name))
    for name in ("secrets", "private_keys"):
        others[name] = link_secrets(others[name], packages, owned, tree)
    packages = link_owners(packages, owned, tree)
    problems.update(uncataloged(tree, owned, packages), unlisted(distro, packages))
    problems.update(nameless(tree, image.config.platform, distro, packages))
    packages.sort(key=lambda p: (p.type, p.name, p.version, p.arch, p.locations))
    return Analysis(
        image=image,
        distro=distro,
        packages=tuple(packages),
        problems=tuple(sorted(problems)),
        analyzers={key.analyzer: key.version for key in fact_keys(analyzers)},
        file_count=len(tree),
        file_bytes=tree.total_bytes(),
        looked_for=looked_for,
        **{name: tuple(sorted(values)) for name, values in others.items()},
    )


def followed(
    image: Image, analyzers: Sequence[Analyzer], facts: Iterable[LayerFacts], entries: int = MAX_ENTRIES
) -> tuple[Analyzer, ...]:
    """The analyzers, those that need to see more of this image replaced by ones that do."""
    following = [analyzer for analyzer in analyzers if isinstance(analyzer, Following)]
    if not following:
        return tuple(analyzers)
    by_layer: dict[DiffId, dict[str, LayerFacts]] = {}
    for row in facts:
        by_layer.setdefault(row.diff_id, {})[row.key.analyzer] = row
    indexes, _ = file_indexes([layer.diff_id for layer in image.layers], by_layer, entries)
    tree = Tree([indexes[layer.diff_id] for layer in image.layers])
    more = {}
    for analyzer in following:
        records = [_records(by_layer[layer.diff_id], analyzer, indexes[layer.diff_id]) for layer in image.layers]
        if (other := analyzer.beyond(ImageView(tree, image, records))) is not None:
            more[analyzer.name] = other
    return tuple(more.get(analyzer.name, analyzer) for analyzer in analyzers)


def _assemble_one(analyzer: Analyzer, view: ImageView) -> Found:
    try:
        return legible(analyzer.assemble(view))
    except Exception as exc:  # noqa: BLE001 - an analyzer's fault must not hide what the others found
        hint = f"packages of this kind may be missing; please report it with the output of -vv ({type(exc).__name__})"
        problem = Problem("analyze", analyzer.name, f"its facts could not be put together: {_reason(exc)}", hint)
        return Found(problems=(problem,))


def _note(timings: dict[str, float] | None, seconds: Mapping[str, float]) -> None:
    """Add some seconds of processor time, by analyzer."""
    if timings is not None:
        with _TIMINGS:
            for name, more in seconds.items():
                if more:
                    timings[name] = timings.get(name, 0) + more


def _records(rows: Mapping[str, LayerFacts], analyzer: Analyzer, index: LayerIndex) -> LayerRecords:
    row = rows.get(analyzer.name)
    return LayerRecords(Records(), {}) if row is None else read(row.payload, index)


def _all_records(
    image: Image,
    analyzer: Analyzer,
    by_layer: Mapping[DiffId, Mapping[str, LayerFacts]],
    indexes: Mapping[DiffId, LayerIndex],
    bound: int,
) -> tuple[list[LayerRecords], list[Problem]]:
    """One analyzer's facts of all layers, lowest first, and a problem where they are too many to be held.

    The upper layers come first: they hide what is in the others.
    """
    size, records = 0, [LayerRecords(Records(), {})] * len(image.layers)
    for number, layer in reversed(list(enumerate(image.layers))):
        if (row := by_layer[layer.diff_id].get(analyzer.name)) is None:
            continue
        found = read(row.payload, indexes[layer.diff_id], written=size >= _WRITTEN_FROM)
        size += found.size
        if size > bound // 2:
            message = f"{told(bound)}: those of the lowest {number + 1} layers are left out"
            return records, [Problem("analyze", analyzer.name, message, _hint(analyzer), cause="limit_hit")]
        records[number] = found
    return records, []


def _table(analyzers: Sequence[Analyzer], column: str) -> dict[str, tuple[Analyzer, ...]]:
    table: dict[str, tuple[Analyzer, ...]] = {}
    for analyzer in analyzers:
        for key in getattr(analyzer.wants, column):
            table[key] = (*table.get(key, ()), analyzer)
    return table


def _hint(analyzer: Analyzer) -> str:
    return f"what {analyzer.name} would have found there is missing"


def _more(analyzer: Analyzer, untold: Mapping[str, int]) -> Iterator[Problem]:
    """How many files there were beside those that are told of, by what is the matter with them."""
    for cause, count in sorted(untold.items()):
        message = (
            f"{count} more files of which something could not be read (a fixed limit of {MAX_TOLD} told one by one)"
        )
        yield Problem("analyze", analyzer.name, message, _hint(analyzer), cause=cause)


def _told(analyzer: Analyzer, problems: Collection[Problem]) -> Iterator[Problem]:
    """Of very many problems the first, those that leave something open before remarks, and the number of the rest."""
    if len(problems) <= MAX_TOLD:
        yield from problems
        return
    first = nsmallest(MAX_TOLD, problems, key=lambda each: (not each.incomplete, each))
    yield from first
    untold = Counter(each.cause for each in problems if each.incomplete)
    untold.subtract(each.cause for each in first if each.incomplete)
    yield from _more(analyzer, +untold)
    if remarks := len(problems) - len(first) - untold.total():
        yield Problem("analyze", analyzer.name, f"{remarks} more remarks", incomplete=False)


def _reason(exc: BaseException) -> str:
    text = str(exc).strip().splitlines()
    return f"{type(exc).__name__}: {text[0][:200]}" if text else type(exc).__name__

"""Packages of every layer: those of the image, and those that a later layer removed, replaced or hid.

What each state of the image held, layer by layer, is what the analyzers say of an image that ends there. A hidden
package still ships: whoever has the image has its files.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from anchorecli import compression, piecewise
from anchorecli.model import Analysis, Image, Package, Problem
from anchorecli.values import replace

HIDDEN = "hidden"
"""In a package's metadata: ``true`` where the squashed image does not have it."""
LAYERS = "layers"
"""In a package's metadata: the indexes of the states of the image it is visible in, ``0-3`` or ``1,4-5``."""

MOST = 100_000
"""Packages that the image shows and those that it does not: there may be as many of these in each layer."""
MOST_HIDDEN = 20_000
"""Those that it does not show are so many even where it shows more."""
_PUT_AWAY_FROM = 10_000

_Key = tuple[str, str, str, str]


def with_hidden(image: Image, assemble: Callable[[Image], Analysis]) -> Analysis:
    """The image's analysis with the packages of every state of it; each tells the layers after which it is visible.

    ``assemble`` gives the analysis of an image: of this one first, then of those that have its lowest layers only.
    """
    analysis = assemble(image)
    top = len(image.layers) - 1
    # By the hash of a package's key, see places.py: the last and first layer of each span, the uppermost span first.
    visible = {hash(_key(package)): [top, top] for package in analysis.packages}
    told, problems = analysis.problems, set(analysis.problems)
    most = max(MOST_HIDDEN, MOST - len(analysis.packages))
    away = _PutAway(analysis)
    del analysis
    hidden: list[Package] = []
    for number in range(top - 1, -1, -1):
        # One at a time: a hundred states of a large image are not held together.
        state = assemble(replace(image, layers=image.layers[: number + 1]))
        problems.update(_of_layer(each, number) for each in _own(state, told))
        for package in state.packages:
            spans = visible.setdefault(hash(_key(package)), [])
            if not spans and len(hidden) >= most:
                problems.add(_too_many(most))
                continue
            if not spans:
                hidden.append(package)
            _note(spans, number)
        del state
    analysis = away.taken()
    packages = [*analysis.packages, *hidden]
    analysis = replace(analysis, packages=())
    del hidden
    # In place, so that there are never all of them in both forms.
    for place, package in enumerate(packages):
        packages[place] = _told(package, visible[hash(_key(package))], top)
    packages.sort(key=lambda p: (p.type, p.name, p.version, p.arch, p.locations))
    return replace(
        analysis,
        packages=tuple(packages),
        problems=tuple(sorted(problems)),
        looked_for={**analysis.looked_for, "layers": "all"},
    )


def ranges(spans: list[int]) -> str:
    """Spans, the last and first of each, the uppermost first, as ``0-2,5``."""
    pairs = zip(spans[::-2], spans[-2::-2], strict=True)
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in pairs)


def _too_many(most: int) -> Problem:
    message = f"later layers hide more than {most} packages (a fixed limit): some of the lowest layers are left out"
    hint = "scan without --all-layers for what the image shows"
    return Problem("analyze", "all-layers", message, hint, cause="limit_hit")


class _PutAway:
    """An analysis while those of other states are made: of many packages it is its packed document."""

    __slots__ = ("_analysis", "_packed")

    def __init__(self, analysis: Analysis) -> None:
        large = len(analysis.packages) > _PUT_AWAY_FROM
        self._analysis = None if large else analysis
        self._packed = compression.pack_all(piecewise.write(Analysis, analysis)) if large else b""

    def taken(self) -> Analysis:
        """The analysis again, once."""
        if self._analysis is not None:
            analysis, self._analysis = self._analysis, None
            return analysis
        read: Analysis = piecewise.read(Analysis, compression.unpack(self._packed))
        return read


def _note(spans: list[int], number: int) -> None:
    """One more layer, below all that are in the spans or the lowest of them."""
    if spans and spans[-1] == number + 1:
        spans[-1] = number
    elif not spans or spans[-1] != number:
        spans += [number, number]


def _key(package: Package) -> _Key:
    # A package that moved within its type's own files is the same: the database's path is enough.
    return package.type, package.purl or package.name, package.version, ",".join(p.path for p in package.locations)


def _told(package: Package, spans: list[int], top: int) -> Package:
    said = {LAYERS: ranges(spans)} | ({} if spans[0] == top else {HIDDEN: "true"})
    return replace(package, metadata={**package.metadata, **said})


def _own(state: Analysis, known: Collection[Problem]) -> list[Problem]:
    """What was not seen in a state and is not told of the whole image.

    Remarks are about what is not there any more; a distribution may well come before its packages.
    """
    from anchorecli.analyzers.uncataloged import unlisted

    told = {*known, *unlisted(state.distro, state.packages)}
    return [problem for problem in state.problems if problem.incomplete and problem not in told]


def _of_layer(problem: Problem, number: int) -> Problem:
    return replace(problem, message=f"{problem.message} (in the image as it was after layer {number})")

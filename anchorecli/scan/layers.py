"""Packages of every layer: those of the image, and those that a later layer removed, replaced or hid.

What each state of the image held, layer by layer, is what the analyzers say of an image that ends there. A hidden
package still ships: whoever has the image has its files.
"""

from __future__ import annotations

from collections.abc import Callable

from anchorecli.model import Analysis, Image, Package, Problem
from anchorecli.values import replace

HIDDEN = "hidden"
"""In a package's metadata: ``true`` where the squashed image does not have it."""
LAYERS = "layers"
"""In a package's metadata: the indexes of the states of the image it is visible in, ``0-3`` or ``1,4-5``."""

_Key = tuple[str, str, str, str]


def with_hidden(analysis: Analysis, assemble: Callable[[Image], Analysis]) -> Analysis:
    """The analysis with the packages of every state of the image; each tells the layers after which it is visible.

    ``assemble`` gives the analysis of an image that has the lowest of its layers only.
    """
    image = analysis.image
    visible: dict[_Key, list[int]] = {}
    last: dict[_Key, Package] = {}
    problems: set[Problem] = set()
    top = len(image.layers) - 1
    for number in range(len(image.layers)):
        # One at a time: a hundred states of a large image are not held together.
        state = analysis if number == top else assemble(replace(image, layers=image.layers[: number + 1]))
        if number < top:
            problems.update(_of_layer(each, number) for each in _own(state, analysis))
        for package in state.packages:
            key = _key(package)
            seen = visible.setdefault(key, [])
            if not seen or seen[-1] != number:
                seen.append(number)
            last[key] = package
    packages = [_told(each, visible[_key(each)], top) for each in analysis.packages]
    packages += [_told(last[key], seen, top) for key, seen in visible.items() if seen[-1] != top]
    packages.sort(key=lambda p: (p.type, p.name, p.version, p.arch, p.locations))
    return replace(
        analysis,
        packages=tuple(packages),
        problems=tuple(sorted({*analysis.problems, *problems})),
        looked_for={**analysis.looked_for, "layers": "all"},
    )


def ranges(numbers: list[int]) -> str:
    """Ascending numbers as ``0-2,5``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def _key(package: Package) -> _Key:
    # A package that moved within its type's own files is the same: the database's path is enough.
    return package.type, package.purl or package.name, package.version, ",".join(p.path for p in package.locations)


def _told(package: Package, seen: list[int], top: int) -> Package:
    said = {LAYERS: ranges(seen)} | ({} if seen[-1] == top else {HIDDEN: "true"})
    return replace(package, metadata={**package.metadata, **said})


def _own(state: Analysis, analysis: Analysis) -> list[Problem]:
    """What was not seen in a state and is not told of the whole image.

    Remarks are about what is not there any more; a distribution may well come before its packages.
    """
    from anchorecli.analyzers.uncataloged import unlisted

    told = {*analysis.problems, *unlisted(state.distro, state.packages)}
    return [problem for problem in state.problems if problem.incomplete and problem not in told]


def _of_layer(problem: Problem, number: int) -> Problem:
    return replace(problem, message=f"{problem.message} (in the image as it was after layer {number})")

"""Gate ``tag_drift``: which packages changed since the image that the tag named before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from anchorecli.model import Package, Problem
from anchorecli.policy.base import Evidence, Fire, Trigger
from anchorecli.policy.facts.package_types import is_meant, package_type
from anchorecli.policy.facts.wording import counted
from anchorecli.policy.language.parameters import Arguments

_Packages = dict[tuple[str, str], dict[str, Package]]
"""(type, name) → version → one package of it, in order of name."""


def _added(before: _Packages, after: _Packages) -> Iterator[Fire]:
    for (kind, name), versions in after.items():
        if (kind, name) not in before:
            yield Fire(
                f"Package added since the previous image of the tag: {name} {_shown(versions)} ({kind})",
                stable=f"{kind} {name}",
                purl=_purl(versions),
            )


def _removed(before: _Packages, after: _Packages) -> Iterator[Fire]:
    for (kind, name), versions in before.items():
        if (kind, name) not in after:
            yield Fire(
                f"Package removed since the previous image of the tag: {name} {_shown(versions)} ({kind})",
                stable=f"{kind} {name}",
                purl=_purl(versions),
            )


def _modified(before: _Packages, after: _Packages) -> Iterator[Fire]:
    for (kind, name), versions in after.items():
        old = before.get((kind, name), versions)
        if old.keys() != versions.keys():
            yield Fire(
                f"Package changed since the previous image of the tag: {name} {_shown(old)} -> {_shown(versions)} "
                f"({kind})",
                stable=f"{kind} {name}",
                purl=_purl(versions),
            )


_Compare = Callable[[_Packages, _Packages], Iterator[Fire]]


def _trigger(name: str, description: str, compare: _Compare) -> Trigger:
    def fire(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
        if evidence.previous is None:
            message = f"rule {arguments.rule_id} has nothing to compare with: no previous image of the tag is known"
            yield Problem("policy", f"tag_drift.{name}", message, incomplete=False)
            return
        word = arguments.text("package_type")
        before, after = evidence.once(_before), evidence.once(_after)
        yield from compare(_of_type(before, word), _of_type(after, word))

    return Trigger(
        name,
        description,
        fire,
        (package_type(),),
        notes="Known from Anchore Enterprise. Silent, with a remark, for the first image of a tag. The id holds the "
        "type and name of the package, not its versions.",
        looks_at=_looked_at,
    )


def _before(evidence: Evidence) -> _Packages:
    return _grouped(evidence.previous.packages if evidence.previous else ())


def _after(evidence: Evidence) -> _Packages:
    return _grouped(evidence.analysis.packages)


def _grouped(packages: Iterable[Package]) -> _Packages:
    found: _Packages = {}
    for package in sorted(packages, key=lambda each: (each.name, each.type, each.version)):
        found.setdefault((package.type, package.name), {}).setdefault(package.version, package)
    return found


def _of_type(packages: _Packages, word: str) -> _Packages:
    return packages if word == "all" else {key: each for key, each in packages.items() if is_meant(word, key[0])}


def _shown(versions: dict[str, Package]) -> str:
    return ", ".join(versions)


def _purl(versions: dict[str, Package]) -> str:
    return next(iter(versions.values())).purl


def _looked_at(evidence: Evidence, _arguments: Arguments) -> str:
    now = counted(len(evidence.analysis.packages), "package")
    if evidence.previous is None:
        return f"{now}, no previous image"
    return f"{now}, {len(evidence.previous.packages)} in the previous image"


_TRIGGERS = (
    _trigger("packages_added", "A package is there that the previous image of the tag did not have.", _added),
    _trigger("packages_modified", "A package is there in other versions than in the tag's previous image.", _modified),
    _trigger("packages_removed", "A package is gone that the previous image of the tag had.", _removed),
)


class TagDriftGate(NamedTuple):
    """What changed under the same name."""

    name: str = "tag_drift"
    description: str = "Packages added, changed and removed since the image that the tag named before."
    triggers: tuple[Trigger, ...] = _TRIGGERS

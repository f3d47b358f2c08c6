"""What a finding is about: the packages, places and layers that the scope of an exception is compared with."""

from __future__ import annotations

from typing import NamedTuple

from anchorecli.model import DiffId, FixState, Match, Package
from anchorecli.policy.base import Evidence, Fire
from anchorecli.policy.facts.vulnerability import live, suffixes


class Subject(NamedTuple):
    """One thing a finding is about. ``fixed_in`` is None where there can be no fix (it is no vulnerability), and
    empty where none is known."""

    names: tuple[str, ...] = ()
    """The package's name, and that of what it was built from."""
    purl: str = ""
    paths: tuple[str, ...] = ()
    """Each with its leading slash."""
    layer: str = ""
    """The diff_id of the layer that brought it."""
    vulnerabilities: tuple[str, ...] = ()
    """Every id and alias, the one that reports show first."""
    fixed_in: tuple[str, ...] | None = None


def subjects_of(evidence: Evidence, fire: Fire) -> tuple[Subject, ...]:
    """What a firing is about; nothing where the trigger does not say."""
    if fire.match_id:
        matches = evidence.once(_by_id).get(fire.match_id, [])
        suffix = fire.trigger_id.partition("+")[2]
        named = [match for match in matches if suffix in suffixes(match)]
        return tuple(of_match(match) for match in named or matches)
    paths = (f"/{fire.path.lstrip('/')}",) if fire.path else ()
    if fire.purl:
        packages = evidence.once(_packages).get(fire.purl, ())
        found = tuple(_of_package(package, paths) for package in packages)
        return found or (Subject(purl=fire.purl, paths=paths),)
    return (Subject(paths=paths, layer=_layer_of(evidence, fire.path)),) if paths else ()


def of_match(match: Match) -> Subject:
    """What a match is about."""
    fixed = match.fixed_in or (("a later version",) if match.fix_state is FixState.FIXED else ())
    ids = tuple(dict.fromkeys(one for one in (match.id, match.advisory, *match.aliases) if one))
    return _of_package(match.package)._replace(vulnerabilities=ids, fixed_in=fixed)


def _of_package(package: Package, paths: tuple[str, ...] = ()) -> Subject:
    names = tuple(dict.fromkeys(name for name in (package.name, package.source) if name))
    paths = paths or tuple(f"/{location.path}" for location in package.locations)
    return Subject(names, package.purl, paths, package.layer)


def _by_id(evidence: Evidence) -> dict[str, list[Match]]:
    found: dict[str, list[Match]] = {}
    for match in live(evidence):
        found.setdefault(match.id, []).append(match)
    return found


def _packages(evidence: Evidence) -> dict[str, list[Package]]:
    found: dict[str, list[Package]] = {}
    for package in evidence.analysis.packages:
        found.setdefault(package.purl, []).append(package)
    return found


def _layer_of(evidence: Evidence, path: str) -> DiffId | str:
    place = evidence.tree.where(path.lstrip("/")) if evidence.tree is not None else None
    layers = evidence.analysis.image.layers
    return layers[place[0]].diff_id if place is not None and place[0] < len(layers) else ""

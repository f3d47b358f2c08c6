"""Gate ``licenses``: licences that must not be in the image, and packages of which none is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from anchorecli.model import Package
from anchorecli.policy.base import Evidence, Fire, Fires, Parameter, Trigger
from anchorecli.policy.facts.gathered import counted
from anchorecli.policy.facts.licences import covers, is_unknown, licence, names, pieces, satisfied
from anchorecli.policy.facts.package_types import is_meant, package_type
from anchorecli.policy.language.parameters import Arguments

Hits = Callable[[Package], Iterable[str]]
"""A package → the licences of it that are denied, as the message shows them."""


def _exact(evidence: Evidence, arguments: Arguments) -> Iterator[Fire]:
    denied = {licence(word): word for word in arguments.words("licenses")}

    def hits(package: Package) -> Iterator[str]:
        for name in _names(package):
            if any(licence(piece) in denied for piece in pieces(name)):
                yield name

    def words(package: Package) -> Iterator[str]:
        # What the original prints is the word of its rule: they are equal there.
        for word in " ".join(package.licenses).split():
            if licence(word) in denied:
                yield denied[licence(word)]

    return _denied("LICFULLMATCH", evidence, arguments, words if arguments.compat else hits)


def _partial(evidence: Evidence, arguments: Arguments) -> Iterator[Fire]:
    denied = [_parts(word) for word in arguments.words("licenses")]

    def hits(package: Package) -> Iterator[str]:
        for name in _names(package):
            if any(part in name.lower() for parts in denied for part in parts):
                yield name

    def words(package: Package) -> Iterator[str]:
        for word in " ".join(package.licenses).split():
            for parts in denied:
                if any(part in word.lower() for part in parts):
                    yield word

    return _denied("LICSUBMATCH", evidence, arguments, words if arguments.compat else hits)


def _parts(word: str) -> tuple[str, ...]:
    """The texts to look for: the word itself, and the identifier of the licence it names."""
    found = licence(word)
    if not any(found.version):
        return word.lower(), found.name
    suffix = "-or-later" if found.later else ""
    return word.lower(), f"{found.name}-{found.version[0]}.{found.version[1]}{suffix}"


def _denied(head: str, evidence: Evidence, arguments: Arguments, hits: Hits) -> Iterator[Fire]:
    """One firing for each package, or for all together as the original has it."""
    head = f"{head} Packages are installed that have blacklisted licenses: "
    found: dict[str, dict[str, None]] = {}
    shown: list[str] = []
    for package in _packages(evidence, arguments):
        for hit in hits(package):
            found.setdefault(package.name, {})[f"{package.name}({hit})"] = None
            shown.append(f"{package.name}({hit})")
    if arguments.compat:
        if shown:
            yield Fire(head + ", ".join(shown))
        return
    for texts in found.values():
        yield Fire(head + ", ".join(texts))


def _packages(evidence: Evidence, arguments: Arguments) -> list[Package]:
    word = arguments.text("package_type")
    return [package for package in evidence.analysis.packages if is_meant(word, package.type)]


def _names(package: Package) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for text in package.licenses for name in names(text)))


def _not_allowed(evidence: Evidence, arguments: Arguments) -> Iterator[Fire]:
    allowed = [licence(word) for word in arguments.words("licenses")]

    def lets(name: str) -> bool:
        # An exception only adds a permission: who allows the licence allows it with the exception.
        with_it, without = licence(name), licence(name.partition(" WITH ")[0])
        return any(covers(one, with_it) or covers(one, without) for one in allowed)

    found: dict[str, dict[str, None]] = {}
    for package in _packages(evidence, arguments):
        for text in package.licenses:
            if not is_unknown(text) and not satisfied(text, lets):
                found.setdefault(package.name, {})[text] = None
    for name, texts in found.items():
        yield Fire(f"Package {name} has a licence that is not allowed: {', '.join(texts)}")


def _unknown(evidence: Evidence, arguments: Arguments) -> Fires:
    # What a package of the distribution brought along is under its licence.
    packages = (package for package in _packages(evidence, arguments) if not package.owner)
    nameless = dict.fromkeys(package.name for package in packages if all(map(is_unknown, package.licenses)))
    return [Fire(f"Package {name} has no known licence") for name in nameless]


def _looked_at(evidence: Evidence, arguments: Arguments) -> str:
    return counted(len(_packages(evidence, arguments)), "package")


_ONE_BY_ONE = (
    "Fires for each package; the original once for all of them, with an id that changes with every one of them, which "
    "compat: anchore-engine restores (the ids agree where the packages' licences are spelt as the original's were)."
)

_TRIGGERS = (
    Trigger(
        "blacklist_exact_match",
        "A package is under a licence of the list. Fires for each package.",
        _exact,
        (
            Parameter(
                "licenses",
                "strings",
                "Licences, as SPDX identifiers or in the words of Debian and Fedora; an expression's single licences "
                "and the words of a longer name count.",
                required=True,
                example="GPLv2+,GPL-3.0-only,AGPL-3.0-or-later",
            ),
            package_type(),
        ),
        notes=f"{_ONE_BY_ONE} GPLv2+, GPL-2+ and GPL-2.0-or-later are one licence, and letters' case does not count; "
        "the original compares words of the package's own text. The parameter package_type is Enterprise's.",
        looks_at=_looked_at,
    ),
    Trigger(
        "blacklist_partial_match",
        "A package is under a licence whose name holds a text of the list. Fires for each package.",
        _partial,
        (
            Parameter("licenses", "strings", "Pieces of licence names.", required=True, example="GPL,SSPL"),
            package_type(),
        ),
        notes=f"{_ONE_BY_ONE} Letters' case does not count. The parameter package_type is Enterprise's.",
        looks_at=_looked_at,
    ),
    Trigger(
        "not_allowed",
        "A package is under a licence outside of the list. Fires for each package. Silent about packages of which no "
        "licence is known: see unknown.",
        _not_allowed,
        (
            Parameter(
                "licenses",
                "strings",
                "The licences allowed. Of MIT OR GPL-2.0-only one must be, of MIT AND Zlib both; GPL-2.0-or-later is "
                "allowed with any of its versions, and each of a package's several licences must be.",
                required=True,
                example="MIT,Apache-2.0,BSD-3-Clause,LGPL-2.1-or-later",
            ),
            package_type(),
        ),
        notes="New here.",
        looks_at=_looked_at,
    ),
    Trigger(
        "unknown",
        "No licence is known of a package. Fires for each, but for those that a package of the distribution brought.",
        _unknown,
        (package_type(),),
        notes="New here.",
        looks_at=_looked_at,
    ),
)


class LicensesGate(NamedTuple):
    """The packages' licences."""

    name: str = "licenses"
    description: str = "Which licences the packages may be under, and whether they are known."
    triggers: tuple[Trigger, ...] = _TRIGGERS

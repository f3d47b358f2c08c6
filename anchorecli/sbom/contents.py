"""What a document says, whatever its form: the values between a reader of one form and the packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from anchorecli.model import Distro, Location, Problem
from anchorecli.values import dataclass, field

PREFIX = "anchore:"
"""Begins the names of this program's own facts in documents."""

NOTHING = frozenset({"", "NOASSERTION", "NONE"})
"""What stands for nothing in SPDX, and in what was made from it."""


class Component(NamedTuple):
    """One entry that may be a package.

    ``facts`` have the names that this program gives them when it writes (``source:name``, ``layer:diff_id``, ``owner``,
    ``metadata:…``), whoever wrote the document; ``own`` says that it was this program, so that name, version and
    facts are as whole as when they were found.
    """

    name: str
    version: str
    purl: str
    reference: str = ""
    type: str = ""
    """The purl type where the purl does not say it."""
    vendor: str = ""
    licenses: tuple[str, ...] = ()
    cpes: tuple[str, ...] = ()
    locations: tuple[Location, ...] = ()
    facts: Mapping[str, str] = {}
    own: bool = False
    installed: bool = True
    """Not what a document names as left out of what runs, as the tools of a build are."""


@dataclass(slots=True)
class Contents:
    """A document. ``form`` and ``tool`` are for people: ``CycloneDX 1.6``, ``syft 1.18.1``."""

    form: str
    tool: str = ""
    components: list[Component] = field(default_factory=list)
    distros: list[Distro] = field(default_factory=list)
    """As the document says, best first."""
    owners: dict[str, str] = field(default_factory=dict)
    """Reference of a component → that of the component that owns its files."""
    problems: list[Problem] = field(default_factory=list)
    subject: str = ""
    """What the document is about, as it says."""
    facts: dict[str, str] = field(default_factory=dict)
    """What it says of the image: ``image:id``, ``image:digest``, ``image:platform``, ``layer:0:diff_id`` …"""
    tells_owners: bool = True
    """Whether this form, by this tool, says which package owns another's files."""
    nameless: int = 0
    """Entries that look like packages and have no name."""


def text(value: Any) -> str:
    """A text without characters that cannot be written; empty for what is none."""
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def word(value: Any) -> str:
    """A text on one line, without zeros; empty for SPDX's ways to say nothing."""
    found = " ".join(text(value).replace("\0", " ").split())
    return "" if found in NOTHING else found


def number(value: Any) -> str:
    """A number or a text as text: tools do not agree which of them an epoch is."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else word(value)


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list; none where it is no list."""
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def mapping(value: Any) -> dict[str, Any]:
    """An object; an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def texts(value: Any) -> list[str]:
    """The texts of a list."""
    return [text(each) for each in value if isinstance(each, str)] if isinstance(value, list) else []


def own_facts(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """This program's facts among the properties of something, without their prefix."""
    return {name.removeprefix(PREFIX): value for name, value in pairs if name.startswith(PREFIX)}


def problem(value: Any) -> Problem | None:
    """A gap as this program writes it into a document."""
    found = mapping(value)
    fields = {name: text(found.get(name)) for name in ("stage", "subject", "message", "hint", "cause")}
    if not fields["stage"] or not fields["message"]:
        return None
    return Problem(**fields, incomplete=found.get("incomplete") is not False)

"""What a gate is made of, what it is given, and what it gives back.

A gate is a file in ``gates/`` with a small named tuple that satisfies ``Gate``; its triggers are ``Trigger``
values: a declaration (name, description, parameters) and the function that looks. From the declarations alone the
bundle reader validates parameters and finds the nearest name, and ``reference.py`` prints the documentation.

A trigger is a pure function of the evidence and its arguments: no clock, network, SQL or environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from anchorecli.model import Analysis, Checked, Demand, DiffId, Enrichment, FeedState, ImageRef, Match, Problem
from anchorecli.tree import Tree
from anchorecli.values import dataclass, field

if TYPE_CHECKING:
    from anchorecli.policy.language.parameters import Arguments, Kind


Made = TypeVar("Made")


class Parameter(NamedTuple):
    """One parameter of a trigger: values are strings in a bundle, ``kind`` says what the string must look like.

    ``default`` is the string that stands for a parameter not given, empty where there is none; ``allowed`` holds
    the words of an enum.
    """

    name: str
    kind: Kind
    description: str
    required: bool = False
    default: str = ""
    allowed: tuple[str, ...] = ()
    example: str = ""
    aliases: tuple[str, ...] = ()
    """Other names a bundle may call it by."""


class Fire(NamedTuple):
    """One firing of a trigger, before the rule's action and the allowlists are applied.

    ``trigger_id`` is empty for the default: the md5 of gate, trigger and ``stable`` (or ``message`` where that is
    empty). ``stable`` is the text Anchore Engine printed, for messages that say it better here. ``also`` are
    further ids an allowlist may name the same finding by. ``purl`` and ``path`` say what the finding is about, for
    exceptions that hold for a package or a path only: an exception with such a scope never holds for a finding that
    does not say. A finding with a ``match_id`` needs neither.
    """

    message: str
    trigger_id: str = ""
    stable: str = ""
    also: tuple[str, ...] = ()
    match_id: str = ""
    purl: str = ""
    path: str = ""


Fires = Iterable[Fire | Problem]
"""What a trigger returns: firings, and problems where it could not look."""


class Trigger(NamedTuple):
    """One trigger.

    ``fire`` is None while the facts it ``needs`` are not gathered by this version: a rule that uses it makes the
    verdict indeterminate. ``notes`` are differences from Anchore Engine. ``check`` finds what is wrong
    with parameters that are right one by one.
    """

    name: str
    description: str
    fire: Callable[[Evidence, Arguments], Fires] | None
    parameters: tuple[Parameter, ...] = ()
    needs: str = ""
    notes: str = ""
    check: Callable[[Arguments], str] | None = None
    demands: Callable[[Arguments], Demand] | None = None
    """What has to be looked for in the image for the trigger to decide, beyond packages and configuration."""
    looks_at: Callable[[Evidence, Arguments], str] | None = None
    """On what it decides, for the report: ``166 packages``."""
    aliases: tuple[str, ...] = ()
    """Other names a bundle may call it by."""


class Gate(Protocol):
    """A family of triggers under one name."""

    @property
    def name(self) -> str:
        """The name used in bundles."""

    @property
    def description(self) -> str:
        """One sentence for the reference."""

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """Its triggers, in the order of the reference."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that an evaluation rests on; equal evidence and bundle give an equal verdict.

    ``now`` is RFC 3339 UTC. ``reference`` is what the user asked for: mappings look at it alone, never at names an
    archive claims for itself. ``dockerfile`` is the text the user provided, or empty. ``problems`` are those of all
    stages before.
    """

    analysis: Analysis
    reference: ImageRef
    now: str
    matches: tuple[Match, ...] = ()
    feeds: tuple[FeedState, ...] = ()
    dockerfile: str = ""
    problems: tuple[Problem, ...] = ()
    covered: frozenset[str] = frozenset()
    """Namespaces (``debian:12``, ``pypi``) real feeds have records for; the embedded starter feed does not count."""
    looked_up: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Package type → the namespaces matching asked for packages of that type, any of which suffices. A type that
    is missing here is asked for as ``coverage.namespaces`` derives it."""
    tree: Tree | None = None
    """The squashed file list, where a rule of the bundle demands it and its facts are stored."""
    base: frozenset[DiffId] | None = None
    """The layers that the base image brought; None where the base image is not known."""
    previous: Analysis | None = None
    """The image the tag named before this one; None where none is known."""
    enrichment: Enrichment = Enrichment()
    attached: tuple[Checked, ...] | None = None
    """What is attached to the image, checked against the bundle's signers; None where nobody looked."""
    attached_gaps: tuple[Problem, ...] = ()
    """What of it could not be looked at: something may be there all the same."""
    signers: tuple[str, ...] = ()
    """Whom the bundle trusts."""
    _worked_out: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, make: Callable[[Evidence], Made]) -> Made:
        """What a function makes of this evidence, made once however many rules ask for it."""
        name = f"{make.__module__}.{make.__qualname__}"
        if name not in self._worked_out:
            self._worked_out[name] = make(self)
        made: Made = self._worked_out[name]
        return made

"""Which exceptions let which findings through.

An item of Anchore's form is compared with the trigger ids of a finding and nothing else. One with a scope has to hold
for everything the finding is about: what is not known is not in scope. The first item in force that holds is the one
that lets a finding through; what the others would have let through is noted, for ``outcomes.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from anchorecli.errors import LimitError
from anchorecli.model import Allow
from anchorecli.policy.base import Evidence, Fire
from anchorecli.policy.facts.vulnerability import live
from anchorecli.policy.judging.mapping import image_text
from anchorecli.policy.judging.scopes import Scope, scope_of
from anchorecli.policy.judging.subjects import Subject, subjects_of
from anchorecli.policy.judging.wildcards import Wildcard
from anchorecli.policy.patterns import REGEX_PREFIX
from anchorecli.policy.times import utc


class Covered(NamedTuple):
    """A finding an item would let through. ``by`` is the item that does, empty where all that hold have expired."""

    trigger_id: str
    match_id: str
    subjects: tuple[Subject, ...]
    by: str


class Entry:
    """One item in force for the image, and what became of it so far."""

    __slots__ = ("allowlist_id", "covered", "expired", "item", "outside", "position", "scope", "wildcard")

    def __init__(self, position: int, allowlist_id: str, item: Allow, scope: Scope | None, *, expired: bool) -> None:
        self.position = position
        self.allowlist_id = allowlist_id
        self.item = item
        self.expired = expired
        self.wildcard = Wildcard(item.vulnerability or item.trigger_id)
        self.scope = scope
        self.covered: list[Covered] = []
        self.outside: list[tuple[Subject, ...]] = []
        """Findings it names that its scope leaves out."""

    @property
    def name(self) -> str:
        """What tells it from the items of every list."""
        return f"{self.allowlist_id}\n{self.item.id}"


class Allowing:
    """The items in force for one image, asked finding by finding.

    ``complain`` is told of an item that could not be compared: it lets nothing through.
    """

    def __init__(
        self, lists: Iterable[tuple[str, Sequence[Allow]]], evidence: Evidence, complain: Callable[[Allow, str], None]
    ) -> None:
        self._evidence = evidence
        self._complain = complain
        self.entries: list[Entry] = []
        self._gates: dict[str, _Index] = {}
        name = image_text(evidence.reference)
        for allowlist_id, items in lists:
            for item in items:
                if item.image and not self._means_image(item, name):
                    continue
                scope = scope_of(item, evidence)
                expired = self._is_expired(item)
                entry = Entry(len(self.entries), allowlist_id, item, scope, expired=expired)
                self.entries.append(entry)
                self._gates.setdefault(item.gate, _Index(evidence)).add(entry)

    def judge(self, gate: str, fire: Fire, identity: str, also: Sequence[Fire] = ()) -> Entry | None:
        """The item that lets a finding through, None where it stands.

        ``identity`` is its trigger id; ``also`` are firings that differ in what they are about alone.
        """
        index = self._gates.get(gate)
        if index is None:
            return None
        named = index.named((identity, *fire.also), fire.match_id, self._warn)
        if not named:
            return None
        about = _About(self._evidence, fire, also)
        holding = [entry for entry in named if self._holds(entry, about)]
        chosen = next((entry for entry in holding if not entry.expired), None)
        for entry in holding:
            by = chosen.name if chosen else ""
            entry.covered.append(Covered(identity, fire.match_id, about.subjects, by))
        return chosen

    def _holds(self, entry: Entry, about: _About) -> bool:
        if entry.scope is None:
            return True
        try:
            if about.subjects and all(map(entry.scope, about.subjects)):
                return True
        except LimitError as error:
            self._warn(entry, error)
            return False
        entry.outside.append(about.subjects)
        return False

    def _means_image(self, item: Allow, name: str) -> bool:
        try:
            return Wildcard(item.image).matches(name)
        except LimitError as error:
            self._complain(item, str(error))
            return False

    def _is_expired(self, item: Allow) -> bool:
        now, end = utc(self._evidence.now), utc(item.expires_on) if item.expires_on else None
        # Without a clock nothing with an end is let through.
        return end is not None and (now is None or now >= end)

    def _warn(self, entry: Entry, error: LimitError) -> None:
        self._complain(entry.item, str(error))


class _About:
    """What a finding is about, found out when first asked for."""

    __slots__ = ("_also", "_evidence", "_fire", "_subjects")

    def __init__(self, evidence: Evidence, fire: Fire, also: Sequence[Fire]) -> None:
        self._evidence = evidence
        self._fire = fire
        self._also = also
        self._subjects: tuple[Subject, ...] | None = None

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Everything it is about; a thing that is not known makes it nothing."""
        if self._subjects is None:
            parts = [subjects_of(self._evidence, each) for each in (self._fire, *self._also)]
            self._subjects = tuple(dict.fromkeys(one for part in parts for one in part)) if all(parts) else ()
        return self._subjects


_Warn = Callable[[Entry, LimitError], None]


class _Index:
    """The items of one gate, so that a finding is not compared with every one of a thousand."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._exact: dict[str, list[Entry]] = {}
        self._of_vulnerability: dict[str, list[Entry]] = {}
        """Trigger ids that begin with one vulnerability: ``CVE-2099-0001+*``."""
        self._others: list[Entry] = []
        self._vulnerabilities: dict[str, list[Entry]] = {}
        """By the id that matches go by, whichever of its aliases an item names."""
        self._other_vulnerabilities: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """One more item, after those before it."""
        item = entry.item
        if item.vulnerability:
            if entry.wildcard.is_exact:
                for match_id in self._evidence.once(_called).get(item.vulnerability, ()):
                    self._vulnerabilities.setdefault(match_id, []).append(entry)
            else:
                self._other_vulnerabilities.append(entry)
            return
        start, plus, rest = item.trigger_id.partition("+")
        if entry.wildcard.is_exact:
            self._exact.setdefault(item.trigger_id, []).append(entry)
        elif plus and "*" in rest and "*" not in start and not start.startswith(REGEX_PREFIX):
            self._of_vulnerability.setdefault(start, []).append(entry)
        else:
            self._others.append(entry)

    def named(self, identities: Sequence[str], match_id: str, warn: _Warn) -> list[Entry]:
        """The items that name a finding by its trigger ids or its vulnerability, whatever their scope, in order."""
        found: list[Entry] = []
        for one in identities:
            if one in self._exact:
                found += self._exact[one]
            if self._of_vulnerability:
                candidates = self._of_vulnerability.get(one.partition("+")[0])
                if candidates:
                    found += [entry for entry in candidates if entry.wildcard.matches(one)]
        for entry in self._others:
            if _any_matches(entry, identities, warn):
                found.append(entry)
        if match_id in self._vulnerabilities:
            found += self._vulnerabilities[match_id]
        if match_id and self._other_vulnerabilities:
            ids = self._evidence.once(_names).get(match_id, (match_id,))
            found += [entry for entry in self._other_vulnerabilities if _any_matches(entry, ids, warn)]
        if len(found) < 2:
            return found
        by_position = {entry.position: entry for entry in found}
        return [by_position[position] for position in sorted(by_position)]


def _names(evidence: Evidence) -> dict[str, tuple[str, ...]]:
    """The id that matches go by → all ids and aliases."""
    found: dict[str, dict[str, None]] = {}
    for match in live(evidence):
        found.setdefault(match.id, {match.id: None}).update(dict.fromkeys((match.advisory, *match.aliases)))
    return {match_id: tuple(ids) for match_id, ids in found.items()}


def _called(evidence: Evidence) -> dict[str, list[str]]:
    """Every id and alias → the ids that matches go by."""
    found: dict[str, list[str]] = {}
    for match_id, ids in evidence.once(_names).items():
        for one in ids:
            found.setdefault(one, []).append(match_id)
    return found


def _any_matches(entry: Entry, texts: Sequence[str], warn: _Warn) -> bool:
    try:
        return any(map(entry.wildcard.matches, texts))
    except LimitError as error:
        warn(entry, error)
        return False

"""Programs and libraries known by strings in them: one pass over a file for all that may be found in one of its name.

A rule looks for fixed words (``bytes.find``, at memory speed) and applies its regular expression to the few hundred
bytes around a hit only: no expression ever sees more than that, so none can be made to run long. What a file's name
does not suggest is not looked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

BEFORE, AFTER = 128, 256
"""Bytes around a fixed word that its expression may look at."""
MAX_HITS = 20_000
"""Occurrences of one word in one file that are looked at."""
MAX_VERSION = 64


def as_text(found: bytes) -> str:
    """A version that stands in the file as it is."""
    return found.decode("latin-1")


class Find(NamedTuple):
    """One kind of evidence. ``<v>`` in either stands for what the group ``v`` matched in the file's name."""

    word: bytes
    """Fixed bytes that occur in what ``pattern`` matches."""
    pattern: bytes
    """With a group ``version``."""
    sole: bool = False
    """Weak evidence: it counts only where every occurrence in the file gives the same version."""
    read: Callable[[bytes], str] = as_text
    """From the bytes of the group to a version; empty where they are none."""


class Rule(NamedTuple):
    """A program: how its file may be called, and what tells its version, the most telling first."""

    name: str
    files: str
    """Regular expression for the whole base name; begins with letters that are taken literally."""
    finds: tuple[Find, ...]
    cpes: tuple[str, ...] = ()
    """``vendor:product`` each."""
    kind: str = "generic"
    """purl type."""
    namespace: str = ""
    unless: tuple[bytes, ...] = ()
    """Words of a program that took this one's strings over."""
    need: tuple[bytes, ...] = ()
    """Words that the file must hold besides, where the evidence alone is weak."""
    text: bool = False
    """The file is a script or a configuration, not an executable by its format."""
    code: bool = False
    """What tells stands among the instructions, where else nothing is looked for."""
    part: bool = False
    """One of several libraries that were linked into the file, and not what the file is."""

    @property
    def package(self) -> str:
        """The package's name: that of the rule without what tells several rules of one program apart."""
        return self.name.partition(":")[0]


def find(word: str, pattern: str, *, sole: bool = False, read: Callable[[bytes], str] = as_text) -> Find:
    """Evidence in short: ``<n>`` is a version of two numbers or more, ``<3>`` of three, ``<3x>`` with a pre-release."""
    for short, long in _VERSIONS.items():
        pattern = pattern.replace(short, f"(?P<version>{long})")
    return Find(word.encode("latin-1"), pattern.encode("latin-1"), sole, read)


def simple(name: str, files: str, word: str, pattern: str, *cpes: str) -> Rule:
    """A rule of one kind of evidence."""
    return Rule(name, files, (find(word, pattern),), cpes)


_VERSIONS = {
    "<n>": r"\d{1,5}(?:\.\d{1,8}){1,4}",
    "<3>": r"\d{1,5}\.\d{1,5}\.\d{1,8}",
    "<3x>": r"\d{1,5}\.\d{1,5}\.\d{1,8}(?:[-.]?(?:alpha|beta|rc|RC|pre|dev)[.-]?\d{0,8})?",
}


def rules_for(name: str) -> tuple[Rule, ...]:
    """The rules that a file of this base name is looked at with; a wheel's own copy has a hash in its name."""
    name = _plain(name)
    return tuple(rule for rule in _index().get(_key(name), ()) if _name_pattern(rule.files).fullmatch(name))


def _plain(name: str) -> str:
    return _HASHED.sub("", name) if ".so" in name else name


class Search:
    """One file's pass: ``feed`` it the pieces, then ask for ``hits``."""

    def __init__(self, name: str, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._finds = [[_filled(each, rule, _plain(name)) for each in rule.finds] for rule in rules]
        self._found: dict[tuple[int, int], list[str]] = {}
        self._counts: dict[tuple[int, int], int] = {}
        self._words: set[bytes] = set()
        self._tail = b""

    @property
    def code(self) -> bool:
        """Whether instructions are to be looked through too."""
        return any(rule.code for rule in self._rules)

    @property
    def done(self) -> bool:
        """Whether nothing else can come: a file is one program, and the best evidence for one is there.

        Of libraries that were linked into it, there may be as many as there are rules.
        """
        enough = all if any(rule.part for rule in self._rules) else any
        return enough(
            (row, 0) in self._found and not rule.finds[0].sole and not rule.unless and self._words.issuperset(rule.need)
            for row, rule in enumerate(self._rules)
        )

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        """Look at the next piece; ``last``: nothing follows it directly, so what stands at its end is looked at too."""
        data = self._tail + piece
        # A hit this near to the end is found again, whole, with the next piece.
        end = len(data) if last else len(data) - AFTER
        for row, rule in enumerate(self._rules):
            for word in (*rule.unless, *rule.need):
                if word not in self._words and word in data:
                    self._words.add(word)
            for column, each in enumerate(self._finds[row]):
                if each is not None and (each[2] or (row, column) not in self._found):
                    self._look((row, column), each, data, end)
        self._tail = b"" if last else data[max(0, end - BEFORE) :]

    def hits(self) -> list[tuple[str, str]]:
        """(rule's name, version) of everything found."""
        hits = []
        for row, rule in enumerate(self._rules):
            if self._words.intersection(rule.unless) or not self._words.issuperset(rule.need):
                continue
            for column in range(len(rule.finds)):
                versions = self._found.get((row, column), ())
                if len(versions) == 1:
                    hits.append((rule.name, versions[0]))
                    break
        return hits

    def _look(self, key: tuple[int, int], each: _Filled, data: bytes, end: int) -> None:
        word, pattern, sole, read = each
        place = data.find(word, 0, max(0, end))
        while place >= 0 and self._counts.get(key, 0) < MAX_HITS:
            self._counts[key] = self._counts.get(key, 0) + 1
            start = max(0, place - BEFORE)
            match = _around(pattern, data[start : place + AFTER], (place - start, place - start + len(word)))
            if match and (version := read(match["version"][:MAX_VERSION])):
                versions = self._found.setdefault(key, [])
                if version not in versions:
                    versions.append(version)
                if not sole:
                    return
            place = data.find(word, place + 1, end)


def _around(pattern: re.Pattern[bytes], window: bytes, word: tuple[int, int]) -> re.Match[bytes] | None:
    """The match that the word is part of, not one that lies before or behind it."""
    match = pattern.search(window)
    while match is not None and match.end() <= word[0]:
        match = pattern.search(window, match.start() + 1)
    return match if match is not None and match.start() < word[1] else None


_Filled = tuple[bytes, "re.Pattern[bytes]", bool, Callable[[bytes], str]]


def _filled(each: Find, rule: Rule, name: str) -> _Filled | None:
    """A find with what the file's name says in it; None where that says nothing and it is needed."""
    word, pattern, sole, read = each
    if b"<v>" in word + pattern:
        match = _name_pattern(rule.files).fullmatch(name)
        value = (match.groupdict().get("v") or "") if match else ""
        if not value:
            return None
        raw = value.encode("latin-1", "replace")
        word, pattern = word.replace(b"<v>", raw), pattern.replace(b"<v>", re.escape(raw))
    return word, _pattern(pattern), sole, read


@cache
def _index() -> Mapping[str, list[Rule]]:
    index: dict[str, list[Rule]] = {}
    for rule in all_rules().values():
        for key in {_key(each) for each in _alternatives(rule.files)}:
            index.setdefault(key, []).append(rule)
    return index


@cache
def all_rules() -> Mapping[str, Rule]:
    """Every rule by its name; a rule for another kind of file of one program has a suffix behind ``:``."""
    from anchorecli.analyzers.binary.bundled import BUNDLED
    from anchorecli.analyzers.binary.libraries import LIBRARIES
    from anchorecli.analyzers.binary.programs import PROGRAMS
    from anchorecli.analyzers.binary.runtimes import RUNTIMES

    return {rule.name: rule for rule in (*RUNTIMES, *PROGRAMS, *LIBRARIES, *BUNDLED)}


def _alternatives(files: str) -> list[str]:
    """The expression's parts between its outermost bars."""
    parts, depth = [""], 0
    for letter in files:
        depth += (letter == "(") - (letter == ")")
        if letter == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _key(name: str) -> str:
    """The letters at a name's beginning."""
    found = _LETTERS.match(name)
    return found[0] if found else ""


# It stands before the first dot: libpng16-5bde1272.so.16, libopenblasp-r0-59ffcd50.3.15.so, libz-fiona-2bb5f3a1.so.1.
_HASHED = re.compile(r"(?:-fiona)?-[0-9a-f]{8}(?=[.])")
_LETTERS = re.compile(r"_?[A-Za-z]*")


@cache
def _name_pattern(files: str) -> re.Pattern[str]:
    return re.compile(files, re.ASCII)


@cache
def _pattern(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern)

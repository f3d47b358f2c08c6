"""Credentials in files and in the image's configuration: rule, line and fingerprint of each, never the credential.

Most files hold none, so each is first looked through for what every credential has: a few characters (``_``, ``-``,
``A`` …) with something behind them that no program text has often. A single character that begins an expression is
searched for at the speed of memory; only where one of these anchors holds is a rule asked.

Asked for by: the setting ``secret-search.enabled`` or ``--secrets``, a rule of the gate ``secret_scans``.

Emits: places of credentials: file or entry of the configuration, line, rule, fingerprint.

Not handled: files above the limit (``looked_for`` counts them), archives inside of files, credentials in UTF-16.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple, Self

from anchorecli.analyzers.base import Found, LayerFile, Sieve, View, Wants, partial
from anchorecli.analyzers.demand import secret_rules as rules
from anchorecli.analyzers.demand.limits import skipped
from anchorecli.analyzers.demand.placeholders import is_placeholder
from anchorecli.analyzers.demand.secret_rules import RULES, Rule
from anchorecli.analyzers.demand.sieve import sieve
from anchorecli.analyzers.limits import Limit, Limits
from anchorecli.model import Json, Secret
from anchorecli.values import dataclass

__all__ = ["MAX_BYTES", "RULES", "SecretAnalyzer", "fingerprint", "search"]

MAX_BYTES = 512 * 1024
LIMITS = Limits("secrets", (Limit("findings", 200, "things like credentials in one file"),))
"""Of one file: more of them are a list of something else."""

_BINARY_HEAD = 4096
_BEFORE, _AFTER = 64, 512
_UNDERSCORE = re.compile(
    rb"_(?:(?=[A-Za-z0-9+/]{16}|[po]at_[A-Za-z0-9_-]{16})|(?i:key(?:_id)?|token)[\"']? *[:=])",
)
_HYPHEN = re.compile(rb"-(?:(?=[A-Za-z0-9_][A-Za-z0-9_-]{15})|(?i:key) *=)")
# In base64 most of what an A is followed by is another: that is seen before anything else is tried.
_LETTER = re.compile(rb"A(?=[KSIc])(?:(?=[KS]IA[A-Z2-7]{16}|Iza[A-Za-z0-9_-]{35})|cc(?:ount|ess)Key=)")
_STOP = re.compile(
    rb"\.(?=eyJ[A-Za-z0-9_-]{10}|[A-Za-z0-9_-]{22}(?:\.[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{68})|slack\.com/)"
)
_COLON = re.compile(rb":(?=//[^\s/:@\"'<>`\\]{0,64}:[^\s/@\"'<>`\\]{3,128}@|AA[A-Za-z0-9_-]{33})")
# What was taken is not given back: a key that has no end would be tried in every way to part it.
_KEY_BODY = re.compile(
    rb"(?:[\s\"'+,|>]|\\[nr]|[A-Z][A-Za-z-]{2,20}: [^\n\\]{0,200}+){1,64}+"
    rb"((?:[A-Za-z0-9+/=\s\"',]|\\[nr]){64,16384}+)-{2,5}END"
)
_NOT_BASE64 = re.compile(rb"\\[nr]|[^A-Za-z0-9+/=]")


class Finding(NamedTuple):
    """One credential in a text: where it begins, the rule that found it and the credential, which goes no further."""

    start: int
    end: int
    rule: str
    value: bytes


def fingerprint(value: bytes) -> str:
    """A short name for a credential, the same wherever it stands; what was hashed cannot be told from it."""
    return sha256(b"anchore secret\0" + value).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class SecretAnalyzer:
    """Credentials. A fact is ``[rule, line, fingerprint]`` of each in one file."""

    name: str = "secrets"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(everything=True)
    max_bytes: int = MAX_BYTES
    limits: Limits = LIMITS

    @classmethod
    def of(cls, options: str, _scanner: object = None) -> Self:
        """The analyzer for files of up to so many bytes: the options."""
        max_bytes = int(options or MAX_BYTES)
        wants = Wants(everything=True, match=lambda path, size, mode: 0 < size <= max_bytes)
        return cls(options=options, wants=wants, max_bytes=max_bytes)

    def read(self, file: LayerFile) -> Json | None:
        """The credentials in one file."""
        data = file.data()
        found = search(data, file.path)
        if not found:
            return None
        rows = _rows(data, found[: self.limits["findings"]])
        return rows if len(rows) == len(found) else partial(rows, "", self.limits.told("findings"))

    def sieve(self) -> Sieve | None:
        """Tells the files that have to be read from those without anything like a credential's beginning."""
        return sieve()

    def assemble(self, view: View) -> Found:
        """The credentials in visible files, in the image's configuration, and in files that a later layer took away."""
        from anchorecli.analyzers.demand.configured import configured

        secrets = [
            Secret(fact.path, line, rule, mark, view.diff_id(fact.layer))
            for fact in view.facts()
            for rule, line, mark in fact.value
        ]
        known = {(secret.path, secret.fingerprint) for secret in secrets}
        removed = (
            Secret(fact.path, line, rule, mark, view.diff_id(fact.layer))
            for fact in view.hidden()
            for rule, line, mark in fact.value
            if (fact.path, mark) not in known
        )
        shown = "\n".join(f"{name}={regex}" for name, regex in RULES.items())
        return Found(
            secrets=(*secrets, *configured(view.image.config)),
            removed_secrets=tuple(removed),
            looked_for={"secrets": shown} | skipped("secrets", view, self.max_bytes),
        )


def search(data: bytes, path: str = "") -> list[Finding]:
    """The credentials in a file's content, by their place; of several rules for one place the first counts."""
    names: list[int] = []
    found = list(_tokens(data, names))
    if b"PRIVATE KEY" in data:
        found += _private_keys(data)
    if b"\0" not in data[:_BINARY_HEAD]:
        found += _assigned(data, names)
        for rule in rules.FILES.get(path[path.rfind("/") + 1 :], ()):
            found += _matches(rule, data)
    return _distinct(found) if len(found) > 1 else found


# ── one kind after the other ────────────────────────────────────────────────────────────────────────────────


def _heads() -> dict[bytes, tuple[tuple[int, Rule], ...]]:
    """The last three characters up to an anchor → how far before its end the token begins, and its rule."""
    table: dict[bytes, tuple[tuple[int, Rule], ...]] = {}
    for prefix, rule in rules.TOKENS:
        if prefix[-1:] in b"_-" or b"-" in prefix:
            anchor = _anchor(prefix)
            key = prefix[max(0, anchor - 2) : anchor + 1]
            table[key] = (*table.get(key, ()), (anchor, rule))
    return table


def _anchor(prefix: bytes) -> int:
    """Where in a token's beginning the expressions above find it: the first hyphen, else the underscore before its
    random part, or before the ``pat_`` of Docker's and GitHub's."""
    if b"-" in prefix:
        return prefix.index(b"-")
    return prefix.index(b"_") if prefix.endswith(b"at_") else len(prefix) - 1


_HEADS = _heads()
_LETTERED = {prefix[:2]: rule for prefix, rule in rules.TOKENS if prefix[-1:].isalpha() and b"-" not in prefix}


def _tokens(data: bytes, names: list[int]) -> Iterator[Finding]:
    """Tokens with a beginning of their own; ``names`` gets the places where a name like ``api_key`` is assigned to."""
    for anchors in (_UNDERSCORE, _HYPHEN):
        for match in anchors.finditer(data):
            at = match.start()
            if match.end() > at + 1:
                names.append(at)
            for offset, rule in _HEADS.get(data[max(0, at - 2) : at + 1], ()):
                if offset <= at:
                    yield from _one(rule, rule.pattern.match(data, at - offset))
    for match in _LETTER.finditer(data):
        at = match.start()
        if match.end() > at + 1:
            yield from _matches(rules.AZURE_KEY, data, max(0, at - 6), match.end() + 200)
        else:
            rule = _LETTERED[data[at : at + 2]]
            yield from _one(rule, rule.pattern.match(data, at))


def _private_keys(data: bytes) -> Iterator[Finding]:
    for match in rules.PRIVATE_KEY.pattern.finditer(data):
        body = _KEY_BODY.match(data, match.end())
        if body is None:
            continue
        value = _NOT_BASE64.sub(b"", body[1])
        if len(value) >= 48 and not is_placeholder(value[-32:]):
            first = not match.start() or data[match.start() - 1 : match.start()] == b"\n"
            rule = rules.PRIVATE_KEY if first else rules.EMBEDDED_KEY
            yield Finding(match.start(), body.end(), rule.name, value)
    yield from _matches(rules.GCP_KEY, data)


def _assigned(data: bytes, names: Sequence[int]) -> Iterator[Finding]:
    """What is looked for in a text only: assignments, tokens in several parts, passwords in a form of their own."""
    for start, end in _spans(data, names):
        for rule in rules.LINES:
            yield from _matches(rule, data, start, end)
    if _STOP.search(data):
        for rule in rules.DOTTED:
            yield from _matches(rule, data)
    if b'"auth"' in data:
        yield from _matches(rules.DOCKER_AUTH, data)
    for match in _COLON.finditer(data):
        rule = rules.TELEGRAM if data[match.end()] == ord("A") else rules.URL_PASSWORD
        yield from _matches(rule, data, max(0, match.start() - 24), match.end() + 256)


def _spans(data: bytes, places: Sequence[int]) -> list[tuple[int, int]]:
    """The lines around some places, of a long line the parts around them; each byte in one span at most."""
    spans: list[tuple[int, int]] = []
    for at in sorted(places):
        end = data.find(b"\n", at, at + _AFTER)
        end = end if end >= 0 else min(len(data), at + _AFTER)
        start = max(data.rfind(b"\n", max(0, at - _BEFORE), at) + 1, at - _BEFORE, 0)
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _matches(rule: Rule, data: bytes, start: int = 0, end: int | None = None) -> Iterator[Finding]:
    for match in rule.pattern.finditer(data, start, len(data) if end is None else end):
        yield from _one(rule, match)


def _one(rule: Rule, match: re.Match[bytes] | None) -> Iterable[Finding]:
    if match is None:
        return ()
    start, end = match.span(match.re.groups)
    value = match.string[start:end]
    return (Finding(start, end, rule.name, value),) if rule.check(value) else ()


def _distinct(found: list[Finding]) -> list[Finding]:
    """One finding for each credential: of rules that overlap Anchore's, else the one that begins first."""
    found.sort(key=lambda each: (each.start, each.rule not in rules.ANCHORE, each.rule))
    kept: list[Finding] = []
    for finding in found:
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
        elif finding.rule in rules.ANCHORE and kept[-1].rule not in rules.ANCHORE:
            kept[-1] = finding
    return kept


def _rows(data: bytes, found: Sequence[Finding]) -> list[Json]:
    """Rule, line and fingerprint of each."""
    rows: list[Json] = []
    line, position = 1, 0
    for start, _, rule, value in found:
        line += data.count(b"\n", position, start)
        position = start
        rows.append([rule, line, fingerprint(value)])
    return rows

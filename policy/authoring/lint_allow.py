"""Doubtful exceptions: expired or nearly, for gates nobody asks, with ids that no finding has, given twice.

What they let through in an image only an evaluation tells: ``unused_remarks``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from anchorecli.model import Allow, Verdict
from anchorecli.policy.language.faults import Remark, place, quoted
from anchorecli.policy.language.spellings import RETIRED_GATES
from anchorecli.policy.patterns import REGEX_PREFIX
from anchorecli.policy.times import days_between
from anchorecli.policy.values import Bundle
from anchorecli.values import replace

SOON = 14
"""Days before its end in which an exception is pointed out."""

_MD5 = re.compile(r"[0-9a-f]{32}")


def allowlist_remarks(bundle: Bundle, now: str) -> Iterator[Remark]:
    """The remarks on the items of all whitelists."""
    asked = _asked(bundle)
    for allowlist in bundle.allowlists:
        seen: dict[Allow, Allow] = {}
        for item in allowlist.items:
            about = f"whitelist item {quoted(item.id)}"
            path = getattr(item.line, "path", bundle.path)
            for message, hint in (*_time(item, now), *_aim(item, asked.get(allowlist.id)), *_twice(item, seen)):
                yield Remark(path, item.line, "warning", f"{about} {message}", hint)


def unused_remarks(bundle: Bundle, verdicts: Iterable[Verdict]) -> Iterator[Remark]:
    """The items that were in force for at least one image and let nothing through in any of them."""
    notes: dict[tuple[str, str], str] = {}
    used: set[tuple[str, str]] = set()
    images = 0
    for verdict in verdicts:
        images += 1
        for outcome in verdict.allowances:
            name = (outcome.allowlist_id, outcome.item_id)
            if outcome.covered:
                used.add(name)
            elif outcome.status != "expired":
                notes.setdefault(name, outcome.note)
    for allowlist in bundle.allowlists:
        for item in allowlist.items:
            name = (allowlist.id, item.id)
            if name in notes and name not in used:
                path = getattr(item.line, "path", bundle.path)
                where = notes[name] if images == 1 else f"nothing in any of the {images} images fits it"
                said = f"whitelist item {quoted(item.id)} lets nothing through: {where}"
                yield Remark(path, item.line, "warning", said, "Remove it, or compare it with the ids of a report.")


_Said = tuple[str, str]


def _time(item: Allow, now: str) -> Iterator[_Said]:
    left = days_between(now, item.expires_on) if item.expires_on else None
    if left is not None and left <= 0:
        yield f"has expired on {item.expires_on}: it lets nothing through", "Remove it, or give it a new end."
    elif left is not None and left <= SOON:
        days = "tomorrow or today" if left < 1 else f"in {int(left)} day{'s' if int(left) > 1 else ''}"
        yield f"expires {days}, on {item.expires_on}", "Mend what it excuses, or give it a new end."
    if item.created:
        since = days_between(now, item.created)
        if since is not None and since > 1:
            yield f"is created on {item.created}, which is yet to come", "Check the year."


def _aim(item: Allow, asked: frozenset[str] | None) -> Iterator[_Said]:
    if item.gate in RETIRED_GATES:
        successor = RETIRED_GATES[item.gate]
        hint = f"Use the gate {successor}; its trigger ids are others." if successor else "Remove it."
        yield f"is for gate {item.gate}, which is retired: it lets nothing through", hint
    elif asked is not None and item.gate not in asked:
        yield f"is for gate {item.gate}, of which its policies have no rule: it lets nothing through", "Remove it."
    if item.gate == "vulnerabilities" and item.trigger_id and not _may_be_an_id(item.trigger_id):
        better = f"{item.trigger_id}+*"
        said = f"matches nothing: {quoted(item.trigger_id)} is no trigger id, which is VULNERABILITY+PACKAGE"
        yield said, f'Write trigger_id: "{better}", or vulnerability: {item.trigger_id}.'


def _may_be_an_id(text: str) -> bool:
    """Whether a finding of gate vulnerabilities may have the id; those without a package are md5 sums."""
    return "+" in text or "*" in text or text.startswith(REGEX_PREFIX) or _MD5.fullmatch(text) is not None


def _twice(item: Allow, seen: dict[Allow, Allow]) -> Iterator[_Said]:
    bare = replace(item, id="", line=0, comment="", expires_on="", owner="", reason="", ticket="", created="")
    first = seen.setdefault(bare, item)
    if first is not item:
        yield f"means what {quoted(first.id)} in {place(first.line, item.line)} means", "Keep the one that ends first."


def _asked(bundle: Bundle) -> dict[str, frozenset[str]]:
    """Whitelist → the gates of the policies it is mapped with."""
    gates = {policy.id: {rule.gate for rule in policy.rules} for policy in bundle.policies}
    asked: dict[str, set[str]] = {}
    for mapping in bundle.mappings:
        for allowlist_id in mapping.allowlist_ids:
            asked.setdefault(allowlist_id, set()).update(*(gates.get(name, set()) for name in mapping.policy_ids))
    return {name: frozenset(found) for name, found in asked.items()}

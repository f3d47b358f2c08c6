"""Doubtful mappings and image lists: what no image reaches, and what nothing names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from anchorecli.policy.language.faults import Remark, place, quoted
from anchorecli.policy.patterns import REGEX_PREFIX, wildcard_matches
from anchorecli.policy.values import Bundle, ImageRule

_HUB = ("docker.io", "dockerhub", "index.docker.io")
_COMPARED = 300
"""Mappings, and entries of image lists, that are compared with each other; a generated bundle may have 10,000."""

_Said = tuple[int, str, str]


def image_remarks(bundle: Bundle) -> Iterator[Remark]:
    """The remarks on mappings, image lists, and what no mapping names."""
    mappings = [mapping.image for mapping in bundle.mappings]
    for found in (_unreached(mappings), _gap(mappings), _denied(bundle), _unnamed(bundle)):
        for line, message, hint in found:
            yield Remark(getattr(line, "path", bundle.path), line, "warning", message, hint)


def covers(wide: ImageRule, narrow: ImageRule) -> bool:
    """Whether every image of the one rule is one of the other. Not handled: two regular expressions."""
    registry = _registry(narrow.registry)
    if not _wildcard_covers(_registry(wide.registry), registry):
        return False
    # Of Docker's own images the names are compared without the prefix.
    prefix = "library/" if registry == _HUB[0] else ""
    if not _wildcard_covers(wide.repository.removeprefix(prefix), narrow.repository.removeprefix(prefix)):
        return False
    if wide.kind == "tag" and wide.value == "*":
        return True
    if wide.kind != narrow.kind:
        return False
    return _wildcard_covers(wide.value, narrow.value) if wide.kind == "tag" else wide.value == narrow.value


def _wildcard_covers(wide: str, narrow: str) -> bool:
    if wide in ("*", narrow):
        return True
    if wide.startswith(REGEX_PREFIX) or narrow.startswith(REGEX_PREFIX):
        return False
    # A star of the narrow one stands for anything, which nothing but a star of the wide one takes in.
    return wildcard_matches(wide, narrow.replace("*", "\0"))


def _registry(text: str) -> str:
    return _HUB[0] if text in _HUB else text


def _unreached(mappings: Sequence[ImageRule]) -> Iterator[_Said]:
    for number, mapping in enumerate(mappings[:_COMPARED]):
        before = next((other for other in mappings[:number] if covers(other, mapping)), None)
        if before is not None:
            where = f"mapping {quoted(before.id)} in {place(before.line, mapping.line)}"
            said = f"mapping {quoted(mapping.id)} is never used: {where} means all its images and comes first"
            yield mapping.line, said, "Put the narrower mapping first."


def _gap(mappings: Sequence[ImageRule]) -> Iterator[_Said]:
    everything = ImageRule("", "", "*", "*", "tag", "*")
    if not any(covers(mapping, everything) for mapping in mappings):
        last = mappings[-1].line if mappings else 0
        said = "no mapping means every image: what none means passes without a rule"
        yield last, said, 'End the mappings with one of registry, repository and tag "*".'


def _denied(bundle: Bundle) -> Iterator[_Said]:
    for allowed in bundle.allowed_images[:_COMPARED]:
        denied = next((one for one in bundle.denied_images[:_COMPARED] if covers(one, allowed)), None)
        if denied is not None:
            where = f"{quoted(denied.id)} in {place(denied.line, allowed.line)}"
            said = f"allowed image {quoted(allowed.id)} has no effect: it is denied by {where}"
            yield allowed.line, said, "Remove one of them; denied images win."


def _unnamed(bundle: Bundle) -> Iterator[_Said]:
    policies = {name for mapping in bundle.mappings for name in mapping.policy_ids}
    allowlists = {name for mapping in bundle.mappings for name in mapping.allowlist_ids}
    for policy in bundle.policies:
        if policy.id not in policies:
            yield policy.line, f"no mapping names policy {quoted(policy.id)}: it is never used", "Map it, or remove it."
    for one in bundle.allowlists:
        if one.id not in allowlists and one.items:
            said = f"no mapping names whitelist {quoted(one.id)}: its items let nothing through"
            yield one.line, said, "Add it to the whitelist_ids of a mapping, or remove it."

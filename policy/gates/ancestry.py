"""Gate ``ancestry``: which images this one was built from.

Known is what the image, its author or its layers tell (``base_image.py``): the base image itself, rarely what that was
built from in turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.model import Problem
from anchorecli.policy.base import Evidence, Fire, Fires, Parameter, Trigger
from anchorecli.policy.facts.base_image import Claim, claims, full_name
from anchorecli.policy.facts.dockerfile import base_of, dockerfile
from anchorecli.policy.judging.wildcards import Wildcard
from anchorecli.policy.language.parameters import Arguments
from anchorecli.policy.patterns import wildcard_fault

_HINT = "Give the Dockerfile with --dockerfile, or have the builder write org.opencontainers.image.base.* annotations."


def _allowed_digest(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    claim = next((claim for claim in evidence.once(_said) if claim.digest), None)
    if claim is None:
        yield _not_known("allowed_base_image_digest", "the digest of the base image", arguments)
    elif claim.digest not in _digests(arguments.words("base_digest")):
        yield Fire(f"The base image {claim.digest} (by {claim.source}) is not an allowed one", stable=claim.digest)


def _allowed_tag(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    claim = next((claim for claim in evidence.once(_said) if claim.name), None)
    if claim is None:
        yield _not_known("allowed_base_image_tag", "the name of the base image", arguments)
        return
    name = full_name(claim.name)
    if not any(wanted.matches(name) for wanted in _names(arguments.words("base_tag"))):
        yield Fire(f"The base image {name} (by {claim.source}) is not an allowed one", stable=name)


def _denied_digest(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    denied = _digests(arguments.words("ancestor_digest"))
    known = [claim for claim in evidence.once(_said) if claim.digest]
    found = {claim.digest: claim for claim in known if claim.digest in denied}
    for digest, claim in found.items():
        yield Fire(f"The image was built from {digest} (by {claim.source}), which is denied", stable=digest)
    if not found:
        yield _nothing_found(evidence, bool(known), "denylist_ancestor_image_digest", arguments)


def _denied_tag(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    denied = _names(arguments.words("ancestor_tag"))
    known = {full_name(claim.name): claim for claim in evidence.once(_said) if claim.name}
    found = {name: claim for name, claim in known.items() if any(each.matches(name) for each in denied)}
    for name, claim in found.items():
        yield Fire(f"The image was built from {name} (by {claim.source}), which is denied", stable=name)
    if not found:
        yield _nothing_found(evidence, bool(known), "denylist_ancestor_image_tag", arguments)


def _none_analyzed(evidence: Evidence, _arguments: Arguments) -> Fires:
    return () if evidence.base is not None else (Fire("No ancestor of the image has been analyzed"),)


def _said(evidence: Evidence) -> tuple[Claim, ...]:
    """What is said of the base image: by the manifest, the Dockerfile given, the labels."""
    return claims(evidence.analysis.image, base_of(evidence.once(dockerfile)))


def _nothing_found(evidence: Evidence, known: bool, trigger: str, arguments: Arguments) -> Problem:
    if not known:
        return _not_known(trigger, "what the image was built from", arguments)
    message = f"rule {arguments.rule_id} saw the base image only: what that was built from is not known"
    return Problem("policy", f"ancestry.{trigger}", message, incomplete=False)


def _not_known(trigger: str, what: str, arguments: Arguments) -> Problem:
    message = f"rule {arguments.rule_id} could not be decided: {what} is not known"
    return Problem("policy", f"ancestry.{trigger}", message, _HINT)


def _digests(words: tuple[str, ...]) -> set[str]:
    """Digests as claims hold them: whoever writes ``name@sha256:…`` or the bare hex digits means the digest."""
    tails = (word.rpartition("@")[2].lower() for word in words)
    return {tail if ":" in tail else f"sha256:{tail}" for tail in tails}


def _names(words: tuple[str, ...]) -> list[Wildcard]:
    """Wildcards over full names; a name without one is completed as the claims are."""
    exact = (Wildcard(word) for word in words)
    return [Wildcard(full_name(each.text)) if each.is_exact else each for each in exact]


def _fault(arguments: Arguments) -> str:
    for name in ("base_tag", "ancestor_tag"):
        faults = [fault for word in arguments.words(name) if (fault := wildcard_fault(word))]
        if faults:
            return f'"{name}" is not usable as a regular expression: {faults[0]}'
    return ""


def _looked_at(evidence: Evidence, _arguments: Arguments) -> str:
    said = [f"{claim.name or claim.digest} by {claim.source}" for claim in evidence.once(_said)]
    return ", ".join(said) or "no word on the base image"


def _digest_parameter(name: str, whose: str) -> Parameter:
    example = "sha256:" + "a1b2" * 16
    return Parameter(name, "strings", f"Digests of {whose}.", required=True, example=example)


def _tag_parameter(name: str, whose: str, example: str) -> Parameter:
    text = f"Names of {whose}; * is any run of characters, over registry/repository:tag."
    return Parameter(name, "strings", text, required=True, example=example)


_KNOWN = "Known from Anchore Enterprise, which looks at the images it has analyzed. "
_BY_WORD = (
    _KNOWN
    + "Here the manifest's annotations are asked, then the Dockerfile given, then the labels, which may be those "
    "of the base image. It is what image and author say: nothing proves it. Where none of them says anything the "
    "evidence is incomplete."
)

_TRIGGERS = (
    Trigger(
        "allowed_base_image_digest",
        "The base image is none of those allowed, by digest.",
        _allowed_digest,
        (_digest_parameter("base_digest", "the base images allowed"),),
        notes=_BY_WORD,
        looks_at=_looked_at,
    ),
    Trigger(
        "allowed_base_image_tag",
        "The base image is none of those allowed, by name.",
        _allowed_tag,
        (_tag_parameter("base_tag", "the base images allowed", "docker.io/debian:12*"),),
        notes=_BY_WORD,
        check=_fault,
        looks_at=_looked_at,
    ),
    Trigger(
        "denylist_ancestor_image_digest",
        "The image was built from one that is denied, by digest.",
        _denied_digest,
        (_digest_parameter("ancestor_digest", "images that must not be built upon"),),
        notes=_BY_WORD,
        looks_at=_looked_at,
    ),
    Trigger(
        "denylist_ancestor_image_tag",
        "The image was built from one that is denied, by name.",
        _denied_tag,
        (_tag_parameter("ancestor_tag", "images that must not be built upon", "docker.io/centos:*"),),
        notes=_BY_WORD,
        check=_fault,
        looks_at=_looked_at,
    ),
    Trigger(
        "no_ancestors_analyzed",
        "No image that this one was built from has been analyzed.",
        _none_analyzed,
        notes=_KNOWN + "So does this.",
        looks_at=_looked_at,
    ),
)


class AncestryGate(NamedTuple):
    """The images this one was built from."""

    name: str = "ancestry"
    description: str = "Which base images are allowed, and which images must not be built upon."
    triggers: tuple[Trigger, ...] = _TRIGGERS

"""The manifest of an offline feed file: what it says of itself and of each feed in it. Format: see the package."""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256
from typing import IO, Any, NamedTuple

from anchorecli.feeds.lines import dump
from anchorecli.feeds.offline.frame import Places
from anchorecli.model import FeedState
from anchorecli.values import dataclass, fields, replace

FORMAT = "anchore-feeds"
FULL, DELTA = 1, 2
"""Versions of the format. A delta has one of its own: a program that knows full files alone has to refuse it."""
MANIFEST = "manifest.json"
MAX_MANIFEST = 16 << 20
_BLANK = FeedState("")
_UNSIGNED = ("digest", "signatures")


class Base(NamedTuple):
    """Where a delta of one feed starts: ``content`` is the digest of the records there (see ``store.delta``)."""

    content: str
    revision: int
    updated_at: str


class Member(NamedTuple):
    """One feed in the file: where its bytes stand, and what the manifest says of them.

    ``content`` is the digest of the feed's records at the end, empty in files from before there were deltas. ``base``
    is None where the member holds the whole feed. ``lines`` counts records and removals.
    """

    state: FeedState
    offset: int
    size: int
    digest: str
    content: str = ""
    base: Base | None = None
    lines: int = 0


class Signature(NamedTuple):
    """Who signed, and the signature of the manifest, both hex (see ``signing``)."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest whose digest has been checked. ``since`` is the revision a delta starts from, -1 for a full file."""

    version: int
    created_at: str
    digest: str
    signed: str
    """The digest of what signatures sign: the manifest without them."""
    signatures: tuple[Signature, ...]
    revision: int
    since: int
    members: tuple[Member, ...]


def describe(state: FeedState, records: int) -> dict[str, Any]:
    """A feed's state for a manifest, without what is of one store alone."""
    described = asdict(replace(state, records=records))
    del described["revision"], described["starter"]
    return described | {"ecosystems": list(state.ecosystems)}


def signed_digest(manifest: dict[str, Any]) -> str:
    """The digest of all but digest and signatures."""
    return _digest({name: value for name, value in manifest.items() if name not in _UNSIGNED})


def sealed(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest with its digest, which covers all of it."""
    return manifest | {"digest": _whole_digest(manifest)}


def read(file: IO[bytes], places: Places) -> dict[str, Any]:
    """The manifest as JSON, its format and digest checked. Raises: ValueError."""
    offset, size = places.get(MANIFEST, (0, 0))
    if not 0 < size <= MAX_MANIFEST:
        raise ValueError(f"no {MANIFEST} of a plausible size")
    file.seek(offset)
    try:
        manifest = json.loads(file.read(size))
    except RecursionError as error:
        raise ValueError(f"{MANIFEST} is nested too deep") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError(f"{MANIFEST} does not say that it is one")
    if type(manifest.get("version")) is not int:
        raise ValueError(f"{MANIFEST} names no version")
    if manifest.get("digest") != _whole_digest(manifest):
        raise ValueError(f"{MANIFEST} differs from its digest")
    return manifest


def parse(manifest: dict[str, Any], places: Places) -> Manifest:
    """A manifest of a version this program reads. Raises: ValueError where anything of it is not as it must be."""
    version = manifest["version"]
    members = tuple(_member(entry, places, version) for entry in _listed(manifest, "feeds"))
    names = [member.state.name for member in members]
    if len(members) + 1 != len(places) or len(set(names)) != len(names):
        raise ValueError("its members are not those that the manifest lists")
    return Manifest(
        version,
        _text(manifest, "created_at"),
        _text(manifest, "digest"),
        signed_digest(manifest),
        tuple(_signature(each) for each in _listed(manifest, "signatures", [])),
        _number(manifest, "revision", 0 if version == FULL else None),
        _number(manifest, "since") if version == DELTA else -1,
        members,
    )


def _whole_digest(manifest: dict[str, Any]) -> str:
    return _digest({name: value for name, value in manifest.items() if name != "digest"})


def _digest(value: dict[str, Any]) -> str:
    return sha256(dump(value).encode()).hexdigest()


def _member(entry: Any, places: Places, version: int) -> Member:
    if not isinstance(entry, dict):
        raise ValueError("feeds of the manifest holds something other than objects")
    name = _text(entry, "member")
    if name not in places:
        raise ValueError(f"{name} is missing")
    offset, size = places[name]
    state = _state(entry.get("state"))
    member = Member(state, offset, size, _text(entry, "sha256"), _text(entry, "content", ""), None, state.records)
    if version == FULL:
        return member
    if not member.content:
        raise ValueError(f"{state.name}: no digest of what the delta leads to")
    if entry.get("base") is None:
        return member
    return member._replace(base=_base(entry["base"]), lines=_number(entry, "lines"))


def _base(value: Any) -> Base:
    if not isinstance(value, dict):
        raise ValueError("a base that is no object")
    return Base(_text(value, "content"), _number(value, "revision"), _text(value, "updated_at"))


def _signature(value: Any) -> Signature:
    if not isinstance(value, dict):
        raise ValueError("a signature that is no object")
    return Signature(_text(value, "key"), _text(value, "value"))


def _state(value: Any) -> FeedState:
    """A feed's state; fields that a later version may have added are skipped."""
    if not isinstance(value, dict):
        raise ValueError("a feed without a state")
    given: dict[str, Any] = {}
    for field in fields(FeedState):
        if field.name not in value or field.name in ("revision", "starter"):
            continue
        found = value[field.name]
        if field.name == "ecosystems":
            found = tuple(_listed(value, "ecosystems"))
        given[field.name] = found
    state = FeedState(**given) if isinstance(given.get("name"), str) else FeedState("")
    if not state.name or any(type(getattr(state, each)) is not type(getattr(_BLANK, each)) for each in given):
        raise ValueError("a feed's state has fields of other types")
    if not all(isinstance(each, str) for each in state.ecosystems):
        raise ValueError("a feed's ecosystems are not all text")
    return state


def _text(value: dict[str, Any], name: str, otherwise: str | None = None) -> str:
    found = value.get(name, otherwise)
    if not isinstance(found, str):
        raise ValueError(f"{name} is not text")
    return found


def _number(value: dict[str, Any], name: str, otherwise: int | None = None) -> int:
    found = value.get(name, otherwise)
    if type(found) is not int or found < 0:
        raise ValueError(f"{name} is no number")
    return found


def _listed(value: dict[str, Any], name: str, otherwise: list[Any] | None = None) -> list[Any]:
    found = value.get(name, otherwise)
    if not isinstance(found, list):
        raise ValueError(f"{name} is not a list")
    return found

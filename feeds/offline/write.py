"""Writing offline feed files: all of some feeds, or what changed of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, NamedTuple

from anchorecli.errors import FeedError
from anchorecli.feeds.lines import dump, pack
from anchorecli.feeds.offline import frame
from anchorecli.feeds.offline.manifest import (
    DELTA,
    FORMAT,
    FULL,
    MANIFEST,
    Base,
    Signature,
    describe,
    sealed,
    signed_digest,
)
from anchorecli.feeds.record import to_json
from anchorecli.model import Advisory, FeedState

Signer = Callable[[str], Signature]
"""Signs the digest of a manifest."""

Change = Advisory | str
"""A record that came or changed, or the id of one that went."""


class FeedPart(NamedTuple):
    """One feed for a file: its records (of a delta with a ``base``: its changes), in the order of ids."""

    state: FeedState
    records: Iterable[Change]
    content: str = ""
    base: Base | None = None


class Head(NamedTuple):
    """What the file says of itself. ``since`` makes it a delta from that revision of the exporting store."""

    now: str
    revision: int = 0
    since: int = -1
    sign: Signer | None = None


def export(path: Path, feeds: Iterable[FeedPart | tuple[FeedState, Iterable[Change]]], head: Head | str) -> str:
    """Write an offline feed file and give its digest; it appears under its name once it is whole.

    The starter feed is left out, since it is no evidence. Order: records by id.

    Raises: FeedError where there is nothing to write or it cannot be written.
    """
    from tempfile import TemporaryFile

    head = Head(head) if isinstance(head, str) else head
    with frame.writing(path), ExitStack() as stack:
        written: list[tuple[dict[str, Any], IO[bytes]]] = []
        for feed in sorted((FeedPart(*each) for each in feeds), key=lambda each: each.state.name):
            if not feed.state.starter:
                file: IO[bytes] = stack.enter_context(TemporaryFile())
                written.append((_entry(file, feed, len(written)), file))
        if not written and head.since < 0:
            raise FeedError("there is no feed to export", hint="run `anchore feeds sync` first")
        manifest = _manifest(head, [entry for entry, _ in written])
        members = [(entry["member"], file) for entry, file in written]
        frame.write(path, [(MANIFEST, frame.in_memory(dump(manifest))), *members])
    return str(manifest["digest"])


def _manifest(head: Head, entries: list[dict[str, Any]]) -> dict[str, Any]:
    manifest: dict[str, Any] = {"format": FORMAT, "version": FULL, "created_at": head.now, "feeds": entries}
    if head.revision:
        manifest["revision"] = head.revision
    if head.since >= 0:
        manifest |= {"version": DELTA, "revision": head.revision, "since": head.since}
    if head.sign is not None:
        manifest["signatures"] = [head.sign(signed_digest(manifest))._asdict()]
    return sealed(manifest)


def _entry(part: IO[bytes], feed: FeedPart, number: int) -> dict[str, Any]:
    """Write one feed's member; its entry in the manifest."""
    count = 0

    def values() -> Iterator[dict[str, Any]]:
        nonlocal count
        before = ""
        for change in feed.records:
            gone = isinstance(change, str)
            identifier = change if isinstance(change, str) else change.id
            if identifier <= before:
                raise FeedError(f"{feed.state.name}: {identifier} comes after {before}", hint="export in order of ids")
            count, before = count + 1, identifier
            yield {"id": identifier, "removed": True} if gone else to_json(change)  # type: ignore[arg-type]

    digest = sha256()
    for piece in pack(values()):
        digest.update(piece)
        part.write(piece)
    entry: dict[str, Any] = {"member": f"feeds/{number:04}.jsonl.zst", "sha256": digest.hexdigest()}
    if feed.content:
        entry["content"] = feed.content
    if feed.base is None:
        return entry | {"state": describe(feed.state, count)}
    return entry | {"state": describe(feed.state, feed.state.records), "base": feed.base._asdict(), "lines": count}

"""The offline feed file: all feeds of a store in one file, for machines without a network.

Format (version 1): a plain tar of ``manifest.json`` and then one member for each feed, ``feeds/0000.jsonl.zst`` …, of
advisories as compressed lines (see ``lines`` and ``record``). The manifest names the format and its version, when the
file was made, for each member the feed's state, the number of records and the sha256 of the member's bytes, and in
``digest`` the sha256 of itself without that field. The same feeds and the same time give the same bytes.

Nothing of a file is handed on before all of it has been checked: every digest, every count, every record.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from anchorecli.errors import FeedError
from anchorecli.feeds.base import FeedSink, Progress, quiet
from anchorecli.feeds.lines import dump, pack, unpack
from anchorecli.feeds.record import from_json, to_json
from anchorecli.feeds.snapshot import problem
from anchorecli.feeds.sync import CURRENT_ONLY, SyncOutcome
from anchorecli.model import Advisory, FeedState
from anchorecli.values import dataclass, fields, replace

if TYPE_CHECKING:
    import tarfile

FORMAT = "anchore-feeds"
VERSION = 1
MANIFEST = "manifest.json"
MAX_MANIFEST = 16 << 20
MAX_MEMBERS = 10_000
_CHUNK = 256 * 1024
_BLOCK, _RECORD = 512, 10_240
"""Bytes: of a tar, whose end is two empty blocks and zeros up to a whole record."""
_FACTOR = 200
_FLOOR = 1 << 30
_DAMAGED = "make or copy the file again; nothing was imported"


class _Member(NamedTuple):
    """One feed in the file: where its bytes stand, and what the manifest says of them."""

    state: FeedState
    offset: int
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class ImportedBundle:
    """A checked offline feed file, held open; a context manager. ``created_at`` is when it was made."""

    path: Path
    created_at: str
    digest: str
    members: tuple[_Member, ...]
    file: IO[bytes]

    @property
    def states(self) -> tuple[FeedState, ...]:
        """The feeds in it, by name."""
        return tuple(member.state for member in self.members)

    def feeds(self) -> Iterator[tuple[FeedState, Iterator[Advisory]]]:
        """Each feed's state and its advisories, to be read before the next one is asked for.

        Raises: FeedError where the file was changed after it had been checked.
        """
        for member in self.members:
            yield member.state, self._records(member)

    def _records(self, member: _Member) -> Iterator[Advisory]:
        try:
            yield from _read(self.file, member)
        except (ValueError, OSError) as error:
            raise FeedError(f"{self.path} was changed while it was imported: {error}", hint=_DAMAGED) from error

    def __enter__(self) -> ImportedBundle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.file.close()


def export(path: Path, feeds: Iterable[tuple[FeedState, Iterable[Advisory]]], now: str) -> str:
    """Write the offline feed file and give its digest; it appears under its name once it is whole.

    The starter feed is left out, since it is no evidence. Order: records by id.

    Raises: FeedError where there is nothing to write or it cannot be written.
    """
    import tarfile
    from tempfile import TemporaryFile

    try:
        with ExitStack() as stack:
            parts: list[tuple[IO[bytes], dict[str, Any]]] = []
            for state, records in sorted(feeds, key=lambda feed: feed[0].name):
                if not state.starter:
                    part: IO[bytes] = stack.enter_context(TemporaryFile())
                    parts.append((part, _entry(part, state, records, len(parts))))
            if not parts:
                raise FeedError("there is no feed to export", hint="run `anchore feeds sync` first")
            manifest = {"format": FORMAT, "version": VERSION, "created_at": now, "feeds": [entry for _, entry in parts]}
            manifest["digest"] = _digest_of(manifest)
            with _appearing(path) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
                _add(tar, MANIFEST, BytesIO(dump(manifest).encode("utf-8")))
                for part, entry in parts:
                    _add(tar, entry["member"], part)
            return str(manifest["digest"])
    except OSError as error:
        raise FeedError(
            f"{path} cannot be written: {error.strerror or error}", hint="check the directory and disk"
        ) from error


def import_(path: Path) -> ImportedBundle:
    """Open an offline feed file and check all of it.

    Raises: FeedError where anything about it is wrong: then nothing of it may be used.
    """
    try:
        # Unbuffered, so that what is handed on is what the file holds then, not what was checked.
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise FeedError(f"{path} cannot be opened: {error.strerror}", hint="check the path") from error
    try:
        return _checked(path, file)
    except (ValueError, OSError) as error:
        file.close()
        raise FeedError(f"{path} is damaged or not an offline feed file: {error}", hint=_DAMAGED) from error
    except BaseException:
        file.close()
        raise


def import_into(
    path: Path, sink: FeedSink, *, allow_older: bool = False, progress: Progress = quiet
) -> tuple[SyncOutcome, ...]:
    """Check an offline feed file and hand its feeds to the store: ``import_`` and ``take_in`` in one."""
    with import_(path) as bundle:
        return tuple(take_in(bundle, sink, allow_older=allow_older, progress=progress))


def take_in(
    bundle: ImportedBundle, sink: FeedSink, *, allow_older: bool = False, progress: Progress = quiet
) -> Iterator[SyncOutcome]:
    """Hand the feeds of a checked file to the store one by one, with the dates they had when it was made.

    A feed that the store has from a later time is left alone, with a Problem, unless ``allow_older``.
    """
    for number, (state, records) in enumerate(bundle.feeds()):
        progress("store", number, len(bundle.members))
        held = sink.feed_state(state.name)
        if held is not None and not allow_older and not held.starter and held.updated_at > state.updated_at:
            text = f"{bundle.path.name} has it as of {state.updated_at}, the store as of {held.updated_at}: left out"
            yield SyncOutcome(held, None, (problem(state.name, text, incomplete=False),), 1)
            continue
        result = sink.sync_feed(state, records)
        if state.name in CURRENT_ONLY:
            sink.forget_past(state.name)
        yield SyncOutcome(replace(state, revision=result.revision), result)


def _entry(part: IO[bytes], state: FeedState, records: Iterable[Advisory], number: int) -> dict[str, Any]:
    """Write one feed's member; its entry in the manifest."""
    count, before = 0, ""

    def values() -> Iterator[dict[str, Any]]:
        nonlocal count, before
        for advisory in records:
            if advisory.id <= before:
                raise FeedError(f"{state.name}: {advisory.id} comes after {before}", hint="export in the order of ids")
            count, before = count + 1, advisory.id
            yield to_json(advisory)

    digest = sha256()
    for piece in pack(values()):
        digest.update(piece)
        part.write(piece)
    described = asdict(replace(state, records=count))
    del described["revision"], described["starter"]  # of that store alone
    return {
        "member": f"feeds/{number:04}.jsonl.zst",
        "sha256": digest.hexdigest(),
        "state": described | {"ecosystems": list(state.ecosystems)},
    }


def _digest_of(manifest: dict[str, Any]) -> str:
    return sha256(dump({name: value for name, value in manifest.items() if name != "digest"}).encode()).hexdigest()


@contextmanager
def _appearing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name only once it is whole and on the disk."""
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            # A temporary file is its owner's alone; this one is made to be carried away.
            os.umask(umask := os.umask(0))
            Path(file.name).chmod(0o666 & ~umask)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _add(tar: tarfile.TarFile, name: str, source: IO[bytes]) -> None:
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    tar.addfile(_info(name, size), source)


def _info(name: str, size: int) -> tarfile.TarInfo:
    """A header with nothing of this machine or moment in it."""
    from tarfile import TarInfo

    info = TarInfo(name)
    info.size = size
    return info


def _header(name: str, size: int) -> bytes:
    from tarfile import GNU_FORMAT

    return _info(name, size).tobuf(GNU_FORMAT)


def _checked(path: Path, file: IO[bytes]) -> ImportedBundle:
    places = _places(file)
    manifest = _manifest(file, places)
    if (version := manifest["version"]) != VERSION:
        raise FeedError(
            f"{path} has version {version} of the format, and this program reads version {VERSION}",
            hint="update this program, or export the file with the same version",
        )
    _check_frame(file, places)
    members = tuple(_member(entry, places) for entry in _listed(manifest, "feeds"))
    names = [member.state.name for member in members]
    if len(members) + 1 != len(places) or len(set(names)) != len(names):
        raise ValueError("its members are not those that the manifest lists")
    for member in members:
        for _ in _read(file, member):
            pass
    return ImportedBundle(path, _text(manifest, "created_at"), _text(manifest, "digest"), members, file)


def _places(file: IO[bytes]) -> dict[str, tuple[int, int]]:
    """Name, offset and size of each member of the tar."""
    import tarfile

    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    found: dict[str, tuple[int, int]] = {}
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for info in tar:
                if not info.isreg() or info.name in found or len(found) > MAX_MEMBERS:
                    raise ValueError("it holds members that no export writes")
                if info.offset_data + info.size > length:
                    raise ValueError("it is cut off")
                found[info.name] = (info.offset_data, info.size)
    except tarfile.TarError as error:
        raise ValueError(str(error)) from error
    return found


def _check_frame(file: IO[bytes], places: dict[str, tuple[int, int]]) -> None:
    """What no digest covers, headers and padding, is byte for byte what an export writes."""
    length, position = file.seek(0, os.SEEK_END), 0
    for name, (offset, size) in places.items():
        if _between(file, position, offset) != bytes(offset - position - _BLOCK) + _header(name, size):
            raise ValueError(f"the header of {name} is not as an export writes it")
        position = offset + size
    rest = length - position
    if length % _RECORD or not 0 <= rest - 2 * _BLOCK < _RECORD or any(_between(file, position, length)):
        raise ValueError("its end is not as an export writes it")


def _between(file: IO[bytes], start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(min(end - start, 2 * _RECORD))


def _manifest(file: IO[bytes], places: dict[str, tuple[int, int]]) -> dict[str, Any]:
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
    if not isinstance(manifest.get("version"), int):
        raise ValueError(f"{MANIFEST} names no version")
    if manifest.get("digest") != _digest_of(manifest):
        raise ValueError(f"{MANIFEST} differs from its digest")
    return manifest


def _member(entry: Any, places: dict[str, tuple[int, int]]) -> _Member:
    if not isinstance(entry, dict):
        raise ValueError("feeds of the manifest holds something other than objects")
    name = _text(entry, "member")
    if name not in places:
        raise ValueError(f"{name} is missing")
    offset, size = places[name]
    return _Member(_state(entry.get("state")), offset, size, _text(entry, "sha256"))


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


_BLANK = FeedState("")


def _read(file: IO[bytes], member: _Member) -> Iterator[Advisory]:
    """One member's records, checked against the manifest. Raises: ValueError where anything differs."""
    digest, count, before = sha256(), 0, ""

    def chunks() -> Iterator[bytes]:
        position, left = member.offset, member.size
        while left:
            file.seek(position)
            piece = file.read(min(_CHUNK, left))
            if not piece:
                raise ValueError("it is cut off")
            position, left = position + len(piece), left - len(piece)
            digest.update(piece)
            yield piece

    for value in unpack(chunks(), max(_FLOOR, member.size * _FACTOR)):
        advisory = from_json(value, member.state.name)
        if advisory.id <= before:
            raise ValueError(f"{member.state.name}: records are not in order of their ids")
        before = advisory.id
        count += 1
        yield advisory
    if digest.hexdigest() != member.digest or count != member.state.records:
        raise ValueError(f"{member.state.name}: content differs from what the manifest says")


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str):
        raise ValueError(f"{name} is not text")
    return found


def _listed(value: dict[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    if not isinstance(found, list):
        raise ValueError(f"{name} is not a list")
    return found

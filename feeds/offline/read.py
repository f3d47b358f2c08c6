"""Reading offline feed files. Nothing of one is handed on before all of it has been checked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from anchorecli.errors import FeedError
from anchorecli.feeds.lines import unpack
from anchorecli.feeds.offline import frame
from anchorecli.feeds.offline.manifest import DELTA, FULL, Manifest, Member, parse, read
from anchorecli.feeds.offline.write import Change
from anchorecli.feeds.record import from_json
from anchorecli.feeds.signing import NO_TRUST, Trust
from anchorecli.model import FeedState
from anchorecli.values import dataclass

_CHUNK = 256 * 1024
_FACTOR = 200
_FLOOR = 1 << 30
_DAMAGED = "make or copy the file again; nothing was imported"
_SKEW = timedelta(days=1)
"""How far clocks may differ."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a file has to fulfil. ``now`` (RFC 3339 UTC), when given, is the moment it cannot be from after."""

    now: str = ""
    trust: Trust = NO_TRUST


ANY = Conditions()


@dataclass(frozen=True, slots=True)
class OfflineFile:
    """A checked offline feed file, held open; a context manager."""

    path: Path
    manifest: Manifest
    file: IO[bytes]

    @property
    def members(self) -> tuple[Member, ...]:
        """The feeds in it, by name."""
        return self.manifest.members

    @property
    def created_at(self) -> str:
        """When it was made."""
        return self.manifest.created_at

    @property
    def digest(self) -> str:
        """The digest that its maker was told."""
        return self.manifest.digest

    @property
    def delta(self) -> bool:
        """Whether it holds what changed since another file."""
        return self.manifest.version == DELTA

    @property
    def states(self) -> tuple[FeedState, ...]:
        """The states of the feeds in it."""
        return tuple(member.state for member in self.members)

    def feeds(self) -> Iterator[tuple[FeedState, Iterator[Change]]]:
        """Each feed's state and its records, to be read before the next one is asked for.

        Raises: FeedError where the file was changed after it had been checked.
        """
        for member in self.members:
            yield member.state, self.records(member)

    def records(self, member: Member) -> Iterator[Change]:
        """One feed's records, or changes. Raises: FeedError where the file was changed since it was checked."""
        try:
            yield from _read(self.file, member)
        except (ValueError, OSError) as error:
            raise FeedError(f"{self.path} was changed while it was imported: {error}", hint=_DAMAGED) from error

    def __enter__(self) -> OfflineFile:
        return self

    def __exit__(self, *exc: object) -> None:
        self.file.close()


def import_(path: Path, conditions: Conditions = ANY) -> OfflineFile:
    """Open an offline feed file and check all of it.

    Raises: FeedError where anything about it is wrong: then nothing of it may be used.
    """
    try:
        # Unbuffered, so that what is handed on is what the file holds then, not what was checked.
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise FeedError(f"{path} cannot be opened: {error.strerror}", hint="check the path") from error
    try:
        return OfflineFile(path, _checked(path, file, conditions), file)
    except (ValueError, OSError) as error:
        file.close()
        raise FeedError(f"{path} is damaged or not an offline feed file: {error}", hint=_DAMAGED) from error
    except BaseException:
        file.close()
        raise


def describe(path: Path) -> Manifest:
    """What a file says of itself, its content unread; for lists of files, never to import from.

    Raises: FeedError.
    """
    try:
        with path.open("rb", buffering=0) as file:
            return _manifest(path, file)[0]
    except (ValueError, OSError) as error:
        raise FeedError(f"{path} is damaged or not an offline feed file: {error}", hint="make it again") from error


def _checked(path: Path, file: IO[bytes], conditions: Conditions) -> Manifest:
    manifest, places = _manifest(path, file)
    frame.check(file, places)
    # Who made it is asked before anything of its content is read.
    conditions.trust.check(path, manifest)
    _refuse_the_future(path, manifest, conditions.now)
    for member in manifest.members:
        for _ in _read(file, member):
            pass
    return manifest


def _manifest(path: Path, file: IO[bytes]) -> tuple[Manifest, frame.Places]:
    places = frame.places(file)
    manifest = read(file, places)
    if (version := manifest["version"]) not in (FULL, DELTA):
        raise FeedError(
            f"{path} has version {version} of the format, and this program reads versions {FULL} and {DELTA}",
            hint="update this program, or export the file with the same version",
        )
    return parse(manifest, places), places


def _refuse_the_future(path: Path, manifest: Manifest, now: str) -> None:
    """A date to come would make everything made until then look outdated."""
    if not now:
        return
    latest = _moment(now) + _SKEW
    for text in (manifest.created_at, *(member.state.updated_at for member in manifest.members)):
        if text and _moment(text) > latest:
            raise FeedError(
                f"{path} is from the future: it says {text}, and it is {now}",
                hint="check this machine's clock, and where the file comes from; nothing was imported",
            )


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text} names no time zone")
    return found


def _read(file: IO[bytes], member: Member) -> Iterator[Change]:
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
        change = _change(value, member)
        identifier = change if isinstance(change, str) else change.id
        if identifier <= before:
            raise ValueError(f"{member.state.name}: records are not in order of their ids")
        before = identifier
        count += 1
        yield change
    if digest.hexdigest() != member.digest or count != member.lines:
        raise ValueError(f"{member.state.name}: content differs from what the manifest says")


def _change(value: Any, member: Member) -> Change:
    if member.base is None or not isinstance(value, dict) or "removed" not in value:
        return from_json(value, member.state.name)
    identifier = value.get("id")
    if not isinstance(identifier, str) or not identifier or value["removed"] is not True:
        raise ValueError(f"{member.state.name}: a removal without an id")
    return identifier

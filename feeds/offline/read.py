"""Reading offline feed files. Nothing of one is handed on before all of it has been checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from anchorecli.errors import FeedError
from anchorecli.feeds.lines import unpack
from anchorecli.feeds.offline import frame
from anchorecli.feeds.offline.manifest import DELTA, FULL, Manifest, Member, parse, read
from anchorecli.feeds.offline.write import Change
from anchorecli.feeds.signing import NO_TRUST, Trust
from anchorecli.feeds.sound import build, check
from anchorecli.model import FeedState
from anchorecli.values import dataclass

_CHUNK = 256 * 1024
_FACTOR = 200
_FLOOR = 1 << 30
_DAMAGED = "make or copy the file again; nothing was imported"
_SKEW = timedelta(days=1)
"""How far clocks may differ."""

Pieces = list[bytes]
"""SHA-256 of a member's bytes, piece by piece."""


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
    pieces: Mapping[int, Pieces]
    """What was checked of the member that begins there."""

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
        name = member.state.name
        try:
            for value in unpack(self._checked_pieces(member), _most(member)):
                # No byte of it differs from what was checked.
                yield value["id"] if member.base is not None and "removed" in value else build(value, name)
        except (ValueError, OSError) as error:
            raise FeedError(f"{self.path} was changed while it was imported: {error}", hint=_DAMAGED) from error

    def _checked_pieces(self, member: Member) -> Iterator[bytes]:
        expected = self.pieces[member.offset]
        for number, piece in enumerate(_pieces(self.file, member)):
            if sha256(piece).digest() != expected[number]:
                raise ValueError(f"{member.state.name}: other bytes than before")
            yield piece

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
        return OfflineFile(path, *_checked(path, file, conditions))
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


def _checked(path: Path, file: IO[bytes], conditions: Conditions) -> tuple[Manifest, IO[bytes], dict[int, Pieces]]:
    manifest, places = _manifest(path, file)
    frame.check(file, places)
    # Who made it is asked before anything of its content is read.
    conditions.trust.check(path, manifest)
    _refuse_the_future(path, manifest, conditions.now)
    return manifest, file, {member.offset: _check(file, member) for member in manifest.members}


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


def _check(file: IO[bytes], member: Member) -> Pieces:
    """Check one member's records against the manifest. Raises: ValueError where anything differs."""
    digest, count, before = sha256(), 0, ""
    pieces: Pieces = []

    def noted() -> Iterator[bytes]:
        for piece in _pieces(file, member):
            digest.update(piece)
            pieces.append(sha256(piece).digest())
            yield piece

    for value in unpack(noted(), _most(member)):
        _check_change(value, member)
        if (identifier := value["id"]) <= before:
            raise ValueError(f"{member.state.name}: records are not in order of their ids")
        before = identifier
        count += 1
    if digest.hexdigest() != member.digest or count != member.lines:
        raise ValueError(f"{member.state.name}: content differs from what the manifest says")
    return pieces


def _pieces(file: IO[bytes], member: Member) -> Iterator[bytes]:
    """A member's bytes, always cut at the same places."""
    for start in range(member.offset, member.offset + member.size, _CHUNK):
        file.seek(start)
        wanted = min(_CHUNK, member.offset + member.size - start)
        piece = b""
        while len(piece) < wanted:
            more = file.read(wanted - len(piece))
            if not more:
                raise ValueError("it is cut off")
            piece += more
        yield piece


def _most(member: Member) -> int:
    return max(_FLOOR, member.size * _FACTOR)


def _check_change(value: Any, member: Member) -> None:
    if member.base is None or not isinstance(value, dict) or "removed" not in value:
        check(value)
        return
    identifier = value.get("id")
    if not isinstance(identifier, str) or not identifier or value["removed"] is not True:
        raise ValueError(f"{member.state.name}: a removal without an id")

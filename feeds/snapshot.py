"""What a feed's upstream publishes at one moment, held as bytes: one file, a zip, a directory, or several downloads.

A snapshot knows where it came from and its digest, and gives its members one after the other. Names of members are
keys for messages; nothing is ever written under one of them. Files may be packed by gzip, zstd, bzip2 or xz, and zips
and tars (packed or not) stand for what they hold.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from anchorecli.errors import FeedError, LimitError
from anchorecli.feeds.tars import BLOCK, Member, Members, is_tar
from anchorecli.feeds.zips import Budget, Entry, MemberStream, entries
from anchorecli.model import Problem
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Download

MAX_RECORD = 64 << 20
"""Bytes of one member that is read whole; the largest known advisory has 4 MB."""
MAX_STREAM = 2 << 30
"""Bytes of one member that is read as a stream."""
_CHUNK = 256 * 1024
_XZ_MEMORY = 128 << 20
_PACKED = ("gz", "bz2", "xz", "zst")
_TOTAL_FACTOR = 200
_TAR_FACTOR = 1000
"""Members of a tar are packed together: records that are all alike reach 100."""
_TOTAL_FLOOR = 256 << 20

Wanted = Callable[[str], bool]


class Readable(Protocol):
    """The part of a binary file that parsers use."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes, empty at the end."""


class Source(Protocol):
    """Where a snapshot's members come from; can be walked more than once."""

    def streams(self, wanted: Wanted, limit: int) -> Iterator[tuple[str, Readable] | Problem]:
        """Each wanted member, to be read before the next one is asked for."""

    def close(self) -> None:
        """Give files back."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of upstream's data. ``digest`` is the sha256 (hex) of the raw bytes, ``size`` their number.

    For several files ``digest`` is taken over the sorted lines ``NAME TAB DIGEST``. ``etag`` and ``last_modified``
    are what upstream wants to be shown next time.
    """

    url: str
    digest: str
    size: int
    source: Source
    etag: str = ""
    last_modified: str = ""
    problems: tuple[Problem, ...] = ()
    """What could not be obtained."""
    partial: bool = False
    """Only what changed since the state that ``fetch`` was given: what it does not name stays as it is."""

    def streams(self, wanted: Wanted = lambda name: True) -> Iterator[tuple[str, Readable] | Problem]:
        """Members as streams, for those too large to hold."""
        return self.source.streams(wanted, MAX_STREAM)

    def members(self, wanted: Wanted = lambda name: True) -> Iterator[tuple[str, bytes] | Problem]:
        """Members as bytes; one that cannot be read is a Problem in its place."""
        for item in self.source.streams(wanted, MAX_RECORD):
            if isinstance(item, Problem):
                yield item
                continue
            try:
                yield item[0], item[1].read()
            except (ValueError, OSError) as error:  # LimitError is a ValueError
                yield problem(f"{self.url}: {item[0]}", str(error))

    def close(self) -> None:
        """Give files back."""
        self.source.close()


def problem(subject: str, message: str, *, incomplete: bool = True) -> Problem:
    """A Problem of the feeds stage."""
    return Problem("feeds", subject, message, "", incomplete)


def from_download(download: Download) -> Snapshot:
    """A snapshot of one downloaded file, whatever it is packed in."""
    source = _source(download.file, download.url, download.url.rpartition("/")[2] or "data", download.size)
    return Snapshot(download.url, download.digest, download.size, source, download.etag, download.last_modified)


def from_downloads(url: str, parts: Mapping[str, Download], etag: str, problems: tuple[Problem, ...] = ()) -> Snapshot:
    """A snapshot of several downloads, each a member by the name given. Raises: FeedError for none at all."""
    if not parts:
        raise FeedError(f"{url}: none of the files that make up the feed is there", hint="check the base URL")
    digest = _combined((name, each.digest) for name, each in parts.items())
    sources = tuple(_source(parts[name].file, each.url, name, each.size) for name, each in sorted(parts.items()))
    newest = max((each.last_modified for each in parts.values()), key=http_date)
    size = sum(each.size for each in parts.values())
    return Snapshot(url, digest, size, _Several(sources), etag, newest, problems)


def from_path(path: Path, order: Callable[[str], Any] | None = None) -> Snapshot:
    """A snapshot of a file, zip, tar or directory that somebody brought here by other means.

    ``order`` is the sort key by which a directory's files are walked, where their names are not.

    Raises: FeedError where there is nothing to read.
    """
    try:
        if path.is_dir():
            return _from_directory(path, order)
        if path.exists() and not path.is_file():
            raise FeedError(f"{path} is neither a file nor a directory", hint="check the path given to --from")
        file = path.open("rb")
    except OSError as error:
        raise FeedError(f"{path} cannot be opened: {error.strerror}", hint="check the path given to --from") from error
    digest, size = _digest(file)
    if not size:
        file.close()
        raise FeedError(f"{path} is empty", hint="fetch or copy it again")
    return Snapshot(path.resolve().as_uri(), digest, size, _source(file, str(path), path.name, size))


def unpacked_name(name: str) -> str:
    """A member's name without the ending that only says how it is packed: ``a.xml`` of ``a.xml.bz2``."""
    stem, dot, ending = name.rpartition(".")
    return stem if dot and ending in _PACKED else name


def http_date(text: str) -> str:
    """A Last-Modified value as RFC 3339 UTC, or empty."""
    from datetime import UTC
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, TypeError, OverflowError):
        return ""


@dataclass(frozen=True, slots=True)
class _Single:
    """One file, perhaps compressed as a whole (gzip, zstd, bzip2 or xz)."""

    file: IO[bytes]
    name: str
    kind: str

    def streams(self, wanted: Wanted, limit: int) -> Iterator[tuple[str, Readable] | Problem]:
        name = unpacked_name(self.name) if self.kind else self.name
        if wanted(name):
            self.file.seek(0)
            yield name, _Bounded(_inflated(self.file, self.kind), limit)

    def close(self) -> None:
        self.file.close()


@dataclass(frozen=True, slots=True)
class _Zip:
    file: IO[bytes]
    subject: str
    size: int

    def streams(self, wanted: Wanted, limit: int) -> Iterator[tuple[str, Readable] | Problem]:
        budget = Budget(max(_TOTAL_FLOOR, self.size * _TOTAL_FACTOR))
        for entry in entries(self.file, self.subject):
            if not wanted(entry.name):
                continue
            opened = self._open(entry, limit, budget)
            yield opened if isinstance(opened, Problem) else (entry.name, opened)

    def _open(self, entry: Entry, limit: int, budget: Budget) -> MemberStream | Problem:
        try:
            return MemberStream(self.file, entry, limit, budget, self.subject)
        except ValueError as error:
            return problem(f"{self.subject}: {entry.name}", str(error))

    def close(self) -> None:
        self.file.close()


@dataclass(frozen=True, slots=True)
class _Tar:
    """A tar, perhaps compressed as a whole."""

    file: IO[bytes]
    subject: str
    kind: str
    size: int

    def streams(self, wanted: Wanted, limit: int) -> Iterator[tuple[str, Readable] | Problem]:
        self.file.seek(0)
        budget = Budget(max(_TOTAL_FLOOR, self.size * _TAR_FACTOR))
        members = Members(_inflated(self.file, self.kind), budget, self.subject)
        try:
            for name, size in members:
                if wanted(name):
                    yield name, Member(members, size, limit)
        except ValueError as error:
            raise FeedError(f"{self.subject} is a damaged tar file: {error}", hint="fetch or copy it again") from error

    def close(self) -> None:
        self.file.close()


@dataclass(frozen=True, slots=True)
class _Several:
    """Sources one after the other."""

    parts: tuple[Source, ...]

    def streams(self, wanted: Wanted, limit: int) -> Iterator[tuple[str, Readable] | Problem]:
        for source in self.parts:
            yield from source.streams(wanted, limit)

    def close(self) -> None:
        for source in self.parts:
            source.close()


@dataclass(frozen=True, slots=True)
class _Directory:
    root: Path
    names: tuple[str, ...]

    def streams(self, wanted: Wanted, limit: int) -> Iterator[tuple[str, Readable] | Problem]:
        for name in self.names:
            try:
                file = (self.root / name).open("rb")
            except OSError as error:
                yield problem(f"{self.root}: {name}", f"cannot be opened: {error.strerror}")
                continue
            with file:
                source = _source(file, f"{self.root}: {name}", name, os.fstat(file.fileno()).st_size)
                yield from source.streams(wanted, limit)

    def close(self) -> None:
        return None


class _Bounded:
    """A stream over pieces that refuses to give more than ``limit`` bytes."""

    def __init__(self, pieces: Iterator[bytes], limit: int) -> None:
        self._pieces = pieces
        self._left = limit
        self._limit = limit

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join(iter(self._piece, b""))
        return self._piece()

    def _piece(self) -> bytes:
        piece = next(self._pieces, b"")
        self._left -= len(piece)
        if self._left < 0:
            raise LimitError(f"more than {self._limit} bytes")
        return piece


def _source(file: IO[bytes], subject: str, name: str, size: int) -> Source:
    from anchorecli.compression import sniff

    file.seek(0)
    head = file.read(8)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _Zip(file, subject, size)
    kind = sniff(head)
    if _holds_tar(file, kind):
        return _Tar(file, subject, kind, size)
    return _Single(file, name, kind)


def _holds_tar(file: IO[bytes], kind: str) -> bool:
    file.seek(0)
    head = b""
    try:
        for piece in _inflated(file, kind):
            head += piece
            if len(head) >= BLOCK:
                break
    except ValueError:
        return False  # told by whoever reads it
    return is_tar(head[:BLOCK])


def _inflated(file: IO[bytes], kind: str) -> Iterator[bytes]:
    from anchorecli.compression import inflate

    chunks = iter(lambda: file.read(_CHUNK), b"")
    if kind not in ("bzip2", "xz"):
        yield from inflate(chunks, kind)
        return
    yield from _unpacked(chunks, kind)


def _unpacked(chunks: Iterator[bytes], kind: str) -> Iterator[bytes]:
    """bzip2 and xz: one stream or several, a piece at a time."""
    import bz2
    import lzma

    def new() -> bz2.BZ2Decompressor | lzma.LZMADecompressor:
        # An xz header may ask for gigabytes before the first byte comes out.
        return bz2.BZ2Decompressor() if kind == "bzip2" else lzma.LZMADecompressor(memlimit=_XZ_MEMORY)

    stream, started = new(), False
    try:
        for chunk in chunks:
            data = chunk
            while data or not (stream.eof or stream.needs_input):
                if stream.eof:
                    if not data.strip(b"\0"):
                        break
                    stream = new()
                started = True
                if out := stream.decompress(data, _CHUNK):
                    yield out
                data = stream.unused_data if stream.eof else b""
    except (OSError, EOFError, MemoryError, lzma.LZMAError) as error:
        raise ValueError(f"damaged {kind} stream: {error}") from error
    if started and not stream.eof:
        raise ValueError(f"damaged {kind} stream: it ends early")


def _from_directory(path: Path, order: Callable[[str], Any] | None) -> Snapshot:
    names, lines, total = [], [], 0
    for folder, folders, files in os.walk(path):
        # .git holds no data of a feed, and as many files again.
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for each in sorted(files):
            found = Path(folder, each)
            if each.startswith(".") or not found.is_file():
                continue
            with found.open("rb") as file:
                digest, size = _digest(file)
            name = found.relative_to(path).as_posix()
            names.append(name)
            lines.append((name, digest))
            total += size
    if not names:
        raise FeedError(f"{path} holds no files", hint="check the path given to --from")
    return Snapshot(path.resolve().as_uri(), _combined(lines), total, _Directory(path, tuple(sorted(names, key=order))))


def _combined(lines: Iterable[tuple[str, str]]) -> str:
    text = "".join(f"{name}\t{digest}\n" for name, digest in sorted(lines))
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _digest(file: IO[bytes]) -> tuple[str, int]:
    digest, size = sha256(), 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    file.seek(0)
    return digest.hexdigest(), size

"""Image archives on disk: an index of the outer tar made by seeking from header to header, and what a file looks like.

Nothing is extracted: a member is an offset and a length in the file, read with ``pread``. Members may stand in any
order, with or without directory entries. A tar that was compressed as a whole cannot be sought in, so it is inflated
to an unnamed temporary file first.

Format: POSIX.1-2017 pax (ustar headers, ``path``/``size``/``linkpath`` records) and GNU tar (``L``/``K`` long names,
base-256 sizes). Not handled: sparse members; they are refused when asked for.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

from anchorecli import compression
from anchorecli.errors import IntegrityError, NotFoundError, SourceError

BLOCK = 512
MAX_MEMBERS = 200_000
MAX_LONG_NAME = 64 * 1024
MAX_HOPS = 10
MAX_INFLATED = 64 << 30
MAX_RATIO = 200
"""A whole archive that inflates to more than this many times its size (past the first GiB) is taken for a bomb."""

_REGULAR = b"0\0007"
_SPARSE = -1

_LOOKS_LIKE = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\x7fELF", "an ELF program"),
    (b"!<arch>\ndebian", "a Debian package"),
    (b"\xed\xab\xee\xdb", "an rpm package"),
    (b"hsqs", "a squashfs file system"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"#!", "a script"),
    (b"\x04\x22\x4d\x18", "an lz4 stream"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"QFI\xfb", "a qcow2 disk image"),
)


class Archive:
    """The index of one archive file; a context manager that holds the file open.

    ``inflated`` is True where the file was compressed as a whole; ``listed`` False leaves the index empty. Raises:
    NotFoundError, SourceError for what is no tar, IntegrityError for a damaged or truncated one.
    """

    def __init__(self, path: Path, *, listed: bool = True) -> None:
        self.path = path
        self._temporary: IO[bytes] | None = None
        self.fd = open_regular(path)
        self.inflated = False
        self.terminated = False
        """Whether the end-of-archive marker was seen."""
        self.large = False
        """Whether there are more members than an image archive has: the index ends before them."""
        self._members: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        try:
            self._open(listed)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        temporary, self._temporary = self._temporary, None
        if temporary is not None:
            temporary.close()
        elif self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def __contains__(self, name: str) -> bool:
        return self._resolve(name) in self._members

    def names(self) -> Iterator[str]:
        """The names of all members and links."""
        yield from self._members
        yield from self._links

    def locate(self, name: str) -> tuple[int, int] | None:
        """(offset, length) of a regular member, through symbolic and hard links; None where it is not there."""
        found = self._members.get(self._resolve(name))
        if found is not None and found[1] == _SPARSE:
            raise SourceError(f"{self.path}: {name} is stored sparse", hint="pack the archive again without --sparse")
        return found

    def read(self, name: str, limit: int) -> bytes | None:
        """A small member's bytes; None where it is not there. Raises: IntegrityError past ``limit``."""
        place = self.locate(name)
        if place is None:
            return None
        if place[1] > limit:
            raise IntegrityError(f"{self.path}: {name} has {place[1]} bytes, more than the {limit} allowed")
        data = os.pread(self.fd, place[1], place[0])
        if len(data) != place[1]:
            raise _truncated(self.path, name)
        return data

    def _resolve(self, name: str) -> str:
        for _ in range(MAX_HOPS):
            if name in self._members or name not in self._links:
                return name
            name = self._links[name]
        return name

    def _open(self, listed: bool) -> None:
        head = os.pread(self.fd, BLOCK, 0)
        if not head:
            raise IntegrityError(f"{self.path} is empty", hint="save the image again")
        kind = compression.sniff(head)
        if kind:
            self._inflate(kind)
            head = os.pread(self.fd, BLOCK, 0)
        if not _is_header(head) and head.strip(b"\0"):
            raise SourceError(
                f"{self.path} is not an image archive: it looks like {_describe(head, kind)}",
                hint="give a tar made by docker save, podman save or skopeo copy, or a directory",
            )
        if listed:
            _Walk(self.fd, self.path).into(self)

    def _inflate(self, kind: str) -> None:
        import tempfile

        temporary = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        size = os.fstat(self.fd).st_size
        limit = min(MAX_INFLATED, max(1 << 30, size * MAX_RATIO))
        source, self.fd, self._temporary, self.inflated = self.fd, temporary.fileno(), temporary, True
        written = 0
        try:
            for piece in _inflated(_file_chunks(source), kind):
                written += len(piece)
                if written > limit:
                    raise IntegrityError(f"{self.path} inflates to more than {limit} bytes", hint="inflate it yourself")
                temporary.write(piece)
            temporary.flush()
        except ValueError as error:
            raise IntegrityError(
                f"{self.path}: {error}", hint="the file is truncated or damaged: copy it again"
            ) from error
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise SourceError(
                f"{self.path}: no space left to inflate it", hint="inflate it yourself, or set TMPDIR to a larger disk"
            ) from error
        finally:
            os.close(source)


class _Walk:
    """One pass over the headers of a tar; keeps what extension headers said about the next member."""

    def __init__(self, fd: int, path: Path) -> None:
        self._fd = fd
        self._path = path
        self._size = os.fstat(fd).st_size
        self._extra: dict[str, str] = {}

    def into(self, archive: Archive) -> None:
        """Fill the archive's index."""
        offset = count = 0
        while True:
            header = os.pread(self._fd, BLOCK, offset)
            if len(header) < BLOCK:
                if header.strip(b"\0"):
                    raise _truncated(self._path, f"the header at byte {offset}")
                return
            if not header.strip(b"\0"):
                archive.terminated = True
                return
            if not _is_header(header):
                raise IntegrityError(f"{self._path} is damaged: no tar header at byte {offset}", hint="copy it again")
            count += 1
            if count > MAX_MEMBERS:
                archive.large = True
                return
            offset = self._member(header, offset + BLOCK, archive)

    def _member(self, header: bytes, offset: int, archive: Archive) -> int:
        """Note one member; the offset of the next header."""
        kind = header[156:157]
        name, size = self._name(header), self._number(header[124:136], offset)
        if kind in b"LKxg":
            if offset + size > self._size:
                raise _truncated(self._path, f"the long name at byte {offset}")
            self._extension(kind, offset, size)
            return offset + _padded(size)
        extra, self._extra = self._extra, {}
        stated = extra.get("size", "")
        if stated.isascii() and stated.isdigit() and len(stated) < 20:
            size = int(stated)
        name = _clean(extra.get("path", name))
        if kind in b"12":
            target = extra.get("linkpath", _text(header[157:257]))
            archive._members.pop(name, None)
            archive._links[name] = _clean(target if kind == b"1" else posixpath.join(posixpath.dirname(name), target))
            return offset  # a link has no content, whatever its size says
        if kind in b"3456":
            return offset
        if kind == b"S":
            offset = self._after_sparse_map(header, offset)
        if offset + size > self._size:
            raise _truncated(self._path, name)
        if kind in _REGULAR or kind == b"S":
            sparse = kind == b"S" or any(key.startswith("GNU.sparse.") for key in extra)
            archive._links.pop(name, None)
            archive._members[name] = (offset, _SPARSE if sparse else size)
        return offset + _padded(size)

    def _extension(self, kind: bytes, offset: int, size: int) -> None:
        if size > MAX_LONG_NAME and kind != b"g":
            raise IntegrityError(f"{self._path} is damaged: a member name of {size} bytes at byte {offset}")
        if kind == b"g":  # applies to every member; none of our keys make sense there
            return
        data = os.pread(self._fd, size, offset)
        if kind == b"x":
            self._extra |= _pax(data)
        else:
            self._extra["path" if kind == b"L" else "linkpath"] = _text(data)

    def _after_sparse_map(self, header: bytes, offset: int) -> int:
        """Where the content of an old GNU sparse member begins: its map may go on in blocks of its own."""
        more = header[482]
        while more and offset < self._size:
            more = (os.pread(self._fd, BLOCK, offset) + bytes(BLOCK))[504]
            offset += BLOCK
        return offset

    def _name(self, header: bytes) -> str:
        name = _text(header[:100])
        # GNU's magic is "ustar  "; there the prefix field holds times.
        if header[257:263] == b"ustar\0" and header[345]:
            return f"{_text(header[345:500])}/{name}"
        return name

    def _number(self, field: bytes, offset: int) -> int:
        if field[0] & 0x80:  # base-256; what is negative or larger than the file is cut off below
            return int.from_bytes(field[1:], "big") if field[0] == 0x80 else self._size + 1
        digits = field.strip(b" \0") or b"0"
        if digits.strip(b"01234567"):
            raise IntegrityError(f"{self._path} is damaged: a bad size before byte {offset}", hint="copy it again")
        return int(digits, 8)


def open_regular(path: Path) -> int:
    """A descriptor of a regular file. Raises: NotFoundError, SourceError for anything else."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NotFoundError(f"no such file: {path}") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be opened: {error.strerror}") from error
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        what = "a directory" if stat.S_ISDIR(mode) else "a device, pipe or socket"
        raise SourceError(f"{path} is {what}, not an archive file", hint="write dir: or oci-dir: for a directory")
    return fd


def _file_chunks(fd: int) -> Iterator[bytes]:
    offset = 0
    while chunk := os.pread(fd, compression.CHUNK, offset):
        offset += len(chunk)
        yield chunk


def _inflated(chunks: Iterator[bytes], kind: str) -> Iterator[bytes]:
    if kind in (compression.GZIP, compression.ZSTD):
        yield from compression.inflate(chunks, kind)
        return
    import bz2
    import lzma

    stream: bz2.BZ2Decompressor | lzma.LZMADecompressor
    stream = bz2.BZ2Decompressor() if kind == "bzip2" else lzma.LZMADecompressor(memlimit=1 << 30)
    try:
        for chunk in chunks:
            data = chunk
            while not stream.eof:
                out = stream.decompress(data, compression.MAX_OUT)
                yield out
                data = b""
                if not out and stream.needs_input:
                    break
    except (OSError, lzma.LZMAError) as error:
        raise ValueError(f"damaged {kind} stream: {error}") from error
    if not stream.eof:
        raise ValueError(f"damaged {kind} stream: it ends early")


def _is_header(block: bytes) -> bool:
    if len(block) < BLOCK:
        return False
    try:
        stored = int(block[148:156].strip(b" \0") or b"0", 8)
    except ValueError:
        return False
    return stored == sum(block[:148]) + sum(block[156:]) + 8 * 0x20


def _pax(data: bytes) -> dict[str, str]:
    """The records of a pax header: ``LENGTH key=value\\n``; what is malformed ends the list."""
    records: dict[str, str] = {}
    position = 0
    while position < len(data):
        length, blank, _ = data[position : position + 20].partition(b" ")
        if not blank or not length.isdigit() or int(length) <= len(length) + 1:
            break
        key, _, value = data[position + len(length) + 1 : position + int(length) - 1].partition(b"=")
        records[key.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        position += int(length)
    return records


def _describe(head: bytes, compressed: str) -> str:
    inside = f"{compressed} data with " if compressed else ""
    for magic, what in _LOOKS_LIKE:
        if head.startswith(magic):
            return inside + what
    if b"SIF_MAGIC" in head[:64]:
        return inside + "a Singularity image"
    if not head.strip(b"\t\n\r\f" + bytes(range(32, 127))):
        return inside + ("JSON text" if head.lstrip()[:1] in (b"{", b"[") else "text")
    return inside + ("no tar inside" if compressed else "unknown binary data")


def _truncated(path: Path, name: str) -> IntegrityError:
    return IntegrityError(f"{path} is truncated: {name} is incomplete", hint="copy or save the image again")


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _clean(name: str) -> str:
    return posixpath.normpath("/" + name).lstrip("/")


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK

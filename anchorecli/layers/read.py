"""One layer, read once: inflate and hash in threads of their own, walk here, verify both digests, report damage.

Where a layer is an uncompressed slice of a local file the walk jumps from header to header and only the hashing thread
reads every byte.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol, Self

from anchorecli import compression
from anchorecli.errors import IntegrityError, LimitError
from anchorecli.layerindex import COMPACT_FROM, LayerIndex
from anchorecli.layers.capabilities import XATTR, capabilities
from anchorecli.layers.content import STEP, WHOLE_BYTES, FileContent, SliceReader, StreamReader
from anchorecli.layers.tar import Limits, TarDamage, TarWalker, Visitor
from anchorecli.model import DiffId, Layer, Problem
from anchorecli.values import dataclass

QUEUED_CHUNKS = 8
RATIO, RATIO_FROM = 1100, 64 << 30
"""What a layer may inflate to, as a multiple of its size, beyond so many bytes: gzip reaches 1,032 with zeros alone,
zstd thirty times that."""


class Blob(Protocol):
    """The bytes of one layer as its source has them."""

    @property
    def digest(self) -> str:
        """Expected sha256 of these bytes; empty where the source does not know."""

    def file(self) -> tuple[int, int, int] | None:
        """(file descriptor, offset, length) where the bytes are a slice of a local regular file."""

    def chunks(self, size: int = compression.CHUNK) -> Iterator[bytes]:
        """The bytes in order."""

    def close(self) -> None:
        """Give back what the blob holds."""


class Directory(Protocol):
    """A directory on the host in the role of a layer."""

    def walk(self) -> Iterator[tuple[str, os.stat_result, str]]:
        """(path, lstat, link target) of everything below the root."""

    def open(self, path: str) -> BinaryIO:
        """A regular file's content."""

    def attribute(self, path: str, name: str) -> bytes:
        """An extended attribute of a file, empty where it has none."""


@dataclass(slots=True)
class LayerRead:
    """What one pass gave. ``digest`` and ``size`` are those of the stored bytes; ``complete`` is False where a limit
    or damage ended the walk early (the digests were verified nevertheless)."""

    index: LayerIndex
    digest: str
    size: int
    inflated: int
    problems: tuple[Problem, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every entry was seen."""
        return not self.problems


def read_layer(blob: Blob, layer: Layer, visitor: Visitor, limits: Limits | None = None) -> LayerRead:
    """Walk one layer and verify it.

    Raises: IntegrityError where a digest does not hold or the compressed stream is damaged: nothing of such a layer
    may be kept.
    """
    limits = limits or Limits()
    part = blob.file()
    if part is not None and compression.sniff(os.pread(part[0], min(6, part[2]), part[1])) == compression.PLAIN:
        return _read_slice(blob, part, layer, visitor, limits)
    return _read_stream(blob, layer, visitor, limits)


def read_directory(directory: Directory, visitor: Visitor, limits: Limits | None = None) -> LayerRead:
    """Walk a directory as if it were a layer."""
    limits = limits or Limits()
    index = LayerIndex()
    total = 0
    problems: tuple[Problem, ...] = ()
    for path, info, target in directory.walk():
        if len(index.paths) >= limits.entries:
            problems = (_cut_short("dir", f"more than {limits.entries} entries (limit limits.entries)", "limit_hit"),)
            break
        if len(index.paths) == COMPACT_FROM:
            index.compact()
        kind = _stat_kind(info.st_mode)
        if target:
            index.targets[len(index.paths)] = target
        size = info.st_size if kind == "f" else 0
        mode = info.st_mode & 0o7777
        index.add(path, kind, (mode, info.st_uid, info.st_gid), size)
        total += size
        # Nothing that cannot be run has use for capabilities.
        if kind == "f" and mode & 0o111 and (able := directory.attribute(path, XATTR)):
            index.capabilities[len(index.paths) - 1] = capabilities(able)
        token = visitor.wants(path, size, mode) if kind == "f" else None
        if token is not None or (kind == "f" and limits.digests):
            digest = _visit_host_file(directory, visitor, token, (path, size, mode), limits.digests)
            if digest is not None:
                index.digests[len(index.paths) - 1] = digest
    return LayerRead(index, "", 0, total, problems)


# ── a compressed or remote layer ────────────────────────────────────────────────────────────────────────────


def _read_stream(blob: Blob, layer: Layer, visitor: Visitor, limits: Limits) -> LayerRead:
    stored, diff = hashlib.sha256(), hashlib.sha256()
    with _Hasher() as hasher, _Inflater(blob, layer, limits, lambda chunk: hasher.add(stored, chunk)) as inflater:
        reader = StreamReader(iter(inflater), lambda chunk: hasher.add(diff, chunk))
        walker = TarWalker(reader, visitor, limits)
        problems = _walk(walker, layer)
        reader.drain()
    digest = f"sha256:{stored.hexdigest()}"
    _verify(layer, blob, digest, f"sha256:{diff.hexdigest()}")
    return LayerRead(walker.index, digest, inflater.size, inflater.inflated, problems)


class _Hasher:
    """A thread that does the hashing for others, who so have a core each: it lets Python run while it works."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[hashlib._Hash, bytes] | None] = queue.Queue(QUEUED_CHUNKS)
        self._thread = threading.Thread(target=self._run, name="hash", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        self._thread.join()

    def add(self, sha: hashlib._Hash, chunk: bytes) -> None:
        """Hash some bytes soon, those of one hash in order; all are hashed once the block is left."""
        self._queue.put((sha, chunk))

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            item[0].update(item[1])


class _Inflater:
    """A thread that reads and inflates a blob; iterating gives its output. Errors surface in the iteration.

    ``seen`` is called once with each chunk of the stored bytes.
    """

    def __init__(self, blob: Blob, layer: Layer, limits: Limits, seen: Callable[[bytes], None]) -> None:
        self.size = 0
        self._seen = seen
        self.inflated = 0
        self._blob = blob
        self._name = layer.digest or layer.diff_id
        self._limit = limits.layer_bytes
        self._queue: queue.Queue[bytes | BaseException | None] = queue.Queue(QUEUED_CHUNKS)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inflate", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        while self._thread.is_alive():
            try:
                self._queue.get(timeout=0.05)
            except queue.Empty:
                pass
        self._thread.join()

    def __iter__(self) -> Iterator[bytes]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def _run(self) -> None:
        try:
            chunks = self._chunks()
            first = next(chunks, b"")
            kind = compression.sniff(first)
            for piece in compression.inflate(_chain(first, chunks), kind):
                self.inflated += len(piece)
                if self.inflated > self._limit:
                    raise LimitError(f"more than {self._limit} bytes inflated (limit limits.layer-bytes)")
                if self.inflated > RATIO_FROM and self.inflated > RATIO * self.size:
                    raise LimitError(f"it inflates to more than {RATIO} times its size")
                if self._stopped.is_set():
                    return
                self._queue.put(piece)
            self._queue.put(None)
        except (ValueError, OSError) as exc:
            hint = "pull or save the image again"
            self._queue.put(IntegrityError(f"layer {self._name}: {exc}", hint=hint))
        except BaseException as exc:  # noqa: BLE001 - handed to the thread that waits for us
            self._queue.put(exc)

    def _chunks(self) -> Iterator[bytes]:
        for chunk in self._blob.chunks():
            self._seen(chunk)
            self.size += len(chunk)
            yield chunk


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


# ── an uncompressed layer in a local file ───────────────────────────────────────────────────────────────────


def _read_slice(blob: Blob, part: tuple[int, int, int], layer: Layer, visitor: Visitor, limits: Limits) -> LayerRead:
    fd, offset, length = part
    sha = hashlib.sha256()
    stopped, faults = threading.Event(), list[OSError]()
    hasher = threading.Thread(target=_hash_slice, args=(sha, part, stopped, faults), name="hash", daemon=True)
    hasher.start()
    walker = TarWalker(SliceReader(fd, offset, length), visitor, limits)
    try:
        problems = _walk(walker, layer)
        hasher.join()
    finally:
        # Also where the wait was interrupted: the file is closed next, and its number may become another's.
        stopped.set()
        hasher.join()
    if faults:
        raise faults[0]
    digest = f"sha256:{sha.hexdigest()}"
    _verify(layer, blob, digest, digest)
    return LayerRead(walker.index, digest, length, length, problems)


def _hash_slice(
    sha: hashlib._Hash, part: tuple[int, int, int], stopped: threading.Event, faults: list[OSError]
) -> None:
    fd, offset, length = part
    end = offset + length
    try:
        while offset < end and not stopped.is_set():
            data = os.pread(fd, min(STEP, end - offset), offset)
            if not data:
                return
            sha.update(data)
            offset += len(data)
    except OSError as exc:
        faults.append(exc)


# ── both ────────────────────────────────────────────────────────────────────────────────────────────────────


def _walk(walker: TarWalker, layer: Layer) -> tuple[Problem, ...]:
    try:
        walker.run()
    except LimitError as exc:
        return (_cut_short(layer.diff_id, str(exc), "limit_hit"),)
    except (TarDamage, EOFError) as exc:
        return (_cut_short(layer.diff_id, str(exc)),)
    return ()


def _cut_short(subject: str, message: str, cause: str = "") -> Problem:
    return Problem(
        stage="layers",
        subject=f"layer {subject}",
        message=f"not read to its end: {message}",
        hint="what stands behind this point of the layer was not looked at",
        cause=cause,
    )


def _verify(layer: Layer, blob: Blob, digest: str, diff_id: str) -> None:
    expected = blob.digest or layer.digest
    hint = "the archive or registry is damaged or was tampered with; fetch the image again"
    if expected and expected != digest:
        raise IntegrityError(f"layer {expected}: its bytes have the digest {digest}", hint=hint)
    if layer.diff_id and DiffId(diff_id) != layer.diff_id:
        raise IntegrityError(f"layer {layer.diff_id}: its content has the digest {diff_id}", hint=hint)


def _visit_host_file(
    directory: Directory, visitor: Visitor, token: object | None, file: tuple[str, int, int], hashed: bool
) -> bytes | None:
    """Show a file to the visitor; its digest where it is to be hashed and can be read."""
    path, size, mode = file
    try:
        stream = directory.open(path)
    except OSError as exc:
        error = exc

        def refuse(_count: int) -> bytes:
            raise error

        if token is not None:
            visitor.visit(token, FileContent(path, max(size, 1), mode, refuse))
        return None
    with stream:
        fd = stream.fileno()
        at = (lambda offset, count: _host_bytes(fd, offset, count)) if size > WHOLE_BYTES else None
        content = FileContent(path, size, mode, stream.read, at, hashed=hashed)
        try:
            if token is not None:
                visitor.visit(token, content)
            return content.sha256() if hashed else None
        except EOFError:
            # The file became shorter while it was read: its digest would be of nothing that ever was.
            return None
        finally:
            content.close()


def _host_bytes(fd: int, offset: int, count: int) -> bytes:
    data = os.pread(fd, count, offset)
    if len(data) < count:
        raise EOFError("the file became shorter while it was read")
    return data


def _stat_kind(mode: int) -> str:
    kinds = {0o100000: "f", 0o040000: "d", 0o120000: "l", 0o010000: "p"}
    return kinds.get(mode & 0o170000, "c")

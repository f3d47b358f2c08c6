"""A small HTTP server for the files of one folder: read-only, bounded, and good to caches.

Format: RFC 9110 (HTTP semantics: 9.3.2 HEAD, 13 conditional requests, 14 range requests). Of a folder it gives the
index, ``index.json``, which is also ``/``, and the files whose names end in one suffix; nothing below, nothing hidden,
no symbolic link. A range may be one; several are answered with the whole file. Not handled: TLS (a proxy in front does
that), compression (the files are).
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET6, SO_REUSEADDR, SOL_SOCKET, socket
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from anchorecli import __version__
from anchorecli.errors import UsageError

INDEX = "index.json"
MAX_CONNECTIONS = 64
_SILENCE = 30.0
"""Seconds a client may take from one byte to the next."""
_CHUNK = 256 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_DAY = 86_400


class FileServer(ThreadingHTTPServer):
    """Serves a folder until ``shutdown``; ``url`` is where. ``tell`` is told each answer, in a line.

    Raises: UsageError where the address cannot be had.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, listen: str, directory: Path, suffix: str, tell: Callable[[str], None] = lambda _: None) -> None:
        self.directory, self.suffix, self.tell = directory, suffix, tell
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        address = _address(listen)
        if ":" in address[0]:
            self.address_family = AF_INET6
        try:
            super().__init__(address, _Handler)
        except OSError as error:
            hint = "give another --listen ADDRESS:PORT"
            raise UsageError(f"cannot listen on {listen}: {error.strerror or error}", hint=hint) from error

    @property
    def url(self) -> str:
        """Where it is to be asked."""
        host, port = self.server_address[:2]
        name = host.decode() if isinstance(host, bytes) else str(host)
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    def server_bind(self) -> None:
        """Bind without asking the name service who we are."""
        self.socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """A thread for each connection, of which there are only so many."""
        if not self._free.acquire(blocking=False):
            try:
                if isinstance(request, socket):
                    request.settimeout(1)
                    request.sendall(_BUSY)
            except OSError:
                pass
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """One connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """A client that went away is no matter."""
        self.tell(f"{client_address[0]}: the connection broke")


_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer
    protocol_version = "HTTP/1.1"
    timeout = _SILENCE
    server_version = f"anchore-scan/{__version__}"
    sys_version = ""

    def do_GET(self) -> None:
        """A file, or a part of it."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """What GET would say of it."""
        self._answer(body=False)

    def log_message(self, format: str, *args: Any) -> None:
        """An answer was given."""
        self.server.tell(f"{self.address_string()} {format % args}")

    def address_string(self) -> str:
        """The client's address, without asking the name service."""
        return str(self.client_address[0])

    def _answer(self, *, body: bool) -> None:
        path = self._path()
        try:
            file = path.open("rb") if path else None
        except OSError:
            file = None
        if file is None:
            self._say(404, {"Content-Length": "0"})
            return
        with file:
            self._file(file, body=body)

    def _path(self) -> Path | None:
        name = unquote(urlsplit(self.path).path).removeprefix("/") or INDEX
        if not _NAME.fullmatch(name) or not (name == INDEX or name.endswith(self.server.suffix)):
            return None
        path = self.server.directory / name
        return path if path.is_file() and not path.is_symlink() else None

    def _file(self, file: IO[bytes], *, body: bool) -> None:
        stat = os.fstat(file.fileno())
        tag = f'"{stat.st_size:x}-{stat.st_mtime_ns:x}"'
        fresh = "no-cache" if file.name.endswith(INDEX) else f"max-age={_DAY}, immutable"
        headers = {
            "ETag": tag,
            "Last-Modified": self.date_time_string(int(stat.st_mtime)),
            "Accept-Ranges": "bytes",
            "Cache-Control": fresh,
        }
        if _matches(self.headers.get("If-None-Match", ""), tag):
            self._say(304, headers)
            return
        kind = "application/json" if file.name.endswith(INDEX) else "application/x-tar"
        headers["Content-Type"] = kind
        span = self._span(stat.st_size, tag)
        if span is None:
            self._say(416, headers | {"Content-Range": f"bytes */{stat.st_size}", "Content-Length": "0"})
            return
        start, end = span
        whole = (start, end) == (0, stat.st_size)
        if not whole:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{stat.st_size}"
        self._say(200 if whole else 206, headers | {"Content-Length": str(end - start)})
        if body:
            self._send(file, start, end)

    def _span(self, size: int, tag: str) -> tuple[int, int] | None:
        """What is asked for, from and up to; None where the file has nothing there."""
        found = _RANGE.fullmatch(self.headers.get("Range", "").replace(" ", ""))
        condition = self.headers.get("If-Range", "")
        if found is None or found[0] == "bytes=-" or (condition and condition != tag):
            return 0, size
        if not found[1]:
            start, end = max(0, size - int(found[2])), size
        else:
            start, end = int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)
            if found[2] and int(found[2]) < int(found[1]):
                return 0, size  # no range at all
        return (start, end) if start < end else None

    def _send(self, file: IO[bytes], start: int, end: int) -> None:
        file.seek(start)
        while start < end and (piece := file.read(min(_CHUNK, end - start))):
            self.wfile.write(piece)
            start += len(piece)
        if start < end:
            self.close_connection = True  # the file became shorter: the client has to notice

    def _say(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _matches(condition: str, tag: str) -> bool:
    """If-None-Match, by weak comparison (RFC 9110, 13.1.2)."""
    tags = [each.strip().removeprefix("W/") for each in condition.split(",")]
    return "*" in tags or tag in tags


def _address(listen: str) -> tuple[str, int]:
    """Host and port of ``ADDRESS:PORT``, ``[ADDRESS]:PORT`` or ``:PORT``."""
    host, _, port = listen.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise UsageError(f"--listen {listen}: no port", hint="write ADDRESS:PORT, like 127.0.0.1:8228")
    return host.removeprefix("[").removesuffix("]") or "0.0.0.0", int(port)  # noqa: S104 - as the user asked

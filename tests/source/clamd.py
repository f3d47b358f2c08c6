"""A clamd on a loopback socket that knows one signature: enough of the protocol to be taken for the real one."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless file that every scanner calls malware (eicar.org), in two pieces so that this file is none."""


class Daemon:
    """Answers VERSION and INSTREAM; ``limit`` is the longest stream it takes, in bytes."""

    def __init__(
        self, listener: socket.socket, version: str = "ClamAV 1.0.0/27000/today", limit: int = 1 << 20
    ) -> None:
        self.version = version
        self.limit = limit
        self.scanned: list[int] = []
        self._listener = listener

    def serve(self) -> None:
        """Until the listener is closed."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        reader = connection.makefile("rb")
        command = b""
        while not command.endswith(b"\0") and (letter := reader.read(1)):
            command += letter
        if command == b"zVERSION\0":
            connection.sendall(self.version.encode() + b"\0")
            return
        assert command == b"zINSTREAM\0"
        content = b""
        while (length := struct.unpack(">I", reader.read(4))[0]) > 0:
            content += reader.read(length)
            if len(content) > self.limit:
                connection.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return
        self.scanned.append(len(content))
        found = EICAR in content
        connection.sendall(b"stream: Eicar-Test-Signature FOUND\0" if found else b"stream: OK\0")


@contextmanager
def clamd(**options: object) -> Iterator[tuple[str, Daemon]]:
    """The address (``host:port``) of a running daemon, and the daemon."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        daemon = Daemon(listener, **options)  # type: ignore[arg-type]
        thread = threading.Thread(target=daemon.serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", daemon
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)

"""ClamAV: a running clamd is asked file by file; where there is none, clamscan is run once for each layer.

Format: clamd(8), "COMMANDS": ``zVERSION\\0``, and ``zINSTREAM\\0`` followed by chunks, each after its length as a
big-endian u32, the last one empty; the answer is ``stream: OK``, ``stream: SIGNATURE FOUND`` or ``… ERROR``.
clamscan(1) prints ``PATH: SIGNATURE FOUND``.

clamscan takes files: it gets copies with numbers for names, in a private directory that is removed after each layer.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from anchorecli.model import Json

SOCKETS = (
    "/run/clamav/clamd.ctl",
    "/var/run/clamav/clamd.ctl",
    "/run/clamav/clamd.sock",
    "/run/clamd.scan/clamd.sock",
    "/var/lib/clamav/clamd.sock",
    "/tmp/clamd.socket",  # noqa: S108 - clamd's own default; what listens there only gets to see the image
)
"""Where distributions let clamd listen."""
TIMEOUT = 180.0
"""Seconds without an answer: a large archive takes its time."""
DATABASES = "/var/lib/clamav"
MAX_ANSWER = 64 * 1024

_DATABASE_KINDS = frozenset({"cvd", "cld", "cud", "hdb", "hsb", "mdb", "msb", "ndb", "ldb", "yar", "yara"})
_LENGTH = struct.Struct(">I")
_HELLO = 5.0


def find_scanner(address: str = "") -> Clamd | Clamscan | None:
    """The scanner at an address (``/path``, ``unix:/path``, ``host:port``, ``tcp://host:port``), or where none is
    given at the usual sockets, or else the program clamscan; None where nobody answers."""
    for place in (address,) if address else SOCKETS:
        daemon = Clamd(place)
        try:
            return daemon._replace(identity=_identity(daemon.version()))
        except (OSError, ValueError):
            continue
    return None if address else _program()


class Clamd(NamedTuple):
    """A clamd; each file is a connection of its own."""

    address: str
    identity: str = ""
    name: str = "clamav"

    def version(self) -> str:
        """``ClamAV 1.0.3/26990/date of the database``. Raises: OSError, ValueError."""
        with self._connect(_HELLO) as connection:
            connection.sendall(b"zVERSION\0")
            answer = _answer(connection)
        if not answer.startswith("ClamAV"):
            raise ValueError(f"no clamd: {answer[:60]!r}")
        return answer

    def scan(self, pieces: Iterable[bytes]) -> list[str]:
        """The signature found in a content. Raises: OSError, ValueError where clamd did not scan it to its end."""
        with self._connect(TIMEOUT) as connection:
            try:
                connection.sendall(b"zINSTREAM\0")
                for piece in pieces:
                    if piece:
                        connection.sendall(_LENGTH.pack(len(piece)) + piece)
                connection.sendall(_LENGTH.pack(0))
            except (BrokenPipeError, ConnectionResetError):
                # It says why it stopped listening: the content is too large for it.
                pass
            answer = _answer(connection)
        return _signatures(answer)

    def finish(self, values: dict[str, Json]) -> dict[str, Json]:
        """Every file was answered for already."""
        return values

    def _connect(self, timeout: float) -> socket.socket:
        address = self.address.removeprefix("tcp://").removeprefix("unix:")
        if address.startswith("/"):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(timeout)
            try:
                connection.connect(address)
            except OSError:
                connection.close()
                raise
            return connection
        host, _, port = address.rpartition(":")
        return socket.create_connection((host.strip("[]") or "localhost", int(port)), timeout)


class Clamscan:
    """The program clamscan: loading its database takes seconds, so it is run for all files of a layer at once."""

    name = "clamav"

    def __init__(self, program: str, version: str) -> None:
        self.identity = _identity(version)
        self._program = program
        self._here: Any = threading.local()

    def scan(self, pieces: Iterable[bytes]) -> int:
        """Keep a content until ``finish``; gives its number."""
        if not hasattr(self._here, "directory"):
            from tempfile import TemporaryDirectory

            self._here.directory = TemporaryDirectory(prefix="anchore-clamscan-")
            self._here.count = 0
        number: int = self._here.count + 1
        self._here.count = number
        with (Path(self._here.directory.name) / str(number)).open("wb") as file:
            file.writelines(pieces)
        return number

    def finish(self, values: dict[str, Json]) -> dict[str, Json]:
        """Run the program over what was kept; gives the signatures by path. Raises: OSError, ValueError."""
        if not hasattr(self._here, "directory"):
            return {}
        directory = self._here.directory
        del self._here.directory
        with directory:
            found = self._run(directory.name)
        return {path: found[number] for path, number in values.items() if number in found}

    def _run(self, directory: str) -> dict[int, Json]:
        import subprocess

        options = ("--recursive", "--infected", "--no-summary", "--allmatch", "--stdout")
        command = [self._program, *options, "--max-filesize=4000M", "--max-scansize=4000M", directory]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        # 0: nothing found, 1: something found, 2: an error.
        if done.returncode not in (0, 1):
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise ValueError(f"clamscan: {said[-1][:200] if said else f'exit code {done.returncode}'}")
        found: dict[int, Json] = {}
        for line in done.stdout.splitlines():
            path, colon, said_of_it = line.rpartition(": ")
            number = path.rpartition("/")[2]
            if colon and number.isdigit() and said_of_it.endswith(" FOUND"):
                found.setdefault(int(number), []).append(said_of_it.removesuffix(" FOUND"))
        return found


def _program() -> Clamd | Clamscan | None:
    from shutil import which

    program = which("clamscan")
    if program is None:
        return None
    import subprocess

    done = subprocess.run([program, "--version"], capture_output=True, text=True, errors="replace", check=False)
    version = done.stdout.strip()
    # ``ClamAV 1.4.3`` alone: it has no database of ClamAV's own; without any other it could find nothing.
    usable = done.returncode == 0 and ("/" in version or any(map(_is_database, _files(DATABASES))))
    return Clamscan(program, version) if usable else None


def _files(directory: str) -> list[str]:
    try:
        return [path.name for path in Path(directory).iterdir()]
    except OSError:
        return []


def _is_database(name: str) -> bool:
    return name.rpartition(".")[2] in _DATABASE_KINDS


def _identity(version: str) -> str:
    """``clamav 1.4.3/27000/Mon Jan  1 08:00:00 2024``: program, database, the database's date."""
    return f"clamav {version.removeprefix('ClamAV ')}"


def _answer(connection: socket.socket) -> str:
    """What clamd says, up to the NUL that ends it."""
    data = b""
    while not data.endswith(b"\0") and len(data) < MAX_ANSWER:
        piece = connection.recv(4096)
        if not piece:
            break
        data += piece
    return data.rstrip(b"\0\n").decode("utf-8", "replace")


def _signatures(answer: str) -> list[str]:
    said = answer.removeprefix("stream: ")
    if said == "OK":
        return []
    if said.endswith(" FOUND"):
        return [said.removesuffix(" FOUND")]
    if not said:
        raise ValueError("clamd closed the connection without an answer")
    raise ValueError(f"clamd: {said[:200]}")

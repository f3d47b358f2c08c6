"""A web server on loopback whose answers a test scripts, and which remembers what it was asked."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """One answer: with ``etag`` a matching If-None-Match gives 304; ``cut`` bytes are promised but not sent."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: bool = False
    cut: int = 0
    dribble: float = 0.0
    wait: float = 0.0


@dataclass
class Server:
    """Answers by path; a list is used up one by one, its last one stays."""

    url: str = ""
    answers: dict[str, Answer | list[Answer]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.requests]

    def answer(self, path: str) -> Answer:
        found = self.answers.get(path, Answer(b"no such page", 404))
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is what some tests are about."""


@contextmanager
def serving(**answers: Answer) -> Iterator[Server]:
    server = Server()
    server.answers.update({f"/{name}": answer for name, answer in answers.items()})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            server.requests.append((self.command, self.path, dict(self.headers.items()), body))
            respond(self, server.answer(self.path))

        do_POST = do_GET

        def log_message(self, *arguments: Any) -> None:
            pass

    listener = Quiet(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def respond(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    time.sleep(answer.wait)
    tag = f'"{hashlib.sha256(answer.body).hexdigest()[:12]}"'
    if answer.etag and handler.headers.get("If-None-Match") == tag:
        handler.send_response(304)
        handler.end_headers()
        return
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    if answer.etag:
        handler.send_header("ETag", tag)
    if "Transfer-Encoding" not in answer.headers:
        handler.send_header("Content-Length", str(len(answer.body)))
    if answer.cut:
        handler.close_connection = True
    handler.end_headers()
    try:
        if answer.dribble:
            for byte in answer.body:
                handler.wfile.write(bytes((byte,)))
                handler.wfile.flush()
                time.sleep(answer.dribble)
        else:
            handler.wfile.write(answer.body[: len(answer.body) - answer.cut])
    except (BrokenPipeError, ConnectionResetError):
        handler.close_connection = True

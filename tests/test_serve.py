"""The HTTP server: what it gives, what it does not, and that nobody can hold it up."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from anchorecli import serve
from anchorecli.errors import UsageError
from anchorecli.serve import FileServer

DATA = bytes(range(256)) * 4000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "index.json").write_text('{"a": 1}')
    (folder / "full-1.feeds").write_bytes(DATA)
    (folder / "empty.feeds").write_bytes(b"")
    (folder / ".hidden.feeds").write_text("x")
    (folder / "key").write_text("secret")
    (folder / "link.feeds").symlink_to(folder / "key")
    (folder / "below.feeds").mkdir()
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[FileServer]:
    told: list[str] = []
    server = FileServer("127.0.0.1:0", folder, ".feeds", told.append)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()


def ask(server: FileServer, path: str, method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=10)  # type: ignore[arg-type]
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def test_files_and_the_index(server: FileServer) -> None:
    found = ask(server, "/full-1.feeds")
    assert (found.status, found.body) == (200, DATA)
    assert found.headers["Content-Length"] == str(len(DATA))
    assert "immutable" in found.headers["Cache-Control"]
    for path in ("/", "/index.json", "/index.json?x=1"):
        index = ask(server, path)
        assert (index.status, index.body) == (200, b'{"a": 1}')
        assert index.headers["Content-Type"] == "application/json"
        assert index.headers["Cache-Control"] == "no-cache"
    assert ask(server, "/empty.feeds").body == b""


@pytest.mark.parametrize(
    "path",
    ["/none.feeds", "/key", "/.hidden.feeds", "/link.feeds", "/below.feeds", "/below.feeds/x", "/../key", "//key",
     "/%2e%2e/key", "/..%2fkey", "/full-1.feeds/", "/full-1.feeds%00", "/a%0d%0aX:y.feeds", "/" + "a" * 300 + ".feeds"],
)  # fmt: skip
def test_nothing_else(server: FileServer, path: str) -> None:
    assert ask(server, path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_is_written(server: FileServer, folder: Path, method: str) -> None:
    assert ask(server, "/full-1.feeds", method).status == 501
    assert (folder / "full-1.feeds").read_bytes() == DATA


def test_head_says_what_get_would(server: FileServer) -> None:
    head, get = ask(server, "/full-1.feeds", "HEAD"), ask(server, "/full-1.feeds")
    assert (head.status, head.body) == (200, b"")
    for name in ("Content-Length", "ETag", "Content-Type", "Accept-Ranges", "Last-Modified"):
        assert head.headers[name] == get.headers[name]


def test_etags(server: FileServer, folder: Path) -> None:
    tag = ask(server, "/index.json").headers["ETag"]
    for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        found = ask(server, "/index.json", If_None_Match=condition)
        assert (found.status, found.body, found.headers["ETag"]) == (304, b"", tag)
    assert ask(server, "/index.json", If_None_Match='"other"').status == 200
    (folder / "index.json").write_text('{"a": 22}')
    assert ask(server, "/index.json", If_None_Match=tag).body == b'{"a": 22}'


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-9", 0, 10), ("bytes=500-", 500, None), ("bytes=-7", -7, None), ("bytes=10-99999999", 10, None),
     ("bytes=-99999999", 0, None), ("bytes=1023999-", 1023999, None)],
)  # fmt: skip
def test_ranges(server: FileServer, asked: str, start: int, end: int | None) -> None:
    found = ask(server, "/full-1.feeds", Range=asked)
    expected = DATA[start:end]
    assert found.body == expected
    if expected != DATA:
        first = start % len(DATA)
        assert found.status == 206
        assert found.headers["Content-Range"] == f"bytes {first}-{first + len(expected) - 1}/{len(DATA)}"
    assert ask(server, "/full-1.feeds", "HEAD", Range=asked).headers["Content-Length"] == str(len(expected))


@pytest.mark.parametrize("asked", ["bytes=9-1", "bytes=-", "lines=1-2", "bytes=0-1,5-6", "bytes=a-b", "x", "bytes=--1"])
def test_what_is_no_range_is_ignored(server: FileServer, asked: str) -> None:
    found = ask(server, "/full-1.feeds", Range=asked)
    assert (found.status, found.body) == (200, DATA)


@pytest.mark.parametrize("asked", ["bytes=1024000-", "bytes=99999999-", "bytes=-0"])
def test_a_range_beyond_the_end(server: FileServer, asked: str) -> None:
    found = ask(server, "/full-1.feeds", Range=asked)
    assert (found.status, found.headers["Content-Range"]) == (416, f"bytes */{len(DATA)}")


def test_a_range_of_what_was_replaced(server: FileServer, folder: Path) -> None:
    tag = ask(server, "/full-1.feeds").headers["ETag"]
    assert ask(server, "/full-1.feeds", Range="bytes=5-", If_Range=tag).status == 206
    (folder / "full-1.feeds").write_bytes(b"another")
    assert ask(server, "/full-1.feeds", Range="bytes=5-", If_Range=tag).body == b"another"


def test_one_connection_many_questions(server: FileServer) -> None:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=10)  # type: ignore[arg-type]
    for path, method in (("/nothing", "GET"), ("/", "HEAD"), ("/full-1.feeds", "GET"), ("/", "GET")):
        connection.request(method, path)
        assert Answer(connection.getresponse()).status in (200, 404)
    connection.close()


def test_only_so_many_at_once(server: FileServer) -> None:
    held = [socket.create_connection(server.server_address[:2]) for _ in range(serve.MAX_CONNECTIONS)]  # type: ignore[arg-type]
    for each in held:
        each.sendall(b"GET / HTTP/1.1\r\n")
    try:
        found = ask(server, "/")
        assert found.status == 503
        assert found.headers["Retry-After"] == "5"
    except ConnectionError:
        pass  # told so and hung up on before the question was out
    else:
        assert found.body == b""
    for each in held:
        each.close()
    for _ in range(1000):
        try:
            if ask(server, "/").status == 200:
                return
        except ConnectionError:
            pass
    raise AssertionError("it never recovered")


def test_who_says_nothing_is_hung_up_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve._Handler, "timeout", 0.05)
    with FileServer("127.0.0.1:0", folder, ".feeds") as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        with socket.create_connection(server.server_address[:2], timeout=10) as silent:  # type: ignore[arg-type]
            silent.sendall(b"GET /ind")
            assert silent.recv(100) == b""
        server.shutdown()


def test_noise_is_no_question(server: FileServer) -> None:
    for noise in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"G" * 70_000 + b"\r\n\r\n"):
        with socket.create_connection(server.server_address[:2], timeout=10) as client:  # type: ignore[arg-type]
            client.sendall(noise)
            client.shutdown(socket.SHUT_WR)
            try:
                while client.recv(65536):
                    pass
            except ConnectionError:
                pass
    assert ask(server, "/").status == 200


@pytest.mark.parametrize("listen", ["", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", ":99999", "::1"])
def test_addresses_without_a_port(folder: Path, listen: str) -> None:
    with pytest.raises(UsageError) as caught:
        FileServer(listen, folder, ".feeds").server_close()
    assert caught.value.hint


def test_a_port_that_is_taken(server: FileServer, folder: Path) -> None:
    with pytest.raises(UsageError, match="cannot listen"):
        FileServer(server.url.removeprefix("http://"), folder, ".feeds")


def test_ipv6(folder: Path) -> None:
    try:
        server = FileServer("[::1]:0", folder, ".feeds")
    except UsageError:
        pytest.skip("no IPv6 here")
    with server:
        assert server.url.startswith("http://[::1]:")

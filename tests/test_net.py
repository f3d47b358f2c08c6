from __future__ import annotations

import gzip
import hashlib
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from anchorecli.errors import AnchoreError, FeedError, SourceError
from anchorecli.net import Credentials, Fetcher, NetLimits
from tests.feeds.server import Answer, Server, serving

FAST = NetLimits(connect=2, read=2, total=5, attempts=3)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def fetcher(waits: list[float]) -> Fetcher:
    return Fetcher(FAST, sleep=waits.append)


def content(fetcher: Fetcher, url: str) -> bytes:
    found = fetcher.download(url)
    assert found is not None
    with found.file as file:
        return file.read()


def test_a_download_knows_its_digest_size_and_validators(server: Server, fetcher: Fetcher) -> None:
    body = b"x" * 200_000
    server.answers["/f"] = Answer(body, headers={"Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT"}, etag=True)
    seen: list[tuple[int, int]] = []

    found = fetcher.download(f"{server.url}/f", progress=lambda done, total: seen.append((done, total)))

    assert found is not None
    assert (found.digest, found.size) == (hashlib.sha256(body).hexdigest(), 200_000)
    assert found.last_modified == "Wed, 01 Jan 2025 00:00:00 GMT"
    assert found.file.read() == body
    assert seen[-1] == (200_000, 200_000)
    assert fetcher.download(f"{server.url}/f", etag=found.etag) is None
    _, _, headers, _ = server.requests[0]
    assert headers["User-Agent"].startswith("anchore-scan/")


def test_a_304_that_was_not_asked_for_is_an_error(server: Server, fetcher: Fetcher) -> None:
    server.answers["/f"] = Answer(status=304)
    with pytest.raises(FeedError, match="304"):
        fetcher.download(f"{server.url}/f")


def test_gzip_encoding_is_undone_and_the_digest_is_that_of_the_content(server: Server, fetcher: Fetcher) -> None:
    body = b"text " * 100_000
    server.answers["/f"] = Answer(gzip.compress(body), headers={"Content-Encoding": "gzip"})

    found = fetcher.download(f"{server.url}/f")

    assert found is not None
    assert found.digest == hashlib.sha256(body).hexdigest()
    assert found.file.read() == body


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(gzip.compress(b"x" * 500_000, mtime=0)[:-9], headers={"Content-Encoding": "gzip"}), "ends early"),
        (Answer(b"not gzip", headers={"Content-Encoding": "gzip"}), "damaged"),
        (Answer(b"x", headers={"Content-Encoding": "br"}), "sent as br"),
        (Answer(b"x" * 1000, cut=10), "10 bytes early"),
        (Answer(b"", status=204), "without content"),
        (Answer(b"zz\r\ngarbage", headers={"Transfer-Encoding": "chunked"}), "3 attempts"),
    ],
)
def test_a_damaged_answer_is_an_error(server: Server, fetcher: Fetcher, answer: Answer, message: str) -> None:
    server.answers["/f"] = answer
    with pytest.raises(FeedError, match=message):
        fetcher.download(f"{server.url}/f")


def test_a_transfer_that_broke_off_is_tried_again(server: Server, fetcher: Fetcher, waits: list[float]) -> None:
    server.answers["/f"] = [Answer(b"whole content", cut=3), Answer(b"whole content")]
    assert content(fetcher, f"{server.url}/f") == b"whole content"
    assert waits == [1.0]


def test_server_errors_are_tried_again_with_growing_waits(server: Server, fetcher: Fetcher, waits: list[float]) -> None:
    server.answers["/f"] = Answer(b"", status=500)
    with pytest.raises(FeedError, match=r"answers 500 .*\(3 attempts\)") as caught:
        fetcher.download(f"{server.url}/f")
    assert waits == [1.0, 2.0]
    assert len(server.requests) == 3
    assert caught.value.hint


def test_retry_after_is_kept_to_but_not_for_ever(server: Server, fetcher: Fetcher, waits: list[float]) -> None:
    server.answers["/f"] = [
        Answer(status=429, headers={"Retry-After": "7"}),
        Answer(status=503, headers={"Retry-After": "Fri, 31 Dec 2999 23:59:59 GMT"}),
        Answer(b"ok"),
    ]
    assert content(fetcher, f"{server.url}/f") == b"ok"
    assert waits == [7.0, 120.0]


@pytest.mark.parametrize(("status", "hint"), [(404, "base URL"), (401, "credentials"), (403, "credentials")])
def test_refusals_are_not_tried_again(server: Server, fetcher: Fetcher, status: int, hint: str) -> None:
    server.answers["/f"] = Answer(status=status)
    with pytest.raises(FeedError, match=str(status)) as caught:
        fetcher.download(f"{server.url}/f")
    assert hint in caught.value.hint
    assert len(server.requests) == 1


def test_what_may_be_missing_is_none(server: Server, fetcher: Fetcher) -> None:
    assert fetcher.download(f"{server.url}/nothing", missing_ok=True) is None


def test_nobody_listening_is_an_error_that_names_the_url() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    waits: list[float] = []
    with pytest.raises(FeedError, match=rf"http://127.0.0.1:{port}/x: .*refused.*3 attempts"):
        Fetcher(FAST, sleep=waits.append).download(f"http://127.0.0.1:{port}/x")
    assert len(waits) == 2


def test_a_server_that_does_not_answer_in_time(server: Server) -> None:
    server.answers["/f"] = Answer(b"late", wait=1.0)
    with pytest.raises(FeedError, match="no answer in time"):
        Fetcher(NetLimits(read=0.1, attempts=1)).download(f"{server.url}/f")


def test_a_server_that_dribbles_is_given_up(server: Server) -> None:
    server.answers["/f"] = Answer(b"x" * 500, dribble=0.02)
    with pytest.raises(FeedError, match="not complete after 0 s"):
        Fetcher(NetLimits(read=2, total=0.2, attempts=1)).download(f"{server.url}/f")


@pytest.mark.parametrize("announced", [True, False])
def test_more_than_the_cap_on_the_wire_is_refused(server: Server, announced: bool) -> None:
    body = b"f\r\n" + b"x" * 15 + b"\r\n"
    server.answers["/f"] = (
        Answer(b"x" * 2000)
        if announced
        else Answer(body * 200 + b"0\r\n\r\n", headers={"Transfer-Encoding": "chunked"})
    )
    with pytest.raises(FeedError, match="1000"):
        Fetcher(NetLimits(wire=1000)).download(f"{server.url}/f")


def test_a_compression_bomb_is_cut_off(server: Server) -> None:
    server.answers["/f"] = Answer(gzip.compress(b"\0" * 50_000_000), headers={"Content-Encoding": "gzip"})
    with pytest.raises(FeedError, match="once inflated"):
        Fetcher(NetLimits(decoded=1_000_000)).download(f"{server.url}/f")


def test_redirects_are_followed_a_few_times(server: Server, fetcher: Fetcher) -> None:
    server.answers["/a"] = Answer(status=302, headers={"Location": "/b"})
    server.answers["/b"] = Answer(status=301, headers={"Location": f"{server.url}/c"})
    server.answers["/c"] = Answer(b"here")
    assert content(fetcher, f"{server.url}/a") == b"here"

    server.answers["/loop"] = Answer(status=302, headers={"Location": "/loop"})
    with pytest.raises(FeedError, match="more than 5 redirects"):
        fetcher.download(f"{server.url}/loop")


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://[bad", "http://"])
def test_a_redirect_to_something_else_than_http_is_refused(server: Server, fetcher: Fetcher, location: str) -> None:
    server.answers["/a"] = Answer(status=302, headers={"Location": location})
    with pytest.raises(FeedError):
        fetcher.download(f"{server.url}/a")


def test_credentials_go_to_their_host_only() -> None:
    with serving() as ours, serving(x=Answer(b"content")) as other:
        ours.answers["/x"] = Answer(status=302, headers={"Location": f"{other.url}/x"})
        host = ours.url.removeprefix("http://")
        fetcher = Fetcher(FAST, (Credentials(host, "user", "secret"),))

        assert content(fetcher, f"{ours.url}/x") == b"content"

        assert ours.requests[0][2]["Authorization"].startswith("Basic ")
        assert "Authorization" not in other.requests[0][2]


def test_credentials_in_the_url_are_used_and_never_shown(server: Server, fetcher: Fetcher) -> None:
    url = server.url.replace("http://", "http://user:secret@") + "/missing?token=hidden"
    with pytest.raises(FeedError) as caught:
        fetcher.download(url)
    assert server.requests[0][2]["Authorization"].startswith("Basic ")
    assert "secret" not in str(caught.value) + caught.value.hint
    assert "hidden" not in str(caught.value) + caught.value.hint


def test_a_token_is_sent_as_bearer(server: Server) -> None:
    server.answers["/x"] = Answer(b"content")
    content(Fetcher(FAST, (Credentials("127.0.0.1", token="abc"),)), f"{server.url}/x")
    assert server.requests[0][2]["Authorization"] == "Bearer abc"


def test_credentials_do_not_go_over_plain_http_to_other_machines(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers["http://feeds.example/x"] = Answer(b"through the proxy")
    monkeypatch.setenv("http_proxy", server.url)
    fetcher = Fetcher(FAST, (Credentials("feeds.example", "user", "secret"),))

    assert content(fetcher, "http://feeds.example/x") == b"through the proxy"

    _, _, headers, _ = server.requests[0]
    assert headers["Host"] == "feeds.example"
    assert "Authorization" not in headers


def test_no_proxy_and_proxy_credentials(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers["http://feeds.example/x"] = Answer(b"through the proxy")
    monkeypatch.setenv("http_proxy", server.url.replace("http://", "http://me:pw@"))
    content(Fetcher(FAST), "http://feeds.example/x")
    assert server.requests[0][2]["Proxy-Authorization"].startswith("Basic ")

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server.answers["/direct"] = Answer(b"direct")
    assert content(Fetcher(FAST), f"{server.url}/direct") == b"direct"


@pytest.mark.parametrize("url", ["", "feeds", "file:///etc/passwd", "http://", "http://host:port/", "https://h\nx/"])
def test_what_is_no_http_url_is_refused(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(FeedError):
        fetcher.download(url)


def test_paths_are_quoted(server: Server, fetcher: Fetcher) -> None:
    server.answers["/Rocky%20Linux/%C3%A9"] = Answer(b"ok")
    assert content(fetcher, f"{server.url}/Rocky Linux/é") == b"ok"


def test_text(server: Server, fetcher: Fetcher) -> None:
    server.answers["/t"] = Answer("straße".encode())
    assert fetcher.text(f"{server.url}/t") == "straße"
    with pytest.raises(FeedError, match="short text"):
        fetcher.text(f"{server.url}/t", limit=3)


def test_post_json(server: Server, fetcher: Fetcher, waits: list[float]) -> None:
    server.answers["/hook"] = [Answer(status=503), Answer(status=202)]
    assert fetcher.post_json(f"{server.url}/hook", {"a": "ü"}, headers={"X-Key": "k"}) == 202
    method, _, headers, body = server.requests[-1]
    assert (method, json.loads(body)) == ("POST", {"a": "ü"})
    assert headers["Content-Type"].startswith("application/json")
    assert headers["X-Key"] == "k"
    assert waits == [1.0]


def test_post_json_follows_no_redirect(server: Server) -> None:
    server.answers["/hook"] = Answer(status=302, headers={"Location": f"{server.url}/other"})
    with pytest.raises(SourceError, match="302") as caught:
        Fetcher(FAST, error=SourceError).post_json(f"{server.url}/hook", {})
    assert "/other" in caught.value.hint
    assert server.paths() == ["/hook"]


def test_every_error_is_one_of_ours_even_for_header_garbage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            for _ in range(2):
                peer, _ = listener.accept()
                with peer:
                    peer.recv(1000)
                    peer.sendall(b"\x00\xff garbage\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        waits: list[float] = []
        limits = NetLimits(read=2, attempts=2)
        with pytest.raises(AnchoreError, match="2 attempts"):
            Fetcher(limits, sleep=waits.append).download(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join(5)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for localhost in one file."""
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("no openssl to make a certificate with")
    both = tmp_path / "both.pem"
    both.write_bytes((tmp_path / "key.pem").read_bytes() + (tmp_path / "cert.pem").read_bytes())
    return both


@contextmanager
def tls_server(certificate: Path, response: bytes) -> Iterator[str]:
    """An https server that answers every request alike; its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return  # closed: the test is over
            with peer:
                try:
                    with context.wrap_socket(peer, server_side=True) as inside:
                        inside.recv(4000)
                        inside.sendall(response)
                except OSError:
                    continue  # the client did not like the certificate

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://localhost:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_an_untrusted_certificate_is_named_and_not_tried_again(
    certificate: Path, fetcher: Fetcher, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls_server(certificate, b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecure") as url:
        with pytest.raises(FeedError, match="CERTIFICATE_VERIFY_FAILED") as caught:
            fetcher.download(f"{url}/x")
        assert "SSL_CERT_FILE" in caught.value.hint
        assert waits == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert content(fetcher, f"{url}/x") == b"secure"


def test_a_redirect_from_https_to_http_is_refused(
    certificate: Path, server: Server, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    moved = f"HTTP/1.1 302 Found\r\nLocation: {server.url}/x\r\nContent-Length: 0\r\n\r\n"
    with tls_server(certificate, moved.encode()) as url, pytest.raises(FeedError, match="redirects from https"):
        fetcher.download(f"{url}/x")
    assert server.requests == []


def test_importing_the_client_loads_no_http_library() -> None:
    slow = {"http.client", "ssl", "urllib3", "requests", "email"}
    code = f"import sys, anchorecli.net; print(sorted({slow} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    )
    assert done.stdout.strip() == "[]"

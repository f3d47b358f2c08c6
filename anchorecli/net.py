"""The only HTTP client: bounded in time and size, retried, and careful with credentials.

A ``Fetcher`` downloads to an unnamed temporary file (so that nothing half-loaded ever has a name), asks conditionally
by ETag and Last-Modified, and sends JSON to webhooks. Proxies come from HTTP(S)_PROXY and NO_PROXY, trusted
certificates from SSL_CERT_FILE, SSL_CERT_DIR or the system.

Format: RFC 9110 (HTTP semantics: 13.1 conditional requests, 15.4 redirects, 10.2.3 Retry-After). Not handled:
Content-Encoding other than gzip (never asked for), resuming by Range.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from errno import ENOSPC
from hashlib import sha256
from typing import IO, TYPE_CHECKING, TypeVar
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

from anchorecli import __version__
from anchorecli.errors import AnchoreError, FeedError
from anchorecli.transport import basic, connect, host_of, proxy_for, proxy_headers
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

T = TypeVar("T")

CHUNK = 64 * 1024
USER_AGENT = f"anchore-scan/{__version__}"

_MISSING = (404, 410)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 120.0

Progress = Callable[[int, int], None]
"""Told after every piece: bytes so far, and bytes expected (0 where the server did not say)."""


@dataclass(frozen=True, slots=True)
class NetLimits:
    """Bounds on a request. Units: seconds and bytes.

    ``total`` bounds one attempt, so that a server that sends a byte a minute does not hold us for ever; it is looked
    at between the pieces of the body. ``attempts`` counts the first one too.
    """

    connect: float = 10.0
    read: float = 60.0
    total: float = 3600.0
    attempts: int = 4
    backoff: float = 1.0
    redirects: int = 5
    wire: int = 4 << 30
    decoded: int = 8 << 30


DEFAULT_LIMITS = NetLimits()


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are on one host, and nowhere else: a bearer ``token``, or ``username`` and ``password``.

    ``host`` is ``name`` or ``name:port``. They are sent over https only, except to a loopback address.
    """

    host: str
    username: str = ""
    password: str = ""
    token: str = ""

    def header(self) -> str:
        """The value of the Authorization field."""
        return f"Bearer {self.token}" if self.token else basic(self.username, self.password)


@dataclass(frozen=True, slots=True)
class Download:
    """What came: ``file`` is an open unnamed file at its start (the caller closes it), ``url`` the one asked for.

    ``digest`` is the sha256 (hex) and ``size`` the length of the content as decoded.
    """

    url: str
    file: IO[bytes]
    digest: str
    size: int
    etag: str = ""
    last_modified: str = ""


class Fetcher:
    """Talks HTTP for everybody. ``error`` is the class raised, so that the exit code fits the caller's errand."""

    def __init__(
        self,
        limits: NetLimits = DEFAULT_LIMITS,
        credentials: tuple[Credentials, ...] = (),
        *,
        error: type[AnchoreError] = FeedError,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.limits = limits
        self._credentials = {each.host.lower(): each for each in credentials}
        self._error = error
        self._sleep = sleep

    def download(
        self,
        url: str,
        *,
        etag: str = "",
        last_modified: str = "",
        missing_ok: bool = False,
        progress: Progress | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Download | None:
        """The content of a URL; None where the server says that it has not changed since ``etag``.

        With ``missing_ok`` None also stands for a URL that does not exist (404, 410).

        Raises: the fetcher's error for everything else than content, naming the URL and what to do.
        """
        conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        conditions = {name: value for name, value in conditions.items() if value}

        def attempt() -> Download | None:
            with self._open(url, {**(headers or {}), **conditions}) as response:
                if response.status == 304 and conditions:
                    return None
                if response.status in _MISSING and missing_ok:
                    return None
                self._expect_success(url, response)
                if response.status != 200:
                    raise self._error(f"{_shown(url)}: the server answers {response.status} without content")
                return self._save(url, response, progress)

        return self._retried(url, attempt)

    def text(self, url: str, limit: int = 16 << 20) -> str:
        """A small text (UTF-8), whole. Raises: the fetcher's error, also past ``limit`` bytes."""
        found = self.download(url)
        if found is None:  # cannot be: nothing was asked conditionally
            raise self._error(f"{_shown(url)}: no content")
        with found.file as file:
            if found.size > limit:
                raise self._error(f"{_shown(url)}: {found.size} bytes where a short text was expected")
            return file.read().decode("utf-8", "replace")

    def post_json(self, url: str, body: object, *, headers: Mapping[str, str] | None = None) -> int:
        """Send a JSON document; the status (2xx) of the answer. Redirects are refused, not followed."""
        import json

        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        sent = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}

        def attempt() -> int:
            with self._open(url, sent, data) as response:
                self._expect_success(url, response)
                return response.status

        return self._retried(url, attempt)

    def _retried(self, url: str, attempt: Callable[[], T]) -> T:
        from http.client import HTTPException

        number = 0
        while True:
            number += 1
            wait = self.limits.backoff * 2 ** (number - 1)
            try:
                return attempt()
            except (_TryAgainError, HTTPException, OSError) as error:
                if _is_final(error) or number >= self.limits.attempts:
                    raise self._failed(url, error, number) from error
                if isinstance(error, _TryAgainError):
                    wait = max(wait, error.wait)
            self._sleep(min(wait, _LONGEST_WAIT))

    def _failed(self, url: str, error: Exception, times: int) -> AnchoreError:
        hint = "check the network, the proxy settings (HTTPS_PROXY, NO_PROXY) and the URL"
        if isinstance(error, _TryAgainError):
            hint = "try again later, or give a mirror as the base URL"
        elif "CERTIFICATE_VERIFY_FAILED" in str(error):
            hint = "if a proxy or mirror has its own authority, name its certificates in SSL_CERT_FILE"
        elif isinstance(error, OSError) and error.errno == ENOSPC:
            from tempfile import gettempdir

            hint = f"it is kept in {gettempdir()} first: set TMPDIR to a directory with more room"
        attempts = f" ({times} attempts)" if times > 1 else ""
        return self._error(f"{_shown(url)}: {_reason(error)}{attempts}", hint=hint)

    @contextmanager
    def _open(self, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Iterator[HTTPResponse]:
        """The response to a request, after redirects (a POST follows none)."""
        target = url
        for _ in range(self.limits.redirects + 1):
            split = self._split(target, url)
            connection = connect(split, self.limits.connect, self.limits.read)
            try:
                response = self._send(connection, split, headers, body)
                location = response.headers.get("Location", "")
                if response.status not in _REDIRECTS or not location or body is not None:
                    yield response
                    return
            finally:
                connection.close()
            following = _joined(target, location)
            if split.scheme == "https" and not following.lower().startswith("https:"):
                raise self._error(
                    f"{_shown(url)}: it redirects from https to {_shown(following)}", hint="check the URL"
                )
            target = following
        raise self._error(f"{_shown(url)}: more than {self.limits.redirects} redirects", hint="check the URL")

    def _send(
        self, connection: HTTPConnection, split: SplitResult, headers: Mapping[str, str], body: bytes | None
    ) -> HTTPResponse:
        target = quote(split.path or "/", safe="/%:@!$&'()*+,;=~") + (f"?{split.query}" if split.query else "")
        fields = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", "Host": host_of(split), **headers}
        proxy = proxy_for(split)
        if proxy and split.scheme == "http":
            target = f"http://{host_of(split)}{target}"
            fields |= proxy_headers(proxy)
        if authorization := self._authorization(split):
            fields["Authorization"] = authorization
        connection.request("GET" if body is None else "POST", target, body=body, headers=fields)
        return connection.getresponse()

    def _authorization(self, split: SplitResult) -> str:
        """Credentials for exactly this host: after a redirect elsewhere there are none."""
        if split.scheme != "https" and not _is_loopback(split.hostname or ""):
            return ""
        if split.username:
            return basic(unquote(split.username), unquote(split.password or ""))
        found = self._credentials.get(host_of(split).lower()) or self._credentials.get(split.hostname or "")
        return found.header() if found else ""

    def _split(self, target: str, url: str) -> SplitResult:
        try:
            split = urlsplit(target)
            usable = split.scheme in ("http", "https") and split.hostname and (split.port or 1) and target.isprintable()
        except ValueError:
            usable = False
        if not usable:
            raise self._error(f"{_shown(url)}: not a http or https URL: {_shown(target)}", hint="check the base URL")
        return split

    def _expect_success(self, url: str, response: HTTPResponse) -> None:
        status = response.status
        if 200 <= status < 300:
            return
        answer = f"the server answers {status} {response.reason}".rstrip()
        if status in _TRY_AGAIN:
            raise _TryAgainError(answer, _retry_after(response.headers.get("Retry-After", "")))
        hint = "check the URL"
        if status in (401, 403, 407):
            hint = "check the credentials for this host"
        elif status in _MISSING:
            hint = "check the base URL; upstream may have moved"
        elif status in _REDIRECTS:
            hint = f"it points to {_shown(response.headers.get('Location', ''))}: give that URL"
        raise self._error(f"{_shown(url)}: {answer}", hint=hint)

    def _save(self, url: str, response: HTTPResponse, progress: Progress | None) -> Download:
        import tempfile

        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        digest, size = sha256(), 0
        try:
            for piece in self._decoded(url, response, progress):
                size += len(piece)
                if size > self.limits.decoded:
                    raise self._error(f"{_shown(url)}: more than {self.limits.decoded} bytes once inflated")
                digest.update(piece)
                file.write(piece)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        field = response.headers.get
        return Download(url, file, digest.hexdigest(), size, field("ETag", ""), field("Last-Modified", ""))

    def _decoded(self, url: str, response: HTTPResponse, progress: Progress | None) -> Iterator[bytes]:
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding in ("identity", ""):
            yield from self._wire(url, response, progress)
        elif encoding in ("gzip", "x-gzip"):
            yield from _gunzip(self._wire(url, response, progress))
        else:
            raise self._error(f"{_shown(url)}: sent as {encoding}, which was not asked for")

    def _wire(self, url: str, response: HTTPResponse, progress: Progress | None) -> Iterator[bytes]:
        deadline = time.monotonic() + self.limits.total
        expected = response.length or 0
        if expected > self.limits.wire:
            raise self._error(f"{_shown(url)}: {expected} bytes, more than the {self.limits.wire} allowed")
        received = 0
        # read1 gives what has arrived: read would wait for a whole chunk of a server that dribbles.
        while piece := response.read1(CHUNK):
            received += len(piece)
            if received > self.limits.wire:
                raise self._error(f"{_shown(url)}: more than the {self.limits.wire} bytes allowed")
            if time.monotonic() > deadline:
                raise self._error(
                    f"{_shown(url)}: not complete after {self.limits.total:.0f} s ({received} bytes came)",
                    hint="try again later, or fetch the file by other means and read it from there",
                )
            yield piece
            if progress is not None:
                progress(received, expected)
        if response.length:
            raise ConnectionError(f"the transfer ended {response.length} bytes early")


class _TryAgainError(Exception):
    """A status that may be better next time; ``wait`` is what the server asked for, in seconds."""

    def __init__(self, message: str, wait: float) -> None:
        super().__init__(message)
        self.wait = wait


def _gunzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    from anchorecli.compression import GZIP, inflate

    try:
        yield from inflate(pieces, GZIP)
    except ValueError as error:
        raise ConnectionError(f"Content-Encoding: {error}") from error


def _retry_after(text: str) -> float:
    """Seconds to wait, from a number or a date (RFC 9110, 10.2.3)."""
    if text.strip().isascii() and text.strip().isdigit():
        return float(text)
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _is_final(error: Exception) -> bool:
    """Errors that a second try meets again: a name that does not exist, a certificate, a full disk, a bad URL."""
    import http.client
    import socket
    import ssl

    if isinstance(error, OSError) and error.errno == ENOSPC:
        return True
    if isinstance(error, socket.gaierror):
        return error.errno != socket.EAI_AGAIN
    return isinstance(error, ssl.SSLCertVerificationError | http.client.InvalidURL)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _joined(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError:
        return location  # no URL: refused as such by whoever opens it


def _is_loopback(name: str) -> bool:
    return name in ("localhost", "::1") or name.startswith("127.")


def _shown(url: str) -> str:
    """A URL for people: without user information, query or fragment, where secrets tend to stand."""
    try:
        split = urlsplit(url)
    except ValueError:
        return "the URL"
    return urlunsplit((split.scheme, host_of(split), split.path, "", ""))

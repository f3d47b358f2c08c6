"""One HTTP connection: proxies from the environment, TLS trust, separate timeouts to connect and to read.

Only ``net`` uses it; everybody else talks to a ``Fetcher``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

if TYPE_CHECKING:
    from http.client import HTTPConnection

_PROXY_PORT = 3128


def connect(split: SplitResult, connect_timeout: float, read_timeout: float) -> HTTPConnection:
    """A connection to the host or its proxy, with the read timeout set once it stands."""
    import http.client

    host, port = split.hostname or "", split.port
    proxy = proxy_for(split)
    if proxy:
        host, port = proxy.hostname or "", proxy.port or _PROXY_PORT
    connection: HTTPConnection
    if split.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=connect_timeout, context=_tls())
        if proxy:
            connection.set_tunnel(split.hostname or "", split.port or 443, headers=proxy_headers(proxy))
    else:
        connection = http.client.HTTPConnection(host, port, timeout=connect_timeout)
    connection.connect()
    connection.sock.settimeout(read_timeout)
    return connection


def proxy_for(split: SplitResult) -> SplitResult | None:
    """The proxy that the environment names for this URL (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY)."""
    from urllib.request import getproxies, proxy_bypass

    named = getproxies()
    found = named.get(split.scheme) or named.get("all", "")
    if not found or proxy_bypass(host_of(split)):
        return None
    return urlsplit(found if "://" in found else f"http://{found}")


def proxy_headers(proxy: SplitResult) -> dict[str, str]:
    """What a proxy that wants a user is sent."""
    if not proxy.username:
        return {}
    return {"Proxy-Authorization": basic(unquote(proxy.username), unquote(proxy.password or ""))}


def _tls() -> Any:
    import ssl

    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        return ssl.create_default_context()
    # A bundled executable may carry an OpenSSL whose compiled-in certificate paths do not exist on this machine.
    try:
        import certifi
    except ImportError:
        return ssl.create_default_context()
    return ssl.create_default_context(cafile=certifi.where())


def basic(username: str, password: str) -> str:
    """A Basic Authorization value (RFC 7617)."""
    from base64 import b64encode

    return "Basic " + b64encode(f"{username}:{password}".encode()).decode("ascii")


def host_of(split: SplitResult) -> str:
    """``name[:port]`` as the Host field has it, without user information."""
    return split.netloc.rpartition("@")[2]

"""A registry spoken to directly, for what skopeo does not do: artifacts, referrers, small documents.

Format: OCI distribution-spec 1.1 (https://github.com/opencontainers/distribution-spec/blob/main/spec.md), through oras.
Credentials are those that skopeo and docker keep, and go to the registry (and the token server it names) alone.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from anchorecli.errors import AnchoreError
from anchorecli.values import dataclass

LOGIN = "log in with: skopeo login HOST (or docker login), or set REGISTRY_AUTH_FILE"
_CHUNK = 256 * 1024
_HUB = "docker.io"
_HUB_HOST = "registry-1.docker.io"
_HUB_KEY = "https://index.docker.io/v1/"


class Access(NamedTuple):
    """How to talk to the registry. ``tls_verify`` off also means plain HTTP where there is no TLS."""

    tls_verify: bool = True
    authfile: str = ""
    timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class Connection:
    """A repository of a registry that has answered; ``connect`` makes it. Errors are of the class ``error``.

    ``client`` is oras' own, for what is not here.
    """

    name: str
    client: Any
    error: type[AnchoreError]

    def get(self, path: str, **headers: str) -> Any:
        """The response to ``GET /v2/<name>/<path>``, its body not read yet."""
        return self.ask("GET", path, headers=headers, stream=True)

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The response to any request about the repository."""
        host, _, repository = self.name.partition("/")
        host = _HUB_HOST if host == _HUB else host
        return self.client.do_request(f"{self.client.prefix}://{host}/v2/{repository}/{path}", method, **more)

    def body(self, response: Any, limit: int) -> bytes:
        """The body of a good response. Raises: the connection's error, also past ``limit`` bytes."""
        self.expect(response)
        found = bytearray()
        with response:
            for piece in response.iter_content(_CHUNK):
                found += piece
                if len(found) > limit:
                    raise self.error(f"{self.name}: the registry sends more than {limit} bytes", hint="check the name")
        return bytes(found)

    def expect(self, response: Any) -> None:
        """Raises: the connection's error where the registry did not do what it was asked."""
        status = response.status_code
        if 200 <= status < 300:
            return
        if status in (401, 403):
            raise self.error(f"{self.name}: the registry refuses access", hint=LOGIN)
        if status == 404:
            raise self.error(f"{self.name}: the registry does not have it", hint="check the name and the tag")
        raise self.error(f"{self.name}: the registry answers {status} {response.reason}", hint="try again later")

    def explained(self) -> Any:
        """A context in which what the library and the network say becomes our error."""
        return explained(self.name, self.error)


def connect(repository: str, access: Access, error: type[AnchoreError]) -> Connection:
    """A connection to ``host/path``; asks the registry how it wants to be spoken to. Raises: ``error``."""
    with explained(repository, error):
        return Connection(repository, _client(repository, access, error), error)


@contextmanager
def explained(name: str, error: type[AnchoreError]) -> Iterator[None]:
    """What the library and the network say, as our error."""
    import requests

    try:
        yield
    except requests.exceptions.SSLError as cause:
        hint = "name its authority in REQUESTS_CA_BUNDLE; --no-tls-verify for a registry without TLS"
        raise error(f"{name}: no TLS that can be trusted", hint=hint) from cause
    except requests.exceptions.RequestException as cause:
        raise error(f"{name}: {_reason(cause)}", hint="check the name, the network and the proxy") from cause
    except (ValueError, KeyError, AttributeError, TypeError) as cause:
        # What the library says of a challenge it cannot meet, and of answers that are no registry's.
        raise error(f"{name}: the registry cannot be used: {cause}", hint=LOGIN) from cause
    except OSError as cause:
        raise error(f"{name}: {cause.strerror or cause}", hint="check the file and the free space") from cause


def _client(repository: str, access: Access, error: type[AnchoreError]) -> Any:
    """A client that speaks TLS or not, as the registry does, and knows who we are."""
    import requests
    from oras.provider import Registry

    class Client(Registry):  # type: ignore[misc]
        """Bounded in time; what fails is told at once (the library would try again for two minutes)."""

        def do_request(self, *args: Any, **kwargs: Any) -> Any:
            response = Registry.do_request.__wrapped__(self, *args, **kwargs)
            if response.status_code == 401 and getattr(self.auth, "token", None):
                self.auth.token = None  # one for reading, and now we write
                response = Registry.do_request.__wrapped__(self, *args, **kwargs)
            return response

    host = repository.partition("/")[0]
    host = _HUB_HOST if host == _HUB else host

    def made(plain: bool, backend: str) -> Any:
        client = Client(host, insecure=plain, tls_verify=access.tls_verify, auth_backend=backend)
        asked = client.session.request
        client.session.request = lambda *args, **more: asked(*args, **({"timeout": (10, access.timeout)} | more))
        return client

    plain = False
    try:
        answer = _asked(made(False, "token"), host)
    except (requests.exceptions.SSLError, requests.exceptions.ConnectionError):
        if access.tls_verify:
            raise
        plain = True
        answer = _asked(made(True, "token"), host)
    basic = answer.headers.get("Www-Authenticate", "").lower().startswith("basic")
    client = made(plain, "basic" if basic else "token")
    credentials = _credentials(repository, access.authfile, error)
    if credentials:
        client.auth.set_basic_auth(*credentials)
    elif basic:
        raise error(f"{repository}: the registry refuses access", hint=LOGIN)
    return client


def _asked(client: Any, host: str) -> Any:
    return client.session.request("GET", f"{client.prefix}://{host}/v2/", verify=client._tls_verify)


def _credentials(repository: str, authfile: str, error: type[AnchoreError]) -> tuple[str, str] | None:
    """Who we are there, from the files that skopeo and docker keep; the longest name that fits decides.

    Format: containers-auth.json(5) and docker's config.json. Not handled: credential helpers.
    """
    for path in _auth_files(authfile, error):
        try:
            auths = json.loads(path.read_bytes()).get("auths", {})
        except (OSError, ValueError, AttributeError):
            continue
        keys = [repository]
        while "/" in keys[-1]:
            keys.append(keys[-1].rpartition("/")[0])
        named = [name for key in keys for name in (key, f"https://{key}")]
        for key in (*named, *((_HUB_KEY,) if keys[-1] == _HUB else ())):
            entry = auths.get(key) if isinstance(auths, dict) else None
            if isinstance(entry, dict) and isinstance(entry.get("auth"), str):
                name, _, password = base64.b64decode(entry["auth"]).decode("utf-8", "replace").partition(":")
                return name, password
    return None


def _auth_files(authfile: str, error: type[AnchoreError]) -> Iterator[Path]:
    """Where credentials may stand, in skopeo's order; a file that is named is the only one."""
    env = os.environ
    if named := authfile or env.get("REGISTRY_AUTH_FILE", ""):
        if not Path(named).is_file():
            raise error(f"no such auth file: {named}", hint="skopeo login --authfile FILE HOST writes one")
        yield Path(named)
        return
    if runtime := env.get("XDG_RUNTIME_DIR", ""):
        yield Path(runtime) / "containers" / "auth.json"
    home = Path(env.get("HOME", "/"))
    yield home / ".config" / "containers" / "auth.json"
    yield Path(env.get("DOCKER_CONFIG", "") or home / ".docker") / "config.json"


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    return "the registry cannot be reached"

"""Feed files in a registry, beside the images they are about: a shelf as one OCI artifact under one name.

Format: an OCI image manifest (image-spec 1.1, "Guidance for artifacts"): its configuration is the index of the shelf
(see ``shelf``), each layer one file as it is, annotated with its title, revision and where it starts from. Blobs are
checked against their digests whatever the registry says. Only the layers that a store needs are fetched.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest, sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple

from anchorecli.errors import FeedError
from anchorecli.feeds.lines import dump
from anchorecli.feeds.shelf import MAX_INDEX, Item, item, pruned, read_index, write_index
from anchorecli.reference import parse_reference, pull_string
from anchorecli.values import dataclass

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.anchore-scan.feeds.index.v1+json"
FULL_TYPE = "application/vnd.anchore-scan.feeds.full.v1+tar"
DELTA_TYPE = "application/vnd.anchore-scan.feeds.delta.v1+tar"
_TITLE = "org.opencontainers.image.title"
_CREATED = "org.opencontainers.image.created"
_OURS = "io.anchore-scan.feeds."
_MAX_MANIFEST = 4 << 20
_CHUNK = 256 * 1024
_LOGIN = "log in with: skopeo login HOST (or docker login), or set REGISTRY_AUTH_FILE"


class Access(NamedTuple):
    """How to talk to the registry. ``tls_verify`` off also means plain HTTP where there is no TLS."""

    tls_verify: bool = True
    authfile: str = ""
    timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class Artifact:
    """A name in a registry where feed files are, or will be; ``open_artifact`` makes it."""

    name: str
    client: Any
    container: Any

    def items(self) -> list[Item]:
        """The files there, none where there is no such artifact yet. Raises: FeedError."""
        with _explained(self.name):
            response = self._get(self.container.manifest_url(), Accept=MANIFEST_TYPE)
            if response.status_code == 404:
                return []
            manifest = self._manifest(_body(response, _MAX_MANIFEST))
            digest = manifest["config"]["digest"]
            index = self._small(digest)
        return read_index(index, self.name)

    def push(self, path: Path) -> list[Item]:
        """Put a file beside those that are there, and let go of what it makes useless; gives what is there then.

        Raises: FeedError.
        """
        new = item(path)
        kept = pruned([*(each for each in self.items() if each.sha256 != new.sha256), new])
        if new not in kept:
            hint = "push a later one, or push it under another tag"
            raise FeedError(f"{path} is older than what {self.name} holds", hint=hint)
        index = write_index(kept)
        with _explained(self.name), NamedTemporaryFile() as file:
            file.write(index)
            file.flush()
            self._put_blob(path, new.sha256, new.size)
            self._put_blob(Path(file.name), sha256(index).hexdigest(), len(index))
            self._put_manifest(kept, index, new)
        return kept

    def fetch(self, wanted: Item, path: Path) -> None:
        """Write a file of the artifact to a path. Raises: FeedError where it is not what the index says."""
        digest, size = sha256(), 0
        with _explained(self.name), path.open("wb") as file:
            response = self._get(self.container.get_blob_url(f"sha256:{wanted.sha256}"), stream=True)
            _expect(response, self.name)
            with response:
                for piece in response.iter_content(_CHUNK):
                    size += len(piece)
                    if size > wanted.size:
                        break
                    digest.update(piece)
                    file.write(piece)
        if size != wanted.size or digest.hexdigest() != wanted.sha256:
            hint = "the registry or something before it changes or cuts off blobs; nothing of it was imported"
            raise FeedError(f"{self.name}: {wanted.name} is not what its digest says", hint=hint)

    def _manifest(self, body: bytes) -> dict[str, Any]:
        manifest = json.loads(body)
        config = manifest.get("config") if isinstance(manifest, dict) else None
        if not isinstance(config, dict) or config.get("mediaType") != INDEX_TYPE or "digest" not in config:
            raise FeedError(f"{self.name} holds no feed files", hint="push them there: anchore feeds push FILE REF")
        return manifest  # type: ignore[no-any-return]

    def _small(self, digest: str) -> bytes:
        response = self._get(self.container.get_blob_url(digest), stream=True)
        _expect(response, self.name)
        body = _body(response, MAX_INDEX)
        if f"sha256:{sha256(body).hexdigest()}" != digest:
            raise FeedError(f"{self.name}: its index is not what its digest says", hint="push the files again")
        return body

    def _get(self, url: str, *, stream: bool = True, **headers: str) -> Any:
        return self.client.do_request(f"{self.client.prefix}://{url}", "GET", headers=headers, stream=stream)

    def _put_blob(self, path: Path, digest: str, size: int) -> None:
        layer = {"digest": f"sha256:{digest}", "size": size}
        with path.open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != digest:
                raise FeedError(f"{path} was changed while it was pushed", hint="push it again")
        _expect(self.client.upload_blob(str(path), self.container, layer), self.name)

    def _put_manifest(self, items: list[Item], index: bytes, new: Item) -> None:
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": INDEX_TYPE,
            "config": _descriptor(INDEX_TYPE, sha256(index).hexdigest(), len(index)),
            "layers": [_layer(each) for each in items],
            "annotations": {_CREATED: new.created_at, f"{_OURS}revision": str(items[-1].revision)},
        }
        url = f"{self.client.prefix}://{self.container.manifest_url()}"
        body = dump(manifest).encode()
        _expect(self.client.do_request(url, "PUT", data=body, headers={"Content-Type": MANIFEST_TYPE}), self.name)


def open_artifact(reference: str, access: Access = Access()) -> Artifact:  # noqa: B008 - a tuple of constants
    """The artifact of a name, like ``registry.example/feeds:latest``; asks the registry how it wants to be spoken to.

    Raises: UsageError for what is no name, FeedError where the registry cannot be reached.
    """
    found = parse_reference(reference if "://" in reference else f"registry:{reference}")
    name = pull_string(found)
    host = found.registry
    with _explained(name):
        client = _client(host, f"{host}/{found.repository}", access)
        from oras.container import Container

        return Artifact(name, client, Container(name))


def _client(host: str, repository: str, access: Access) -> Any:
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
    credentials = _credentials(repository, access.authfile)
    if credentials:
        client.auth.set_basic_auth(*credentials)
    elif basic:
        raise FeedError(f"{repository}: the registry refuses access", hint=_LOGIN)
    return client


def _asked(client: Any, host: str) -> Any:
    return client.session.request("GET", f"{client.prefix}://{host}/v2/", verify=client._tls_verify)


def _credentials(repository: str, authfile: str) -> tuple[str, str] | None:
    """Who we are there, from the files that skopeo and docker keep; the longest name that fits decides.

    Format: containers-auth.json(5) and docker's config.json. Not handled: credential helpers.
    """
    for path in _auth_files(authfile):
        try:
            auths = json.loads(path.read_bytes()).get("auths", {})
        except (OSError, ValueError, AttributeError):
            continue
        keys = [repository]
        while "/" in keys[-1]:
            keys.append(keys[-1].rpartition("/")[0])
        for key in keys:
            entry = auths.get(key) or auths.get(f"https://{key}") if isinstance(auths, dict) else None
            if isinstance(entry, dict) and isinstance(entry.get("auth"), str):
                name, _, password = base64.b64decode(entry["auth"]).decode("utf-8", "replace").partition(":")
                return name, password
    return None


def _auth_files(authfile: str) -> Iterator[Path]:
    """Where credentials may stand, in skopeo's order; a file that is named is the only one."""
    env = os.environ
    if named := authfile or env.get("REGISTRY_AUTH_FILE", ""):
        if not Path(named).is_file():
            raise FeedError(f"no such auth file: {named}", hint="skopeo login --authfile FILE HOST writes one")
        yield Path(named)
        return
    if runtime := env.get("XDG_RUNTIME_DIR", ""):
        yield Path(runtime) / "containers" / "auth.json"
    home = Path(env.get("HOME", "/"))
    yield home / ".config" / "containers" / "auth.json"
    yield Path(env.get("DOCKER_CONFIG", "") or home / ".docker") / "config.json"


def _descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}


def _layer(each: Item) -> dict[str, Any]:
    notes = {_TITLE: each.name, _CREATED: each.created_at, f"{_OURS}revision": str(each.revision)}
    if each.delta:
        notes[f"{_OURS}since"] = str(each.since)
    return _descriptor(DELTA_TYPE if each.delta else FULL_TYPE, each.sha256, each.size) | {"annotations": notes}


def _body(response: Any, limit: int) -> bytes:
    _expect(response, "the registry")
    found = b""
    with response:
        for piece in response.iter_content(_CHUNK):
            found += piece
            if len(found) > limit:
                raise FeedError(f"the registry sends more than {limit} bytes", hint="check the name")
    return found


def _expect(response: Any, name: str) -> None:
    """Raises: FeedError where the registry did not do what it was asked."""
    status = response.status_code
    if 200 <= status < 300:
        return
    if status in (401, 403):
        raise FeedError(f"{name}: the registry refuses access", hint=_LOGIN)
    if status == 404:
        raise FeedError(f"{name}: the registry does not have it", hint="check the name and the tag")
    raise FeedError(f"{name}: the registry answers {status} {response.reason}", hint="try again later")


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """What the library and the network say, as our error."""
    import requests

    try:
        yield
    except requests.exceptions.SSLError as error:
        hint = "name its authority in REQUESTS_CA_BUNDLE; --no-tls-verify for a registry without TLS"
        raise FeedError(f"{name}: no TLS that can be trusted", hint=hint) from error
    except requests.exceptions.RequestException as error:
        raise FeedError(f"{name}: {_reason(error)}", hint="check the name, the network and the proxy") from error
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        # What the library says of a challenge it cannot meet, and of answers that are no registry's.
        raise FeedError(f"{name}: the registry cannot be used: {error}", hint=_LOGIN) from error
    except OSError as error:
        raise FeedError(f"{name}: {error.strerror or error}", hint="check the file and the free space") from error


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    return "the registry cannot be reached"

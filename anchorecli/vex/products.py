"""Whether what a VEX statement names is the image at hand, or a package in it.

purls are compared loosely: type, namespace and name must be equal; version and qualifiers where the statement has them
and the package does too. A package is also known by the purl of its source package. CPE names are for ``cpe.py``.

Format: https://github.com/package-url/purl-spec; images are ``pkg:oci/NAME@sha256:…?repository_url=…&tag=…``, a name as
it is pulled, or a digest.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from anchorecli.model import Distro, Image, ImageRef, Package
from anchorecli.values import dataclass
from anchorecli.vex.cpe import bears

_DIGEST = re.compile(r"(?:sha256:)*([0-9a-f]{64})")
_IMAGE_TYPES = ("oci", "docker")
_CASELESS = frozenset({"pypi", "composer", "nuget", "github", "githubactions", "deb", "apk", "rpm", "alpm"})
_LOOSE = frozenset({"epoch", "upstream"})
"""Qualifiers that writers spell in too many ways to tell packages apart by."""


class Purl(NamedTuple):
    """A package URL taken apart; ``namespace`` and ``name`` as they are compared."""

    type: str
    namespace: str
    name: str
    version: str
    qualifiers: dict[str, str]


@lru_cache(maxsize=1 << 14)
def parse_purl(text: str) -> Purl | None:
    """A purl taken apart; None for what is none."""
    if not text.startswith("pkg:"):
        return None
    rest, _, query = text[4:].lstrip("/").partition("#")[0].partition("?")
    kind, _, path = rest.partition("/")
    path, _, version = path.rpartition("@") if "@" in path.rpartition("/")[2] else (path, "", "")
    namespace, _, name = path.strip("/").rpartition("/")
    kind, namespace, name = kind.lower(), unquote(namespace), unquote(name)
    if not kind or not name:
        return None
    if kind in _CASELESS:
        namespace, name = namespace.lower(), name.lower()
    if kind == "pypi":
        name = re.sub(r"[-_.]+", "-", name)
    pairs = (part.partition("=") for part in query.split("&") if part)
    return Purl(kind, namespace, name, unquote(version), {key.lower(): unquote(value) for key, _, value in pairs})


@dataclass(frozen=True, slots=True)
class Subject:
    """The image that statements are compared with: what the user asked for, and its digests."""

    reference: ImageRef
    digests: frozenset[str]

    @classmethod
    def of(cls, image: Image, reference: ImageRef) -> Subject:
        """An image under the name it was asked for; what an archive calls itself is not believed."""
        return cls(reference, frozenset({image.digest, image.index_digest, image.image_id} - {""}))

    def is_named(self, text: str) -> bool:
        """Whether a statement's product is this image."""
        if digest := _DIGEST.fullmatch(text.strip().lower()):
            return f"sha256:{digest[1]}" in self.digests
        if text.startswith("pkg:"):
            purl = parse_purl(text)
            return purl is not None and purl.type in _IMAGE_TYPES and self._is_purl(purl)
        return self._is_name(text)

    def _is_purl(self, purl: Purl) -> bool:
        url, tag = purl.qualifiers.get("repository_url", ""), purl.qualifiers.get("tag", "")
        digest = _DIGEST.fullmatch(purl.version.lower())
        if digest:
            return f"sha256:{digest[1]}" in self.digests
        # The repository's URL may or may not end with the name.
        path = "/".join(filter(None, (url, purl.namespace)))
        named = path if path.rpartition("/")[2] == purl.name else f"{path}/{purl.name}".lstrip("/")
        own = f"{self.reference.registry}/{self.reference.repository}"
        fits = _canonical(named) == own if path else own.rpartition("/")[2] == purl.name
        tag = tag or purl.version
        return bool(self.reference.repository) and fits and (not tag or tag == self.reference.tag)

    def _is_name(self, text: str) -> bool:
        name, at, digest = text.partition("@")
        if at:
            found = _DIGEST.fullmatch(digest.lower())
            return found is not None and f"sha256:{found[1]}" in self.digests
        repository, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:
            repository, tag = name, ""
        own = self.reference
        fits = bool(own.repository) and _canonical(repository) == f"{own.registry}/{own.repository}"
        return fits and (not tag or tag == own.tag)


@lru_cache(maxsize=1 << 12)
def _canonical(name: str) -> str:
    """``registry/repository`` as images are named here: Docker Hub is docker.io, without ``library/``."""
    name = name.removeprefix("https://").removeprefix("docker://").strip("/")
    host, slash, rest = name.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, rest = "docker.io", name
    host = "docker.io" if host in ("index.docker.io", "registry-1.docker.io", "registry.hub.docker.com") else host
    return f"{host}/{rest.removeprefix('library/') if host == 'docker.io' else rest}"


def distro_names(distro: Distro | None) -> frozenset[str]:
    """What a purl may call a distribution's release: ``debian-12``, ``bookworm``."""
    if distro is None:
        return frozenset()
    versions = {distro.version_id, distro.version_id.partition(".")[0]} - {""}
    return frozenset({f"{distro.id}-{each}" for each in versions} | {distro.codename} - {""})


def is_package(text: str, package: Package, releases: frozenset[str] = frozenset()) -> bool:
    """Whether a statement's product or subcomponent is this package, or what it was built from.

    ``releases`` are the names of the image's distribution: one that the statement is limited to has to be among them.
    """
    if text.startswith("cpe:"):
        return bool(package.cpes) and bears(text, package)
    wanted = parse_purl(text)
    own = parse_purl(package.purl)
    if wanted is None or own is None or wanted.type != own.type or wanted.namespace != own.namespace:
        return False
    release = wanted.qualifiers.get("distro", "").lower().rpartition("/")[2]
    if release and release != own.qualifiers.get("distro", "").lower() and release not in releases:
        return False
    if wanted.name == own.name and _versions_agree(wanted.version, package.version, own.version):
        return _qualifiers_agree(wanted, own)
    source = package.source.lower() if own.type in _CASELESS else package.source
    if not source or source == own.name or wanted.name != source:
        return False
    return _versions_agree(wanted.version, package.source_version or package.version)


def _versions_agree(wanted: str, *own: str) -> bool:
    # An epoch is a qualifier in some purls and a part of the version in others.
    return not wanted or wanted in own or any(wanted == each.partition(":")[2] for each in own)


def _qualifiers_agree(wanted: Purl, own: Purl) -> bool:
    return all(
        key == "distro"
        or key in _LOOSE
        or own.qualifiers.get(key, value) == value
        or (key == "arch" and value in ("source", "src", "all"))
        for key, value in wanted.qualifiers.items()
    )

"""Which rule of a bundle means an image."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from anchorecli.model import Image, ImageRef
from anchorecli.policy.base import Evidence
from anchorecli.policy.patterns import wildcard_matches
from anchorecli.policy.values import Bundle, ImageRule, MappingRule

_DOCKER_HUB = "docker.io"
_HUB_ALIASES = ("dockerhub", "index.docker.io")
_ARCHIVES = ("docker-archive", "oci-archive", "oci-dir")


class Name(NamedTuple):
    """The name a user asked for, as rules see it; the parts are empty where there is none."""

    registry: str
    repository: str
    tag: str


def image_name(reference: ImageRef) -> Name:
    """The registry, repository and tag of a reference.

    Inside an archive the tag holds the name asked for. Names an archive merely claims are not looked at: an image
    must not choose the policy it is judged by.
    """
    if reference.repository or reference.transport not in _ARCHIVES:
        return Name(reference.registry, reference.repository.removeprefix("library/"), reference.tag)
    first, slash, rest = reference.tag.partition("/")
    has_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    registry, path = (first, rest) if has_host else (_DOCKER_HUB, reference.tag)
    repository, _, tag = path.partition("@")[0].partition(":")
    if not repository:
        return Name("", "", "")
    hub = registry in (_DOCKER_HUB, *_HUB_ALIASES)
    return Name(_DOCKER_HUB if hub else registry, repository.removeprefix("library/") if hub else repository, tag)


def image_text(reference: ImageRef) -> str:
    """``registry/repository:tag``, which the ``image`` of an exception is compared with."""
    name = image_name(reference)
    place = f"{name.registry}/{name.repository}" if name.registry else name.repository
    return f"{place}:{name.tag}" if name.tag else place


def find_mapping(bundle: Bundle, evidence: Evidence) -> MappingRule | None:
    """The first mapping that means the image. Raises: LimitError."""
    name, image = image_name(evidence.reference), evidence.analysis.image
    return next((rule for rule in bundle.mappings if _means(rule.image, name, image)), None)


def find_image(rules: Iterable[ImageRule], evidence: Evidence) -> ImageRule | None:
    """The first entry of an image list that means the image. Raises: LimitError."""
    name, image = image_name(evidence.reference), evidence.analysis.image
    return next((rule for rule in rules if _means(rule, name, image)), None)


def _means(rule: ImageRule, name: Name, image: Image) -> bool:
    registry = _DOCKER_HUB if rule.registry in _HUB_ALIASES else rule.registry
    repository = rule.repository
    if name.registry == _DOCKER_HUB:
        # Docker's own spelling of official images is read like ours.
        repository = repository.removeprefix("library/")
    if not (wildcard_matches(registry, name.registry) and wildcard_matches(repository, name.repository)):
        return False
    if rule.kind == "tag":
        return wildcard_matches(rule.value, name.tag)
    wanted = _hex(rule.value)
    known = (image.image_id,) if rule.kind == "id" else (image.digest, image.index_digest, image.ref.digest)
    return any(wanted == _hex(digest) for digest in known if digest)


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:").lower()

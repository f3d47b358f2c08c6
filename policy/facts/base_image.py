"""Which image an image was built from, as far as anything says so.

Format: the annotations ``org.opencontainers.image.base.name`` and ``.base.digest`` of a manifest (OCI image-spec,
annotations.md), which some builders write as labels of the configuration instead; and the Dockerfile given.

An annotation and a Dockerfile speak of this image. Labels are handed down: one may speak of the base image's own base,
so they are asked last. All of it is what the image or its author says; nothing here proves it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.model import Image

_NAME = "org.opencontainers.image.base.name"
_DIGEST = "org.opencontainers.image.base.digest"

ANNOTATIONS, DOCKERFILE, LABELS = "the manifest's annotations", "the Dockerfile", "the image's labels"
"""Who says so."""


class Claim(NamedTuple):
    """One statement about the base image: its name and its digest, either may be empty, and who says so."""

    name: str
    digest: str
    source: str


def claims(image: Image, from_line: str = "") -> tuple[Claim, ...]:
    """What is said of the base image, the most reliable first; ``from_line`` is that of a Dockerfile's last stage."""
    return tuple(_claims(image, from_line))


def _claims(image: Image, from_line: str) -> Iterator[Claim]:
    annotated, labelled = image.annotations, image.config.labels
    if annotated.get(_NAME) or annotated.get(_DIGEST):
        yield Claim(annotated.get(_NAME, ""), annotated.get(_DIGEST, ""), ANNOTATIONS)
    if from_line and "$" not in from_line:
        name, _, digest = from_line.partition("@")
        yield Claim(name, digest, DOCKERFILE)
    if labelled.get(_NAME) or labelled.get(_DIGEST):
        yield Claim(labelled.get(_NAME, ""), labelled.get(_DIGEST, ""), LABELS)


def full_name(name: str) -> str:
    """A name in its canonical form (``debian`` → ``docker.io/debian:latest``); ``scratch``, and what is no name, as it
    is."""
    from anchorecli.errors import UsageError
    from anchorecli.reference import split_name

    if name.strip() == "scratch":
        return "scratch"
    try:
        registry, repository, tag, _ = split_name(name.strip())
    except UsageError:
        return name
    return f"{registry}/{repository}:{tag}" if tag else f"{registry}/{repository}"

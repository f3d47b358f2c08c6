"""What a verdict looks at beside packages and matches, gathered only where a rule of the bundle looks at it."""

from __future__ import annotations

from anchorecli.errors import AnchoreError
from anchorecli.model import Analysis, DiffId, Image, Problem, StoredImage
from anchorecli.policy.demand import demand
from anchorecli.policy.values import Bundle
from anchorecli.reference import parse_reference
from anchorecli.scan.analysis import stored_files
from anchorecli.scan.documents import read_analysis
from anchorecli.scan.values import Given, Occasion
from anchorecli.store import Store

BASE_DIGEST = "org.opencontainers.image.base.digest"
BASE_NAME = "org.opencontainers.image.base.name"
"""Format: OCI image-spec, annotations.md, "Pre-Defined Annotation Keys"; builders write them as labels too."""


def gather(store: Store, analysis: Analysis, bundle: Bundle, occasion: Occasion) -> Given:
    """All that the bundle's rules look at; what the store does not have is None."""
    image = analysis.image
    return Given(
        # An SBOM may name layers; their files are no evidence of what it describes.
        tree=stored_files(store, [layer.diff_id for layer in image.layers])
        if demand(bundle).files and image.ref.transport != "sbom"
        else None,
        base=base_layers(store, image, occasion.base),
        previous=previous_analysis(store, image, occasion) if _looks_at_drift(bundle) else None,
    )


def base_layers(store: Store, image: Image, asked: str) -> frozenset[DiffId] | None:
    """The layers that the base image brought: that of the name asked for, else the one the image names.

    None where it is not named, not in the store, or not what the image begins with: an image may claim anything.
    """
    own = [layer.diff_id for layer in image.layers]
    for name in (asked,) if asked else _named_bases(image):
        for base in store.find_images(name):
            if _is_beginning(base, own):
                return frozenset(base.layers)
    return None


def base_remarks(asked: str, found: frozenset[DiffId] | None) -> tuple[Problem, ...]:
    """What is said where somebody named a base image that tells nothing of this one."""
    if not asked or found is not None:
        return ()
    message = "no stored image of that name is what this one begins with: which packages it brought is not known"
    hint = "scan the base image first; its name, tag, digest or id names it"
    return (Problem("source", f"base image {asked}", message, hint, incomplete=False),)


def base_name(image: Image, asked: str) -> str:
    """What the base image is called: as it was asked for, else as annotations, then labels name it."""
    named = (said.get(BASE_NAME, "") for said in (image.annotations, image.config.labels))
    return asked or next(filter(None, named), "")


def previous_analysis(store: Store, image: Image, occasion: Occasion) -> Analysis | None:
    """The analysis of the image that the reference named before this one; None where none is known."""
    reference = occasion.reference.name
    for evaluation in store.evaluations(reference=reference, limit=_LOOK_BACK):
        if evaluation.digest != image.digest and evaluation.created_at <= occasion.now:
            document = store.evaluation_parts(evaluation.id).get("analysis") or store.latest_analysis(
                evaluation.image_id
            )
            try:
                return read_analysis(document) if document else None
            except ValueError:
                return None
    return None


_LOOK_BACK = 200
"""Evaluations of one tag that are looked through for another image."""


def _looks_at_drift(bundle: Bundle) -> bool:
    return any(rule.gate == "tag_drift" for policy in bundle.policies for rule in policy.rules)


def _named_bases(image: Image) -> list[str]:
    """What annotations, then labels say: the digest first, since a name may have moved on."""
    found = []
    for said in (image.annotations, image.config.labels):
        for key in (BASE_DIGEST, BASE_NAME):
            if name := said.get(key, ""):
                found.append(name if key == BASE_DIGEST else _canonical(name))
    return found


def _canonical(name: str) -> str:
    try:
        return parse_reference(name).name
    except AnchoreError:
        return name


def _is_beginning(base: StoredImage, layers: list[DiffId]) -> bool:
    return 0 < len(base.layers) < len(layers) and list(base.layers) == layers[: len(base.layers)]

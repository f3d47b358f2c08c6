"""Which parts of a bundle hold for an image, by its name: what ``policy show --image`` prints."""

from __future__ import annotations

from typing import NamedTuple

from anchorecli.model import Allow, Analysis, Digest, Image, ImageConfig, ImageRef, Platform
from anchorecli.policy.base import Evidence
from anchorecli.policy.judging.mapping import find_image, find_mapping, image_text
from anchorecli.policy.judging.wildcards import Wildcard
from anchorecli.policy.times import days_between
from anchorecli.policy.values import Bundle, ImageRule, MappingRule, Policy


class Applied(NamedTuple):
    """What holds for one image. ``items`` are the exceptions in force, with the whitelist's id; ``denied`` and
    ``allowed`` the entries of the image lists that mean it, of which the first wins."""

    mapping: MappingRule | None
    policies: tuple[Policy, ...]
    items: tuple[tuple[str, Allow], ...]
    denied: ImageRule | None
    allowed: ImageRule | None
    by_digest: tuple[ImageRule, ...]
    """Entries that compare a digest or an id, which a name alone does not tell."""


def applied(bundle: Bundle, reference: ImageRef, now: str) -> Applied:
    """What the bundle has for an image. Raises: LimitError."""
    digest = Digest(reference.digest)
    image = Image(reference, Digest(""), digest, ImageConfig(Platform("linux", "")), ())
    evidence = Evidence(Analysis(image, None, ()), reference, now)
    mapping = find_mapping(bundle, evidence)
    wanted = mapping.allowlist_ids if mapping else ()
    name = image_text(reference)
    items = [(one.id, item) for one in bundle.allowlists if one.id in wanted for item in one.items]
    known = {policy.id: policy for policy in bundle.policies}
    images = (*(one.image for one in bundle.mappings), *bundle.denied_images, *bundle.allowed_images)
    return Applied(
        mapping,
        tuple(known[policy_id] for policy_id in mapping.policy_ids) if mapping else (),
        tuple((place, item) for place, item in items if _in_force(item, name, now)),
        find_image(bundle.denied_images, evidence),
        find_image(bundle.allowed_images, evidence),
        tuple(one for one in images if one.kind == "id" or (one.kind == "digest" and not digest)),
    )


def _in_force(item: Allow, name: str, now: str) -> bool:
    left = days_between(now, item.expires_on) if item.expires_on else None
    return (left is None or left > 0) and (not item.image or Wildcard(item.image).matches(name))

"""``anchore policy show`` and ``digest``: what a bundle says, with all its parts resolved."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from anchorecli.cli.app import Start
from anchorecli.cli.options import option
from anchorecli.cli.policy import write_lines

if TYPE_CHECKING:
    from anchorecli.model import Allow
    from anchorecli.policy.authoring.applying import Applied
    from anchorecli.policy.values import Bundle, ImageRule, Policy


@click.command()
@click.argument("file", type=click.Path(dir_okay=False), required=False)
@option("--image", metavar="NAME", default="", help="Only what holds for this image; it is not fetched.")
@option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(start: Start, file: str | None, image: str, as_json: bool) -> None:
    """What holds for which image: a bundle with all its parts resolved.

    Without FILE: the policy in force (--policy of the configuration, or the built-in one).
    """
    from anchorecli.policy.authoring.applying import applied
    from anchorecli.policy.bundle import load_bundle

    with start.app() as app:
        bundle = load_bundle(file) if file else app.bundle()
        found = applied(bundle, app.reference(image), app.now) if image else None
    if as_json:
        sys.stdout.write(json.dumps(_document(bundle, found), indent=2) + "\n")
        return
    write_lines(_applied_lines(bundle, image, found) if found else _lines(bundle))


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(dir_okay=False))
def digest(files: tuple[str, ...]) -> None:
    """Print the digest of what bundles mean.

    Layout, comments and spelling do not enter into it: two bundles of one digest judge alike. It stands in every
    report, and names a bundle that was kept: anchore replay IMAGE --policy DIGEST.
    """
    from anchorecli.policy.bundle import load_bundle

    for file in files:
        sys.stdout.write(f"{load_bundle(file).digest}  {file}\n")


def _document(bundle: Bundle, found: Applied | None) -> dict[str, Any]:
    from anchorecli.policy.language.canonical import canonical

    whole = {"digest": bundle.digest, "bundle": canonical(bundle)}
    if found is None:
        return whole
    return {
        "digest": bundle.digest,
        "mapping": found.mapping and found.mapping.image.id,
        "policies": [policy.id for policy in found.policies],
        "whitelists": list(found.mapping.allowlist_ids) if found.mapping else [],
        "exceptions": [f"{place}:{item.id}" for place, item in found.items],
        "denied_by": found.denied and found.denied.id,
        "allowed_by": found.allowed and found.allowed.id,
        "by_digest": [one.id for one in found.by_digest],
    }


def _lines(bundle: Bundle) -> Iterator[str]:
    yield from _head(bundle)
    yield ""
    yield "images" + ("" if bundle.mappings else ": no mapping, so that no rule is run for any image")
    for mapping in bundle.mappings:
        allowed = f", whitelists {', '.join(mapping.allowlist_ids)}" if mapping.allowlist_ids else ""
        yield f"  {_image(mapping.image)}: policies {', '.join(mapping.policy_ids)}{allowed}"
    for title, images in (("denied", bundle.denied_images), ("allowed", bundle.allowed_images)):
        yield from (f"  {_image(image)}: always {title}" for image in images)
    for policy in bundle.policies:
        yield from _policy(policy)
    for allowlist in bundle.allowlists:
        if allowlist.items:
            yield ""
            yield f"whitelist {allowlist.id}" + (f": {allowlist.name}" if allowlist.name else "")
            yield from (f"  {_item(item)}" for item in allowlist.items)


def _applied_lines(bundle: Bundle, image: str, found: Applied) -> Iterator[str]:
    yield from _head(bundle)
    yield ""
    if found.denied:
        yield f"{image} is denied, whatever is in it: {_image(found.denied)}{_at(found.denied.line)}"
    elif found.allowed:
        yield f"{image} is allowed, whatever is in it: {_image(found.allowed)}{_at(found.allowed.line)}"
    if found.mapping is None:
        yield f"no mapping means {image}: no rule is run, and the verdict is pass"
    else:
        rule = found.mapping.image
        yield f"mapping {rule.id}{_at(rule.line)}: {_image(rule)}"
    for one in found.by_digest:
        yield f"  (not compared: {_image(one)} asks for a {one.kind}, which a name does not tell)"
    for policy in found.policies:
        yield from _policy(policy)
    if found.items:
        yield ""
        yield "exceptions in force"
        yield from (f"  {place}: {_item(item)}" for place, item in found.items)


def _head(bundle: Bundle) -> Iterator[str]:
    yield f"bundle {bundle.id}" + (f": {bundle.name}" if bundle.name else "")
    yield f"  {bundle.digest}"
    if bundle.compat:
        yield "  compat: anchore-engine"
    said = (f"{name} {value}" for name, value in bundle.evidence._asdict().items() if value)
    yield f"  incomplete evidence: {', '.join(said)}"


def _policy(policy: Policy) -> Iterator[str]:
    yield ""
    yield f"policy {policy.id}" + (f": {policy.name}" if policy.name else "")
    for rule in policy.rules:
        params = " ".join(f"{name}={value}" for name, value in rule.params.items())
        yield f"  {rule.action.label:4} {rule.id}: {rule.gate}.{rule.trigger} {params}".rstrip() + _at(rule.line)


def _item(item: Allow) -> str:
    from anchorecli.policy.language.allowlists import allow_document

    parts = [f"{name} {value}" for name, value in allow_document(item).items() if name not in ("id", "expires_on")]
    end = f", until {item.expires_on}" if item.expires_on else ""
    return f"{item.id}: {', '.join(parts)}{end}{_at(item.line)}"


def _image(rule: ImageRule) -> str:
    separator = ":" if rule.kind == "tag" else "@"
    return f"{rule.registry}/{rule.repository}{separator}{rule.value}"


def _at(line: int) -> str:
    path = getattr(line, "path", "")
    return f"  ({path}:{line})" if path else f"  (line {line})" if line else ""

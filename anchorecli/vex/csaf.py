"""VEX documents of the Common Security Advisory Framework.

Format: https://docs.oasis-open.org/csaf/csaf/v2.0/os/csaf-v2.0-os.html, profile 5 (VEX): ``product_tree`` names
products and what identifies them, ``vulnerabilities[].product_status`` what holds for each; ``flags`` and ``threats``
say why.
A product that nothing identifies (no purl, no digest, no CPE) cannot be told to be in an image: its statements are not
used, and counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.vex.fields import Object, VexError, mapping, moment, objects, text, texts
from anchorecli.vex.values import VexStatement, VexStatus

NAME = "csaf"
_STATUS = {
    "known_not_affected": VexStatus.NOT_AFFECTED,
    "fixed": VexStatus.FIXED,
    "first_fixed": VexStatus.FIXED,
    "known_affected": VexStatus.AFFECTED,
    "first_affected": VexStatus.AFFECTED,
    "last_affected": VexStatus.AFFECTED,
    "under_investigation": VexStatus.UNDER_INVESTIGATION,
}
_DEEPEST = 100


class _Product(NamedTuple):
    ids: tuple[str, ...]
    inside: tuple[str, ...] = ()
    """What identifies the product that it is a component of."""
    is_component: bool = False


def recognises(document: Object) -> bool:
    """Whether a document is one of CSAF."""
    inner = document.get("document")
    return isinstance(inner, dict) and "csaf_version" in inner


def author(document: Object) -> str:
    """Who speaks."""
    publisher = mapping(mapping(document["document"], "document").get("publisher") or {}, "document.publisher")
    return text(publisher, "name", "document.publisher.")


def statements(document: Object, remarks: list[str]) -> Iterator[VexStatement]:
    """The statements. Raises: VexError."""
    tracking = mapping(mapping(document["document"], "document").get("tracking") or {}, "document.tracking")
    written = moment(tracking, ("current_release_date", "initial_release_date"), "document.tracking.")
    products = _products(mapping(document.get("product_tree") or {}, "product_tree"))
    unknown: set[str] = set()
    if document.get("vulnerabilities") is None:
        remarks.append("it names no vulnerabilities")
    for place, each in objects(document, "vulnerabilities", ""):
        yield from _of_vulnerability(each, f"{place}.", written, products, unknown)
    if unknown:
        remarks.append(
            f"{len(unknown)} products are not identified by a purl, a digest or a CPE: what is said of them is unused"
        )


def _of_vulnerability(
    each: Object, where: str, written: str, products: dict[str, _Product], unknown: set[str]
) -> Iterator[VexStatement]:
    ids = tuple(text(one, "text", f"{place}.") for place, one in objects(each, "ids", where))
    names = tuple(filter(None, (text(each, "cve", where), *ids)))
    if not names:
        raise VexError(f"{where[:-1]}: it has neither cve nor ids")
    statuses = mapping(each.get("product_status") or {}, f"{where}product_status")
    flags = dict(_of_products(each, "flags", "label", where))
    impacts = dict(_of_products(each, "threats", "details", where, category="impact"))
    actions = dict(_of_products(each, "remediations", "details", where))
    for key, status in _STATUS.items():
        for name in texts(statuses, key, f"{where}product_status."):
            product = products.get(name)
            if product is None or not product.ids or (product.is_component and not product.inside):
                unknown.add(name)
                continue
            yield VexStatement(
                names=names,
                status=status,
                products=product.inside or product.ids,
                subcomponents=product.ids if product.inside else (),
                justification=flags.get(name, ""),
                impact=impacts.get(name, ""),
                action=actions.get(name, ""),
                timestamp=written,
            )


def _of_products(each: Object, key: str, value: str, where: str, category: str = "") -> Iterator[tuple[str, str]]:
    """Product id → text, of those of the entries that name products."""
    for place, one in objects(each, key, where):
        if not category or one.get("category") == category:
            said = text(one, value, f"{place}.")
            yield from ((name, said) for name in texts(one, "product_ids", f"{place}."))


def _products(tree: Object) -> dict[str, _Product]:
    found: dict[str, _Product] = {}
    named = [*objects(tree, "full_product_names", "product_tree."), *_leaves(tree, "product_tree.", 0)]
    for place, each in named:
        found[text(each, "product_id", f"{place}.", required=True)] = _Product(_identity(each, f"{place}."))
    for place, each in objects(tree, "relationships", "product_tree."):
        made = mapping(each.get("full_product_name"), f"{place}.full_product_name")
        name = text(made, "product_id", f"{place}.full_product_name.", required=True)
        component = found.get(text(each, "product_reference", f"{place}.", required=True))
        whole = found.get(text(each, "relates_to_product_reference", f"{place}.", required=True))
        own = _identity(made, f"{place}.full_product_name.")
        found[name] = (
            _Product(own) if own else _Product(component.ids if component else (), whole.ids if whole else (), True)
        )
    return found


def _leaves(branch: Object, where: str, depth: int) -> Iterator[tuple[str, Object]]:
    if depth > _DEEPEST:
        raise VexError(f"{where[:60]}…: nested too deeply")
    for place, each in objects(branch, "branches", where):
        if each.get("product") is not None:
            yield f"{place}.product", mapping(each["product"], f"{place}.product")
        yield from _leaves(each, f"{place}.", depth + 1)


def _identity(product: Object, where: str) -> tuple[str, ...]:
    helper = mapping(product.get("product_identification_helper") or {}, f"{where}product_identification_helper")
    where += "product_identification_helper."
    found = [text(helper, "purl", where), *texts(helper, "purls", where)]
    for place, each in objects(helper, "hashes", where):
        for at, one in objects(each, "file_hashes", f"{place}."):
            if one.get("algorithm") == "sha256":
                found.append(text(one, "value", f"{at}."))
    # A CPE says less than either: it counts where there is nothing else.
    return tuple(filter(None, found)) or tuple(filter(None, (text(helper, "cpe", where),)))

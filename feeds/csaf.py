"""CSAF documents: which products they name, and what each vulnerability in them says of those.

The product tree is flattened: a product id becomes the package (name, version, architecture, module) and the platform
(name, CPE) it is a component of. Which namespace a platform is, is for its distributor's driver to say.

Format: OASIS CSAF 2.0 (https://docs.oasis-open.org/csaf/csaf/v2.0/): 3.2.2 ``product_tree`` (``branches``,
``full_product_names``, ``relationships``), 3.2.3 ``vulnerabilities``. Packages are told by their purl, or where there
is none by the name of the branch (``busybox-1.35.0-150500.10.3.3.aarch64``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

from anchorecli.feeds import cvss
from anchorecli.feeds.osv_record import moment
from anchorecli.model import Cvss, Severity
from anchorecli.values import dataclass

MAX_DEPTH = 40
MAX_PRODUCTS = 500_000
CATEGORIES = ("csaf_vex", "csaf_security_advisory")
FIXED = ("fixed", "first_fixed", "recommended")
"""Statuses that say: this version has the fix."""

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?([+-]\d\d:?\d\d|Z)?", re.ASCII)
_PURL = re.compile(r"pkg:([a-z]+)/(?:[^@?/]+/)*([^@?/]+)(?:@([^?#]*))?(?:\?([^#]*))?")
_ARCHES = "x86_64|aarch64|ppc64le|ppc64|s390x|s390|i[3-6]86|ia64|armv\\w+|riscv64|noarch|nosrc|src"
_NEVRA = re.compile(rf"(?P<name>.+)-(?P<version>(?:\d+:)?[^-:]*)-(?P<release>[^-:]+?)(?:\.(?P<arch>{_ARCHES}))?")
_WORD = re.compile(r"\s*(\w+)")
_MODULE = re.compile(r"[\w.+-]+:[\w.+-]+")


class Leaf(NamedTuple):
    """A name in the product tree that is no composition of others."""

    name: str
    cpe: str = ""
    purl: str = ""
    arch: str = ""


class Product(NamedTuple):
    """A package of a platform. ``version`` is ``[epoch:]version-release`` or empty; ``type`` is the purl's type."""

    platform: str
    cpe: str
    name: str
    version: str
    arch: str
    module: str
    type: str


@dataclass(frozen=True, slots=True)
class Document:
    """One CSAF document; ``products`` by id, of those that are components of a platform."""

    id: str
    category: str
    title: str
    severity: Severity
    published: str
    modified: str
    products: dict[str, Product]
    vulnerabilities: tuple[dict[str, Any], ...]


def read(data: bytes) -> Document:
    """The document in a JSON file.

    Raises: ValueError where it is not CSAF; the message says what is wrong.
    """
    try:
        content = json.loads(data)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    head = _object(content, "document")
    category = str(head.get("category"))
    if not category.startswith("csaf_"):
        raise ValueError("not a CSAF document: no document.category")
    if category not in CATEGORIES:
        raise ValueError(f"a CSAF document of another kind: {category[:60]!r}")
    tracking = _object(head, "tracking")
    identifier = tracking.get("id")
    if not isinstance(identifier, str) or not re.fullmatch(r"[\w][\w.:+/-]{0,199}", identifier):
        raise ValueError("no usable document.tracking.id")
    severity = head.get("aggregate_severity")
    return Document(
        identifier,
        category,
        str(head.get("title") or ""),
        Severity.parse(str(severity.get("text", ""))) if isinstance(severity, dict) else Severity.UNKNOWN,
        time(tracking.get("initial_release_date")),
        time(tracking.get("current_release_date")),
        _products(content.get("product_tree")),
        tuple(_objects(content, "vulnerabilities")),
    )


def statuses(vulnerability: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each (status, product id) of a vulnerability. Raises: ValueError where they are not that."""
    listed = vulnerability.get("product_status")
    if listed is None:
        return
    if not isinstance(listed, dict):
        raise ValueError("product_status is not an object")
    for status, products in listed.items():
        if not isinstance(products, list) or not all(isinstance(each, str) for each in products):
            raise ValueError(f"product_status.{status} is not a list of product ids")
        for each in products:
            yield status, each


def remediations(vulnerability: dict[str, Any]) -> Iterator[tuple[str, str, str, list[str]]]:
    """Category, details, URL and product ids of each remediation."""
    for each in _objects(vulnerability, "remediations"):
        yield (
            str(each.get("category", "")),
            str(each.get("details", "")),
            str(each.get("url", "")),
            _texts(each.get("product_ids")),
        )


def impacts(vulnerability: dict[str, Any]) -> Iterator[tuple[Severity, list[str]]]:
    """The publisher's severities, each with the products it is about (none: all)."""
    for each in _objects(vulnerability, "threats"):
        if each.get("category") == "impact":
            first = _WORD.match(str(each.get("details", "")))
            word = Severity.parse(first[1] if first else "")
            if word is not Severity.UNKNOWN:
                yield word, _texts(each.get("product_ids"))


def scores(vulnerability: dict[str, Any], source: str) -> tuple[Cvss, ...]:
    """The CVSS scores, each vector once."""
    found: dict[str, Cvss] = {}
    for each in _objects(vulnerability, "scores"):
        for kind in ("cvss_v4", "cvss_v3", "cvss_v2"):
            stated = each.get(kind)
            vector = stated.get("vectorString") if isinstance(stated, dict) else None
            if isinstance(vector, str) and (read_ := cvss.read(vector)):
                found[vector] = Cvss(read_.version, read_.vector, read_.score, source)
    return tuple(found.values())


def note(vulnerability: dict[str, Any], *wanted: str) -> str:
    """The text of the first note of one of these categories."""
    notes = _objects(vulnerability, "notes")
    return next((str(n.get("text", "")) for kind in wanted for n in notes if n.get("category") == kind), "")


def time(value: Any) -> str:
    """A time of any zone as RFC 3339 UTC to the second; empty for what is none."""
    from datetime import UTC, datetime

    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return ""
    day, clock, zone = found.groups()
    if zone in (None, "Z", "+00:00", "+0000"):
        return moment(f"{day}T{clock}Z")
    try:
        return datetime.fromisoformat(f"{day}T{clock}{zone}").astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return ""


def _products(tree: Any) -> dict[str, Product]:
    """Raises: ValueError where the tree is not one."""
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ValueError("product_tree is not an object")
    leaves: dict[str, Leaf] = {}
    _branches(_objects(tree, "branches"), "", 0, leaves)
    for each in _objects(tree, "full_product_names"):
        _leaf(each, str(each.get("name", "")), "", leaves)
    parts: dict[str, tuple[str, str]] = {}
    for each in _objects(tree, "relationships"):
        identifier = _object(each, "full_product_name").get("product_id")
        component, platform = each.get("product_reference"), each.get("relates_to_product_reference")
        if not isinstance(identifier, str) or not isinstance(component, str) or not isinstance(platform, str):
            raise ValueError("a relationship without its three product ids")
        parts[identifier] = (component, platform)
    if len(parts) > MAX_PRODUCTS:
        raise ValueError(f"more than {MAX_PRODUCTS} products")
    components = {component for component, _ in parts.values()}
    packages = {component: _package(leaves[component]) for component in components if component in leaves}
    if not all(each[0] and "".join(each).isprintable() for each in packages.values()):
        raise ValueError("a product whose name or version is not one line of text")
    found = {}
    for identifier in parts:
        product = _composed(identifier, leaves, parts, packages)
        if product is not None:
            found[identifier] = product
    return found


def _branches(branches: list[dict[str, Any]], arch: str, depth: int, leaves: dict[str, Leaf]) -> None:
    if depth > MAX_DEPTH:
        raise ValueError("branches nested too deep")
    for branch in branches:
        name = str(branch.get("name", ""))
        inside = name if branch.get("category") == "architecture" else arch
        product = branch.get("product")
        if isinstance(product, dict):
            _leaf(product, name, inside, leaves)
        if "branches" in branch:
            _branches(_objects(branch, "branches"), inside, depth + 1, leaves)


def _leaf(product: dict[str, Any], name: str, arch: str, leaves: dict[str, Leaf]) -> None:
    identifier = product.get("product_id")
    if not isinstance(identifier, str):
        raise ValueError("a product without product_id")
    if len(leaves) > MAX_PRODUCTS:
        raise ValueError(f"more than {MAX_PRODUCTS} products")
    helper = product.get("product_identification_helper")
    helper = helper if isinstance(helper, dict) else {}
    leaves[identifier] = Leaf(name, str(helper.get("cpe") or ""), str(helper.get("purl") or ""), arch)


_Package = tuple[str, str, str, str, str]
"""Name, version, architecture, module, type."""


def _composed(
    identifier: str, leaves: dict[str, Leaf], parts: dict[str, tuple[str, str]], packages: dict[str, _Package]
) -> Product | None:
    """A package with its platform, and where another composition stands between them (a module) with that."""
    component, platform = parts[identifier]
    package = packages.get(component)
    if package is None:
        return None
    module = package[3]
    for _ in range(MAX_DEPTH):
        if platform not in parts:
            break
        between, platform = parts[platform]
        if between in packages and not module:
            module = packages[between][3]
    leaf = leaves.get(platform)
    if leaf is None:
        return None
    return Product(leaf.name, leaf.cpe, package[0], package[1], package[2], module, package[4])


def _package(leaf: Leaf) -> _Package:
    """What a leaf says of a package; the type is empty where it is no package of a known form."""
    name, suffixed, module = leaf.name.partition("::")
    module = module if suffixed else ""
    before, slash, after = name.partition("/")
    if slash and _MODULE.fullmatch(before):
        # nodejs:18/nodejs: a package of a module of which no build is named.
        name, module = after, before
    found = _PURL.fullmatch(leaf.purl)
    if found is None:
        return (*_nevra(name, leaf.arch), _stream(module), "" if leaf.purl else "rpm")
    kind, title, version, query = found.groups()
    if kind == "rpmmod":
        return unquote(title), "", "", _stream(f"{unquote(title)}:{unquote(version or '')}"), kind
    qualifiers = dict(each.partition("=")[::2] for each in (query or "").split("&"))
    version = unquote(version or "")
    epoch = qualifiers.get("epoch", "")
    if version and epoch and ":" not in version:
        version = f"{epoch}:{version}"
    module = module or unquote(qualifiers.get("rpmmod", ""))
    return unquote(title), version, qualifiers.get("arch", leaf.arch), _stream(module), kind


def _nevra(name: str, arch: str) -> tuple[str, str, str]:
    found = _NEVRA.fullmatch(name)
    if found is None or not any(each.isdigit() for each in found["version"]):
        stem, dot, ending = name.rpartition(".")
        return (stem, "", ending) if dot and re.fullmatch(_ARCHES, ending) else (name, "", arch)
    return found["name"], f"{found['version']}-{found['release']}", found["arch"] or arch


def _stream(module: str) -> str:
    """``name:stream`` of ``name:stream:version:context``."""
    return ":".join(module.split(":")[:2])


def _object(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, dict):
        raise ValueError(f"no {name}, or not an object")
    return found


def _objects(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = value.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ValueError(f"{name} is not a list of objects")
    return found


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []

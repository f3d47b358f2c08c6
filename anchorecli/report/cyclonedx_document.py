"""A CycloneDX 1.6 document as plain objects, in the order that XML wants; ``cyclonedx_json`` and ``_xml`` write it.

Format: https://cyclonedx.org/docs/1.6/json/. The image is the ``container`` component of the metadata, the distribution
an ``operating-system`` component, each package a ``library``. Paths of evidence are occurrences. What CycloneDX has no
field for stands in properties named ``anchore:…`` (see ``stock``). A package whose files an OS package owns is a
dependency of its owner: a scanner that reads the SBOM needs to know who answers for it; what a package says it needs
are its dependencies as well (``relations``). What could not be looked at is a property of the metadata each, and the
composition is then ``incomplete``.

It is not the CycloneDX library that writes: it takes seconds to sort and check a few thousand components. The tests
hold every document against the library and the official schemas.

Order: components by type, name and version. The serial number is derived from the content and there is no time but the
one that is passed in, so equal packages give equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from anchorecli.model import Distro, Image, Package, Report
from anchorecli.report import stock
from anchorecli.report.cpes import guessed, is_cpe
from anchorecli.report.relations import dependencies
from anchorecli.spdx import is_expression, is_license

Object = dict[str, Any]

IMAGE = "image"
DISTRO = "distro"
_ALGORITHMS = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512"}
_OPERATORS = ("(", " AND ", " OR ", " WITH ")


class Document(NamedTuple):
    """The parts of a document, each to be written on a line of its own; of the iterators in this order, and once."""

    serial: str
    metadata: Object
    components: Iterator[Object]
    dependencies: Iterator[Object]
    compositions: list[Object]


def document(report: Report, timestamp: str) -> Document:
    """The whole document; ``timestamp`` is RFC 3339 or empty."""
    analysis = report.analysis
    named = stock.references(analysis.packages)
    metadata = _metadata(report)
    compositions: list[Object] = []
    if stock.incomplete(analysis.problems):
        compositions.append({"aggregate": "incomplete", "assemblies": [IMAGE]})
    serial = stock.serial(json.dumps(metadata), analysis.distro, named).urn
    if timestamp:
        metadata = {"timestamp": timestamp, **metadata}
    dependencies = _dependencies(named, [DISTRO] if analysis.distro else [])
    return Document(serial, metadata, _components(analysis.distro, named), dependencies, compositions)


def _components(distro: Distro | None, named: Iterable[tuple[str, Package]]) -> Iterator[Object]:
    if distro:
        yield _distro(distro)
    licenses: dict[tuple[str, ...], list[Object]] = {}
    for reference, package in named:
        if package.licenses not in licenses:
            licenses[package.licenses] = _licenses(package.licenses)
        yield _component(reference, package, licenses[package.licenses])


def _metadata(report: Report) -> Object:
    tool = {"type": "application", "name": "anchore"} | _given(version=report.tool_version)
    metadata: Object = {"tools": {"components": [tool]}, "component": _image(report.analysis.image)}
    if problems := stock.gaps(report.analysis.problems):
        metadata["properties"] = _properties(problems)
    return metadata


def _image(image: Image) -> Object:
    return {
        "type": "container",
        "bom-ref": IMAGE,
        "name": stock.image_name(image),
        **_given(version=stock.image_version(image), purl=stock.image_purl(image)),
        "properties": _properties(stock.image_facts(image)),
    }


def _distro(distro: Distro) -> Object:
    facts = [
        ("distro:codename", distro.codename),
        ("distro:base_codename", distro.base_codename),
        ("distro:like", " ".join(distro.like)),
        ("distro:name", distro.name),
        ("distro:source", distro.source),
    ]
    properties = _properties((name, stock.text(value)) for name, value in facts if value)
    return {
        "type": "operating-system",
        "bom-ref": DISTRO,
        "name": stock.text(distro.id),
        **_given(version=stock.text(distro.version_id), description=stock.text(distro.pretty_name or distro.name)),
        **({"properties": properties} if properties else {}),
    }


def _component(reference: str, package: Package, licenses: list[Object]) -> Object:
    """A package. Fields are made only where they say something: there are thousands."""
    vendor, name, text = package.vendor, package.name, stock.text
    found: Object = {"type": "library", "bom-ref": reference}
    if vendor:
        supplier, address = stock.contact(text(vendor))
        found["supplier"] = {"name": supplier} | ({"contact": [{"email": address}]} if address else {})
        found["publisher"] = text(vendor)
    if package.type == "maven" and ":" in name:
        found["group"], _, name = text(name).partition(":")
    found["name"] = text(name)
    if package.version:
        found["version"] = text(package.version)
    if hashes := stock.hashes(package.metadata):
        found["hashes"] = [{"alg": _ALGORITHMS[kind], "content": digest} for kind, digest in hashes]
    if licenses:
        found["licenses"] = licenses
    cpes, facts = _cpes(package)
    if cpes:
        found["cpe"] = cpes
    if stock.is_purl(package.purl):
        found["purl"] = package.purl
    if facts := [*stock.facts(package), *facts]:
        found["properties"] = _properties(facts)
    if package.locations:
        found["evidence"] = {"occurrences": [*_occurrences(package)]}
    return found


def _cpes(package: Package) -> tuple[str, list[tuple[str, str]]]:
    """The name for the field, which takes one, and what is left."""
    if package.cpes:
        lead = next(filter(is_cpe, package.cpes), "")
        rest = [text for text in package.cpes if text != lead]
        return lead, [(f"cpe:{at}", stock.text(text)) for at, text in enumerate(rest)]
    lead, *rest = guessed(package) or ("",)
    if not lead:
        return "", []
    return lead, [("cpe:source", "guessed"), *((f"cpe:{at}", text) for at, text in enumerate(rest))]


def _occurrences(package: Package) -> Iterator[Object]:
    for location in package.locations:
        found: Object = {"location": f"/{stock.text(location.path)}"}
        if location.layer != package.layer and location.layer:
            found["additionalContext"] = f"layer {stock.text(location.layer)}"
        yield found


def _licenses(names: tuple[str, ...]) -> list[Object]:
    """SPDX ids by id, an expression where it is the only one (a list may not hold any), the rest by name."""
    if len(names) == 1 and any(operator in names[0] for operator in _OPERATORS) and is_expression(names[0]):
        return [{"expression": names[0]}]
    return [
        {"license": {"id": name} if is_license(name) else {"name": stock.text(name)}}
        for name in dict.fromkeys(names)
        if name
    ]


def _dependencies(named: Iterable[tuple[str, Package]], first: list[str]) -> Iterator[Object]:
    """The image depends on everything nobody else brings, an OS package on the packages whose files it owns, and every
    package on those that it needs."""
    named = list(named)
    owned, needed = stock.owned(named), dependencies(named)
    brought = [*first, *owned.pop("", ())]
    if brought:
        yield {"ref": IMAGE, "dependsOn": brought}
    for reference in dict.fromkeys((*owned, *needed)):
        yield {"ref": reference, "dependsOn": [*dict.fromkeys((*owned.get(reference, ()), *needed.get(reference, ())))]}


def _properties(pairs: Iterable[tuple[str, str]]) -> list[Object]:
    return [{"name": stock.PREFIX + name, "value": value} for name, value in pairs]


def _given(**fields: str) -> Object:
    return {name: value for name, value in fields.items() if value}

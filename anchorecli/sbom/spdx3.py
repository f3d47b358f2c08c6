"""SPDX 3.0 documents (JSON-LD), in so far as they list packages.

Format: https://spdx.github.io/spdx-spec/v3.0.1/: an ``@graph`` of elements; a package is a ``software_Package`` with
``software_packageVersion`` and ``software_packageUrl`` (or an external identifier of the type ``packageUrl``). Licences
are relationships ``hasDeclaredLicense`` to ``simplelicensing_LicenseExpression``.

Not handled: other serialisations than the one with short names, profiles for builds, security and AI.
"""

from __future__ import annotations

from typing import Any

from anchorecli.sbom import distros, licenses
from anchorecli.sbom.contents import Component, Contents, mapping, objects, text, texts, word

_SUBJECTS = frozenset({"container", "device", "firmware"})


def read(document: dict[str, Any]) -> Contents:
    """What the document says."""
    graph = list(objects(document.get("@graph")))
    creation = next((each for each in graph if each.get("type") == "CreationInfo"), {})
    version = word(creation.get("specVersion")) or "3.0"
    contents = Contents(form=f"SPDX {version}", tool=_tool(graph), tells_owners=False)
    expressions = {
        text(each.get("spdxId")): word(each.get("simplelicensing_licenseExpression"))
        for each in graph
        if each.get("type") == "simplelicensing_LicenseExpression"
    }
    declared: dict[str, list[str]] = {}
    for each in graph:
        if each.get("type") == "Relationship" and each.get("relationshipType") == "hasDeclaredLicense":
            found = [expressions[name] for name in texts(each.get("to")) if expressions.get(name)]
            declared.setdefault(text(each.get("from")), []).extend(found)
    for each in graph:
        if each.get("type") == "software_Package":
            _package(each, contents, declared)
    return contents


def _tool(graph: list[dict[str, Any]]) -> str:
    return next((word(each.get("name")) for each in graph if each.get("type") == "Tool"), "")


def _package(package: dict[str, Any], contents: Contents, declared: dict[str, list[str]]) -> None:
    purpose = word(package.get("software_primaryPurpose"))
    name, version = word(package.get("name")), word(package.get("software_packageVersion"))
    reference = text(package.get("spdxId"))
    purl = text(package.get("software_packageUrl")).strip() or _identifier(package)
    if purpose == "operatingSystem":
        distro = distros.named(name, version, text(package.get("summary")))
        if distro:
            contents.distros.append(distro)
    elif purpose in _SUBJECTS:
        contents.subject = contents.subject or name
    elif name or purl:
        found = [term for each in declared.get(reference, ()) for term in licenses.split(each, {})]
        contents.components.append(
            Component(name, version, purl, reference=reference, licenses=tuple(dict.fromkeys(found)))
        )
    else:
        contents.nameless += 1


def _identifier(package: dict[str, Any]) -> str:
    for each in map(mapping, objects(package.get("externalIdentifier"))):
        if each.get("externalIdentifierType") in ("packageUrl", "purl"):
            return text(each.get("identifier")).strip()
    return ""

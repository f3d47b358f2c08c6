"""CycloneDX documents, JSON or what ``cyclonedx_xml`` makes of XML.

Format: https://cyclonedx.org/docs/1.6/json/ and its predecessors down to 1.2. Components inside others are read; the
component of the metadata is what the document is about, and no package. Properties of Syft (``syft:…``), Trivy
(``aquasecurity:trivy:…``) and this program (``anchore:…``) say what has no field.

Not handled: services, vulnerabilities, formulations; ``dependencies`` say who depends on whom and not who owns whose
files, so they are not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from anchorecli.model import DiffId, ImagePath, Location, Problem
from anchorecli.sbom import distros
from anchorecli.sbom.contents import Component, Contents, mapping, objects, own_facts, problem, text, word

_PACKAGES = frozenset({"library", "framework", "application", "platform", ""})
_SYFT_PLACE = re.compile(r"syft:location:(\d{1,6}):(path|layerID)")
_NOT_INSTALLED = ("excluded", "optional")
"""Scopes of components that are not called, or not there, when it runs."""
_FACTS = {
    "syft:metadata:source": "source:name",
    "syft:metadata:sourceVersion": "source:version",
    "syft:metadata:sourceRpm": "source:rpm",
    "syft:metadata:originPackage": "source:name",
    "syft:metadata:modularityLabel": "module",
    "aquasecurity:trivy:SrcName": "source:name",
    "aquasecurity:trivy:Modularitylabel": "module",
    "aquasecurity:trivy:LayerDiffID": "layer:diff_id",
    "syft:distro:versionCodename": "distro:codename",
    "syft:distro:idLike:0": "distro:like",
}
"""What other tools call facts."""


def read(document: dict[str, Any]) -> Contents:
    """What the document says."""
    metadata = mapping(document.get("metadata"))
    version = word(document.get("specVersion"))
    contents = Contents(form=f"CycloneDX {version}".strip(), tool=_tool(metadata.get("tools")))
    subject = mapping(metadata.get("component"))
    contents.subject = text(subject.get("name"))
    contents.facts = own_facts(_properties(subject)) | {
        name: value for name, value in _foreign_subject(subject).items() if value
    }
    for _, value in sorted(pair for pair in _properties(metadata) if pair[0].startswith("anchore:problem:")):
        if found := problem(_json(value)):
            contents.problems.append(found)
    for each in _flat(document.get("components"), subject.get("components")):
        _component(each, contents)
    # Only this program's facts say who owns whose files.
    contents.tells_owners = any(each.own for each in contents.components)
    for each in objects(document.get("compositions")):
        if word(each.get("aggregate")).startswith("incomplete") and not contents.problems:
            message = "the SBOM says of itself that it is incomplete"
            contents.problems.append(Problem("analyze", "components", message, "scan the image itself"))
            break
    return contents


def _foreign_subject(subject: dict[str, Any]) -> dict[str, str]:
    properties = dict(_properties(subject))
    version = word(subject.get("version"))
    return {
        "image:id": properties.get("aquasecurity:trivy:ImageID", ""),
        "image:digest": version if version.startswith("sha256:") and "anchore:image:id" not in properties else "",
    }


def _tool(tools: Any) -> str:
    """``syft 1.18.1``: a list until 1.4, an object with components since."""
    listed = mapping(tools).get("components", tools)
    found = next(objects(listed), {})
    return f"{word(found.get('name'))} {word(found.get('version'))}".strip()


def _flat(*lists: Any) -> Iterator[dict[str, Any]]:
    """All components, those inside others too."""
    waiting = [component for each in reversed(lists) for component in reversed(list(objects(each)))]
    while waiting:
        component = waiting.pop()
        yield component
        waiting += reversed(list(objects(component.get("components"))))


def _component(component: dict[str, Any], contents: Contents) -> None:
    kind = word(component.get("type"))
    pairs = list(_properties(component))
    facts = _facts(pairs)
    name, version = word(component.get("name")), word(component.get("version"))
    if kind == "operating-system":
        known = dict(pairs).get("syft:distro:id") or name
        distro = distros.named(known, version, text(component.get("description")), facts)
        if distro:
            contents.distros.append(distro)
        return
    purl = text(component.get("purl")).strip()
    if not purl and kind not in _PACKAGES:
        return
    # Trivy groups what it found below applications without a version: a lock file, an ecosystem.
    if kind == "application" and not purl and not version:
        return
    if not name and not purl:
        contents.nameless += 1
        return
    group = word(component.get("group"))
    own = "analyzer" in facts
    if own and group and facts.get("type", "maven") == "maven":
        name = f"{group}:{name}"
    contents.components.append(
        Component(
            name=name if own or not group or purl else f"{group}/{name}",
            version=version,
            purl=purl,
            reference=text(component.get("bom-ref")),
            vendor=word(component.get("publisher")) or word(mapping(component.get("supplier")).get("name")),
            licenses=tuple(dict.fromkeys(_licenses(component.get("licenses")))),
            cpes=_cpes(component, pairs, facts),
            locations=tuple(_locations(component, pairs, facts)),
            facts=facts,
            own=own,
            installed=text(component.get("scope")) not in _NOT_INSTALLED,
        )
    )


def _properties(component: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for each in objects(component.get("properties")):
        yield text(each.get("name")), text(each.get("value"))


def _facts(pairs: list[tuple[str, str]]) -> dict[str, str]:
    found = {_FACTS[name]: value for name, value in pairs if name in _FACTS and value}
    properties = dict(pairs)
    if "aquasecurity:trivy:SrcVersion" in properties:
        release = properties.get("aquasecurity:trivy:SrcRelease", "")
        epoch = properties.get("aquasecurity:trivy:SrcEpoch", "")
        version = properties["aquasecurity:trivy:SrcVersion"]
        whole = f"{version}-{release}" if release else version
        found["source:version"] = f"{epoch}:{whole}" if epoch not in ("", "0") else whole
    return found | own_facts(pairs)


def _cpes(component: dict[str, Any], pairs: list[tuple[str, str]], facts: dict[str, str]) -> tuple[str, ...]:
    """What somebody knew: names that a tool has guessed are its hints."""
    if facts.get("cpe:source") == "guessed" or any(name == "syft:package:foundBy" for name, _ in pairs):
        return ()
    rest = [value for name, value in facts.items() if name.startswith("cpe:")]
    return tuple(dict.fromkeys(each for each in (text(component.get("cpe")), *rest) if each))


def _locations(component: dict[str, Any], pairs: list[tuple[str, str]], facts: dict[str, str]) -> Iterator[Location]:
    places: dict[int, dict[str, str]] = {}
    layer = facts.get("layer:diff_id", "")
    for name, value in pairs:
        if found := _SYFT_PLACE.fullmatch(name):
            places.setdefault(int(found[1]), {})[found[2]] = value
        elif name == "aquasecurity:trivy:FilePath":
            places.setdefault(0, {})["path"] = value
    for place in places.values():
        if place.get("path"):
            yield _location(place["path"], place.get("layerID", layer))
    for each in objects(mapping(component.get("evidence")).get("occurrences")):
        path, context = text(each.get("location")), text(each.get("additionalContext"))
        if path:
            yield _location(path, context.removeprefix("layer ") if context.startswith("layer ") else layer)


def _location(path: str, layer: str) -> Location:
    return Location(ImagePath(path.removeprefix("/")), DiffId(layer))


def _licenses(licenses: Any) -> Iterator[str]:
    for each in objects(licenses):
        license_ = mapping(each.get("license"))
        found = word(each.get("expression")) or word(license_.get("id")) or word(license_.get("name"))
        if found:
            yield found


def _json(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None

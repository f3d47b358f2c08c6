"""SPDX 2.2 and 2.3 documents, JSON or what ``spdx_tags`` makes of tag-value text.

Format: https://spdx.github.io/spdx-spec/v2.3/. The package that the document describes is what it is about, one of the
purpose OPERATING-SYSTEM the distribution. Relationships OTHER whose comment begins with ``ownership-by-file-overlap``
say who owns whose files. Annotations of this program (JSON objects of facts) and of Trivy (``LayerDiffID: …``) say what
has no field, as does a ``sourceInfo`` in the words of Syft or Trivy.

Not handled: files, snippets, other relationships.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from anchorecli.model import DiffId, ImagePath, Location
from anchorecli.sbom import distros, licenses
from anchorecli.sbom.contents import (
    Component,
    Contents,
    mapping,
    objects,
    own_facts,
    problem,
    text,
    texts,
    word,
)
from anchorecli.sbom.purls import parse

_SUBJECTS = frozenset({"CONTAINER", "DEVICE", "FIRMWARE"})
_NO_PACKAGES = frozenset({"FILE", "SOURCE", "ARCHIVE", "DATA"})
_IMAGES = ("pkg:oci/", "pkg:docker/")
_OWNERSHIP = "ownership-by-file-overlap"
_BUILT_FROM = re.compile(r"built package from: (\S+) (\S+)")
_ACQUIRED = re.compile(r"acquired package info from [^:]{1,100}: (.+)", re.DOTALL)
_PARTY = re.compile(r"(?:Person|Organization):(.*)")
_MAIL = re.compile(r"\(([^()]*)\)$")


def read(document: dict[str, Any]) -> Contents:
    """What the document says."""
    creators = texts(mapping(document.get("creationInfo")).get("creators"))
    tools = [each[5:].strip() for each in creators if each.startswith("Tool:")]
    form = word(document.get("spdxVersion")).replace("-", " ")
    contents = Contents(form=form or "SPDX", tool=" ".join(tools[:1]).replace("-", " ", 1))
    described, owners = _relations(document)
    names = {
        text(each.get("licenseId")): licenses.named(word(each.get("name")), text(each.get("extractedText")))
        for each in objects(document.get("hasExtractedLicensingInfos"))
    }
    names = {reference: name for reference, name in names.items() if name}
    for package in objects(document.get("packages")):
        _package(package, contents, described, names)
    contents.owners = owners
    contents.tells_owners = contents.tool.startswith(("syft ", "anchore"))
    gaps = _facts(document)
    for name in sorted(gaps):
        if name.startswith("problem:") and (found := problem(gaps[name])):
            contents.problems.append(found)
    return contents


def _relations(document: dict[str, Any]) -> tuple[set[str], dict[str, str]]:
    """What the document describes where it is one thing, and owned → owner."""
    described, owners = texts(document.get("documentDescribes")), {}
    for each in objects(document.get("relationships")):
        one, other = text(each.get("spdxElementId")), text(each.get("relatedSpdxElement"))
        kind = word(each.get("relationshipType"))
        if kind == "DESCRIBES":
            described.append(other)
        elif kind == "DESCRIBED_BY":
            described.append(one)
        elif kind == "OTHER" and text(each.get("comment")).startswith(_OWNERSHIP):
            owners[other] = one
    only = set(described)
    return only if len(only) == 1 else set(), owners


def _package(package: dict[str, Any], contents: Contents, described: set[str], names: dict[str, str]) -> None:
    reference, purpose = text(package.get("SPDXID")), word(package.get("primaryPackagePurpose")).replace("_", "-")
    name, version = word(package.get("name")), word(package.get("versionInfo"))
    purl = _locator(package, ("purl",))
    found = _facts(package)
    facts = {key: text(value) for key, value in found.items() if isinstance(value, str)}
    if purpose == "OPERATING-SYSTEM":
        distro = distros.named(name, version, text(package.get("summary")), facts)
        if distro:
            contents.distros.append(distro)
        return
    if purpose in _SUBJECTS or purl.startswith(_IMAGES) or (reference in described and _is_subject(purl)):
        contents.subject = contents.subject or name
        digest = {"image:digest": version} if version.startswith("sha256:") and "image:id" not in facts else {}
        contents.facts |= facts | digest
        return
    # Trivy groups what it found below applications without a version: a program, an ecosystem.
    if not purl and (purpose in _NO_PACKAGES or (purpose == "APPLICATION" and not version)):
        return
    if not name and not purl:
        contents.nameless += 1
        return
    own = "analyzer" in facts
    stated = word(package.get("licenseDeclared")) or word(package.get("licenseConcluded"))
    source_info = text(package.get("sourceInfo"))
    if not own and (built := _BUILT_FROM.search(source_info)):
        facts |= {"source:name": built[1], "source:version": built[2]}
    contents.components.append(
        Component(
            name=name,
            version=version,
            purl=purl,
            reference=reference,
            vendor=_party(word(package.get("supplier")) or word(package.get("originator"))),
            licenses=licenses.split(stated, names),
            cpes=_cpes(package, own),
            locations=tuple(_locations(found, facts, source_info)),
            facts=facts,
            own=own,
        )
    )


def _is_subject(purl: str) -> bool:
    """Whether what the document describes is about its packages rather than one of them."""
    found = parse(purl)
    return found is None or found.type in ("github", "generic", "gitlab", "bitbucket")


def _facts(element: dict[str, Any]) -> dict[str, Any]:
    """What annotations say."""
    found: dict[str, Any] = {}
    for each in objects(element.get("annotations")):
        comment = text(each.get("comment"))
        if comment.startswith("{"):
            found |= own_facts(_json(comment).items())
        elif comment.startswith("LayerDiffID: "):
            found["layer:diff_id"] = comment[13:].strip()
        elif comment.startswith("ImageID: "):
            found["image:id"] = comment[9:].strip()
    return found


def _json(comment: str) -> dict[str, Any]:
    try:
        return mapping(json.loads(comment))
    except (ValueError, RecursionError):
        return {}


def _locator(package: dict[str, Any], kinds: tuple[str, ...]) -> str:
    for each in objects(package.get("externalRefs")):
        if word(each.get("referenceType")).rpartition("/")[2] in kinds:
            return text(each.get("referenceLocator")).strip()
    return ""


def _cpes(package: dict[str, Any], own: bool) -> tuple[str, ...]:
    """This program says which it has guessed; other tools do not, so that theirs are none that anybody knew."""
    if not own:
        return ()
    return tuple(
        text(each.get("referenceLocator"))
        for each in objects(package.get("externalRefs"))
        if each.get("referenceType") == "cpe23Type" and each.get("comment") != "guessed"
    )


def _locations(found: dict[str, Any], facts: dict[str, str], source_info: str) -> Iterator[Location]:
    layer = facts.get("layer:diff_id", "")
    places = found.get("locations")
    for place in places if isinstance(places, list) else ():
        path, *rest = texts(place) or [""]
        if path:
            yield Location(ImagePath(path), DiffId(rest[0] if rest else layer))
    if places is None and (acquired := _ACQUIRED.match(source_info)):
        for path in acquired[1].split(", "):
            yield Location(ImagePath(path.strip().removeprefix("/")), DiffId(layer))


def _party(text_: str) -> str:
    found = _PARTY.fullmatch(text_)
    if found is None:
        return text_
    mail = _MAIL.search(found[1])
    name = (found[1][: mail.start()] if mail else found[1]).strip(" ")
    return f"{name} <{mail[1]}>" if mail and mail[1] else name

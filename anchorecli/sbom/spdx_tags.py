"""SPDX tag-value text in the form that SPDX's JSON has.

Format: https://spdx.github.io/spdx-spec/v2.3/, "tag: value" lines: ``PackageName: bash``; a value in ``<text>…</text>``
may have several lines. Only what ``spdx`` reads is kept: packages, licence texts, annotations, relationships.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from anchorecli.errors import IntegrityError

Object = dict[str, Any]

_DOCUMENT = {"SPDXVersion": "spdxVersion", "DocumentName": "name", "DocumentNamespace": "documentNamespace"}
_PACKAGE = {
    "PackageVersion": "versionInfo",
    "PackageSupplier": "supplier",
    "PackageOriginator": "originator",
    "PackageSourceInfo": "sourceInfo",
    "PackageLicenseConcluded": "licenseConcluded",
    "PackageLicenseDeclared": "licenseDeclared",
    "PackageSummary": "summary",
    "PrimaryPackagePurpose": "primaryPackagePurpose",
}
_PIECE = 64 * 1024
_OPEN, _CLOSE = "<text>", "</text>"


def parse(text: str) -> Object:
    """The document. Raises: IntegrityError where a text does not end."""
    reading = _Reading()
    for tag, value in _tags(text):
        action = _ACTIONS.get(tag)
        if action is not None:
            action(reading, value)
        elif tag in _DOCUMENT:
            reading.document.setdefault(_DOCUMENT[tag], value)
        elif tag in _PACKAGE and reading.package is not None:
            reading.package[_PACKAGE[tag]] = value
    return reading.finished()


def _tags(text: str) -> Iterator[tuple[str, str]]:
    lines = _lines(text)
    for line in lines:
        tag, colon, value = line.partition(":")
        if not colon or not tag or tag[0] == "#" or not tag.isalnum():
            continue
        value = value.strip()
        if value.startswith(_OPEN):
            value = value[len(_OPEN) :]
            if _CLOSE not in value:
                value = "\n".join((value, *_until_closed(lines)))
            value = value.partition(_CLOSE)[0]
        yield tag, value


def _lines(text: str) -> Iterator[str]:
    """Its lines: of the millions that may stand in it there is never a list."""
    start = 0
    while start < len(text):
        stop = text.find("\n", start + _PIECE) + 1 or len(text)
        yield from text[start:stop].splitlines()
        start = stop


def _until_closed(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if _CLOSE in line:
            return
    raise IntegrityError("the SPDX document ends inside a text", hint="it is cut short: write it again")


class _Reading:
    """The document so far, and the element that the next tags are about."""

    def __init__(self) -> None:
        self.document: Object = {}
        self.creators: list[str] = []
        self.packages: list[Object] = []
        self.licenses: list[Object] = []
        self.relationships: list[Object] = []
        self.annotations: list[Object] = []
        self.package: Object | None = None
        self._license: Object | None = None
        self._identified = False

    def begin_package(self, name: str) -> None:
        self.package, self._license = {"name": name}, None
        self.packages.append(self.package)

    def begin_other(self, _: str) -> None:
        """A file or a snippet."""
        self.package = self._license = None

    def identify(self, identifier: str) -> None:
        if self.package is not None:
            self.package.setdefault("SPDXID", identifier)

    def refer(self, value: str) -> None:
        _, kind, locator = ([*value.split(None, 2), "", "", ""])[:3]
        if self.package is not None:
            self.package.setdefault("externalRefs", []).append({"referenceType": kind, "referenceLocator": locator})

    def refer_comment(self, comment: str) -> None:
        if self.package is not None and self.package.get("externalRefs"):
            self.package["externalRefs"][-1]["comment"] = comment

    def begin_license(self, identifier: str) -> None:
        self.package, self._license = None, {"licenseId": identifier}
        self.licenses.append(self._license)

    def license_text(self, text: str) -> None:
        if self._license is not None:
            self._license["extractedText"] = text

    def license_name(self, name: str) -> None:
        if self._license is not None:
            self._license["name"] = name

    def relate(self, value: str) -> None:
        one, kind, other = ([*value.split(None, 2), "", "", ""])[:3]
        self.relationships.append({"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other})

    def relate_comment(self, comment: str) -> None:
        if self.relationships:
            self.relationships[-1]["comment"] = comment

    def annotate(self, _: str) -> None:
        self.annotations.append({})

    def annotated(self, reference: str) -> None:
        if self.annotations:
            self.annotations[-1]["about"] = reference

    def annotation_comment(self, comment: str) -> None:
        if self.annotations:
            self.annotations[-1]["comment"] = comment

    def finished(self) -> Object:
        """The document, with every annotation at what it is about."""
        by_reference = {package.get("SPDXID", ""): package for package in self.packages}
        for each in self.annotations:
            element = by_reference.get(each.get("about", ""), self.document)
            element.setdefault("annotations", []).append(each)
        return self.document | {
            "creationInfo": {"creators": self.creators},
            "packages": self.packages,
            "hasExtractedLicensingInfos": self.licenses,
            "relationships": self.relationships,
        }


_ACTIONS: dict[str, Callable[[_Reading, str], object]] = {
    "PackageName": _Reading.begin_package,
    "FileName": _Reading.begin_other,
    "SnippetSPDXID": _Reading.begin_other,
    "SPDXID": _Reading.identify,
    "ExternalRef": _Reading.refer,
    "ExternalRefComment": _Reading.refer_comment,
    "LicenseID": _Reading.begin_license,
    "ExtractedText": _Reading.license_text,
    "LicenseName": _Reading.license_name,
    "Relationship": _Reading.relate,
    "RelationshipComment": _Reading.relate_comment,
    "Annotator": _Reading.annotate,
    "SPDXREF": _Reading.annotated,
    "AnnotationComment": _Reading.annotation_comment,
    "Creator": lambda reading, value: reading.creators.append(value),
}

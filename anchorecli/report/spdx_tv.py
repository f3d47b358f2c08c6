"""An SBOM as SPDX 2.3 tag-value text (see ``spdx_document``).

Format: https://spdx.github.io/spdx-spec/v2.3/, the "tag: value" form: ``PackageName: bash``; a text of several lines
stands in ``<text>…</text>``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from anchorecli.model import Report
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.spdx_document import DOCUMENT, Document, Object, document
from anchorecli.report.text import clean, quiet
from anchorecli.values import dataclass

_DOCUMENT = (
    ("spdxVersion", "SPDXVersion"),
    ("dataLicense", "DataLicense"),
    ("SPDXID", "SPDXID"),
    ("name", "DocumentName"),
    ("documentNamespace", "DocumentNamespace"),
)
_PACKAGE = (
    ("name", "PackageName"),
    ("SPDXID", "SPDXID"),
    ("versionInfo", "PackageVersion"),
    ("supplier", "PackageSupplier"),
    ("downloadLocation", "PackageDownloadLocation"),
    ("filesAnalyzed", "FilesAnalyzed"),
    ("checksums", "PackageChecksum"),
    ("sourceInfo", "PackageSourceInfo"),
    ("licenseConcluded", "PackageLicenseConcluded"),
    ("licenseDeclared", "PackageLicenseDeclared"),
    ("copyrightText", "PackageCopyrightText"),
    ("summary", "PackageSummary"),
    ("externalRefs", "ExternalRef"),
    ("primaryPackagePurpose", "PrimaryPackagePurpose"),
)
_TEXTS = frozenset({"sourceInfo", "summary"})


@dataclass(frozen=True, slots=True)
class SpdxTagValue:
    """The packages for tools that read lines."""

    name: str = "spdx-tv"
    subject: Subject = "sbom"
    media_type: str = "text/spdx; version=2.3"
    description: str = "SBOM, SPDX 2.3 tag-value"

    def prepare(self) -> None:
        """Nothing here is slow to load."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The SBOM as text; ``options.timestamp`` must be RFC 3339 or empty."""
        return "".join(self.pieces(report, options))

    def pieces(self, report: Report, options: RenderOptions) -> Iterator[str]:
        """The same in pieces."""
        for line in _lines(document(report, options.timestamp)):
            yield f"{line}\n"


def _lines(made: Document) -> Iterator[str]:
    yield from (f"{tag}: {_line(made.head[name])}" for name, tag in _DOCUMENT)
    creation = made.head["creationInfo"]
    yield from (f"Creator: {_line(each)}" for each in creation["creators"])
    yield f"Created: {creation['created']}"
    yield f"LicenseListVersion: {creation['licenseListVersion']}"
    if "comment" in creation:
        yield f"CreatorComment: {_text(creation['comment'])}"
    yield from _annotations(DOCUMENT, made.annotations)
    for package in made.packages:
        yield from _package(package)
    for each in made.texts():
        yield from ("", f"LicenseID: {each['licenseId']}", f"ExtractedText: {_text(each['extractedText'])}")
        yield f"LicenseName: {_line(each['name'])}"
    yield ""
    for each in made.relationships:
        yield from _relationship(each)


def _package(package: Object) -> Iterator[str]:
    yield ""
    for name, tag in _PACKAGE:
        value = package.get(name)
        if value is None:
            continue
        if name == "checksums":
            yield from (f"{tag}: {each['algorithm']}: {each['checksumValue']}" for each in package[name])
        elif name == "externalRefs":
            yield from _references(tag, package[name])
        elif name in _TEXTS:
            yield f"{tag}: {_text(str(value))}"
        else:
            yield f"{tag}: {_line(str(value).lower() if value is False else str(value))}"
    yield from _annotations(str(package["SPDXID"]), package.get("annotations", ()))


def _references(tag: str, references: Iterable[Object]) -> Iterator[str]:
    for each in references:
        yield f"{tag}: {each['referenceCategory']} {each['referenceType']} {each['referenceLocator']}"
        if "comment" in each:
            yield f"{tag}Comment: {_text(each['comment'])}"


def _annotations(reference: str, annotations: Iterable[Object]) -> Iterator[str]:
    for each in annotations:
        yield f"Annotator: {_line(each['annotator'])}"
        yield f"AnnotationDate: {each['annotationDate']}"
        yield f"AnnotationType: {each['annotationType']}"
        yield f"SPDXREF: {reference}"
        yield f"AnnotationComment: {_facts(each['comment'])}"


def _relationship(relation: Object) -> Iterator[str]:
    one, kind, other = (relation[key] for key in ("spdxElementId", "relationshipType", "relatedSpdxElement"))
    yield f"Relationship: {one} {kind} {other}"
    if "comment" in relation:
        yield f"RelationshipComment: {_text(relation['comment'])}"


def _line(value: str) -> str:
    """A value on its line: names come from strangers, and a line break in one could begin another tag.

    No value begins a line, so ``::`` is harmless, and names of Perl modules hold it.
    """
    return "::".join(map(clean, value.split("::"))) if "::" in value else clean(value)


def _text(value: str) -> str:
    """A text, which nothing in it may end."""
    return f"<text>{_line(value).replace('</text>', '< /text>')}</text>"


def _facts(comment: str) -> str:
    """A JSON object, which stays the same whatever it holds."""
    return "<text>" + quiet(comment).replace("<", "\\u003c") + "</text>"

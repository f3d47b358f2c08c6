"""An SPDX 2.3 document as plain objects, in the form that its JSON has; ``spdx_json`` and ``spdx_tv`` write it.

Format: https://spdx.github.io/spdx-spec/v2.3/. The image is the package the document describes, the distribution one of
the purpose OPERATING-SYSTEM. The image contains all packages; a package whose files an OS package owns stands besides
in a relationship of the type OTHER with its owner, whose comment begins with ``ownership-by-file-overlap``, as other
tools write and read it. What SPDX has no field for is an annotation of the package: a JSON object of facts (see
``stock``). What could not be looked at is an annotation of the document each, and a sentence of the creation info.

Licences are SPDX expressions; a name that is none stands behind a ``LicenseRef-…``. Several licences of a package are
joined by AND. Nothing is concluded.

It is not the SPDX library that writes: it takes longer to load than an image to scan. The tests hold every document
against it.

Order: packages by type, name and version. The namespace is derived from the content; SPDX demands a time of creation:
the one passed in, else that of the analysis.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from anchorecli.model import Distro, Image, Package, Report
from anchorecli.report import stock
from anchorecli.report.cpes import guessed, is_cpe
from anchorecli.report.identity import digest_of
from anchorecli.report.relations import dependencies
from anchorecli.spdx import LIST_VERSION, is_expression, is_license

Object = dict[str, Any]

DOCUMENT = "SPDXRef-DOCUMENT"
IMAGE = "SPDXRef-Image"
DISTRO = "SPDXRef-OperatingSystem"
OWNERSHIP = "ownership-by-file-overlap: the OS package owns the files of the other"
_NAMESPACE = "https://anchore.com/spdx/image/"
_NOTHING = "NOASSERTION"
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9.-]+")
_EPOCH = "1970-01-01T00:00:00Z"


class Document(NamedTuple):
    """The parts of a document; of the iterators in this order, and once."""

    head: Object
    packages: Iterator[Object]
    texts: Callable[[], list[Object]]
    """The licences that are none of SPDX's; of the packages that were taken out before."""
    relationships: Iterator[Object]
    annotations: list[Object]

    def fields(self) -> Iterator[tuple[str, Any]]:
        """As they stand in JSON, each to be used up before the next."""
        yield from self.head.items()
        yield "packages", self.packages
        if texts := self.texts():
            yield "hasExtractedLicensingInfos", iter(texts)
        yield "relationships", self.relationships
        if self.annotations:
            yield "annotations", iter(self.annotations)


def document(report: Report, timestamp: str) -> Document:
    """The whole document; ``timestamp`` is RFC 3339 in UTC or empty."""
    analysis = report.analysis
    named = [(f"SPDXRef-Package-{_identifier(name)}", package) for name, package in stock.references(analysis.packages)]
    made = _Maker(report, _second(timestamp or report.created_at))
    name = stock.image_name(analysis.image) or "image"
    about = json.dumps([name, report.tool_version, stock.image_facts(analysis.image), stock.gaps(analysis.problems)])
    head = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": name,
        "documentNamespace": f"{_NAMESPACE}{stock.serial(about, analysis.distro, named)}",
        "creationInfo": made.creation(),
    }
    annotations = [made.annotation({name: json.loads(value)}) for name, value in stock.gaps(analysis.problems)]
    relationships = _relationships(named, bool(analysis.distro))
    return Document(head, made.packages(named), made.extracted, relationships, annotations)


class _Maker:
    """Makes the packages of one document, and collects the licence names that are no SPDX licences."""

    def __init__(self, report: Report, created: str) -> None:
        self._report = report
        self._created = created
        self._declared: dict[tuple[str, ...], str] = {}
        self._tool = f"Tool: anchore-{report.tool_version}".rstrip("-")
        self._texts: dict[str, str] = {}
        """Licence name → its reference."""

    def packages(self, named: Iterable[tuple[str, Package]]) -> Iterator[Object]:
        """The image, the distribution and the packages."""
        analysis = self._report.analysis
        yield self.image(analysis.image)
        if analysis.distro:
            yield self.distro(analysis.distro)
        for reference, package in named:
            yield self.package(reference, package)

    def extracted(self) -> list[Object]:
        """The licences that are none of SPDX's, of the packages that were made."""
        return [{"licenseId": name, "extractedText": said, "name": said} for said, name in sorted(self._texts.items())]

    def creation(self) -> Object:
        """Who made the document and when."""
        found = {"created": self._created, "creators": [self._tool], "licenseListVersion": LIST_VERSION}
        if stock.incomplete(self._report.analysis.problems):
            found["comment"] = "Incomplete: what could not be looked at is told in the document's annotations."
        return found

    def image(self, image: Image) -> Object:
        """The image: what the document is about."""
        found = self._bare(IMAGE, stock.image_name(image) or "image", stock.image_version(image))
        digest = image.digest.removeprefix("sha256:")
        if len(digest) == 64:
            found["checksums"] = [{"algorithm": "SHA256", "checksumValue": digest}]
        if purl := stock.image_purl(image):
            found["externalRefs"] = [_reference("PACKAGE-MANAGER", "purl", purl)]
        found["primaryPackagePurpose"] = "CONTAINER"
        if facts := stock.image_facts(image):
            found["annotations"] = [self.annotation(dict(facts))]
        return found

    def distro(self, distro: Distro) -> Object:
        """The distribution."""
        found = self._bare(DISTRO, stock.text(distro.id), stock.text(distro.version_id))
        if summary := stock.text(distro.pretty_name or distro.name):
            found["summary"] = summary
        found["primaryPackagePurpose"] = "OPERATING-SYSTEM"
        facts = {
            "distro:codename": distro.codename,
            "distro:base_codename": distro.base_codename,
            "distro:like": " ".join(distro.like),
            "distro:name": distro.name,
            "distro:source": distro.source,
        }
        if facts := {name: stock.text(value) for name, value in facts.items() if value}:
            found["annotations"] = [self.annotation(facts)]
        return found

    def package(self, reference: str, package: Package) -> Object:
        """One package."""
        text = stock.text
        found = self._bare(reference, text(package.name), text(package.version))
        if package.vendor:
            found["supplier"] = _party(package)
        found["sourceInfo"] = text(stock.said(package))
        if package.licenses not in self._declared:
            self._declared[package.licenses] = self._expression(package.licenses)
        found["licenseDeclared"] = self._declared[package.licenses]
        if hashes := stock.hashes(package.metadata):
            found["checksums"] = [{"algorithm": kind.upper(), "checksumValue": digest} for kind, digest in hashes]
        if references := [*_references(package)]:
            found["externalRefs"] = references
        facts: Object = dict(stock.facts(package))
        if package.locations:
            places = ((each.path, each.layer) for each in package.locations)
            facts["locations"] = [
                [text(path), text(layer)] if layer != package.layer else [text(path)] for path, layer in places
            ]
        if facts:
            found["annotations"] = [self.annotation(facts)]
        return found

    def annotation(self, facts: Object) -> Object:
        """Facts that no field holds."""
        return {
            "annotationDate": self._created,
            "annotationType": "OTHER",
            "annotator": self._tool,
            "comment": json.dumps({stock.PREFIX + name: value for name, value in facts.items()}),
        }

    def _bare(self, reference: str, name: str, version: str) -> Object:
        found: Object = {"SPDXID": reference, "name": name}
        if version:
            found["versionInfo"] = version
        return found | {
            "supplier": _NOTHING,
            "downloadLocation": _NOTHING,
            "filesAnalyzed": False,
            "licenseConcluded": _NOTHING,
            "licenseDeclared": _NOTHING,
            "copyrightText": _NOTHING,
        }

    def _expression(self, licenses: Sequence[str]) -> str:
        """All of them in one expression."""
        terms = [self._term(each) for each in dict.fromkeys(licenses) if each]
        if len(terms) < 2:
            return "".join(terms) or _NOTHING
        return " AND ".join(f"({term})" if " " in term else term for term in terms)

    def _term(self, name: str) -> str:
        if is_license(name) or (is_expression(name) and "LicenseRef-" not in name):
            return name
        said = stock.text(name)
        slug = _NOT_IN_ID.sub("-", said)[:40].strip("-.") or "license"
        return self._texts.setdefault(said, f"LicenseRef-{slug}-{digest_of([said])[:8]}")


def _relationships(named: Iterable[tuple[str, Package]], distro: bool) -> Iterator[Object]:
    yield _relation(DOCUMENT, "DESCRIBES", IMAGE)
    if distro:
        yield _relation(IMAGE, "CONTAINS", DISTRO)
    named = list(named)
    for reference, _ in named:
        yield _relation(IMAGE, "CONTAINS", reference)
    for owner, others in stock.owned(named).items():
        for reference in others if owner else ():
            yield _relation(owner, "OTHER", reference) | {"comment": OWNERSHIP}
    for reference, needed in dependencies(named).items():
        for other in needed:
            yield _relation(reference, "DEPENDS_ON", other)


def _relation(one: str, kind: str, other: str) -> Object:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _references(package: Package) -> Iterator[Object]:
    for cpe in filter(is_cpe, package.cpes):
        yield _reference("SECURITY", "cpe23Type", cpe)
    for cpe in guessed(package):
        yield _reference("SECURITY", "cpe23Type", cpe) | {"comment": "guessed"}
    if stock.is_purl(package.purl):
        yield _reference("PACKAGE-MANAGER", "purl", package.purl)


def _reference(category: str, kind: str, locator: str) -> Object:
    return {"referenceCategory": category, "referenceType": kind, "referenceLocator": locator}


def _party(package: Package) -> str:
    """``Person: name (address)`` where there is one to write to, else an organisation."""
    name, address = stock.contact(" ".join(stock.text(package.vendor).split()))
    if address and not set("()") & set(name + address):
        return f"Person: {name} ({address})"
    return f"Organization: {name}"


def _identifier(text: str) -> str:
    return _NOT_IN_ID.sub("-", text)


def _second(moment: str) -> str:
    """SPDX knows UTC and whole seconds alone: ``2026-11-21T00:00:00Z``."""
    from datetime import UTC, datetime

    try:
        return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return _EPOCH

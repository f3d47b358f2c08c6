"""An SBOM as CycloneDX 1.6 JSON, by the CycloneDX library.

Format: https://cyclonedx.org/docs/1.6/json/. The image is the ``container`` component of the metadata, the distribution
an ``operating-system`` component, each package a ``library``. What CycloneDX has no field for stands in properties
named ``anchore:…``. A package whose files an OS package owns is a dependency of its owner: a scanner that reads the
SBOM needs to know who answers for it.

Order: components by type, name and version. The serial number is derived from the content and there is no time but the
one that is passed in, so equal packages give equal bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from anchorecli.model import Analysis, Distro, Image, Package, Report
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.identity import digest_of, package_id, package_order
from anchorecli.report.instructions import instruction
from anchorecli.report.text import quiet
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from cyclonedx.model import Property
    from cyclonedx.model.bom import BomMetaData
    from cyclonedx.model.component import Component
    from cyclonedx.model.license import License
    from packageurl import PackageURL

_DISTRO_REF = "distro"


@dataclass(frozen=True, slots=True)
class CycloneDxJson:
    """The packages for other tools."""

    name: str = "cyclonedx-json"
    subject: Subject = "sbom"
    media_type: str = "application/vnd.cyclonedx+json; version=1.6"
    description: str = "SBOM, CycloneDX 1.6 JSON"

    def prepare(self) -> None:
        """Load the library: a tenth of a second."""
        import cyclonedx.model.component
        import cyclonedx.schema.schema
        import cyclonedx.spdx  # noqa: F401

    def render(self, report: Report, options: RenderOptions) -> str:
        """The SBOM as JSON text, a line per component; ``options.timestamp`` must be RFC 3339 or empty.

        The library writes each object; only the outermost frame is put together here. Its own ``Bom`` sorts by
        comparing whole components and checks dependencies in quadratic time: seconds for a few thousand packages.
        """
        from cyclonedx.schema.schema import SchemaVersion1Dot6

        def written(items: Iterable[Any]) -> list[str]:
            return [item.as_json(view_=SchemaVersion1Dot6) for item in items]

        analysis = report.analysis
        references = _references(analysis.packages)
        components = written(_components(analysis, references))
        dependencies = written(_dependencies(analysis, references))
        (metadata,) = written([_metadata(report, options.timestamp)])
        serial = UUID(digest_of([metadata, *components, *dependencies])[:32], version=5)
        frame = {
            "$schema": json.dumps("http://cyclonedx.org/schema/bom-1.6.schema.json"),
            "bomFormat": json.dumps("CycloneDX"),
            "specVersion": json.dumps("1.6"),
            "serialNumber": json.dumps(serial.urn),
            "version": "1",
            "metadata": metadata,
            "components": _array(components),
            "dependencies": _array(dependencies),
        }
        return quiet("{\n" + ",\n".join(f'  "{key}": {text}' for key, text in frame.items()) + "\n}\n")


def _array(lines: list[str]) -> str:
    return "[\n    " + ",\n    ".join(lines) + "\n  ]" if lines else "[]"


def _references(packages: Iterable[Package]) -> list[tuple[str, Package]]:
    """Each package with its bom-ref: its stable id, numbered where two packages would share one."""
    taken: dict[str, int] = {}
    found: list[tuple[str, Package]] = []
    for package in sorted(packages, key=package_order):
        identifier = package_id(package)
        taken[identifier] = taken.get(identifier, 0) + 1
        suffix = f"-{taken[identifier]}" if taken[identifier] > 1 else ""
        found.append((f"{package.type}-{identifier}{suffix}", package))
    return found


def _metadata(report: Report, timestamp: str) -> BomMetaData:
    from datetime import datetime

    from cyclonedx.model.bom import BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.tool import ToolRepository

    tool = Component(name="anchore", version=report.tool_version or None, type=ComponentType.APPLICATION)
    metadata = BomMetaData(tools=ToolRepository(components=[tool]), component=_image(report.analysis.image))
    # The library's own default is the present moment.
    metadata.timestamp = datetime.fromisoformat(timestamp) if timestamp else None  # type: ignore[assignment]
    return metadata


def _image(image: Image) -> Component:
    from cyclonedx.model.component import Component, ComponentType

    layers = [(f"anchore:layer:{index}:diff_id", layer.diff_id) for index, layer in enumerate(image.layers)]
    instructions = [
        (f"anchore:layer:{index}:instruction", instruction(layer.instruction))
        for index, layer in enumerate(image.layers)
    ]
    facts = [
        ("anchore:image:id", image.image_id),
        ("anchore:image:index_digest", image.index_digest),
        ("anchore:image:platform", str(image.config.platform)),
    ]
    return Component(
        name=_text(image.ref.name or image.ref.original),
        version=image.digest or image.image_id or None,
        type=ComponentType.CONTAINER,
        bom_ref="image",
        purl=_image_purl(image),
        properties=_properties([*facts, *layers, *instructions]),
    )


def _image_purl(image: Image) -> PackageURL | None:
    """``pkg:oci/debian@sha256:…?repository_url=docker.io/library/debian``; none without a registry's digest."""
    from urllib.parse import quote

    ref = image.ref
    name = ref.repository.rpartition("/")[2].lower()
    if not image.digest or not name:
        return None
    qualifiers = {
        "arch": image.config.platform.architecture,
        "repository_url": f"{ref.registry}/{ref.repository}".lower(),
        "tag": ref.tag,
    }
    query = "&".join(f"{key}={quote(_text(value))}" for key, value in qualifiers.items() if value)
    return _purl(f"pkg:oci/{quote(_text(name))}@{quote(_text(image.digest))}?{query}")[0]


def _components(analysis: Analysis, references: list[tuple[str, Package]]) -> Iterable[Component]:
    """The components, each valid until the next is asked for."""
    from cyclonedx.model.component import Component, ComponentType

    if analysis.distro:
        yield _distro(analysis.distro)
    # One object, filled anew for each package while the caller writes them one by one: the library makes ten sorted
    # sets for each new component, which takes longer than all the rest.
    component = Component(name="", type=ComponentType.LIBRARY, bom_ref="")
    licenses: dict[tuple[str, ...], list[License]] = {}
    for reference, package in references:
        if package.licenses not in licenses:
            licenses[package.licenses] = _licenses(package.licenses)
        purl, unreadable = _purl(package.purl)
        component.bom_ref.value = reference
        component.name = _text(package.name)
        component.version = _text(package.version) or None
        component.purl = purl
        component.cpe = next(filter(_is_cpe, package.cpes), None)
        component.publisher = _text(package.vendor) or None
        component.licenses = licenses[package.licenses]
        component.properties = _properties([*_facts(package), *unreadable])
        yield component


def _facts(package: Package) -> list[tuple[str, str]]:
    """What no field holds. Each property costs the library as much as half a component: nothing is said twice."""
    locations = list(enumerate(package.locations))
    return [
        ("anchore:analyzer", package.analyzer),
        ("anchore:source:name", package.source if package.source != package.name else ""),
        ("anchore:source:version", package.source_version if package.source_version != package.version else ""),
        ("anchore:module", package.module),
        ("anchore:owner", package.owner),
        ("anchore:layer:diff_id", package.layer),
        *((f"anchore:location:{at}:path", location.path) for at, location in locations),
        *(
            (f"anchore:location:{at}:layer", location.layer)
            for at, location in locations
            if location.layer != package.layer
        ),
        *(
            (f"anchore:cpe:{at}", cpe)
            for at, cpe in enumerate(package.cpes)
            if len(package.cpes) > 1 or not _is_cpe(cpe)
        ),
    ]


def _distro(distro: Distro) -> Component:
    from cyclonedx.model.component import Component, ComponentType

    return Component(
        name=_text(distro.id),
        version=_text(distro.version_id) or None,
        description=_text(distro.pretty_name or distro.name) or None,
        type=ComponentType.OPERATING_SYSTEM,
        bom_ref=_DISTRO_REF,
        properties=_properties(
            [
                ("anchore:distro:codename", distro.codename),
                ("anchore:distro:like", " ".join(distro.like)),
                ("anchore:distro:source", distro.source),
            ]
        ),
    )


def _dependencies(analysis: Analysis, references: list[tuple[str, Package]]) -> Iterable[Any]:
    """The image depends on everything nobody else brings, an OS package on the packages whose files it owns."""
    from cyclonedx.model.bom_ref import BomRef
    from cyclonedx.model.dependency import Dependency

    by_purl = {package.purl: reference for reference, package in reversed(references) if package.purl}
    brought_by: dict[str, list[str]] = {"image": [_DISTRO_REF] if analysis.distro else []}
    for reference, package in references:
        owner = by_purl.get(package.owner, "image") if package.owner else "image"
        brought_by.setdefault("image" if owner == reference else owner, []).append(reference)
    for owner, brought in brought_by.items():
        yield Dependency(BomRef(owner), [Dependency(BomRef(reference)) for reference in brought])


def _properties(pairs: Iterable[tuple[str, str]]) -> list[Property]:
    from cyclonedx.model import Property

    return [Property(name=name, value=_text(value)) for name, value in pairs if value]


def _purl(text: str) -> tuple[PackageURL | None, list[tuple[str, str]]]:
    """The purl for the library; where it cannot read one, the text is kept as a property."""
    from packageurl import PackageURL

    if not text:
        return None, []
    try:
        purl = PackageURL.from_string(text)
        if not text.isascii() or "%" in text:
            # What it takes apart it cannot always put together again: a name of blanks, say.
            purl.to_string()
    except (ValueError, TypeError):
        return None, [("anchore:purl", text)]
    return purl, []


_CPE = re.compile(r"cpe:2\.3:[aho*-](?::(?:[A-Za-z0-9._-]|\\[^\s\w]|[?*]){1,200}){10}")


def _is_cpe(text: str) -> bool:
    """Whether the schema takes it for a CPE 2.3 name; what it does not take goes into a property."""
    return _CPE.fullmatch(text) is not None


_OPERATORS = ("(", " AND ", " OR ", " WITH ")


def _licenses(names: tuple[str, ...]) -> list[License]:
    """SPDX ids by id, an expression where it is the only one (a list may not hold any), the rest by name."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
    from cyclonedx.spdx import is_expression, is_supported_id

    if len(names) == 1 and any(operator in names[0] for operator in _OPERATORS) and is_expression(names[0]):
        return [LicenseExpression(names[0])]
    return [
        DisjunctiveLicense(id=name) if is_supported_id(name) else DisjunctiveLicense(name=_text(name))
        for name in dict.fromkeys(names)
        if name
    ]


def _text(value: str) -> str:
    """What is no character (a byte that is not UTF-8) escaped: JSON may only hold characters."""
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()

"""Documents of other tools, made in code, and what is read of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from anchorecli.model import Analysis, ImageRef, Package
from anchorecli.sbom import read_sbom


def read(document: Any, folder: Path, name: str = "bom") -> Analysis:
    """What is read of a document: an object, a text or bytes."""
    path = folder / name
    data = document if isinstance(document, bytes) else document if isinstance(document, str) else json.dumps(document)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_sbom(ImageRef("sbom", str(path), path=str(path)))


def only(analysis: Analysis) -> Package:
    """The one package."""
    (package,) = analysis.packages
    return package


def messages(analysis: Analysis, *, incomplete: bool = True) -> list[str]:
    """What could not be told, or with False the remarks."""
    return [each.message for each in analysis.problems if each.incomplete is incomplete]


def cyclonedx(*components: Any, version: str = "1.5", **more: Any) -> dict[str, Any]:
    """A CycloneDX document of these components."""
    return {"bomFormat": "CycloneDX", "specVersion": version, "version": 1, "components": list(components), **more}


def library(name: str, version: str, purl: str, **more: Any) -> dict[str, Any]:
    """A component."""
    return {"type": "library", "bom-ref": f"ref-{name}", "name": name, "version": version, "purl": purl, **more}


def spdx(*packages: Any, **more: Any) -> dict[str, Any]:
    """An SPDX document of these packages."""
    return {
        "spdxVersion": "SPDX-2.3",
        "SPDXID": "SPDXRef-DOCUMENT",
        "creationInfo": {"created": "2026-01-01T00:00:00Z", "creators": ["Organization: x", "Tool: maker-1.2"]},
        "packages": list(packages),
        **more,
    }


def spdx_package(name: str, version: str, purl: str = "", **more: Any) -> dict[str, Any]:
    """A package as SPDX has it."""
    references = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]
    return {
        "SPDXID": f"SPDXRef-{name}",
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        **({"externalRefs": references} if purl else {}),
        **more,
    }

"""An SBOM as CycloneDX 1.6 JSON (see ``cyclonedx_document``), a line per component.

Format: https://cyclonedx.org/docs/1.6/json/.
"""

from __future__ import annotations

import json

from anchorecli.model import Report
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.cyclonedx_document import Object, document
from anchorecli.report.text import quiet
from anchorecli.values import dataclass


@dataclass(frozen=True, slots=True)
class CycloneDxJson:
    """The packages for other tools."""

    name: str = "cyclonedx-json"
    subject: Subject = "sbom"
    media_type: str = "application/vnd.cyclonedx+json; version=1.6"
    description: str = "SBOM, CycloneDX 1.6 JSON"

    def prepare(self) -> None:
        """Nothing here is slow to load."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The SBOM as JSON text; ``options.timestamp`` must be RFC 3339 or empty."""
        made = document(report, options.timestamp)
        frame = {
            "$schema": json.dumps("http://cyclonedx.org/schema/bom-1.6.schema.json"),
            "bomFormat": json.dumps("CycloneDX"),
            "specVersion": json.dumps("1.6"),
            "serialNumber": json.dumps(made.serial),
            "version": "1",
            "metadata": json.dumps(made.metadata),
            "components": _array(made.components),
            "dependencies": _array(made.dependencies),
        }
        if made.compositions:
            frame["compositions"] = _array(made.compositions)
        return quiet("{\n" + ",\n".join(f'  "{key}": {text}' for key, text in frame.items()) + "\n}\n")


def _array(items: list[Object]) -> str:
    return "[\n    " + ",\n    ".join(map(json.dumps, items)) + "\n  ]" if items else "[]"

"""An SBOM as CycloneDX 1.6 JSON (see ``cyclonedx_document``), a line per component.

Format: https://cyclonedx.org/docs/1.6/json/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from anchorecli.model import Report
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.cyclonedx_document import document
from anchorecli.report.json_lines import batched, framed
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
        return "".join(self.pieces(report, options))

    def pieces(self, report: Report, options: RenderOptions) -> Iterator[str]:
        """The same in pieces."""
        made = document(report, options.timestamp)
        fields: dict[str, Any] = {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": made.serial,
            "version": 1,
            "metadata": made.metadata,
            "components": made.components,
            "dependencies": made.dependencies,
        }
        if made.compositions:
            fields["compositions"] = iter(made.compositions)
        return batched(framed(fields.items()))

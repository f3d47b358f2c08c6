"""An SBOM as SPDX 2.3 JSON (see ``spdx_document``), a line per package and relationship.

Format: https://spdx.github.io/spdx-spec/v2.3/, schema ``spdx-schema.json``.
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.model import Report
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.json_lines import batched, framed
from anchorecli.report.spdx_document import document
from anchorecli.values import dataclass


@dataclass(frozen=True, slots=True)
class SpdxJson:
    """The packages for other tools."""

    name: str = "spdx-json"
    subject: Subject = "sbom"
    media_type: str = "application/spdx+json; version=2.3"
    description: str = "SBOM, SPDX 2.3 JSON"

    def prepare(self) -> None:
        """Nothing here is slow to load."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The SBOM as JSON text; ``options.timestamp`` must be RFC 3339 or empty."""
        return "".join(self.pieces(report, options))

    def pieces(self, report: Report, options: RenderOptions) -> Iterator[str]:
        """The same in pieces."""
        return batched(framed(document(report, options.timestamp).fields()))

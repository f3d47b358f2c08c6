"""An SBOM as SPDX 2.3 JSON (see ``spdx_document``), a line per package and relationship.

Format: https://spdx.github.io/spdx-spec/v2.3/, schema ``spdx-schema.json``.
"""

from __future__ import annotations

import json
from typing import Any

from anchorecli.model import Report
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.spdx_document import document
from anchorecli.report.text import quiet
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
        made = document(report, options.timestamp)
        return quiet("{\n" + ",\n".join(f'  "{key}": {_value(value)}' for key, value in made.items()) + "\n}\n")


def _value(value: Any) -> str:
    if not isinstance(value, list):
        return json.dumps(value)
    return "[\n    " + ",\n    ".join(map(json.dumps, value)) + "\n  ]"

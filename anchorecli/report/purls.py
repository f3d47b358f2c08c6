"""Package URLs, one a line: for piping into other tools.

Format: https://github.com/package-url/purl-spec, ``pkg:deb/debian/zlib1g@1%3A1.2.13.dfsg-1?arch=amd64``.
"""

from __future__ import annotations

from anchorecli.model import Report
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.text import clean
from anchorecli.values import dataclass


@dataclass(frozen=True, slots=True)
class Purls:
    """Sorted, each once; a package without a purl is left out."""

    name: str = "purls"
    subject: Subject = "sbom"
    media_type: str = "text/plain"
    description: str = "package URLs, one a line"

    def prepare(self) -> None:
        """Nothing here is slow to load."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The purls as text; empty where there is no package."""
        purls = {clean(package.purl) for package in report.analysis.packages if package.purl}
        return "".join(f"{purl}\n" for purl in sorted(purls))

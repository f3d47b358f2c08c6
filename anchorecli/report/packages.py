"""A plain list of packages: name, version, type."""

from __future__ import annotations

from anchorecli.model import Report
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.text import cells, clean
from anchorecli.values import dataclass

_HEAD = ("NAME", "VERSION", "TYPE")


@dataclass(frozen=True, slots=True)
class PackageList:
    """Aligned columns for people, sorted by name."""

    name: str = "packages"
    subject: Subject = "sbom"
    media_type: str = "text/plain"
    description: str = "name, version and type, one package a line"

    def prepare(self) -> None:
        """Nothing here is slow to load."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The list as text, never cut to a width: it is there to be searched."""
        rows = sorted({(p.name, p.version, p.type) for p in report.analysis.packages})
        table = [_HEAD, *((clean(name), clean(version), clean(kind)) for name, version, kind in rows)]
        widths = [max(cells(row[column]) for row in table) for column in (0, 1)]
        return "".join(
            f"{name}{' ' * (widths[0] - cells(name))}  {version}{' ' * (widths[1] - cells(version))}  {kind}\n"
            for name, version, kind in table
        )

"""Report formats: the registry, and a format by name. One file per format; slow libraries load when one renders."""

from __future__ import annotations

from anchorecli.report.base import Format, RenderOptions, Subject
from anchorecli.report.cyclonedx_json import CycloneDxJson
from anchorecli.report.json_report import JsonReport
from anchorecli.report.packages import PackageList
from anchorecli.report.purls import Purls
from anchorecli.report.summary import summary
from anchorecli.report.table import Table
from anchorecli.report.text import clean

FORMATS: tuple[Format, ...] = (Table(), JsonReport(), CycloneDxJson(), Purls(), PackageList())
"""Every format; the first of each subject is the default."""


def formats(subject: Subject) -> dict[str, Format]:
    """The formats of a subject by name, the default first."""
    return {each.name: each for each in FORMATS if each.subject == subject}


__all__ = ["FORMATS", "Format", "RenderOptions", "Subject", "clean", "formats", "summary"]

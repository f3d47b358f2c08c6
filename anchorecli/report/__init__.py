"""Report formats: the registry, and a format by name. One file per format, loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from anchorecli.report.base import Format, Piecemeal, RenderOptions, Subject
from anchorecli.report.text import clean

if TYPE_CHECKING:
    FORMATS: tuple[Format, ...]


class Registered(NamedTuple):
    """A format's name, what it renders, and where its class is: module of this package, dot, class."""

    name: str
    subject: Subject
    cls: str


REGISTERED: tuple[Registered, ...] = (
    Registered("table", "report", "table.Table"),
    Registered("json", "report", "json_report.JsonReport"),
    Registered("sarif", "report", "sarif.Sarif"),
    Registered("gitlab", "report", "gitlab.GitLab"),
    Registered("junit", "report", "junit.JUnit"),
    Registered("markdown", "report", "markdown.Markdown"),
    Registered("csv", "report", "csv_report.Csv"),
    Registered("cyclonedx-json", "sbom", "cyclonedx_json.CycloneDxJson"),
    Registered("cyclonedx-xml", "sbom", "cyclonedx_xml.CycloneDxXml"),
    Registered("spdx-json", "sbom", "spdx_json.SpdxJson"),
    Registered("spdx-tv", "sbom", "spdx_tv.SpdxTagValue"),
    Registered("syft-json", "sbom", "syft_json.SyftJson"),
    Registered("purls", "sbom", "purls.Purls"),
    Registered("packages", "sbom", "packages.PackageList"),
)
"""Every format; the first of each subject is the default."""


class _Formats(Mapping[str, Format]):
    """The formats of a subject by name, each loaded when it is taken out."""

    def __init__(self, subject: Subject) -> None:
        self._known = {each.name: each for each in REGISTERED if each.subject == subject}

    def __getitem__(self, name: str) -> Format:
        return _load(self._known[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def formats(subject: Subject) -> Mapping[str, Format]:
    """The formats of a subject by name, the default first."""
    return _Formats(subject)


@cache
def _load(registered: Registered) -> Format:
    from importlib import import_module

    module, _, cls = registered.cls.rpartition(".")
    found: Format = getattr(import_module(f"anchorecli.report.{module}"), cls)()
    return found


def __getattr__(name: str) -> Any:
    """``FORMATS``: all of them, for whoever lists them."""
    if name == "FORMATS":
        return tuple(map(_load, REGISTERED))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["Format", "Piecemeal", "RenderOptions", "Subject", "clean", "formats"]

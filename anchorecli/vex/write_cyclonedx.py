"""A VEX document in CycloneDX 1.6: the image, the packages that are spoken of, and what holds for them.

Format: https://cyclonedx.org/docs/1.6/json/#vulnerabilities. The image is the subject of the metadata.
"""

from __future__ import annotations

from uuid import UUID

from anchorecli.model import Json, Report
from anchorecli.vex.saying import Author, Saying, digest_of, image_purl
from anchorecli.vex.values import VexStatus

_STATES = {
    VexStatus.NOT_AFFECTED: "not_affected",
    VexStatus.FIXED: "resolved",
    VexStatus.AFFECTED: "exploitable",
    VexStatus.UNDER_INVESTIGATION: "in_triage",
}
_SOURCES = {"GHSA": "GitHub", "CVE": "NVD", "RUSTSEC": "RustSec", "PYSEC": "PyPI"}

Object = dict[str, Json]


def cyclonedx(report: Report, author: Author, said: list[Saying]) -> Object:
    """A CycloneDX document."""
    packages = {each[0]: each for one in said for each in one.packages}
    image = report.analysis.image
    subject: Object = {
        "type": "container",
        "bom-ref": "image",
        "name": image.ref.repository or image.ref.name or "image",
        "version": image.digest or image.image_id,
        "purl": image_purl(report),
    }
    body: Object = {
        "version": 1,
        "metadata": {
            "timestamp": report.created_at,
            "tools": {"components": [{"type": "application", "name": "anchore", "version": report.tool_version}]},
            "authors": [{"name": author.name}],
            "component": subject,
        },
        "components": [_component(*packages[purl]) for purl in sorted(packages)],
        "vulnerabilities": [_vulnerability(each) for each in said],
    }
    serial = UUID(digest_of(body)[:32], version=5).urn
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": serial, **body}


def _component(purl: str, name: str, version: str) -> Object:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _vulnerability(said: Saying) -> Object:
    made: Object = {"id": said.name}
    if said.aliases:
        made["references"] = [{"id": each, "source": {"name": _source(each)}} for each in said.aliases]
    made["analysis"] = {"state": _STATES[said.status], "detail": said.reason}
    made["affects"] = [{"ref": purl} for purl, _, _ in said.packages]
    return made


def _source(name: str) -> str:
    return _SOURCES.get(name.partition("-")[0], "other")

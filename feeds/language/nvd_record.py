"""One CVE of the National Vulnerability Database as an Advisory.

Format: https://csrc.nist.gov/schema/nvd/api/2.0/cve_api_json_2.0.schema, e.g. ``{"id": "CVE-2024-1", "published":
"2024-01-02T03:04:05.678", "vulnStatus": "Analyzed", "metrics": {"cvssMetricV31": [{"source": "nvd@nist.gov", "type":
"Primary", "cvssData": {"version": "3.1", "vectorString": …, "baseScore": 7.5}}]}, "configurations": […]}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from anchorecli.feeds.language.cpe_match import spoken_of, statements
from anchorecli.feeds.osv_record import moment
from anchorecli.feeds.record import one_line
from anchorecli.model import Advisory, Affected, Cvss, Severity

ID = re.compile(r"CVE-\d{4}-\d{4,}")
CISA = "134c704f-9b21-4f2e-91b3-4a467353bcc0"
"""CISA's id among those who add to CVE records."""
MAX_SUMMARY = 120
"""There are 300,000 of them, and most are asked for nothing but their scores."""
_SOURCES = {CISA: "CISA-ADP", "nvd@nist.gov": "NVD"}
_METRICS = ("cvssMetricV40", "cvssMetricV31", "cvssMetricV30", "cvssMetricV2")
_CWE = re.compile(r"CWE-\d+")


def read(cve: Any, feed: str, patch: tuple[Affected, ...] | None = None) -> Advisory:
    """The advisory of a CVE; ``patch`` are better statements than its own.

    Raises: ValueError where it is not of the schema's form.
    """
    if not isinstance(cve, dict):
        raise ValueError("not a CVE")
    identifier = cve.get("id", cve.get("CVE_ID"))
    if not isinstance(identifier, str) or not ID.fullmatch(identifier):
        raise ValueError("no usable id")
    modified = _moment(cve.get("lastModified"))
    rejected = cve.get("vulnStatus") == "Rejected"
    scores = tuple(score for score, _ in _scores(cve.get("metrics") or {}))
    about = patch if patch is not None else statements(cve.get("configurations") or [])
    return Advisory(
        identifier,
        feed,
        severity=severity_of(scores),
        summary=_description(cve),
        url=f"https://nvd.nist.gov/vuln/detail/{identifier}",
        published=_moment(cve.get("published")),
        modified=modified,
        withdrawn=modified if rejected else "",
        cvss=scores,
        affected=(*(() if rejected else about), spoken_of(identifier, _weaknesses(cve))),
    )


def severity_of(scores: tuple[Cvss, ...]) -> Severity:
    """The word for the best score: the first there is, since they come in the order of preference."""
    from anchorecli.feeds.cvss import severity

    return severity(scores[0]) if scores else Severity.UNKNOWN


def score_of(data: Any, source: str) -> Cvss | None:
    """A score as CVE and NVD records have it; None where it is not whole."""
    if not isinstance(data, dict):
        return None
    version, vector, score = (data.get(key) for key in ("version", "vectorString", "baseScore"))
    if not isinstance(version, str) or not isinstance(vector, str) or not isinstance(score, int | float):
        return None
    if not f"{version}{vector}{source}".isprintable() or not 0 <= score <= 10:
        return None
    return Cvss(version, vector, float(score), _SOURCES.get(source, source))


def _scores(metrics: Any) -> list[tuple[Cvss, bool]]:
    """The scores, the NVD's own ("Primary") first, of each the newest version first."""
    found = []
    for kind in _METRICS if isinstance(metrics, dict) else ():
        for each in metrics.get(kind) or ():
            if isinstance(each, dict) and (score := score_of(each.get("cvssData"), str(each.get("source", "")))):
                found.append((score, each.get("type") == "Primary"))
    # Scores of version 2 are of interest only where nobody has made a newer one.
    newer = [each for each in found if each[0].version != "2.0"]
    return sorted(newer or found, key=lambda each: not each[1])


def _weaknesses(cve: dict[str, Any]) -> Iterator[str]:
    seen: dict[str, None] = {}
    for weakness in cve.get("weaknesses") or ():
        for each in weakness.get("description") or () if isinstance(weakness, dict) else ():
            value = each.get("value") if isinstance(each, dict) else None
            if isinstance(value, str) and _CWE.fullmatch(value):
                seen[value] = None
    yield from seen


def _description(cve: dict[str, Any]) -> str:
    for each in cve.get("descriptions") or ():
        if isinstance(each, dict) and each.get("lang") == "en" and isinstance(each.get("value"), str):
            return one_line(each["value"][: 4 * MAX_SUMMARY], MAX_SUMMARY)
    return ""


def _moment(value: Any) -> str:
    """NVD's times are UTC and do not say so."""
    return moment(value if value.endswith("Z") else f"{value}Z") if isinstance(value, str) else ""

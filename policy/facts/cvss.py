"""CVSS version 3 scores of a match: base, exploitability and impact.

Format: vectors ``CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H``; the sub-scores follow section 7.1 of the CVSS v3.1
specification (https://www.first.org/cvss/v3-1/specification-document), rounded to one decimal as NVD shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from anchorecli.model import Cvss, Match

_WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}


class Scores(NamedTuple):
    """The three scores, -1.0 where there is none: the original's word for "not scored"."""

    base: float = -1.0
    exploitability: float = -1.0
    impact: float = -1.0


def nvd_scores(match: Match) -> Scores:
    """The highest version 3 scores by NVD; where NVD has none, those of whoever scored the vulnerability."""
    scored = [cvss for cvss in match.cvss if cvss.version.startswith("3")]
    return _highest([cvss for cvss in scored if _by_nvd(cvss)] or scored)


def vendor_scores(match: Match) -> Scores:
    """The highest version 3 scores by anybody but NVD."""
    return _highest([cvss for cvss in match.cvss if cvss.version.startswith("3") and not _by_nvd(cvss)])


def _by_nvd(cvss: Cvss) -> bool:
    return "nvd" in cvss.source.lower()


def _highest(scored: list[Cvss]) -> Scores:
    parts = [sub_scores(cvss.vector) for cvss in scored]
    return Scores(
        max((cvss.score for cvss in scored), default=-1.0),
        max((exploitability for exploitability, _ in parts), default=-1.0),
        max((impact for _, impact in parts), default=-1.0),
    )


def sub_scores(vector: str) -> tuple[float, float]:
    """Exploitability and impact of a vector, -1.0 each where it is not a whole version 3 vector."""
    metrics = dict(part.split(":", 1) for part in vector.split("/") if ":" in part)
    changed = metrics.get("S") == "C"
    try:
        weights = {name: values[metrics[name]] for name, values in _WEIGHTS.items()}
        privileges = _PRIVILEGES[metrics["S"]][metrics["PR"]]
    except KeyError:
        return -1.0, -1.0
    exploitability = 8.22 * weights["AV"] * weights["AC"] * privileges * weights["UI"]
    loss = 1 - (1 - weights["C"]) * (1 - weights["I"]) * (1 - weights["A"])
    impact = 7.52 * (loss - 0.029) - 3.25 * (loss - 0.02) ** 15 if changed else 6.42 * loss
    return round(exploitability, 1), round(max(impact, 0.0), 1)

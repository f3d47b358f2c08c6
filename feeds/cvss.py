"""CVSS base scores from their vectors, and the severity word that a score stands for.

Format: CVSS v2.0 complete guide, 3.2.1 (``AV:N/AC:L/Au:N/C:P/I:P/A:P``); v3.0 and v3.1 specification, 7.1 and 8.1
(``CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H``). Temporal and environmental metrics are skipped. v4.0: ``cvss4``.
"""

from __future__ import annotations

from functools import lru_cache

from anchorecli.model import Cvss, Severity

_V3 = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "S": {"U": 0.0, "C": 1.0},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_V3_PR = ({"N": 0.85, "L": 0.62, "H": 0.27}, {"N": 0.85, "L": 0.68, "H": 0.5})
"""Privileges required weigh less where the scope changes (the second)."""
_V2 = {
    "AV": {"L": 0.395, "A": 0.646, "N": 1.0},
    "AC": {"H": 0.35, "M": 0.61, "L": 0.71},
    "Au": {"M": 0.45, "S": 0.56, "N": 0.704},
    "C": {"N": 0.0, "P": 0.275, "C": 0.66},
    "I": {"N": 0.0, "P": 0.275, "C": 0.66},
    "A": {"N": 0.0, "P": 0.275, "C": 0.66},
}


@lru_cache(maxsize=8192)
def read(vector: str) -> Cvss | None:
    """The vector with its base score; None where it is of an unknown version or not whole."""
    metrics = dict(part.partition(":")[::2] for part in vector.strip().split("/"))
    version = metrics.pop("CVSS", "2.0")
    try:
        if version in ("3.0", "3.1"):
            return Cvss(version, vector.strip(), _score3(metrics))
        if version == "2.0":
            return Cvss(version, vector.strip(), _score2(metrics))
        if version == "4.0":
            from anchorecli.feeds.cvss4 import score

            return Cvss(version, vector.strip(), score(metrics))
    except KeyError:
        pass
    return None


def severity(score: Cvss) -> Severity:
    """The qualitative rating of a score: v3 section 5, v4 section 6; v2 (which has no critical) as NVD has it."""
    bounds = (
        (9.0, Severity.CRITICAL if score.version != "2.0" else Severity.HIGH),
        (7.0, Severity.HIGH),
        (4.0, Severity.MEDIUM),
        (0.1, Severity.LOW),
    )
    return next((word for least, word in bounds if score.score >= least), Severity.NEGLIGIBLE)


def _score3(metrics: dict[str, str]) -> float:
    weight = {name: table[metrics[name]] for name, table in _V3.items()}
    changed = weight["S"] == 1.0
    unharmed = (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    base = 1 - unharmed
    impact = 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15 if changed else 6.42 * base
    if impact <= 0:
        return 0.0
    privileges = _V3_PR[changed][metrics["PR"]]
    exploitability = 8.22 * weight["AV"] * weight["AC"] * privileges * weight["UI"]
    return _round_up(min((1.08 if changed else 1.0) * (impact + exploitability), 10.0))


def _round_up(value: float) -> float:
    """To one decimal, upwards, free of the errors of binary fractions (v3.1 specification, appendix A)."""
    whole = round(value * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (whole // 10_000 + 1) / 10


def _score2(metrics: dict[str, str]) -> float:
    weight = {name: table[metrics[name]] for name, table in _V2.items()}
    impact = 10.41 * (1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"]))
    exploitability = 20 * weight["AV"] * weight["AC"] * weight["Au"]
    factor = 1.176 if impact else 0.0
    return round((0.6 * impact + 0.4 * exploitability - 1.5) * factor, 1)

"""Scores of CVSS v4.0.

Vectors fall into groups (macrovectors) whose scores experts have set; inside a group a vector lies below its group's
score by how far it is from the group's worst, as a part of how far the next lower group is.

The threat metric (``E``) counts, since whoever publishes it means the score with it; the environmental metrics are
those of somebody's own installation, and are skipped.

Format: CVSS v4.0 specification, 7 (``CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N``) and 8.2, with
the scores of the macrovectors that can come about without environmental metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

_LEVELS: Mapping[str, str] = {
    **{"AV": "NALP", "AC": "LH", "AT": "NP", "PR": "NLH", "UI": "NPA"},
    **dict.fromkeys(("VC", "VI", "VA", "SC", "SI", "SA"), "HLN"),
    "E": "APU",
}
"""The values of each metric, the worst first."""

_SCORES = {
    "00": "100 93 91 93 89 81  96 87 81 90 80 68  93 89 81 88 78 69  92 81 65 80 70 48  79 69 50 69 55 27",
    "01": "95 90 84 92 82 72  91 83 71 81 71 53  92 80 70 84 71 50  82 72 59 70 52 30  71 52 29 63 29 17",
    "10": "94 86 77 87 74 63  89 74 64 75 63 49  86 74 59 72 57 52  76 58 50 57 52 25  65 58 26 53 21 13",
    "11": "90 75 61 77 68 52  77 62 53 66 59 30  74 57 47 61 57 24  59 57 23 52 29 16  58 26 15 23 13 6",
    "20": "86 74 56 70 52 40  74 61 34 54 40 22  72 55 46 53 34 19  57 41 19 36 19 8  47 21 11 24 9 4",
    "21": "73 59 41 54 45 20  55 40 20 43 22 11  61 48 20 46 17 8  51 18 9 18 7 2  24 12 5 10 3 1",
}
"""Tenths: by EQ1 and EQ2, then EQ3 with EQ6 (``_IMPACTS``), EQ4 (1, 2) and EQ5 (0, 1, 2)."""
_IMPACTS = ("00", "01", "10", "11", "21")

_WORST = {
    "EQ1": (
        ("AV:N/PR:N/UI:N",), ("AV:A/PR:N/UI:N", "AV:N/PR:L/UI:N", "AV:N/PR:N/UI:P"),
        ("AV:P/PR:N/UI:N", "AV:A/PR:L/UI:P"),
    ),
    "EQ2": (("AC:L/AT:N",), ("AC:H/AT:N", "AC:L/AT:P")),
    "EQ3": (("VC:H/VI:H/VA:H",), ("VC:L/VI:H/VA:H", "VC:H/VI:L/VA:H"), ("VC:L/VI:L/VA:L",)),
    "EQ4": ((), ("SC:H/SI:H/SA:H",), ("SC:L/SI:L/SA:L",)),
}  # fmt: skip
"""The worst vectors of each level; there may be several that cannot be compared."""
_DEPTHS = {"EQ1": (1, 4, 5), "EQ2": (1, 2), "EQ3": (7, 8, 10), "EQ4": (6, 5, 4)}
"""How many steps it is from a level's worst vector to its mildest, and one."""


class _Group(NamedTuple):
    """A macrovector. EQ6 goes with EQ3: without requirements of somebody's own it is 1 only where EQ3 is 2."""

    eq1: int
    eq2: int
    impact: str
    eq4: int
    eq5: int


def score(metrics: Mapping[str, str]) -> float:
    """The score of a vector's metrics.

    Raises: KeyError where a base metric is missing or has a value that there is not.
    """
    values = {name: metrics[name] for name in _LEVELS if name != "E"}
    threat = metrics.get("E", "X")
    values["E"] = "A" if threat == "X" else threat
    if any(len(value) != 1 or value not in _LEVELS[name] for name, value in values.items()):
        raise KeyError("a metric of CVSS v4.0")
    if all(values[name] == "N" for name in ("VC", "VI", "VA", "SC", "SI", "SA")):
        return 0.0
    group = _group(values)
    top = _SCORE[group]
    parts = [
        (top - lower) * _share(name, level, values)
        for name, level, lower in (
            ("EQ1", group.eq1, _SCORE.get(group._replace(eq1=group.eq1 + 1))),
            ("EQ2", group.eq2, _SCORE.get(group._replace(eq2=group.eq2 + 1))),
            ("EQ3", int(group.impact[0]), _below(group)),
            ("EQ4", group.eq4, _SCORE.get(group._replace(eq4=group.eq4 + 1))),
            ("EQ5", group.eq5, _SCORE.get(group._replace(eq5=group.eq5 + 1))),
        )
        if lower is not None
    ]
    exact = top - (sum(parts) / len(parts) if parts else 0.0)
    # Halves go up, free of the errors of binary fractions.
    return int(max(0.0, min(exact, 100.0)) + 0.5 + 1e-6) / 10


def _group(values: Mapping[str, str]) -> _Group:
    reach = [values[name] == "N" for name in ("AV", "PR", "UI")]
    high = [values[name] == "H" for name in ("VC", "VI", "VA")]
    return _Group(
        eq1=0 if all(reach) else 1 if any(reach) and values["AV"] != "P" else 2,
        eq2=0 if values["AC"] == "L" and values["AT"] == "N" else 1,
        impact="00" if high[0] and high[1] else "10" if any(high) else "21",
        eq4=1 if "H" in (values["SC"], values["SI"], values["SA"]) else 2,
        eq5="APU".index(values["E"]),
    )


def _below(group: _Group) -> int | None:
    """The score of the next lower impact: of the two below the highest one the higher counts."""
    lower = {"00": ("01", "10"), "10": ("11",), "21": ()}[group.impact]
    return max((_SCORE[group._replace(impact=each)] for each in lower), default=None)


def _share(name: str, level: int, values: Mapping[str, str]) -> float:
    """How far a vector is from the worst of its level, as a part of the way to the mildest."""
    if name == "EQ5":
        return 0.0
    for worst in _WORST[name][level]:
        steps = []
        for part in worst.split("/"):
            metric, _, value = part.partition(":")
            steps.append(_LEVELS[metric].index(values[metric]) - _LEVELS[metric].index(value))
        if min(steps) >= 0:
            return sum(steps) / _DEPTHS[name][level]
    return 0.0


_SCORE = {
    _Group(int(outer[0]), int(outer[1]), impact, eq4, eq5): int(number)
    for outer, row in _SCORES.items()
    for (impact, eq4, eq5), number in zip(
        [(impact, eq4, eq5) for impact in _IMPACTS for eq4 in (1, 2) for eq5 in (0, 1, 2)], row.split(), strict=True
    )
}

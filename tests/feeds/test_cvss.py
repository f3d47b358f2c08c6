from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.feeds import cvss, cvss4
from anchorecli.model import Severity


@pytest.mark.parametrize(
    ("vector", "score", "severity"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, Severity.CRITICAL),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0, Severity.CRITICAL),
        ("CVSS:3.0/AV:A/AC:L/PR:N/UI:N/S:C/C:N/I:N/A:H", 7.4, Severity.HIGH),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, Severity.MEDIUM),
        ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 7.8, Severity.HIGH),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:L", 3.7, Severity.LOW),
        ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:C/C:H/I:H/A:H", 6.8, Severity.MEDIUM),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0, Severity.NEGLIGIBLE),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O", 9.8, Severity.CRITICAL),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5, Severity.HIGH),
        ("AV:N/AC:M/Au:N/C:N/I:P/A:N", 4.3, Severity.MEDIUM),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C", 10.0, Severity.HIGH),
        ("AV:L/AC:H/Au:M/C:N/I:N/A:P", 0.8, Severity.LOW),
        ("AV:L/AC:L/Au:N/C:N/I:N/A:N", 0.0, Severity.NEGLIGIBLE),
    ],
)
def test_scores_as_the_specification_counts_them(vector: str, score: float, severity: Severity) -> None:
    found = cvss.read(vector)
    assert found is not None
    assert (found.score, cvss.severity(found)) == (score, severity)


@pytest.mark.parametrize(
    "vector",
    [
        "",
        "7.5",
        "CVSS:3.1/AV:N",
        "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:X",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:R/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N",
        "CVSS:4.0/AV:NA/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N/E:F",
        "CVSS:9.9/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "////::::",
    ],
)
def test_what_cannot_be_scored_is_none(vector: str) -> None:
    assert cvss.read(vector) is None


@pytest.mark.parametrize(
    ("vector", "score"),
    [
        # FIRST's own examples
        ("AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.3),
        ("AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.7),
        ("AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N", 8.3),
        ("AV:L/AC:L/AT:N/PR:N/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", 4.6),
        ("AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", 5.1),
        ("AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N/E:A", 8.7),
        ("AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H/E:A", 10.0),
        # the ends of the scale, threat, and metrics that do not count
        ("AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3),
        ("AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0.0),
        ("AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N/E:U", 0.1),
        ("AV:P/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.0),
        ("AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U", 4.4),
        ("AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:X/MAV:P/CR:L/AU:Y", 7.3),
    ],
)
def test_version_4(vector: str, score: float) -> None:
    found = cvss.read(f"CVSS:4.0/{vector}")
    assert found is not None
    assert (found.version, found.score) == ("4.0", score)


METRICS = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in cvss4._LEVELS.items()})


@given(METRICS, st.sampled_from(sorted(cvss4._LEVELS)))
def test_a_worse_metric_never_lowers_a_score(metrics: dict[str, str], name: str) -> None:
    levels = cvss4._LEVELS[name]
    worse = metrics | {name: levels[max(0, levels.index(metrics[name]) - 1)]}
    assert 0.0 <= cvss4.score(metrics) <= cvss4.score(worse) <= 10.0

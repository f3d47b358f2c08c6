"""Small facts the gates rest on: CVSS sub-scores, times, namespaces."""

from __future__ import annotations

import pytest

from anchorecli.model import Distro
from anchorecli.policy.facts.coverage import Need, distro_namespaces, needs
from anchorecli.policy.facts.cvss import sub_scores
from anchorecli.policy.times import days_between, utc

from .evidence import evidence, package


@pytest.mark.parametrize(
    ("vector", "exploitability", "impact"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 3.9, 5.9),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 3.9, 6.0),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 2.8, 2.7),
        ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N", 1.8, 3.6),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:H", 2.2, 3.6),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 3.1, 2.7),
        ("CVSS:3.1/AV:P/AC:L/PR:H/UI:N/S:U/C:N/I:N/A:N", 0.3, 0.0),
        ("CVSS:3.1/AV:P/AC:L/PR:H/UI:N/S:C/C:N/I:N/A:N", 0.5, 0.0),
        ("", -1.0, -1.0),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", -1.0, -1.0),
        ("CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", -1.0, -1.0),
    ],
)
def test_sub_scores_as_nvd_shows_them(vector, exploitability, impact):
    assert sub_scores(vector) == (exploitability, impact)


@pytest.mark.parametrize(
    ("earlier", "later", "days"),
    [
        ("2025-06-01T00:00:00Z", "2025-06-02T12:00:00Z", 1.5),
        ("2025-06-01", "2025-06-02T00:00:00Z", 1.0),
        ("2025-06-02T00:00:00+02:00", "2025-06-01T22:00:00Z", 0.0),
        ("2025-06-03T00:00:00Z", "2025-06-02T00:00:00Z", -1.0),
        ("", "2025-06-02T00:00:00Z", None),
        ("soon", "2025-06-02T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:59", "2025-06-02T00:00:00Z", None),
    ],
)
def test_days_between(earlier, later, days):
    assert days_between(earlier, later) == days


def test_times_without_a_zone_are_utc():
    assert utc("2025-06-01T10:00:00") == utc("2025-06-01T10:00:00Z")


@pytest.mark.parametrize(
    ("distro", "names"),
    [
        (None, ()),
        (Distro("alpine", "3.20.3"), ("alpine:3.20.3", "alpine:3.20", "alpine:3", "alpine")),
        (Distro("debian", "", codename="trixie"), ("debian:trixie", "debian")),
        (Distro("wolfi"), ("wolfi",)),
    ],
)
def test_namespaces_of_a_distribution(distro, names):
    assert distro_namespaces(distro) == names


def test_what_an_image_needs():
    packages = [
        package("a"),
        package("b"),
        package("c", "1", "pypi"),
        package("d", "1", "pypi", owner="pkg:deb/python3-d@1"),
        package("e", "1", "generic"),
        package("f", "1", "rpm"),
    ]
    distro = ("debian:12", "debian")
    assert needs(evidence(packages)) == (Need("debian:12", distro, 3), Need("pypi", ("pypi",), 1))
    given = evidence(packages[:1], looked_up={"deb": ("raspbian:12", "debian:12")})
    assert needs(given) == (Need("debian:12", ("raspbian:12", "debian:12"), 1),)

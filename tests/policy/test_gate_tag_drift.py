"""Gate tag_drift: packages that came, went and changed since the tag's previous image."""

from __future__ import annotations

from hashlib import md5

import pytest

from .evidence import evidence, fired, messages, package
from .facts import verdict
from .golden import Golden

HEAD = "Package {} since the previous image of the tag: {}"


def drift(now, before, **fields):
    return evidence(now, previous=evidence(before).analysis, **fields)


DRIFTED = drift(
    [package("openssl", "3.0.2"), package("curl", "8"), package("ws", "1", "npm"), package("ws", "2", "npm")],
    [package("openssl", "3.0.1"), package("nc", "1"), package("ws", "1", "npm")],
)
SAME = drift([package(), package(arch="i386")], [package()])
FIRST = evidence([package()])


def identity(trigger, stable):
    return md5(f"tag_drift{trigger}{stable}".encode()).hexdigest()


def golden(trigger, what, given, *fires, **params):
    found = tuple((identity(trigger, stable), HEAD.format(what, text)) for stable, text in fires)
    return Golden("tag_drift", trigger, given, params, found)


GOLDEN: tuple[Golden, ...] = (
    golden("packages_added", "added", DRIFTED, ("deb curl", "curl 8 (deb)")),
    golden("packages_added", "added", DRIFTED, package_type="npm"),
    golden("packages_added", "added", SAME),
    golden("packages_removed", "removed", DRIFTED, ("deb nc", "nc 1 (deb)")),
    golden("packages_removed", "removed", DRIFTED, package_type="non-os"),
    golden("packages_removed", "removed", SAME),
    golden(
        "packages_modified",
        "changed",
        DRIFTED,
        ("deb openssl", "openssl 3.0.1 -> 3.0.2 (deb)"),
        ("npm ws", "ws 1 -> 1, 2 (npm)"),
    ),
    golden("packages_modified", "changed", DRIFTED, ("deb openssl", "openssl 3.0.1 -> 3.0.2 (deb)"), package_type="os"),
    golden("packages_modified", "changed", SAME),
)


@pytest.mark.parametrize("trigger", ["packages_added", "packages_removed", "packages_modified"])
def test_the_first_image_of_a_tag_is_compared_with_nothing(trigger):
    found = verdict("tag_drift", trigger, FIRST)
    assert found.findings == ()
    (remark,) = found.problems
    assert remark.message == "rule r has nothing to compare with: no previous image of the tag is known"
    assert not remark.incomplete


def test_an_exception_for_a_package_holds_for_its_next_version():
    later = drift([package("curl", "9")], [])
    assert fired("tag_drift", "packages_added", later)[0][0] == fired("tag_drift", "packages_added", DRIFTED)[0][0]


def test_one_name_in_two_ecosystems_is_two_packages():
    given = drift([package("redis", "1", "npm")], [package("redis", "1", "pypi")])
    assert messages("tag_drift", "packages_added", given) == [HEAD.format("added", "redis 1 (npm)")]
    assert messages("tag_drift", "packages_removed", given) == [HEAD.format("removed", "redis 1 (pypi)")]
    assert messages("tag_drift", "packages_modified", given) == []

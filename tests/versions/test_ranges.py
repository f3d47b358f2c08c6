"""``contains``: bounds, the beginning, what bounds leave open, what cannot be read."""

import pytest

from anchorecli.errors import VersionError
from anchorecli.model import Range
from anchorecli.versions import SCHEMES, contains, within


@pytest.mark.parametrize("scheme", SCHEMES)
def test_bounds_in_every_scheme(scheme):
    between = Range(introduced="1.2", fixed="1.4")
    assert [contains(scheme, between, v) for v in ("1.1", "1.2", "1.3", "1.4", "1.5")] == [
        False,
        True,
        True,
        False,
        False,
    ]
    upto = Range(introduced="1.2", last_affected="1.4")
    assert [contains(scheme, upto, v) for v in ("1.1", "1.2", "1.4", "1.5")] == [False, True, True, False]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("beginning", ["", "0"])
def test_zero_is_the_beginning(scheme, beginning):
    oldest = {"deb": "0~~1", "rpm": "0~1", "apk": "0_alpha1", "pep440": "0.dev0", "gem": "0.a", "maven": "0-alpha-1"}
    oldest |= {"pacman": "0a", "portage": "0_alpha"}
    version = oldest.get(scheme, "0.0.0-0" if scheme != "composer" else "0.0-dev")
    assert contains(scheme, Range(introduced=beginning, fixed="0.1"), version)
    assert contains(scheme, Range(introduced=beginning), version)


@pytest.mark.parametrize(
    ("scheme", "version", "fixed"),
    [
        ("pep440", "2.0b3", "2.0"),
        ("npm", "1.2.0-beta", "1.2.0"),
        ("semver", "1.2.0-beta", "1.2.0"),
        ("deb", "1~rc1", "1"),
    ],
)
def test_pre_releases_satisfy_ranges(scheme, version, fixed):
    assert contains(scheme, Range(fixed=fixed), version)


@pytest.mark.parametrize(
    ("version", "bound", "affected"),
    [
        ("1.0+cu118", Range(last_affected="1.0"), True),
        ("1.0+cu118", Range(introduced="1.0", fixed="1.1"), True),
        ("1.0+cu118", Range(fixed="1.0"), False),
        ("1.0+cu117", Range(fixed="1.0+cu118"), True),
        ("1.0+cu118", Range(fixed="1.0+cu118"), False),
        ("1.0", Range(fixed="1.0+cu118"), True),
    ],
)
def test_a_local_version_counts_only_where_the_bound_has_one(version, bound, affected):
    assert contains("pep440", bound, version) is affected


@pytest.mark.parametrize(
    ("version", "bound", "any_epoch", "affected"),
    [
        ("1.0-3", Range(last_affected="1.0"), False, True),
        ("1.0-3", Range(fixed="1.0"), False, False),
        ("1.0-3", Range(fixed="1.0-4"), False, True),
        ("1.0-3", Range(fixed="1:0.9-1"), False, True),
        ("1.0-3", Range(fixed="1:0.9-1"), True, False),
        ("1.0-3", Range(fixed="1:1.1-1"), True, True),
        ("1:1.0-3", Range(fixed="2:0.9-1"), True, True),
        ("2:1.0-3", Range(fixed="1.1-1"), True, False),
    ],
)
def test_what_an_rpm_bound_leaves_open(version, bound, any_epoch, affected):
    assert contains("rpm", bound, version, any_epoch=any_epoch) is affected


def test_a_release_that_a_bound_leaves_open_may_be_held_against_it():
    bound = Range(last_affected="1.0")
    assert contains("rpm", bound, "1.0-3")
    assert not contains("rpm", bound, "1.0-3", any_release=False)


def test_what_cannot_be_read_is_unknown_unless_another_bound_decides():
    assert within("pep440", Range(introduced="0", fixed="not a version"), "1.0") is None
    assert within("pep440", Range(introduced="2.0", fixed="not a version"), "1.0") is False
    assert within("pep440", Range(introduced="2.0"), "not a version") is None
    assert within("pep440", Range(), "not a version") is True
    with pytest.raises(VersionError, match="not a version"):
        contains("pep440", Range(introduced="0", fixed="not a version"), "1.0")
    assert contains("pep440", Range(introduced="2.0", fixed="not a version"), "1.0") is False


@pytest.mark.parametrize(
    ("version", "bound", "affected"),
    [
        ("1.0-3", Range(last_affected="1.0"), True),
        ("1.0-3", Range(fixed="1.0"), False),
        ("1.0-3", Range(fixed="1.0-4"), True),
        ("1:1.0-3", Range(fixed="2.0-1"), False),
        ("1.0-3", Range(fixed="1:0.9-1"), True),
    ],
)
def test_a_pacman_bound_leaves_the_release_open(version, bound, affected):
    assert contains("pacman", bound, version) is affected

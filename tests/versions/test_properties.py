"""Order laws in every scheme, on generated versions; agreement with the real tools where asking is cheap."""

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from anchorecli.errors import VersionError
from anchorecli.versions import SCHEMES, compare, key
from tests.versions.check_oracles import dpkg, pacman, portage, rpm

NUMBER = st.sampled_from(["0", "1", "2", "9", "10", "01", "00", "20240101"])
JOINT = st.sampled_from(
    [".", "-", "_", "+", "~", "^", ":", "", "a", "b", "rc", ".dev", ".post", "_p", "_rc", "-r", "-rc."]
)
JOINED = st.builds(
    lambda first, rest: first + "".join(joint + number for joint, number in rest),
    NUMBER,
    st.lists(st.tuples(JOINT, NUMBER), max_size=4),
)
SET = settings(max_examples=150, deadline=None)


def readable(scheme):
    def good(text):
        try:
            key(scheme, text)
        except VersionError:
            return False
        return True

    return JOINED.filter(good)


@pytest.mark.parametrize("scheme", SCHEMES)
@SET
@given(data=st.data())
def test_order_laws(scheme, data):
    a, b, c = (data.draw(readable(scheme)) for _ in range(3))
    assert compare(scheme, a, a) == 0
    assert compare(scheme, a, b) == -compare(scheme, b, a)
    low, middle, high = sorted((a, b, c), key=lambda text: key(scheme, text))
    assert compare(scheme, low, middle) <= 0
    assert compare(scheme, middle, high) <= 0
    assert compare(scheme, low, high) <= 0
    if compare(scheme, a, b) == 0:
        assert hash(key(scheme, a)) == hash(key(scheme, b))
        assert compare(scheme, a, c) == compare(scheme, b, c)


@pytest.mark.parametrize("scheme", SCHEMES)
@SET
@given(text=st.text(max_size=30))
def test_any_text_is_read_or_refused(scheme, text):
    try:
        assert compare(scheme, text, text) == 0
    except VersionError as error:
        assert str(error)


@settings(max_examples=500, deadline=None)
@given(readable("pep440"), readable("pep440"))
def test_agrees_with_packaging(a, b):
    assert compare("pep440", a, b) == (Version(a) > Version(b)) - (Version(a) < Version(b))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(readable("deb"), readable("deb")), min_size=1, max_size=4))
def test_agrees_with_dpkg(pairs):
    if not shutil.which("dpkg"):
        pytest.skip("dpkg is not on this machine")
    assert dpkg(pairs) == [compare("deb", a, b) for a, b in pairs]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(readable("rpm"), readable("rpm")), min_size=10, max_size=80))
def test_agrees_with_rpm(pairs):
    if not shutil.which("rpm"):
        pytest.skip("rpm is not on this machine")
    assert rpm(pairs) == [compare("rpm", a, b) for a, b in pairs]


@settings(max_examples=300, deadline=None)
@given(readable("pacman"), readable("pacman"))
def test_agrees_with_pacman(a, b):
    # A release that only one of them has is left open by vercmp and by ranges, but not by a key that sorts.
    found = pacman([(a, b)])
    if found is None:
        pytest.skip("libalpm is not on this machine")
    if ("-" in a) == ("-" in b):
        assert found == [compare("pacman", a, b)]


@settings(max_examples=300, deadline=None)
@given(readable("portage"), readable("portage"))
def test_agrees_with_portage(a, b):
    found = portage([(a, b)])
    if found is None:
        pytest.skip("portage is not on this machine")
    assert found == [compare("portage", a, b)]

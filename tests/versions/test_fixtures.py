"""Every scheme against its fixture lines, and the fixture lines against the real tools that are here."""

import pytest

from anchorecli.errors import VersionError
from anchorecli.versions import MAX_LENGTH, SCHEMES, compare, key
from tests.versions.check_oracles import FIXTURES, ORACLES, disagreements, read_fixture

FIXTURE_OF = {"semver": "npm", "cpe": "fuzzy"}
LEAST = {"fuzzy": 60, "cpe": 60}
"""Lines of the schemes that no tool can be asked about here; of all the others there are three hundred."""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_orders_as_the_fixture_says(scheme):
    pairs, _ = read_fixture(FIXTURE_OF.get(scheme, scheme))
    wrong = [(a, b, order) for a, order, b in pairs if compare(scheme, a, b) != order]
    wrong += [(b, a, -order) for a, order, b in pairs if compare(scheme, b, a) != -order]
    assert not wrong
    assert len(pairs) >= LEAST.get(scheme, 300)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_equal_versions_have_equal_hashes(scheme):
    pairs, _ = read_fixture(FIXTURE_OF.get(scheme, scheme))
    same = [(key(scheme, a), key(scheme, b)) for a, order, b in pairs if order == 0]
    assert same
    assert all(hash(a) == hash(b) and a == b for a, b in same)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_refuses_what_the_fixture_refuses(scheme):
    _, refused = read_fixture(FIXTURE_OF.get(scheme, scheme))
    for text in [*refused, "1" * (MAX_LENGTH + 1)]:
        with pytest.raises(VersionError):
            key(scheme, text)


def test_every_fixture_belongs_to_a_scheme():
    assert {path.stem for path in FIXTURES.glob("*.txt")} == {FIXTURE_OF.get(s, s) for s in SCHEMES}


@pytest.mark.parametrize(
    "line",
    ["9.2:p1 > 9.2", "9.2:p1 < 9.2:p2", "9.2:p1 < 9.3", "9.2:p1 = 9.2p1", "9.2:- = 9.2", "9.2:* = 9.2", "2.0:rc1 < 2.0",
     "2.0:beta2 < 2.0:rc1", "1.8.0:update302 > 1.8.0:update91", "1.8.0:update302 < 1.8.1"],
)  # fmt: skip
def test_the_updates_of_cpe_names(line):
    a, order, b = line.split()
    assert compare("cpe", a, b) == "<=>".index(order) - 1


def test_an_unknown_scheme_is_a_version_error():
    with pytest.raises(VersionError, match="nosuch"):
        compare("nosuch", "1", "2")


@pytest.mark.parametrize("scheme", sorted(ORACLES))
def test_the_real_tool_agrees(scheme):
    found = disagreements(scheme)
    if found is None:
        pytest.skip(f"the tool behind {scheme} is not on this machine")
    assert found == []

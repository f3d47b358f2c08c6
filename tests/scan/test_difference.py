"""Causes of differences: an image that is the same and was read by other analyzers is the scanner's doing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from anchorecli.model import Advisory, Affected, Analysis, Range, Severity
from anchorecli.scan.causes import explain
from anchorecli.scan.difference import Difference, Side, difference
from anchorecli.scan.past import decide_again
from anchorecli.store import Store, open_store
from anchorecli.values import replace
from tests.scan.deciding import NOW, analysis, deb, inputs
from tests.store.values import feed

FEW, MORE = analysis(), analysis(deb("libssl3", "3.0.11", "openssl"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.db") as opened:
        affected = Affected("debian:12", "openssl", "deb", ranges=(Range("", "3.0.13"),))
        advisory = Advisory("CVE-2026-0001", "debian", affected=(affected,), severity=Severity.HIGH)
        opened.sync_feed(feed(updated_at=NOW), [advisory])
        yield opened


def between(store: Store, before: Analysis, after: Analysis) -> Difference:
    sides = (inputs(found) for found in (before, after))
    return difference(store, *(Side(decide_again(store, each).report, each) for each in sides))


def test_a_package_that_newer_analyzers_see_in_an_equal_image_is_the_scanners(store: Store) -> None:
    found = between(store, FEW, replace(MORE, analyzers={"dpkg": 2, "rpm": 1}))
    assert found.inputs == ("scanner",)
    (change,) = found.matches
    assert (change.what, change.causes) == ("added", ("scanner",))
    ((_, (cause,)),) = explain(store, found).matches
    assert cause.detail == "its analyzers read the image otherwise: dpkg 1 then, 2 now"


def test_what_is_new_in_the_image_is_the_images_whatever_the_analyzers(store: Store) -> None:
    other = replace(MORE, image=replace(MORE.image, digest=analysis(name="other").image.digest))
    for found in (between(store, FEW, replace(other, analyzers={"dpkg": 2})), between(store, FEW, other)):
        assert found.inputs == ("image",)
        assert found.matches[0].causes == ("image",)


def test_other_analyzers_that_see_the_same_are_named_as_an_input_alone(store: Store) -> None:
    found = between(store, MORE, replace(MORE, analyzers={"dpkg": 2}))
    assert (found.inputs, found.matches, found.findings) == (("scanner",), (), ())

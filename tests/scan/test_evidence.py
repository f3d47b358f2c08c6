"""What a verdict looks at beside packages: gathered only where a rule looks at it, believed only where it fits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from anchorecli.model import Analysis, DiffId, Image, Layer
from anchorecli.scan import evidence
from anchorecli.scan.analysis import save
from anchorecli.scan.decision import Occasion, decide
from anchorecli.scan.evidence import base_layers, gather, previous_analysis
from anchorecli.scan.kept import keep
from anchorecli.scan.past import inputs_of, recall
from anchorecli.store import Store, open_store
from anchorecli.values import replace
from tests.scan.deciding import LAYERS, NOW, analysis, bundle, deb, stop_at


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.db") as opened:
        yield opened


def stored(store: Store, name: str, layers: int, *more: Layer) -> Analysis:
    found = analysis(deb("bash", "5"), name=name)
    found = replace(found, image=replace(found.image, layers=(*LAYERS[:layers], *more)))
    save(store, found, "set", NOW)
    return found


def claiming(image: Image, **claims: object) -> Image:
    return replace(image, **claims)


def ids(count: int) -> frozenset[DiffId]:
    return frozenset(layer.diff_id for layer in LAYERS[:count])


def test_the_base_is_the_one_asked_for_or_the_one_the_image_names(store: Store) -> None:
    base = stored(store, "base", 2)
    image = stored(store, "app", 3).image
    assert base_layers(store, image, "") is None
    assert base_layers(store, image, "base:1") == ids(2)
    for name in (evidence.BASE_DIGEST, evidence.BASE_NAME):
        value = base.image.digest if name == evidence.BASE_DIGEST else "base:1"
        assert base_layers(store, claiming(image, annotations={name: value}), "") == ids(2)
        labelled = replace(image.config, labels={name: value})
        assert base_layers(store, claiming(image, config=labelled), "") == ids(2)


def test_a_base_is_believed_only_where_the_image_begins_with_it(store: Store) -> None:
    image = stored(store, "app", 3).image
    stored(store, "other", 1, Layer(DiffId("sha256:" + "d" * 64)))
    stored(store, "longer", 3, Layer(DiffId("sha256:" + "d" * 64)))
    for name in ("other:1", "longer:1", "app:1", "missing:1"):
        assert base_layers(store, image, name) is None, name
        assert base_layers(store, claiming(image, annotations={evidence.BASE_NAME: name}), "") is None, name
    assert base_layers(store, claiming(image, annotations={evidence.BASE_NAME: "\x1b not a name"}), "") is None


def test_the_image_that_the_tag_named_before(store: Store) -> None:
    old, new = analysis(deb("bash", "4"), name="old"), analysis(deb("bash", "5"), name="new")
    for found, now in ((old, "2026-03-01T00:00:00Z"), (new, "2026-03-02T00:00:00Z"), (new, "2026-03-03T00:00:00Z")):
        keep(store, decide(found, store, stop_at(), Occasion(now, new.image.ref)))
    assert previous_analysis(store, new.image, Occasion(NOW, new.image.ref)) == old
    assert previous_analysis(store, new.image, Occasion("2026-02-01T00:00:00Z", new.image.ref)) is None
    assert previous_analysis(store, new.image, Occasion(NOW, old.image.ref)) is None


DRIFT = """
id: b
version: "1_0"
policies:
  - id: p
    version: "1_0"
    rules: [{id: d, gate: tag_drift, trigger: packages_added, action: WARN, params: {}}]
whitelists: []
mappings: [{id: m, registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_ids: [p], whitelist_ids: []}]
"""


def test_what_no_rule_looks_at_is_not_gathered(store: Store) -> None:
    old, new = analysis(deb("bash", "4"), name="old"), analysis(deb("bash", "5"), name="new")
    keep(store, decide(old, store, stop_at(), Occasion("2026-03-01T00:00:00Z", new.image.ref)))
    occasion = Occasion(NOW, new.image.ref)
    assert gather(store, new, stop_at(), occasion) == (None, None, None)
    looking = bundle(DRIFT)
    assert gather(store, new, looking, occasion).previous == old
    row = store.evaluation(keep(store, decide(new, store, looking, occasion)))
    assert row is not None
    # As it was then, whatever the tag names since.
    keep(store, decide(replace(new, file_count=1), store, looking, replace(occasion, now="2026-04-01T00:00:00Z")))
    assert inputs_of(store, recall(store, row)).given.previous == old

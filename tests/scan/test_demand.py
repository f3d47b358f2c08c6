"""Facts on demand: what is read for them, what is not read again, and what a plain scan never sees of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anchorecli.analyzers import REGISTERED, Bounds, on_demand
from anchorecli.model import Analysis, Demand
from anchorecli.scan import analysis, reading
from anchorecli.source.clamav import find_scanner
from anchorecli.store import Store, open_store
from tests.builders import link
from tests.cli.world import archive, debian
from tests.source.clamd import EICAR, clamd
from tests.source.opening import opened

NOTHING = Demand()
TOKEN = "ghp_" + "Ab3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0eF2hJ4"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as store:
        yield store


@pytest.fixture
def image(tmp_path: Path) -> Path:
    lower = {**debian("bash=5.2"), "data/users": "root:x:0:0::/:/bin/sh\n", "app/.env": f"TOKEN={TOKEN}\n"}
    return archive(
        tmp_path / "image.tar", lower, {"etc/passwd": link("../data/users"), "app/notes": "GPL-2 or later\n"}
    )


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The analyzers each reading of a layer was for."""
    seen: list[list[str]] = []
    collector = reading.Collector

    def noted(analyzers: Any, *rest: Any) -> Any:
        seen.append([analyzer.name for analyzer in analyzers])
        return collector(analyzers, *rest)

    monkeypatch.setattr(reading, "Collector", noted)
    return seen


def analyzed(image: Path, store: Store, demand: Demand = NOTHING, **options: Any) -> Analysis:
    scanner = options.pop("scanner", None)
    demanded = on_demand(demand, scanner, options.pop("bounds", None))
    with opened(image) as source:
        chosen = analysis.AnalyzeOptions(now="2024-01-01T00:00:00Z", demanded=demanded, scanner=scanner, **options)
        return analysis.analyze(source, store, chosen)


def test_a_plain_scan_looks_for_nothing_more(image: Path, store: Store, reads: list[list[str]]) -> None:
    found = analyzed(image, store)
    assert found.looked_for == {}
    assert set(found.analyzers) == {"files", *(each.name for each in REGISTERED)}
    assert on_demand(Demand(digests=True, files=True)) == ()
    assert all("secrets" not in names for names in reads)


def test_known_layers_are_read_for_the_missing_analyzers_only(
    image: Path, store: Store, reads: list[list[str]]
) -> None:
    analyzed(image, store)
    reads.clear()
    found = analyzed(image, store, Demand(secrets=True))
    assert reads == [["secrets"], ["secrets"]]
    assert [(secret.path, secret.line, secret.rule) for secret in found.secrets] == [("app/.env", 1, "GITHUB_TOKEN")]
    assert found.analyzers["secrets"] == 1
    reads.clear()
    assert analyzed(image, store, Demand(secrets=True)) == found
    assert analyzed(image, store).secrets == ()
    assert reads == []


def test_other_options_are_other_facts(image: Path, store: Store, reads: list[list[str]]) -> None:
    one = analyzed(image, store, Demand(contents=("GPL=GPL-2",)))
    two = analyzed(image, store, Demand(contents=("GPL=GPL-2", "TOKEN=TOKEN=")))
    assert [match.path for match in one.contents] == ["app/notes"]
    assert [match.path for match in two.contents] == ["app/.env", "app/notes"]
    assert [names for names in reads if names == ["contents"]] == [["contents"]] * 2
    smaller = analyzed(image, store, Demand(contents=("GPL=GPL-2",)), bounds=Bounds(contents=5))
    assert smaller.contents == () and smaller.looked_for["contents.limit"].startswith("files of up to 5 bytes; ")


def test_a_link_of_an_upper_layer_is_followed_with_one_more_reading(
    image: Path, store: Store, reads: list[list[str]]
) -> None:
    found = analyzed(image, store, Demand(retrieve=("etc/passwd",)))
    assert [(file.path, file.data) for file in found.retrieved] == [("etc/passwd", b"root:x:0:0::/:/bin/sh\n")]
    assert reads[2:] == [["retrieve"], ["retrieve"]]
    reads.clear()
    assert analyzed(image, store, Demand(retrieve=("etc/passwd",))) == found
    assert reads == []


def test_malware_needs_a_scanner(tmp_path: Path, store: Store, reads: list[list[str]]) -> None:
    image = archive(tmp_path / "image.tar", {"bin/x": EICAR, "bin/y": "fine"})
    assert "malware" not in analyzed(image, store, Demand(malware=True)).looked_for
    with clamd() as (address, daemon):
        found = analyzed(image, store, Demand(malware=True), scanner=find_scanner(address))
        again = analyzed(image, store, Demand(malware=True), scanner=find_scanner(address))
        assert found == again and len(daemon.scanned) == 2
        daemon.version = "ClamAV 1.0.0/27001/tomorrow"
        analyzed(image, store, Demand(malware=True), scanner=find_scanner(address))
        assert len(daemon.scanned) == 4
    assert [(each.path, each.signature) for each in found.malware] == [("bin/x", "Eicar-Test-Signature")]
    assert found.looked_for["malware"] == "clamav 1.0.0/27000/today"


def test_a_stored_image_keeps_its_packages_whatever_was_looked_for(image: Path, store: Store) -> None:
    found = analyzed(image, store, Demand(secrets=True, unowned=True))
    packages = analysis.stored_packages(store, found.image.image_id)
    assert packages is not None and [package.name for package in packages] == ["bash"]
    assert analysis.stored_packages(store, "sha256:other") is None
    tree = analysis.stored_files(store, [layer.diff_id for layer in found.image.layers])
    assert tree is not None and "app/.env" in tree


def test_no_secret_is_in_the_store(image: Path, store: Store, tmp_path: Path) -> None:
    analyzed(image, store, Demand(secrets=True))
    payloads = []
    for key in analysis.fact_keys(on_demand(Demand(secrets=True))):
        rows = store.get_facts([layer.diff_id for layer in analyzed(image, store).image.layers], [key])
        payloads += [row.payload for row in rows]
    from anchorecli import compression

    assert payloads and all(TOKEN.encode() not in compression.unpack(payload) for payload in payloads)

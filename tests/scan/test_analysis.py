"""When an image is analyzed anew, and what of it is read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchorecli.analyzers import run
from anchorecli.scan import analysis, reading
from anchorecli.store import open_store
from tests.cli.world import archive, debian
from tests.source.opening import opened


def test_another_version_makes_its_own_analysis_of_stored_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = archive(tmp_path / "image.tar", debian("bash=5.2"))
    made: list[str] = []
    read: list[object] = []
    assemble, read_layer = run.assemble, reading.read_layer
    monkeypatch.setattr(run, "assemble", lambda *a: made.append(analysis.__version__) or assemble(*a))
    monkeypatch.setattr(reading, "read_layer", lambda *a, **k: read.append(a) or read_layer(*a, **k))
    store = open_store(tmp_path / "store")
    for version in ("1.0", "1.0", "1.1", "1.1"):
        monkeypatch.setattr(analysis, "__version__", version)
        with opened(image) as source:
            found = analysis.analyze(source, store, analysis.AnalyzeOptions(now="2024-01-01T00:00:00Z"))
        assert [package.name for package in found.packages] == ["bash"]
    assert made == ["1.0", "1.1"]
    assert len(read) == 1

"""When an image is analyzed anew, and what of it is read again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from anchorecli.analyzers import run
from anchorecli.analyzers.base import Found, LayerFile, View, Wants
from anchorecli.model import Json
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


@dataclass(frozen=True, slots=True)
class Noting:
    """A toy analyzer; ``seen`` notes what it reads."""

    name: str
    seen: list[str] = field(hash=False)
    version: int = 1
    options: str = ""
    wants: Wants = field(default=Wants())

    def read(self, file: LayerFile) -> Json:
        self.seen.append(f"{self.name}{self.version} {file.path}")
        return file.data().decode()

    def assemble(self, view: View) -> Found:
        return Found(looked_for={self.name: " ".join(str(fact.value) for fact in view.facts())})


def test_a_changed_analyzer_reads_its_own_files_again_and_a_new_layer_is_read_by_all(tmp_path: Path) -> None:
    seen: list[str] = []
    first, second = (
        Noting(name, seen, wants=Wants(suffixes=frozenset({suffix}))) for name, suffix in (("a", ".a"), ("b", ".b"))
    )
    base = {"x/1.a": "one", "x/1.b": "two", "x/other": "three"}
    store = open_store(tmp_path / "store")

    def scanned(name: str, layers: list[dict[str, str]], *analyzers: Noting) -> dict[str, str]:
        seen.clear()
        options = analysis.AnalyzeOptions(now="2024-01-01T00:00:00Z", analyzers=analyzers)
        with opened(archive(tmp_path / name, *layers)) as source:
            return dict(analysis.analyze(source, store, options).looked_for)

    assert scanned("1.tar", [base], first, second) == {"a": "one", "b": "two"}
    assert sorted(seen) == ["a1 x/1.a", "b1 x/1.b"]
    # Raised: its own files and no others, and what the other knows is still known.
    raised = replace(second, version=2)
    assert scanned("1.tar", [base], first, raised) == {"a": "one", "b": "two"}
    assert seen == ["b2 x/1.b"]
    # New: the same.
    third = Noting("c", seen, wants=Wants(names=frozenset({"other"})))
    assert scanned("1.tar", [base], first, raised, third) == {"a": "one", "b": "two", "c": "three"}
    assert seen == ["c1 x/other"]
    # Another image upon that layer: of the layer nothing is read again.
    assert scanned("2.tar", [base, {"y/2.a": "four", "y/2.b": "five"}], first, raised, third)["b"] == "two five"
    assert sorted(seen) == ["a1 y/2.a", "b2 y/2.b"]

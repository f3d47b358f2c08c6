"""The runner: who is asked for which file, what becomes of faults, and what the squashed view shows of layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread, local

import pytest

from anchorecli.analyzers import filelists, records, run
from anchorecli.analyzers.base import Analyzer, Found, LayerFile, View, Wants, introduced, partial
from anchorecli.analyzers.keys import fact_keys
from anchorecli.analyzers.run import Collector, assemble
from anchorecli.layerindex import MAX_ENTRIES
from anchorecli.model import (
    Analysis,
    DiffId,
    Digest,
    FactStatus,
    Image,
    ImageConfig,
    ImageRef,
    Json,
    Layer,
    LayerFacts,
    Location,
    Package,
    Platform,
)
from tests.builders import Entry, digest, hardlink, layer, link
from tests.layers.reading import BytesBlob, read

Files = Mapping[str, bytes | str | Entry]


@pytest.fixture(params=[records.WRITTEN_FROM, 1], ids=["held", "written"], autouse=True)
def written_from(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything holds of few facts, and of so many that they are written down while they are collected."""
    monkeypatch.setattr(records, "WRITTEN_FROM", request.param)


@dataclass(frozen=True, slots=True)
class Lines:
    """A toy analyzer: ``*.db`` files hold lines of ``name version``; ``bad`` raises, ``torn`` is read in part."""

    name: str = "lines"
    version: int = 1
    options: str = ""
    wants: Wants = field(default=Wants(suffixes=frozenset({".db"}), max_bytes=1000))

    def read(self, file: LayerFile) -> Json:
        text = file.data().decode()
        if text == "bad":
            raise ValueError("it is bad\nvery")
        rows = dict(line.split() for line in text.splitlines() if " " in line)
        return partial(rows, "its end is torn off") if "torn" in text else rows

    def assemble(self, view: View) -> Found:
        packages = []
        for fact in view.facts():
            for name, version in fact.value.items():
                since = introduced(view.history(fact.path), lambda value, key=(name, version): key in value.items())
                packages.append(
                    Package(name, version, "generic", "fuzzy", f"pkg:generic/{name}@{version}",
                            locations=(view.location(fact),), layer=view.diff_id(since))
                )  # fmt: skip
        return Found(tuple(packages))


@dataclass(frozen=True, slots=True)
class Owner:
    """A toy operating-system database: ``os.list`` holds the paths that its one package installed."""

    name: str = "owner"
    version: int = 3
    options: str = ""
    wants: Wants = field(default=Wants(paths=frozenset({"var/os.list"})))

    def read(self, file: LayerFile) -> Json:
        return file.data().decode().split()

    def assemble(self, view: View) -> Found:
        fact = view.fact("var/os.list")
        if fact is None:
            return Found()
        package = Package("os", "1", "deb", "deb", "pkg:deb/x/os@1")
        return Found((package,), owned={"pkg:deb/x/os@1": (f"/{path}" for path in fact.value)})


def image_of(*layers: Files) -> tuple[Image, list[bytes]]:
    tars = [layer(files) for files in layers]
    parts = tuple(Layer(DiffId(digest(tar)), instruction=f"RUN {n}") for n, tar in enumerate(tars))
    config = ImageConfig(Platform("linux", "amd64"))
    return Image(ImageRef("dir", "x"), Digest("sha256:0"), Digest("sha256:1"), config, parts), tars


def facts_of(tars: list[bytes], analyzers: tuple[Analyzer, ...]) -> list[LayerFacts]:
    rows: list[LayerFacts] = []
    for tar in tars:
        collector = Collector(analyzers)
        result = read(tar, BytesBlob(tar), collector)  # type: ignore[arg-type]
        rows += collector.facts(DiffId(digest(tar)), result.index, result.problems)
    return rows


def analyze(*layers: Files, analyzers: tuple[Analyzer, ...] = (Lines(), Owner())) -> Analysis:
    image, tars = image_of(*layers)
    return assemble(image, analyzers, facts_of(tars, analyzers))


def names(analysis: Analysis) -> list[str]:
    return [f"{p.name} {p.version}" for p in analysis.packages]


def test_a_package_is_known_by_its_file_and_the_layer_it_came_with() -> None:
    analysis = analyze({"a.db": "x 1\n"}, {"a.db": "x 1\ny 2\n"}, {"b.db": "z 3\n"})
    assert names(analysis) == ["x 1", "y 2", "z 3"]
    layers = [part.diff_id for part in analysis.image.layers]
    assert [p.layer for p in analysis.packages] == layers
    assert analysis.packages[0].locations == (Location("a.db", layers[1]),)  # type: ignore[arg-type]


def test_a_package_removed_and_brought_back_counts_from_its_return() -> None:
    analysis = analyze({"a.db": "x 1"}, {"a.db": "y 1"}, {"a.db": "x 1"})
    assert analysis.packages[0].layer == analysis.image.layers[2].diff_id
    analysis = analyze({"a.db": "x 1"}, {".wh.a.db": ""}, {"a.db": "x 1"})
    assert analysis.packages[0].layer == analysis.image.layers[2].diff_id


def test_a_record_lives_as_long_as_its_file() -> None:
    assert names(analyze({"d/a.db": "x 1", "b.db": "y 1"}, {".wh.d": ""})) == ["y 1"]
    assert names(analyze({"d/a.db": "x 1"}, {"d/.wh..wh..opq": "", "d/b.db": "y 1"})) == ["y 1"]


def test_a_hard_link_has_its_targets_fact_even_from_a_lower_layer() -> None:
    assert names(analyze({"a.db": "x 1", "b.db": hardlink("a.db")})) == ["x 1", "x 1"]
    assert names(analyze({"a.db": "x 1"}, {"b.db": hardlink("a.db")}, {"a.db": "x 2"})) == ["x 1", "x 2"]


def test_a_hard_link_to_what_nobody_read_is_a_problem() -> None:
    analysis = analyze({"plain": "x 1", "b.db": hardlink("plain")})
    assert names(analysis) == []
    assert [(p.subject, p.incomplete) for p in analysis.problems] == [("b.db", True)]
    assert "hard link to plain" in analysis.problems[0].message


def test_a_file_reached_through_a_replaced_directory_link_is_found() -> None:
    assert names(analyze({"usr/lib/a.db": "x 1", "lib": link("usr/lib")}, {"lib/a.db": "x 2"})) == ["x 2"]


def test_one_bad_file_does_not_hide_the_others() -> None:
    analysis = analyze({"a.db": "bad", "b.db": "y 1", "c.db": "z 1\ntorn", "d.db": "n 1\n" * 1000})
    assert names(analysis) == ["y 1", "z 1"]
    messages = {p.subject: p.message for p in analysis.problems}
    assert messages == {
        "a.db": "could not be read: ValueError: it is bad",
        "c.db": "its end is torn off",
        "d.db": "not read: 4000 bytes, over the limit of 1000 (lines.file-bytes)",
    }
    assert all(p.stage == "analyze" and p.incomplete and p.hint for p in analysis.problems)


def test_problems_of_a_layer_do_not_expire_other_layers_or_analyzers() -> None:
    _, tars = image_of({"a.db": "bad", "var/os.list": "x"})
    statuses = {row.key.analyzer: row.status for row in facts_of(tars, (Lines(), Owner()))}
    assert statuses == {"files": FactStatus.OK, "lines": FactStatus.PARTIAL, "owner": FactStatus.OK}


def test_a_layer_cut_short_counts_as_failed_and_is_used_all_the_same() -> None:
    image, _ = image_of({"a.db": "x 1"})
    whole = layer({"a.db": "x 1", "later": "y" * 1000})
    collector = Collector((Lines(),))
    cut = whole[:1600]
    result = read(cut, BytesBlob(cut), collector)  # type: ignore[arg-type]
    rows = collector.facts(image.layers[0].diff_id, result.index, result.problems)
    assert {row.status for row in rows} == {FactStatus.FAILED}
    analysis = assemble(image, (Lines(),), rows)
    assert names(analysis) == ["x 1"]
    assert "not read to its end" in analysis.problems[0].message


def test_language_packages_are_linked_to_their_owner_not_dropped(tmp_path: Path) -> None:
    analysis = analyze({"usr/lib/a.db": "x 1", "srv/b.db": "y 1", "lib": link("usr/lib"), "var/os.list": "lib/a.db"})
    owners = {p.name: p.owner for p in analysis.packages}
    assert owners == {"os": "", "x": "pkg:deb/x/os@1", "y": ""}


def test_an_analyzer_that_fails_to_assemble_is_a_problem() -> None:
    @dataclass(frozen=True, slots=True)
    class Broken(Lines):
        name: str = "broken"

        def assemble(self, view: View) -> Found:
            raise KeyError("oops")

    analysis = analyze({"a.db": "x 1"}, analyzers=(Broken(), Owner()))
    assert analysis.packages == ()
    assert "could not be put together" in analysis.problems[0].message


def test_a_problem_that_quotes_a_stranger_at_length_is_cut() -> None:
    @dataclass(frozen=True, slots=True)
    class Wordy(Lines):
        name: str = "wordy"

        def read(self, file: LayerFile) -> Json:
            return partial({}, f"damaged: {'x' * 5000}")

    [problem] = analyze({"a.db": "x 1"}, analyzers=(Wordy(),)).problems
    assert problem.message == f"damaged: {'x' * (run.MAX_MESSAGE - 9)}…"


def test_the_keys_name_every_analyzer_with_its_version_and_the_file_list() -> None:
    assert [(key.analyzer, key.version) for key in fact_keys((Lines(), Owner()))] == [
        ("files", 5), ("lines", 1), ("owner", 3),
    ]  # fmt: skip


def test_surrogates_in_paths_survive_the_store() -> None:
    path = b"caf\xe9.db".decode("utf-8", "surrogateescape")
    assert names(analyze({path: "x 1"})) == ["x 1"]


def test_the_time_of_an_analyzer_is_that_of_its_own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two layers are read at a time, each by its own thread; both count, whatever became of the file."""
    clock = local()
    monkeypatch.setattr(run, "thread_time", lambda: getattr(clock, "now", 0.0))

    @dataclass(frozen=True, slots=True)
    class Busy:
        name: str
        version: int = 1
        options: str = ""
        wants: Wants = field(default=Wants(suffixes=frozenset({".db"})))

        def read(self, file: LayerFile) -> Json:
            clock.now = getattr(clock, "now", 0.0) + (1.0 if self.name == "long" else 0.25)
            raise ValueError("it is bad")

        def assemble(self, view: View) -> Found:
            clock.now = getattr(clock, "now", 0.0) + 8.0
            return Found()

    image, tars = image_of({"1.db": "a 1", "2.db": "a 1"})
    timings: dict[str, float] = {}
    analyzers = (Busy("long"), Busy("short"))
    facts: list[LayerFacts] = []

    def read_one() -> None:
        collector = Collector(analyzers, timings)
        found = read(tars[0], BytesBlob(tars[0]), collector)  # type: ignore[arg-type]
        facts.extend(collector.facts(DiffId(digest(tars[0])), found.index))

    threads = [Thread(target=read_one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert timings == {"long": 4.0, "short": 1.0}
    assemble(image, analyzers, facts, timings)
    assert timings == {"long": 12.0, "short": 9.0}


def test_of_very_many_problems_the_first_are_told_and_the_number_of_the_rest() -> None:
    from anchorecli.analyzers import load
    from anchorecli.analyzers.run import MAX_TOLD
    from tests.analyzers.view import make_view

    python = next(each for each in load() if each.name == "python")
    jars = next(each for each in load() if each.name == "java")
    many = range(MAX_TOLD + 500)
    view = make_view(jars, [{f"a{number:05}.jar": "no zip" for number in many}])
    *told, rest = view.read_problems
    assert len(told) == MAX_TOLD
    assert (rest.subject, rest.incomplete) == ("java", True)
    assert rest.message.startswith("500 more files of which something could not be read")
    empty = {f"usr/lib/python3/a{number:05}.dist-info/METADATA": "" for number in many}
    found = analyze(empty, analyzers=(python,))
    assert [each.message[:14] for each in found.problems if each.subject == "python"] == ["500 more files"]
    assert sum(each.subject.endswith("METADATA") for each in found.problems) == MAX_TOLD


# ── very many files ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_beyond_the_number_of_entries_is_told_and_the_rest_is_kept() -> None:
    image, tars = image_of({"a.db": "x 1", "b.db": "y 2"}, {"c.db": "z 3", "d.db": "v 4"}, {"e.db": "w 5"})
    facts = facts_of(tars, (Lines(),))
    assert len(assemble(image, (Lines(),), facts, None, 5).packages) == 5
    analysis = assemble(image, (Lines(),), facts, None, 3)
    assert names(analysis) == ["x 1", "y 2", "z 3"]
    assert analysis.file_count == 3
    told = [(problem.subject, problem.message, problem.cause) for problem in analysis.problems]
    message = "not read to its end: more than 3 entries in all layers (limit limits.entries)"
    assert told == sorted((f"layer {layer.diff_id}", message, "limit_hit") for layer in image.layers[1:])
    assert all(problem.incomplete for problem in analysis.problems)


def test_the_files_that_rules_look_at_are_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever raised the limit would not be told what a list cut at the default hides."""
    bounds: list[int] = []
    real = filelists.file_indexes

    def noted(layers, by_layer, entries):  # type: ignore[no-untyped-def]
        bounds.append(entries)
        return real(layers, by_layer, entries)

    monkeypatch.setattr(filelists, "file_indexes", noted)
    image, tars = image_of({"a": "1", "b": "2"}, {"c": "3"})
    tree = filelists.file_tree([part.diff_id for part in image.layers], facts_of(tars, ()))
    assert (sorted(tree), bounds[0] > 1000 * MAX_ENTRIES) == (["a", "b", "c"], True)


def test_names_that_do_not_pack_are_told_and_the_rest_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anchorecli.analyzers.filelists.MAX_PACKED", 1500)
    image, tars = image_of({digest(bytes([number]))[7:] + ".db": f"x {number}" for number in range(64)})
    facts = facts_of(tars, (Lines(),))
    assert facts[0].status is FactStatus.FAILED and len(facts[0].payload) <= 1500
    analysis = assemble(image, (Lines(),), facts)
    assert len(analysis.packages) in (16, 32)
    (problem,) = analysis.problems
    assert "names that take more than 1500 bytes when they are packed" in problem.message
    assert (problem.cause, problem.incomplete) == ("limit_hit", True)


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("MAX_RENAMES", "more than 4 directories written through symbolic links"),
        ("MAX_IMPLIED", "more than 4 directories without entries"),
    ],
)
def test_too_many_directories_are_told(limit: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = {"lib": link("usr/lib"), "a.db": "x 1"}, {f"lib/{number}/b.db": "y 2" for number in range(9)}
    assert not analyze(*layers).problems
    monkeypatch.setattr(f"anchorecli.links.{limit}", 4)
    analysis = analyze(*layers)
    assert names(analysis)[0] == "x 1"
    (problem,) = analysis.problems
    assert problem.subject == f"layer {analysis.image.layers[1].diff_id}"
    assert (message in problem.message, problem.cause, problem.incomplete) == (True, "limit_hit", True)

"""Limits by name: what settings change, what is kept under which key, and what a Problem says of one that was hit."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchorecli.analyzers import ON_DEMAND, REGISTERED, Bounds, every, load, load_demanded, on_demand
from anchorecli.analyzers.keys import fact_key
from anchorecli.analyzers.limits import SIZED, apart, limited, limits_of, with_limits
from anchorecli.errors import UsageError
from anchorecli.model import Demand
from anchorecli.scan import analysis
from anchorecli.store import open_store
from tests.analyzers.view import make_view
from tests.cli.world import archive, debian
from tests.source.opening import opened

ANALYZERS = {analyzer.name: analyzer for analyzer in every()}


def test_without_settings_the_registry_is_itself() -> None:
    assert limited(REGISTERED, {}) == REGISTERED
    assert limited(ON_DEMAND, {}) == ON_DEMAND


def test_only_the_analyzer_that_is_meant_has_another_key() -> None:
    changed = limited(REGISTERED, {"java.depth": 50, "java.file-bytes": 1000})
    differing = {new.name for new, old in zip(changed, REGISTERED, strict=True) if fact_key(new) != fact_key(old)}
    assert differing == {"java"}
    [java] = (analyzer for analyzer in load(changed) if analyzer.name == "java")
    assert java.limits["depth"] == 50 and java.limits["archives"] == 20_000
    assert java.wants.max_bytes == 1000
    assert fact_key(java) in map(fact_key, changed)


def test_the_order_of_settings_makes_no_other_key() -> None:
    one = limited(REGISTERED, {"java.depth": 50, "java.archives": 9})
    assert one == limited(REGISTERED, {"java.archives": 9, "java.depth": 50})
    assert one != limited(REGISTERED, {"java.archives": 8, "java.depth": 50})


def test_a_bound_for_all_files_only_lowers() -> None:
    changed = {each.name: each for each in load(limited(REGISTERED, {"apk.file-bytes": 3_000_000_000}, 20_000_000))}
    assert changed["apk"].wants.max_bytes == 20_000_000
    assert changed["npm"].wants.max_bytes == ANALYZERS["npm"].wants.max_bytes == 8 << 20
    # What has no bound since it reads pieces keeps none.
    assert changed["kernel"].wants.max_bytes == 0


def test_analyzers_on_demand_keep_their_own_options() -> None:
    demand = Demand(secrets=True, contents=("GPL=GPL",), retrieve=("etc/passwd",), hints=True)
    changed = limited(on_demand(demand, bounds=Bounds(secrets=77)), {"secrets.findings": 3, "contents.lines": 4}, 50)
    made = {each.name: each for each in load_demanded(changed)}
    assert (made["secrets"].max_bytes, made["secrets"].limits["findings"]) == (77, 3)
    assert [search.pattern for search in made["contents"].searches] == ["GPL=GPL"]
    assert made["contents"].limits["lines"] == 4
    assert made["retrieve"].paths == ("etc/passwd",)
    assert made["hints"].wants.max_bytes == 50
    assert [fact_key(each) for each in changed] == [fact_key(made[each.name]) for each in changed]
    assert {each.name for each in changed if apart(each.options)[1] == {}} == {"retrieve"} <= SIZED


@pytest.mark.parametrize(
    ("name", "hint"),
    [("java.dept", "did you mean java.depth"), ("jav.depth", "java.depth"), ("x.y", "anchore analyzers")],
)
def test_a_name_that_no_analyzer_has_is_refused(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"unknown limit '{name}'") as caught:
        limited(REGISTERED, {name: 1})
    assert hint in caught.value.hint


@pytest.mark.parametrize("analyzer", ANALYZERS.values(), ids=list(ANALYZERS))
def test_limits_are_named_once_and_described(analyzer: object) -> None:
    limits = limits_of(analyzer)
    names = [limit.name for limit in limits]
    assert len(set(names)) == len(names)
    for limit in limits:
        assert limit.value > 0 and limit.what and limit.name.replace("-", "").isalnum()


def test_a_file_over_the_limit_is_told_with_the_limit() -> None:
    analyzer = with_limits(ANALYZERS["apk"], "", {"file-bytes": 10})
    [problem] = make_view(analyzer, [{"lib/apk/db/installed": "P:musl\nV:1.2.4-r2\n\n"}]).read_problems
    assert problem.subject == "lib/apk/db/installed"
    assert problem.message == "not read: 19 bytes, over the limit of 10 (apk.file-bytes)"
    assert (problem.cause, problem.incomplete) == ("limit_hit", True)


def test_another_limit_reads_the_layer_again(tmp_path: Path) -> None:
    image = archive(tmp_path / "image.tar", debian("bash=5.2"))
    with open_store(tmp_path / "store") as store:

        def scan(at_most: int | None) -> tuple[list[str], list[str]]:
            with opened(image) as source:
                options = analysis.AnalyzeOptions("2024-01-01T00:00:00Z", registered=limited(REGISTERED, {}, at_most))
                found = analysis.analyze(source, store, options)
            return [package.name for package in found.packages], [problem.gap for problem in found.problems]

        assert scan(5)[0] == []
        assert "limit_hit" in scan(5)[1]
        assert scan(None) == (["bash"], [])
        assert scan(5)[0] == []

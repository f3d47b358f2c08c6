"""The bundles that `policy init` writes: beyond doubt, and held to their own cases."""

from __future__ import annotations

from pathlib import Path

import pytest

import anchorecli.policy
from anchorecli.cli.policy_write import _PRESETS
from anchorecli.policy.authoring.lint import lint
from anchorecli.policy.authoring.starters import PRESETS, cases, preset
from anchorecli.policy.authoring.testing import read_cases, run_case
from anchorecli.policy.bundle import default_bundle, load_bundle

FOLDER = Path(anchorecli.policy.__file__).parent / "presets"


@pytest.fixture(params=PRESETS)
def written(request, tmp_path: Path) -> Path:
    """A preset as `policy init` writes it, with its cases."""
    path = tmp_path / "mine.yaml"
    path.write_text(preset(request.param))
    path.with_name("mine.cases.yaml").write_text(cases(request.param, path.name))
    return path


def test_the_command_knows_them_all():
    files = {path.stem for path in FOLDER.glob("*.yaml") if not path.stem.endswith(".cases")}
    assert tuple(PRESETS) == _PRESETS
    assert set(PRESETS) == files | {"default"}


def test_it_is_beyond_doubt(written: Path):
    bundle = load_bundle(written)
    assert bundle.warnings == ()
    assert lint(bundle, "2030-06-15T12:00:00Z") == ()


def test_it_does_what_its_cases_say(written: Path):
    found = read_cases(str(written.with_name("mine.cases.yaml")), "")
    assert len(found) > 1
    failed = {result.case.name: result.differences for case in found if not (result := run_case(case, no_store)).ok}
    assert failed == {}


def test_every_rule_is_seen_to_fire(written: Path):
    """A rule of a preset that no case makes fire may say anything."""
    found = read_cases(str(written.with_name("mine.cases.yaml")), "")
    expected = {dict(finding.fields).get("rule_id") for case in found for finding in case.expected.findings or ()}
    assert expected == {rule.id for policy in load_bundle(written).policies for rule in policy.rules}


def test_it_says_what_it_is_for(written: Path):
    first, *rest = written.read_text().splitlines()
    assert first.startswith("# ")
    assert any("anchore policy gates" in line for line in rest)


def test_the_default_is_the_built_in_one(tmp_path: Path):
    (tmp_path / "b.yaml").write_text(preset("default"))
    assert load_bundle(tmp_path / "b.yaml").digest == default_bundle().digest


def no_store(*_: object):
    raise AssertionError("a case of a preset needs no store")

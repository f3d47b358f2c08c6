"""What the pages about policies show works as shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from anchorecli.policy.authoring.lint import lint
from anchorecli.policy.authoring.synthetic import _GAPS, _KEYS
from anchorecli.policy.authoring.testing import read_cases, run_case
from anchorecli.policy.bundle import load_bundle

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"<!-- (file|cases): (\S+) -->\n```yaml\n(.*?)```", re.DOTALL)


@pytest.fixture
def written(request, tmp_path: Path) -> dict[str, list[Path]]:
    """The files that a page shows, written out."""
    found: dict[str, list[Path]] = {"file": [], "cases": []}
    for kind, name, text in _BLOCK.findall((DOCS / request.param).read_text()):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        found[kind].append(path)
    return found


@pytest.mark.parametrize("written", ["policies.md", "policy-testing.md"], indirect=True)
def test_bundles_are_beyond_doubt(written):
    bundles = [path for path in written["file"] if path.read_text().startswith("id:")]
    assert bundles
    for path in bundles:
        assert lint(load_bundle(path), "2030-06-15T12:00:00Z") == ()


@pytest.mark.parametrize("written", ["policy-testing.md"], indirect=True)
def test_cases_hold(written):
    (path,) = written["cases"]
    cases = read_cases(str(path), "")
    assert len(cases) == 5
    assert [run_case(case, lambda *_: pytest.fail("no store")).differences for case in cases] == [()] * 5


def test_the_page_names_every_key_of_an_image():
    page = (DOCS / "policy-testing.md").read_text()
    assert [name for name in (*_KEYS, *_GAPS) if f"`{name}`" not in page and f"`{name}:" not in page] == []

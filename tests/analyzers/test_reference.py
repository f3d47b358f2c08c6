"""The reference of analyzers, printed from what they declare, and the declarations themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from anchorecli.analyzers import ON_DEMAND, every
from anchorecli.analyzers.limits import FILE_BYTES, limits_of
from anchorecli.analyzers.reference import LABELS, pages, reference, reference_document, reference_markdown
from anchorecli.cli import anchore
from anchorecli.errors import UsageError

PAGES = {page.name: page for page in pages()}
DEMANDED = {each.name for each in ON_DEMAND}


@pytest.mark.parametrize("page", PAGES.values(), ids=list(PAGES))
def test_every_analyzer_says_what_it_is_for(page):
    assert page.summary.endswith(".")
    assert page.reads
    needed = {"Emits", "Not handled"} | ({"Asked for by"} if page.name in DEMANDED else set())
    assert needed <= page.labelled.keys() <= set(LABELS)
    for label in needed:
        assert page.labelled[label].endswith("."), label
    assert page.demanded is (page.name in DEMANDED)
    # A label in the middle of a paragraph would be overlooked.
    for text in (page.summary, *page.paragraphs, *page.labelled.values()):
        assert not [label for label in LABELS if f"{label}:" in text]


@pytest.mark.parametrize("page", PAGES.values(), ids=list(PAGES))
def test_every_page_is_printed_whole(page):
    plain, marked = reference(page.name.upper()), reference(page.name, markdown=True)
    assert plain.startswith(f"{page.name}: ")
    assert marked.startswith(f"# {page.name}\n")
    for label in page.labelled:
        assert f"\n{label}:\n" in plain and f"\n* {label}: " in marked
    for limit in page.limits:
        assert f"  {page.name}.{limit.name}=" in plain and f"| `{page.name}.{limit.name}` |" in marked
    assert max(map(len, plain.splitlines())) <= 120
    [document] = reference_document(page.name)["analyzers"]
    assert document["emits"] == page.labelled["Emits"]
    assert [each["name"] for each in document["limits"]] == [f"{page.name}.{each.name}" for each in page.limits]


def test_what_is_printed_of_limits_is_what_the_settings_take():
    assert "  java.file-bytes=4GiB: " in reference("java")
    assert "  java.depth=24: " in reference("java")
    assert "  pacman.file-bytes=32MiB: " in reference("pacman")


def test_only_what_reads_pieces_has_no_bound_on_files():
    unbounded = {each.name for each in every() if FILE_BYTES not in {limit.name for limit in limits_of(each)}}
    assert unbounded == {"kernel", "binary", "secrets", "contents", "retrieve", "verify", "unowned", "malware"}


def test_figures_stay_as_they_are():
    assert "    %NAME%\n    bash\n\n    %VERSION%\n" in reference("pacman")
    assert "```text\n    %NAME%\n" in reference("pacman", markdown=True)
    assert "::" not in PAGES["pacman"].labelled["Format"]
    assert "`00`, `01` … `ff` (256 names)" in reference("npm", markdown=True)


def test_an_unknown_name():
    for function in (reference, reference_document):
        with pytest.raises(UsageError, match="unknown analyzer 'jva'") as caught:
            function("jva")
        assert caught.value.hint == "did you mean java?"


def test_the_page_in_docs_is_what_the_code_says():
    page = Path(__file__).parents[2] / "docs" / "analyzers.md"
    wanted = reference_markdown()
    if os.environ.get("REWRITE_GOLDEN"):
        page.write_text(wanted)
    assert page.read_text() == wanted, "run `REWRITE_GOLDEN=1 pytest tests/analyzers/test_reference.py`"


def test_the_command():
    run = CliRunner().invoke
    assert run(anchore, ["analyzers"]).output == reference()
    assert run(anchore, ["analyzers", "apk", "--markdown"]).output == reference("apk", markdown=True)
    assert json.loads(run(anchore, ["analyzers", "--json"]).output) == reference_document()
    assert isinstance(run(anchore, ["analyzers", "--json", "--markdown"]).exception, UsageError)


def test_a_scan_does_not_load_it():
    code = (
        "import sys; import anchorecli.analyzers.run, anchorecli.scan.analysis; "
        "sys.exit('anchorecli.analyzers.reference' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

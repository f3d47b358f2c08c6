"""What a newcomer reads: the lists of commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from anchorecli.cli import anchore
from tests.cli.conftest import Run


@pytest.mark.parametrize("group", ["", "images", "feeds", "policy", "history", "store"])
def test_no_command_is_summed_up_in_half_a_sentence(group: str) -> None:
    done = CliRunner().invoke(anchore, [*group.split(), "--help"], terminal_width=80)
    listed = done.output.partition("\nCommands:\n")[2].partition("\n\n")[0].splitlines()
    assert len(listed) >= 1
    assert [line for line in listed if line.endswith("...")] == []


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("anchore sc", ["plain,scan"]),
        ("anchore scan im", ["file,im"]),
        ("anchore scan x --pol", ["plain,--policy"]),
        ("anchore scan x --policy p", ["file,p"]),
        ("anchore scan x -o sar", ["plain,sarif"]),
        ("anchore --store s", ["file,s"]),
        ("anchore feeds sync alp", ["plain,alpine"]),
        ("anchore policy init --preset fix", ["plain,fixable-critical"]),
    ],
)
def test_a_shell_is_offered_what_fits(run: Run, words: str, offered: list[str]) -> None:
    count = str(len(words.split()) - 1)
    done = run(env={"_ANCHORE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": count})
    assert done.out.split() == offered


@pytest.mark.parametrize(
    "args",
    [
        ("-q", "images", "list"),
        ("images", "list", "-q"),
        ("images", "-q", "list"),
        ("images", "list", "--quiet", "--store", "other.db"),
        ("images", "list", "--store=other.db", "-qv"),
        ("images", "list", "-vv", "--config", "plain.yaml"),
    ],
)
def test_an_option_of_every_command_may_stand_behind_it(run: Run, tmp_path: Path, args: tuple[str, ...]) -> None:
    (tmp_path / "home" / "plain.yaml").write_text("offline: true\n")
    done = run(*args)
    assert (done.code, done.out) == (0, "")
    assert "no images yet" in done.err
    assert (tmp_path / "home" / "other.db").exists() is any("other" in word for word in args)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("scan", "--nonsense", "x"), "No such option '--nonsense'"),
        (("scan", "x", "--store"), "No such option '--store'"),
        (("images", "list", "-qx"), "No such option"),
        (("images", "list", "--", "-q"), "unexpected extra argument"),
        (("images", "lst", "-q"), "No such command 'lst'"),
    ],
)
def test_what_is_nobodys_option_is_told_so(run: Run, args: tuple[str, ...], told: str) -> None:
    done = run(*args)
    assert done.code == 2
    assert told in done.err

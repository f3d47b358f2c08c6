"""What a newcomer reads: the lists of commands."""

from __future__ import annotations

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
    ("args", "told"),
    [
        (("scan", "-q", "x"), "-q stands before the command: anchore -q scan …"),
        (("feeds", "sync", "--store", "x"), "--store stands before the command: anchore --store feeds sync …"),
        (("images", "-v", "list"), "-v stands before the command: anchore -v images …"),
        (("scan", "--nonsense", "x"), "No such option"),
    ],
)
def test_a_general_option_behind_the_command_is_told_where_it_belongs(
    run: Run, args: tuple[str, ...], told: str
) -> None:
    done = run(*args)
    assert done.code == 2
    assert told in done.err

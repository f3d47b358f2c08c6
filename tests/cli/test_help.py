"""What a newcomer reads: the lists of commands."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from anchorecli.cli import anchore


@pytest.mark.parametrize("group", ["", "images", "feeds", "policy", "history", "store"])
def test_no_command_is_summed_up_in_half_a_sentence(group: str) -> None:
    done = CliRunner().invoke(anchore, [*group.split(), "--help"], terminal_width=80)
    listed = done.output.partition("\nCommands:\n")[2].partition("\n\n")[0].splitlines()
    assert len(listed) >= 1
    assert [line for line in listed if line.endswith("...")] == []

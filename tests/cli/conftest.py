"""A home of its own for every test of the program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.world import Done, anchore

Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The program in an empty directory, with a store there; no network settings, no colour."""
    home = tmp_path / "home"
    home.mkdir()
    env = {"ANCHORE_STORE": str(tmp_path / "store.db"), "XDG_CONFIG_HOME": str(home), "NO_COLOR": "1"}

    def go(*args: object, **more: object) -> Done:
        extra = more.pop("env", {})
        return anchore(*args, env=env | extra, cwd=home, **more)  # type: ignore[operator,arg-type]

    return go

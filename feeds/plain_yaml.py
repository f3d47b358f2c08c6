"""YAML as advisories are written in: every value is text, as it stands there.

Format: https://yaml.org/spec/1.1/. The parser in C goes down its own stack for each level, and a file that is nested
deep enough ends the process: so depth is looked at first, where a text could be that deep at all.
"""

from __future__ import annotations

import re
from typing import Any

MAX_DEPTH = 200
"""Levels of a document; the deepest record known has eight."""
_STEPS = re.compile(rf"^[ ?:-]{{{MAX_DEPTH}}}", re.MULTILINE)
"""A line as deep as that: each level begins one column further right, or two at the same."""


def load_yaml(text: str) -> Any:
    """A YAML document in which every value is text: 1.10 is a version and no number.

    Raises: ValueError where it is none, or nested too deep.
    """
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        if text.count("[") + text.count("{") >= MAX_DEPTH or _STEPS.search(text):
            _check_depth(yaml, text, loader)
        return yaml.load(text, Loader=loader)  # noqa: S506 - text only
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {str(error).splitlines()[0]}") from None


def _check_depth(yaml: Any, text: str, loader: Any) -> None:
    """Raises: ValueError."""
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ValueError("not YAML as advisories have it: nested too deep")

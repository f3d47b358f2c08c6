"""The bundles that ``policy init`` writes: commented, each for one use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PRESETS: Mapping[str, str] = {
    "default": "the built-in policy: serious vulnerabilities with a fix stop",
    "ci": "stop what can be mended now, and credentials; fail closed",
    "strict": "for production: nothing known to be wrong, nothing taken on trust",
    "cis-docker": "CIS Docker Benchmark, section 4, as far as an image can answer",
    "fixable-critical": "stop critical vulnerabilities that have had a fix for a week",
    "audit-only": "report everything, never fail",
}
"""Name → what it is for, in a few words."""


def cases(name: str, bundle: str) -> str:
    """The cases of a preset, for a bundle of that file name; empty where it has none."""
    path = Path(__file__).parents[1] / "presets" / f"{name}.cases.yaml"
    if not path.is_file():
        return ""
    return path.read_text(encoding="utf-8").replace(f"\nbundle: {name}.yaml\n", f"\nbundle: {bundle}\n", 1)


def preset(name: str) -> str:
    """The text of a preset, comments and all."""
    folder = Path(__file__).parents[1]
    path = folder / "default.yaml" if name == "default" else folder / "presets" / f"{name}.yaml"
    return path.read_text(encoding="utf-8")

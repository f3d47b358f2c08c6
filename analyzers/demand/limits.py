"""What a search leaves out by its size, told beside what it looked for."""

from __future__ import annotations

from anchorecli.analyzers.base import View


def skipped(what: str, view: View, max_bytes: int) -> dict[str, str]:
    """How many visible files were too large to be searched, for ``Found.looked_for``."""
    layers = view.tree.layers
    places = (view.tree.where(path) for path in view.tree)
    larger = sum(1 for place in places if place and layers[place[0]].sizes[place[1]] > max_bytes)
    text = f"files of up to {max_bytes} bytes"
    return {f"{what}.limit": text + (f"; {larger} larger were not searched" if larger else "")}

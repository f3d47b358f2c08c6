"""Layers as a Dockerfile has them."""

from __future__ import annotations

import re

from anchorecli.model import Image
from anchorecli.report.text import clean

_SHELL = re.compile(r"^(?:\|\d+ .{0,2000}?)?(?:/bin/(?:ba)?sh -c|cmd /S /C) (#\(nop\) +)?", re.DOTALL)


def instruction(created_by: str) -> str:
    """A history entry as its Dockerfile line: without the shell that Docker and BuildKit record around it."""
    text = created_by.removesuffix("# buildkit").strip()
    run = text.startswith("RUN ")
    shell = _SHELL.match(text.removeprefix("RUN ").lstrip())
    if shell is None:
        return clean(text)
    rest = text.removeprefix("RUN ").lstrip()[shell.end() :]
    return clean(rest if shell[1] and not run else f"RUN {rest}")


def layer_title(index: int, image: Image) -> str:
    """``base image layer`` for the lowest, else the layer's number and instruction."""
    if index < 0:
        return "layer unknown"
    if index == 0:
        return "base image layer"
    made_by = instruction(image.layers[index].instruction)
    return f"layer {index}: {made_by}" if made_by else f"layer {index}"

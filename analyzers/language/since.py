"""Since which layer a package that is one file's worth of evidence has been in the image."""

from __future__ import annotations

from anchorecli.analyzers.base import Fact, View, introduced
from anchorecli.model import DiffId


def since(view: View, fact: Fact) -> DiffId:
    """The lowest layer since which the file's fact has been the same without interruption.

    A layer that merely touches a file (``chown -R``) brings it again; the package came with the layer before.
    """
    below = view.tree.layers[: fact.layer]
    # Nearly every file was written once: that answer is a dictionary look-up per layer, a history is not.
    if not any(fact.path in index.rows for index in below):
        return view.diff_id(fact.layer)
    history = view.history(fact.path)
    return view.diff_id(introduced(history, lambda value: bool(value == fact.value)))

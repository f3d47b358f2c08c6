"""Gate always: fires whatever the image is."""

from __future__ import annotations

from anchorecli.model import ImageRef

from .evidence import evidence, package
from .golden import Golden

FIRES = (("always", "Unconditional trigger match"),)

GOLDEN: tuple[Golden, ...] = (
    Golden("always", "always", evidence([package()]), {}, FIRES),
    Golden("always", "always", evidence(distro=None, feeds=(), covered=frozenset()), {}, FIRES),
    Golden("always", "always", evidence(reference=ImageRef("dir", "dir:/srv", path="/srv")), {}, FIRES),
)

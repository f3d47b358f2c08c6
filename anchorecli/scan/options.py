"""How an image is to be analyzed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from anchorecli.layerindex import MAX_ENTRIES
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.analyzers import Registered, Scanner
    from anchorecli.analyzers.base import Analyzer

Progress = Callable[[str, int, int], None]
"""(what, done, total): called from worker threads."""


@dataclass(slots=True)
class AnalyzeOptions:
    """How to analyze. ``timings`` collects seconds of processor time per analyzer where it is given."""

    now: str
    analyzers: Sequence[Analyzer] | None = None
    """Those of ``registered`` where it is not given."""
    registered: tuple[Registered, ...] | None = None
    """The registry with the limits of the settings (``analyzers.limits.limited``); None: the registry as it is."""
    demanded: Sequence[Registered] = ()
    """What runs beside them, see ``analyzers.on_demand``."""
    scanner: Scanner | None = None
    """What the demanded malware analyzer asks."""
    layer_bytes: int = 1 << 40
    """Inflated bytes of a layer, at most; more is an error."""
    entries: int = MAX_ENTRIES
    """Entries of all layers, at most."""
    fact_bytes: int = 176 * 1024 * 1024
    """What all that is found may take of memory, at most, by estimate; what is more is left out and told."""
    digests: bool = False
    """Whether every regular file is hashed (sha256)."""
    progress: Progress | None = None
    timings: dict[str, float] | None = None
    force: bool = False
    """Read every layer again, whatever the store holds."""
    all_layers: bool = False
    """Packages of every layer, those that later layers removed or replaced among them."""
    meanwhile: Callable[[], None] | None = None
    """Called once while layers are read, if any has to be: for what will be needed afterwards (slow imports)."""

"""The contract of a report format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol, runtime_checkable

from anchorecli.model import Report
from anchorecli.values import dataclass

Subject = Literal["report", "sbom"]


class Memo(Protocol):
    """What formats made of one analysis alone, kept from one run to the next: for what takes long."""

    def get(self, name: str, key: str) -> str | None:
        """What was put under a name, if with the same key; None where nothing was, or it was not kept."""

    def put(self, name: str, key: str, text: str) -> None:
        """Keep a text under a name; ``key`` says all it was made from beside the analysis."""


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How a format is to write; formats for machines look at ``timestamp`` only.

    Nothing here comes from the clock or the terminal by itself: equal reports and options give equal text.
    """

    all: bool = False
    """Everything, where the default counts what is long or minor."""
    width: int = 80
    """Columns to fill."""
    color: bool = False
    """Colour by escape sequences: for a terminal, and only without NO_COLOR."""
    verbose: int = 0
    """From 1 on, details (aliases, links, reasons) below each line."""
    timestamp: str = ""
    """RFC 3339 time to stamp an SBOM with (SOURCE_DATE_EPOCH, or the analysis' own); empty for none."""
    memo: Memo | None = None
    """What was rendered of the analysis before; changes no text."""


class Format(Protocol):
    """One way to write a report (``subject`` "report") or the packages alone ("sbom"; needs no match, no verdict)."""

    @property
    def name(self) -> str:
        """What ``-o`` takes."""

    @property
    def subject(self) -> Subject:
        """Whether ``anchore scan`` or ``anchore sbom`` offers it."""

    @property
    def media_type(self) -> str:
        """The IANA media type of the text."""

    @property
    def description(self) -> str:
        """One line for ``--help``."""

    def prepare(self) -> None:
        """Load what ``render`` will need, while something else is being waited for."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The whole text, ending in a newline. Encode it with ``errors="backslashreplace"`` on a narrow stdout."""


@runtime_checkable
class Piecemeal(Protocol):
    """A format whose text can be written while it is made: of many packages it may take more than the rest."""

    def pieces(self, report: Report, options: RenderOptions) -> Iterator[str]:
        """What ``render`` gives, in pieces."""

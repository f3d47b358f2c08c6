"""What a shell offers at the press of TAB beyond commands and options: files, the names of feeds, formats.

click makes the shell's side of it (``_ANCHORE_COMPLETE=bash_source anchore``); a name that says nothing here gets no
file names either, so every argument that may be a path has to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from click import Context, Parameter
    from click.shell_completion import CompletionItem

    from anchorecli.report import Subject

Complete = Callable[["Context", "Parameter", str], "list[CompletionItem]"]


def files(_ctx: Context, _param: Parameter, incomplete: str) -> list[CompletionItem]:
    """Whatever files the shell finds."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def feeds(_ctx: Context, _param: Parameter, incomplete: str) -> list[CompletionItem]:
    """The feeds that have a driver of their own."""
    from anchorecli.feeds import NAMES

    return _among(NAMES, incomplete)


def output(subject: Subject) -> Complete:
    """The output formats for a report or an SBOM."""

    def complete(_ctx: Context, _param: Parameter, incomplete: str) -> list[CompletionItem]:
        from anchorecli.report import formats

        return _among(formats(subject), incomplete)

    return complete


def _among(known: Iterable[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in sorted(known) if name.startswith(incomplete)]

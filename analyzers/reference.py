"""The reference of analyzers, from what their code declares: ``anchore analyzers`` and ``docs/analyzers.md``.

What an analyzer is for stands in its module's docstring, in paragraphs that begin with ``Format:``, ``Emits:``, ``Not
handled:`` and, of those that run on demand, ``Asked for by:``; what it reads is in its ``wants``, its bounds are
``limits``. Nothing here is loaded by a scan.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Any, NamedTuple

from anchorecli.analyzers import ON_DEMAND, every
from anchorecli.analyzers.base import Analyzer, Wants
from anchorecli.analyzers.limits import Limit, limits_of
from anchorecli.errors import UsageError

LABELS = ("Format", "Asked for by", "Emits", "Not handled")
"""What a paragraph of an analyzer's docstring may begin with."""

_WIDTH = 100
_MANY = 100
_PLAIN = re.compile(r"``([^`]*)``")
_HEAD = (
    "What finds packages and other facts in an image, file by file. This page is what `anchore analyzers --markdown`",
    "prints; `anchore analyzers NAME` prints a part of it for a terminal. How limits are set, and what happens",
    "where one is hit, stands in [limits.md](limits.md).",
    "",
)


class Page(NamedTuple):
    """One analyzer, as its page tells of it. Texts are those of the code, with ``double backticks`` for literals."""

    name: str
    version: int
    demanded: bool
    summary: str
    paragraphs: tuple[str, ...]
    """What else the docstring says, as it is written there."""
    labelled: dict[str, str]
    reads: tuple[str, ...]
    limits: tuple[Limit, ...]


def pages() -> tuple[Page, ...]:
    """Every analyzer, in the order in which they run."""
    return tuple(map(_page, every()))


def reference(name: str = "", *, markdown: bool = False) -> str:
    """All analyzers, a line each, or the page of one. Raises: UsageError with the nearest name."""
    if not name:
        return reference_markdown() if markdown else _overview()
    [page] = _chosen(name)
    return "\n".join(_markdown(page, 1) if markdown else _plain(page)) + "\n"


def reference_markdown() -> str:
    """The whole reference as one Markdown page: the text of ``docs/analyzers.md``."""
    found = pages()
    lines = ["# Analyzers", "", *_HEAD, "| analyzer | finds | runs |", "|---|---|---|"]
    lines += [f"| [{page.name}](#{page.name}) | {_literals(page.summary)} | {_runs(page)} |" for page in found]
    for page in found:
        lines += ["", *_markdown(page, 2)]
    return "\n".join(lines) + "\n"


def reference_document(name: str = "") -> dict[str, Any]:
    """The same as data. Raises: UsageError with the nearest name."""
    return {"analyzers": [_document(page) for page in _chosen(name)]}


def _chosen(name: str) -> tuple[Page, ...]:
    analyzers = every(name.lower())
    if not analyzers:
        from difflib import get_close_matches

        near = get_close_matches(name.lower(), [each.name for each in every()], 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else "`anchore analyzers` lists them all"
        raise UsageError(f"unknown analyzer {name!r}", hint=hint)
    return tuple(map(_page, analyzers))


# ── from the code ───────────────────────────────────────────────────────────────────────────────────────────────────


def _page(analyzer: Analyzer) -> Page:
    text = sys.modules[type(analyzer).__module__].__doc__ or ""
    summary, *rest = (part.strip("\n") for part in re.split(r"\n[ \t]*\n", text.strip("\n")))
    plain: list[str] = []
    labelled: dict[str, str] = {}
    for part in rest:
        label = next((each for each in LABELS if part.startswith(f"{each}:")), "")
        if label:
            labelled[label] = _joined(part.removeprefix(f"{label}:"))
        elif plain and _is_figure(plain[-1]) and _is_figure(part):
            plain[-1] += f"\n\n{part}"
        else:
            plain.append(part)
    return Page(
        name=analyzer.name,
        version=analyzer.version,
        demanded=analyzer.name in {each.name for each in ON_DEMAND},
        summary=_joined(summary),
        paragraphs=tuple(plain),
        labelled=labelled,
        reads=tuple(_reads(analyzer.wants)),
        limits=limits_of(analyzer),
    )


def _reads(wants: Wants) -> Iterator[str]:
    """Which files are offered, in words, each kind in one."""
    if wants.everything:
        yield "every regular file"
    if wants.paths:
        yield "the files " + _listed(wants.paths)
    if wants.names:
        yield "files called " + _listed(wants.names)
    if wants.suffixes:
        # Endings are told in one case; which the code tells apart says its match.
        yield "files that end in " + _listed({suffix.lower() for suffix in wants.suffixes})
    if wants.parents:
        yield "files in directories called " + _listed(wants.parents)
    if wants.from_bytes:
        yield f"files of {wants.from_bytes} bytes and more, by their first bytes"
    if wants == Wants():
        yield "no file's content: names of files, or the files that options name"
    if wants.match is not None and not wants.everything:
        yield "of these only those that stand where the format puts them"


def _listed(names: Iterable[str]) -> str:
    ordered = [f"``{name}``" for name in sorted(names)]
    if len(ordered) > _MANY:
        return f"{ordered[0]}, {ordered[1]} … {ordered[-1]} ({len(ordered)} names)"
    return ", ".join(ordered)


def _joined(text: str) -> str:
    """A paragraph in one line; what introduces a figure loses the second colon."""
    line = " ".join(text.split())
    return line[:-1] if line.endswith("::") else line


# ── as text ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _overview() -> str:
    found = pages()
    width = max(len(page.name) for page in found)
    lines = []
    for title, demanded in (("In every scan:", False), ("On demand:", True)):
        lines += [title]
        for page in found:
            if page.demanded is demanded:
                lines += wrap(
                    _bare(page.summary),
                    _WIDTH,
                    initial_indent=f"  {page.name:{width}}  ",
                    subsequent_indent=" " * (width + 4),
                )
        lines += [""]
    lines += ["What each reads, emits and does not handle, and its limits: anchore analyzers NAME"]
    return "\n".join(lines) + "\n"


def _plain(page: Page) -> Iterator[str]:
    yield from wrap(f"{page.name}: {_bare(page.summary)}", _WIDTH)
    yield ""
    yield f"Runs: {_runs(page)}, version {page.version}"
    yield ""
    yield "Reads:"
    for each in page.reads:
        yield from wrap(_bare(each), _WIDTH, initial_indent="  ", subsequent_indent="    ")
    for label, text in page.labelled.items():
        yield ""
        yield f"{label}:"
        yield from wrap(_bare(text), _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    for part in page.paragraphs:
        yield ""
        yield from _bare(part).splitlines() if _is_figure(part) else wrap(_bare(_joined(part)), _WIDTH)
    if page.limits:
        yield ""
        yield "Limits (limits.analyzers in the settings):"
        yield from (f"  {page.name}.{limit.name}={_amount(limit)}: {limit.what}" for limit in page.limits)


def _markdown(page: Page, level: int) -> Iterator[str]:
    yield f"{'#' * level} {page.name}"
    yield ""
    yield _literals(page.summary)
    yield ""
    yield f"* Runs: {_runs(page)}; version {page.version}."
    yield f"* Reads: {_literals('; '.join(page.reads))}."
    for label, text in page.labelled.items():
        yield f"* {label}: {_literals(text)}"
    for part in page.paragraphs:
        yield ""
        yield from ["```text", *_bare(part).splitlines(), "```"] if _is_figure(part) else [_literals(_joined(part))]
    if page.limits:
        yield ""
        yield "| limit | default | more than so many |"
        yield "|---|---|---|"
        yield from (f"| `{page.name}.{limit.name}` | {_amount(limit)} | {limit.what} |" for limit in page.limits)


def _document(page: Page) -> dict[str, Any]:
    named = {label.lower().replace(" ", "_"): text for label, text in page.labelled.items()}
    return {
        "name": page.name,
        "version": page.version,
        "on_demand": page.demanded,
        "description": page.summary,
        "reads": list(page.reads),
        **named,
        "remarks": list(page.paragraphs),
        "limits": [
            {"name": f"{page.name}.{each.name}", "default": each.value, "of": each.what} for each in page.limits
        ],
    }


def _amount(limit: Limit) -> str:
    """A limit's value as the settings take it: ``64MiB``."""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if limit.name.endswith("bytes") and limit.value % size == 0:
            return f"{limit.value // size}{unit}"
    return str(limit.value)


def _runs(page: Page) -> str:
    return "on demand" if page.demanded else "in every scan"


def _is_figure(part: str) -> bool:
    """Whether a paragraph is a table or an example, whose lines stay as they are."""
    return part.startswith(("    ", "==="))


def _literals(text: str) -> str:
    """Literals as Markdown has them; a bar would end a table's cell, an angle bracket begin a tag."""
    parts = _PLAIN.split(text)
    prose = (part.replace("*", "\\*").replace("<", "&lt;") for part in parts[::2])
    literal = [f"`{part}`" for part in parts[1::2]] + [""]
    return "".join(a + b for a, b in zip(prose, literal, strict=True)).replace("|", "\\|")


def _bare(text: str) -> str:
    return _PLAIN.sub(r"\1", text)

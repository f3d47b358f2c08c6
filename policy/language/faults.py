"""All that is wrong with a bundle, collected and raised as one error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, NoReturn

from anchorecli.errors import BundleError
from anchorecli.model import Problem

_SHOWN = 50
_LISTED = 40
_HINT = "Nothing was evaluated. `anchore policy gates` lists every gate, trigger and parameter."


class Remark(NamedTuple):
    """Something to say of a place in a bundle. With an error the bundle is not used; ``hint`` is the next step."""

    path: str
    line: int
    severity: Literal["error", "warning"]
    message: str
    hint: str = ""


class BundleFaults(BundleError):
    """A bundle with faults: the message holds a line for each, ``remarks`` holds them taken apart."""

    remarks: tuple[Remark, ...] = ()


class Faults:
    """Collects faults and remarks while a bundle is read, so that one run shows all of them."""

    def __init__(self, path: str, hint: str = _HINT) -> None:
        self._path = path
        self._hint = hint
        self._faults: list[tuple[int, str]] = []
        self._remarks: list[Problem] = []

    def add(self, line: int, message: str) -> None:
        """A fault: the bundle will not be used."""
        self._faults.append((line, message))

    def remark(self, line: int, message: str, hint: str = "") -> None:
        """Something the user should know; the bundle is used."""
        path = self._path_of(line) or "bundle"
        where = f"{path}:{line}" if line else path
        self._remarks.append(Problem("policy", where, message, hint, incomplete=False))

    @property
    def remarks(self) -> tuple[Problem, ...]:
        """The remarks so far."""
        return tuple(self._remarks)

    def check(self) -> None:
        """Raise BundleError if there is any fault: a line each, in the order of the file."""
        if self._faults:
            self._raise()

    def _raise(self) -> NoReturn:
        # A file after the other in the order in which they were read, the bundle itself first.
        files = list(dict.fromkeys([self._path, *(self._path_of(line) for line, _ in self._faults)]))
        ordered = sorted(self._faults, key=lambda fault: (files.index(self._path_of(fault[0])), fault[0]))
        first_line, first = ordered[0]
        lines = [first, *(self._located(line, message) for line, message in ordered[1:_SHOWN])]
        if len(ordered) > _SHOWN:
            lines.append(f"and {len(ordered) - _SHOWN} more")
        error = BundleFaults("\n".join(lines), path=self._path_of(first_line), line=first_line, hint=self._hint)
        error.remarks = tuple(Remark(self._path_of(line), line, "error", message) for line, message in ordered)
        raise error

    def _located(self, line: int, message: str) -> str:
        path = self._path_of(line)
        where = f"{path}:{line}: " if path and line else f"{path}: " if path else ""
        return where + message

    def _path_of(self, line: int) -> str:
        """The file of a line: an included one's lines know theirs."""
        return getattr(line, "path", self._path)


def place(line: int, other: int) -> str:
    """``line 3``, or ``base.yaml:3`` where it is in another file than the line it is told to."""
    path = getattr(line, "path", "")
    return f"line {line}" if path == getattr(other, "path", "") else f"{path or 'the bundle'}:{line}"


def quoted(text: str) -> str:
    """A text from a bundle as messages show it: in double quotes, without control characters, not too long."""
    shown = "".join(character if character.isprintable() else "?" for character in text[:61])
    return f'"{shown[:60]}…"' if len(shown) > 60 else f'"{shown}"'


def unknown(what: str, name: str, valid: Iterable[str], where: str = "") -> str:
    """``unknown trigger "pakage" in gate x; did you mean "package"?`` or, where nothing is near, what there is."""
    names = sorted(valid)
    if len(name) <= 100:
        from difflib import get_close_matches

        near = get_close_matches(name.lower(), names, 1)
        if near:
            return f"unknown {what} {quoted(name)}{where}; did you mean {quoted(near[0])}?"
    there = ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
    return f"unknown {what} {quoted(name)}{where}; there is {there or 'none'}"

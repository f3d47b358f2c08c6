"""All that is wrong with a bundle, collected and raised as one error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from anchorecli.errors import BundleError
from anchorecli.model import Problem

_SHOWN = 50


class Faults:
    """Collects faults and remarks while a bundle is read, so that one run shows all of them."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._faults: list[tuple[int, str]] = []
        self._remarks: list[Problem] = []

    def add(self, line: int, message: str) -> None:
        """A fault: the bundle will not be used."""
        self._faults.append((line, message))

    def remark(self, line: int, message: str, hint: str = "") -> None:
        """Something the user should know; the bundle is used."""
        where = f"{self._path or 'bundle'}:{line}" if line else self._path or "bundle"
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
        ordered = sorted(self._faults, key=lambda fault: fault[0])
        first_line, first = ordered[0]
        lines = [first, *(self._located(line, message) for line, message in ordered[1:_SHOWN])]
        if len(ordered) > _SHOWN:
            lines.append(f"and {len(ordered) - _SHOWN} more")
        hint = "Nothing was evaluated. `anchore policy gates` lists every gate, trigger and parameter."
        raise BundleError("\n".join(lines), path=self._path, line=first_line, hint=hint)

    def _located(self, line: int, message: str) -> str:
        where = f"{self._path}:{line}: " if self._path and line else f"{self._path}: " if self._path else ""
        return where + message


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
    return f"unknown {what} {quoted(name)}{where}; there is " + (", ".join(names) if names else "none")

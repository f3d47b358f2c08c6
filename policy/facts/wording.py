"""Small pieces of text that messages of several gates share."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """``1 package``, ``166 packages``, ``2 vulnerabilities``."""
    if number == 1:
        return f"1 {thing}"
    return f"{number} {thing[:-1]}ies" if thing.endswith("y") else f"{number} {thing}s"

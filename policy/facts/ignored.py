"""The parameter ``ignore``: paths that a rule about files lets be."""

from __future__ import annotations

from collections.abc import Collection

from anchorecli.policy.base import Parameter
from anchorecli.policy.language.parameters import Arguments
from anchorecli.policy.patterns import Pattern, regex_fault


def ignore_parameter(name: str, example: str) -> Parameter:
    """A list of regular expressions. They match whole paths: whoever lets ``/usr/bin/su`` be does not mean sudo."""
    return Parameter(
        name,
        "strings",
        f"Paths to leave alone: regular expressions without commas, each matching a whole path, such as {example}.",
        example=example,
    )


def ignore_fault(arguments: Arguments, name: str = "ignore") -> str:
    """What is wrong with the expressions, empty if nothing is."""
    for word in arguments.words(name):
        fault = regex_fault(word) or regex_fault(_whole(word))
        if fault:
            return f'"{name}" holds {word!r}, which is not usable as a regular expression: {fault}'
    return ""


def ignored(arguments: Arguments, paths: Collection[str], name: str = "ignore") -> frozenset[str]:
    """Which of the paths (with their leading slash) a rule lets be.

    Raises: LimitError where the expressions take too long.
    """
    words = arguments.words(name)
    return frozenset(path for word in words for path in Pattern(_whole(word)).select(paths))


def _whole(word: str) -> str:
    return rf"(?:{word})\Z"

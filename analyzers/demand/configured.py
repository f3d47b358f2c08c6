"""Credentials in an image's configuration: environment variables, labels, and the commands in its history.

A build argument or an ``ENV`` is there for good, whatever a later instruction unsets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from anchorecli.analyzers.demand.secret_rules import ENVIRONMENT
from anchorecli.analyzers.demand.secrets import fingerprint, search
from anchorecli.model import ImageConfig, ImagePath, Secret

ENV = ImagePath("image config: Env")
LABELS = ImagePath("image config: Labels")
HISTORY = ImagePath("image config: history")
"""What stands for a path; the line is the entry's number, from 1."""

_SHORTEST = 6
_ASSIGNMENT = re.compile(r"(?<![\w.$-])([A-Za-z_]\w{1,100})=(\"[^\"\n]{0,500}\"|'[^'\n]{0,500}'|[^\s;&|\"']{1,500})")


def configured(config: ImageConfig) -> list[Secret]:
    """The credentials in a configuration, each once for its entry."""
    labels = (f"{name}={value}" for name, value in sorted(config.labels.items()))
    history = (entry.created_by for entry in config.history)
    found = {*_of(ENV, config.env), *_of(LABELS, labels), *_of(HISTORY, history)}
    return sorted(found)


def _of(place: ImagePath, entries: Iterable[str]) -> Iterator[Secret]:
    for number, entry in enumerate(entries, 1):
        known = set()
        for finding in search(entry.encode("utf-8", "surrogateescape")):
            mark = fingerprint(finding.value)
            known.add(mark)
            yield Secret(place, number, finding.rule, mark)
        for name, value in _assignments(place, entry):
            secret = value.strip("\"'").encode("utf-8", "surrogateescape")
            named = ENVIRONMENT.pattern.search(name.encode()) and len(secret) >= _SHORTEST
            if named and ENVIRONMENT.check(secret) and fingerprint(secret) not in known:
                yield Secret(place, number, ENVIRONMENT.name, fingerprint(secret))


def _assignments(place: ImagePath, entry: str) -> Iterable[tuple[str, str]]:
    if place == HISTORY:
        return _ASSIGNMENT.findall(entry)
    name, _, value = entry.partition("=")
    # A label's name has dots; its last part says what it is.
    return [(name.rpartition(".")[2].replace("-", "_"), value)]

"""The files kept whole for the policy (``Analysis.retrieved``), by path."""

from __future__ import annotations

from collections.abc import Mapping

from anchorecli.policy.base import Evidence
from anchorecli.policy.facts.gathered import lines


def content(evidence: Evidence, path: str) -> str | None:
    """The text of a file, bytes that are no UTF-8 kept as surrogates; None where the image has no such file."""
    data = evidence.once(_by_path).get(_plain(path))
    return None if data is None else data.decode("utf-8", "surrogateescape")


def was_looked_for(evidence: Evidence, path: str) -> bool:
    """Whether it is known if the image has the file."""
    plain = _plain(path)
    return plain in evidence.once(_by_path) or plain in evidence.once(_asked)


def demanded(path: str) -> str:
    """A path in the form of ``Demand.retrieve``."""
    return _plain(path)


def _by_path(evidence: Evidence) -> Mapping[str, bytes]:
    return {_plain(file.path): file.data for file in evidence.analysis.retrieved}


def _asked(evidence: Evidence) -> frozenset[str]:
    return frozenset(_plain(line) for line in lines(evidence, "retrieve") or ())


def _plain(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", "."))

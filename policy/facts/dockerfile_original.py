"""A Dockerfile the way Anchore Engine reads it, for bundles with ``compat: anchore-engine``.

Its trigger ids are made of lines as it sees them: every line of a Dockerfile is an instruction, continuation lines
too, and whatever stands in the history without ``#(nop)`` is a RUN. Whitelists written for it hold only where the same
lines are made. What the configuration knows and no line tells is added here as well: an image is not to pass because
the original was blind.
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.policy.base import Evidence
from anchorecli.policy.facts.dockerfile import Dockerfile, Instruction, is_without_configuration, with_configuration

_MARK = "/bin/sh -c #(nop) "
_CONTINUED = "\\$"


def original_dockerfile(evidence: Evidence) -> Dockerfile:
    """The Dockerfile of the image in the original's lines."""
    if evidence.dockerfile.strip():
        return Dockerfile(tuple(_lines(evidence.dockerfile)), True)
    if is_without_configuration(evidence):
        return Dockerfile((), False)
    config = evidence.analysis.image.config
    told = [_from_history(entry.created_by) for entry in config.history if entry.created_by.strip()]
    return Dockerfile((Instruction("FROM", "scratch"), *with_configuration(told, config)), False)


def original_user(file: Dockerfile) -> str:
    """The last USER of any stage, as it is written; ``root`` where there is none."""
    users = [rest for directive, rest in file.instructions if directive == "USER"]
    return users[-1].strip("[] ") if users else "root"


def _lines(text: str) -> Iterator[Instruction]:
    joined = ""
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        joined += stripped
        if joined.endswith(_CONTINUED):
            joined = joined.removesuffix(_CONTINUED)
            continue
        yield Instruction.of(joined)
        joined = ""
    if joined.strip():
        yield Instruction.of(joined)


def _from_history(created_by: str) -> Instruction:
    text = created_by.strip()
    if text.startswith(_MARK):
        return Instruction.of(text.removeprefix(_MARK).strip() or "RUN")
    return Instruction("RUN", text)

"""Facts beyond packages, for evidence: a file tree, what was looked for, and verdicts as Anchore Engine gave them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from anchorecli.model import Verdict
from anchorecli.policy.base import Evidence
from anchorecli.policy.evaluate import evaluate
from anchorecli.tree import LayerIndex, Tree

from .evidence import bundle, evidence, rule_line


class Path(NamedTuple):
    """One entry of a layer: ``kind`` is the tree's code, ``target`` that of a link."""

    mode: int = 0o644
    kind: str = "f"
    sha256: str = ""
    target: str = ""
    capabilities: str = ""


def layer(paths: Mapping[str, Path], *whiteouts: str) -> LayerIndex:
    """The index of one layer."""
    index = LayerIndex()
    for row, (name, path) in enumerate(paths.items()):
        index.add(name, path.kind, (path.mode, 0, 0), 1)
        if path.target:
            index.targets[row] = path.target
        if path.capabilities:
            index.capabilities[row] = path.capabilities
        if path.sha256:
            index.digests[row] = bytes.fromhex(path.sha256)
    index.whiteouts.extend(whiteouts)
    return index


def image_of(paths: Mapping[str, Path], **fields: Any) -> Evidence:
    """Evidence of an image with a single layer."""
    return evidence(tree=Tree([layer(paths)]), **fields)


def verdict(gate: str, trigger: str, given: Evidence, *, compat: bool = False, **params: Any) -> Verdict:
    """The verdict of a single rule."""
    extra = "compat: anchore-engine\n" if compat else ""
    return evaluate(bundle(rule_line(gate, trigger, **params), extra=extra), given)


def original(gate: str, trigger: str, given: Evidence, **params: Any) -> list[tuple[str, str]]:
    """The (trigger id, message) pairs of a single rule under ``compat: anchore-engine``."""
    found = verdict(gate, trigger, given, compat=True, **params)
    return [(finding.trigger_id, finding.message) for finding in found.findings]


def gaps(gate: str, trigger: str, given: Evidence, **params: Any) -> list[str]:
    """What keeps a single rule from deciding."""
    return [problem.message for problem in verdict(gate, trigger, given, **params).problems if problem.incomplete]

"""What an image's description alone (an SBOM) cannot decide.

An SBOM tells of packages and of the distribution. Rules on files, configuration, history or layers are not run on one,
and that is a gap in the evidence: a pass would be a claim that nobody can make. Of files that were no image (a
directory) it is known that there is no configuration: rules on it find as little in their SBOM as in them.
"""

from __future__ import annotations

from anchorecli.model import Demand
from anchorecli.policy.base import Evidence, Trigger
from anchorecli.policy.language.parameters import Arguments

_TRANSPORT = "sbom"
_DECIDABLE = frozenset(
    {"always", "distro", "licenses", "metadata", "npms", "packages", "ruby_gems", "tag_drift", "vulnerabilities"}
)
"""Gates that look at packages and distribution."""
_CONFIGURED = frozenset({"effective_user", "exposed_ports"})
"""Triggers that look at the configuration even where the Dockerfile is given."""


def is_description(evidence: Evidence) -> bool:
    """Whether the facts come from an SBOM, and nobody looked at the image."""
    return evidence.analysis.image.ref.transport == _TRANSPORT


def undecidable(gate: str, trigger: Trigger, arguments: Arguments, evidence: Evidence) -> str:
    """Why a rule cannot be decided by an SBOM; empty where it can, or where the evidence is an image."""
    if not is_description(evidence):
        return ""
    if gate == "dockerfile":
        if evidence.analysis.image.is_only_files:
            return ""
        given = bool(evidence.dockerfile) and trigger.name not in _CONFIGURED
        return "" if given or trigger.name == "no_dockerfile_provided" else _why("the image's configuration")
    if gate not in _DECIDABLE:
        return _why("files, layers and configuration")
    if gate == "metadata" and "distro" not in arguments.text("attribute"):
        return _why("the image's size, layers and platform")
    if gate != "distro" and trigger.demands is not None and trigger.demands(arguments) != Demand():
        return _why("files")
    return ""


def _why(what: str) -> str:
    return f"an SBOM does not tell of {what}"

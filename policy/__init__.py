"""The policy engine: gates, bundles and verdicts. Pure: no network, SQL, clock or environment.

``bundle.py`` reads a bundle, ``evaluate.py`` makes a verdict of it and the evidence, ``reference.py`` prints what the
gates declare. This module is on the path of every scan: it names every gate and loads one when a bundle does.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anchorecli.policy.base import Gate

    GATES: tuple[Gate, ...]

GATE_CLASSES: Mapping[str, str] = {
    "always": "always.AlwaysGate",
    "ancestry": "ancestry.AncestryGate",
    "certificates": "certificates.CertificatesGate",
    "distro": "distro.DistroGate",
    "dockerfile": "dockerfile.DockerfileGate",
    "files": "files.FilesGate",
    "image": "image.ImageGate",
    "licenses": "licenses.LicensesGate",
    "malware": "malware.MalwareGate",
    "metadata": "metadata.MetadataGate",
    "npms": "npms.NpmsGate",
    "packages": "packages.PackagesGate",
    "passwd_file": "passwd_file.PasswdFileGate",
    "retrieved_files": "retrieved_files.RetrievedFilesGate",
    "ruby_gems": "ruby_gems.RubyGemsGate",
    "secret_scans": "secret_scans.SecretScansGate",
    "tag_drift": "tag_drift.TagDriftGate",
    "vulnerabilities": "vulnerabilities.VulnerabilitiesGate",
}
"""Every gate that is evaluated, in the order of the reference: its name, its module in ``gates/`` and the class."""


@cache
def gate(name: str) -> Gate | None:
    """The gate of a name, None if nothing here evaluates it."""
    if name not in GATE_CLASSES:
        return None
    from importlib import import_module

    module, cls = GATE_CLASSES[name].split(".")
    found: Gate = getattr(import_module(f"anchorecli.policy.gates.{module}"), cls)()
    return found


def __getattr__(name: str) -> Any:
    """``GATES``: all of them, for whoever lists them."""
    if name == "GATES":
        return tuple(gate(each) for each in GATE_CLASSES)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

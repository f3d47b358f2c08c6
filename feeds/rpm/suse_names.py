"""SUSE's and openSUSE's products as namespaces.

A service pack is one namespace, ``sles:15.5``: its modules, its variants (for SAP, HPC, Desktop) and its longer support
(LTSS, ESPOS) are one line of builds. SLE Micro and SL Micro are distributions of their own; products on top
(Manager, Storage, CaaS) bring packages that are not the distribution's, and are left out.

Format: product names as in SUSE's CSAF documents and OVAL definitions, e.g. ``SUSE Linux Enterprise Module for
Basesystem 15 SP5``, ``SUSE Linux Enterprise Server 15 SP1-LTSS``, ``openSUSE Leap 15.6``.
"""

from __future__ import annotations

import re
from functools import lru_cache

_MICRO = re.compile(r"SUSE Linux (Enterprise )?Micro(?: for Rancher)? (\d+\.\d+)(?:[ -].*)?")
_ENTERPRISE = re.compile(
    r"(?:SUSE Linux Enterprise|SUSE Package Hub)(?: [A-Za-z][\w .&/()-]*?)?"
    r" (\d+)(?:\.(\d+)| SP(\d+))?(?:[ -](?:LTSS|ESPOS|BCL|TERADATA|CLIENT-TOOLS|SECURITY|PUBCLOUD|TD)[\w .-]*)?"
)
_OPENSUSE = re.compile(r"openSUSE (Leap Micro|Leap|Tumbleweed|MicroOS)?\s*(\d+(?:\.\d+)?)?")

_MAX_NAME = 300
_OLD = re.compile(r"suse(1\d)(\d)")


@lru_cache(maxsize=4096)
def space(product: str) -> str:
    """The namespace of a product, or empty for what is no distribution."""
    name = " ".join(product.split())
    if len(name) > _MAX_NAME:
        return ""
    if found := _MICRO.fullmatch(name):
        return f"{'sle' if found[1] else 'sl'}-micro:{found[2]}"
    if found := _ENTERPRISE.fullmatch(name):
        pack = found[2] or found[3]
        return f"sles:{found[1]}" + (f".{pack}" if pack else "")
    if found := _OLD.fullmatch(name):
        return f"opensuse-leap:{found[1]}.{found[2]}"
    if found := _OPENSUSE.fullmatch(name):
        return _opensuse(found[1] or "", found[2] or "")
    return ""


def _opensuse(kind: str, version: str) -> str:
    if kind in ("Tumbleweed", "MicroOS"):
        return "opensuse-tumbleweed"
    if kind == "Leap Micro":
        return f"opensuse-leap-micro:{version}" if version else ""
    # Before Leap the distribution was openSUSE alone; its images are asked for under the same name.
    return f"opensuse-leap:{version}" if version else ""

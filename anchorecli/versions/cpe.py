"""Versions as CPE names have them: ``VERSION`` or ``VERSION:UPDATE`` (``9.2:p1``, ``1.8.0:update302``), fuzzy.

An update of ``-`` (none) or ``*`` (any) does not count.
"""

from __future__ import annotations

from typing import Any

from anchorecli.versions import fuzzy


def key(text: str) -> Any:
    """The sort key.

    Raises: VersionError for a text without a digit.
    """
    version, _, update = text.partition(":")
    return fuzzy.key(version if update in ("", "-", "*") else f"{version}-{update}")

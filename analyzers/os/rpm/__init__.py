"""rpm: the plugin, the header format, and one reader for each database back end."""

from __future__ import annotations

from anchorecli.analyzers.os.rpm.plugin import RpmAnalyzer

__all__ = ["RpmAnalyzer"]

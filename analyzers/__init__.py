"""The registry of analyzers, in the order in which they assemble: the distribution first, since others ask for it."""

from __future__ import annotations

from anchorecli.analyzers.base import Analyzer
from anchorecli.analyzers.language.npm import Npm
from anchorecli.analyzers.language.python import Python
from anchorecli.analyzers.os.apk import ApkAnalyzer
from anchorecli.analyzers.os.distro import DistroAnalyzer
from anchorecli.analyzers.os.dpkg import DpkgAnalyzer
from anchorecli.analyzers.os.rpm.plugin import RpmAnalyzer

ANALYZERS: tuple[Analyzer, ...] = (DistroAnalyzer(), DpkgAnalyzer(), ApkAnalyzer(), RpmAnalyzer(), Python(), Npm())
"""Every analyzer. ``tests/test_registries.py`` fails on one that is missing here."""

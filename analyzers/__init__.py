"""The registry of analyzers, in the order in which they assemble: the distribution first, since others ask for it.

A scan of a known image needs only to know which facts there should be: names and versions stand here, and the code
is loaded when there is something to read. ``tests/test_registries.py`` fails on an analyzer that is missing here, and
on a version that is not the analyzer's own.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from anchorecli.analyzers.base import Analyzer

    ANALYZERS: tuple[Analyzer, ...]


class Registered(NamedTuple):
    """An analyzer's name and version, and where its class is: module below this package, dot, class."""

    name: str
    version: int
    cls: str
    options: str = ""


REGISTERED: tuple[Registered, ...] = (
    Registered("distro", 1, "os.distro.DistroAnalyzer"),
    Registered("dpkg", 1, "os.dpkg.DpkgAnalyzer"),
    Registered("apk", 1, "os.apk.ApkAnalyzer"),
    Registered("rpm", 1, "os.rpm.plugin.RpmAnalyzer"),
    Registered("python", 1, "language.python.Python"),
    Registered("npm", 2, "language.npm.Npm"),
    Registered("java", 1, "language.java.plugin.Java"),
    Registered("gem", 1, "language.gem.Gem"),
    Registered("composer", 1, "language.composer.Composer"),
    Registered("pear", 1, "language.pear.Pear"),
    Registered("dotnet", 1, "language.dotnet.Dotnet"),
    Registered("binary", 1, "binary.plugin.Binaries"),
)
"""Every analyzer of every scan."""


@cache
def load() -> tuple[Analyzer, ...]:
    """The registered analyzers."""
    from importlib import import_module

    found = []
    for each in REGISTERED:
        module, _, cls = each.cls.rpartition(".")
        found.append(getattr(import_module(f"anchorecli.analyzers.{module}"), cls)())
    return tuple(found)


def __getattr__(name: str) -> Any:
    """``ANALYZERS``: all of them, for whoever lists them."""
    if name == "ANALYZERS":
        return load()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

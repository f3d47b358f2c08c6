"""The registry of analyzers, in the order in which they assemble: the distribution first, since others ask for it.

A scan of a known image needs only to know which facts there should be: names and versions stand here, and the code
is loaded when there is something to read. ``tests/test_registries.py`` fails on an analyzer that is missing here, and
on a version that is not the analyzer's own.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from anchorecli.analyzers.base import Analyzer
    from anchorecli.model import Demand, Json

    ANALYZERS: tuple[Analyzer, ...]


class Registered(NamedTuple):
    """An analyzer's name and version, and where its class is: module below this package, dot, class."""

    name: str
    version: int
    cls: str
    options: str = ""


REGISTERED: tuple[Registered, ...] = (
    Registered("distro", 3, "os.distro.DistroAnalyzer"),
    Registered("dpkg", 4, "os.dpkg.DpkgAnalyzer"),
    Registered("apk", 3, "os.apk.ApkAnalyzer"),
    Registered("rpm", 4, "os.rpm.plugin.RpmAnalyzer"),
    Registered("python", 2, "language.python.Python"),
    Registered("npm", 6, "language.npm.Npm"),
    Registered("java", 8, "language.java.plugin.Java"),
    Registered("gem", 2, "language.gem.Gem"),
    Registered("composer", 3, "language.composer.Composer"),
    Registered("pear", 2, "language.pear.Pear"),
    Registered("dotnet", 3, "language.dotnet.Dotnet"),
    Registered("r", 1, "language.r.RPackages"),
    Registered("conda", 1, "language.conda.Conda"),
    Registered("pacman", 4, "os.pacman.PacmanAnalyzer"),
    Registered("portage", 1, "os.portage.PortageAnalyzer"),
    Registered("nix", 1, "os.nix.NixAnalyzer"),
    Registered("chisel", 1, "os.chisel.ChiselAnalyzer"),
    Registered("bitnami", 1, "os.bitnami.BitnamiAnalyzer"),
    Registered("snap", 2, "os.snap.SnapAnalyzer"),
    Registered("kernel", 1, "os.kernel.KernelAnalyzer"),
    Registered("others", 10, "language.others.Others"),
    Registered("binary", 13, "binary.plugin.Binaries"),
    Registered("sboms", 2, "os.sboms.SbomAnalyzer"),
    Registered("accounts", 1, "os.accounts.AccountAnalyzer"),
)
"""Every analyzer of every scan."""

ON_DEMAND: tuple[Registered, ...] = (
    Registered("declared", 7, "declared.plugin.DeclaredAnalyzer"),
    Registered("hints", 1, "demand.hints.HintAnalyzer"),
    Registered("secrets", 1, "demand.secrets.SecretAnalyzer"),
    Registered("contents", 1, "demand.contents.ContentAnalyzer"),
    Registered("retrieve", 1, "demand.retrieve.RetrieveAnalyzer"),
    Registered("verify", 1, "demand.verify.VerifyAnalyzer"),
    Registered("unowned", 1, "demand.unowned.UnownedAnalyzer"),
    Registered("certificates", 1, "demand.certificates.CertificateAnalyzer"),
    Registered("malware", 1, "demand.malware.MalwareAnalyzer"),
)
"""The analyzers that run only where somebody asks. Their options say all that makes one differ from another."""


class Bounds(NamedTuple):
    """Sizes in bytes above which a file is not searched, or not kept."""

    secrets: int = 512 * 1024
    contents: int = 1024 * 1024
    retrieve: int = 1000 * 1024


class Scanner(Protocol):
    """A malware scanner: the analyzer of that name has no network, so it is given one."""

    @property
    def name(self) -> str:
        """Its name in findings: ``clamav``."""

    @property
    def identity(self) -> str:
        """Name, version and database: facts found with another one are others."""

    def scan(self, pieces: Iterable[bytes]) -> Json:
        """The signatures found in a content as a list, or what ``finish`` will know it by.

        Raises: OSError, ValueError where it could not be scanned.
        """

    def finish(self, values: dict[str, Json]) -> dict[str, Json]:
        """Path → signatures, from what ``scan`` gave for the files of one layer; called by the thread that read it.

        Raises: OSError, ValueError where they could not be scanned.
        """


def on_demand(demand: Demand, scanner: Scanner | None = None, bounds: Bounds | None = None) -> tuple[Registered, ...]:
    """What has to run for a demand. Malware is looked for only where there is a scanner."""
    bounds = bounds or Bounds()
    options = {
        "declared": "" if demand.declared else None,
        "hints": "" if demand.hints else None,
        "secrets": str(bounds.secrets) if demand.secrets else None,
        "contents": "\n".join((str(bounds.contents), *demand.contents)) if demand.contents else None,
        "retrieve": "\n".join((str(bounds.retrieve), *demand.retrieve)) if demand.retrieve else None,
        "verify": "" if demand.verify else None,
        "unowned": "" if demand.unowned else None,
        "certificates": "" if demand.certificates else None,
        "malware": scanner.identity if demand.malware and scanner else None,
    }
    return tuple(each._replace(options=said) for each in ON_DEMAND if (said := options[each.name]) is not None)


@cache
def load(registered: tuple[Registered, ...] = REGISTERED) -> tuple[Analyzer, ...]:
    """The registered analyzers, with the limits that their options name."""
    return tuple(_within_limits(each, lambda own, cls: cls()) for each in registered)


def load_demanded(demanded: Iterable[Registered], scanner: Scanner | None = None) -> tuple[Analyzer, ...]:
    """The analyzers that ``on_demand`` chose, each made by its options."""
    return tuple(_within_limits(each, lambda own, cls: cls.of(own, scanner)) for each in demanded)


def every(name: str = "") -> tuple[Analyzer, ...]:
    """All analyzers as they are by default, those on demand too; or the one of a name, if there is one."""
    always = tuple(each for each in REGISTERED if name in ("", each.name))
    return load(always) + load_demanded(each for each in ON_DEMAND if name in ("", each.name))


def _within_limits(each: Registered, make: Callable[[str, Any], Any]) -> Any:
    from anchorecli.analyzers.limits import apart, with_limits

    own, values = apart(each.options)
    return with_limits(make(own, _class(each)), each.options, values)


def _class(each: Registered) -> Any:
    from importlib import import_module

    module, _, cls = each.cls.rpartition(".")
    return getattr(import_module(f"anchorecli.analyzers.{module}"), cls)


def __getattr__(name: str) -> Any:
    """``ANALYZERS``: all of them, for whoever lists them."""
    if name == "ANALYZERS":
        return load()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

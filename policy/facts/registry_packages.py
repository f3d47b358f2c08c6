"""What the gates ``npms`` and ``ruby_gems`` share: the image's packages against what their registry knows of them.

Their messages are those of Anchore Engine, and so are the ids: the md5 over them. Since a message may name the newest
version, or all there are, such an id ends with the registry's next release; ``<trigger>+<name>-<version>`` is an id
that lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from anchorecli.errors import VersionError
from anchorecli.model import OfficialPackage, Package, Problem
from anchorecli.policy.base import Evidence, Fire, Fires, Parameter, Trigger
from anchorecli.policy.facts.wording import counted
from anchorecli.policy.language.parameters import Arguments

_HINT = "Run `anchore feeds sync packages`."
_NEEDS_FEED = (
    "Without the packages feed nothing is decided, and the evidence is incomplete. Packages that belong to one of the "
    "distribution's are left out: its versions are not the registry's. "
)
_SILENT = (
    "With compat: anchore-engine silent where the feed knows none of the image's packages, as the original is. "
    "<trigger>+<name>-<version> is an id too, which the registry's next release does not change."
)


_Check = Callable[["Registry", Package, Mapping[str, OfficialPackage], bool], str]
"""Says what is wrong with a package, empty where nothing is; the flag is ``Arguments.compat``."""


class Registry(NamedTuple):
    """One registry: its gate, the purl type (which is also its version scheme), the words of its messages and the
    names of its triggers."""

    gate: str
    kind: str
    noun: str
    """As in ``Gem Package is blacklisted``."""
    not_latest: str
    newer: str
    unknown: str
    bad_version: str
    blacklist: str

    def triggers(self) -> tuple[Trigger, ...]:
        """The five triggers of the gate."""
        return (
            self._feed_trigger(
                self.newer,
                "A package is not the latest version that the registry has.",
                _newer,
                "A version newer than the latest release does not fire; with compat: anchore-engine every other "
                "version does. " + _SILENT,
            ),
            self._feed_trigger(self.unknown, "The registry has no package of that name.", _unknown, _SILENT),
            self._feed_trigger(
                self.bad_version, "The registry has the package, but never had that version.", _bad_version, _SILENT
            ),
            Trigger(
                self.blacklist,
                "A package that must not be there is. Needs no feed.",
                lambda evidence, arguments: _blacklist(self, evidence, arguments),
                (
                    Parameter("name", "string", "Name of the package.", required=True, example=_EXAMPLES[self.kind]),
                    Parameter("version", "string", "Only this version.", example="1.2.3"),
                ),
                looks_at=self._looked_at,
            ),
            Trigger(
                "feed_data_unavailable",
                f"There are {self.kind} packages, and the packages feed has no data for {self.kind}.",
                lambda evidence, arguments: _unavailable(self, evidence, arguments),
                notes=f"Silent for an image without {self.kind} packages; with compat: anchore-engine it fires there "
                "too, as the original does.",
                looks_at=self._looked_at,
            ),
        )

    def _feed_trigger(self, name: str, description: str, fire: _Check, notes: str) -> Trigger:
        def decide(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
            packages = _to_look_up(self, evidence)
            official = evidence.enrichment.official.get(self.kind)
            if official is None:
                if packages:
                    message = (
                        f"rule {arguments.rule_id} could not be decided: it needs the packages feed for {self.kind}"
                    )
                    yield Problem("policy", f"{self.gate}.{name}", message, _HINT)
                return
            unasked = frozenset(evidence.enrichment.unasked.get(self.kind, ()))
            if late := sorted({package.name for package in packages} & unasked):
                about = f"rule {arguments.rule_id} could not be decided for {_named(late)}"
                message = f"{about}: the packages feed is older than the image"
                yield Problem("policy", f"{self.gate}.{name}", message, _HINT)
                packages = [package for package in packages if package.name not in unasked]
            if arguments.compat and not any(package.name in official for package in packages):
                return
            for package in packages:
                message = fire(self, package, official, arguments.compat)
                if message:
                    also = (f"{name}+{package.name}-{package.version}",)
                    yield Fire(message, also=also, purl=package.purl)

        return Trigger(name, description, decide, notes=_NEEDS_FEED + notes, looks_at=self._looked_at)

    def _looked_at(self, evidence: Evidence, _arguments: Arguments) -> str:
        return counted(len(_present(self, evidence)), f"{self.kind} package")


def _named(names: list[str]) -> str:
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} others" if more > 0 else "")


_EXAMPLES = {"npm": "event-stream", "gem": "rest-client"}


def _newer(registry: Registry, package: Package, official: Mapping[str, OfficialPackage], compat: bool) -> str:
    known = official.get(package.name)
    if known is None or not known.latest or package.version == known.latest:
        return ""
    if not compat and not _is_older(package, known.latest):
        return ""
    return (
        f"{registry.not_latest}Package ({package.name}) version ({package.version}) installed but is not the latest "
        f"version ({known.latest})"
    )


def _unknown(registry: Registry, package: Package, official: Mapping[str, OfficialPackage], _compat: bool) -> str:
    if package.name in official:
        return ""
    upper = registry.kind.upper()
    return f"{upper}NOTOFFICIAL Package ({package.name}) in container but not in official {upper} feed."


def _bad_version(registry: Registry, package: Package, official: Mapping[str, OfficialPackage], _compat: bool) -> str:
    known = official.get(package.name)
    if known is None or package.version in known.versions:
        return ""
    return (
        f"{registry.kind.upper()}BADVERSION Package ({package.name}) version ({package.version}) installed but version "
        f"is not in the official feed for this package ({list(known.versions)})"
    )


def _blacklist(registry: Registry, evidence: Evidence, arguments: Arguments) -> Fires:
    name, version = arguments.text("name"), arguments.text("version")
    found = [package for package in _present(registry, evidence) if package.name == name]
    if version:
        found = [package for package in found if package.version == version]
    if not found:
        return ()
    shown = f"{name}-{version}" if version else name
    return (Fire(f"{registry.noun} Package is blacklisted: {shown}", purl=found[0].purl),)


def _unavailable(registry: Registry, evidence: Evidence, arguments: Arguments) -> Fires:
    if registry.kind in evidence.enrichment.official or not (arguments.compat or _to_look_up(registry, evidence)):
        return ()
    return (
        Fire(
            f"{registry.noun} packages are present but the anchore {registry.kind} feed is not available - "
            "will be unable to perform checks that require feed data"
        ),
    )


def _present(registry: Registry, evidence: Evidence) -> list[Package]:
    return [package for package in evidence.analysis.packages if package.type == registry.kind]


def _to_look_up(registry: Registry, evidence: Evidence) -> list[Package]:
    """The packages whose versions are the registry's: those of the distribution have its own."""
    return [package for package in _present(registry, evidence) if not package.owner]


def _is_older(package: Package, latest: str) -> bool:
    """Whether a version is older; one that nobody can read is only known to be another."""
    from anchorecli.versions import compare

    try:
        return compare(package.scheme, package.version, latest) < 0
    except VersionError:
        return True

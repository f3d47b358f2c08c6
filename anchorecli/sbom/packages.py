"""Components of documents become packages, by their package URLs and by what else is said of them.

What another tool's document says of a source package stands in the URL (``upstream``) or in facts; the whole version of
an rpm is put together from the URL's version and its ``epoch``. Of what this program wrote itself nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from anchorecli.legible import MAX_TEXT, cleaned, is_bounded, is_text
from anchorecli.model import DiffId, Location, Package, Problem
from anchorecli.sbom.contents import Component, Contents
from anchorecli.sbom.purls import Purl, parse
from anchorecli.values import replace
from anchorecli.versions import SCHEMES

_SCHEMES = {
    "alpm": "pacman",
    "bitnami": "semver",
    "conan": "semver",
    "ebuild": "portage",
    "github": "semver",
    "githubactions": "semver",
    "golang": "go",
    "opkg": "deb",
    "pear": "composer",
    "pub": "semver",
    "pypi": "pep440",
    "swift": "semver",
}
"""purl type → scheme of version, where it is not called as the type is; all others are compared loosely."""
_JOINED = {"maven": ":"}
_NO_NAMESPACE = frozenset({"deb", "rpm", "apk", "alpm", "opkg"})
"""Types whose namespace is the distribution, no part of the name."""
_IMAGES = frozenset({"oci", "docker"})
_SOURCE_RPM = re.compile(r"(?P<name>.+)-(?P<version>[^-]+-[^-]+)\.(?:no)?src\.rpm")
_DIGEST = re.compile(r"[a-z0-9]+:[0-9a-f]+")
_UNKNOWN = frozenset({"", "unknown", "noassertion", "none", "null", "<nil>"})
_SOME = 3


class Assembled(NamedTuple):
    """The packages of a document, their URLs, and what could not be made of it."""

    packages: tuple[Package, ...]
    purls: tuple[Purl, ...]
    problems: tuple[Problem, ...]


def assembled(contents: Contents) -> Assembled:
    """The packages, each once."""
    faults = _Faults()
    found: dict[_Identity, tuple[Package, str]] = {}
    purls: list[Purl] = []
    references: dict[str, Package] = {}
    for component in contents.components:
        purl = parse(component.purl)
        if purl is not None and purl.type in _IMAGES:
            continue
        package = _package(component, purl)
        faults.look(component, purl, package)
        if package is None:
            continue
        if purl is not None:
            purls.append(purl)
        if not is_bounded(package):
            continue
        package = package if is_text(package) else cleaned(package)
        found.setdefault(_identity(package), (package, component.reference))
        if component.reference and references.setdefault(component.reference, package) != package:
            faults.twice.append(component.reference)
    owned = _owned(found.values(), contents.owners, references)
    return Assembled(owned, tuple(purls), tuple(faults.problems(contents.nameless)))


_Identity = tuple[object, ...]


def _identity(package: Package) -> _Identity:
    return (package.type, package.name, package.version, package.arch, package.purl, package.locations)


def _owned(
    found: Iterable[tuple[Package, str]], owners: Mapping[str, str], references: Mapping[str, Package]
) -> tuple[Package, ...]:
    """The packages with those that own their files, where the document says it of references."""

    def with_owner(package: Package, reference: str) -> Package:
        owner = references.get(owners.get(reference, ""))
        return replace(package, owner=owner.purl) if owner and not package.owner else package

    return tuple(with_owner(package, reference) for package, reference in found)


def _package(component: Component, purl: Purl | None) -> Package | None:
    """None for what has no name or no kind."""
    facts = component.facts
    kind = facts.get("type") or (purl.type if purl else component.type)
    # A package URL can spell a zero, which no store keeps.
    name = _name(component, purl, kind).replace("\0", "")
    if not kind or not name:
        return None
    qualifiers = purl.qualifiers if purl else {}
    version = (component.version if component.own else _version(component.version, purl)).replace("\0", "")
    source, source_version = _source(component, qualifiers, kind)
    return Package(
        name=name,
        version=version,
        type=kind,
        scheme=facts.get("scheme") or (kind if kind in SCHEMES else _SCHEMES.get(kind, "fuzzy")),
        purl=component.purl or facts.get("purl", ""),
        arch=facts.get("arch") or qualifiers.get("arch", ""),
        source=source or name,
        source_version=source_version or version,
        licenses=component.licenses,
        cpes=component.cpes,
        locations=tuple(map(_location, component.locations)),
        layer=DiffId(digest_in(facts.get("layer:diff_id", ""))),
        owner=facts.get("owner", ""),
        analyzer=facts.get("analyzer", "") or "sbom",
        vendor=component.vendor,
        module=facts.get("module") or qualifiers.get("rpmmod", ""),
        size=_size(facts.get("size", "")),
        metadata={name[9:]: value for name, value in facts.items() if name.startswith("metadata:")},
    )


def digest_in(text: str) -> str:
    """A digest as a document has it; empty for what is none."""
    return text if _DIGEST.fullmatch(text) else ""


def _location(stated: Location) -> Location:
    return stated if digest_in(stated.layer) == stated.layer else replace(stated, layer=DiffId(""))


def _name(component: Component, purl: Purl | None, kind: str) -> str:
    """By the URL; a component's own spelling where it differs in case alone, since a URL may not keep that."""
    if purl is None or (component.own and component.name):
        return component.name
    name = purl.name
    if purl.namespace and kind not in _NO_NAMESPACE:
        name = f"{purl.namespace}{_JOINED.get(kind, '/')}{name}"
    if kind == "golang" and purl.subpath:
        name = f"{name}/{purl.subpath}"
    spelled = component.name.replace("_", "-").lower() == name.replace("_", "-").lower()
    return component.name if spelled else name


def _version(stated: str, purl: Purl | None) -> str:
    version = purl.version if purl else ""
    epoch = purl.qualifiers.get("epoch", "0") if purl else "0"
    if not version:
        return "" if stated.lower() in _UNKNOWN else stated
    if epoch not in ("0", "") and ":" not in version and purl and purl.type in ("rpm", "deb"):
        version = f"{epoch}:{version}"
    return "" if version.lower() in _UNKNOWN else version


def _source(component: Component, qualifiers: Mapping[str, str], kind: str) -> tuple[str, str]:
    """Name and version of what it was built from; empty where nothing is said."""
    facts = component.facts
    if component.own:
        return facts.get("source:name", ""), facts.get("source:version", "")
    upstream = qualifiers.get("upstream", "") or facts.get("source:rpm", "")
    if kind == "rpm" and (found := _SOURCE_RPM.fullmatch(upstream)):
        return found["name"], found["version"]
    if "source:name" in facts:
        return facts["source:name"], facts.get("source:version", "")
    if kind in _NO_NAMESPACE:
        name, _, version = upstream.partition("@")
        return name, version
    return "", ""


def _size(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


class _Faults:
    """What is wrong with components, counted."""

    def __init__(self) -> None:
        self.no_version: list[str] = []
        self.no_kind: list[str] = []
        self.unreadable: list[str] = []
        self.twice: list[str] = []
        self.endless: list[str] = []
        self.illegible: list[str] = []

    def look(self, component: Component, purl: Purl | None, package: Package | None) -> None:
        """Note what is wrong with one."""
        if component.purl and purl is None and not component.own:
            self.unreadable.append(component.purl[:100])
        elif package is None:
            self.no_kind.append(component.name[:100] or component.reference[:100])
        if package is not None and not package.version:
            self.no_version.append(component.name[:100])
        if package is not None and not is_bounded(package):
            self.endless.append(ascii(package.name[:50]))
        elif package is not None and not is_text(package):
            self.illegible.append(ascii(package.name[:100]))

    def problems(self, nameless: int) -> Iterable[Problem]:
        """A problem for each fault."""
        hint = "make the SBOM again with package URLs, or scan the image"
        if self.no_kind:
            message = f"{_count(self.no_kind)} without a package URL: their kind is not known, they are not matched"
            yield Problem("analyze", "components", message + _some(self.no_kind), hint)
        if self.unreadable:
            message = f"{_count(self.unreadable)} with package URLs that cannot be read"
            yield Problem("analyze", "components", message + _some(self.unreadable), hint)
        if self.endless:
            message = f"{_count(self.endless)} left out: a name or version of more than {MAX_TEXT} characters"
            yield Problem("analyze", "components", message + _some(self.endless), hint)
        if self.illegible:
            message = f"{_count(self.illegible)} with characters that are no text, so that nothing is known of them"
            yield Problem("analyze", "components", message + _some(self.illegible), hint)
        if self.no_version:
            # No gap: whatever a feed says of their names is a match of the verdict unknown.
            message = f"{_count(self.no_version)} without a version: which vulnerabilities they have cannot be told"
            yield Problem("analyze", "components", message + _some(self.no_version), hint, incomplete=False)
        if nameless:
            yield Problem("analyze", "components", f"{nameless} without a name", hint)
        if self.twice:
            message = f"{_count(self.twice)} have the identifier of another"
            yield Problem("analyze", "components", message + _some(self.twice), incomplete=False)


def _count(found: list[str]) -> str:
    return f"{len(found)} component{'s' if len(found) > 1 else ''}"


def _some(found: list[str]) -> str:
    return f" ({', '.join(found[:_SOME])}{', …' if len(found) > _SOME else ''})"

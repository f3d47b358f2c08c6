"""Which distribution a document's packages are of, from what tools say of it.

Tools have their own words: Trivy calls RHEL ``redhat``; a package URL has ``distro=debian-12``, or with some tools the
version alone beside the namespace.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from anchorecli.model import Distro, ImagePath, Problem
from anchorecli.sbom.contents import text, word
from anchorecli.sbom.purls import Purl

_LABEL = re.compile(r"(?P<id>[a-z][a-z0-9._-]*?)(?:-(?P<version>v?\d[^-]*))?", re.IGNORECASE)
_NAMES = {
    "alma": "almalinux",
    "amazon": "amzn",
    "azure": "azurelinux",
    "cbl-mariner": "mariner",
    "opensuse.leap": "opensuse-leap",
    "opensuse.tumbleweed": "opensuse-tumbleweed",
    "oracle": "ol",
    "redhat": "rhel",
    "red": "rhel",
    "suse linux enterprise server": "sles",
    "slem": "sle-micro",
}
_OS_TYPES = frozenset({"deb", "rpm", "apk", "alpm"})
_ROLLING = frozenset({"arch", "chainguard", "minimos", "opensuse-tumbleweed", "wolfi"})


def named(name: str, version: str, pretty: str = "", facts: Mapping[str, str] | None = None) -> Distro | None:
    """A distribution by the words of a tool; None without a name."""
    facts = facts or {}
    identifier = word(name).lower()
    if not identifier:
        return None
    return Distro(
        id=_NAMES.get(identifier, identifier.replace(" ", "-")),
        version_id=word(version),
        name=text(facts.get("distro:name", "")),
        codename=text(facts.get("distro:codename", "")),
        like=tuple(text(facts.get("distro:like", "")).split()),
        pretty_name=text(pretty),
        source=ImagePath(text(facts.get("distro:source", ""))),
        base_codename=text(facts.get("distro:base_codename", "")),
    )


def chosen(said: Iterable[Distro], purls: Iterable[Purl]) -> tuple[Distro | None, list[Problem]]:
    """What the document says, else what most package URLs say; and a remark where that is not all."""
    candidates = list(said)
    labels = Counter(found for purl in purls if (found := _of_purl(purl)) is not None)
    counted = [distro for distro, _ in labels.most_common()]
    distro = next(iter((*candidates, *counted)), None)
    if distro is None:
        return None, []
    others = sorted({_called(each) for each in (*candidates, *counted) if not _same(each, distro)})
    if not others:
        return distro, []
    named_too = ", ".join(others[:5])
    message = f"packages of several distributions: taken for {_called(distro)}; also named: {named_too}"
    return distro, [Problem("analyze", "distribution", message, "scan the image itself", cause="unknown_distro")]


def _of_purl(purl: Purl) -> Distro | None:
    if purl.type not in _OS_TYPES:
        return None
    label = purl.qualifiers.get("distro", "")
    if label[:1].isdigit():
        return named(purl.namespace, label)
    found = _LABEL.fullmatch(label)
    name, version = (found["id"], found["version"] or "") if found else ("", "")
    # A name alone says too little: Debian without a version is one that is not out yet.
    return named(name, version) if name and (version or name in _ROLLING or "distro_name" in purl.qualifiers) else None


def _same(one: Distro, other: Distro) -> bool:
    """Whether they may be one: some tools know 12 where others know 12.5."""
    if one.id != other.id:
        return one.id in other.like or other.id in one.like
    return (
        not one.version_id
        or not other.version_id
        or f"{one.version_id}.".startswith(f"{other.version_id}.")
        or f"{other.version_id}.".startswith(f"{one.version_id}.")
    )


def _called(distro: Distro) -> str:
    return f"{distro.id} {distro.version_id}".strip()

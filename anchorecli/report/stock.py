"""What all SBOM formats say alike: who is who, what no field of theirs holds, and what could not be looked at.

Facts without a field are pairs of a name and a text; the readers of ``anchorecli.sbom`` make the same packages of them
again. Their names: ``analyzer``, ``type`` and ``purl`` (where no purl can say them), ``scheme``, ``arch``,
``source:name``, ``source:version``, ``module``, ``owner``, ``layer:diff_id``, ``size``, ``metadata:…``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import chain
from urllib.parse import quote
from uuid import UUID

from anchorecli import piecewise
from anchorecli.model import Distro, Image, Package, Problem
from anchorecli.report.identity import package_id, package_order
from anchorecli.report.instructions import instruction

PREFIX = "anchore:"
"""Begins the names of facts where they stand among other tools' facts."""

_PLAIN_SCHEMES = {"pypi": "pep440", "golang": "go"}
"""Schemes of version that a package's type implies where they have not the same name."""

_PURL = re.compile(r"pkg:[a-z][a-z0-9.+-]*/[!-~]+")
_HASHES = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+")


def references(packages: Iterable[Package]) -> list[tuple[str, Package]]:
    """Each package in order with its name in the document: its stable id, numbered where two would share one."""
    taken: dict[str, int] = {}
    found: list[tuple[str, Package]] = []
    for package in sorted(packages, key=package_order):
        identifier = package_id(package)
        taken[identifier] = taken.get(identifier, 0) + 1
        suffix = f"-{taken[identifier]}" if taken[identifier] > 1 else ""
        found.append((f"{package.type}-{identifier}{suffix}", package))
    return found


def serial(head: str, distro: Distro | None, named: Sequence[tuple[str, Package]]) -> UUID:
    """What tells a document from others: equal for equal heads (what it is about, as text), distributions, packages."""
    digest = sha256()
    packages = piecewise.sequence(Package, tuple(package for _, package in named))
    for part in chain((head, repr(distro)), packages):
        digest.update(f"{len(part)}:{part}".encode("utf-8", "surrogatepass"))
    return UUID(digest.hexdigest()[:32], version=5)


def owned(named: Iterable[tuple[str, Package]]) -> dict[str, list[str]]:
    """Owner → the packages whose files it owns, by their names in the document; those without an owner below ``""``."""
    named = list(named)
    by_purl = {package.purl: reference for reference, package in reversed(named) if package.purl}
    found: dict[str, list[str]] = {"": []}
    for reference, package in named:
        owner = by_purl.get(package.owner, "") if package.owner else ""
        found.setdefault("" if owner == reference else owner, []).append(reference)
    return found


def facts(package: Package) -> list[tuple[str, str]]:
    """What no field of a format holds; nothing is said twice."""
    kind, purl, scheme = package.type, package.purl, package.scheme
    usable = is_purl(purl)
    found = [
        ("analyzer", package.analyzer),
        ("type", "" if usable and purl.startswith(f"pkg:{kind}/") else kind),
        ("purl", "" if usable else purl),
        ("scheme", "" if scheme in (kind, _PLAIN_SCHEMES.get(kind)) else scheme),
        ("arch", "" if f"arch={package.arch}" in purl else package.arch),
        ("source:name", package.source if package.source != package.name else ""),
        ("source:version", package.source_version if package.source_version != package.version else ""),
        ("module", package.module),
        ("owner", package.owner),
        ("layer:diff_id", package.layer),
        ("size", str(package.size) if package.size else ""),
    ]
    if package.metadata:
        found += [(f"metadata:{key}", value) for key, value in sorted(package.metadata.items())]
    return [(name, text(value)) for name, value in found if value]


def image_facts(image: Image) -> list[tuple[str, str]]:
    """The image's own, layer by layer."""
    found = [
        ("image:id", image.annotations.get("anchore.sbom.subject.id") or image.image_id),
        ("image:digest", image.digest or image.annotations.get("anchore.sbom.subject.digest", "")),
        ("image:index_digest", image.index_digest),
        ("image:platform", str(image.config.platform)),
        ("image:transport", image.origin if image.is_only_files else ""),
    ]
    for index, layer in enumerate(image.layers):
        found += [
            (f"layer:{index}:diff_id", layer.diff_id),
            (f"layer:{index}:digest", layer.digest),
            (f"layer:{index}:instruction", instruction(layer.instruction)),
        ]
    return [(name, text(value)) for name, value in found if value]


def gaps(problems: Iterable[Problem]) -> list[tuple[str, str]]:
    """What could not be looked at, so that an incomplete document does not look complete: a JSON object each."""
    return [
        (
            f"problem:{index}",
            json.dumps(
                {
                    "stage": problem.stage,
                    "subject": text(problem.subject),
                    "message": text(problem.message),
                    "hint": text(problem.hint),
                    "incomplete": problem.incomplete,
                    "cause": problem.cause,
                }
            ),
        )
        for index, problem in enumerate(sorted(set(problems)))
    ]


def incomplete(problems: Iterable[Problem]) -> bool:
    """Whether something in the image could not be looked at."""
    return any(problem.incomplete for problem in problems)


def said(package: Package) -> str:
    """Where the package is recorded, in words."""
    paths = ", ".join(f"/{location.path}" for location in package.locations)
    return f"found by {package.analyzer or 'anchore'}{f' in {paths}' if paths else ''}"


def hashes(metadata: Mapping[str, str]) -> list[tuple[str, str]]:
    """(algorithm, hex digest) of the package's archive, where they are known."""
    return [
        (name, digest)
        for name, length in _HASHES.items()
        if (digest := metadata.get(name, "").lower()) and len(digest) == length and _HEX.fullmatch(digest)
    ]


def contact(vendor: str) -> tuple[str, str]:
    """Name and address of ``Somebody <some@body>``; the address may be empty."""
    name, mark, rest = vendor.partition("<")
    address, closed, after = rest.partition(">")
    if not mark or not closed or after.strip() or "@" not in address or " " in address.strip() or not name.strip():
        return vendor.strip(), ""
    return name.strip(), address.strip()


def is_purl(purl: str) -> bool:
    """Whether every reader can be given it."""
    return _PURL.fullmatch(purl) is not None


def image_purl(image: Image) -> str:
    """``pkg:oci/debian@sha256:…?repository_url=docker.io/debian``; empty without a registry's digest."""
    ref = image.ref
    name = ref.repository.rpartition("/")[2].lower()
    if not image.digest or not name:
        return ""
    qualifiers = {
        "arch": image.config.platform.architecture,
        "repository_url": f"{ref.registry}/{ref.repository}".lower(),
        "tag": ref.tag,
    }
    query = "&".join(f"{key}={quote(text(value), safe='/:')}" for key, value in qualifiers.items() if value)
    return f"pkg:oci/{quote(text(name))}@{quote(text(image.digest), safe=':')}?{query}"


def image_name(image: Image) -> str:
    """What the image is called in the document; of an SBOM that is written anew, what it is about."""
    return text(image.annotations.get("anchore.sbom.subject") or image.ref.name or image.ref.original)


def image_version(image: Image) -> str:
    """Its digest; of an SBOM that is written anew, the one it claims."""
    return image.digest or text(image.annotations.get("anchore.sbom.subject.digest", "")) or image.image_id


def text(value: str) -> str:
    """What is no character (a byte that is not UTF-8) escaped: documents may only hold characters."""
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()

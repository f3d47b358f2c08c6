"""Installed R packages, by their DESCRIPTION.

Format: https://cran.r-project.org/doc/manuals/r-release/R-exts.html#The-DESCRIPTION-file , fields as of Debian's
control files; ``Built: R 4.2.2; x86_64-pc-linux-gnu; …``, which R's installer adds, tells an installed package from its
source.

Emits: packages of the type ``cran``, with licences.

Not handled: packages of Bioconductor have versions of their own kind, but are told as CRAN's.
"""

from __future__ import annotations

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.purl import purl
from anchorecli.model import Json, Package
from anchorecli.values import dataclass

MAX_BYTES = 1024 * 1024
MAX_VALUE = 300

_WANTED = {b"package", b"version", b"license", b"built", b"priority", b"repository"}
_FILE = ("+ file LICENSE", "+ file LICENCE", "| file LICENSE", "| file LICENCE")


@dataclass(frozen=True, slots=True)
class RPackages:
    """Packages in R's libraries, its own (priority ``base``) among them.

    A fact is ``package``, ``version``, ``license``, ``built``, ``priority`` and ``repository``, those that are there.
    """

    name: str = "r"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(names=frozenset({"DESCRIPTION"}), max_bytes=MAX_BYTES)

    def read(self, file: LayerFile) -> Json | None:
        """The few fields of an installed package; nothing of other files under that name."""
        fact = read_description(file.data())
        return fact if {"package", "version", "built"} <= fact.keys() else None

    def assemble(self, view: View) -> Found:
        """A package for each DESCRIPTION of an installed one."""
        return Found(packages=tuple(_package(view, fact) for fact in view.facts()))


def read_description(data: bytes) -> dict[str, str]:
    """The wanted fields, in lower case; whatever the bytes are, it does not raise."""
    found: dict[str, str] = {}
    key = ""
    for line in data.splitlines():
        if line[:1] in (b" ", b"\t"):
            if key and len(found[key]) < MAX_VALUE:
                found[key] = f"{found[key]} {printable(line).strip()}".strip()[:MAX_VALUE]
            continue
        name, colon, value = line.partition(b":")
        key = name.lower().decode() if colon and name.lower() in _WANTED else ""
        if key in found:
            key = ""
        elif key:
            found[key] = printable(value).strip()[:MAX_VALUE]
    return {key: value for key, value in found.items() if value}


def _package(view: View, fact: Fact) -> Package:
    name, version = fact.value["package"], fact.value["version"]
    metadata = {key: fact.value[key] for key in ("priority", "repository") if key in fact.value}
    text = fact.value.get("license", "")
    for ending in _FILE:
        text = text.removesuffix(ending).strip()
    # R: "GPL-2 | GPL-3" is a choice.
    licenses = [part.strip() for part in text.split("|") if part.strip() and not part.strip().startswith("file ")]
    return Package(
        name=name,
        version=version,
        type="cran",
        scheme="cran",
        purl=purl("cran", name, version),
        source=name,
        source_version=version,
        licenses=normalise(licenses),
        locations=(view.location(fact),),
        layer=since(view, fact),
        analyzer="r",
        metadata=metadata,
    )

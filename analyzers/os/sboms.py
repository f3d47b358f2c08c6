"""What bills of materials in an image say is in it, where nothing else tells.

Format: SPDX 2 and 3, CycloneDX (JSON and XML) and Syft JSON, as ``anchorecli.sbom`` reads them, in files that are
called as such documents are (``*.spdx.json``, ``*.cdx.json``, ``bom.json`` …), in ``.dist-info/sboms`` of
Python packages (PEP 770: the libraries a wheel brings) and in directories that distributions keep for them
(``var/lib/db/sbom``, ``usr/share/sbom``, ``opt/docker/sbom``).

A document is second-hand evidence. What was found by itself is not repeated: a package of the distribution's own
manager by its name, whatever version the document has, others by name and version; such a one gets the document's
licences where it has none, and names the document (``documented``). What remains says so (``evidence: sbom``), and what
a wheel brings whose copy it is (``bundled_by``).

Emits: packages of the types that package URLs name (``deb``, ``rpm``, ``apk``, ``npm``, ``pypi`` and all others), each
marked as what a document says.

Not handled: components that the document itself leaves out of what runs (``scope`` excluded or optional: the crates
that only a build needed), components without a package URL, sources (``github``, downloads of ``generic``), files;
documents below ``node_modules`` and among test data; documents inside of archives. Bitnami's are read by their own
analyzer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants
from anchorecli.analyzers.documents import bound_json
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.limits import Limit, Limits
from anchorecli.analyzers.second_hand import BUNDLED, DOCUMENT, OS_TYPES
from anchorecli.errors import AnchoreError, LimitError
from anchorecli.model import Json, Package, Problem
from anchorecli.values import dataclass, replace

MAX_BYTES = 32 * 1024 * 1024
MAX_TEXT = 16 * 1024 * 1024
"""Of a document that is no JSON."""
MOST_LINES = 500_000
"""Elements and attributes of XML, lines of tags: each takes some hundred bytes."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
LIMITS = Limits("sboms", (Limit("components", 100_000, "components in one document"),))

_ENDS = (
    *(".spdx.json", ".spdx", ".spdx3.json", ".cdx.json", ".cdx.xml", ".cyclonedx.json", ".cyclonedx.xml"),
    *(".syft.json", ".sbom.json", ".bom.json"),
)
_NAMES = frozenset({"bom.json", "bom.xml", "sbom.json", "sbom.xml", "sbom.spdx.json", "sbom"})
_PLACES = re.compile(r"\.dist-info/sboms/[^/]+$|^(?:var/lib/db|usr/share|usr/local/share|opt/docker)/sbom/")
_ELSEWHERE = re.compile(
    r"(?:^|/)(?:node_modules|tests?|testdata|test-fixtures|fixtures|__tests__|examples|golden)/|^opt/bitnami/"
)
_SOURCES = frozenset({"github", "gitlab", "bitbucket", "oci", "docker"})


def _wanted(path: str, _size: int, _mode: int) -> bool:
    base = path[path.rfind("/") + 1 :]
    if not (base in _NAMES or base.endswith(_ENDS) or _PLACES.search(path)):
        return False
    return _ELSEWHERE.search(path) is None


def _is_certain(path: str) -> bool:
    """Whether a file of this name is a document and nothing else."""
    return path.endswith((".spdx.json", ".cdx.json", ".cyclonedx.json", ".cdx.xml")) or bool(_PLACES.search(path))


@dataclass(frozen=True, slots=True)
class SbomAnalyzer:
    """Documents about what is in an image.

    A fact is ``form`` (``CycloneDX 1.6 by syft 1.18``), ``rows`` (package URL, name, version, type, licences, vendor)
    and ``left`` (how many components have no package URL); or ``fault``, why a document could not be read.
    """

    name: str = "sboms"
    version: int = 2
    options: str = ""
    wants: Wants = Wants(
        names=frozenset({"sbom"}),
        suffixes=frozenset({".json", ".spdx", ".xml"}),
        parents=frozenset({"sbom", "sboms"}),
        match=_wanted,
        max_bytes=MAX_BYTES,
    )
    limits: Limits = LIMITS

    def read(self, file: LayerFile) -> Json | None:
        """The components of one document; None where it is none and need not be one."""
        from anchorecli.sbom.cyclonedx_xml import TooMuchError
        from anchorecli.sbom.document import contents_of

        data = file.data()
        _bound(data)
        if data.count(b"PackageName:") > self.limits["components"]:
            raise self.limits.exceeded("components")
        try:
            contents = contents_of(file.path, data)
        except TooMuchError as exc:
            raise LimitError(f"{exc.message.removeprefix(f'{file.path} ')} (a fixed limit)") from None
        except AnchoreError as exc:
            return {"fault": exc.message.removeprefix(f"{file.path} ")} if _is_certain(file.path) else None
        if len(contents.components) > self.limits["components"]:
            raise self.limits.exceeded("components")
        rows: list[Json] = []
        left = contents.nameless
        for each in contents.components:
            if not each.installed:
                continue
            if each.purl:
                rows.append([each.purl, each.name, each.version, each.type, list(each.licenses), each.vendor])
            else:
                left += 1
        said = " by ".join(filter(None, (contents.form, contents.tool)))
        return {"form": said, "rows": rows, "left": left} if rows or left else None

    def assemble(self, view: View) -> Found:
        """A package for each component that is one and was not found by itself; ``ownership`` joins the rest."""
        found: dict[str, Package] = {}
        problems: list[Problem] = []
        for fact in view.facts():
            problems += _problems(fact)
            for package in _packages(view, fact):
                first = found.setdefault(package.purl, package)
                if first is not package:
                    found[package.purl] = replace(first, locations=(*first.locations, *package.locations))
        return Found(packages=tuple(found.values()), problems=tuple(problems))


def _bound(data: bytes) -> None:
    """Raises: LimitError for a document that takes more memory than there may be used."""
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"{", b"[")) or data[:2] in _UTF16:
        bound_json(data)
        return
    marks = (b"<", b'="', b"='") if start.startswith(b"<") else (b"\n", b"\r")
    lines = sum(map(data.count, marks)) - data.count(b"</")
    if lines > MOST_LINES:
        raise LimitError(f"more than {MOST_LINES} elements or lines in one document (a fixed limit)")
    if len(data) > MAX_TEXT:
        raise LimitError(f"more than {MAX_TEXT} bytes of XML or tags in one document (a fixed limit)")


def _problems(fact: Fact) -> Iterator[Problem]:
    if "fault" in fact.value:
        yield Problem("analyze", fact.path, f"not read: {fact.value['fault']}", incomplete=False)
    elif left := fact.value["left"]:
        message = f"{left} of {left + len(fact.value['rows'])} components have no package URL: they are not listed"
        yield Problem("analyze", fact.path, message, incomplete=False)


def _packages(view: View, fact: Fact) -> Iterator[Package]:
    from anchorecli.sbom.contents import Component, Contents
    from anchorecli.sbom.packages import assembled

    contents = Contents("")
    for purl, name, version, kind, licenses, vendor in fact.value.get("rows", ()):
        contents.components.append(Component(name, version, purl, "", kind, vendor, tuple(licenses)))
    layer, where = since(view, fact), (view.location(fact),)
    for package in assembled(contents).packages:
        if not package.version or package.type in _SOURCES or "download_url=" in package.purl:
            continue
        yield replace(
            package,
            # Case does not count in the scheme.
            purl="pkg" + package.purl[3:],
            licenses=normalise(package.licenses),
            locations=where,
            layer=layer,
            analyzer="sboms",
            metadata={"evidence": DOCUMENT, **_distribution(package), **_bundled(fact.path)},
        )


def _bundled(path: str) -> dict[str, str]:
    """Whose own copy it is: that of a Python package's wheel."""
    wheel = path.partition(".dist-info/sboms/")
    return {BUNDLED: wheel[0].rpartition("/")[2].partition("-")[0]} if wheel[1] else {}


def _distribution(package: Package) -> dict[str, str]:
    """Of which distribution it is, as its package URL says: ``almalinux-8`` in ``distro=almalinux-8``."""
    label = package.purl.partition("distro=")[2].partition("&")[0]
    if not label and package.type in OS_TYPES:
        label = package.purl.split("/")[1] if package.purl.count("/") > 1 else ""
    return {"distribution": label} if label else {}

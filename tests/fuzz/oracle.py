"""What has to hold of whatever an analyzer found: it can be kept, read again, and written in every format.

The cheap questions are asked of each file. Which of the dear ones (a format, the library's own reading of package URLs)
is asked is told by the file's bytes, so that a file always gets the same answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cyclonedx.validation.xml import XmlValidator
from jsonschema import Draft202012Validator

from anchorecli import codec
from anchorecli.analyzers.base import Found
from anchorecli.analyzers.second_hand import DOCUMENT
from anchorecli.errors import VersionError
from anchorecli.model import Analysis, Distro, Image, ImageRef, Package, Problem
from anchorecli.report import formats
from anchorecli.report.base import RenderOptions
from anchorecli.report.text import clean
from anchorecli.sbom import read_sbom
from anchorecli.sbom.purls import MAX_LENGTH
from anchorecli.sbom.purls import parse as parse_purl
from anchorecli.scan.analysis import inventory
from anchorecli.tree import LayerIndex, Tree
from anchorecli.values import fields
from anchorecli.versions import key
from tests.report.samples import NOW
from tests.report.test_json import SCHEMA

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_APART = {"packages", "distro", "owned", "problems", "looked_for"}


def judge(found: Found, problems: Iterable[Problem], image: Image, choice: int) -> None:
    """Assert it of all that was found in one file. ``choice``: any number; it tells what is asked besides."""
    others = {name: tuple(getattr(found, name)) for name in _on_demand()}
    looked_for = dict(found.looked_for)
    judge_analysis(
        Analysis(image, found.distro, tuple(found.packages), tuple(problems), looked_for=looked_for, **others), choice
    )


def judge_analysis(analysis: Analysis, choice: int) -> None:
    """The same of an image, or of what a document says of one."""
    documented = "sbom" in analysis.analyzers
    for package in analysis.packages:
        check_package(package, documented=documented)
    if analysis.distro is not None:
        check_distro(analysis.distro)
    which, rest = choice % 4, choice // 4
    if which == 0:
        assert codec.read_lasting(Analysis, codec.write_lasting(Analysis, analysis)) == analysis
    elif which == 1:
        for package in analysis.packages[:20]:
            if package.metadata.get("evidence") != DOCUMENT and not documented:
                # What a document says is left as it stands.
                _check_with_library(package)
    elif which == 2:
        _written(analysis, rest)


@cache
def _on_demand() -> tuple[str, ...]:
    shared = {field.name for field in fields(Found)} & {field.name for field in fields(Analysis)}
    return tuple(sorted(shared - _APART))


def check_package(package: Package, *, documented: bool = False) -> None:
    """Its name and version are text of one line, and its package URL leads back to it. ``documented``: as somebody's
    document has it, who may know no version and no package URL."""
    assert documented or (package.name.strip() and package.version.strip() and package.purl), package
    texts = (package.name, package.version, package.purl, package.source, package.source_version, package.arch)
    assert not _CONTROL.search(" ".join(texts)), package
    "".join((*package.licenses, *package.cpes, *package.depends, *package.provides)).encode()
    try:
        hash(key(package.scheme, package.version))
    except VersionError as error:
        assert str(error)
    if len(package.purl) <= MAX_LENGTH and not documented:
        read = parse_purl(package.purl)
        assert read is not None, package
        assert read.name, package


def check_distro(distro: Distro) -> None:
    """It is known by a name, of text that can be shown."""
    assert distro.id, distro
    assert not _CONTROL.search(distro.id + distro.version_id), distro


def check_index(index: LayerIndex) -> None:
    """The paths of a layer are inside of it, they can be kept, and links among them lead to an end."""
    for path in index.paths:
        assert path and path[0] != "/" and "\0" not in path, path
        assert not {"", ".", ".."} & set(path.split("/")), path
    again = LayerIndex.read(iter(index.pieces()))
    assert (again.paths, "".join(again.kinds), again.targets) == (index.paths, "".join(index.kinds), index.targets)
    assert list(again.sizes) == list(index.sizes)
    tree = Tree([index, again])
    for path in index.paths[:50]:
        tree.resolve(path)


def _check_with_library(package: Package) -> None:
    """The specification's own reader sees what ours sees."""
    from packageurl import PackageURL

    if len(package.purl) > MAX_LENGTH:
        return
    ours, theirs = parse_purl(package.purl), PackageURL.from_string(package.purl)
    assert ours is not None
    assert (ours.type, ours.version) == (theirs.type, theirs.version or ""), package


# ── formats ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _written(analysis: Analysis, choice: int) -> None:
    """One of the formats takes it, and its own reader reads what was written."""
    name, accepts = FORMATS[choice % len(FORMATS)]
    subject = "report" if name in formats("report") else "sbom"
    text = formats(subject)[name].render(inventory(analysis, NOW), RenderOptions(timestamp=NOW))
    # What is not UTF-8 could not be written to any file.
    text.encode()
    accepts(text, analysis)


def _report(text: str, analysis: Analysis) -> None:
    """It is what its published schema says."""
    Draft202012Validator(SCHEMA).validate(json.loads(text))


def _cyclonedx(text: str, analysis: Analysis) -> None:
    fault = _of_cyclonedx().validate_str(text)
    assert fault is None, str(fault)


@cache
def _of_cyclonedx() -> XmlValidator:
    # The schema of the XML says more of texts than the one of the JSON does.
    from cyclonedx.schema import SchemaVersion

    return XmlValidator(SchemaVersion.V1_6)


def _lines(text: str, analysis: Analysis) -> None:
    assert text.isprintable() or not _CONTROL.search(text.replace("\n", "").replace("\t", ""))


def _again(text: str, analysis: Analysis) -> None:
    """Scanning our own SBOM finds the packages that were found in the image."""
    assert isinstance(json.loads(text), dict)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "bom.json"
        file.write_text(text)
        read = read_sbom(ImageRef("sbom", str(file), path=str(file)))
    for identities in (_texts, _purls):
        differ = identities(read.packages) ^ identities(analysis.packages)
        assert not differ, sorted(differ)


def _texts(packages: Iterable[Package]) -> set[tuple[str, str]]:
    """As a document keeps them, which may part a name in two and strip both; a package URL too long to be one is not
    read."""
    bare = ((clean(each.name), clean(each.version), each.purl) for each in packages)
    return {
        (name.replace(" ", ""), version.replace(" ", "")) for name, version, purl in bare if len(purl) <= MAX_LENGTH
    }


def _purls(packages: Iterable[Package]) -> set[str]:
    return {each.purl for each in packages if len(each.purl) <= MAX_LENGTH}


FORMATS: tuple[tuple[str, Callable[[str, Analysis], None]], ...] = (
    ("json", _report),
    ("cyclonedx-json", _again),
    ("cyclonedx-xml", _cyclonedx),
    ("spdx-json", _again),
    ("spdx-tv", _lines),
    ("syft-json", _again),
    ("purls", _lines),
    ("packages", _lines),
    ("csv", _lines),
    ("markdown", _lines),
)
"""Formats with what their texts have to be."""

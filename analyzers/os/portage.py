"""Packages installed by Gentoo's portage.

Format: the "VDB", ``var/db/pkg/CATEGORY/NAME-VERSION/`` with one file per fact; what is needed is in the path (names
and versions as of https://projects.gentoo.org/pms/8/pms.html, chapter 3), in ``CONTENTS`` (``obj PATH MD5 MTIME``,
``sym PATH -> TARGET MTIME``, ``dir PATH``), ``LICENSE`` (PMS 7.2: names, ``|| ( A B )``, ``use? ( A )``) and ``SIZE``.

Emits: packages of the type ``ebuild``, with slot where it is told, licences, size, and the paths each owns.

Not handled: what a package was built with (``USE``, ``DEPEND``), binary packages that are still packed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants
from anchorecli.analyzers.documents import text_pieces
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.os.filelist import Paths, gathered
from anchorecli.analyzers.purl import purl
from anchorecli.model import Json, Package
from anchorecli.values import dataclass

MAX_BYTES = 64 * 1024 * 1024
MAX_TOKENS = 500
PLACE = "var/db/pkg/"


def _wanted(path: str, _size: int, _mode: int) -> bool:
    before, found, below = path.rpartition(PLACE)
    return bool(found) and below.count("/") == 2 and (not before or before.endswith("/"))


@dataclass(frozen=True, slots=True)
class PortageAnalyzer:
    """portage's packages.

    A fact is the paths of a CONTENTS as one text, a line each; the words of a LICENSE; the bytes of a SIZE.
    """

    name: str = "portage"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(names=frozenset({"CONTENTS", "LICENSE", "SIZE"}), match=_wanted, max_bytes=MAX_BYTES)

    def read(self, file: LayerFile) -> Json | None:
        """One file's fact."""
        if file.path.endswith("/CONTENTS"):
            return gathered(map("\n".join, map(_installed, text_pieces(file.data(), b"\n"))))
        text = printable(file.data()[:10_000]).strip()
        if file.path.endswith("/SIZE"):
            return int(text) if text.isdecimal() and len(text) < 19 else None
        return text or None

    def assemble(self, view: View) -> Found:
        """A package for each directory with CONTENTS and a name that has a version."""
        packages, owned = [], {}
        for fact in view.facts():
            if not fact.path.endswith("/CONTENTS"):
                continue
            root, _, below = fact.path.rpartition(PLACE)
            category, directory, _ = below.split("/")
            name, version = split_name(directory)
            # -MERGING-dev-libs: portage was interrupted there.
            if not version or directory.startswith("-MERGING-"):
                continue
            package = _package(view, fact, f"{category}/{name}", version)
            packages.append(package)
            owned[package.purl] = Paths((fact.value,) if fact.value else (), root.rstrip("/"))
        return Found(packages=tuple(packages), owned=owned)


def split_name(directory: str) -> tuple[str, str]:
    """Name and version with its revision: ``bash`` and ``5.1_p16-r6`` of ``bash-5.1_p16-r6``."""
    found = _pattern().search(directory)
    return (directory[: found.start()], found[1]) if found else (directory, "")


def licenses(text: str) -> list[str]:
    """The licences as expressions: what stands in ``|| ( )`` is a choice, all others hold."""
    found: list[str] = []
    groups: list[tuple[bool, list[str]]] = [(False, found)]
    choice = False
    for word in text.split()[:MAX_TOKENS]:
        if word == "||":
            choice = True
        elif word == "(":
            groups.append((choice, []))
            choice = False
        elif word == ")" and len(groups) > 1:
            either, names = groups.pop()
            inside = f" {'OR' if either else 'AND'} ".join(names)
            if names:
                groups[-1][1].append(f"({inside})" if len(names) > 1 and len(groups) > 1 else inside)
        elif not word.endswith("?") and word not in "()":
            groups[-1][1].append(word)
    return [name for _, names in groups for name in names] if len(groups) > 1 else found


def _pattern() -> re.Pattern[str]:
    # Compiled only where there is portage; ``re`` keeps it.
    suffix = r"(?:_(?:alpha|beta|pre|rc|p)\d*)*"
    return re.compile(r"-(\d+(?:\.\d+)*[a-z]?" + suffix + r"(?:-r\d+)?)$")


def _installed(piece: str) -> Iterator[str]:
    for line in piece.split("\n"):
        if line.startswith("obj "):
            # A path may hold blanks; digest and time do not.
            yield line[4:].rsplit(" ", 2)[0].strip("/")
        elif line.startswith("sym "):
            yield line[4:].partition(" -> ")[0].strip("/")


def _package(view: View, fact: Fact, name: str, version: str) -> Package:
    directory = fact.path.removesuffix("CONTENTS")
    licence, size = view.fact(directory + "LICENSE"), view.fact(directory + "SIZE")
    category, _, short = name.partition("/")
    distro = view.distro
    qualifiers = {"distro": f"{distro.id}-{distro.version_id}".rstrip("-")} if distro else {}
    return Package(
        name=name,
        version=version,
        type="ebuild",
        scheme="portage",
        purl=purl("ebuild", short, version, qualifiers, namespace=category),
        source=name,
        source_version=version,
        licenses=normalise(licenses(licence.value) if licence else []),
        locations=(view.location(fact),),
        layer=since(view, fact),
        analyzer="portage",
        size=size.value if size else 0,
    )

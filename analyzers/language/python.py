"""Installed Python distributions, by the metadata their installer left beside them.

Format: core metadata (https://packaging.python.org/en/latest/specifications/core-metadata/) in
``*.dist-info/METADATA``, ``*.egg-info/PKG-INFO``, ``*.egg-info`` as a file (distutils) and ``*.egg/EGG-INFO/PKG-INFO``;
``direct_url.json`` (PEP 610) and ``INSTALLER`` (PEP 376) of a dist-info directory. A line of it: ``Version: 2.31.0``.

Left out: the copies installers keep for the next installation (uv's ``archive-v0``, Conda's ``pkgs``), an interrupted
pip's ``~ame``, a package's own test data: nothing can be imported from there.

Emits: packages of the type ``pypi``, with licences, where each was installed from, and who installed it.

Not handled: eggs that are still zip files, wheels that nobody installed, copies without metadata (``pip/_vendor``),
lock files and requirements.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants
from anchorecli.analyzers.language.core_metadata import read_direct_url, read_metadata
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import identifier, normalise
from anchorecli.analyzers.purl import purl
from anchorecli.errors import LimitError
from anchorecli.model import ImagePath, Json, Package, Problem
from anchorecli.tree import Tree
from anchorecli.values import dataclass

MAX_BYTES = 16 * 1024 * 1024
"""The long description stands in the same file; a megabyte of it is common enough."""

_METADATA = {"METADATA", "PKG-INFO"}
_ORIGIN = {"direct_url.json", "INSTALLER"}
_RUNS = re.compile(r"[-_.]+")
_LIBRARY = re.compile(r"/(?:site|dist)-packages/")
_TEST_DATA = {"test", "tests", "testdata"}
_UV_CACHE = re.compile(r"(?:^|/)archive-v\d+/[^/]+$")
_CONDA_CACHE = re.compile(r"(?:^|.*/)pkgs/[^/]+")
_EGG_TAG = re.compile(r"-py\d+(?:\.\d+)?(?:-.+)?$")


class Place(NamedTuple):
    """What the path of a distribution's metadata says by itself."""

    directory: str
    """What is on ``sys.path``: ``usr/lib/python3/dist-packages``."""
    marker: str
    """The dist-info or egg-info below it, be it a directory or a file: ``six-1.16.0.dist-info``."""

    @classmethod
    def of(cls, path: str) -> Place | None:
        """Take a path apart; None where it is no metadata of a distribution."""
        head, _, base = path.rpartition("/")
        parent, _, marker = head.rpartition("/")
        if base.endswith(".egg-info"):
            place = cls(head, base)
        elif marker.endswith(".dist-info" if base in _ORIGIN or base == "METADATA" else ".egg-info"):
            place = cls(parent, marker)
        elif marker == "EGG-INFO" and parent.endswith(".egg") and base == "PKG-INFO":
            directory, _, marker = parent.rpartition("/")
            place = cls(directory, marker)
        else:
            return None
        return place

    def importable(self, tree: Tree) -> bool:
        """Whether it is where Python may look."""
        if self.marker.startswith("~") or _UV_CACHE.search(self.directory):
            return False
        inside = _LIBRARY.split(f"/{self.directory}/")[1:]
        if inside and not _TEST_DATA.isdisjoint(inside[-1].split("/")):
            return False
        cached = _CONDA_CACHE.match(self.directory)
        return not cached or f"{cached[0]}/info/index.json" not in tree

    @property
    def identity(self) -> tuple[str, str]:
        """Name and version by the marker's own name, either empty where it does not say."""
        stem, _, suffix = self.marker.rpartition(".")
        if suffix != "dist-info":
            stem = _EGG_TAG.sub("", stem)
        name, _, version = stem.partition("-")
        # PEP 440: "no-version" is a name.
        return (name, version) if version[:1].isdigit() else (stem, "")


@dataclass(frozen=True, slots=True)
class Python:
    """Distributions in every site-packages, dist-packages, venv or ``--target`` directory of the image.

    A fact is one file's: ``name``, ``version``, ``license``, ``expression``, ``classifiers``, ``requires`` (only what
    is there) of metadata; ``url``, ``vcs``, ``commit``, ``editable`` or ``error`` of direct_url.json; ``installer``.
    """

    name: str = "python"
    version: int = 2
    options: str = ""
    wants: Wants = Wants(
        names=frozenset(_METADATA | _ORIGIN),
        suffixes=frozenset({".egg-info"}),
        match=lambda path, size, mode: Place.of(path) is not None,
        max_bytes=MAX_BYTES,
    )

    def read(self, file: LayerFile) -> Json | None:
        """The few fields of one file; damage shows as what is missing, and ``assemble`` tells of it."""
        base = file.path.rpartition("/")[2]
        if base == "INSTALLER":
            words = file.data()[:100].decode("utf-8", "replace").split()
            return {"installer": words[0]} if words else None
        if base == "direct_url.json":
            try:
                return read_direct_url(file.data())
            except LimitError:
                raise
            except ValueError as exc:
                return {"error": str(exc)}
        return read_metadata(file.data())

    def assemble(self, view: View) -> Found:
        """One package for each distribution in each directory, however many forms of metadata it has there."""
        # Where the facts stand, and not the facts: there may be a hundred thousand of them.
        distributions: dict[tuple[str, str, str], list[ImagePath]] = {}
        problems: list[Problem] = []
        for fact in view.facts():
            place = Place.of(fact.path)
            if place is None or not place.importable(view.tree):
                continue
            if fact.path.rpartition("/")[2] in _ORIGIN:
                problems.extend(_origin_problems(fact))
                continue
            name, version = _identity(fact, place)
            problems.extend(_metadata_problems(fact, name, version))
            if name and version and not _is_interpreter(name, place):
                distributions.setdefault((place.directory, normalised(name), version), []).append(fact.path)
        packages = tuple(_package(view, paths) for paths in distributions.values())
        return Found(packages=packages, problems=tuple(problems))


def normalised(name: str) -> str:
    """The name as PEP 503 compares it: lower case, each run of ``-_.`` one hyphen."""
    return _RUNS.sub("-", name).lower()


def _identity(fact: Fact, place: Place) -> tuple[str, str]:
    name, version = place.identity
    return fact.value.get("name") or name, fact.value.get("version") or version


def _is_interpreter(name: str, place: Place) -> bool:
    """Distributions ship the interpreter's own egg-info; the interpreter is a package of another kind."""
    return name == "Python" and place.marker.endswith(".egg-info")


def _metadata_problems(fact: Fact, name: str, version: str) -> list[Problem]:
    lacking = " and no ".join(field for field in ("name", "version") if not fact.value.get(field))
    if not lacking:
        return []
    if name and version:
        return [Problem("analyze", fact.path, f"no {lacking} in it: read as {name} {version}, by its directory's name")]
    hint = "the package it stands for is missing; reinstall it, or remove what is left of it"
    return [Problem("analyze", fact.path, f"no {lacking} in it, nor in its directory's name", hint)]


def _origin_problems(fact: Fact) -> list[Problem]:
    error = fact.value.get("error")
    if not error:
        return []
    return [Problem("analyze", fact.path, error, "where the package was installed from is unknown", incomplete=False)]


def _package(view: View, paths: list[ImagePath]) -> Package:
    # A dist-info directory is what installers write today: where egg-info stands beside it, it is the one to believe.
    paths.sort(key=lambda path: (not path.endswith("/METADATA"), path))
    facts = [fact for path in paths if (fact := view.fact(path)) is not None]
    place = Place.of(facts[0].path)
    assert place is not None  # noqa: S101 - what has none was never collected
    name, version = _identity(facts[0], place)
    key = normalised(name)
    origin = _origin(view, place)
    if name != key:
        origin["name"] = name
    qualifiers = {}
    if "commit" in origin:
        qualifiers["vcs_url"] = f"{origin['vcs']}+{origin['direct_url']}@{origin['commit']}"
    licenses = next((found for fact in facts if (found := _licenses(fact.value))), ())
    return Package(
        name=key,
        version=version,
        type="pypi",
        scheme="pep440",
        purl=purl("pypi", key, version, qualifiers=qualifiers),
        source=key,
        source_version=version,
        licenses=licenses,
        locations=tuple(view.location(fact) for fact in facts),
        layer=since(view, facts[0]),
        analyzer="python",
        metadata=origin,
        depends=tuple(dict.fromkeys(normalised(each) for each in facts[0].value.get("requires", ()))),
    )


def _licenses(value: Json) -> tuple[str, ...]:
    """The expression, which is exact by its nature; else the first of field and classifiers that has a certain meaning.

    Where neither has, what the author wrote in the field, else the classifiers' words.
    """
    if value.get("expression"):
        return normalise([value["expression"]])
    field = [value["license"]] if value.get("license") else []
    classifiers = [text.rpartition("::")[2].strip() for text in value.get("classifiers", ())]
    choices = [texts for texts in (field, classifiers) if texts]
    certain = (texts for texts in choices if all(identifier(text) for text in texts))
    return normalise(next(certain, choices[0] if choices else []))


def _origin(view: View, place: Place) -> dict[str, str]:
    """What is known of where a distribution came from, for those who must not take it for the index's release."""
    root = f"{place.directory}/{place.marker}" if place.directory else place.marker
    metadata = {}
    if (url := view.fact(f"{root}/direct_url.json")) and "url" in url.value:
        metadata["direct_url"] = url.value["url"]
        metadata.update({key: url.value[key] for key in ("vcs", "commit") if key in url.value})
        if url.value.get("editable"):
            metadata["editable"] = "true"
    if installer := view.fact(f"{root}/INSTALLER"):
        metadata["installer"] = installer.value["installer"]
    above, vendor, _ = f"/{place.directory}/".rpartition("/_vendor/")
    if vendor:
        metadata["vendored_by"] = above.rpartition("/")[2]
    return metadata

"""Maven artifacts out of Java archives, however deep, and out of the Maven metadata of unpacked ones.

Format: https://docs.oracle.com/en/java/javase/17/docs/specs/jar/jar.html and the archives built upon it: war, ear,
OSGi bundles, Spring Boot's jars of jars, Jenkins plugins. One inside another is located as
``app.jar:BOOT-INF/lib/spring-core-5.3.20.jar``, with the file that holds it as second location.

Emits: packages of the type ``maven``, with licences; ``group-from`` says where a group name does not come from Maven.

Not handled: versions of classes that were merged into a jar without their Maven metadata (a remark names the libraries
that are known by their directories), and archives that are not called so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.language.java import pom
from anchorecli.analyzers.language.java.contents import ARCHIVES, CERTAIN, LIMITS, Contents
from anchorecli.analyzers.language.java.identity import Archive, Artifact
from anchorecli.analyzers.language.java.repository import JARS, coordinates
from anchorecli.analyzers.language.java.zip import BadZip, Window
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.limits import Limits
from anchorecli.analyzers.purl import purl
from anchorecli.errors import LimitError
from anchorecli.model import ImagePath, Json, Location, Package, Problem
from anchorecli.values import dataclass

MAX_BYTES = 4 * 1024 * 1024 * 1024
FAULTS = 5
"""So many damaged inner archives of one file are named, the others counted."""

_TEST_DATA = "/testdata/"
"""Go's name for what no program is made of. Its toolchain brings damaged zip files there."""
_UNPACKED = re.compile(r"(?:^|/)META-INF/maven/([^/]+)/([^/]+)/pom\.properties$")
_SBT = re.compile(r"(?:^|/)org\.scala-lang\.scala3?-library(?:_3)?-\d[^/]*\.jar$")
"""What the directory of an application has in which sbt put the group before every jar's name."""
_SIZED = re.compile(r"-(\d{3,10})(\.jar)$")
# A directory of build output has the same files as the jar that was made of it.
_BUILD = re.compile(r"(?:^|/)(?:target|build)/(?:classes|test-classes|maven-archiver|resources/main)/")


@dataclass(frozen=True, slots=True)
class Java:
    """Artifacts of jar, war, ear and the like, and of unpacked applications.

    A fact is ``{"archives": […]}`` as ``Contents`` makes them; of a pom.properties outside of an archive it is
    ``{"pom": {"group", "artifact", "version"}}``.
    """

    name: str = "java"
    version: int = 8
    options: str = ""
    wants: Wants = Wants(
        names=frozenset({"pom.properties"}),
        suffixes=frozenset((*ARCHIVES, *(ending.upper() for ending in ARCHIVES))),
        match=lambda path, size, mode: not path.endswith("/pom.properties") or _UNPACKED.search(path) is not None,
        max_bytes=MAX_BYTES,
    )
    limits: Limits = LIMITS

    def read(self, file: LayerFile) -> Json | None:
        """The evidence of one archive and those in it; what is damaged in it makes the fact a partial one."""
        if file.path.endswith("pom.properties"):
            return _unpacked(file)
        certain = file.path.lower().endswith(CERTAIN)
        if not file.size or (not certain and file.head(2) != b"PK"):
            return None
        contents = Contents(file.path, self.limits)
        try:
            with file.open() as stream:
                contents.read(Window(stream, 0, file.size))
        except BadZip as error:
            if not certain and _TEST_DATA in f"/{file.path}":
                return None
            contents.faults.insert(0, str(error))
        except LimitError as error:
            contents.hit.insert(0, str(error))
        fact = {"archives": contents.archives}
        if contents.faults or contents.hit:
            return partial(fact, _told(contents.faults), _told(contents.hit))
        return fact if contents.archives else None

    def assemble(self, view: View) -> Found:
        """A package for each artifact in each archive; a remark of the archives that nothing tells the name of."""
        facts = list(view.facts())
        unpacked = tuple(each for fact in facts if "pom" in fact.value for each in _of_directory(view, fact))
        found = found_in(view, ((fact, fact.value["archives"]) for fact in facts if "archives" in fact.value))
        return Found(packages=unpacked + found.packages, problems=found.problems)


def found_in(view: View, archives: Iterable[tuple[Fact, list[Json]]]) -> Found:
    """What the archives of some facts (as ``Contents`` makes them) amount to."""
    packages: list[Package] = []
    nameless: list[str] = []
    locked: list[str] = []
    merged: dict[str, list[str]] = {}
    links: Mapping[str, tuple[str, str, str]] | None = None
    listed = list(archives)
    grouped = {fact.path.rpartition("/")[0] for fact, _ in listed if _SBT.search(fact.path)}
    for fact, evidences in listed:
        if links is None and fact.path.startswith(JARS):
            links = coordinates(view.tree)
        # A program may be called "tool-1.0", of which nothing is an ending.
        name = fact.path if fact.path.lower().endswith(ARCHIVES) else f"{fact.path}.jar"
        name = _without_size(view, fact, name)
        for evidence in evidences:
            archive = Archive(evidence, name, grouped=fact.path.rpartition("/")[0] in grouped)
            artifacts = archive.artifacts(None if evidence["in"] or not links else links.get(fact.path))
            packages.extend(_package(view, fact, evidence["in"], each) for each in artifacts)
            if "locked" in evidence:
                locked.append(_joined(fact.path, evidence["in"]))
            if archive.anonymous and not artifacts:
                nameless.append(_joined(fact.path, evidence["in"]))
            if libraries := archive.merged():
                merged[_joined(fact.path, evidence["in"])] = libraries
    return Found(packages=tuple(packages), problems=(*_nameless(nameless), *_locked(locked), *_untold(merged)))


def _without_size(view: View, fact: Fact, name: str) -> str:
    """A jar's path as Maven would name it: of those called the same, Jib puts each one's size behind the version."""
    found = _SIZED.search(name)
    stat = view.tree.stat(fact.path) if found else None
    return name[: found.start()] + found[2] if found and stat is not None and int(found[1]) == stat.size else name


def _unpacked(file: LayerFile) -> Json | None:
    found = pom.read_properties(file.head(pom.MAX_BYTES))
    if _BUILD.search(file.path) or not {"groupId", "artifactId", "version"} <= found.keys():
        return None
    return {"pom": {"group": found["groupId"], "artifact": found["artifactId"], "version": found["version"]}}


def _told(faults: list[str]) -> str:
    more = f" … and {len(faults) - FAULTS} more" if len(faults) > FAULTS else ""
    return "; ".join(faults[:FAULTS]) + more


def _of_directory(view: View, fact: Fact) -> Iterator[Package]:
    found = fact.value["pom"]
    if "${" not in found["version"] + found["group"]:
        artifact = Artifact(found["group"], found["artifact"], found["version"], "unpacked", "maven")
        yield _package(view, fact, "", artifact)


def _package(view: View, fact: Fact, inside: str, artifact: Artifact) -> Package:
    name = f"{artifact.group}:{artifact.artifact}" if artifact.group else artifact.artifact
    metadata = {"kind": artifact.kind}
    if artifact.evidence != "maven":
        metadata["group-from"] = artifact.evidence or "nothing"
    if artifact.path:
        metadata["directory"] = artifact.path
    place = view.location(fact)
    locations: tuple[Location, ...] = (place,)
    if inside:
        locations = (Location(ImagePath(_joined(fact.path, inside)), place.layer), place)
    return Package(
        name=name,
        version=artifact.version,
        type="maven",
        scheme="maven",
        purl=purl("maven", artifact.artifact, artifact.version, namespace=artifact.group),
        source=name,
        source_version=artifact.version,
        licenses=normalise(artifact.licenses),
        locations=locations,
        layer=since(view, fact),
        analyzer="java",
        metadata=metadata,
    )


def _joined(path: str, inside: str) -> str:
    return f"{path}:{inside}" if inside else path


def _nameless(paths: list[str]) -> Iterator[Problem]:
    if paths:
        some = ", ".join(paths[:3]) + (", …" if len(paths) > 3 else "")
        message = f"{len(paths)} with classes and without a version in Maven metadata, manifest or file name: {some}"
        yield Problem("analyze", "Java archives", message, "nothing is known of them", incomplete=False)


def _locked(paths: list[str]) -> Iterator[Problem]:
    if paths:
        some = ", ".join(paths[:3]) + (", …" if len(paths) > 3 else "")
        hint = "nothing is known of what lies in them"
        yield Problem("analyze", "encrypted archives", f"{len(paths)} not looked into: {some}", hint, incomplete=False)


def _untold(merged: dict[str, list[str]]) -> Iterator[Problem]:
    if merged:
        some = "; ".join(f"{path} ({', '.join(libraries)})" for path, libraries in list(merged.items())[:3])
        message = f"{len(merged)} with classes of libraries that no metadata tell the version of: {some}"
        more = "; …" if len(merged) > 3 else ""
        yield Problem("analyze", "merged Java libraries", message + more, "nothing is known of them", incomplete=False)

"""Which Maven artifacts an archive is and holds, by the evidence that ``contents`` gathered.

In order of trust: ``META-INF/maven`` (written by Maven itself), the file's name (Maven's, Gradle's and sbt's rule), the
manifest. A jar may hold the Maven metadata of what was merged into it: the one that the file's name or the manifest
speaks of is the archive itself, the others are embedded.

A group that no metadata says comes from the tables of ``groups``, the manifest, or the package of the classes;
``Artifact.evidence`` tells which, since the last is a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from anchorecli.analyzers.language.java import filename, groups
from anchorecli.analyzers.language.java.merged import untold
from anchorecli.analyzers.licenses import identifier

PLUGINS = (".hpi", ".jpi")

_TOP = frozenset(
    "com org net io edu gov mil int info biz dev app me co uk de fr eu ch at nl it es pl cz ru cn jp kr in br ca au us"
    " tech cloud software systems ai sh xyz se no fi dk be tv cc java javax jakarta".split()
)
_GROUP = re.compile(r"[A-Za-z][\w-]*(?:\.[A-Za-z_][\w-]*)+")
_ARTIFACT = re.compile(r"[A-Za-z0-9_][\w.+-]{0,199}")
_VERSION = re.compile(r"[vV]?(\d[\w.+~-]{0,99})")
_BUILD = re.compile(r"-release-\d+$")
"""What Kotlin's manifests add: 1.4.10-release-411 is Maven's 1.4.10."""
_IVY = re.compile(r"([\w.-]+)#([\w.-]+);")
_NOT_NAMES = frozenset(("app", "application", "main", "classes", "boot", "lib", "root", "target", "server", "jar"))
_GENERIC = frozenset(("api", "client", "common", "core", "impl", "internal", "lib", "model", "param", "sdk", "util"))
_ADDRESSES = {"license-2.0": "Apache-2.0", "epl-v10": "EPL-1.0", "epl-v20": "EPL-2.0", "mit-license": "MIT"}
_TOMCAT = "org.apache.tomcat-"
"""What the symbolic names of Tomcat's interfaces begin with: ``org.apache.tomcat-servlet-api`` of servlet-api.jar."""
_QUARKUS = re.compile(r"(?:^|[/:])lib/(?:main|boot|deployment)/[^/:]+$")
"""Where Quarkus puts what an application depends on."""
_QUARKUS_STARTER = "io.quarkus.bootstrap.runner.QuarkusEntryPoint"
"""The main class of quarkus-run.jar, whose version is the application's."""
_LEAST_GROUP = 2
"""Parts: ``org`` alone is no group."""


class Artifact(NamedTuple):
    """One artifact. ``kind`` is ``archive``, ``embedded`` or ``jenkins-plugin``; ``path`` is inside the archive."""

    group: str
    artifact: str
    version: str
    kind: str
    evidence: str
    """What the group is known from: ``maven``, ``manifest``, ``table``, the file's ``name``, ``classes``, the ``links``
    of a repository, or nothing."""
    licenses: tuple[str, ...] = ()
    path: str = ""


class Archive:
    """The evidence of one archive: a dictionary as ``Contents`` makes them, and the name of its file."""

    def __init__(self, fact: Mapping[str, Any], path: str, *, grouped: bool = False) -> None:
        """``grouped``: whether names of the files beside it begin with their groups."""
        inside: str = fact["in"]
        self._grouped = (grouped and not inside) or _QUARKUS.search(inside or path) is not None
        self.path = inside or path
        self.stem = filename.stem(self.path)
        self.manifest: Mapping[str, str] = fact.get("manifest", {})
        self.poms: Sequence[Mapping[str, Any]] = fact.get("poms", ())
        self.package: str = fact.get("package", "")
        self.classes: int = fact.get("classes", 0)
        self._merged = fact.get("merged", ())
        self._text = (fact["text"],) if "text" in fact else ()
        versions = [pom["version"] for pom in self.poms if pom["version"]] + list(_stated_versions(self.manifest))
        self.name = filename.split(self.stem, versions)

    def artifacts(self, links: tuple[str, str, str] | None = None) -> list[Artifact]:
        """The archive itself first, where it is known; then what is embedded in it.

        ``links`` is what a Maven repository that points to the file calls it: group, artifact and version.
        """
        # SonarQube's and PF4J's plugins have a version too; a short name only Jenkins' build writes.
        if self.path.lower().endswith(PLUGINS) or {"plugin-version", "short-name"} <= self.manifest.keys():
            plugin = self._plugin()
            if plugin is not None:
                rest = [each for each in self._embedded(None) if each.artifact != plugin.artifact]
                return [plugin, *rest]
        if not filename.is_code(self.stem) or self._is_part:
            return []
        own = self._own_pom()
        if own is None and links is not None:
            main: Artifact | None = Artifact(*links, "archive", "links", self._licenses())
        else:
            main = self._of_pom(own, "archive") if own is not None else self._by_name()
        found = [main] if main is not None else []
        for each in self._embedded(own):
            if not any((each.group, each.artifact, each.version) == (o.group, o.artifact, o.version) for o in found):
                found.append(each)
        return found

    @property
    def anonymous(self) -> bool:
        """Whether it has classes, and nothing says what it is."""
        return bool(self.classes) and filename.is_code(self.stem) and not self._is_part and not self.artifacts()

    @property
    def _is_part(self) -> bool:
        """Whether it is no library but a part of what is known as a whole: a JDK, an application of Quarkus."""
        if self.stem == "jrt-fs":
            return self.package.startswith("jdk.")
        return self.manifest.get("main-class") == _QUARKUS_STARTER and not self.poms

    def merged(self) -> list[str]:
        """Libraries that have classes in it, and that neither it nor its metadata name."""
        found: Sequence[str] = self._merged
        return untold(found, [each.artifact for each in self.artifacts()], self.package) if found else []

    # ── the archive itself ──────────────────────────────────────────────────────────────────────────────────

    def _own_pom(self) -> Mapping[str, Any] | None:
        """The Maven metadata that speak of the archive itself."""
        candidates = [pom for pom in self.poms if not pom.get("path")]
        ranked = sorted(candidates, key=self._rank, reverse=True)
        if not ranked:
            return None
        best = ranked[0]
        if self._rank(best)[0] > 0:
            return best
        # A file that was renamed (app.jar) says nothing; one with another version in its name speaks of another thing.
        alone = len(candidates) == 1 and self.name.version in ("", best["version"])
        return best if alone and not self._is_variant(best) and not self._says_otherwise(best) else None

    def _rank(self, pom: Mapping[str, Any]) -> tuple[int, int, int]:
        artifact, name = _plain(pom["artifact"]), _plain(self.name.name)
        whole = _plain(f"{pom['artifact']}-{pom['version']}")
        if name in (artifact, f"{_plain(pom['group'])}-{artifact}") or _plain(self.stem).startswith(whole):
            score = 4
        elif self._is_variant(pom):
            score = 0
        elif self._manifest_names(pom):
            score = 3
        elif name.endswith(f"-{artifact}") and self.name.version in ("", pom["version"]):
            score = 2
        else:
            score = 0
        return score, int(self._manifest_names(pom)), len(artifact)

    def _is_variant(self, pom: Mapping[str, Any]) -> bool:
        """Whether the file is called by more than that artifact's name: another that was built beside it."""
        return self.name.version == pom["version"] and _plain(self.name.name).startswith(_plain(pom["artifact"]) + "-")

    def _manifest_names(self, pom: Mapping[str, Any]) -> bool:
        artifact, group = pom["artifact"], pom["group"]
        says = self.manifest
        symbolic = self._symbolic
        if artifact in (says.get("implementation-title"), says.get("short-name"), says.get("extension-name"), symbolic):
            return True
        return symbolic == f"{group}.{artifact}" or group in _groups_of_bundle(symbolic, artifact)

    def _says_otherwise(self, pom: Mapping[str, Any]) -> bool:
        version = next(_stated_versions(self.manifest), "")
        return bool(version) and version != pom["version"] and not _plain(version).startswith(_plain(pom["version"]))

    def _by_name(self) -> Artifact | None:
        """The archive by its file name and manifest, where both a name and a version are to be had."""
        version = self.name.version or next(_stated_versions(self.manifest), "")
        name = self._manifest_name() if self.name.name.lower() in _NOT_NAMES else self.name.name
        group, artifact, evidence = self._coordinates(name, version)
        if not version or not _ARTIFACT.fullmatch(artifact) or artifact.lower() in _NOT_NAMES:
            return None
        return Artifact(group, artifact, version, "archive", evidence, self._licenses())

    def _manifest_name(self) -> str:
        """A name in the manifest that can be an artifact's, for a file that is called by none."""
        for key in ("implementation-title", "bundle-symbolicname", "extension-name", "specification-title"):
            text = self.manifest.get(key, "").partition(";")[0].strip()
            ivy = _IVY.match(self.manifest.get(key, ""))
            if ivy:
                return ivy[2]
            if _ARTIFACT.fullmatch(text) and text == text.lower() and text not in _NOT_NAMES:
                return text
        return ""

    def _coordinates(self, name: str, version: str) -> tuple[str, str, str]:
        """Group, artifact, and what the group is known from."""
        if self.manifest.get("implementation-title") == "Apache Tomcat" or self._symbolic.startswith(_TOMCAT):
            name = groups.in_tomcat(name)
        group, artifact = groups.leading(name)
        if artifact and group and self._grouped and (_GROUP.fullmatch(group) or artifact.startswith(group)):
            return group, artifact, "name"
        # org.parboiled.parboiled_2.13 tells as much, unless a bundle is called so.
        if _repeats(group, artifact) and self._symbolic != name:
            return group, artifact, "name"
        head, _, tail = name.rpartition(".")
        for known in _heads(name):
            if known in groups.groups():
                # org.elasticsearch.plugin.aggs-matrix-stats-client
                longer = len(head) > len(known) and "-" in tail and tail[:1].isalpha() and _GROUP.fullmatch(head)
                group = head if longer else known
                return group, name[len(group) + 1 :], "name" if longer else "table"
        if "-" in tail and _GROUP.fullmatch(head) and head.partition(".")[0] in _TOP:
            return head, tail, "name"  # org.mortbay.jasper.apache-el
        found = [each for each in self._groups(name, version) if each[0]]
        return (found[0][0], name, found[0][1]) if found else ("", name, "")

    def _groups(self, artifact: str, version: str) -> Iterator[tuple[str, str]]:
        """Groups and what they are known from, the surest first."""
        # swagger-annotations-jakarta beside swagger-annotations
        yield next((pom["group"] for pom in self.poms if self._is_variant(pom)), ""), "maven"
        yield groups.known_group(artifact, "", version), "table"
        yield self._manifest_group(artifact), "manifest"
        yield groups.known_group(artifact, self.package, version), "table"
        # Where libraries were merged in, most classes are others'.
        yield groups.known_group(artifact, self.manifest.get("main-class", "").rpartition(".")[0], version), "table"
        symbolic, module = self._symbolic, self.manifest.get("automatic-module-name", "")
        for text, evidence in ((symbolic, "manifest"), (module, "manifest"), (self.package, "classes")):
            yield _up_to_name(text, artifact), evidence
        yield self._makers_group(artifact), "manifest"
        parts = self.package.split(".")[:3]
        if len(parts) >= _LEAST_GROUP and parts[0] in _TOP:
            yield ".".join(parts[:-1] if parts[2:] and parts[2] in _GENERIC else parts), "classes"

    def _manifest_group(self, artifact: str) -> str:
        """The group where the manifest says it together with the artifact."""
        says = self.manifest
        if ivy := _IVY.match(says.get("implementation-title", "")):
            return ivy[1]
        if _GROUP.fullmatch(says.get("group-id", "")):
            return says["group-id"]
        return next(_groups_of_bundle(self._symbolic, artifact), "")

    def _makers_group(self, artifact: str) -> str:
        """The group where the manifest names the maker by a domain."""
        for key in ("implementation-vendor-id", "bundle-symbolicname", "extension-name", "automatic-module-name"):
            text = self.manifest.get(key, "").partition(";")[0].strip()
            if _GROUP.fullmatch(text) and text.partition(".")[0] in _TOP and text != artifact:
                return text
        return ""

    @property
    def _symbolic(self) -> str:
        return self.manifest.get("bundle-symbolicname", "").partition(";")[0].strip()

    def _licenses(self) -> tuple[str, ...]:
        says = self.manifest
        text = says.get("plugin-license-name") or says.get("bundle-license", "")
        # OSGi: name;link="…";description="…", several with commas; often it is a link alone.
        names = [_license(part.partition(";")[0].strip().strip('"')) for part in text.split(",")]
        return tuple(name for name in names if name and name != "<<EXTERNAL>>") or self._text

    # ── what is in it ───────────────────────────────────────────────────────────────────────────────────────

    def _plugin(self) -> Artifact | None:
        """A Jenkins plugin; its manifest is written by the plugins' own build."""
        says = self.manifest
        name = says.get("short-name") or says.get("extension-name") or self.name.name
        own = next((pom for pom in self.poms if pom["artifact"] == name), None)
        version = own["version"] if own else _version(says.get("plugin-version", "")) or self.name.version
        group = says.get("group-id") or (own["group"] if own else "")
        if not version or not _ARTIFACT.fullmatch(name):
            return None
        evidence = "manifest" if says.get("group-id") else "maven"
        licenses = self._licenses() or tuple((own or {}).get("licenses", ()))
        return Artifact(group or "org.jenkins-ci.plugins", name, version, "jenkins-plugin", evidence, licenses)

    def _embedded(self, own: Mapping[str, Any] | None) -> Iterator[Artifact]:
        """The other artifacts; none of those in an archive without a class: their code is elsewhere."""
        if self.classes or self.path.lower().endswith((".war", ".ear", ".zip", *PLUGINS)):
            for pom in self.poms:
                if pom is not own and (found := self._of_pom(pom, "embedded")) is not None:
                    yield found

    def _of_pom(self, pom: Mapping[str, Any], kind: str) -> Artifact | None:
        version = pom["version"]
        if "${" in version or not version:
            stated = next(_stated_versions(self.manifest), "")
            version = (self.name.version or stated) if kind == "archive" else ""
        elif kind == "archive" and self.name.version.startswith(f"{version}."):
            version = self.name.version  # mssql-jdbc-12.6.1.jre11
        group, artifact = pom["group"], pom["artifact"]
        if not version or "${" in group or not _ARTIFACT.fullmatch(artifact):
            return None
        licenses = tuple(pom.get("licenses", ())) or (self._licenses() if kind == "archive" else ())
        return Artifact(group, artifact, version, kind, "maven", licenses, pom.get("path", ""))


def _stated_versions(manifest: Mapping[str, str]) -> Iterator[str]:
    """The versions that a manifest states, the most exact first."""
    for key in ("plugin-version", "implementation-version", "bundle-version", "specification-version"):
        if found := _version(manifest.get(key, "")):
            yield found


def _version(text: str) -> str:
    """The version at the beginning of a text such as ``1.2.3 (2019-01-02)`` or ``Xerces-J 2.12.0``, or empty."""
    for word in text.replace(",", " ").split()[:3]:
        if found := _VERSION.fullmatch(word):
            return _BUILD.sub("", found[1])
    return ""


def _license(text: str) -> str:
    """A licence's name, out of its address where that is all there is: OSGi asks for one."""
    if "://" not in text:
        return text
    name = text.rstrip("/").rpartition("/")[2].lower()
    name = name.removesuffix(".txt").removesuffix(".html").removesuffix(".php")
    return _ADDRESSES.get(name) or identifier(name) or text


def _groups_of_bundle(symbolic: str, artifact: str) -> Iterator[str]:
    """The groups for which Maven's bundle plugin makes this symbolic name of an artifact.

    That is ``group.artifact``, but where the artifact begins with the group's last part, that is written once
    (org.apache.commons and commons-lang3 become ``org.apache.commons.lang3``).
    """
    wanted = _plain(artifact)
    for head in _heads(symbolic):
        tail = _plain(symbolic[len(head) + 1 :])
        last = _plain(head.rpartition(".")[2])
        if head.count(".") + 1 >= _LEAST_GROUP and wanted in (tail, f"{last}-{tail}"):
            yield head
    if _GROUP.fullmatch(symbolic) and _plain(symbolic.rpartition(".")[2]) == wanted:
        yield symbolic


def _repeats(group: str, artifact: str) -> bool:
    """Whether an artifact is called as its group's last part, but for Scala's suffix: a group cannot be told better."""
    last = group.rpartition(".")[2]
    return bool(_GROUP.fullmatch(group)) and artifact.partition("_")[0] == last and group.partition(".")[0] in _TOP


def _up_to_name(text: str, artifact: str) -> str:
    """A dotted name up to the part that the artifact's first word is: resilience4j-core of io.github.resilience4j.core.

    Most projects have their own name both in the group and at the beginning of each artifact.
    """
    word = _plain(artifact).partition("-")[0]
    parts = text.split(".")
    if parts[0] in _TOP and word in parts[1:] and _GROUP.fullmatch(text):
        return ".".join(parts[: parts.index(word, 1) + 1])
    return ""


def _heads(name: str) -> Iterator[str]:
    """What stands before each dot, the longest first."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-").rstrip("-")

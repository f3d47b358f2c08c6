"""One Java archive as evidence: what it and the archives inside it say of themselves, without inflating a class.

Out of each archive come its manifest, the artifacts of ``META-INF/maven``, and in which package most of its classes
are. Which artifact that makes of it is decided elsewhere, so that better rules need no new reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.java import manifest, pom
from anchorecli.analyzers.language.java.merged import signs
from anchorecli.analyzers.language.java.zip import EMPTY, BadZip, Budget, Source, TooLarge, Zip
from anchorecli.analyzers.license_texts import MAX_BYTES, recognised
from anchorecli.analyzers.limits import Limit, Limits
from anchorecli.errors import LimitError
from anchorecli.model import Json

LIMITS = Limits(
    "java",
    (
        Limit("depth", 24, "archives inside each other"),
        Limit("archives", 20_000, "archives in one file"),
        Limit("directory-bytes", 512 * 1024 * 1024, "bytes of directories of the archives in one file"),
        Limit("inflated-bytes", 2 * 1024 * 1024 * 1024, "inflated bytes of what is in one file"),
        Limit("artifacts", 5_000, "Maven artifacts in one file"),
    ),
)
MAX_NAME = 1024

CERTAIN = (".jar", ".war", ".ear", ".jpi", ".hpi")
"""What is called so and is no archive is damaged."""
POSSIBLE = (".par", ".sar", ".nar", ".kar", ".lpkg", ".far", ".rar", ".zap", ".aar", ".zip")
"""Other things are called so too."""
ARCHIVES = CERTAIN + POSSIBLE

MAX_TEXTS = 64 * 1024 * 1024
"""Of one file, its inner archives included: to look through them is what takes time."""
_MAJORITY = 0.75
_ARCHIVES = tuple(ending.encode() for ending in ARCHIVES)
_POM = re.compile(rb"(?:^|/)META-INF/maven/([^/]{1,200})/([^/]{1,200})/pom\.(properties|xml)$")
_TEXTS = frozenset(
    (place + name + ending).encode()
    for place in ("", "META-INF/")
    for name in ("LICENSE", "LICENCE")
    for ending in ("", ".TXT", ".MD")
)
_LONGEST = 32
_VERSIONED = re.compile(rb"^(?:(?:BOOT|WEB)-INF/classes/|META-INF/versions/\d+/)+")


class _Names(NamedTuple):
    """The entries of one archive that matter, by their places in its directory."""

    manifest: int
    properties: dict[tuple[bytes, bytes, bytes], int]
    xml: dict[tuple[bytes, bytes, bytes], int]
    archives: list[tuple[bytes, int]]
    classes: dict[bytes, int]
    text: int
    last: int
    """Any file but a class; -1 where there is none."""
    damage: str


class Contents:
    """Reads the file of that name. ``archives`` is what was found, outermost first, ``faults`` what could not be read,
    ``hit`` the limits that were hit.

    An archive is a dictionary: ``in`` (its path inside the file, empty for the file itself), ``manifest``, ``poms``
    (``group``, ``artifact``, ``version``, ``licenses``, and ``path`` where they stand in a directory of their own),
    ``text`` (the licence of its LICENSE file, where nothing else tells), ``package`` (of most classes) and
    ``classes`` (how many), ``merged`` (libraries by the directories of their classes), ``locked`` (it is encrypted).
    """

    def __init__(self, name: str, limits: Limits = LIMITS) -> None:
        self._name = name
        self.archives: list[dict[str, Json]] = []
        self.faults: list[str] = []
        self.hit: list[str] = []
        self._limits = limits
        self._budget = Budget(limits)
        self._poms = 0
        self._texts = 0

    def read(self, source: Source, path: str = "", depth: int = 0) -> None:
        """Read an archive and those in it. Raises: BadZip for this one, LimitError where the file costs too much."""
        archive = Zip(source, self._budget)
        names = _sorted_out(archive)
        if names.damage:
            self._fault(path, names.damage)
        fact = self._fact(archive, names, path)
        # One without anything to say for itself may have a name that does.
        if names.last >= 0 and archive.locked(names.last):
            fact["locked"] = True
        if fact or (path or self._name).lower().endswith(CERTAIN):
            self.archives.append({"in": path, **fact})
        for name, place in names.archives:
            self._inner(archive, place, f"{path}:{printable(name)}".lstrip(":"), depth + 1)

    def _inner(self, archive: Zip, place: int, path: str, depth: int) -> None:
        try:
            if depth > self._limits["depth"]:
                self._hit(path, self._limits.told("depth"))
                return
            entry = archive.entry(place)
            if not entry.size and entry.packed <= EMPTY:
                return
            inner = archive.open(entry)
            if inner.read(0, 2) != b"PK" and path.lower().endswith(POSSIBLE):
                return
            self.read(inner, path, depth)
        except BadZip as error:
            self._fault(path, str(error))

    def _fact(self, archive: Zip, names: _Names, path: str) -> dict[str, Json]:
        fact: dict[str, Json] = {}
        if names.manifest >= 0:
            data = self._entry(archive, names.manifest, path, manifest.MAX_BYTES)
            if found := manifest.read_manifest(data):
                fact["manifest"] = found
        if poms := list(self._artifacts(archive, names, path)):
            fact["poms"] = poms
        told = "bundle-license" in fact.get("manifest", {}) or any("licenses" in each for each in poms)
        if names.text >= 0 and not told and (licence := recognised(self._text(archive, names.text))):
            fact["text"] = licence
        if names.classes:
            fact["package"], fact["classes"] = common_package(names.classes), sum(names.classes.values())
            if merged := signs(names.classes):
                fact["merged"] = merged
        return fact

    def _artifacts(self, archive: Zip, names: _Names, path: str) -> Iterator[dict[str, Json]]:
        for key in dict.fromkeys((*names.properties, *names.xml)):
            self._poms += 1
            if self._poms > self._limits["artifacts"]:
                raise self._limits.exceeded("artifacts")
            directory, group, artifact = key
            found: dict[str, Json] = {}
            if key in names.properties:
                found = pom.read_properties(self._entry(archive, names.properties[key], path, pom.MAX_BYTES))
            licenses: list[str] = []
            if key in names.xml:
                data = self._entry(archive, names.xml[key], path, pom.MAX_BYTES)
                # Half of them say nothing that the properties do not, and to look through them is what takes time.
                if len(found) < 3 or b"<licenses" in data or "${" in found["version"]:
                    more, licenses = pom.read_pom(data)
                    found.update((name, text) for name, text in more.items() if "${" in found.get(name, "${"))
            # Their directory is called by their names, which is what is left of an empty file.
            fact = {
                "group": found.get("groupId") or printable(group),
                "artifact": found.get("artifactId") or printable(artifact),
                "version": found.get("version", ""),
            }
            if licenses:
                fact["licenses"] = licenses
            if directory:
                fact["path"] = printable(directory)
            yield fact

    def _entry(self, archive: Zip, place: int, path: str, limit: int) -> bytes:
        try:
            entry = archive.entry(place)
            self._take(min(entry.size, limit))
            return archive.read(entry, limit)
        except BadZip as error:
            self._fault(path, str(error))
        except TooLarge as error:
            self._hit(path, str(error))
        return b""

    def _text(self, archive: Zip, place: int) -> bytes:
        """A licence's text; nothing where it cannot be read, since no package depends on it."""
        try:
            entry = archive.entry(place)
            self._take(min(entry.size, MAX_BYTES))
            return archive.read(entry, MAX_BYTES)
        except (BadZip, TooLarge):
            return b""

    def _take(self, size: int) -> None:
        """Note so many bytes of texts. Raises: LimitError."""
        self._texts += size
        if self._texts > MAX_TEXTS:
            raise LimitError(f"more than {MAX_TEXTS} bytes of manifests, poms and licences in one file (a fixed limit)")

    def _fault(self, path: str, message: str) -> None:
        self.faults.append(f"{_shown(path)}: {message}" if path else message)

    def _hit(self, path: str, message: str) -> None:
        self.hit.append(f"{_shown(path)}: {message}" if path else message)


def _shown(path: str) -> str:
    """A path for a message: of a long one the end."""
    return path if len(path) <= MAX_NAME else "…" + path[-MAX_NAME:]


def common_package(classes: dict[bytes, int]) -> str:
    """The package that most classes are in or below, with dots; ``classes`` counts them by directory."""
    left = [(directory.split(b"/"), count) for directory, count in classes.items() if directory]
    total = sum(classes.values())
    parts: list[bytes] = []
    while left:
        counts: dict[bytes, int] = {}
        for directory, count in left:
            counts[directory[len(parts)]] = counts.get(directory[len(parts)], 0) + count
        best = max(counts, key=lambda part: (counts[part], part))
        if counts[best] < _MAJORITY * total:
            break
        left = [each for each in left if each[0][len(parts)] == best and len(each[0]) > len(parts) + 1]
        parts.append(best)
    return printable(b".".join(parts))[:MAX_NAME]


def _sorted_out(archive: Zip) -> _Names:
    properties: dict[tuple[bytes, bytes, bytes], int] = {}
    xml: dict[tuple[bytes, bytes, bytes], int] = {}
    archives: list[tuple[bytes, int]] = []
    manifest_at, text_at, last = -1, -1, -1
    classes, others, damage = archive.entries()
    for name, place in others:
        if not name.endswith(b"/"):
            last = place
        if name.endswith((b"/pom.properties", b"/pom.xml")):
            if found := _POM.search(name):
                key = (name[: found.start()], found[1], found[2])
                (xml if found[3] == b"xml" else properties)[key] = place
        elif name.lower().endswith(_ARCHIVES):
            archives.append((name[:MAX_NAME], place))
        elif manifest_at < 0 and name.upper() == b"META-INF/MANIFEST.MF":
            manifest_at = place
        elif text_at < 0 and len(name) < _LONGEST and name.upper() in _TEXTS:
            text_at = place
    return _Names(manifest_at, properties, xml, archives, _without_versions(classes), text_at, last, damage)


def _without_versions(classes: dict[bytes, int]) -> dict[bytes, int]:
    """The same with the directories left out under which an application or a multi-release jar has its classes."""
    if not any(name.startswith((b"META-INF/", b"BOOT-INF/", b"WEB-INF/")) for name in classes):
        return classes
    merged: dict[bytes, int] = {}
    for name, count in classes.items():
        plain = _VERSIONED.sub(b"", name + b"/").rstrip(b"/")
        merged[plain] = merged.get(plain, 0) + count
    return merged

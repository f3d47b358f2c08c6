"""What dpkg says of its files.

Format: ``info/NAME[:ARCH].md5sums`` and distroless' ``status.d/NAME.md5sums`` (``<md5>  path``, a line each), the field
``Conffiles`` of ``status`` (deb-control(5): a line each of path, md5 and perhaps ``obsolete``), ``diversions``
(dpkg-divert(1): the path, where it is instead, the package that may keep it, a line each) and ``path-exclude`` and
``path-include`` of ``dpkg.cfg`` (dpkg(1): the last pattern that matches counts; ``*`` matches slashes too).

A path that ``.list`` has no more was taken over by another package, as ``Replaces`` allows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import translate

from anchorecli.analyzers.base import Fact, LayerFile, View
from anchorecli.analyzers.demand.expected import Expected, short
from anchorecli.errors import LimitError
from anchorecli.model import FileDifference, ImagePath, Json, Package, Problem

_ADMIN = re.compile(r"(?:.*/)?(?:var/lib|usr/lib|lib)/dpkg/(?:(?:info|status\.d)/[^/]+\.md5sums|status|diversions)$")
_CONFIGURED = re.compile(r"etc/dpkg/dpkg\.cfg(?:\.d/[^/]+)?$")
_PATTERN = re.compile(r"path-(exclude|include)(?:\s*=\s*|\s+)(\S.*)")

MAX_DATABASE = 16 * 1024 * 1024
MAX_SETTINGS = 128 * 1024

Facts = Mapping[ImagePath, Fact]


def is_database(path: str) -> bool:
    """Whether a file is one of dpkg's own."""
    return "dpkg" in path and (_ADMIN.match(path) is not None or _CONFIGURED.match(path) is not None)


def read(file: LayerFile) -> Json | None:
    """What one of dpkg's files says: ``md5sums``, ``conffiles``, ``diversions`` or ``paths``."""
    most = MAX_DATABASE if file.path.endswith((".md5sums", "/status")) else MAX_SETTINGS
    if file.size > most:
        raise LimitError(f"more than {most} bytes (a fixed limit)")
    text = file.data().decode("utf-8", "surrogateescape")
    if file.path.endswith(".md5sums"):
        return {"md5sums": text}
    if file.path.endswith("/status"):
        return {"conffiles": _conffiles(text)}
    if file.path.endswith("/diversions"):
        return {"diversions": text.split("\n")}
    patterns = [[found[1], found[2]] for line in text.split("\n") if (found := _PATTERN.match(line.strip()))]
    return {"paths": patterns} if patterns else None


def expected(view: View, facts: Facts, packages: Sequence[Package], problems: list[Problem]) -> Iterator[Expected]:
    """Every file of the packages that dpkg has a digest of."""
    for package in packages:
        database = package.locations[0].path
        # Of a package that is not wholly installed some files may rightly be missing.
        if package.metadata.get("status") and package.metadata["status"] != "installed":
            message = f"not verified: it is {package.metadata['status']}"
            problems.append(Problem("analyze", package.name, message, "finish or undo its installation"))
            continue
        yield from _Package(view, facts, package, database).files()


def excluded(facts: Facts, found: Sequence[FileDifference]) -> tuple[list[Problem], list[FileDifference]]:
    """The differences without what dpkg was told to leave out, and a remark that says how many those were."""
    tests = [
        (kind == "exclude", re.compile(translate(glob)).match)
        for path in sorted(facts)
        if isinstance(facts[path].value, dict)
        for kind, glob in facts[path].value.get("paths", ())
    ]
    if not tests:
        return [], list(found)
    left, out = [], 0
    for difference in found:
        missing = difference.status == "missing" and difference.purl.startswith("pkg:deb/")
        if missing and _is_out(difference.path, tests):
            out += 1
        else:
            left.append(difference)
    if not out:
        return [], left
    message = f"{out} files are not there because its path-exclude says so; they were not counted as missing"
    return [Problem("analyze", "dpkg", message, incomplete=False)], left


def _is_out(path: str, tests: Sequence[tuple[bool, Callable[[str], object]]]) -> bool:
    answer = False
    for excludes, matches in tests:
        if excludes is not answer and matches(f"/{path}"):
            answer = excludes
    return answer


class _Package:
    """One package and what stands beside its database."""

    def __init__(self, view: View, facts: Facts, package: Package, database: str) -> None:
        self._facts = facts
        self._package = package
        self._database = database
        self._admin = database.rpartition("/")[0]
        # Below the root that the database is of; the image's own is the empty one.
        self._root = re.sub(r"(?:^|/)(?:var/lib|usr/lib|lib)/dpkg(?:/.*)?$", "", self._admin)
        self._listed = frozenset(path.lstrip("/") for path in view.owned.get(package.purl, ()))

    def files(self) -> Iterator[Expected]:
        """Its files, where they should be."""
        moved = self._diverted()
        prefix = f"{self._root}/" if self._root else ""
        conffiles = self._conffiles()
        for path, digest, config in (*self._summed(conffiles), *((path, "", True) for path in conffiles)):
            place = prefix + path
            if place in self._listed or config:
                purl = self._package.purl
                yield Expected(self._package.name, purl, prefix + moved.get(path, path), digest, config=config)

    def _summed(self, conffiles: Mapping[str, str]) -> Iterator[tuple[str, str, bool]]:
        for line in self._sums().split("\n"):
            digest, path = line[:32], line[34:].removeprefix("./")
            if path and path not in conffiles and line[32:33] == " ":
                try:
                    yield path, short("md5", bytes.fromhex(digest)), False
                except ValueError:
                    continue

    def _sums(self) -> str:
        name = self._package.name
        base = self._admin.removesuffix("/status.d")
        places = [f"{base}/info/{name}:{self._package.arch}.md5sums", f"{base}/info/{name}.md5sums"]
        for place in (*places, f"{self._database}.md5sums", f"{base}/status.d/{name}.md5sums"):
            text: str = self._said(place, "md5sums", "")
            if text:
                return text
        return ""

    def _conffiles(self) -> dict[str, str]:
        every: Mapping[str, Sequence[str]] = self._said(self._database, "conffiles", {})
        lines = every.get(f"{self._package.name}:{self._package.arch}", ())
        found = {}
        for line in lines:
            path, _, rest = line.strip().partition(" ")
            # What a newer version of the package has no more may be removed.
            if "obsolete" not in rest and "remove-on-upgrade" not in line:
                found[path.lstrip("/")] = rest
        return found

    def _diverted(self) -> dict[str, str]:
        lines: Sequence[str] = self._said(f"{self._admin.removesuffix('/status.d')}/diversions", "diversions", ())
        triples = zip(lines[::3], lines[1::3], lines[2::3], strict=False)
        return {
            contested.lstrip("/"): instead.lstrip("/")
            for contested, instead, keeper in triples
            if keeper != self._package.name
        }

    def _said(self, path: str, key: str, otherwise: Json) -> Json:
        fact = self._facts.get(ImagePath(path))
        return fact.value.get(key, otherwise) if fact is not None and isinstance(fact.value, dict) else otherwise


def _conffiles(text: str) -> dict[str, list[str]]:
    """``NAME:ARCH`` → the lines of its field ``Conffiles``."""
    found: dict[str, list[str]] = {}
    for block in text.split("\n\n"):
        at = block.find("\nConffiles:")
        if at < 0:
            continue
        names = dict.fromkeys(("Package", "Architecture"), "")
        for line in block.split("\n"):
            key, _, value = line.partition(":")
            if key in names:
                names[key] = value.strip()
        lines = block[at + 1 :].split("\n")[1:]
        end = next((number for number, line in enumerate(lines) if line[:1] not in (" ", "\t")), len(lines))
        found[f"{names['Package']}:{names['Architecture']}"] = [line.strip() for line in lines[:end]]
    return found

"""Files of OS packages that are not as the package database says: changed, or missing.

What is compared is what the database has: content (dpkg, apk, rpm), permissions (apk, rpm) and size (rpm); never owners
and times. Configuration files may be edited, so of them only the absence counts. What dpkg was told not to unpack
(``path-exclude``) and what rpm says it did not install is not missing.

Asked for by: the setting ``verify-packages``, a rule ``packages.verify``.

Emits: differences between files and what their packages say of them.

Not handled: directories; targets of links; file capabilities; digests of kinds that no distribution of this century
uses (rpm's sha512 among them: mode and size are compared).
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha1
from posixpath import normpath
from typing import Self

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants
from anchorecli.analyzers.demand import verify_apk, verify_dpkg, verify_rpm
from anchorecli.analyzers.demand.expected import Expected, agrees, digests, short
from anchorecli.model import File, FileDifference, ImagePath, Json, Kind, Package, Problem
from anchorecli.tree import Tree
from anchorecli.values import dataclass

_REGULAR = (Kind.FILE, Kind.HARDLINK)


@dataclass(frozen=True, slots=True)
class VerifyAnalyzer:
    """Differences between files and their packages.

    A fact is the digests of a file (see ``expected.digests``), or what a package manager's own file says: a mapping.
    """

    name: str = "verify"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(everything=True, max_bytes=0)

    @classmethod
    def of(cls, options: str, _scanner: object = None) -> Self:
        """The analyzer; it has no options."""
        return cls(options=options)

    def read(self, file: LayerFile) -> Json | None:
        """What a database says, or what a file is."""
        for database in (verify_dpkg, verify_apk, verify_rpm):
            if database.is_database(file.path):
                return database.read(file)
        return digests(file.pieces())

    def assemble(self, view: View) -> Found:
        """Every file of every OS package, against the image."""
        facts = {fact.path: fact for fact in view.facts()}
        problems: list[Problem] = []
        every = [package for package in view.packages if package.type in ("deb", "opkg", "apk", "rpm")]
        expected = [
            *verify_dpkg.expected(view, facts, _of(every, "deb"), problems),
            *verify_apk.expected(facts, _of(every, "apk")),
            *verify_rpm.expected(facts, _of(every, "rpm"), problems),
        ]
        problems += _without_digests(every, expected)
        comparison = _Comparison(view.tree, facts)
        found = [difference for each in expected if (difference := comparison.difference(each)) is not None]
        excluded, found = verify_dpkg.excluded(facts, found)
        problems += excluded
        said = f"{len(expected)} files of {len({each.purl for each in expected})} packages"
        return Found(differences=tuple(found), problems=tuple(problems), looked_for={"verify": said})


class _Comparison:
    """Compares files with what they should be; the directories on the way are resolved once each."""

    def __init__(self, tree: Tree, facts: dict[ImagePath, Fact]) -> None:
        self._tree = tree
        self._facts = facts
        self._directories: dict[str, str | None] = {"": ""}

    def difference(self, expected: Expected) -> FileDifference | None:
        """How a file differs, None where it does not."""
        path = self._real(expected.path)
        file = None if path is None else self._tree.stat(path)
        shown = ImagePath(expected.path)
        if file is None or path is None:
            if expected.optional:
                return None
            return FileDifference(expected.package, shown, "missing", "", expected.purl)
        if expected.link or expected.config:
            return None
        if file.kind is Kind.SYMLINK and expected.digest == _target(file):
            return None
        details = ["mode"] if file.kind not in _REGULAR else list(self._details(expected, path, file.mode, file.size))
        return FileDifference(expected.package, shown, "changed", ",".join(details), expected.purl) if details else None

    def _details(self, expected: Expected, path: str, mode: int, size: int) -> Iterator[str]:
        fact = self._facts.get(ImagePath(path))
        known = fact.value if fact is not None and isinstance(fact.value, str) else ""
        if expected.digest and known and not agrees(expected.digest, known):
            yield "digest"
        if 0 <= expected.mode != mode:
            yield "mode"
        if 0 <= expected.size != size:
            yield "size"

    def _real(self, path: str) -> str | None:
        """Where a path really is: links of its directories followed, one at its end not; None in a loop."""
        parent, _, base = path.rpartition("/")
        real = self._directory(parent)
        return None if real is None else f"{real}/{base}" if real else base

    def _directory(self, path: str) -> str | None:
        # Not ``Tree.resolve``: a layer need not name the directories of its files.
        if path in self._directories:
            return self._directories[path]
        self._directories[path] = None
        real = self._real(path)
        file = None if real is None else self._tree.stat(real)
        if file is not None and file.kind is Kind.SYMLINK:
            start = "" if file.target.startswith("/") else file.path.rpartition("/")[0]
            real = self._directory(normpath(f"/{start}/{file.target}").lstrip("/"))
        self._directories[path] = real
        return real


def _target(file: File) -> str:
    """The digest that apk has of a link."""
    target = file.target.encode("utf-8", "surrogateescape")
    return short("sha1", sha1(target, usedforsecurity=False).digest())


def _of(packages: list[Package], kind: str) -> list[Package]:
    return [package for package in packages if package.type == kind]


def _without_digests(packages: list[Package], expected: list[Expected]) -> Iterator[Problem]:
    """What is said of packages whose files the database does not describe."""
    described = {each.purl for each in expected}
    unknown = sorted({package.name for package in packages if package.purl not in described and package.size})
    if unknown:
        names = ", ".join(unknown[:3]) + (", …" if len(unknown) > 3 else "")
        message = f"{len(unknown)} packages could not be verified: there is no record of what their files are: {names}"
        hint = "an image built without the package manager's own records cannot be verified"
        yield Problem("analyze", "packages", message, hint)

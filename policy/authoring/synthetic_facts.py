"""The facts of an image told in a case (``synthetic.py``): packages, vulnerabilities, files and what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from anchorecli.model import (
    ContentMatch,
    Cvss,
    DiffId,
    Distro,
    Enrichment,
    Epss,
    FileDifference,
    FixState,
    ImagePath,
    KnownExploited,
    Location,
    MalwareFinding,
    Match,
    MatchVerdict,
    Package,
    PrivateKey,
    Problem,
    RetrievedFile,
    Secret,
    Severity,
)
from anchorecli.policy.language.document import Node
from anchorecli.policy.language.faults import Faults, quoted, unknown
from anchorecli.policy.language.fields import Fields
from anchorecli.tree import LayerIndex, Tree
from anchorecli.values import replace

_MANAGERS: Mapping[str, str] = {
    **dict.fromkeys(("debian", "ubuntu", "raspbian", "kali"), "deb"),
    **dict.fromkeys(("alpine", "wolfi", "chainguard", "postmarketos"), "apk"),
    "arch": "alpm",
}
"""Distribution → the type of its packages; of all others it is rpm."""

_SCHEMES: Mapping[str, str] = {"pypi": "pep440", "golang": "go", "alpm": "pacman"}
"""Type → version scheme, where they differ."""

_PACKAGE = ("name", "version", "type", "path", "licenses", "layer", "source", "arch", "owner")
_VULNERABILITY = (
    *("id", "package", "severity", "fixed_in", "fixed_since", "fix_state", "aliases", "published"),
    *("epss", "epss_percentile", "kev", "cvss", "feed", "undecided"),
)
_FILE = ("path", "mode", "uid", "gid", "size", "kind", "target", "sha256", "content")
_KINDS = {"file": "f", "dir": "d", "symlink": "l", "device": "c", "fifo": "p"}


class FactReader:
    """Reads the facts of one image; what is wrong with them goes to ``faults``."""

    def __init__(self, image: Fields, distro: Distro | None, faults: Faults) -> None:
        self._image = image
        self._distro = distro
        self._faults = faults
        self._scores: dict[str, Epss] = {}
        self._exploited: dict[str, KnownExploited] = {}
        self._files = tuple(self._each("files", _FILE))

    def packages(self, name: str) -> tuple[Package, ...]:
        """Packages: ``name version``, or a mapping."""
        return tuple(self._package(node) for node in self._image.items(name))

    def matches(self, packages: tuple[Package, ...]) -> tuple[Match, ...]:
        """Vulnerabilities, each of a package by its name."""
        return tuple(self._match(fields, packages) for fields in self._each("vulnerabilities", _VULNERABILITY))

    def problems(self) -> tuple[Problem, ...]:
        """What could not be looked at."""
        keys = ("stage", "subject", "message")
        return tuple(
            Problem(one.text("stage") or "analyze", one.text("subject", required=True), one.text("message"))
            for one in self._each("problems", keys)
        )

    def facts(self) -> dict[str, Any]:
        """The fields of an analysis beside its packages."""
        return {
            "secrets": tuple(
                Secret(
                    _path(one),
                    self._number(one, "line", 1),
                    one.text("rule", required=True),
                    "",
                    owner=one.text("owner"),
                )
                for one in self._each("secrets", ("path", "line", "rule", "owner"))
            ),
            "private_keys": tuple(
                PrivateKey(
                    _path(one),
                    self._number(one, "line", 1),
                    one.text("kind") or "RSA",
                    one.text("encrypted") == "true",
                    owner=one.text("owner"),
                )
                for one in self._each("private_keys", ("path", "line", "kind", "encrypted", "owner"))
            ),
            "contents": tuple(
                ContentMatch(_path(one), one.text("pattern", required=True), (self._number(one, "line", 1),))
                for one in self._each("contents", ("path", "pattern", "line"))
            ),
            "malware": tuple(
                MalwareFinding(_path(one), one.text("signature", required=True), one.text("scanner") or "clamav")
                for one in self._each("malware", ("path", "signature", "scanner"))
            ),
            "differences": tuple(
                FileDifference(
                    one.text("package", required=True), _path(one), one.text("status") or "changed", one.text("detail")
                )
                for one in self._each("changed_files", ("package", "path", "status", "detail"))
            ),
            "unowned": tuple(ImagePath(path.lstrip("/")) for path in self._image.words("unowned")),
            "retrieved": tuple(
                RetrievedFile(_path(one), one.text("content").encode()) for one in self._files if one.has("content")
            ),
        }

    def tree(self) -> Tree:
        """The file list."""
        index = LayerIndex()
        for row, one in enumerate(self._files):
            kind = "symlink" if one.has("target") else one.text("kind") or "file"
            if kind not in _KINDS:
                self._faults.add(one.line_of("kind"), unknown("kind of file", kind, _KINDS))
            size = self._number(one, "size", len(one.text("content").encode()))
            owner = (self._mode(one), self._number(one, "uid", 0), self._number(one, "gid", 0))
            index.add(_path(one), _KINDS.get(kind, "f"), owner, size)
            if one.has("target"):
                index.targets[row] = one.text("target")
            if digest := self._digest(one):
                index.digests[row] = digest
        return Tree([index])

    def enrichment(self, gaps: frozenset[str]) -> Enrichment:
        """Scores, the list of exploited vulnerabilities and the end of support, told with the vulnerabilities."""
        return Enrichment(
            epss=None if "epss" in gaps else self._scores,
            exploited=None if "kev" in gaps else self._exploited,
            end_of_life=None if "end_of_life" in gaps else self._image.text("end_of_life"),
        )

    # ── the parts ────────────────────────────────────────────────────────────────────────────────────────────

    def _each(self, name: str, keys: tuple[str, ...]) -> Iterator[Fields]:
        for node in self._image.items(name):
            fields = Fields(node, f"the entry of {name}", keys, self._faults)
            if fields.valid:
                yield fields

    def _package(self, node: Node) -> Package:
        system = _MANAGERS.get(self._distro.id, "rpm") if self._distro else "generic"
        if node.kind not in ("mapping", "list"):
            name, _, version = node.text.strip().partition(" ")
            return _made(name, version.strip(), system)
        fields = Fields(node, "the package", _PACKAGE, self._faults)
        made = _made(fields.text("name", required=True), fields.text("version"), fields.text("type") or system)
        path, source = fields.text("path"), fields.text("source")
        return replace(
            made,
            arch=fields.text("arch"),
            source=source or made.name,
            licenses=fields.words("licenses"),
            layer=DiffId(fields.text("layer")),
            owner=fields.text("owner"),
            locations=(Location(ImagePath(path.lstrip("/"))),) if path else (),
        )

    def _match(self, fields: Fields, packages: tuple[Package, ...]) -> Match:
        name = fields.text("package", required=True)
        package = next((one for one in packages if one.name == name), None)
        if package is None and name:
            known = {one.name for one in packages}
            self._faults.add(fields.line_of("package"), unknown("package", name, known, " in the image"))
        identity = fields.text("id", required=True)
        fixed = fields.words("fixed_in")
        self._learn(identity, fields)
        return Match(
            identity,
            package or _made(name, "", "generic"),
            advisory=identity,
            feed=fields.text("feed") or "test",
            verdict=MatchVerdict.UNKNOWN if fields.text("undecided") == "true" else MatchVerdict.AFFECTED,
            severity=self._severity(fields),
            fix_state=self._fix_state(fields, fixed),
            fixed_in=fixed,
            aliases=fields.words("aliases"),
            published=fields.text("published"),
            fixed_since=fields.text("fixed_since"),
            cvss=self._cvss(fields),
        )

    def _learn(self, identity: str, fields: Fields) -> None:
        if fields.has("epss"):
            score = self._share(fields, "epss")
            percentile = self._share(fields, "epss_percentile") if fields.has("epss_percentile") else score
            self._scores[identity] = Epss(score, percentile)
        if fields.text("kev") not in ("", "false"):
            due = fields.text("kev")
            self._exploited[identity] = KnownExploited(added="", due="" if due == "true" else due)

    def _severity(self, fields: Fields) -> Severity:
        text = fields.text("severity") or "unknown"
        labels = [severity.label for severity in Severity]
        if text not in labels:
            self._faults.add(fields.line_of("severity"), unknown("severity", text, labels))
        return Severity.parse(text)

    def _fix_state(self, fields: Fields, fixed: tuple[str, ...]) -> FixState:
        text = fields.text("fix_state")
        states = [state.value for state in FixState]
        if text and text not in states:
            self._faults.add(fields.line_of("fix_state"), unknown("fix_state", text, states))
        elif text:
            return FixState(text)
        return FixState.FIXED if fixed else FixState.NOT_FIXED

    def _cvss(self, fields: Fields) -> tuple[Cvss, ...]:
        """NVD's base score."""
        return (Cvss("3.1", "", self._share(fields, "cvss", 10), "nvd"),) if fields.has("cvss") else ()

    def _number(self, fields: Fields, name: str, default: int) -> int:
        text = fields.text(name)
        if text and not (text.isascii() and text.isdigit() and len(text) < 16):
            self._faults.add(fields.line_of(name), f"{quoted(name)} must be a whole number, not {quoted(text)}")
            return default
        return int(text) if text else default

    def _share(self, fields: Fields, name: str, most: int = 1) -> float:
        text = fields.text(name)
        if text.replace(".", "", 1).isdigit() and text.isascii() and float(text) <= most:
            return float(text)
        self._faults.add(fields.line_of(name), f"{quoted(name)} must be a number from 0 to {most}, not {quoted(text)}")
        return 0.0

    def _mode(self, fields: Fields) -> int:
        text = fields.text("mode") or "0644"
        if len(text) > 6 or not text.isascii() or not text.isdigit() or not set(text) <= set("01234567"):
            self._faults.add(fields.line_of("mode"), f'"mode" must be octal digits, not {quoted(text)}')
            return 0o644
        return int(text, 8)

    def _digest(self, fields: Fields) -> bytes:
        from hashlib import sha256

        text = fields.text("sha256")
        if text:
            try:
                digest = bytes.fromhex(text)
            except ValueError:
                digest = b""
            if len(digest) == sha256().digest_size:
                return digest
            self._faults.add(fields.line_of("sha256"), f'"sha256" must be 64 hexadecimal digits, not {quoted(text)}')
        return sha256(fields.text("content").encode()).digest() if fields.has("content") else b""


def _made(name: str, version: str, kind: str) -> Package:
    return Package(name, version, kind, _SCHEMES.get(kind, kind), purl=f"pkg:{kind}/{name}@{version}", source=name)


def _path(fields: Fields) -> ImagePath:
    return ImagePath(fields.text("path", required=True).lstrip("/"))

"""What package registries have of names that are in use: the newest release and all versions, of npm and RubyGems.

Nobody needs the whole registries: whoever syncs says which names the stored images hold (``wanting``), one small
document is fetched for each, and what was asked before stays. A name that a registry does not have is kept as such, so
that a package that is none of the registry's is told from one that nobody has asked about yet.

A record is a note (``feeds.enrichment``) in the namespace ``npm-registry`` or ``gem-registry``: the newest version,
then all; none for a name that the registry does not have.

Format: https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md, the abbreviated form: ``{"name":
"x", "dist-tags": {"latest": "1.2"}, "versions": {"1.2": {…}}}``; https://guides.rubygems.org/rubygems-org-api/,
``/api/v1/versions/x.json``: ``[{"number": "1.2", "platform": "ruby", "prerelease": false}]``. From a path such
documents in folders ``npm`` and ``gem`` (``npm/express.json``), Anchore Engine's form in ``npm.json`` and ``gem.json``
(``{"x": {"latest": "1.2", "versions": ["1.2"]}}``), or lines of this program (``{"registry": "npm", "name": "x",
"latest": "1.2", "versions": […]}``, the last two missing where the registry has none) in a file ending in ``.jsonl``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, Snapshot, from_path
from anchorecli.feeds.ecosystems import REGISTRIES, is_registry_name
from anchorecli.feeds.json_stream import items
from anchorecli.feeds.osv import reason
from anchorecli.feeds.snapshot import Readable, from_download, problem
from anchorecli.model import Advisory, Affected, FeedState, Problem, Statement
from anchorecli.values import dataclass, replace

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

AT_ONCE = 8
"""Requests under way at the same time."""
_MAX_LINE = 64 << 20
_CHUNK = 1 << 20
_FOLDER = re.compile(r"(?:^|/)(npm|gem)s?/((?:@[^/]+/)?[^/]+)\.json$")
_WHOLE = re.compile(r"(?:^|/)(npm|gem)s?\.json$")
_VERSION = re.compile(r"[0-9][\w.+-]{0,199}", re.ASCII)
_ABBREVIATED = {"Accept": "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8"}


class Known(NamedTuple):
    """What a registry has of a name; neither where it does not have it."""

    registry: str
    name: str
    latest: str = ""
    versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Packages:
    """The names in ``names`` (purl type and name), and what was fetched before."""

    name: str = "packages"
    title: str = "Registries of npm and RubyGems: releases of the packages in stored images"
    url: str = "https://registry.npmjs.org,https://rubygems.org"
    attribution: str = "npm registry and RubyGems.org metadata"
    version: int = 1
    names: tuple[tuple[str, str], ...] = ()

    def wanting(self, names: Iterable[tuple[str, str]]) -> Packages:
        """The driver for these (purl type, name) pairs, of npm and gem."""
        return replace(self, names=tuple(sorted(each for each in set(names) if is_registry_name(*each))))

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """A document for each name. ``url`` has the bases of npm's and the gems' registry, with a comma between them,
        or is that of a mirror with both, ``npm`` and ``gem``, below it."""
        if not self.names:
            raise FeedError(
                "nothing to ask the registries about: no stored image holds packages of npm or RubyGems",
                hint="scan an image first, or give --from PATH",
            )
        bases = url.split(",")
        npm, gem = bases if len(bases) == 2 else (f"{bases[0].rstrip('/')}/npm", f"{bases[0].rstrip('/')}/gem")
        ask = _Asker(fetcher, {"npm": npm.rstrip("/"), "gem": gem.rstrip("/")})
        return replace(_snapshot(url, ask, self.names, progress), partial=True)

    def open(self, path: Path) -> Snapshot:
        """Documents of the registries, or lists made of them."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One note for each name."""
        for item in snapshot.streams(lambda name: name.endswith((".json", ".jsonl"))):
            if isinstance(item, Problem):
                yield item
                continue
            try:
                for found in _read(*item):
                    yield self._note(found) if isinstance(found, Known) else found
            except (ValueError, RecursionError) as error:
                yield problem(f"{self.name}: {item[0]}", reason(error))

    def _note(self, known: Known) -> Advisory:
        values = (known.latest, *known.versions) if known.versions else ()
        space = REGISTRIES[known.registry]
        statement = Affected(space, known.name, "", Statement.UNDER_INVESTIGATION, versions=values)
        return Advisory(f"{known.registry}/{known.name}", self.name, affected=(statement,))


class _Asker:
    """Asks registries, one name at a time; may be used by several threads."""

    def __init__(self, fetcher: Fetcher, bases: Mapping[str, str]) -> None:
        self._fetcher = fetcher
        self._bases = bases

    def __call__(self, asked: tuple[str, str]) -> Known | Problem:
        registry, name = asked
        base = self._bases[registry]
        if registry == "npm":
            url, headers = f"{base}/{quote(name, safe='@')}", _ABBREVIATED
        else:
            url, headers = f"{base}/api/v1/versions/{quote(name, safe='')}.json", {}
        try:
            found = self._fetcher.download(url, missing_ok=True, headers=headers)
            if found is None:
                return Known(registry, name)
            with found.file as file:
                return document(registry, name, json.load(file))
        except (FeedError, ValueError, RecursionError) as error:
            return problem(
                f"packages: {registry} {name}", reason(error) if isinstance(error, ValueError) else str(error)
            )


def document(registry: str, name: str, value: Any) -> Known:
    """What a registry's own document says of a name. Raises: ValueError."""
    if registry == "gem":
        return _gem(name, value)
    tags, versions = (value.get(key) if isinstance(value, dict) else None for key in ("dist-tags", "versions"))
    if not isinstance(tags, dict) or not isinstance(versions, dict | list):
        raise ValueError("no package of npm: it has no dist-tags and versions")
    return Known(registry, name, _version(tags.get("latest")), _versions(versions))


def _gem(name: str, value: Any) -> Known:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError("no list of a gem's versions")
    # A gem that is built for a platform is installed as VERSION-PLATFORM.
    plain = _versions(each.get("number") for each in value)
    built = (f"{each.get('number')}-{each['platform']}" for each in value if each.get("platform") not in (None, "ruby"))
    releases = _versions(each.get("number") for each in value if not each.get("prerelease"))
    return Known("gem", name, _newest(releases), tuple(dict.fromkeys((*plain, *_versions(built)))))


def _newest(versions: tuple[str, ...]) -> str:
    from anchorecli.errors import VersionError
    from anchorecli.versions import key

    known = []
    for each in versions:
        try:
            known.append((key("gem", each), each))
        except VersionError:
            continue
    return max(known)[1] if known else ""


def _versions(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in map(_version, values) if each))


def _version(value: Any) -> str:
    return value if isinstance(value, str) and _VERSION.fullmatch(value) else ""


def _snapshot(url: str, ask: _Asker, names: Iterable[tuple[str, str]], progress: Progress) -> Snapshot:
    """The answers as lines in one file: there may be thousands, each of some bytes where its document had a million."""
    from concurrent.futures import ThreadPoolExecutor
    from tempfile import TemporaryFile

    from anchorecli.net import Download

    asked = list(names)
    problems, size, digest = [], 0, sha256()
    file = TemporaryFile()  # noqa: SIM115 - the snapshot closes it
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number, found in enumerate(pool.map(ask, asked), 1):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                line = (json.dumps(_line(found), sort_keys=True) + "\n").encode()
                digest.update(line)
                size += file.write(line)
            progress("download", number, len(asked))
    file.seek(0)
    if not size:
        file.close()
        raise FeedError(f"{problems[0].subject}: {problems[0].message}", hint="check the network and the base URLs")
    found_all = from_download(Download(f"{url}/packages.jsonl", file, digest.hexdigest(), size))
    return replace(found_all, url=url, problems=tuple(problems))


def _line(known: Known) -> dict[str, Any]:
    line: dict[str, Any] = {"registry": known.registry, "name": known.name}
    return line | {"latest": known.latest, "versions": list(known.versions)} if known.versions else line


def _read(name: str, stream: Readable) -> Iterator[Known | Problem]:
    """What a member holds, by its name."""
    if name.endswith(".jsonl"):
        yield from map(_of_line, _lines(stream))
    elif whole := _WHOLE.search(name):
        for package, value in items(stream):
            yield _listed(whole[1], package, value)
    elif single := _FOLDER.search(name):
        yield document(single[1], single[2], json.loads(stream.read()))
    else:
        raise ValueError("neither npm.json, gem.json, a file in a folder of those names nor lines (.jsonl)")


def _of_line(line: bytes) -> Known | Problem:
    value = json.loads(line)
    if not isinstance(value, dict) or value.get("registry") not in REGISTRIES:
        raise ValueError("a line of no registry")
    return _listed(value["registry"], value.get("name"), value)


def _listed(registry: str, name: Any, value: Any) -> Known | Problem:
    """A name with its latest and versions. What is no name is a Problem: the rest of the list is still good."""
    if not isinstance(name, str) or not is_registry_name(registry, name) or not isinstance(value, dict):
        return problem(f"packages: {registry}", f"no package: {str(name)[:80]!r}")
    versions = value.get("versions") or []
    if not isinstance(versions, list):
        return problem(f"packages: {registry} {name}", "versions is not a list")
    return Known(registry, name, _version(value.get("latest")), _versions(versions))


def _lines(stream: Readable) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from filter(None, whole)
        if len(rest) > _MAX_LINE:
            raise ValueError(f"a line of more than {_MAX_LINE} bytes")
    if rest:
        yield rest

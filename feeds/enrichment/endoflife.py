"""Until when distributions get security fixes, from endoflife.date.

Format: https://endoflife.date/docs/api, ``<base>/debian.json``: ``[{"cycle": "12", "eol": "2026-07-11",
"extendedSupport": "2028-06-30"}]``; ``eol`` may be true or false where the day is not known. From a path also the
project's own Markdown files with a YAML head (``releases: [{releaseCycle: "12", eol: 2026-07-11, eoes: 2028-06-30}]``)
and the newer API's answers, ``api/v1/products/debian`` and ``…/full`` (``releases: [{name: "12", eolFrom: …}]``).

Where fixes after the end of normal support are for everybody (Debian's LTS) the end of those counts; paid ones do not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorecli.errors import FeedError
from anchorecli.feeds.base import Progress, Snapshot, from_path
from anchorecli.feeds.enrichment import note
from anchorecli.feeds.plain_yaml import load_yaml
from anchorecli.feeds.snapshot import from_downloads, problem
from anchorecli.model import Advisory, FeedState, Problem
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Download, Fetcher

PRODUCTS: Mapping[str, str] = {
    "almalinux": "almalinux",
    "alpine-linux": "alpine",
    "amazon-linux": "amzn",
    "azure-linux": "azurelinux",
    "centos": "centos",
    "debian": "debian",
    "fedora": "fedora",
    "opensuse": "opensuse-leap",
    "oracle-linux": "ol",
    "photon": "photon",
    "rhel": "rhel",
    "rocky-linux": "rocky",
    "sles": "sles",
    "ubuntu": "ubuntu",
}
"""endoflife.date's name of a distribution → its ID in os-release."""

_FREE_EXTENSION = frozenset({"debian"})
_CYCLE = re.compile(r"\d{1,4}(?:\.\d{1,2}){0,2}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class EndOfLife:
    """The distributions that images are built on."""

    name: str = "end-of-life"
    title: str = "Ends of support of distributions"
    url: str = "https://endoflife.date/api"
    attribution: str = "endoflife.date (MIT)"
    version: int = 2

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """A small file for each distribution."""
        parts: dict[str, Download] = {}
        missing = []
        for number, product in enumerate(PRODUCTS, 1):
            found = fetcher.download(f"{url.rstrip('/')}/{product}.json", missing_ok=True)
            if found is None:
                missing.append(product)
            else:
                parts[f"{product}.json"] = found
            progress("download", number, len(PRODUCTS))
        problems = tuple(problem(f"{self.name}: {each}", f"{url} does not have it") for each in missing)
        return from_downloads(url, parts, "", problems)

    def open(self, path: Path) -> Snapshot:
        """One product's JSON or Markdown file, or a folder or zip of them; or the API's ``products/full``."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """One note for each release: the day support ends, empty where no end is set."""
        for member in snapshot.members(lambda name: _product(name) in PRODUCTS or name.endswith(".json")):
            if isinstance(member, Problem):
                yield member
                continue
            name, data = member
            try:
                products = [(_product(name), _releases(name, data))] if _product(name) in PRODUCTS else _full(data)
            except FeedError as error:
                yield problem(f"{self.name}: {name}", error.message)
                continue
            for product, releases in products:
                yield from self._notes(product, releases)

    def _notes(self, product: str, releases: list[dict[str, Any]]) -> Iterator[Advisory]:
        for release in releases:
            if found := _end(product, release):
                cycle, day = found
                yield note(self.name, "end-of-life", f"{PRODUCTS[product]}:{cycle}", day, url=_page(product))


def _product(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]


def _page(product: str) -> str:
    return f"https://endoflife.date/{product}"


def _releases(name: str, data: bytes) -> list[dict[str, Any]]:
    """The releases of a product's file. Raises: FeedError."""
    try:
        document = _head(data) if name.endswith(".md") else json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FeedError(f"cannot be read: {error}") from None
    if isinstance(document, dict):
        document = document.get("releases", document.get("result", {}))
    if isinstance(document, dict):
        document = document.get("releases")
    if not isinstance(document, list):
        raise FeedError("holds no list of releases")
    return [each for each in document if isinstance(each, dict)]


def _full(data: bytes) -> list[tuple[str, list[dict[str, Any]]]]:
    """The distributions in a list of all products; none where a file is something else: a clone holds such."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return []
    listed = document.get("result") if isinstance(document, dict) else None
    return [
        (str(each["name"]), [release for release in each["releases"] if isinstance(release, dict)])
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict) and str(each.get("name")) in PRODUCTS and isinstance(each.get("releases"), list)
    ]


def _head(data: bytes) -> Any:
    text = data.decode("utf-8", "replace")
    parts = re.split(r"^---\s*$", text, maxsplit=2, flags=re.MULTILINE)
    if len(parts) < 3:
        raise ValueError("no YAML head between two lines of ---")
    # Days and booleans are told apart below by their text.
    return load_yaml(parts[1])


def _end(product: str, release: Mapping[str, Any]) -> tuple[str, str] | None:
    """A release's version and the day its support ends; None where either is not told."""
    cycle = str(release.get("releaseCycle") or release.get("cycle") or release.get("name") or "").strip()
    cycle = cycle.removesuffix("-LTS")
    if not _CYCLE.fullmatch(cycle):
        return None
    if product == "sles":
        cycle = cycle.removesuffix(".0")
    end = _first(release, ("eol", "eolFrom"))
    if end is None and release.get("isEol") is False:
        end = ""  # as the newer API says that no end is set
    if product in _FREE_EXTENSION:
        end = max(end or "", _first(release, ("eoes", "extendedSupport", "eoesFrom")) or "") or end
    return None if end is None else (cycle, end)


def _first(release: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """A day; empty for ``false`` (no end is set); None where nothing usable is there, ``true`` among it."""
    for name in names:
        value = release.get(name)
        text = str(value).strip().lower() if value is not None else ""
        if _DAY.fullmatch(text):
            return text
        if text == "false":
            return ""
    return None

"""What is scanned for the label method where labelled images are not at hand: the packages that the labels tell of.

A label gives the name and version of a package and the image; its type, its distribution and its source package are
guessed here: the distribution from the image's name and from the versions, the source from an index of the
distribution (``SOURCES``, a file of lines ``binary source``), a language from the feeds that know one of the labelled
ids for a package of that name. What cannot be guessed is not scanned. Modules of rpm packages, files and layers are
not known at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from label_method import Label

from anchorecli.matching.distributions import lineage
from anchorecli.model import Distro
from anchorecli.store import open_store

OS = {"debian": "deb", "ubuntu": "deb", "alpine": "apk", "wolfi": "apk"}
"""Distributions and their type of packages; all others have rpm."""
_VERSIONS = {
    "deb": re.compile(r"v?\d[^-]*(?:-[^-]*)*-\d[\w.+~]*"),
    "apk": re.compile(r".*-r\d+"),
    "rpm": re.compile(r"(?:\d+:)?[^-]+-\d[^-]*"),
}
_NATIVE = re.compile(r"(?:lib)?apt(?:-|$)|dpkg|sensible-utils$|debconf|base-files$")
"""Packages that Debian makes itself: their versions have no revision."""
_LANGUAGES = {"npm": "npm", "pypi": "python", "maven": "java-archive", "golang": "go-module", "gem": "gem"}
_LANGUAGES |= {"nuget": "dotnet", "composer": "php-composer", "cargo": "rust-crate"}
"""purl type → Syft's name of the type."""
_FEEDS = ("ghsa", "govulndb", "osv:PyPI", "pypa", "rubysec", "rustsec")

_NAMED = (
    (r"/ubuntu:(\d\d\.\d\d)$", "ubuntu"),
    (r"/debian:(\d+)$", "debian"),
    (r"alpine[:-](\d\.\d+)", "alpine"),
    (r"centos(?:-stream)?[:-](\d)", "centos"),
    (r"rhel-(\d)|/ubi(\d)", "rhel"),
    (r"almalinux:(\d)", "almalinux"),
    (r"rockylinux:(\d)", "rocky"),
    (r"oraclelinux[:-](\d)", "ol"),
    (r"amazonlinux[:-](\d)", "amzn"),
    (r"sles12sp(\d)", "sles:12"),
    (r"sle15:15\.(\d)", "sles:15"),
    (r"cbl-mariner/base/core:(\d\.\d)", "mariner"),
    (r"azurelinux(\d)", "azurelinux"),
    (r"wolfi-base|chainguard-images", "wolfi"),
)
"""How the names of images tell their distribution."""
_TOLD = (
    (r"\+deb(\d+)u\d", "debian"),
    (r"\.el(\d+)\b", "rhel"),
    (r"\.amzn(\d+)\b", "amzn"),
)
"""How versions tell it."""


SOURCES = {
    **dict.fromkeys(("libstdc++", "libgcc", "libgomp", "cpp", "libatomic"), "gcc"),
    **dict.fromkeys(("libblkid", "libmount", "libuuid", "libsmartcols", "libfdisk"), "util-linux"),
    **dict.fromkeys(("libcurl", "libcurl-minimal"), "curl"),
    **dict.fromkeys(("libcom_err", "libss"), "e2fsprogs"),
    **dict.fromkeys(("platform-python", "python3-libs", "python3-test"), "python3"),
    **dict.fromkeys(("libcrypto1.0", "libcrypto1.1", "libssl1.0", "libssl1.1"), "openssl"),
    "db4-utils": "db4",
    "libdb-utils": "libdb",
    "libkadm5": "krb5",
    "gdb-gdbserver": "gdb",
    "libzstd": "zstd",
    "perl-Git": "git",
    "nss-softokn-freebl": "nss-softokn",
    "nss-sysinit": "nss",
    "nss-tools": "nss",
    "ssl_client": "busybox",
    "libgfortran": "gcc",
    "dbus-libs": "dbus",
    "libxml2-python": "libxml2",
    "perl-libs": "perl",
    "perl-macros": "perl",
}
"""Sources of rpm and apk packages that do not begin with their names."""
_OLD_GLIBC = re.compile(r"2\.1[1-8]-|2\.19-0ubuntu")
"""Versions that were built of the fork that Debian and Ubuntu had for some years."""


class Made(NamedTuple):
    """A package that labels name, as it is scanned."""

    package: tuple[str, str]
    """As the labels have it."""
    name: str
    type: str
    """That of purls."""
    source: str = ""


class Known:
    """What the feeds of a store speak of: ids in each namespace, and packages of languages by their short names."""

    def __init__(self, store: Path) -> None:
        self.ids: dict[str, set[str]] = {}
        self.names: dict[str, set[str]] = {}
        self.by_name: dict[str, list[tuple[str, str, frozenset[str]]]] = {}
        with open_store(store, readonly=True) as opened:
            for state in opened.feed_states():
                for record in opened.feed_records(state.name):
                    ids = frozenset((record.id, *record.aliases))
                    for space, package in {(each.ecosystem, each.package) for each in record.affected}:
                        self.ids.setdefault(space, set()).update(ids)
                        self.names.setdefault(space, set()).add(package)
                        if state.name in _FEEDS and space in _LANGUAGES:
                            self.by_name.setdefault(short(space, package), []).append((space, package, ids))

    def language(self, name: str, ids: frozenset[str]) -> tuple[str, str] | None:
        """The language and the whole name of a package, by what feeds say of a package so called."""
        listed = (each for key in {short("pypi", name), name.lower()} for each in self.by_name.get(key, ()))
        votes = Counter((space, package) for space, package, said in listed for _ in said & ids)
        return min(votes, key=lambda each: (-votes[each], each)) if votes else None

    def speaks(self, spaces: Iterable[str], ids: frozenset[str]) -> bool:
        """Whether any feed for the namespaces names one of the ids, of whatever package."""
        return any(not ids.isdisjoint(self.ids.get(space, ())) for space in spaces)


def short(space: str, name: str) -> str:
    """The name under which Syft would list it: an artifact without its group, whatever the case."""
    if space == "maven":
        name = name.rpartition(":")[2]
    return re.sub(r"[-_.]+", "-", name).lower() if space == "pypi" else name.lower()


def distribution(image: str, versions: Sequence[str]) -> tuple[str, str] | None:
    """What an image's distribution is called, from its name (with a tag), else from the versions of its packages."""
    for pattern, name in _NAMED:
        if found := re.search(pattern, image):
            number = next((each for each in found.groups() if each), "")
            family, _, major = name.partition(":")
            return family, f"{major}.{number}" if major else number
    votes = Counter(
        (name, found[1]) for pattern, name in _TOLD for each in versions if (found := re.search(pattern, each))
    )
    return votes.most_common(1)[0][0] if votes else None


def packages(
    labels: Iterable[Label], distro: tuple[str, str] | None, known: Known, sources: Mapping[str, str]
) -> list[Made]:
    """The packages that the labels of one image name, once each."""
    ids: dict[tuple[str, str], frozenset[str]] = {}
    for each in labels:
        if each.package:
            ids[each.package] = ids.get(each.package, frozenset()) | each.ids
    made = (_made(package, about, distro, known, sources) for package, about in sorted(ids.items()))
    return [each for each in made if each]


def _made(
    package: tuple[str, str],
    ids: frozenset[str],
    distro: tuple[str, str] | None,
    known: Known,
    sources: Mapping[str, str],
) -> Made | None:
    name, version = package
    family = OS.get(distro[0], "rpm") if distro else ""
    native = family == "deb" and _NATIVE.match(name)
    if family and (native or _VERSIONS[family].fullmatch(version)) and "/" not in name:
        spaces_ = _spaces(distro)
        # Red Hat's feed names sources, those of its rebuilds binary packages.
        spaces_ = tuple(each for each in spaces_ if each.startswith("rhel:")) or spaces_
        said = {each for space in spaces_ for each in known.names.get(space, ())}
        return Made(package, name, family, source(name, version, sources if family == "deb" else SOURCES, said))
    found = ("golang", name) if name == "stdlib" else known.language(name, ids)
    return Made(package, found[1], found[0]) if found else None


def source(name: str, version: str, sources: Mapping[str, str], said: Collection[str] = ()) -> str:
    """The source package of a binary one: as the index has it, or the longest that feeds name and it begins with.

    Modules of Python are called after what they are for, and a library's index may know another of its numbers only.
    """
    if sources.get(name) == "glibc" and _OLD_GLIBC.match(version):
        return "eglibc"
    plain = name.removeprefix("python3-")
    told = next((sources[each] for each in (name, plain, _unnumbered(name)) if each in sources), "")
    if told:
        return told
    parts = plain.split("-")
    guessed = ["-".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return next((each for one in guessed for each in (one, f"python-{one}") if each in said), name)


def _unnumbered(name: str) -> str:
    """``libssl1.0.0`` and ``libssl1.1`` as one."""
    return re.sub(r"[\d.]+(?:-\d+)?$", "", name) + "#"


def read_sources(path: Path | None) -> dict[str, str]:
    """An index of lines ``binary source``."""
    lines = path.read_text("utf-8").splitlines() if path else ()
    told = {name: origin for name, _, origin in (line.partition("\t") for line in lines) if origin}
    return {_unnumbered(name): origin for name, origin in told.items() if name.startswith("lib")} | told


def document(made: Sequence[Made], distro: tuple[str, str] | None) -> dict[str, Any]:
    """An SBOM of them, in Syft's JSON; the number of each is in its place."""
    name, version = distro or ("", "")
    return {
        "artifacts": [_artifact(number, each, name) for number, each in enumerate(made)],
        "distro": {"id": name, "versionID": version, "idLike": []} if distro else {},
        "source": {"type": "image", "metadata": {"userInput": "made-of-labels"}},
        "descriptor": {"name": "syft", "version": "1.14.0"},
        "schema": {"version": "16.0.17"},
    }


def _artifact(number: int, made: Made, distro: str) -> dict[str, Any]:
    version = made.package[1]
    if made.type == "golang":
        version = version.removeprefix("go") if made.name == "stdlib" else version
    return {
        "id": f"q{number}",
        "name": made.package[0],
        "version": version,
        "type": _LANGUAGES.get(made.type, made.type),
        "locations": [{"path": f"/labels/q{number}/x"}],
        "purl": purl(made, version, distro),
    }


def purl(made: Made, version: str, distro: str) -> str:
    """Its package URL."""
    epoch, _, plain = version.rpartition(":")
    if made.type == "rpm":
        upstream = f"{made.source}-{plain}.src.rpm"
        qualifiers = f"arch=x86_64&epoch={epoch or 0}&upstream={_quoted(upstream)}"
        return f"pkg:rpm/{distro}/{_quoted(made.name)}@{_quoted(plain)}?{qualifiers}"
    if made.type in ("deb", "apk"):
        upstream = made.source + (f"@{re.sub(r'[+]b[0-9]+$', '', version)}" if made.type == "deb" else "")
        return (
            f"pkg:{made.type}/{distro}/{_quoted(made.name)}@{_quoted(version)}?arch=amd64&upstream={_quoted(upstream)}"
        )
    return f"pkg:{made.type}/{_quoted(made.name.replace(':', '/'))}@{_quoted(version)}"


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="/")


def spaces(made: Made, distro: tuple[str, str] | None) -> tuple[str, ...]:
    """The namespaces that speak of a package."""
    return _spaces(distro) if made.type in ("deb", "apk", "rpm") else (made.type,)


def _spaces(distro: tuple[str, str] | None) -> tuple[str, ...]:
    lines = lineage(Distro(*distro)) if distro else None
    return (*lines.own, *lines.inherited) if lines else ()

"""A repository's errata: ``updateinfo.xml``, and ``repomd.xml`` that says where it is.

Format: the metadata of createrepo_c and yum: ``<updates><update type="security"><id/><title/><severity/>
<issued date=""/><references><reference id="" type="cve"/></references><pkglist><collection short=""><package name=""
epoch="" version="" release="" arch=""/>``. There is no specification; the reference is createrepo_c's reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.errors import FeedError
from anchorecli.feeds.rpm.xml import Node, elements
from anchorecli.feeds.snapshot import Readable, unpacked_name

_OTHERS = re.compile(
    r"(?:.*/)?(?:[0-9a-f]{32,}-)?(?:repomd|primary|filelists|other|comps|group|prestodelta)[\w.-]*\.xml", re.ASCII
)
"""What else a repository's metadata are."""


class Build(NamedTuple):
    """A package that has the fix."""

    name: str
    evr: str
    arch: str


class Update(NamedTuple):
    """One erratum. ``collections`` are the short names of the repositories it lists packages of."""

    id: str
    kind: str
    title: str
    severity: str
    issued: str
    updated: str
    description: str
    cves: tuple[str, ...]
    collections: tuple[str, ...]
    builds: tuple[Build, ...]
    notes: tuple[str, ...] = ()
    """The titles of all references: Fedora's name CVEs in those of bugs."""


def is_updateinfo(name: str) -> bool:
    """Whether a member may be an updateinfo by its name: any XML file that is nothing else of a repository's."""
    name = unpacked_name(name)
    return name.endswith(".xml") and not _OTHERS.fullmatch(name)


def updates(feed: str, name: str, stream: Readable) -> Iterator[Update]:
    """The errata of one file, as they stand.

    Raises: FeedError where the file is no updateinfo, damaged or cut off.
    """
    try:
        for node in elements(stream, "updates", frozenset({"update"})):
            yield _update(node)
    except (ValueError, OSError) as error:
        raise FeedError(f"{feed}: {name} cannot be read: {error}", hint="fetch or copy it again") from error


def location(data: Readable, kind: str) -> str:
    """Where ``repomd.xml`` says that the metadata of a kind are; empty where it does not.

    Raises: ValueError where it is no repomd.
    """
    for node in elements(data, "repomd", frozenset({"data"})):
        if node.get("type") == kind:
            return node.child("location").get("href")
    return ""


def evr(epoch: str, version: str, release: str) -> str:
    """``epoch:version-release``, without an epoch of none."""
    return f"{epoch}:{version}-{release}" if epoch not in ("", "None") else f"{version}-{release}"


def _update(node: Node) -> Update:
    lists = node.child("pkglist")
    return Update(
        id=node.child("id").text,
        kind=node.get("type"),
        title=node.child("title").text,
        severity=node.child("severity").text,
        issued=node.child("issued").get("date"),
        updated=node.child("updated").get("date"),
        description=node.child("description").text,
        cves=tuple(each.get("id") for each in node.child("references").all("reference") if each.get("type") == "cve"),
        collections=tuple(each.get("short") or each.child("name").text for each in lists.all("collection")),
        builds=tuple(
            Build(each.get("name"), evr(each.get("epoch"), each.get("version"), each.get("release")), each.get("arch"))
            for each in lists.all("package")
        ),
        notes=tuple(each.get("title") for each in node.child("references").all("reference")),
    )

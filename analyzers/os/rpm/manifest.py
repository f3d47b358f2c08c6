"""Packages from the manifest that distroless images of Azure Linux and Mariner have in place of a database.

Format: ``/var/lib/rpmmanifest/container-manifest-2``, one package a line, ten columns parted by tabs: name,
version-release, install time, build time, vendor, epoch, size, architecture, epoch as a number, source rpm; ``(none)``
is none. ``container-manifest-1`` beside it has the same packages with fewer columns and is not read.
"""

from __future__ import annotations

from anchorecli.analyzers.os.rpm.header import Header

COLUMNS = 10


def parse(text: str, damage: list[str]) -> list[Header]:
    """One header per line; the last needs no line end."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        columns = [column.strip().replace("(none)", "") for column in line.split("\t")]
        version, _, release = columns[1].rpartition("-") if len(columns) >= COLUMNS else ("", "", "")
        if not columns[0] or not version or not release:
            damage.append(f"line {number} is no package")
            continue
        _, _, _, _, vendor, _, size, arch, epoch, source = columns[:COLUMNS]
        found.append(
            Header(
                name=columns[0],
                version=version,
                release=release,
                epoch=int(epoch) if epoch.isdecimal() and len(epoch) < 10 else 0,
                arch=arch,
                source=source,
                license="",
                vendor=vendor,
                size=int(size) if size.isdecimal() and len(size) < 19 else 0,
                module="",
                files="",
            )
        )
    return found

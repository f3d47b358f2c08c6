"""C and C++ packages of a Conan cache.

Format: https://docs.conan.io/1/reference/config_files/conanfile.txt.html and conaninfo.txt: sections, of which
``[full_requires]`` and ``[requires]`` have a reference a line, ``zlib/1.2.13:ID`` or ``zlib/1.2.13@user/channel#REV``.
In Conan 1's cache the path tells the package itself: ``data/NAME/VERSION/USER/CHANNEL/package/ID/conaninfo.txt``.
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row


def read(path: str, data: bytes) -> Iterator[Row]:
    """The package itself where the path tells it, and what it was linked with."""
    before, found, _ = path.rpartition("/package/")
    parts = before.split("/")
    if found and len(parts) > 4 and "/data/" in before:
        name, version, user, channel = parts[-4:]
        yield reference_row(f"{name}/{version}" + (f"@{user}/{channel}" if user != "_" else ""))
    lines = printable(data[:1_000_000]).splitlines()
    sections: dict[str, list[str]] = {}
    section = ""
    for line in map(str.strip, lines):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif line:
            sections.setdefault(section, []).append(line)
    for line in sections.get("full_requires") or sections.get("requires") or []:
        # Conan 1's [requires] knows 1.Y.Z only, [full_requires] the version that was really there.
        if "/" in line and not line.partition("#")[0].partition("@")[0].endswith((".Y.Z", ".Z")):
            made = reference_row(line)
            if made["name"] and made["version"]:
                yield made


def reference_row(text: str) -> Row:
    """The row of a reference ``NAME/VERSION[@USER/CHANNEL][#REVISION][%TIME][:ID]``."""
    plain = text.strip().partition("%")[0].partition("#")[0]
    plain, _, place = plain.partition("@")
    name, _, version = plain.partition(":")[0].partition("/")
    user, _, channel = place.partition(":")[0].partition("/")
    metadata = {key: value for key, value in (("user", user), ("channel", channel)) if value and value != "_"}
    return row("conan", name, version, metadata=metadata)

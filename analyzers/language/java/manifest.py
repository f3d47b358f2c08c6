"""What a jar's manifest says of its name, version, maker and licence.

Format: https://docs.oracle.com/en/java/javase/17/docs/specs/jar/jar.html#jar-manifest ; ``Name: value`` lines of 72
bytes at most, continued by one space, in sections parted by blank lines. OSGi and Jenkins have headers of their own.
"""

from __future__ import annotations

import re

from anchorecli.analyzers.language.core_metadata import printable

MAX_BYTES = 4 * 1024 * 1024
"""Signed jars list every file in it; what matters stands at its beginning."""
MAX_VALUE = 300

_MAIN = {
    name.lower().encode(): name.lower()
    for name in (
        "Automatic-Module-Name", "Bundle-License", "Bundle-SymbolicName", "Bundle-Vendor", "Bundle-Version",
        "Extension-Name", "Group-Id", "Implementation-Title", "Implementation-Vendor-Id", "Implementation-Version",
        "Long-Name", "Main-Class", "Plugin-License-Name", "Plugin-Version", "Short-Name",
        "Specification-Title", "Specification-Version", "Start-Class",
    )
}  # fmt: skip
_SECTION = {key: name for key, name in _MAIN.items() if name.startswith(("implementation-", "specification-"))}
_FOLD = re.compile(rb"\r?\n ")
_BLANK = re.compile(rb"\r?\n\r?\n|\r\r")
_SECTIONS = 40
"""Only so many sections for single packages are looked at; some jars have one for each class."""


def read_manifest(data: bytes) -> dict[str, str]:
    """The headers of ``_MAIN`` that it has, in lower case; out of sections for packages only what the main one lacks.

    Whatever the bytes are, it does not raise.
    """
    sections = _BLANK.split(data[:MAX_BYTES], _SECTIONS)
    found = _headers(sections[0], _MAIN)
    # xercesImpl, xml-apis and other old jars say it only of their packages.
    if "implementation-version" not in found and "bundle-version" not in found:
        for section in sections[1:_SECTIONS]:
            more = _headers(section, _SECTION) if b"-Version" in section else {}
            if more:
                return {**more, **found}
    return found


def _headers(section: bytes, wanted: dict[bytes, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _FOLD.sub(b"", section[: 256 * 1024]).splitlines():
        name, colon, value = line.partition(b":")
        key = wanted.get(name.lower()) if colon else None
        if key and key not in found:
            text = printable(value).strip()[:MAX_VALUE]
            if text and "${" not in text and not text.startswith("@"):
                found[key] = text
    return found

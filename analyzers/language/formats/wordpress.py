"""WordPress, its plugins and themes.

Format: ``$wp_version = '6.4.2';`` of ``wp-includes/version.php``; the header comments of
https://developer.wordpress.org/plugins/plugin-basics/header-requirements/ (``Plugin Name:``, ``Version:``) in the first
8 KiB of a PHP file directly in ``wp-content/plugins`` or in a directory of it, and of a theme's ``style.css``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row

HEAD = 8192
"""What WordPress itself reads of a file."""

_FIELDS = ("Plugin Name", "Theme Name", "Version", "License", "Author")


def read(path: str, data: bytes) -> Iterator[Row]:
    """The program, plugin or theme that the file is of."""
    text = printable(data[:HEAD])
    if path.endswith("/version.php"):
        found = re.search(r"^\$wp_version\s*=\s*'([^'\s]{1,50})'", text, re.MULTILINE)
        if found:
            cpe = f"cpe:2.3:a:wordpress:wordpress:{found[1]}:*:*:*:*:*:*:*"
            yield row("generic", "wordpress", found[1], cpe=cpe)
        return
    kind, title = ("theme", "Theme Name") if path.endswith("/style.css") else ("plugin", "Plugin Name")
    below = path.rpartition(f"/wp-content/{kind}s/")[2]
    if below.count("/") > 1 or (kind == "theme" and "/" not in below) or f"{title}:" not in text:
        return
    fields = _header(text)
    if fields.get(title) and fields.get("Version"):
        slug = below.partition("/")[0].removesuffix(".php")
        licences = [fields["License"]] if fields.get("License") else []
        metadata = {"title": fields[title]} | ({"author": fields["Author"]} if fields.get("Author") else {})
        yield row(f"wordpress-{kind}", slug, fields["Version"], licenses=licences, metadata=metadata)


def _header(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.lstrip(" \t/*#@").partition(":")
        if colon and key in _FIELDS and key not in found:
            found[key] = value.partition("*/")[0].partition("?>")[0].strip()[:200]
    return found

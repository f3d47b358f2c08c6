"""Lock files that their tools write as indented lines: read line by line, with no need of a YAML library.

Format: https://classic.yarnpkg.com/lang/en/docs/yarn-lock/ and Yarn 2's (``resolution: "NAME@npm:VERSION"``);
https://github.com/pnpm/spec/blob/master/lockfile/9.0.md (and 5, ``/NAME/VERSION_PEERS:``, and 6,
``/NAME@VERSION(PEERS):``); https://dart.dev/tools/pub/package-layout#pubspec-lock (``source: hosted``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row

_RESOLUTION = re.compile(r'  resolution: "(@?[^@"\s]+)@npm:([^"\s]+)"$')
_HEADER = re.compile(r'"?(@?[^@"\s]+)@(?:npm:(@?[^@"\s]+)@)?')
_PNPM = re.compile(r"  '?/?((?:@[^@'\s/]+/)?[^@'\s/]+)[@/](\d[^'\s(_:]*)[^'\s]*'?:(?: .*)?$")


def yarn(data: bytes) -> Iterator[Row]:
    """Packages from a registry, of both forms; the file does not tell which are for development."""
    name = ""
    for line in printable(data).splitlines():
        if line[:1] not in ("", " ", "#"):
            found = _HEADER.match(line)
            # "alias@npm:real@^1" is the package real.
            name = (found[2] or found[1]) if found else ""
            if "@file:" in line or "@link:" in line or "@git" in line:
                name = ""
        elif name and line.startswith('  version "'):
            yield row("npm", name, line[11:].rstrip('"'))
        elif found := _RESOLUTION.match(line):
            yield row("npm", found[1], found[2].partition("::")[0])


def pnpm(data: bytes) -> Iterator[Row]:
    """Keys below ``packages:``; in older files those with ``dev: true`` are left out."""
    section = ""
    current: Row | None = None
    for line in printable(data).splitlines():
        if line and line[0] not in " #":
            if current:
                yield current
            current, section = None, line.strip()
        elif section == "packages:" and (found := _PNPM.match(line)):
            if current:
                yield current
            current = row("npm", found[1], found[2])
        elif current and line.strip() == "dev: true":
            current = None
    if current:
        yield current


def pubspec(data: bytes) -> Iterator[Row]:
    """Hosted packages that are not for development alone."""
    entries: list[dict[str, str]] = [{}]
    for line in printable(data).splitlines():
        if line.startswith("    "):
            key, _, value = line[4:].partition(":")
            entries[-1][key] = value.strip().strip('"')
        elif line.startswith("  ") and line.endswith(":"):
            entries.append({"name": line.strip(" :")})
        elif line:
            entries.append({})
    for entry in entries:
        hosted = entry.get("source") == "hosted" and entry.get("dependency") != "direct dev"
        if hosted and entry.get("name") and entry.get("version"):
            yield row("pub", entry["name"], entry["version"])

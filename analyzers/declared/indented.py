"""Lock files that their tools write as indented lines: read line by line, with no need of a YAML library.

Format: https://classic.yarnpkg.com/lang/en/docs/yarn-lock/ and Yarn 2's (``resolution: "NAME@npm:VERSION"``);
https://github.com/pnpm/spec/blob/master/lockfile/9.0.md (and 5, ``/NAME/VERSION_PEERS:``, and 6,
``/NAME@VERSION(PEERS):``); https://dart.dev/tools/pub/package-layout#pubspec-lock (``source: hosted``); GitHub's
workflow files (``uses: OWNER/NAME@REF``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.declared.needed import pnpm_needed
from anchorecli.analyzers.documents import text_lines
from anchorecli.analyzers.language.rows import MOST_PACKAGES, TOO_MANY, Row, row
from anchorecli.errors import LimitError

_RESOLUTION = re.compile(r'  "?resolution"?: "(@?[^@"\s]+)@npm:([^"\s]+)"$')
_HEADER = re.compile(r'"?(@?[^@"\s:]+)(?:@(?:npm:(@?[^@"\s]+)@)?|:$)')
_VERSION = re.compile(r'  "?version"? "([^"\s]+)"$')
_RESOLVED = re.compile(r'  "?resolved"? "https?://[^"\s]*?/((?:(?:@|%40)[^/"\s]+(?:/|%2[fF]))?[^/@"\s]+)/-/')
_PNPM = re.compile(
    r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d+)?/)?/?((?:@[^@'\s/:]+/)?[^@'\s/:]+)[@/](\d+\.\d+\.\d[^'\s(_:]*+)\S*"
)
_KEY = re.compile(r"""(?:"([^"]*)"|'([^']*)'|(\S+?))(?::(?:\s+(.*))?)?""")
MAX_LINE = 10_000
MAX_DEPTH = 20
_POINTS = frozenset({"name", "source", "dependency", "version"})
_COMMIT = re.compile(r"[0-9a-f]{40}")
_RELEASE = re.compile(r"v?\d+\.\d+\.\d+(?:[-+][\w.-]+)?")
_USES = re.compile(r"""\s*(?:-\s+)?uses:\s*["']?([\w.-]+/[\w.-]+)((?:/[\w./-]+)?)@([\w./-]+)["']?(?:\s+#\s*(\S+))?""")


def yarn(data: bytes) -> Iterator[Row]:
    """Packages from a registry, of both forms; the file does not tell which are for development."""
    name = version = ""
    for line in _lines(data):
        if line[0] not in " #":
            if name and version:
                yield row("npm", name, version)
            found = _HEADER.match(line)
            # "alias@npm:real@^1" is the package real.
            name, version = (found[2] or found[1]) if found else "", ""
            if "@file:" in line or "@link:" in line or "@git" in line:
                name = ""
        elif found := _VERSION.match(line):
            version = found[1]
        elif name and (found := _RESOLVED.match(line)):
            # What was downloaded may have another name than what was asked for.
            name = found[1].replace("%40", "@").replace("%2f", "/").replace("%2F", "/")
        elif found := _RESOLUTION.match(line):
            yield row("npm", found[1], found[2].partition("::")[0])
    if name and version:
        yield row("npm", name, version)


def pnpm(data: bytes) -> Iterator[Row]:
    """Keys below ``packages:`` but for what is for development; before version 9 those with ``dev: true``."""
    rows: dict[str, Row] = {}
    left_out = set()
    for keys, value in _entries(data):
        if keys[0] == "packages" and len(keys) == 2 and (found := _PNPM.fullmatch(keys[1])):
            rows[keys[1]] = row("npm", found[1], found[2])
            if len(rows) > MOST_PACKAGES:
                break
        elif keys[0] == "packages" and keys[2:] == ("dev",) and value == "true":
            left_out.add(keys[1])
    needed = pnpm_needed(_entries(data))
    yield from (each for key, each in rows.items() if key not in left_out and (needed is None or key in needed))
    if len(rows) > MOST_PACKAGES:
        raise LimitError(TOO_MANY)


def _entries(data: bytes) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each line's keys, from the outside in, and its value; two blanks deeper as pnpm writes it, or any number.

    Of two documents the first is about pnpm itself (since pnpm 11). A long key stands behind ``?``, its value behind
    ``:`` in a line of its own.
    """
    above: list[tuple[int, str]] = []
    for line in _lines(data.rpartition(b"\n---\n")[2]):
        text = line.lstrip()
        depth = len(line) - len(text)
        if text.startswith((": ", "? ")):
            depth += 2 * (text[0] == ":")
            text = text[2:].strip()
        while above and above[-1][0] >= depth:
            above.pop()
        if len(above) < MAX_DEPTH and (found := _KEY.fullmatch(text.rstrip())):
            above.append((depth, found[1] or found[2] or found[3] or ""))
            yield tuple(key for _, key in above), (found[4] or "").strip("'\"")


def workflow(data: bytes) -> Iterator[Row]:
    """Actions of other repositories; a commit's release is told by the comment behind it, as pinning tools write it."""
    seen = set()
    for line in _lines(data):
        found = _USES.match(line)
        if not found or found[1].startswith("."):
            continue
        name, reference, comment = found[1], found[3], found[4] or ""
        version = comment if _COMMIT.fullmatch(reference) and _RELEASE.fullmatch(comment) else reference
        if (name, version) not in seen:
            seen.add((name, version))
            exact = bool(_RELEASE.fullmatch(version))
            inexact = {} if exact else {"inexact": "a branch, a commit or a tag that moves: its release is not known"}
            yield row("githubactions", name, version, metadata=inexact)


def _lines(data: bytes) -> Iterator[str]:
    """Lines with something in them, but none that no tool would write."""
    return (line for line in text_lines(data) if 0 < len(line) < MAX_LINE and line.strip())


def pubspec(data: bytes) -> Iterator[Row]:
    """Hosted packages that are not for development alone."""
    entry: dict[str, str] = {}
    for line in text_lines(data):
        if line.startswith("    "):
            key, _, value = line[4:].partition(":")
            if key in _POINTS:
                entry[key] = value.strip().strip('"')
        elif line:
            yield from _hosted(entry)
            entry = {"name": line.strip(" :")} if line.startswith("  ") and line.endswith(":") else {}
    yield from _hosted(entry)


def _hosted(entry: dict[str, str]) -> Iterator[Row]:
    hosted = entry.get("source") == "hosted" and entry.get("dependency") != "direct dev"
    if hosted and entry.get("name") and entry.get("version"):
        yield row("pub", entry["name"], entry["version"])

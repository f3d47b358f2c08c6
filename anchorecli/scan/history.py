"""The Dockerfile that an image's history tells of, instruction by instruction, and the layer each made.

Format: history of the image configuration (OCI image-spec, config.md) as its builders write it: the classic one
(``/bin/sh -c #(nop) COPY dir:… in /app``), BuildKit (``COPY . /app # buildkit``, ``RUN |1 A=1 /bin/sh -c …``,
``HEALTHCHECK &{["CMD-SHELL" "curl -f x"] "30s" "3s" "0s" "0s" '\\x03'}``, ``CMD ["nginx" "-g" "daemon off;"]``),
buildah (as the classic one, with ``--mount`` and here-documents as they were) and kaniko (the instruction itself).

What no Dockerfile instruction is (another builder's words) stands as a comment. Which files a COPY took is not told:
the classic builder knows their digest alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from anchorecli.model import HistoryEntry
from anchorecli.source.imageconfig import instruction

_DIRECTIVES = frozenset(
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME "
    "WORKDIR".split()
)
_STRUCT = re.compile(r"&\{\[([^\]]*)\]\s*+(.*)\}$", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)("?)')
_ADDED = re.compile(r"(?<!\S)((?:file|dir|multi):\S++) in (\S++)\s*$")
_ARGUMENTS = re.compile(r"\|\d+ ")
_HERE_DOCUMENT = re.compile(r"<<-?([\"']?)([A-Za-z_]\w{0,63})\1")
_RUNE = re.compile(r"'(\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8}|\\.|[^'\\])'\s*$")
_ESCAPED = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "'": 39, "\\": 92}
_TIMES = ("interval", "timeout", "start-period", "start-interval")


class Step(NamedTuple):
    """One instruction; ``layer`` is the index of the layer it made, None where it made none."""

    line: str
    layer: int | None
    created: str


def steps(history: Sequence[HistoryEntry], layers: int) -> list[Step]:
    """The instructions in their order; the layers are told only where history and image have equally many."""
    known = sum(not entry.empty_layer for entry in history) == layers
    found, number, shell = [], 0, ""
    for entry in history:
        made = None if entry.empty_layer or not known else number
        number += not entry.empty_layer
        line = line_of(entry.created_by, shell)
        if line.startswith("SHELL ["):
            shell = " ".join(_words(line))
        found.append(Step(line, made, entry.created))
    return found


def line_of(created_by: str, shell: str = "") -> str:
    """One history entry as a line of a Dockerfile, several where it was a here-document; a comment for other words.

    ``shell`` is what a SHELL instruction before it named: builders write it in front of the command.
    """
    text = _without(shell, instruction(created_by)) if shell else instruction(created_by)
    directive, _, rest = text.partition(" ")
    if directive not in _DIRECTIVES:
        return "# " + text.replace("\n", "\n# ") if text else "#"
    rest = rest.strip()
    write = _FORMS.get(directive)
    return f"{directive} {write(rest) if write else rest}".rstrip()


def _without(shell: str, text: str) -> str:
    """A command without the shell, and without the build arguments that stand before that."""
    command = text.removeprefix("RUN ")
    if _ARGUMENTS.match(command):
        _, found, rest = command.partition(f" {shell} ")
        return f"RUN {rest.strip()}" if found else text
    return f"RUN {command[len(shell) + 1 :].strip()}" if command.startswith(f"{shell} ") else text


def _words(line: str) -> list[str]:
    try:
        words = json.loads(line[line.index("[") :])
    except ValueError:
        return []
    return [str(word) for word in words]


def _command(text: str) -> str:
    """What RUN has; several lines were a here-document, which BuildKit's history does not show as one."""
    first, newline, rest = text.partition("\n")
    if not newline or any(end in map(str.strip, rest.split("\n")) for _, end in _HERE_DOCUMENT.findall(first)):
        return text
    lines, end = set(text.split("\n")), "EOF"
    while end in lines:
        end += "_"
    return f"<<{end}\n{text}\n{end}"


def _arguments(text: str) -> str:
    """Go's ``["nginx" "-g"]`` as the JSON that a Dockerfile has; what is JSON, or no list, stays."""
    if not (text.startswith("[") and text.endswith("]")):
        return text
    words = [f'"{word}"' for word in _quoted(text)]
    return f"[{', '.join(words)}]" if words and " ".join(words) == text[1:-1] else text


def _quoted(text: str) -> list[str]:
    """What stands in quotes; one that is never closed begins nothing."""
    return [inside for inside, closed in _QUOTED.findall(text) if closed]


def _ports(text: str) -> str:
    """``map[80/tcp:{} 443/tcp:{}]`` and ``[80/tcp]`` as ``80/tcp 443/tcp``."""
    _, opened, rest = text.partition("map[")
    inside, closed, _ = rest.partition("]")
    words = (inside if opened and closed else text.strip("[]")).split()
    return " ".join(word.removesuffix(":{}") for word in words)


def _list(text: str) -> str:
    """Go's ``[/data /logs]`` as the JSON that a Dockerfile has; what is JSON stays."""
    if not (text.startswith("[") and text.endswith("]")) or '"' in text:
        return _arguments(text)
    return json.dumps(text[1:-1].split())


def _copied(text: str) -> str:
    """``dir:1f… in /app`` as ``dir:1f… /app``."""
    return _ADDED.sub(r"\1 \2", text)


def _healthcheck(text: str) -> str:
    """BuildKit's struct as options and command."""
    found = _STRUCT.match(text)
    if not found:
        return text
    kind, *words = [each.replace('\\"', '"') for each in _quoted(found[1])] or [""]
    if kind == "NONE":
        return "NONE"
    options = list(_options(found[2]))
    command = " ".join(words) if kind == "CMD-SHELL" else json.dumps(words)
    return " ".join((*options, "CMD", command))


def _options(text: str) -> Iterator[str]:
    for name, value in zip(_TIMES, _quoted(text), strict=False):
        if value != "0s":
            yield f"--{name}={value}"
    found = _RUNE.search(text)
    retries = _number(found[1]) if found else 0
    if retries:
        yield f"--retries={retries}"


def _number(rune: str) -> int:
    """The number that Go wrote as a character: ``\\x03``, ``\\n`` for 10, ``A`` for 65."""
    if rune[:2] in ("\\x", "\\u", "\\U"):
        return int(rune[2:], 16)
    return _ESCAPED.get(rune[1:], 0) if rune.startswith("\\") else ord(rune)


_FORMS = {
    "RUN": _command,
    "CMD": _arguments,
    "ENTRYPOINT": _arguments,
    "EXPOSE": _ports,
    "VOLUME": _list,
    "SHELL": _list,
    "ADD": _copied,
    "COPY": _copied,
    "HEALTHCHECK": _healthcheck,
}

"""A Dockerfile's text as instructions.

Format: https://docs.docker.com/reference/dockerfile/ with its parser directive ``escape``, comments, continuation
lines and here documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.policy.facts.dockerfile import Instruction

_ESCAPE = re.compile(r"#\s*escape\s*=\s*([\\`])\s*\Z", re.IGNORECASE)
_PARSER_DIRECTIVE = re.compile(r"#\s*[a-z]+\s*=", re.IGNORECASE)
_HERE_DOCUMENT = re.compile(r"(?<!\S)[0-9]?<<-?([\"']?)([A-Za-z_]\w{0,63})\1(?=[\s>|;&]|\Z)")


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions in order, each on one line; those of all stages."""
    lines = text.removeprefix("\ufeff").splitlines()[::-1]  # A stack: the next line is the last.
    escape, heading, joined = "\\", True, ""
    while lines:
        line = lines.pop()
        stripped = line.strip()
        if stripped.startswith("#") or not stripped:
            # Comments and blank lines vanish, inside an instruction too; parser directives stand before all else.
            heading = heading and _PARSER_DIRECTIVE.match(stripped) is not None
            directive = _ESCAPE.match(stripped) if heading else None
            escape = directive.group(1) if directive else escape
            continue
        heading = False
        if stripped.endswith(escape):
            joined += line.rstrip()[:-1]
            continue
        yield Instruction.of(_with_here_documents((joined + line).strip(), lines))
        joined = ""
    if joined.strip():
        yield Instruction.of(joined.strip())


def _with_here_documents(line: str, lines: list[str]) -> str:
    """The instruction with the here documents it opens, taken from the lines that follow."""
    directive = line.split(None, 1)[0].upper()
    for _, end in _HERE_DOCUMENT.findall(line) if directive in ("RUN", "COPY", "ADD") else ():
        if not any(following.strip() == end for following in lines):
            break  # Never closed, so it was none.
        while (body := lines.pop()).strip() != end:
            line += "\n" + body
    return line

"""Ruby gem versions, in the order of ``Gem::Version``.

Format: https://docs.ruby-lang.org/en/master/Gem/Version.html, numbers and words joined by dots, e.g. ``1.8.2.a10``; a
hyphen stands for ``.pre.``. Words mark pre-releases. Taken besides: a platform behind it (``1.2-x86_64-linux``).
"""

from __future__ import annotations

import re

from anchorecli.errors import VersionError

Key = tuple[tuple[int, int | str], ...]

_VALID = re.compile(r"[0-9]+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?", re.ASCII)
_SEGMENTS = re.compile(r"[0-9]+|[A-Za-z]+", re.ASCII)
_PLATFORM = re.compile(
    r"-(?:java|jruby|ruby|universal-.*|(?:x86_64|x86|x64|i[3-6]86|aarch64|arm64|arm|armv\dl?|ppc64le|s390x)-.*)$",
    re.ASCII,
)

# A version goes on with zeros for ever, so a word is below the end and a number above it; a zero counts as
# whatever the first other thing after it makes of it.
_WORD, _ZERO_BEFORE_WORD, _END, _NUMBER = range(4)


def key(text: str) -> Key:
    """The sort key.

    Raises: VersionError for what RubyGems does not take, and for nothing at all.
    """
    text = text.strip()
    if "-" in text:
        text = _PLATFORM.sub("", text)
    if not _VALID.fullmatch(text):
        raise VersionError(f"not a gem version: {text!r}")
    parts: list[tuple[int, int | str]] = [(_END, 0)]
    below = False
    for segment in reversed(_canonical(_SEGMENTS.findall(text.replace("-", ".pre.")))):
        if isinstance(segment, str):
            below = True
            parts.append((_WORD, segment))
        elif segment or not below:
            below = False if segment else below
            parts.append((_NUMBER, segment))
        else:
            parts.append((_ZERO_BEFORE_WORD, 0))
    return tuple(reversed(parts))


def _canonical(segments: list[str]) -> list[int | str]:
    """Without the zeros before the first word, and without those at the end."""
    values = [int(each) if each.isdigit() else each for each in segments]
    first = next((place for place, each in enumerate(values) if isinstance(each, str)), len(values))
    return _trimmed(values[:first]) + _trimmed(values[first:])


def _trimmed(values: list[int | str]) -> list[int | str]:
    while values and values[-1] == 0:
        values.pop()
    return values

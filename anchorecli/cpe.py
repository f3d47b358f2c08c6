"""CPE names taken apart, in either of their forms.

Format: NIST IR 7695: formatted strings of CPE 2.3 (6.2), ``cpe:2.3:PART:VENDOR:PRODUCT:VERSION:UPDATE:EDITION:LANGUAGE:
SW_EDITION:TARGET_SW:TARGET_HW:OTHER`` with a backslash before punctuation; URIs of CPE 2.2 (6.1) with packed editions.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

_FIELDS = 11
_ANY = ("*", "")
_COLON = re.compile(r"(?<!\\):")
_QUOTED = re.compile(r"\\(.)")

Cpe = tuple[str, ...]
"""Part, vendor, product, version, update, edition, language, software edition, target software, hardware, other."""


@lru_cache(maxsize=1 << 14)
def parse_cpe(text: str) -> Cpe | None:
    """A name taken apart, in small letters, what is open as ``*``; None for what is none, or whose vendor or product
    is open."""
    text = text.strip().lower()
    if text.startswith("cpe:2.3:"):
        fields = [_QUOTED.sub(r"\1", each) for each in _COLON.split(text[8:])]
        if len(fields) != _FIELDS:
            return None
    elif text.startswith("cpe:/"):
        fields = _unpacked([unquote(each) for each in text[5:].split(":")])
    else:
        return None
    fields = ["*" if each in _ANY else each for each in fields]
    known = fields[0] in ("a", "o", "h") and not any(_is_open(each) for each in fields[1:3])
    return tuple(fields) if known else None


def _unpacked(fields: list[str]) -> list[str]:
    """The fields of a URI as those of 2.3: an edition of ``~a~b~c~d~e`` holds five."""
    fields = (fields + [""] * 7)[:7]
    packed = fields[5].split("~")
    edition, *rest = packed[1:6] if fields[5].startswith("~") and len(packed) == 6 else [fields[5], "", "", "", ""]
    return [*fields[:5], edition, fields[6], *rest]


def _is_open(text: str) -> bool:
    return text in ("*", "-") or "?" in text or "*" in text

"""CPE names of programs.

Format: NIST IR 7695, 6.2, formatted strings: ``cpe:2.3:a:VENDOR:PRODUCT:VERSION:UPDATE:…``; what is no letter, digit,
``_``, ``-`` or ``.`` has a backslash before it.
"""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"[^A-Za-z0-9_.\-]")


def cpe(product: str, version: str, update: str = "*") -> str:
    """The name of ``vendor:product`` in a version."""
    vendor, _, name = product.partition(":")
    fields = [_escaped(vendor), _escaped(name), _escaped(version.lower()) or "*"]
    fields.append(update if update in "*-" else _escaped(update))
    return f"cpe:2.3:a:{':'.join(fields)}:*:*:*:*:*:*"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: "\\" + found[0], text.replace(" ", "_"))

"""Licence names as SPDX expressions, where the meaning of the name is certain; every other name as it was written.

Format: SPDX licence expressions (https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/), the short names of
Debian's copyright files (``GPL-2+ or Expat``, https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/), the
tags Fedora used before SPDX (``GPLv2+ and ASL 2.0``), and what Python and npm packages call the common licences.

Not handled: names that stand for several licences (``BSD``, ``GPL``, Fedora's ``LGPLv2+`` which is 2.0 or 2.1) stay
as they are, and so do licence texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

from anchorecli.spdx import IDS

MAX_LENGTH = 1000
"""Characters; a longer text is no name and is cut."""

_OPERATOR = re.compile(r"(\(|\))|(?<=[\s)])(and|or|with)(?=[\s(])", re.IGNORECASE)
_COMMON = "/usr/share/common-licenses/"

# Written name → identifier. Names of the GNU family are made in ``_gnu_names``.
_NAMES = """
expat                                   MIT
mit license                             MIT
the mit license                         MIT
the mit license (mit)                   MIT
mit/expat                               MIT
apache 2                                Apache-2.0
apache-2                                Apache-2.0
apache2                                 Apache-2.0
apache2.0                               Apache-2.0
apache 2.0                              Apache-2.0
apachev2                                Apache-2.0
asl 2.0                                 Apache-2.0
asl 1.1                                 Apache-1.1
asl 1.0                                 Apache-1.0
apache license 2.0                      Apache-2.0
apache license v2.0                     Apache-2.0
apache license version 2.0              Apache-2.0
apache license, version 2.0             Apache-2.0
the apache license, version 2.0         Apache-2.0
apache software license 2.0             Apache-2.0
the apache software license, version 2.0  Apache-2.0
the apache license, version 2           Apache-2.0
apache license 2                        Apache-2.0
the apache license version 2.0          Apache-2.0
apache software license, version 2.0    Apache-2.0
apache software license - version 2.0   Apache-2.0
bsd-2                                   BSD-2-Clause
bsd 2-clause                            BSD-2-Clause
bsd 2-clause license                    BSD-2-Clause
2-clause bsd license                    BSD-2-Clause
simplified bsd                          BSD-2-Clause
bsd-3                                   BSD-3-Clause
bsd 3-clause                            BSD-3-Clause
bsd 3-clause license                    BSD-3-Clause
3-clause bsd license                    BSD-3-Clause
new bsd                                 BSD-3-Clause
new bsd license                         BSD-3-Clause
modified bsd                            BSD-3-Clause
modified bsd license                    BSD-3-Clause
isc license                             ISC
isc license (iscl)                      ISC
iscl                                    ISC
artistic-2                              Artistic-2.0
artistic 2.0                            Artistic-2.0
boost                                   BSL-1.0
boost-1.0                               BSL-1.0
boost software license 1.0 (bsl-1.0)    BSL-1.0
cc0                                     CC0-1.0
cc0 1.0 universal (cc0 1.0) public domain dedication  CC0-1.0
cddl-1                                  CDDL-1.0
epl-1                                   EPL-1.0
epl-2                                   EPL-2.0
mpl-1                                   MPL-1.0
mpl-2                                   MPL-2.0
mpl2                                    MPL-2.0
mpl 2.0                                 MPL-2.0
mplv1.0                                 MPL-1.0
mplv1.1                                 MPL-1.1
mplv2.0                                 MPL-2.0
mozilla public license 1.1 (mpl 1.1)    MPL-1.1
mozilla public license 2.0              MPL-2.0
mozilla public license 2.0 (mpl 2.0)    MPL-2.0
ofl                                     OFL-1.1
sil-1.1                                 OFL-1.1
python software foundation license      PSF-2.0
psf-2                                   PSF-2.0
the unlicense                           Unlicense
the unlicense (unlicense)               Unlicense
universal permissive license (upl)      UPL-1.0
wtfpl-2                                 WTFPL
zlib/libpng                             Zlib
zlib license                            Zlib
zplv2.0                                 ZPL-2.0
zplv2.1                                 ZPL-2.1
gpl+                                    GPL-1.0-or-later
gpl-any                                 GPL-1.0-or-later
"""

_EXCEPTIONS = {
    "classpath exception": "Classpath-exception-2.0",
    "classpath": "Classpath-exception-2.0",
    "font exception": "Font-exception-2.0",
    "libtool exception": "Libtool-exception",
    "linux-syscall-note exception": "Linux-syscall-note",
    "llvm exception": "LLVM-exception",
    "llvm-exception exception": "LLVM-exception",
}


def normalise(texts: Iterable[str]) -> tuple[str, ...]:
    """Each text as ``expression`` gives it, without empty ones and repetitions, in the order given."""
    return tuple(dict.fromkeys(found for text in texts if (found := expression(text))))


@lru_cache(maxsize=4096)
def expression(text: str) -> str:
    """An SPDX expression where every part of the text is certain, else the text with its white space tidied."""
    text = " ".join(text[:MAX_LENGTH].split())
    return identifier(text) or _parsed(text) or text


def identifier(name: str) -> str:
    """The SPDX identifier a single name stands for, or an empty string."""
    return _identifiers().get(name.lower(), "")


def referenced(name: str) -> str:
    """What a reference to Debian's ``/usr/share/common-licenses/NAME`` certainly says.

    Which text it is, but for the GNU licences not whether later versions are allowed: these keep Debian's name.
    """
    name = name.removeprefix(_COMMON)
    return name if name.startswith(("GPL", "LGPL", "GFDL", "AGPL")) else identifier(name) or name


def _parsed(text: str) -> str:
    """A compound expression with every name known and its operators in capitals, or an empty string."""
    out: list[str] = []
    shape = ""
    for number, part in enumerate(_OPERATOR.split(text)):
        part = (part or "").strip()
        if not part:
            continue
        if number % 3:
            shape += part if part in "()" else "o"
            out.append(part.upper())
            continue
        known = (out and out[-1] == "WITH" and _EXCEPTIONS.get(part.lower())) or identifier(part)
        if not known:
            return ""
        shape += "n"
        out.append(known)
    return " ".join(out).replace("( ", "(").replace(" )", ")") if _is_expression(shape) else ""


def _is_expression(shape: str) -> bool:
    """Whether names (``n``), operators (``o``) and parentheses stand in a possible order."""
    before = ""
    while shape != before:
        before = shape
        shape = shape.replace("non", "n").replace("(n)", "n")
    return shape == "n"


@cache
def _identifiers() -> dict[str, str]:
    known = {name.lower(): name for name in IDS}
    for line in _NAMES.strip().splitlines():
        written, name = line.rsplit(None, 1)
        known[written] = name
    known.update(_gnu_names())
    return known


def _gnu_names() -> Iterable[tuple[str, str]]:
    """Debian's ``GPL-2+``, Fedora's ``GPLv2+``, Alpine's ``GPL2+`` and SPDX's own former names."""
    versions = {
        "gpl": ("1.0", "2.0", "3.0"),
        "lgpl": ("2.0", "2.1", "3.0"),
        "agpl": ("3.0",),
        "gfdl": ("1.1", "1.2", "1.3"),
    }
    for family, numbers in versions.items():
        for number in numbers:
            only, later = f"{family.upper()}-{number}-only", f"{family.upper()}-{number}-or-later"
            for short in {number, number.removesuffix(".0")}:
                for name in (f"{family}-{short}", f"{family}v{short}", f"{family}{short}"):
                    # Fedora's LGPLv2 covers 2.0 and 2.1.
                    if name != "lgplv2":
                        yield name, only
                        yield f"{name}+", later
                        yield f"{name}-only", only
                        yield f"{name}-or-later", later
    for number in versions["gfdl"]:
        yield f"gfdl-niv-{number}", f"GFDL-{number}-no-invariants-only"
        yield f"gfdl-niv-{number}+", f"GFDL-{number}-no-invariants-or-later"
    for family, long in (("GPL", "gnu general public license"), ("LGPL", "gnu lesser general public license")):
        for version in ("2", "3"):
            yield f"{long} v{version} ({family}v{version})".lower(), f"{family}-{version}.0-only"
            yield f"{long} v{version} or later ({family}v{version}+)".lower(), f"{family}-{version}.0-or-later"
    yield "gnu affero general public license v3", "AGPL-3.0-only"
    yield "gnu affero general public license v3 or later (agplv3+)", "AGPL-3.0-or-later"

"""Packages whose names are no text: what strangers wrote with control characters or halves of characters in it.

No advisory speaks of such a name, and what is made for lines could not take it. The characters are replaced by U+FFFD,
so that the package is still there to be seen. A name that is blank or endless is no name.
"""

from __future__ import annotations

import re
from typing import Any

from anchorecli.model import Distro, Package, Problem
from anchorecli.values import replace

MAX_TEXT = 1000
"""Characters of a name or a version; the longest real ones have some three hundred, CycloneDX takes 1,024."""
_ILLEGIBLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ENCODED = re.compile("%(?:[01][0-9A-F]|7F|C2%[89][0-9A-F])")
"""The same in a package URL, but for halves of characters, which it has as question marks."""
_NAMELESS = re.compile(r"\A[^?#]*/@[^/?#]*(?:[?#]|\Z)")
"""A package URL whose version follows its namespace; documents write a scope's ``@`` so too."""
_TEXTS = ("name", "version", "arch", "source", "source_version", "vendor", "module")
_DISTRO = ("id", "version_id", "name", "codename", "pretty_name", "base_codename")


def is_text(package: Package) -> bool:
    """Whether all that a package is known by can be shown."""
    # Most are ASCII that can be printed, which is asked soonest.
    text = f"{package.name}{package.version}{package.arch}{package.source}{package.source_version}{package.purl}"
    text += f"{package.vendor}{package.module}"
    return text.isprintable() or _ILLEGIBLE.search(text) is None


def is_bounded(package: Package) -> bool:
    """Whether name and version are no longer than any real ones."""
    return len(package.name) <= MAX_TEXT and len(package.version) <= MAX_TEXT


def is_named(package: Package) -> bool:
    """Whether it has a name and a version, of more than blanks, and a name behind its group."""
    name, version, purl = package.name, package.version, package.purl
    if not name or not version or name.isspace() or version.isspace():
        return False
    return "/@" not in purl or _NAMELESS.search(purl) is None


def cleaned(package: Package) -> Package:
    """The package with replacement characters for what cannot be shown."""
    texts: dict[str, Any] = {name: _text(getattr(package, name)) for name in _TEXTS}
    return replace(package, purl=cleaned_purl(package.purl), owner=cleaned_purl(package.owner), **texts)


def cleaned_purl(purl: str) -> str:
    """The package URL of a cleaned package."""
    return _ENCODED.sub("%EF%BF%BD", _ILLEGIBLE.sub("%EF%BF%BD", purl))


def cleaned_distro(distro: Distro) -> Distro:
    """The very same where all is text of a length that real ones have."""
    texts: dict[str, Any] = {name: _text(getattr(distro, name))[:MAX_TEXT] for name in _DISTRO}
    like = tuple(map(_text, distro.like))
    return distro if (made := replace(distro, like=like, **texts)) == distro else made


def told(package: Package, subject: str) -> Problem:
    """What is the matter with a package that is cleaned, or left out."""
    said = ascii(f"{package.name[:100]} {package.version[:100]}")
    if is_named(package) and is_bounded(package):
        message = f"a package's record is damaged, it has characters that are no text: {said}"
        return Problem("analyze", subject, message, "nothing is known of a package of that name; look at the file")
    long = f"whose name or version has more than {MAX_TEXT} characters"
    message = f"a package {'without a name or a version' if is_bounded(package) else long} was left out: {said}"
    return Problem("analyze", subject, message, "what it is cannot be told; look at the file")


def _text(text: str) -> str:
    return text if text.isprintable() else _ILLEGIBLE.sub("\ufffd", text)

"""Names and versions that are no text: what strangers wrote with control characters or halves of characters in them.

No advisory speaks of such a name, and what is made for lines could not take it. The characters are replaced by U+FFFD,
so that the package is still there to be seen, and a problem tells that its record is damaged. Blanks alone are no name.
"""

from __future__ import annotations

import re
from typing import Any

from anchorecli.analyzers.base import Found
from anchorecli.model import Distro, Package, Problem
from anchorecli.values import replace

MAX_TEXT = 1000
"""Characters of a name or a version; the longest real ones have some three hundred."""
_ILLEGIBLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ENCODED = re.compile("%(?:[01][0-9A-F]|7F|C2%[89][0-9A-F])")
"""The same in a package URL, but for halves of characters, which it has as question marks."""
_TEXTS = ("name", "version", "arch", "source", "source_version", "vendor", "module")
_DISTRO = ("id", "version_id", "name", "codename", "pretty_name", "base_codename")


def legible(found: Found) -> Found:
    """The very same where all is text. What has no name or version at all, or an endless one, is only told of."""
    odd = {place: package for place, package in enumerate(found.packages) if _is_odd(package)}
    distro = found.distro and _distro(found.distro)
    if not odd and distro is found.distro:
        return found
    packages = [
        _package(package) if place in odd else package
        for place, package in enumerate(found.packages)
        if place not in odd or _is_named(package)
    ]
    owned = {_purl(purl): paths for purl, paths in found.owned.items()} if odd else found.owned
    problems = (*found.problems, *map(_problem, odd.values()))
    return replace(found, packages=tuple(packages), owned=owned, distro=distro, problems=problems)


def _is_odd(package: Package) -> bool:
    # Most are ASCII that can be printed, which is asked soonest.
    text = f"{package.name}{package.version}{package.arch}{package.source}{package.source_version}{package.purl}"
    text += f"{package.vendor}{package.module}"
    return not _is_named(package) or (not text.isprintable() and _ILLEGIBLE.search(text) is not None)


def _is_named(package: Package) -> bool:
    # Of blanks alone a format or a reader makes nothing, and the schema of CycloneDX bounds a version.
    name, version = package.name, package.version
    return 0 < len(name) <= MAX_TEXT and 0 < len(version) <= MAX_TEXT and not name.isspace() and not version.isspace()


def _package(package: Package) -> Package:
    texts: dict[str, Any] = {name: _text(getattr(package, name)) for name in _TEXTS}
    return replace(package, purl=_purl(package.purl), owner=_purl(package.owner), **texts)


def _distro(distro: Distro) -> Distro:
    texts: dict[str, Any] = {name: _text(getattr(distro, name)) for name in _DISTRO}
    like = tuple(map(_text, distro.like))
    return distro if (cleaned := replace(distro, like=like, **texts)) == distro else cleaned


def _text(text: str) -> str:
    return text if text.isprintable() else _ILLEGIBLE.sub("\ufffd", text)


def _purl(purl: str) -> str:
    return _ENCODED.sub("%EF%BF%BD", _ILLEGIBLE.sub("%EF%BF%BD", purl))


def _problem(package: Package) -> Problem:
    subject = package.locations[0].path if package.locations else package.analyzer
    said = ascii(f"{package.name[:100]} {package.version[:100]}")
    if not _is_named(package):
        long = len(package.name) > MAX_TEXT or len(package.version) > MAX_TEXT
        what = f"whose name or version has more than {MAX_TEXT} characters" if long else "without a name or a version"
        message = f"a package {what} was left out: {said}"
        return Problem("analyze", subject, message, "what it is cannot be told; look at the file")
    message = f"a package's record is damaged, it has characters that are no text: {said}"
    return Problem("analyze", subject, message, "nothing is known of a package of that name; look at the file")

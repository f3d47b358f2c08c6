"""Names and versions that are no text: what strangers wrote with control characters or halves of characters in them.

No advisory speaks of such a name, and what is made for lines could not take it. The characters are replaced by U+FFFD,
so that the package is still there to be seen, and a problem tells that its record is damaged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from anchorecli.analyzers.base import Found
from anchorecli.model import Distro, Package, Problem
from anchorecli.values import replace

_ILLEGIBLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ENCODED = re.compile("%(?:[01][0-9A-F]|7F|C2%[89][0-9A-F])")
"""The same in a package URL, but for halves of characters, which it has as question marks."""
_TEXTS = ("name", "version", "arch", "source", "source_version", "vendor", "module")
_DISTRO = ("id", "version_id", "name", "codename", "pretty_name", "base_codename")


def legible(found: Found) -> Found:
    """The very same where all is text."""
    odd = {place: package for place, package in enumerate(found.packages) if _is_odd(package)}
    distro = found.distro and _distro(found.distro)
    if not odd and distro is found.distro:
        return found
    packages = list(found.packages)
    for place, package in odd.items():
        packages[place] = _package(package)
    owned = {_purl(purl): paths for purl, paths in found.owned.items()} if odd else found.owned
    problems = (*found.problems, *_problems(odd.values()))
    return replace(found, packages=tuple(packages), owned=owned, distro=distro, problems=problems)


def _is_odd(package: Package) -> bool:
    # Most are ASCII that can be printed, which is asked soonest.
    text = f"{package.name}{package.version}{package.arch}{package.source}{package.source_version}{package.purl}"
    more = f"{package.vendor}{package.module}"
    return not (text + more).isprintable() and _ILLEGIBLE.search(text + more) is not None


def _package(package: Package) -> Package:
    texts = {name: _text(getattr(package, name)) for name in _TEXTS}
    return replace(package, purl=_purl(package.purl), owner=_purl(package.owner), **texts)


def _distro(distro: Distro) -> Distro:
    texts = {name: _text(getattr(distro, name)) for name in _DISTRO}
    like = tuple(map(_text, distro.like))
    return distro if (cleaned := replace(distro, like=like, **texts)) == distro else cleaned


def _text(text: str) -> str:
    return text if text.isprintable() else _ILLEGIBLE.sub("\ufffd", text)


def _purl(purl: str) -> str:
    return _ENCODED.sub("%EF%BF%BD", _ILLEGIBLE.sub("%EF%BF%BD", purl))


def _problems(packages: Iterable[Package]) -> Iterator[Problem]:
    hint = "nothing is known of a package of that name; look at the file"
    for package in packages:
        subject = package.locations[0].path if package.locations else package.analyzer
        said = ascii(f"{package.name} {package.version}"[:200])
        yield Problem(
            "analyze",
            subject,
            f"a package's record is damaged, it has characters that are no text: {said}",
            hint,
        )

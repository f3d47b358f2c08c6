"""The words by which a rule means packages of a kind: ``all``, ``os``, ``non-os``, a purl type, or Anchore Engine's
own word for one.

Format: https://github.com/package-url/purl-spec/blob/main/PURL-TYPES.rst
"""

from __future__ import annotations

from collections.abc import Mapping

from anchorecli.policy.base import Parameter
from anchorecli.policy.facts.coverage import OS_TYPES

ANCHORE_TYPES: Mapping[str, str] = {"deb": "dpkg", "apk": "APKG", "maven": "java", "pypi": "python", "golang": "go"}
"""purl type → the word Anchore Engine's messages use, where it is another."""

_FAMILIES = ("all", "os", "non-os")
_PURL_TYPES: Mapping[str, str] = {word.lower(): kind for kind, word in ANCHORE_TYPES.items()} | {"binary": "generic"}
_LANGUAGES = (
    *("bitnami", "cargo", "cocoapods", "composer", "conan", "conda", "cran", "gem", "generic", "github", "golang"),
    *("hackage", "hex", "maven", "npm", "nuget", "pub", "pypi", "swift"),
)
WORDS = (*_FAMILIES, *sorted({*OS_TYPES, *_LANGUAGES, *_PURL_TYPES}))
"""Every word a parameter ``package_type`` accepts."""


def is_meant(word: str, package_type: str) -> bool:
    """Whether a package of the purl type is one of those a word of ``WORDS`` means."""
    if word in _FAMILIES:
        return word == "all" or (package_type in OS_TYPES) is (word == "os")
    return package_type == _PURL_TYPES.get(word, word)


def package_type(*, required: bool = False) -> Parameter:
    """The parameter of that name; without it ``all`` are meant."""
    return Parameter(
        "package_type",
        "enum",
        "Which packages: all, the distribution's own (os), all others (non-os), or those of one type.",
        required=required,
        default="" if required else "all",
        allowed=WORDS,
        example="all" if required else "os",
    )

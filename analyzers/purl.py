"""Package URLs, built without the library: importing it costs more than a thousand packages do here.

Format: https://github.com/package-url/purl-spec, e.g. ``pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64``. The result
equals that of packageurl-python for everything it can read back; a slash inside a name or a version is encoded, which
the library leaves bare although it then reads a namespace there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from anchorecli.model import Distro

_PLAIN = re.compile(r"[A-Za-z0-9.\-_~:]*").fullmatch
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_~:")
_LOWER = frozenset({"alpm", "apk", "bitnami", "composer", "deb", "github", "hex", "npm", "pypi"})
_SCOPED = frozenset({"composer", "golang", "npm"})
"""Kinds whose names are written with their namespace: ``@scope/name``."""
_VENDORS = {"rhel": "redhat", "hummingbird": "redhat"}


def purl(
    kind: str,
    name: str,
    version: str = "",
    qualifiers: Mapping[str, str] | None = None,
    *,
    namespace: str = "",
) -> str:
    """The package URL; empty qualifiers are left out, the others sorted.

    ``name`` may hold the namespace where the ecosystem writes it so (npm, composer, golang).
    """
    if kind in _SCOPED and not namespace:
        namespace, _, name = name.rpartition("/")
    if kind in _LOWER:
        name, namespace = name.lower(), namespace.lower()
    if kind == "pypi":
        name = name.replace("_", "-")
    text = f"pkg:{kind}/"
    if namespace:
        text += "".join(f"{quoted(part)}/" for part in namespace.split("/") if part.strip())
    text += quoted(name.strip())
    if version:
        text += f"@{quoted(version.strip())}"
    pairs = sorted((key, value) for key, value in (qualifiers or {}).items() if value and not value.isspace())
    if pairs:
        # The specification leaves a slash bare in a qualifier's value, as paths and URLs have it.
        text += "?" + "&".join(f"{key}={'/'.join(map(quoted, value.split('/')))}" for key, value in pairs)
    return text


def os_purl(kind: str, distro: Distro | None, name: str, version: str, qualifiers: Mapping[str, str]) -> str:
    """The package URL of a distribution's package; without a distribution it has no namespace."""
    if distro is None:
        return purl(kind, name, version, qualifiers)
    return purl(kind, name, version, {**qualifiers, "distro": _label(distro)}, namespace=_vendor(kind, distro))


@lru_cache(maxsize=8192)
def quoted(text: str) -> str:
    """Percent-encoded, ``:`` left bare as the specification asks."""
    if _PLAIN(text):
        return text
    return "".join(_encoded(text.encode("utf-8", "replace")))


def _encoded(data: bytes) -> Iterable[str]:
    for byte in data:
        yield chr(byte) if byte in _SAFE else f"%{byte:02X}"


def _label(distro: Distro) -> str:
    return f"{distro.id}-{distro.version_id}" if distro.version_id else distro.id


def _vendor(kind: str, distro: Distro) -> str:
    if kind == "rpm":
        return "opensuse" if distro.id.startswith("opensuse") else _VENDORS.get(distro.id, distro.id)
    return distro.id

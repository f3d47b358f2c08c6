"""Readers of the files by which a distribution says what it is: each makes a ``Distro`` of one file's text, or None."""

from __future__ import annotations

import re

from anchorecli.model import Distro
from anchorecli.values import replace

_KEYS = frozenset({"ID", "ID_LIKE", "NAME", "PRETTY_NAME", "VERSION", "VERSION_ID", "VERSION_CODENAME"})
_BASES = ("UBUNTU_CODENAME", "DEBIAN_CODENAME")
_LSB_KEYS = frozenset({"DISTRIB_ID", "DISTRIB_RELEASE", "DISTRIB_CODENAME", "DISTRIB_DESCRIPTION"})
_ESCAPED = re.compile(r'\\([\\"$`])')
_RELEASE = re.compile(
    r"(?P<name>\D{1,80}?)(?: release| AMI release)? v?(?P<version>\d[\d.]{0,20})(?:\s+\((?P<code>[^)]{1,40})\))?"
)
_CODENAME = re.compile(r"\(([a-z]{3,20})\)$")
_POINT = re.compile(r"\d+(\.\d+)+$")
_BRANCH = re.compile(r"/v(\d+\.\d+)(?:/|$)|/(edge)(?:/|$)")

# Vendor and product of a CPE, or the beginning of a release file's first line → os-release ID.
_PRODUCTS = {
    ("redhat", "enterprise_linux"): "rhel",
    ("centos", "linux"): "centos",
    ("centos", "centos"): "centos",
    ("oracle", "linux"): "ol",
    ("amazon", "linux"): "amzn",
    ("amazon", "amazon_linux"): "amzn",
    ("fedoraproject", "fedora"): "fedora",
    ("scientificlinux", "scientificlinux"): "scientific",
    ("rocky", "rocky"): "rocky",
    ("almalinux", "almalinux"): "almalinux",
}
_TITLES = {
    "red hat enterprise linux": "rhel",
    "centos": "centos",
    "fedora": "fedora",
    "oracle linux": "ol",
    "enterprise linux enterprise linux": "ol",
    "amazon linux": "amzn",
    "rocky linux": "rocky",
    "almalinux": "almalinux",
    "scientific linux": "scientific",
    "vmware photon": "photon",
    "cbl-mariner": "mariner",
    "suse linux enterprise server": "sles",
    "suse linux enterprise desktop": "sled",
    "opensuse": "opensuse",
}


def assignments(text: str, keys: frozenset[str]) -> dict[str, str]:
    """``KEY=value`` lines as the shell reads them, for the keys asked for; of repeated ones the last."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and key in keys:
            found[key] = _unquoted(value.strip())
    return found


def os_release(text: str) -> Distro | None:
    """Format: os-release(5), e.g. ``VERSION_ID="12"``."""
    fields = assignments(text, _KEYS.union(_BASES))
    identifier = _identifier(fields.get("ID", "")) or _by_title(fields.get("NAME", ""))
    if not identifier:
        return None
    codename = fields.get("VERSION_CODENAME", "")
    if not codename and (found := _CODENAME.search(fields.get("VERSION", ""))):
        # Debian 8 and older name it only here: ``VERSION="8 (jessie)"``.
        codename = found[1]
    return Distro(
        id=identifier,
        version_id=fields.get("VERSION_ID", ""),
        name=fields.get("NAME", ""),
        codename=codename,
        like=tuple(_identifier(word) for word in fields.get("ID_LIKE", "").split()),
        pretty_name=fields.get("PRETTY_NAME", ""),
        base_codename=next((fields[key] for key in _BASES if fields.get(key)), ""),
    )


def lsb_release(text: str) -> Distro | None:
    """Format: ``/etc/lsb-release`` of Ubuntu and its kin, e.g. ``DISTRIB_RELEASE=14.04``."""
    fields = assignments(text, _LSB_KEYS)
    identifier = _identifier(fields.get("DISTRIB_ID", ""))
    if not identifier:
        return None
    return Distro(
        id=identifier,
        version_id=fields.get("DISTRIB_RELEASE", ""),
        name=fields["DISTRIB_ID"],
        codename=fields.get("DISTRIB_CODENAME", ""),
        pretty_name=fields.get("DISTRIB_DESCRIPTION", ""),
    )


def system_cpe(text: str) -> Distro | None:
    """Format: CPE 2.2 or 2.3 in ``/etc/system-release-cpe``, e.g. ``cpe:/o:amazon:linux:2018.03:ga``."""
    line = text.strip().partition("\n")[0][:200]
    parts = line.removeprefix("cpe:/").removeprefix("cpe:2.3:").split(":")
    if len(parts) < 4 or parts[0] != "o":
        return None
    identifier = _PRODUCTS.get((parts[1], parts[2]))
    version = re.match(r"\d[\d.]*", parts[3])
    return Distro(identifier, version[0]) if identifier and version else None


def titled(text: str) -> Distro | None:
    """Format: the first line of ``/etc/redhat-release`` and its kin, e.g. ``CentOS release 6.10 (Final)``.

    SUSE's file has a service pack in a line of its own: ``PATCHLEVEL = 4``.
    """
    line = text.strip().partition("\n")[0].strip()[:200]
    found = _RELEASE.match(line)
    identifier = _by_title(line)
    if not identifier or not found:
        return None
    version = found["version"].rstrip(".")
    patch = re.search(r"^PATCHLEVEL = (\d+)$", text, re.MULTILINE)
    if patch and patch[1] != "0" and "." not in version:
        version = f"{version}.{patch[1]}"
    # SUSE puts the architecture where others put the codename.
    codename = "" if "suse" in line.lower() else found["code"] or ""
    return Distro(identifier, version, name=found["name"].strip(), codename=codename, pretty_name=line)


def alpine_release(text: str) -> Distro | None:
    """Format: ``/etc/alpine-release``: the bare version, e.g. ``3.20.3``."""
    version = text.strip()
    return Distro("alpine", version, name="Alpine Linux") if re.fullmatch(r"\d[\w.]{0,40}", version) else None


def debian_version(text: str) -> Distro | None:
    """Format: ``/etc/debian_version``: ``12.5``, or the codenames ``trixie/sid`` before a release."""
    word = text.strip()
    if re.fullmatch(r"\d+(\.\d+){0,3}", word):
        return Distro("debian", word.partition(".")[0], name="Debian GNU/Linux")
    if re.fullmatch(r"[a-z]{3,20}(/sid)?", word):
        return Distro("debian", name="Debian GNU/Linux", codename=word.partition("/")[0])
    return None


def apk_repositories(text: str) -> Distro | None:
    """Format: ``/etc/apk/repositories``, e.g. ``https://dl-cdn.alpinelinux.org/alpine/v3.20/main``."""
    for line in text.splitlines():
        # ``@tag url`` pins packages to a repository that the system is otherwise not made from.
        url = line.strip()[:500]
        if url.startswith(("#", "@")):
            continue
        if "packages.wolfi.dev" in url:
            return Distro("wolfi", name="Wolfi")
        if "apk.cgr.dev/chainguard" in url or "packages.cgr.dev" in url:
            return Distro("chainguard", name="Chainguard")
        if found := _BRANCH.search(url):
            return Distro("alpine", found[1] or found[2], name="Alpine Linux")
    return None


def busybox(text: str) -> Distro | None:
    """The version found inside the program."""
    return Distro("busybox", text, name="BusyBox") if text else None


def with_debian_version(distro: Distro, text: str) -> Distro:
    """A Debian os-release with what ``/etc/debian_version`` adds.

    ``version_id`` stays the major version that feeds go by; the point release shows in the pretty name.
    """
    other = debian_version(text)
    if distro.id != "debian" or other is None:
        return distro
    if not distro.version_id:
        return replace(distro, version_id=other.version_id, codename=distro.codename or other.codename)
    major, word = f" {other.version_id} ", text.strip()
    if _POINT.match(word) and other.version_id == distro.version_id:
        return replace(distro, pretty_name=distro.pretty_name.replace(major, f" {word} ", 1))
    return distro


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        inner = value[1:-1]
        return _ESCAPED.sub(r"\1", inner) if value[0] == '"' else inner
    return value


def _identifier(text: str) -> str:
    """An ID as os-release(5) allows it: lower-case letters, digits, ``.``, ``_`` and ``-``."""
    word = text.strip().lower()
    return word if re.fullmatch(r"[a-z0-9._-]{1,80}", word) else ""


def _by_title(line: str) -> str:
    lowered = line.strip().lower()
    return next((name for title, name in _TITLES.items() if lowered.startswith(title)), "")

"""Packages of others than the image's distribution: whose they are, and who speaks of them.

A distribution's records are about what it built. Of Docker's, NodeSource's or PostgreSQL's own packages, of a PPA or of
EPEL they say nothing, even where the name is the same: asked all the same, they give findings that are wrong, or a
silence that looks like safety. So these packages are asked about where somebody speaks of them (EPEL, a later Debian),
else named in the coverage. What they brought (modules, programs) is judged by itself: the distribution's word is not
about it.

What tells: of an rpm its vendor, or where it names none, for which distribution its release was built. Vendors of the
distribution are known; of derivatives that are not, it is who made most of the image's packages. A deb names nobody but
its maintainer, who may be anyone in Debian: only known marks in versions and known companies tell (of the 63,440
packages of Debian 12 none bears one). Not told apart: what a distribution ships beside its releases as the same vendor
(add-on products, Oracle's build of EPEL), Debian's packages of unstable without a mark in their version.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from anchorecli.matching.distributions import RELEASE_NAMES, lineage
from anchorecli.model import Distro, Package


class Origin(NamedTuple):
    """Who made a package, as a report calls them, and the namespace that speaks of it, if any does."""

    name: str
    ecosystem: str = ""


def outsiders(packages: Sequence[Package], distro: Distro | None) -> dict[str, Origin]:
    """The packages (by purl) of the distribution's type that are not the distribution's own."""
    if distro is None:
        return {}
    native = lineage(distro).native
    if native == "deb":
        release = _debian_release(distro)
        found = ((each, _deb(each.version, each.vendor, release)) for each in packages if each.type == "deb")
    elif native == "rpm":
        family = _family(distro)
        own = _own_vendors(packages, family)
        found = ((each, _rpm(each, family, own)) for each in packages if each.type == "rpm")
    else:
        return {}
    return {package.purl: origin for package, origin in found if origin is not None and package.purl}


# ── rpm ───────────────────────────────────────────────────────────────────────────────────────────────────


def _family(distro: Distro) -> str:
    """Whose packages a distribution's may be: those of rebuilds count as those of what they are built from."""
    spaces = lineage(distro)
    names = (each.partition(":")[0] for each in spaces.own + spaces.inherited)
    return next((family for name in names if (family := _FAMILIES.get(name))), "")


def _own_vendors(packages: Sequence[Package], family: str) -> frozenset[str]:
    """The vendors of the image's packages that are the distribution, in whatever spelling."""
    counts = Counter(each.vendor for each in packages if each.type == "rpm" and each.name != "gpg-pubkey")
    known = frozenset(vendor for vendor in counts if not vendor or _family_of(vendor) == family)
    vendor, count = counts.most_common(1)[0] if counts else ("", 0)
    # A derivative nobody knows, or somebody's own rebuild of everything.
    most = 2 * count > counts.total() and not _family_of(vendor)
    return known | {vendor} if most else known


@lru_cache(maxsize=1 << 10)
def _family_of(vendor: str) -> str:
    """The distributions whose vendor it is; empty for anybody else."""
    text = vendor.lower()
    if " sig" in text:  # CentOS' interest groups build what is not in the distribution
        return ""
    return next((family for beginning, family in _VENDORS if text.startswith(beginning)), "")


def _rpm(package: Package, family: str, own: frozenset[str]) -> Origin | None:
    if not family or package.name == "gpg-pubkey":
        return None
    if package.vendor in own:
        built = {"rhel": "fc", "fedora": "el"}.get(family) if not package.vendor else None
        other = built is not None and _BUILT_FOR.findall(package.version.rpartition("-")[2])[-1:] == [built]
        return Origin({"fc": "Fedora", "el": "Enterprise Linux"}[built]) if other and built else None
    if _family_of(package.vendor) == "fedora" and (release := _EPEL.search(package.version)):
        number = f"{release[1]}.{release[2]}" if release[2] and int(release[1]) > _UNDIVIDED else release[1]
        return Origin(f"EPEL {number}", f"epel:{number}")
    return Origin(package.vendor.partition(" <")[0].strip()[:_LONGEST])


# ── deb ───────────────────────────────────────────────────────────────────────────────────────────────────


def _debian_release(distro: Distro) -> int:
    """The number of a release of Debian; 0 for anything else."""
    major = distro.version_id.partition(".")[0]
    return int(major) if distro.id == "debian" and major.isdecimal() else 0


@lru_cache(maxsize=1 << 14)
def _deb(version: str, maintainer: str, release: int) -> Origin | None:
    marked = next((name for word, form, name in _MARKS if word in version and form.search(version)), "")
    address = maintainer.rpartition("<")[2].rstrip("> ").lower()
    company = marked or _COMPANIES.get(address.rpartition("@")[2]) or _COMPANIES.get(address, "")
    if company or _names_release(version):
        return Origin(company or _person(maintainer))
    if release:
        if "ubuntu" in version:
            return Origin("Ubuntu")
        built = _built_for(version)
        if built > release:
            return Origin(f"Debian {built}", f"debian:{built}")
    return None


def _built_for(version: str) -> int:
    """The release of Debian that a version is marked for; 0 for none. A build of a build bears its own mark last."""
    marks = _DEBIAN.findall(version) if "deb" in version or "bpo" in version else ()
    if not marks:
        return 0
    updated, backported = marks[-1]
    number = int(updated or backported)
    return number // 10 if backported and number >= _WITH_MINOR else number


def _names_release(version: str) -> bool:
    """Whether a version ends with a release's name, as others than the distribution write it: ``~bookworm``.

    Debian itself wrote so until its seventh release, ``7.26.0-1+wheezy13``.
    """
    name = version[max(version.rfind("~"), version.rfind("+")) + 1 :].rstrip("0123456789")
    return name in RELEASE_NAMES and not (name == "wheezy" and _OF_WHEEZY.search(version))


def _person(maintainer: str) -> str:
    return maintainer.partition("<")[0].strip(' "')[:_LONGEST] or "another repository"


_LONGEST = 60
_BUILT_FOR = re.compile(r"\.(el|fc)\d", re.ASCII)
_EPEL = re.compile(r"\.el(\d+)(?:_(\d+))?(?=\.|$)", re.ASCII)
_UNDIVIDED = 9
"""The last major release for which EPEL has no branches by minor releases."""
_DEBIAN = re.compile(r"[+~](?:deb(\d+)u|bpo(\d+)[+u])\d", re.ASCII)
"""Updates of a release and backports to it (Debian Policy, 5.6.12.2)."""
_WITH_MINOR = 40
"""From etch to wheezy backports were marked with the whole number, ``~bpo70+1`` for 7.0."""
_OF_WHEEZY = re.compile(r"\+wheezy\d+$", re.ASCII)
_MARKS = (
    ("ppa", re.compile(r"[~.+\d-]ppa\d*(?=[~.+\d-]|$)", re.ASCII), "a PPA"),
    ("pgdg", re.compile(r"\.pgdg"), "PostgreSQL (PGDG)"),
    ("nodesource", re.compile(r"nodesource\d", re.ASCII), "NodeSource"),
    ("+maria", re.compile(r"\+maria[~.]"), "MariaDB"),
    ("sury.org", re.compile(r"deb\.sury\.org"), "deb.sury.org"),
    ("+0~20", re.compile(r"\+0~20\d{6}\.", re.ASCII), "deb.sury.org"),
    ("~debian", re.compile(r"~debian(?:\.\d|-[a-z]+$)", re.ASCII), "Docker"),
    ("~ubuntu", re.compile(r"~ubuntu(?:\.\d|-[a-z]+$)", re.ASCII), "Docker"),
)
"""Marks in the versions of a repository, with a text that is quickly looked for, and who it is."""
_COMPANIES: Mapping[str, str] = {
    "docker.com": "Docker",
    "nodesource.com": "NodeSource",
    "oss.oracle.com": "MySQL",
    "nginx.com": "nginx.org",
    "f5.com": "nginx.org",
    "lists.mariadb.org": "MariaDB",
    "mariadb.com": "MariaDB",
    "percona.com": "Percona",
    "mongodb.com": "MongoDB",
    "elastic.co": "Elastic",
    "grafana.com": "Grafana",
    "hashicorp.com": "HashiCorp",
    "microsoft.com": "Microsoft",
    "gitlab.com": "GitLab",
    "cloudflare.com": "Cloudflare",
    "tailscale.com": "Tailscale",
    "influxdb.com": "InfluxData",
    "influxdata.com": "InfluxData",
    "konghq.com": "Kong",
    "sap.com": "SAP",
    "azul.com": "Azul",
    "eclipse.org": "Eclipse Adoptium",
    "datadoghq.com": "Datadog",
    "newrelic.com": "New Relic",
    "puppet.com": "Puppet",
    "confluent.io": "Confluent",
    "redis.com": "Redis",
    "redis.io": "Redis",
    "cudatools@nvidia.com": "NVIDIA",
    "dan.cx": "Yarn",
    "chromium-dev@chromium.org": "Google",
    "packages@google.com": "Google",
}
"""Who publishes packages in a repository of its own, by the domain or the whole of the maintainer's address."""

_FAMILIES: Mapping[str, str] = dict.fromkeys(("rhel", "almalinux", "rocky", "ol"), "rhel") | {
    "fedora": "fedora",
    "amzn": "amazon",
    "sles": "suse",
    "opensuse-leap": "suse",
    "opensuse-tumbleweed": "suse",
    "azurelinux": "microsoft",
    "mariner": "microsoft",
    "photon": "vmware",
    "mageia": "mageia",
    "openeuler": "openeuler",
}
"""Namespaces whose packages are made by the same vendors, or from the same sources."""
_VENDORS = (
    *((name, "rhel") for name in ("red hat", "centos", "almalinux", "cloudlinux", "rocky", "oracle america")),
    ("scientific linux", "rhel"),
    ("fedora project", "fedora"),
    ("amazon", "amazon"),
    *((name, "suse") for name in ("suse", "opensuse", "obs://build.suse.de/suse:")),
    ("obs://build.opensuse.org/opensuse:", "suse"),
    ("microsoft", "microsoft"),
    *((name, "vmware") for name in ("vmware", "broadcom")),
    ("mageia", "mageia"),
    *((name, "openeuler") for name in ("openeuler", "http://openeuler", "https://openeuler")),
)
"""How the vendors of distributions begin, in small letters."""

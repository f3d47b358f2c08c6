"""Fixes of support streams that have to be paid for: what they settle for the builds that came out of them.

Red Hat fixes an old minor release for who pays for that (EUS, AUS, E4S, TUS; ELS after the end of a release), in
builds that are older than the fix everybody gets. Nobody is told to install them. But a package that is such a build,
which its release says (``-6.el9_2.3``, ``-11.module+el8.6.0+23193+83e23a7a.1``), and has the stream's fix, is not
affected, whatever the main stream's number is.

Debian's backports are rebuilt from the next release, of which unstable's records speak: what has the fix of unstable
(``5.2.15-2~bpo12+1``, fixed in 5.2.15-1) is not affected, though the release itself may have no fix.

AlmaLinux, Rocky and Oracle are built from Red Hat's sources, and their errata tell of nothing but fixes. What Red Hat
says has no fix, their packages have as well: those statements of its feed count, where that is held, unless an
erratum of the rebuild's own has mended it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence

from anchorecli.matching.decide import Hit, Subject, bounds, judge
from anchorecli.matching.ecosystems import Query
from anchorecli.model import Candidate, Package

_BUILD = re.compile(r"\.el(\d+)_(\d+)|\.module\+el(\d+)\.(\d+)\.")
_UNSTABLE = "debian:unstable"
_KINDS = ("eus", "aus", "e4s", "tus")
REBUILDS = ("almalinux:", "rocky:", "ol:")
"""Namespaces of what is built from Red Hat's sources."""


def upstream(ecosystem: str) -> str:
    """The namespace that knows what has no fix in a rebuild; empty for what is no rebuild."""
    return f"rhel:{ecosystem.partition(':')[2]}" if ecosystem.startswith(REBUILDS) else ""


def is_stream(ecosystem: str, main: str) -> bool:
    """Whether a namespace is a stream whose fixes only settle what the main one claims."""
    return (ecosystem.startswith("rhel:") and "+" in ecosystem) or (ecosystem == _UNSTABLE and main != _UNSTABLE)


def streams(package: Package, ecosystem: str, covered: Container[str]) -> tuple[str, ...]:
    """The covered namespaces of streams that a package may have come out of, or of what it is rebuilt from."""
    if package.type == "deb":
        backport = ecosystem.startswith("debian:") and ecosystem != _UNSTABLE and "~bpo" in package.version
        return (_UNSTABLE,) if backport and _UNSTABLE in covered else ()
    if package.type != "rpm" or not ecosystem.startswith("rhel:"):
        origin = upstream(ecosystem)
        return (origin,) if origin in covered else ()
    found = _BUILD.search(package.version.rpartition("-")[2])
    if found is None:
        return ()
    major, minor = found[1] or found[3], found[2] or found[4]
    if ecosystem != f"rhel:{major}":
        return ()
    named = (*(f"{ecosystem}.{minor}+{kind}" for kind in _KINDS), f"{ecosystem}+els")
    return tuple(each for each in named if each in covered)


def verdict(group: Sequence[Query], query: Query) -> Callable[[Candidate, Subject], Hit | None]:
    """How statements of the namespace of one of a package's questions are judged."""
    main = group[0].ecosystem
    if is_stream(query.ecosystem, main):
        return settled
    if not main.startswith(REBUILDS) or group[-1].ecosystem == main:
        return judge
    return _judged_or_settled if query.ecosystem == main else _unfixed


def _judged_or_settled(candidate: Candidate, subject: Subject) -> Hit | None:
    return judge(candidate, subject) or settled(candidate, subject)


def _unfixed(candidate: Candidate, subject: Subject) -> Hit | None:
    """A statement about every version; a fix of another's build says nothing of this one."""
    about_all = not candidate.ranges and not candidate.versions and candidate.statement != "not-affected"
    return judge(candidate, subject) if about_all else None


def settled(candidate: Candidate, subject: Subject) -> Hit | None:
    """A denial where the subject has the stream's fix; None where it has not, or nothing can be said."""
    if judge(candidate, subject) is not None:
        return None
    fixes = [fixed for _, fixed, _ in bounds(candidate.scheme, candidate.ranges) if fixed is not None]
    if not fixes or any(fixed.error or (".module" in fixed.text) != subject.modular for fixed in fixes):
        return None
    # Without its range the statement holds wherever its module and its architectures are the subject's.
    return judge(candidate._replace(statement="not-affected", ranges="", versions=""), subject)

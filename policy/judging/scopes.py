"""The scope of an exception: whether it holds for a thing that a finding is about.

What is not known is not in scope: a package without a known layer is in no layer, and nothing is known to come from a
base image that is not known.
"""

from __future__ import annotations

from collections.abc import Callable

from anchorecli.model import Allow, DiffId
from anchorecli.policy.base import Evidence
from anchorecli.policy.judging.subjects import Subject
from anchorecli.policy.judging.wildcards import Wildcard

Scope = Callable[[Subject], bool]


def scope_of(item: Allow, evidence: Evidence) -> Scope | None:
    """The test that a subject has to pass, None where the item has no scope. May raise LimitError when called."""
    tests: list[Scope] = []
    if item.package:
        package = Wildcard(item.package)
        tests.append(lambda subject: any(map(package.matches, subject.names)))
    if item.purl:
        tests.append(purl_scope(item.purl))
    if item.path:
        path = Wildcard(item.path if item.path.startswith(("*", "/", "regexp:")) else f"/{item.path}")
        tests.append(lambda subject: bool(subject.paths) and all(map(path.matches, subject.paths)))
    if item.layer:
        tests.append(_in(_layers(item.layer, evidence)))
    if item.base_only:
        tests.append(_in(evidence.base or frozenset()))
    if item.while_no_fix:
        tests.append(lambda subject: subject.fixed_in == ())
    return (lambda subject: all(test(subject) for test in tests)) if tests else None


def _in(layers: frozenset[DiffId]) -> Scope:
    return lambda subject: subject.layer in layers


def _layers(start: str, evidence: Evidence) -> frozenset[DiffId]:
    digits = start.removeprefix("sha256:")
    return frozenset(
        layer.diff_id
        for layer in evidence.analysis.image.layers
        if any(_hex(name).startswith(digits) for name in (layer.diff_id, layer.digest) if name)
    )


def _hex(digest: str) -> str:
    return digest.rpartition(":")[2].lower()


def purl_scope(text: str) -> Scope:
    """A wildcard over whole purls, or a purl that leaves out what it does not say: qualifiers, or the version too."""
    wildcard = Wildcard(text)
    if not wildcard.is_exact:
        return lambda subject: wildcard.matches(subject.purl) or wildcard.matches(_without_qualifiers(subject.purl))
    wanted = _plain(text)
    if "?" in text:
        return lambda subject: _plain(subject.purl) == wanted
    if "@" in wanted.rpartition("/")[2]:
        return lambda subject: _plain(_without_qualifiers(subject.purl)) == wanted
    return lambda subject: _plain(_without_version(subject.purl)) == wanted


def _plain(purl: str) -> str:
    """A scope of npm may be written ``@scope`` or ``%40scope``."""
    return purl.replace("%40", "@")


def _without_qualifiers(purl: str) -> str:
    return purl.partition("?")[0].partition("#")[0]


def _without_version(purl: str) -> str:
    bare = _without_qualifiers(purl)
    directory, slash, name = bare.rpartition("/")
    return f"{directory}{slash}{name.partition('@')[0]}"

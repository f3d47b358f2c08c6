"""What is doubtful in a bundle that can be used: rules that never fire, mappings never reached, exceptions for nothing.

Faults, with which a bundle cannot be used, are those of ``bundle.py``. Here a bundle has been read already, and every
remark says where, what and what next. ``lint_rules.py``, ``lint_images.py``, ``lint_allow.py`` and ``lint_trust.py``
hold the checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from anchorecli.errors import BundleError
from anchorecli.policy.authoring.lint_allow import allowlist_remarks
from anchorecli.policy.authoring.lint_images import image_remarks
from anchorecli.policy.authoring.lint_rules import rule_remarks
from anchorecli.policy.authoring.lint_trust import trust_remarks
from anchorecli.policy.language.faults import BundleFaults, Remark
from anchorecli.policy.values import Bundle


def lint(bundle: Bundle, now: str) -> tuple[Remark, ...]:
    """All remarks on a bundle at a moment (RFC 3339), in the order of its files."""
    return in_order(_all(bundle, now), bundle.path)


def fault_remarks(error: BundleError) -> tuple[Remark, ...]:
    """What keeps a bundle from being used, as remarks."""
    if isinstance(error, BundleFaults):
        return error.remarks
    where = f"{error.path}:{error.line}: " if error.line else f"{error.path}: "
    return (Remark(error.path, error.line, "error", str(error).removeprefix(where)),)


def in_order(remarks: Iterable[Remark], path: str) -> tuple[Remark, ...]:
    """Remarks by file, the bundle's own first, and line."""
    found = list(dict.fromkeys(remarks))
    files = list(dict.fromkeys([path, *(remark.path for remark in found)]))
    return tuple(sorted(found, key=lambda remark: (files.index(remark.path), remark.line)))


def _all(bundle: Bundle, now: str) -> Iterator[Remark]:
    for warning in bundle.warnings:
        path, _, line = warning.subject.rpartition(":")
        known = (path, int(line)) if path and line.isdigit() else (warning.subject, 0)
        yield Remark(known[0], known[1], "warning", warning.message, warning.hint)
    yield from rule_remarks(bundle)
    yield from image_remarks(bundle)
    yield from allowlist_remarks(bundle, now)
    yield from trust_remarks(bundle)

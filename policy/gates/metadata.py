"""Gate ``metadata``: size, platform, distribution and layers of the image."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from operator import ge, gt, le, lt
from typing import Any, NamedTuple

from anchorecli.errors import VersionError
from anchorecli.model import Problem
from anchorecli.policy.base import Evidence, Fire, Parameter, Trigger
from anchorecli.policy.language.parameters import Arguments, split_list
from anchorecli.policy.patterns import regex_fault

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {">": gt, "<": lt, ">=": ge, "<=": le}
_ATTRIBUTES = ("size", "architecture", "os_type", "distro", "distro_version", "like_distro", "layer_count")
_NUMBERS = ("size", "layer_count")
_CHECKS = ("=", "!=", *_ORDER, "exists", "not_exists", "like", "not_like", "in", "not_in")
_NO_VALUE = ("exists", "not_exists")
_SIZE = re.compile(r"(\d{1,18})\s*(?:([kmgt])b)?", re.ASCII | re.IGNORECASE)
_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def _attribute(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    attribute, check, written = (arguments.text(name) for name in ("attribute", "check", "value"))
    if not written and check not in _NO_VALUE:
        return
    found = _found(evidence, attribute)
    if check in _NO_VALUE:
        if bool(found) is (check == "exists"):
            # The original prints what its missing value turned into.
            yield _fire(arguments, "", found, stable_value="None" if found else "")
        return
    shown = found or _absent(attribute)
    if not found and check in _ORDER and evidence.analysis.distro is not None and not arguments.compat:
        said = f"rule {arguments.rule_id} compares the distribution's version, and the distribution names none"
        yield Problem("policy", "metadata.attribute", said)
        return
    try:
        holds = _holds(attribute, check, shown, written, arguments)
    except VersionError as error:
        said = f"rule {arguments.rule_id} could not compare the distribution's version: {error}"
        yield Problem("policy", "metadata.attribute", said)
        return
    if holds:
        single = attribute in _NUMBERS and not check.endswith(("like", "in"))
        yield _fire(arguments, str(_number(written)) if single else written, shown)


def _fire(arguments: Arguments, value: str, found: str, stable_value: str = "") -> Fire:
    attribute, check = arguments.text("attribute"), arguments.text("check")
    head = f"Attribute check for attribute: '{attribute}' check: '{check}' check_value: "
    tail = f" matched image value: '{found}'"
    return Fire(f"{head}'{value}'{tail}", stable=f"{head}'{stable_value}'{tail}" if stable_value else "")


def _found(evidence: Evidence, attribute: str) -> str:
    """The image's value as text, empty where it has none."""
    analysis = evidence.analysis
    platform, distro = analysis.image.config.platform, analysis.distro
    if attribute == "size":
        return str(analysis.file_bytes)
    if attribute == "layer_count":
        return str(len(analysis.image.layers))
    if attribute in ("architecture", "os_type"):
        return platform.architecture if attribute == "architecture" else platform.os
    if distro is None:
        return ""
    if attribute == "distro":
        return distro.id
    return distro.version_id if attribute == "distro_version" else ",".join(distro.like) or distro.id


def _absent(attribute: str) -> str:
    """What the original takes where the image names no distribution."""
    return {"distro": "Unknown", "like_distro": "Unknown", "distro_version": "0"}.get(attribute, "")


def _holds(attribute: str, check: str, found: str, written: str, arguments: Arguments) -> bool:
    if check in ("like", "not_like"):
        pattern = arguments.pattern("value")
        return pattern is not None and pattern.matches(found) is (check == "like")
    if check in ("in", "not_in"):
        listed = any(_equal(attribute, found, word) for word in split_list(written))
        return listed is (check == "in")
    if check in ("=", "!="):
        return _equal(attribute, found, written) is (check == "=")
    if attribute in _NUMBERS:
        return _ORDER[check](int(found), _number(written))
    if attribute == "distro_version" and not arguments.compat:
        from anchorecli.versions import compare

        return _ORDER[check](compare("fuzzy", found, written), 0)
    return _ORDER[check](found, written)


def _equal(attribute: str, found: str, written: str) -> bool:
    return int(found) == _number(written) if attribute in _NUMBERS else found == written


def _number(written: str) -> int:
    """``10mb`` in bytes, or a plain number."""
    match = _SIZE.fullmatch(written.strip())
    return int(match[1]) << 10 * _UNITS[(match[2] or "").lower()] if match else 0


def _fault(arguments: Arguments) -> str:
    attribute, check, value = (arguments.text(name) for name in ("attribute", "check", "value"))
    if not value:
        return ""
    if check in ("like", "not_like"):
        fault = regex_fault(value)
        return f'"value" is not usable as a regular expression: {fault}' if fault else ""
    if attribute not in _NUMBERS or check in _NO_VALUE:
        return ""
    for word in split_list(value) if check in ("in", "not_in") else (value,):
        match = _SIZE.fullmatch(word.strip())
        if match is None or (attribute == "layer_count" and match[2]):
            expected = "a number of bytes, or one with kb, mb, gb or tb" if attribute == "size" else "a whole number"
            return f'"value" must be {expected}, not {word!r}'
    return ""


def _looked_at(evidence: Evidence, arguments: Arguments) -> str:
    attribute = arguments.text("attribute")
    return f"{attribute} {_found(evidence, attribute) or 'unknown'}"


_TRIGGERS = (
    Trigger(
        "attribute",
        "An attribute of the image compares with the value as given.",
        _attribute,
        (
            Parameter(
                "attribute",
                "enum",
                "What to look at. size: the bytes of all files a container would see; layer_count: the layers.",
                required=True,
                allowed=_ATTRIBUTES,
                example="size",
            ),
            Parameter(
                "check",
                "enum",
                "The test. like: a regular expression matched from the start; in: a comma separated list.",
                required=True,
                allowed=_CHECKS,
                example=">",
            ),
            Parameter(
                "value",
                "string",
                "What to compare with; a size may have a unit (kb, mb, gb, tb: powers of 1024). Needed by every check "
                "but exists and not_exists.",
                example="500mb",
            ),
        ),
        notes="A distribution's version is compared as a version, so that 9 is older than 10; compat: anchore-engine "
        "compares it as text. size does not count what an uncompressed archive adds to the files. Lists and like work "
        "for numbers too.",
        check=_fault,
        looks_at=_looked_at,
    ),
)


class MetadataGate(NamedTuple):
    """The image as a whole."""

    name: str = "metadata"
    description: str = "The image's size, platform, distribution and number of layers."
    triggers: tuple[Trigger, ...] = _TRIGGERS

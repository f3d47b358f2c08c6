"""Gate ``image``: age, size, layers, labels, annotations and environment of the image itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sized
from typing import NamedTuple

from anchorecli.model import Image, Problem
from anchorecli.policy.base import Evidence, Fire, Fires, Parameter, Trigger
from anchorecli.policy.facts.base_image import claims
from anchorecli.policy.facts.image_facts import byte_count, created, size_fault, stored_size
from anchorecli.policy.facts.signed import (
    attached_looked_at,
    attestation_missing,
    demands_attached,
    predicate_fault,
    signature_missing,
)
from anchorecli.policy.facts.vulnerability_filter import COMPARE
from anchorecli.policy.facts.wording import counted
from anchorecli.policy.judging.wildcards import Wildcard
from anchorecli.policy.language.parameters import Arguments
from anchorecli.policy.patterns import wildcard_fault
from anchorecli.policy.times import days_between

_NO_ANNOTATIONS = ("docker", "docker-archive", "rootfs", "dir")
"""Sources that do not hand on a manifest's annotations."""


def _age(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    limit, choice = arguments.integer("max_days") or 0, arguments.text("unknown_date")
    date = created(evidence.analysis.image)
    age = days_between(date, evidence.now)
    if age is None or age < -1:
        said = f"is in the future ({date[:10]})" if age is not None else "is not known: a reproducible build?"
        if choice == "fire":
            yield Fire(f"The day the image was created {said}", stable="the day the image was created is not known")
        elif choice == "incomplete":
            message = f"rule {arguments.rule_id} could not be decided: the day the image was created {said}"
            yield Problem("policy", "image.age", message, "The parameter unknown_date says what to make of that.")
    elif int(age) > limit:
        message = f"The image was created on {date[:10]}, {int(age)} days ago; the policy allows {limit}"
        yield Fire(message, stable=f"older than {limit} days")


def _layer_count(evidence: Evidence, arguments: Arguments) -> Fires:
    check, limit = arguments.text("comparison"), arguments.integer("value") or 0
    number = len(evidence.analysis.image.layers)
    if not COMPARE[check](number, limit):
        return ()
    return (Fire(f"The image has {counted(number, 'layer')}, which is {check} {limit}", stable=f"{check} {limit}"),)


def _size(evidence: Evidence, arguments: Arguments) -> Fires:
    check, value, of = (arguments.text(name) for name in ("comparison", "value", "of"))
    number = evidence.analysis.file_bytes if of == "files" else stored_size(evidence.analysis.image)
    if number is None:
        message = f"rule {arguments.rule_id} could not be decided: this source does not tell the size of stored layers"
        return (Problem("policy", "image.size", message, "Scan the image from its registry, or ask for of: files."),)
    if not COMPARE[check](number, byte_count(value)):
        return ()
    what = "The image's files have" if of == "files" else "The image's stored layers have"
    return (Fire(f"{what} {number} bytes, which is {check} {value}", stable=f"{of} {check} {value}"),)


def _labels(evidence: Evidence, arguments: Arguments) -> Fires:
    return _entries("label", evidence.analysis.image.config.labels, arguments)


def _annotations(evidence: Evidence, arguments: Arguments) -> Fires:
    image = evidence.analysis.image
    if not image.annotations and image.ref.transport in _NO_ANNOTATIONS:
        message = f"rule {arguments.rule_id} could not be decided: {image.ref.transport} keeps no annotations"
        return (Problem("policy", "image.annotations", message, "Scan the image from its registry."),)
    return _entries("annotation", image.annotations, arguments)


def _env(evidence: Evidence, arguments: Arguments) -> Fires:
    pairs = (pair.partition("=") for pair in evidence.analysis.image.config.env)
    return _entries("environment variable", {name: value for name, _, value in pairs}, arguments)


def _entries(what: str, entries: Mapping[str, str], arguments: Arguments) -> Fires:
    """Fires for each forbidden entry, or where no entry is as required. Values are not shown: they may be secret."""
    wanted, pattern = Wildcard(arguments.text("name") or "*"), arguments.pattern("value")
    named = [name for name in entries if wanted.matches(name)]
    found = [name for name in named if pattern is None or pattern.matches(entries[name])]
    if arguments.text("check") == "forbidden":
        such = " with a value that matches" if pattern is not None else ""
        for name in found:
            yield Fire(f"The image has the {what} {name}{such}, which is forbidden")
    elif not found:
        fault = "has a value that does not match" if named else "is missing"
        # One id whether it is missing or wrong: the exception is from having to have it.
        yield Fire(f"The required {what} {wanted.text} {fault}", stable=f"required {what} {wanted.text}")


def _entry_fault(arguments: Arguments) -> str:
    fault = wildcard_fault(arguments.text("name"))
    if fault:
        return f'"name" is not usable as a regular expression: {fault}'
    return "" if arguments.text("name") or arguments.text("value") else "needs a name, a value, or both"


def _base_unknown(evidence: Evidence, _arguments: Arguments) -> Fires:
    known = evidence.base is not None or claims(evidence.analysis.image)
    return () if known else (Fire("Nothing tells which base image the image was built from"),)


def _layers_looked_at(evidence: Evidence, _arguments: Arguments) -> str:
    return counted(len(evidence.analysis.image.layers), "layer")


def _date_looked_at(evidence: Evidence, _arguments: Arguments) -> str:
    date = created(evidence.analysis.image)
    return f"created {date[:10]}" if date else "no date"


def _size_fault(arguments: Arguments) -> str:
    return size_fault(arguments.text("value"))


def _entries_looked_at(what: str, entries: Callable[[Image], Sized]) -> Callable[[Evidence, Arguments], str]:
    return lambda evidence, _arguments: counted(len(entries(evidence.analysis.image)), what)


def _comparison(what: str) -> Parameter:
    return Parameter("comparison", "enum", f"How to compare the {what}.", default=">", allowed=tuple(COMPARE))


def _entry_parameters(what: str, name: str, value: str, *, required: bool, default: str) -> tuple[Parameter, ...]:
    return (
        Parameter(
            "name",
            "string",
            f"Name of the {what}; * is any run of characters.",
            required=required,
            example=name,
        ),
        Parameter("value", "regex", "Only values that match this from the start count.", example=value),
        Parameter(
            "check",
            "enum",
            "Whether it must be there or must not.",
            default=default,
            allowed=("required", "forbidden"),
        ),
    )


_SIGNER = Parameter(
    "signer",
    "strings",
    "Whose counts: signers that the bundle names under trust; without it any of them.",
    example="release",
)
_UNCHECKED = Parameter(
    "accept_unchecked",
    "boolean",
    "Whether one counts that nobody named made, or that cannot be checked here: it says that somebody put one there, "
    "and no more.",
    default="false",
)
_PREDICATE = Parameter(
    "predicate_type",
    "string",
    "What is attested: provenance, sbom, vex, vulnerabilities, or the URI of a type; * is any run of characters.",
    example="provenance",
)

_TRIGGERS = (
    Trigger(
        "age",
        "The image was created longer ago than allowed.",
        _age,
        (
            Parameter("max_days", "integer", "Days since the image was created.", required=True, example="90"),
            Parameter(
                "unknown_date",
                "enum",
                "What to make of an image without a date (reproducible builds write 1970 or 1980): incomplete "
                "evidence, a finding, or nothing.",
                default="incomplete",
                allowed=("incomplete", "fire", "ignore"),
            ),
        ),
        looks_at=_date_looked_at,
    ),
    Trigger(
        "annotations",
        "A required annotation of the image's manifest is missing or wrong, or a forbidden one is there.",
        _annotations,
        _entry_parameters(
            "annotation", "org.opencontainers.image.source", "https?://.+", required=True, default="required"
        ),
        check=_entry_fault,
        looks_at=_entries_looked_at("annotation", lambda image: image.annotations),
    ),
    Trigger(
        "attestation_missing",
        "No attestation (provenance, SBOM) of the image is attached to it that one of the bundle's signers signed.",
        attestation_missing,
        (_PREDICATE, _SIGNER, _UNCHECKED),
        check=predicate_fault,
        demands=demands_attached,
        looks_at=attached_looked_at,
        aliases=("attestation_present",),
    ),
    Trigger(
        "base_image_unknown",
        "Nothing tells which image it was built from: neither known layers, nor annotations, nor labels.",
        _base_unknown,
        looks_at=_layers_looked_at,
    ),
    Trigger(
        "env",
        "A forbidden environment variable is set in the image, or a required one is not. Values are never shown.",
        _env,
        _entry_parameters("environment variable", "*_PASSWORD", "", required=False, default="forbidden"),
        check=_entry_fault,
        looks_at=_entries_looked_at("environment variable", lambda image: image.config.env),
    ),
    Trigger(
        "labels",
        "A required label of the image is missing or wrong, or a forbidden one is there.",
        _labels,
        _entry_parameters("label", "org.opencontainers.image.source", "https?://.+", required=True, default="required"),
        check=_entry_fault,
        looks_at=_entries_looked_at("label", lambda image: image.config.labels),
    ),
    Trigger(
        "layer_count",
        "The number of layers is not as it should be.",
        _layer_count,
        (
            Parameter("value", "integer", "The number to compare with.", required=True, example="50"),
            _comparison("number of layers"),
        ),
        looks_at=_layers_looked_at,
    ),
    Trigger(
        "signature_missing",
        "No signature of the image is attached to it that one of the bundle's signers made.",
        signature_missing,
        (_SIGNER, _UNCHECKED),
        demands=demands_attached,
        looks_at=attached_looked_at,
        aliases=("signature_present",),
    ),
    Trigger(
        "size",
        "The image is larger (or smaller) than it should be.",
        _size,
        (
            Parameter("value", "string", "Bytes, or kb, mb, gb, tb (powers of 1024).", required=True, example="500mb"),
            _comparison("size"),
            Parameter(
                "of",
                "enum",
                "The size of the files a container sees, or of the layers as the registry stores them (compressed).",
                default="files",
                allowed=("files", "stored"),
            ),
        ),
        check=_size_fault,
        looks_at=_layers_looked_at,
    ),
)


class ImageGate(NamedTuple):
    """The image itself, apart from what is in it."""

    name: str = "image"
    description: str = "Age, size, layers, labels, annotations, environment and base of the image. New here."
    triggers: tuple[Trigger, ...] = _TRIGGERS

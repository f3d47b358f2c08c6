"""Gate ``dockerfile``: instructions, user and ports, from the Dockerfile given or from the image itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from anchorecli.model import Problem
from anchorecli.policy.base import Evidence, Fire, Fires, Parameter, Trigger
from anchorecli.policy.dockerfile import (
    DIRECTIVES,
    Dockerfile,
    Port,
    config_ports,
    dockerfile,
    effective_user,
    exposed_ports,
)
from anchorecli.policy.parameters import Arguments, split_list
from anchorecli.policy.patterns import regex_fault

_CHECKS = ("=", "!=", "exists", "not_exists", "like", "not_like", "in", "not_in")
_LISTS = ("whitelist", "blacklist")


def _instruction(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    file = evidence.once(dockerfile)
    directive, check, value = (arguments.text(name) for name in ("instruction", "check", "value"))
    if not file.instructions:
        yield _nothing_to_see(evidence)
        return
    if arguments.flag("actual_dockerfile_only") and not file.actual:
        return
    lines = [instruction.rest for instruction in file.instructions if instruction.directive == directive]
    if check == "not_exists":
        if not lines:
            yield Fire(f"Dockerfile directive '{directive}' not found, matching condition 'not_exists' check")
        return
    holds = _test(check, value, arguments)
    for line in lines:
        if holds(line):
            yield Fire(
                f"Dockerfile directive '{directive}' check '{check}' matched against '{value}' for line '{line}'"
            )


def _test(check: str, value: str, arguments: Arguments) -> Callable[[str], bool]:
    """The test of one line; an operator that needs a value and has none never holds."""
    if check == "exists":
        return lambda line: True
    if not value:
        return lambda line: False
    negative = check in ("!=", "not_like", "not_in")
    if check in ("like", "not_like"):
        pattern = arguments.pattern("value")
        return lambda line: pattern is not None and pattern.matches(line) is not negative
    members = split_list(value) if check in ("in", "not_in") else (value,)
    return lambda line: (line in members) is not negative


def _instruction_fault(arguments: Arguments) -> str:
    if arguments.text("check") not in ("like", "not_like"):
        return ""
    fault = regex_fault(arguments.text("value"))
    return f'"value" is not usable as a regular expression: {fault}' if fault else ""


def _effective_user(evidence: Evidence, arguments: Arguments) -> Fires:
    file = evidence.once(dockerfile)
    if not file.instructions:
        return (_nothing_to_see(evidence),)
    user = effective_user(file, evidence.analysis.image.config)
    listed = user in arguments.words("users")
    if arguments.text("type") == "blacklist":
        return (Fire(f"User {user} found as effective user, which is explicity not allowed"),) if listed else ()
    return () if listed else (Fire(f"User {user} found as effective user, which is not on the allowed list"),)


def _exposed_ports(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    file = evidence.once(dockerfile)
    only_actual = arguments.flag("actual_dockerfile_only")
    if not file.instructions:
        yield _nothing_to_see(evidence)
        return
    if only_actual and not file.actual:
        return
    listed = {int(port) for port in arguments.words("ports")}
    denied = arguments.text("type") == "blacklist"
    verb, name = ("is", "DENIEDPORTS") if denied else ("is not", "ALLOWEDPORTS")
    for port in _all_ports(evidence, file, only_text=bool(only_actual)):
        if _violates(port, listed, denied):
            yield Fire(f"Dockerfile exposes port ({port.written}) which {verb} in policy file {name} list")


def _all_ports(evidence: Evidence, file: Dockerfile, *, only_text: bool) -> tuple[Port, ...]:
    """The ports told, and those a base image brings: its EXPOSE stands in the configuration, not in the text."""
    told = exposed_ports(file)
    if only_text or not file.actual:
        return told
    known = {number for port in told for number in (port.first, port.last)}
    return told + tuple(port for port in config_ports(evidence.analysis.image.config) if port.first not in known)


def _violates(port: Port, listed: set[int], denied: bool) -> bool:
    if 0 in listed:  # any port
        return denied
    if denied:
        return any(port.first <= number <= port.last for number in listed)
    return any(number not in listed for number in range(port.first, min(port.last, 65535) + 1))


def _not_provided(evidence: Evidence, _arguments: Arguments) -> Fires:
    return () if evidence.once(dockerfile).actual else (Fire("Image was not analyzed with an actual Dockerfile"),)


def _nothing_to_see(evidence: Evidence) -> Problem:
    message = "a directory has no image configuration: rules of the gate dockerfile have nothing to look at"
    return Problem("policy", evidence.reference.name, message, "Give the Dockerfile.", incomplete=False)


_ACTUAL = Parameter(
    "actual_dockerfile_only", "boolean", "Look only at a Dockerfile the user gave.", default="false", example="true"
)

_TRIGGERS = (
    Trigger(
        "instruction",
        "An instruction is there, is missing, or has a value. Fires for each line that satisfies the check.",
        _instruction,
        (
            Parameter(
                "instruction", "enum", "The instruction.", required=True, allowed=DIRECTIVES, example="HEALTHCHECK"
            ),
            Parameter(
                "check",
                "enum",
                "The test: like is a regular expression matched from the start, in a comma separated list.",
                required=True,
                allowed=_CHECKS,
                example="not_exists",
            ),
            Parameter("value", "string", "What the rest of the line is compared with.", example="debian:12"),
            _ACTUAL,
        ),
        notes="Continuation lines and here documents belong to their instruction. Without a Dockerfile the history of "
        "either builder is read, and the configuration completes it.",
        check=_instruction_fault,
    ),
    Trigger(
        "effective_user",
        "The user the image runs as is forbidden, or is not among the allowed ones.",
        _effective_user,
        (
            Parameter(
                "users",
                "strings",
                "Users, compared whole: root:root is not root.",
                required=True,
                example="root,0,root:root,0:0",
            ),
            Parameter("type", "enum", "What the list means.", required=True, allowed=_LISTS, example="blacklist"),
        ),
        notes="Only the last stage of a Dockerfile counts, and what it leaves open the image's configuration answers.",
    ),
    Trigger(
        "exposed_ports",
        "A port is exposed that is forbidden, or is not among the allowed ones.",
        _exposed_ports,
        (
            Parameter("ports", "numbers", "Ports; 0 is any port.", required=True, example="22,3389"),
            Parameter("type", "enum", "What the list means.", required=True, allowed=_LISTS, example="blacklist"),
            _ACTUAL,
        ),
        notes="Ranges are understood, port 0 works, and ports a base image exposes count.",
    ),
    Trigger(
        "no_dockerfile_provided",
        "No Dockerfile was given with the image.",
        _not_provided,
    ),
)


class DockerfileGate(NamedTuple):
    """How the image was built and will run."""

    name: str = "dockerfile"
    description: str = "Instructions of the Dockerfile, the user the image runs as, and the ports it exposes."
    triggers: tuple[Trigger, ...] = _TRIGGERS

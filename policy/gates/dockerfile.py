"""Gate ``dockerfile``: instructions, user and ports, from the Dockerfile given or from the image itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from anchorecli.model import Problem
from anchorecli.policy.base import Evidence, Fire, Fires, Parameter, Trigger
from anchorecli.policy.facts.base_image import full_name
from anchorecli.policy.facts.dockerfile import (
    DIRECTIVES,
    UNKNOWN_BASE,
    Dockerfile,
    Port,
    config_ports,
    dockerfile,
    effective_user,
    exposed_ports,
    from_parts,
)
from anchorecli.policy.facts.wording import counted
from anchorecli.policy.language.parameters import Arguments, split_list
from anchorecli.policy.patterns import regex_fault

_CHECKS = ("=", "!=", "exists", "not_exists", "like", "not_like", "in", "not_in")
_LISTS = ("whitelist", "blacklist")


def _instruction(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    file = _file(evidence, arguments)
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
    forms = _bases(lines) if directive == "FROM" and not arguments.compat else {line: (line,) for line in lines}
    found = [line for line in lines if line in forms and holds(forms[line])]
    for line in found:
        yield Fire(f"Dockerfile directive '{directive}' check '{check}' matched against '{value}' for line '{line}'")
    if directive == "FROM" and not found and check != "exists" and lines == [UNKNOWN_BASE] and not file.actual:
        yield _base_unknown(evidence, arguments)


def _file(evidence: Evidence, arguments: Arguments) -> Dockerfile:
    if not arguments.compat:
        return evidence.once(dockerfile)
    from anchorecli.policy.facts.dockerfile_original import original_dockerfile

    return evidence.once(original_dockerfile)


def _bases(lines: list[str]) -> dict[str, tuple[str, ...]]:
    """The FROM lines that name an image, each with what it may be compared as: whole, the image alone, its full
    name, and that without Docker Hub's. Lines that name an earlier stage are left out."""
    forms: dict[str, tuple[str, ...]] = {}
    stages: set[str] = set()
    for line in lines:
        image, stage = from_parts(line)
        if image.lower() not in stages:
            full = full_name(image)
            forms[line] = (line, image, full, full.removeprefix("docker.io/"))
        stages.add(stage.lower())
    return forms


def _base_unknown(evidence: Evidence, arguments: Arguments) -> Problem:
    message = f"rule {arguments.rule_id} asks for FROM, and the image does not say what it was built from"
    return Problem("policy", evidence.reference.name, message, "Give the Dockerfile with --dockerfile.")


def _test(check: str, value: str, arguments: Arguments) -> Callable[[tuple[str, ...]], bool]:
    """The test of one line in any of its forms; an operator that needs a value and has none never holds."""
    if check == "exists":
        return lambda forms: True
    if not value:
        return lambda forms: False
    negative = check in ("!=", "not_like", "not_in")
    if check in ("like", "not_like"):
        pattern = arguments.pattern("value")
        return lambda forms: any(pattern is not None and pattern.matches(form) for form in forms) is not negative
    members = split_list(value) if check in ("in", "not_in") else (value,)
    if arguments.text("instruction") == "FROM" and not arguments.compat:
        members += tuple(map(full_name, members))
    return lambda forms: any(form in members for form in forms) is not negative


def _instruction_fault(arguments: Arguments) -> str:
    if arguments.text("check") not in ("like", "not_like"):
        return ""
    fault = regex_fault(arguments.text("value"))
    return f'"value" is not usable as a regular expression: {fault}' if fault else ""


def _effective_user(evidence: Evidence, arguments: Arguments) -> Fires:
    file = _file(evidence, arguments)
    if not file.instructions:
        return (_nothing_to_see(evidence),)
    user = _user(evidence, file, arguments)
    names = {user} if arguments.compat else _user_names(user)
    listed = not names.isdisjoint(arguments.words("users"))
    if arguments.text("type") == "blacklist":
        return (Fire(f"User {user} found as effective user, which is explicity not allowed"),) if listed else ()
    return () if listed else (Fire(f"User {user} found as effective user, which is not on the allowed list"),)


def _user(evidence: Evidence, file: Dockerfile, arguments: Arguments) -> str:
    if not arguments.compat:
        return effective_user(file, evidence.analysis.image.config)
    from anchorecli.policy.facts.dockerfile_original import original_user

    return original_user(file)


def _user_names(user: str) -> set[str]:
    """What a list may call a user: ``root:root`` is root, and root is 0."""
    name = user.partition(":")[0]
    names = {user, str(int(name)) if name.isascii() and name.isdigit() and len(name) < 20 else name}
    return names | {"root", "0"} if names & {"root", "0"} else names


def _exposed_ports(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    file = _file(evidence, arguments)
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
        if _violates(port, listed, denied, any_port=not arguments.compat):
            yield Fire(f"Dockerfile exposes port ({port.written}) which {verb} in policy file {name} list")


def _all_ports(evidence: Evidence, file: Dockerfile, *, only_text: bool) -> tuple[Port, ...]:
    """The ports told, and those a base image brings: its EXPOSE stands in the configuration, not in the text."""
    told = exposed_ports(file)
    if only_text or not file.actual:
        return told
    known = {number for port in told for number in (port.first, port.last)}
    return told + tuple(port for port in config_ports(evidence.analysis.image.config) if port.first not in known)


def _violates(port: Port, listed: set[int], denied: bool, *, any_port: bool) -> bool:
    if any_port and 0 in listed:
        return denied
    if denied:
        return any(port.first <= number <= port.last for number in listed)
    return any(number not in listed for number in range(port.first, min(port.last, 65535) + 1))


def _not_provided(evidence: Evidence, _arguments: Arguments) -> Fires:
    return () if evidence.once(dockerfile).actual else (Fire("Image was not analyzed with an actual Dockerfile"),)


def _nothing_to_see(evidence: Evidence) -> Problem:
    what = "a directory" if evidence.analysis.image.origin == "dir" else "the tar of a root file system"
    message = f"{what} has no image configuration: rules of the gate dockerfile have nothing to look at"
    return Problem("policy", evidence.reference.name, message, "Give the Dockerfile.", incomplete=False)


def _looked_at(evidence: Evidence, arguments: Arguments) -> str:
    file = _file(evidence, arguments)
    source = "the Dockerfile given" if file.actual else "the image's history and configuration"
    return f"{counted(len(file.instructions), 'instruction')} of {source}"


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
        "either builder is read, and the configuration completes it. FROM is compared whole and as the image alone, "
        "without AS and --platform, by its short and its full name; a FROM that names an earlier stage is left out. "
        "Where nothing tells the base image FROM is scratch, as in the original, and a rule about it that does not "
        "fire makes the evidence incomplete. With compat: anchore-engine lines are those of the original: each "
        "continuation line is an instruction of its own, and BuildKit's history is all RUN.",
        check=_instruction_fault,
        looks_at=_looked_at,
    ),
    Trigger(
        "effective_user",
        "The user the image runs as is forbidden, or is not among the allowed ones.",
        _effective_user,
        (
            Parameter(
                "users",
                "strings",
                "Users by name or number; root:root and 0 are root.",
                required=True,
                example="root",
            ),
            Parameter("type", "enum", "What the list means.", required=True, allowed=_LISTS, example="blacklist"),
        ),
        notes="A user with a group is also the user alone, and root is 0. Only the last stage of a Dockerfile counts, "
        "and what it leaves open the image's configuration answers. With compat: anchore-engine the last USER of any "
        "stage is compared whole, and without one it is root.",
        looks_at=_looked_at,
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
        notes="Ranges are understood, and ports a base image exposes count. Port 0 works; with compat: anchore-engine "
        "it means nothing, as in the original.",
        looks_at=_looked_at,
    ),
    Trigger(
        "no_dockerfile_provided",
        "No Dockerfile was given with the image.",
        _not_provided,
        looks_at=_looked_at,
    ),
)


class DockerfileGate(NamedTuple):
    """How the image was built and will run."""

    name: str = "dockerfile"
    description: str = "Instructions of the Dockerfile, the user the image runs as, and the ports it exposes."
    triggers: tuple[Trigger, ...] = _TRIGGERS

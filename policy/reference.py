"""The reference of gates, triggers and parameters, as their code declares them."""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.errors import UsageError
from anchorecli.policy import GATES
from anchorecli.policy.base import Gate, Parameter, Trigger
from anchorecli.policy.faults import unknown
from anchorecli.policy.parameters import EXPECTED
from anchorecli.policy.rules import find_gate, find_trigger
from anchorecli.policy.spellings import PENDING_GATES, RETIRED_GATES, trigger_name


def reference(gate: str = "", trigger: str = "") -> str:
    """What ``policy gates`` prints: every gate with its triggers, a line each; or one gate, or one of its triggers,
    with parameters, as Markdown.

    Raises: UsageError with the nearest name.
    """
    return _gate(gate, trigger) if gate else _overview()


def reference_markdown() -> str:
    """The whole reference as one Markdown page."""
    lines = ["# Gates and triggers", ""]
    for gate in GATES:
        lines += [*_gate_lines(gate, 2), ""]
    lines += ["## Gates that are accepted and not evaluated yet", "", ", ".join(PENDING_GATES) + ".", ""]
    lines += ["## Retired gates", ""]
    lines += [f"* {name}: {successor or 'nothing replaces it'}" for name, successor in RETIRED_GATES.items()]
    return "\n".join(lines) + "\n"


def _overview() -> str:
    lines: list[str] = []
    for gate in GATES:
        lines += [f"{gate.name}: {gate.description}"]
        lines += [f"  {trigger.name}: {trigger.description}{_status(trigger)}" for trigger in gate.triggers]
    pending = ", ".join(PENDING_GATES)
    lines += ["", f"Accepted, not evaluated by this version (the verdict is then indeterminate): {pending}"]
    return "\n".join(lines) + "\n"


def _gate(name: str, trigger: str) -> str:
    gate = find_gate(name.lower())
    if gate is None:
        lowered = name.lower()
        if lowered in PENDING_GATES:
            return f"# {lowered}\n\nThe gate {lowered} {PENDING_GATES[lowered]}.\n"
        if lowered in RETIRED_GATES:
            successor = RETIRED_GATES[lowered]
            return f"# {lowered}\n\nRetired; " + (f"use {successor}.\n" if successor else "nothing replaces it.\n")
        raise UsageError(unknown("gate", name, (gate.name for gate in GATES)))
    if not trigger:
        return "\n".join(_gate_lines(gate, 1)) + "\n"
    found = find_trigger(gate, trigger_name(trigger))
    if found is None:
        valid = (candidate.name for candidate in gate.triggers)
        raise UsageError(unknown("trigger", trigger, valid, f" in gate {gate.name}"))
    return "\n".join(_trigger_lines(gate, found, 1)) + "\n"


def _gate_lines(gate: Gate, level: int) -> Iterator[str]:
    yield f"{'#' * level} {gate.name}"
    yield ""
    yield gate.description
    for trigger in gate.triggers:
        yield ""
        yield from _trigger_lines(gate, trigger, level + 1)


def _trigger_lines(gate: Gate, trigger: Trigger, level: int) -> Iterator[str]:
    yield f"{'#' * level} {gate.name}.{trigger.name}"
    yield ""
    yield trigger.description + _status(trigger)
    if trigger.parameters:
        yield ""
        yield "| parameter | required | value | default | meaning |"
        yield "|---|---|---|---|---|"
        yield from (_parameter_line(parameter) for parameter in trigger.parameters)
    if trigger.notes:
        yield ""
        yield f"Differences from Anchore Engine: {trigger.notes}"


def _parameter_line(parameter: Parameter) -> str:
    value = " ".join(f"`{word}`" for word in parameter.allowed) or EXPECTED[parameter.kind]
    example = f" Example: `{parameter.example}`." if parameter.example else ""
    default = f"`{parameter.default}`" if parameter.default else ""
    required = "yes" if parameter.required else ""
    return f"| {parameter.name} | {required} | {value} | {default} | {parameter.description}{example} |"


def _status(trigger: Trigger) -> str:
    return f" Not evaluated by this version: it needs {trigger.needs}." if trigger.fire is None else ""

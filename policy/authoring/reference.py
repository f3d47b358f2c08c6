"""The reference of gates, triggers and parameters, as their code declares them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from anchorecli.errors import UsageError
from anchorecli.policy import GATES
from anchorecli.policy.authoring.reference_text import plain_text
from anchorecli.policy.base import Gate, Parameter, Trigger
from anchorecli.policy.language.faults import unknown
from anchorecli.policy.language.parameters import EXPECTED
from anchorecli.policy.language.rules import find_gate, find_trigger
from anchorecli.policy.language.spellings import PENDING_GATES, RETIRED_GATES, trigger_name

Document = dict[str, Any]

_HEAD = (
    "What the rules of a [policy bundle](policies.md) can ask. This page is what `anchore policy gates --markdown`",
    "prints; `anchore policy gates GATE TRIGGER` prints a part of it for a terminal.",
    "",
    "Parameters may be written as `params: {severity: high, ports: [22, 80]}` or, as Anchore Engine has them, as",
    "`params: [{name: severity, value: high}]` with strings throughout. Regular expressions match from the start of a",
    "text, in bounded time. The action (`stop`, `warn`, `go`) is the rule's.",
)


def reference(gate: str = "", trigger: str = "", *, markdown: bool = False) -> str:
    """What ``policy gates`` prints: every gate with its triggers, a line each; or one gate, or one of its triggers,
    with parameters and an example.

    Raises: UsageError with the nearest name.
    """
    if not gate:
        return reference_markdown() if markdown else _overview()
    lowered = gate.lower()
    if lowered in PENDING_GATES:
        return f"{lowered}: this gate {PENDING_GATES[lowered]}.\n"
    if lowered in RETIRED_GATES:
        successor = RETIRED_GATES[lowered]
        return f"{lowered}: retired; " + (f"use {successor}.\n" if successor else "nothing replaces it.\n")
    found = _find_gate(gate)
    triggers = [_find_trigger(found, trigger)] if trigger else list(found.triggers)
    if not markdown:
        return plain_text(found, triggers, whole=not trigger)
    lines = _trigger_lines(found, triggers[0], 1) if trigger else _gate_lines(found, 1)
    return "\n".join(lines) + "\n"


def reference_markdown() -> str:
    """The whole reference as one Markdown page: the text of ``docs/policy-gates.md``."""
    lines = ["# Gates and triggers", "", *_HEAD, ""]
    lines += ["| gate | what it looks at | triggers |", "|---|---|---|"]
    for gate in GATES:
        names = ", ".join(f"[{trigger.name}](#{gate.name}{trigger.name})" for trigger in gate.triggers)
        lines.append(f"| [{gate.name}](#{gate.name}) | {_cell(gate.description)} | {names} |")
    lines.append("")
    for gate in GATES:
        lines += [*_gate_lines(gate, 2), ""]
    if PENDING_GATES:
        lines += ["## Gates that are accepted and not evaluated", "", ", ".join(PENDING_GATES) + ".", ""]
    lines += ["## Retired gates", "", "Accepted, pointed out by `anchore policy lint`, never evaluated.", ""]
    lines += ["| gate | use instead |", "|---|---|"]
    lines += [f"| {name} | {successor or 'nothing replaces it'} |" for name, successor in RETIRED_GATES.items()]
    return "\n".join(lines) + "\n"


def reference_document(gate: str = "", trigger: str = "") -> Document:
    """The same as data: all gates, or those that are named, with their triggers and parameters.

    Raises: UsageError with the nearest name.
    """
    chosen = [_find_gate(gate)] if gate else list(GATES)
    gates = [_gate_document(one, [_find_trigger(one, trigger)] if trigger else one.triggers) for one in chosen]
    if gate:
        return {"gates": gates}
    return {"gates": gates, "not_evaluated": list(PENDING_GATES), "retired": dict(RETIRED_GATES)}


def _gate_document(gate: Gate, triggers: Iterable[Trigger]) -> Document:
    return {
        "name": gate.name,
        "description": gate.description,
        "triggers": [
            {
                "name": trigger.name,
                "aliases": list(trigger.aliases),
                "description": trigger.description,
                "evaluated": trigger.fire is not None,
                "needs": trigger.needs,
                "differences": trigger.notes,
                "parameters": [_parameter_document(parameter) for parameter in trigger.parameters],
            }
            for trigger in triggers
        ],
    }


def _parameter_document(parameter: Parameter) -> Document:
    document = parameter._asdict()
    return document | {"allowed": list(parameter.allowed), "aliases": list(parameter.aliases)}


def _overview() -> str:
    lines: list[str] = []
    for gate in GATES:
        lines += [f"{gate.name}: {gate.description}"]
        lines += [f"  {trigger.name}: {trigger.description}{_status(trigger)}" for trigger in gate.triggers]
    if PENDING_GATES:
        pending = ", ".join(PENDING_GATES)
        lines += ["", f"Accepted, not evaluated by this version (the verdict is then indeterminate): {pending}"]
    lines += ["", "Parameters: anchore policy gates GATE [TRIGGER]"]
    return "\n".join(lines) + "\n"


def _find_gate(name: str) -> Gate:
    gate = find_gate(name.lower())
    if gate is None:
        hint = "`anchore policy gates` lists them all"
        raise UsageError(unknown("gate", name, (gate.name for gate in GATES)), hint=hint)
    return gate


def _find_trigger(gate: Gate, name: str) -> Trigger:
    found = find_trigger(gate, trigger_name(name))
    if found is None:
        valid = [known for one in gate.triggers for known in (one.name, *one.aliases)]
        hint = f"`anchore policy gates {gate.name}` lists them all"
        raise UsageError(unknown("trigger", name, valid, f" in gate {gate.name}"), hint=hint)
    return found


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
    if trigger.aliases:
        yield ""
        yield "Also called " + ", ".join(trigger.aliases) + "."
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
    also = f" Also called {', '.join(parameter.aliases)}." if parameter.aliases else ""
    cells = (parameter.name, required, value, default, parameter.description + also + example)
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """A text in a table: a bar would end its cell."""
    return text.replace("|", "\\|")


def _status(trigger: Trigger) -> str:
    return f" Not evaluated by this version: it needs {trigger.needs}." if trigger.fire is None else ""

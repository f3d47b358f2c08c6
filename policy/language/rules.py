"""A rule of a bundle, checked against what the gates declare."""

from __future__ import annotations

from anchorecli.model import Action, Rule
from anchorecli.policy import GATE_CLASSES
from anchorecli.policy import gate as load_gate
from anchorecli.policy.base import Gate, Parameter, Trigger
from anchorecli.policy.language.document import Node
from anchorecli.policy.language.faults import Faults, quoted, unknown
from anchorecli.policy.language.fields import Fields, Ids, kind_name
from anchorecli.policy.language.parameters import arguments, value_fault
from anchorecli.policy.language.spellings import PENDING_GATES, RETIRED_GATES, WORDS, trigger_name

_KEYS = ("id", "gate", "trigger", "action", "params", "recommendation")
_ACTIONS = {action.name: action for action in Action}
_LISTABLE = ("strings", "numbers", "string")


def read_rule(node: Node, ids: Ids, prefix: str, faults: Faults) -> Rule | None:
    """One rule, or None where a fault leaves nothing to go on with."""
    fields = Fields(node, "the rule", _KEYS, faults)
    if not fields.valid:
        return None
    rule_id = ids.take(fields, prefix)
    gate_name = fields.text("gate", required=True).lower()
    written = fields.text("trigger", required=True)
    action = read_action(fields, faults)
    given = _given(fields.node("params"), faults)
    if not gate_name or not written or action is None:
        return None
    trigger = _trigger(gate_name, written, fields, faults)
    if trigger is None:
        params = {name: _as_text(value) for name, (_, value) in given.items()}
    else:
        params = _checked(gate_name, trigger, given, fields.line, faults)
    return Rule(
        *(rule_id, gate_name, trigger.name if trigger else trigger_name(written), action, params, fields.line),
        name=fields.text("name"),
        description=fields.comment(),
        recommendation=fields.text("recommendation"),
    )


def read_action(fields: Fields, faults: Faults, *, required: bool = True) -> Action | None:
    """The action under its key; None where there is none, or none that is known."""
    written = fields.text("action", required=required)
    action = _ACTIONS.get(written.strip().upper())
    if action is None and written:
        faults.add(fields.line_of("action"), unknown("action", written, (name.lower() for name in _ACTIONS)))
    return action


def known_gates() -> tuple[str, ...]:
    """Every gate name that a bundle may hold, evaluated or not."""
    return (*GATE_CLASSES, *PENDING_GATES, *RETIRED_GATES)


def find_gate(name: str) -> Gate | None:
    """The gate of a name, None if nothing here evaluates it."""
    return load_gate(name)


def find_trigger(gate: Gate, name: str) -> Trigger | None:
    """The trigger of a name in a gate, or of another name it goes by, in either version's words."""
    wanted = trigger_name(name)
    named = ((trigger, each) for trigger in gate.triggers for each in (trigger.name, *trigger.aliases))
    return next((trigger for trigger, each in named if trigger_name(each) == wanted), None)


def _trigger(gate_name: str, written: str, fields: Fields, faults: Faults) -> Trigger | None:
    """The trigger a rule names; None for gates that are known but not evaluated, and for faults."""
    gate = find_gate(gate_name)
    if gate is None:
        if gate_name in RETIRED_GATES:
            successor = RETIRED_GATES[gate_name]
            hint = f"Use the gate {successor}." if successor else "Nothing replaces it; remove the rule."
            faults.remark(fields.line, f"gate {gate_name} is retired; its rule is not evaluated", hint)
        elif gate_name not in PENDING_GATES:
            faults.add(fields.line_of("gate"), unknown("gate", gate_name, known_gates()))
        return None
    trigger = find_trigger(gate, trigger_name(written))
    if trigger is None:
        valid = [name for candidate in gate.triggers for name in (candidate.name, *candidate.aliases)]
        if written.lower().startswith("deny"):
            valid = [name.replace("blacklist", "denylist") for name in valid]
        faults.add(fields.line_of("trigger"), unknown("trigger", written, valid, f" in gate {gate_name}"))
    return trigger


def _given(node: Node | None, faults: Faults) -> dict[str, tuple[int, Node]]:
    """Parameters by lower-case name, from either form: ``[{name, value}]`` or a mapping."""
    given: dict[str, tuple[int, Node]] = {}
    if node is None or node.kind == "null":
        return given
    if node.kind == "mapping":
        for name, value in node.entries.items():
            _put(given, name, node.keys.get(name, node.line), value, faults)
    elif node.kind == "list":
        for item in node.items:
            fields = Fields(item, "the parameter", ("name", "value"), faults)
            name, found = fields.text("name", required=True), fields.node("value", required=True)
            if name and found is not None:
                _put(given, name, fields.line, found, faults)
    else:
        faults.add(node.line, f'"params" must be a mapping, or a list of name and value, not {kind_name(node)}')
    return given


def _put(given: dict[str, tuple[int, Node]], name: str, line: int, value: Node, faults: Faults) -> None:
    key = name.lower()
    if key in given:
        faults.add(line, f"parameter {quoted(name)} is given twice")
    given[key] = (line, value)


def _checked(
    gate: str, trigger: Trigger, given: dict[str, tuple[int, Node]], rule_line: int, faults: Faults
) -> dict[str, str]:
    declared = {parameter.name: parameter for parameter in trigger.parameters}
    aliases = {alias: parameter.name for parameter in trigger.parameters for alias in parameter.aliases}
    params: dict[str, str] = {}
    for written, (line, node) in given.items():
        name = aliases.get(written, written)
        if name not in declared:
            faults.add(line, unknown("parameter", name, declared, f" of {gate}.{trigger.name}"))
            continue
        if name != written and name in given:
            faults.add(line, f"parameter {quoted(written)} is another name of {quoted(name)}, which is given as well")
            continue
        value = _value(declared[name], node, line, faults)
        if value is not None:
            params[name] = value
    for parameter in trigger.parameters:
        if parameter.required and given.keys().isdisjoint((parameter.name, *parameter.aliases)):
            example = f", for example {parameter.name}: {parameter.example}" if parameter.example else ""
            faults.add(rule_line, f"{gate}.{trigger.name} needs the parameter {quoted(parameter.name)}{example}")
    if trigger.check is not None:
        fault = trigger.check(arguments(trigger.parameters, params))
        if fault:
            faults.add(rule_line, f"{gate}.{trigger.name}: {fault}")
    return params


def _value(parameter: Parameter, node: Node, line: int, faults: Faults) -> str | None:
    shown = f"parameter {quoted(parameter.name)}"
    if node.kind in ("mapping", "null") or (node.kind == "list" and parameter.kind not in _LISTABLE):
        faults.add(node.line or line, f"{shown} must be a value, not {kind_name(node)}")
        return None
    for item in node.items:
        if item.kind in ("mapping", "list", "null") or "," in item.text:
            faults.add(item.line or line, f"{shown} must hold words without commas, not {kind_name(item)}")
            return None
    value = _as_text(node)
    if parameter.kind == "enum" and value not in parameter.allowed and WORDS.get(value) in parameter.allowed:
        value = WORDS[value]
    fault = value_fault(parameter, value)
    if fault:
        faults.add(node.line or line, f"{shown} {fault}, not {quoted(value)}")
    return value


def _as_text(node: Node) -> str:
    return ",".join(_as_text(item) for item in node.items) if node.kind == "list" else node.text

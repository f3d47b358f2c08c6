"""What a bundle says once for all its rules: its key ``defaults``.

Format::

    defaults:
      action: warn                        # for rules that name no action
      params:
        vulnerabilities.package:          # for rules of this trigger that do not give the parameter
          package_type: all
          vendor_only: false

They are written into the rules before these are read, so that a rule means the same wherever it stands.
"""

from __future__ import annotations

from collections.abc import Mapping

from anchorecli.policy.base import Gate, Trigger
from anchorecli.policy.language.document import Node
from anchorecli.policy.language.faults import Faults, quoted, unknown
from anchorecli.policy.language.fields import Fields
from anchorecli.policy.language.rules import find_gate, find_trigger, read_action
from anchorecli.policy.language.spellings import KEYS, trigger_name

_Params = Mapping[tuple[str, str], Node]


def with_defaults(root: Node, faults: Faults) -> Node:
    """The bundle with its defaults in the rules; what is wrong with them goes to ``faults``."""
    fields = Fields(root.entries["defaults"], '"defaults"', ("action", "params"), faults)
    if not fields.valid:
        return root
    action = fields.node("action") if read_action(fields, faults, required=False) is not None else None
    params = _params(fields, faults)
    entries = dict(root.entries)
    for written, node in root.entries.items():
        if KEYS.get(written, written) == "policies":
            entries[written] = node._replace(items=tuple(_policy(item, action, params) for item in node.items))
    return root._replace(entries=entries)


def _params(defaults: Fields, faults: Faults) -> dict[tuple[str, str], Node]:
    node = defaults.node("params")
    if node is None or node.kind == "null":
        return {}
    if node.kind != "mapping":
        faults.add(defaults.line_of("params"), '"params" must be a mapping from gate.trigger to parameters')
        return {}
    found: dict[tuple[str, str], Node] = {}
    for written, given in node.entries.items():
        line = node.keys.get(written, node.line)
        gate_name, _, name = written.lower().partition(".")
        gate = find_gate(gate_name)
        trigger = find_trigger(gate, trigger_name(name)) if gate else None
        if gate is None or trigger is None:
            from anchorecli.policy import GATES

            known = [f"{gate.name}.{trigger.name}" for gate in GATES for trigger in gate.triggers]
            faults.add(line, unknown("trigger", written, known))
        elif given.kind != "mapping":
            faults.add(line, f"the defaults of {quoted(written)} must be a mapping of parameters")
        else:
            found[gate.name, trigger.name] = given
            _check_names(given, line, gate, trigger, faults)
    return found


def _check_names(given: Node, line: int, gate: Gate, trigger: Trigger, faults: Faults) -> None:
    declared = {parameter.name for parameter in trigger.parameters}
    for name in given.entries:
        if name.lower() not in declared:
            at = given.keys.get(name, line)
            faults.add(at, unknown("parameter", name, declared, f" of {gate.name}.{trigger.name}"))


def _policy(policy: Node, action: Node | None, params: _Params) -> Node:
    rules = policy.entries.get("rules")
    if rules is None or rules.kind != "list":
        return policy
    items = tuple(_rule(rule, action, params) for rule in rules.items)
    return policy._replace(entries={**policy.entries, "rules": rules._replace(items=items)})


def _rule(rule: Node, action: Node | None, params: _Params) -> Node:
    if rule.kind != "mapping":
        return rule
    entries = dict(rule.entries)
    if action is not None and "action" not in entries:
        entries["action"] = action
    gate, trigger = (entries[key].text.lower() if key in entries else "" for key in ("gate", "trigger"))
    defaults = params.get((gate, _known_name(gate, trigger)))
    if defaults is not None:
        entries["params"] = _completed(entries.get("params"), defaults)
    return rule._replace(entries=entries)


def _known_name(gate: str, trigger: str) -> str:
    found = find_gate(gate)
    known = find_trigger(found, trigger_name(trigger)) if found else None
    return known.name if known else trigger


def _completed(given: Node | None, defaults: Node) -> Node:
    """The parameters of a rule, in whichever of the two forms, with the defaults for those it does not give."""
    if given is None or given.kind == "null":
        return defaults
    if given.kind == "mapping":
        written = {name.lower() for name in given.entries}
        missing = {name: value for name, value in defaults.entries.items() if name.lower() not in written}
        lines = {name: line for name, line in defaults.keys.items() if name in missing}
        return given._replace(entries={**given.entries, **missing}, keys={**given.keys, **lines})
    if given.kind == "list":
        written = {item.entries["name"].text.lower() for item in given.items if "name" in item.entries}
        missing = {name: value for name, value in defaults.entries.items() if name.lower() not in written}
        return given._replace(items=(*given.items, *(_pair(*one, defaults.line) for one in missing.items())))
    return given


def _pair(name: str, value: Node, line: int) -> Node:
    return Node("mapping", line, entries={"name": Node("text", line, name), "value": value})

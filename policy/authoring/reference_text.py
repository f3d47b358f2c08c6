"""The reference of a gate or trigger for a terminal: paragraphs, no tables, and a rule to start from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap

from anchorecli.policy.base import Gate, Parameter, Trigger
from anchorecli.policy.language.parameters import EXPECTED, arguments

_WIDTH = 100


def plain_text(gate: Gate, triggers: Iterable[Trigger], *, whole: bool) -> str:
    """Triggers of a gate; ``whole`` puts the gate's own description before them."""
    lines = [f"{gate.name}: {gate.description}", ""] if whole else []
    for trigger in triggers:
        lines += [*_trigger(gate, trigger), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def example_rule(gate: Gate, trigger: Trigger) -> list[str]:
    """A rule of the trigger as it may stand in a bundle, with the parameters it needs."""
    needed = [parameter for parameter in trigger.parameters if parameter.required]
    given = arguments(trigger.parameters, {one.name: one.example for one in needed})
    if trigger.check is not None and trigger.check(given):
        needed = [parameter for parameter in trigger.parameters if parameter.required or parameter.example]
    lines = [f"- gate: {gate.name}", f"  trigger: {trigger.name}", "  action: warn"]
    return lines + (["  params:", *(f"    {one.name}: {_example(one)}" for one in needed)] if needed else [])


def _trigger(gate: Gate, trigger: Trigger) -> Iterator[str]:
    yield f"{gate.name}.{trigger.name}"
    yield from wrap(trigger.description, _WIDTH)
    if trigger.fire is None:
        yield from wrap(f"Not evaluated by this version: it needs {trigger.needs}.", _WIDTH)
    if trigger.aliases:
        yield f"Also called {', '.join(trigger.aliases)}."
    for parameter in trigger.parameters:
        yield ""
        yield from _parameter(parameter)
    if trigger.notes:
        yield ""
        yield from wrap(f"Differences from Anchore Engine: {trigger.notes}", _WIDTH)
    yield ""
    yield "Example:"
    yield from (f"  {line}" for line in example_rule(gate, trigger))


def _parameter(parameter: Parameter) -> Iterator[str]:
    given = "required" if parameter.required else f"default {parameter.default}" if parameter.default else ""
    kind = "one of " + " ".join(parameter.allowed) if parameter.allowed else EXPECTED[parameter.kind]
    also = f" Also called {', '.join(parameter.aliases)}." if parameter.aliases else ""
    yield f"  {parameter.name}" + (f" ({given})" if given else "")
    yield from wrap(parameter.description + also, _WIDTH, initial_indent="      ", subsequent_indent="      ")
    yield from wrap(kind, _WIDTH, initial_indent="      ", subsequent_indent="        ")


def _example(parameter: Parameter) -> str:
    text = parameter.example or parameter.default or (parameter.allowed[0] if parameter.allowed else "…")
    if parameter.kind in ("strings", "numbers"):
        return "[" + ", ".join(_quoted(word) for word in text.split(",")) + "]"
    return _quoted(text)


def _quoted(text: str) -> str:
    """A text as a YAML value: in quotes where something else could be read in it."""
    plain = text.replace("-", "").replace("_", "").replace(".", "").replace("/", "")
    if text and plain.isalnum() and text[0] not in "-." and text.lower() not in ("yes", "no", "on", "off", "null"):
        return text
    return "'" + text.replace("'", "''") + "'"

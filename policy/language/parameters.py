"""Parameter values: what each kind accepts, and the typed view a trigger gets.

Format: Anchore Engine bundles hold every parameter as a string; numbers, booleans and lists are written in it
(``"22,80"``). The bundle reader turns a readable form (``ports: [22, 80]``) into the same strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from anchorecli.policy.base import Parameter
from anchorecli.policy.patterns import Pattern, regex_fault

Kind = Literal["boolean", "integer", "float", "strings", "numbers", "enum", "string", "regex"]

EXPECTED: Mapping[Kind, str] = {
    "boolean": "true or false",
    "integer": "a whole number",
    "float": "a number",
    "strings": "a list of words",
    "numbers": "a list of whole numbers",
    "enum": "one of the allowed words",
    "string": "a text",
    "regex": "a regular expression, matched from the start",
}
"""Kind → what a message and the reference call it."""


class Arguments(NamedTuple):
    """The parameters of one rule as a trigger asks for them: checked already, defaults filled in."""

    values: Mapping[str, str]
    rule_id: str = ""
    compat: bool = False
    """The bundle says ``compat: anchore-engine``: what the original got wrong is to be repeated, for the sake of
    trigger ids that stand in allowlists."""

    def text(self, name: str) -> str:
        """The string itself, empty where it is not given."""
        return self.values.get(name, "")

    def flag(self, name: str) -> bool | None:
        """A boolean, None where it is not given."""
        value = self.values.get(name, "").strip().lower()
        return value == "true" if value else None

    def integer(self, name: str) -> int | None:
        """A whole number, None where it is not given."""
        value = self.values.get(name, "").strip()
        return int(value) if value else None

    def number(self, name: str) -> float | None:
        """A number, None where it is not given."""
        value = self.values.get(name, "").strip()
        return float(value) if value else None

    def words(self, name: str) -> tuple[str, ...]:
        """The items of a comma separated list, without the blanks around them."""
        return split_list(self.values.get(name, ""))

    def pattern(self, name: str) -> Pattern | None:
        """A regular expression whose run time is bounded, None where it is not given."""
        value = self.values.get(name, "")
        return Pattern(value) if value else None


def arguments(declared: tuple[Parameter, ...], given: Mapping[str, str], rule_id: str = "") -> Arguments:
    """``given`` with the declared defaults for what is missing."""
    values = {parameter.name: parameter.default for parameter in declared if parameter.default}
    values.update(given)
    return Arguments(values, rule_id)


def split_list(value: str) -> tuple[str, ...]:
    """``"22, 80"`` → ``("22", "80")``; empty items are dropped."""
    return tuple(item for part in value.split(",") if (item := part.strip()))


def value_fault(parameter: Parameter, value: str) -> str:
    """What is wrong with a value for a parameter, empty if nothing is."""
    kind = parameter.kind
    if kind == "enum":
        return "" if value in parameter.allowed else "must be one of " + " ".join(parameter.allowed)
    if kind == "regex":
        fault = regex_fault(value)
        return f"is not usable as a regular expression: {fault}" if fault else ""
    if kind == "string":
        return ""
    return "" if _accepts(kind, value) else f"must be {EXPECTED[kind]}"


def _accepts(kind: Kind, value: str) -> bool:
    if kind == "boolean":
        return value.strip().lower() in ("true", "false")
    if kind == "integer":
        return _is_digits(value.strip())
    if kind == "float":
        # Anchore Engine's own check lets an empty string through, and its editor writes them.
        whole, _, fraction = value.strip().removeprefix("-").partition(".")
        return not value or (_is_digits(whole) and (not fraction or _is_digits(fraction)))
    items = split_list(value)
    return bool(items) and (kind == "strings" or all(map(_is_digits, items)))


def _is_digits(text: str) -> bool:
    # 18 digits: more than any port, day or score has, and no work to convert.
    return text.isascii() and text.isdigit() and len(text) <= 18

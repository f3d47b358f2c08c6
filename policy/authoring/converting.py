"""A bundle written out again: as JSON in the original's form, or as YAML that people like to read.

Format: version ``1_0``, or Enterprise's ``2``, which is the same with other words. Either way the bundle that is read
from the text has the digest of the one that was written. Not kept: comments of YAML (``#``), files and defaults: what
is written is the bundle with all its parts resolved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from anchorecli.policy.base import Parameter
from anchorecli.policy.language.canonical import Document, canonical
from anchorecli.policy.language.parameters import split_list
from anchorecli.policy.language.rules import find_gate, find_trigger
from anchorecli.policy.language.spellings import KEYS, WORDS
from anchorecli.policy.values import Bundle

_NEW_KEYS = {old: new for new, old in KEYS.items()} | {"comment": "description"}
_NEW_WORDS = {old: new for new, old in WORDS.items()}
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)


class Flow(dict[str, Any]):
    """A mapping that YAML holds in one line."""


class FlowList(list[Any]):
    """A list that YAML holds in one line."""


class Plain(str):
    """A number, or true or false, as it is written in a bundle."""

    __slots__ = ()


def to_json(bundle: Bundle, version: str = "1_0") -> str:
    """The bundle as JSON, parameters as the original's list of names and strings."""
    import json

    return json.dumps(_in_version(canonical(bundle), version), indent=2, ensure_ascii=False) + "\n"


def to_yaml(bundle: Bundle, version: str = "1_0") -> str:
    """The bundle as YAML, parameters as a mapping with lists and numbers."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Lists are indented as people do."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, False)

    Dumper.add_representer(Flow, lambda dumper, value: dumper.represent_mapping(_MAP, value, flow_style=True))
    Dumper.add_representer(FlowList, lambda dumper, value: dumper.represent_sequence(_SEQ, value, flow_style=True))
    Dumper.add_representer(Plain, _plain_scalar)
    Dumper.add_representer(str, _text)
    document = _in_version(_readable(canonical(bundle)), version)
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, width=118, allow_unicode=True)


_MAP, _SEQ = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"


def _text(dumper: Any, value: str) -> Any:
    """A text; with escapes where it holds what YAML would take for a line break or drop."""
    odd = not value.replace("\n", "").isprintable()
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"' if odd else None)


def _plain_scalar(dumper: Any, value: Plain) -> Any:
    kind = "bool" if value in ("true", "false") else "float" if "." in value else "int"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", str(value))


def _readable(document: Document) -> Document:
    for policy in document["policies"]:
        for rule in policy["rules"]:
            rule["action"] = rule["action"].lower()
            rule["params"] = _params(rule)
            if not rule["params"]:
                del rule["params"]
    for name in ("mappings", "whitelisted_images", "blacklisted_images"):
        for image in document[name]:
            image["image"] = Flow(image["image"])
    for mapping in document["mappings"]:
        mapping["policy_ids"] = FlowList(mapping["policy_ids"])
        mapping["whitelist_ids"] = FlowList(mapping["whitelist_ids"])
    return document


def _params(rule: Document) -> Flow:
    gate = find_gate(rule["gate"])
    trigger = find_trigger(gate, rule["trigger"]) if gate else None
    declared = {parameter.name: parameter for parameter in trigger.parameters} if trigger else {}
    given: dict[str, str] = {pair["name"]: pair["value"] for pair in rule["params"]}
    # As they are declared: what matters comes first there.
    order = [name for name in declared if name in given] + [name for name in given if name not in declared]
    return Flow({name: _native(declared.get(name), given[name]) for name in order})


def _native(parameter: Parameter | None, value: str) -> Any:
    """A value as people write it, where it reads back as the same string."""
    if parameter is None:
        return value
    kind = parameter.kind
    if kind in ("integer", "float") and _NUMBER.fullmatch(value):
        return Plain(value)
    if kind == "boolean" and value in ("true", "false"):
        return Plain(value)
    words = split_list(value)
    if kind in ("strings", "numbers") and ",".join(words) == value:
        return FlowList(Plain(word) if kind == "numbers" and _NUMBER.fullmatch(word) else word for word in words)
    return value


# ── version 2 ────────────────────────────────────────────────────────────────────────────────────────────────


def _in_version(document: Document, version: str) -> Document:
    if version == "1_0":
        return document
    for policy in document["policies"]:
        policy["artifact_type"] = "image"
        for rule in policy["rules"]:
            _rename_words(rule)
    renamed: Document = _renamed(document)
    return renamed


def _rename_words(rule: Document) -> None:
    gate = find_gate(rule["gate"])
    trigger = find_trigger(gate, rule["trigger"]) if gate else None
    enums = {one.name for one in trigger.parameters if one.kind == "enum"} if trigger else set()
    name = rule["trigger"]
    if name.startswith("blacklist"):
        rule["trigger"] = "denylist" + name[len("blacklist") :]
    params = rule.get("params", {})
    if isinstance(params, Mapping):
        rule_params = {key: _NEW_WORDS.get(value, value) if key in enums else value for key, value in params.items()}
        if rule_params:
            rule["params"] = Flow(rule_params)
        return
    for pair in params:
        if pair["name"] in enums:
            pair["value"] = _NEW_WORDS.get(pair["value"], pair["value"])


def _renamed(value: Any) -> Any:
    """The keys in version 2's words; parameters keep their own names."""
    if isinstance(value, Flow | FlowList) or not isinstance(value, dict | list):
        return value
    if isinstance(value, list):
        return [_renamed(item) for item in value]
    found: Document = {}
    for name, item in value.items():
        key = str(_NEW_KEYS.get(name, name))
        found[key] = "2" if name == "version" else item if name == "params" else _renamed(item)
    return found

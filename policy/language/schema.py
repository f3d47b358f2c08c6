"""The JSON Schema of bundles, made from what the gates declare: completion and checks in an editor.

Format: JSON Schema 2020-12 (https://json-schema.org/draft/2020-12). The reader accepts more than the schema asks for:
gate and trigger names in any case, and free keys that begin with ``x-``. What the schema refuses beside that, the
reader refuses too; the reader alone checks ids and references.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from anchorecli.policy import GATES
from anchorecli.policy.base import Gate, Parameter, Trigger
from anchorecli.policy.language.canonical import COMPAT
from anchorecli.policy.language.evidence_rules import CAUSES, PRESETS
from anchorecli.policy.language.spellings import KEYS, PENDING_GATES, RETIRED_GATES, VERSIONS, WORDS
from anchorecli.policy.values import OnIncomplete

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_SCALAR: Schema = {"type": ["string", "number", "boolean"]}
_TIME: Schema = {"type": "string", "description": "RFC 3339, or a date: its first moment in UTC."}
_ACTIONS = ("stop", "warn", "go", "STOP", "WARN", "GO")
_NUMBER = r"^\s*-?\d*(\.\d*)?\s*$"
_PATTERNS = {
    "boolean": r"^\s*([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])\s*$",
    "integer": r"^\s*\d{1,18}\s*$",
    "float": _NUMBER,
    "numbers": r"^[\s\d,]*\d[\s\d,]*$",
}
_NATIVE: dict[str, Schema] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "minimum": 0},
    "float": {"type": "number"},
    "strings": {"type": "array", "items": _SCALAR, "minItems": 1},
    "numbers": {"anyOf": [{"type": "integer"}, {"type": "array", "items": _SCALAR, "minItems": 1}]},
    "string": {"anyOf": [{"type": ["number", "boolean"]}, {"type": "array", "items": _SCALAR}]},
}


def bundle_schema() -> Schema:
    """The schema of a bundle and of the files it includes."""
    lists = {
        "policies": {"type": "array", "items": {"$ref": "#/$defs/policy"}},
        "whitelists": {"type": ["array", "null"], "items": {"$ref": "#/$defs/whitelist"}},
        "mappings": {"type": ["array", "null"], "items": {"$ref": "#/$defs/mapping"}},
        "whitelisted_images": {"type": ["array", "null"], "items": {"$ref": "#/$defs/image_rule"}},
        "blacklisted_images": {"type": ["array", "null"], "items": {"$ref": "#/$defs/image_rule"}},
    }
    whole = {
        "id": _TEXT,
        "version": {"enum": [*VERSIONS, 2]},
        "evidence": _evidence(),
        "compat": {"const": COMPAT, "description": "Repeat what Anchore Engine got wrong, where ids depend on it."},
        "trust": _trust(),
        "defaults": {"$ref": "#/$defs/defaults"},
        "include": {"description": "Files with more of the same, relative to this one.", **_one_or_many(_TEXT)},
    }
    ignored: Schema = {name: True for name in ("created_at", "last_modified", "last_updated")}
    ignored |= {name: {"type": ["array", "null"]} for name in ("source_mappings", "sbom_mappings")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Policy bundle",
        "description": "A policy bundle, or a file that one includes.",
        **_mapping({**whole, **lists, **ignored}),
        "$defs": {
            "policy": _policy(),
            "rule": _rule(),
            "defaults": _defaults(),
            "whitelist": _whitelist(),
            "mapping": _mapping_rule(),
            "image_rule": _mapping(_image_keys(), ("registry", "repository", "image")),
            **_params_of_all(),
        },
    }


def parameter_schema(parameter: Parameter) -> Schema:
    """What a parameter's value may be, in either form."""
    about = {"description": parameter.description}
    if parameter.kind == "enum":
        words = [*parameter.allowed, *(new for new, old in WORDS.items() if old in parameter.allowed)]
        return {"enum": words, **about}
    text = {"type": "string"} | ({"pattern": _PATTERNS[parameter.kind]} if parameter.kind in _PATTERNS else {})
    native = _NATIVE.get(parameter.kind)
    return {"anyOf": [native, text], **about} if native else {**text, **about}


def _mapping(keys: Schema, required: tuple[str, ...] = ()) -> Schema:
    """An object with these keys, their other spellings, free text, and keys of one's own."""
    properties = {"name": {"type": ["string", "null"]}, "comment": _SCALAR, "description": _SCALAR} | keys
    properties |= {new: keys[old] for new, old in KEYS.items() if old in keys}
    schema: Schema = {"type": "object", "properties": properties, "patternProperties": {"^x-": True}}
    needed = [name for name in required if name not in KEYS.values()]
    return schema | {"additionalProperties": False} | ({"required": needed} if needed else {})


def _one_or_many(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _evidence() -> Schema:
    choice: Schema = {"enum": list(get_args(OnIncomplete))}
    causes = {name: {**choice, "description": text} for name, text in CAUSES.items()}
    days = {"type": ["integer", "string"], "description": "Older vulnerability data is stale; 0: no limit."}
    keys = {"preset": {"enum": list(PRESETS)}, "on_incomplete": choice, "max_feed_age_days": days, **causes}
    return _mapping(keys) | {"type": ["object", "null"]}


def _trust() -> Schema:
    pem = {"type": "string", "minLength": 1}
    signer = {
        "id": {
            "type": ["string", "number"],
            "pattern": "^[^,]+$",
            "description": "The name that rules and reports use.",
        },
        "key": {**pem, "description": "Public keys: PEM, or a file of it beside the bundle."},
        "roots": {**pem, "description": "Certificates of authorities: PEM, or a file of it beside the bundle."},
        "identity": {**pem, "description": "Whose certificates count; * is any run of characters."},
        "issuer": {"type": "string", "description": "Who must have vouched for the identity."},
        "log": {**pem, "description": "Public keys of the transparency log that tells when something was signed."},
    }
    by_key: Schema = {"required": ["key"], "properties": dict.fromkeys(("roots", "identity", "issuer", "log"), False)}
    by_roots: Schema = {"required": ["roots", "identity"], "properties": {"key": False}}
    signers = {"type": ["array", "null"], "items": _mapping(signer, ("id",)) | {"oneOf": [by_key, by_roots]}}
    names: Schema = {"type": ["array", "null"], "items": _SCALAR}
    names["description"] = "The signers whose attached VEX statements are believed."
    return _mapping({"signers": signers, "vex": names}) | {"type": ["object", "null"]}


def _policy() -> Schema:
    keys = {
        "id": _TEXT,
        "version": {"enum": [*VERSIONS, 2]},
        "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}},
        "artifact_type": _TEXT,
        "last_updated": True,
        "created_at": True,
    }
    return _mapping(keys, ("id", "rules"))


def _rule() -> Schema:
    keys = {
        "id": _SCALAR,
        "gate": {"enum": [*(gate.name for gate in GATES), *PENDING_GATES, *RETIRED_GATES]},
        "trigger": _TEXT,
        "action": {"enum": list(_ACTIONS), "description": "stop fails, warn is shown, go informs."},
        "params": {"type": ["object", "array", "null"]},
        "recommendation": {"type": ["string", "null"], "description": "What whoever reads the finding should do."},
    }
    return _mapping(keys, ("gate", "trigger")) | {"allOf": [rule for gate in GATES for rule in _gate(gate)]}


def _gate(gate: Gate) -> Iterator[Schema]:
    names = [name for trigger in gate.triggers for name in _names(trigger)]
    yield _when({"gate": gate.name}, {"trigger": {"enum": names}})
    for trigger in gate.triggers:
        for name in _names(trigger):
            then = {"params": {"$ref": f"#/$defs/{gate.name}.{trigger.name}"}}
            yield _when({"gate": gate.name, "trigger": name}, then)


def _when(keys: dict[str, str], then: Schema) -> Schema:
    condition = {"properties": {name: {"const": value} for name, value in keys.items()}, "required": list(keys)}
    return {"if": condition, "then": {"properties": then}}


def _params(trigger: Trigger) -> Schema:
    """The parameters of a trigger as a mapping, or as the original's list of name and value."""
    described = trigger.description
    values = {name: parameter_schema(one) for one in trigger.parameters for name in (one.name, *one.aliases)}
    mapping: Schema = {"type": "object", "properties": values, "additionalProperties": False}
    pair = {"type": "object", "properties": {"name": {"enum": list(values)}, "value": True}}
    pairs: Schema = {"type": "array", "items": pair | {"required": ["name", "value"]}}
    return {"description": described, "anyOf": [mapping, pairs, {"type": "null"}]}


def _params_of_all() -> Schema:
    return {f"{gate.name}.{trigger.name}": _params(trigger) for gate in GATES for trigger in gate.triggers}


def _names(trigger: Trigger) -> list[str]:
    names = [trigger.name, *trigger.aliases]
    return names + [name.replace("blacklist", "denylist", 1) for name in names if name.startswith("blacklist")]


def _defaults() -> Schema:
    """Without what a rule must say: any parameter may be left to the rules."""
    params = {name: {"$ref": f"#/$defs/{name}/anyOf/0"} for name in _params_of_all()}
    given = {"type": ["object", "null"], "properties": params, "additionalProperties": False}
    return _mapping({"action": {"enum": list(_ACTIONS)}, "params": given})


def _whitelist() -> Schema:
    keys = {
        "id": _TEXT,
        "version": {"enum": [*VERSIONS, 2]},
        "items": {"type": ["array", "null"], "items": _allow()},
        "last_updated": True,
        "created_at": True,
    }
    return _mapping(keys, ("id",))


def _allow() -> Schema:
    """One exception."""
    keys = {
        "id": _SCALAR,
        "gate": {"enum": [*(gate.name for gate in GATES), *PENDING_GATES, *RETIRED_GATES]},
        "trigger_id": {"type": "string", "description": "Wildcard over trigger ids: CVE-2099-0001+openssl."},
        "vulnerability": {"type": "string", "description": "Instead of gate and trigger_id: an id or alias."},
        "package": {"type": "string", "description": "Wildcard over the name of the package or its source."},
        "purl": {"type": "string", "description": "Wildcard over the package URL."},
        "path": {"type": "string", "description": "Wildcard over paths, each with its leading slash."},
        "layer": {"type": "string", "description": "The start of the layer's diff_id or digest."},
        "image": {"type": "string", "description": "Wildcard over registry/repository:tag."},
        "base_only": {"type": ["boolean", "string"], "description": "Only what the base image brought."},
        "while_no_fix": {"type": ["boolean", "string"], "description": "Only as long as no fix is known."},
        "owner": {"type": "string", "description": "Who answers for it."},
        "reason": {"type": "string", "description": "Why it is right to let this through."},
        "ticket": _SCALAR,
        "created": _TIME,
        "expires": _TIME,
        "expires_on": _TIME,
        "created_at": True,
        "last_updated": True,
    }
    return _mapping(keys)


def _image_keys() -> Schema:
    image = _mapping({"type": {"enum": ["tag", "digest", "id"]}, "value": _SCALAR}, ("type", "value"))
    wildcard = {"type": "string", "description": "* is any run of characters; regexp: begins an expression."}
    return {"id": _SCALAR, "registry": wildcard, "repository": wildcard, "image": image}


def _mapping_rule() -> Schema:
    names: Schema = {"type": ["array", "null"], "items": _SCALAR}
    keys = {**_image_keys(), "policy_id": _SCALAR, "policy_ids": names, "whitelist_ids": names}
    return _mapping(keys, ("registry", "repository", "image"))

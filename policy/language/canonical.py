"""A bundle as plain data in one canonical form: what is stored, converted and hashed.

Format: Anchore's version ``1_0`` with parameters as the original's list of name and string. Includes and defaults are
resolved, spellings unified, ids given; what is empty is left out. ``parse_bundle(json.dumps(canonical(bundle)))`` is
the same bundle, lines and paths apart.
"""

from __future__ import annotations

from typing import Any

from anchorecli.model import Rule
from anchorecli.policy.language.allowlists import allow_document
from anchorecli.policy.values import Allowlist, Bundle, EvidenceRule, ImageRule, MappingRule, Policy

COMPAT = "anchore-engine"
"""The one value of a bundle's key ``compat``."""

Document = dict[str, Any]


def canonical(bundle: Bundle) -> Document:
    """The whole bundle as what ``json.dumps`` takes."""
    return _document(bundle, texts=True)


def bundle_digest(bundle: Bundle) -> str:
    """``sha256:…`` over what the bundle means: lines, comments, descriptions and recommendations are left out."""
    import hashlib
    import json

    text = json.dumps(_document(bundle, texts=False), sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _document(bundle: Bundle, *, texts: bool) -> Document:
    return _given(
        id=bundle.id,
        name=bundle.name,
        version="1_0",
        comment=bundle.comment if texts else "",
        compat=COMPAT if bundle.compat else "",
        evidence=evidence_document(bundle.evidence),
        trust=_trust(bundle, texts=texts),
    ) | {
        "policies": [_policy(policy, texts=texts) for policy in bundle.policies],
        "whitelists": [_allowlist(one, texts=texts) for one in bundle.allowlists],
        "mappings": [_mapping(mapping, texts=texts) for mapping in bundle.mappings],
        "whitelisted_images": [_image(image, texts=texts) for image in bundle.allowed_images],
        "blacklisted_images": [_image(image, texts=texts) for image in bundle.denied_images],
    }


def _trust(bundle: Bundle, *, texts: bool) -> Document:
    if not bundle.trust.signers:
        return {}
    from anchorecli.policy.language.trust import trust_document

    return trust_document(bundle.trust, texts=texts)


def evidence_document(rule: EvidenceRule) -> Document:
    """The key ``evidence``: the rule's fields are its keys; causes the bundle does not name are left out."""
    return {name: value for name, value in rule._asdict().items() if value != ""}


def _policy(policy: Policy, *, texts: bool) -> Document:
    comment = policy.comment if texts else ""
    head = _given(id=policy.id, name=policy.name, version="1_0", comment=comment)
    return head | {"rules": [_rule(rule, texts=texts) for rule in policy.rules]}


def _rule(rule: Rule, *, texts: bool) -> Document:
    written = _given(name=rule.name, description=rule.description, recommendation=rule.recommendation) if texts else {}
    return {
        "id": rule.id,
        **written,
        "gate": rule.gate,
        "trigger": rule.trigger,
        "action": rule.action.name,
        # By name: the order in which parameters are written means nothing.
        "params": [{"name": name, "value": rule.params[name]} for name in sorted(rule.params)],
    }


def _allowlist(allowlist: Allowlist, *, texts: bool) -> Document:
    comment = allowlist.comment if texts else ""
    head = _given(id=allowlist.id, name=allowlist.name, version="1_0", comment=comment)
    items = [allow_document(item) | (_given(comment=item.comment) if texts else {}) for item in allowlist.items]
    return head | {"items": items}


def _mapping(mapping: MappingRule, *, texts: bool) -> Document:
    ids = {"policy_ids": list(mapping.policy_ids), "whitelist_ids": list(mapping.allowlist_ids)}
    return _image(mapping.image, texts=texts) | ids


def _image(image: ImageRule, *, texts: bool) -> Document:
    head = _given(id=image.id, name=image.name, comment=image.comment if texts else "")
    value = {"type": image.kind, "value": image.value}
    return head | {"registry": image.registry, "repository": image.repository, "image": value}


def _given(**values: Any) -> Document:
    return {name: value for name, value in values.items() if value}

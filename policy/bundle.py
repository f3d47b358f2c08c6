"""Policy bundles: from a file, from a text, the built-in one, and the one behind ``--fail-on``.

Format: Anchore Engine's bundle, version ``1_0`` (and Enterprise's ``2``), as YAML or JSON. Beside the original's
``params: [{name: ports, value: "22"}]`` a mapping is read: ``params: {ports: [22]}``. A bundle of one policy may leave
``mappings`` out: the policy and all whitelists then hold for every image. Further optional keys are ours::

    include: [base/*.yaml]           # include.py: a bundle in several files
    defaults: {action: warn}         # defaults.py: what rules say unless they say something else
    compat: anchore-engine           # repeat what the original got wrong, where trigger ids depend on it
    evidence:
      on_incomplete: indeterminate   # or warn, ignore: what a pass becomes when something could not be looked at
      max_feed_age_days: 14          # vulnerability data older than this is incomplete evidence; 0: no limit
    trust: {signers: [{id: release, key: release.pub}]}   # trust.py: whose signatures count, whose VEX is believed

Everything wrong with a bundle is reported at once, with lines, and then nothing is evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from anchorecli.model import Severity
from anchorecli.policy.language.allowlists import read_allowlists
from anchorecli.policy.language.canonical import COMPAT, bundle_digest
from anchorecli.policy.language.document import Node, from_plain, read_documents
from anchorecli.policy.language.evidence_rules import read_evidence
from anchorecli.policy.language.faults import Faults, unknown
from anchorecli.policy.language.fields import Fields, Ids, check_version, wildcard
from anchorecli.policy.language.rules import read_rule
from anchorecli.policy.values import Allowlist, Bundle, ImageRule, MappingRule, Policy
from anchorecli.signatures import NO_TRUST, Trust

if TYPE_CHECKING:
    from pathlib import Path

_BUNDLE_KEYS = (
    *("id", "version", "policies", "whitelists", "mappings", "whitelisted_images", "blacklisted_images", "evidence"),
    *("compat", "include", "defaults", "trust"),
    *("created_at", "last_modified", "last_updated", "source_mappings", "sbom_mappings"),
)
_POLICY_KEYS = ("id", "version", "rules", "artifact_type", "last_updated", "created_at")
_IMAGE_KEYS = ("id", "registry", "repository", "image")
_MAPPING_KEYS = (*_IMAGE_KEYS, "policy_id", "policy_ids", "whitelist_ids")
_IMAGE_KINDS = ("tag", "digest", "id")


def load_bundle(path: str | Path) -> Bundle:
    """The bundle in a file, with the files it includes. Raises: BundleError with the file's name and line."""
    from anchorecli.policy.language.include import read_text

    return bundle_of(read_documents(read_text(path), str(path)), str(path), from_file=True)


def parse_bundle(text: str, path: str = "") -> Bundle:
    """The bundle in a text; ``path`` is what messages call it. Raises: BundleError."""
    return bundle_of(read_documents(text, path), path)


def default_bundle() -> Bundle:
    """The bundle used without ``--policy``: that of ``default.yaml``, without the time to read YAML."""
    from anchorecli.policy.language.default import DEFAULT

    return bundle_of((from_plain(DEFAULT),), "")


def fail_on_bundle(severity: Severity) -> Bundle:
    """What ``--fail-on SEVERITY`` means: stop for any vulnerability at or above it, fixed or not, and warn of stale
    or missing vulnerability data."""

    def rule(identity: str, trigger: str, action: str, params: dict[str, Any]) -> dict[str, Any]:
        return {"id": identity, "gate": "vulnerabilities", "trigger": trigger, "action": action, "params": params}

    package = {"package_type": "all", "severity_comparison": ">=", "severity": severity.label, "vendor_only": False}
    policy = {
        "id": "fail-on",
        "rules": [
            rule("fail-on-severity", "package", "stop", package),
            rule("stale-feed", "stale_feed_data", "warn", {"max_days_since_sync": 2}),
            rule("no-feed", "vulnerability_data_unavailable", "warn", {}),
        ],
    }
    everything = {"id": "all", "registry": "*", "repository": "*", "image": {"type": "tag", "value": "*"}}
    plain = {
        "id": f"fail-on-{severity.label}",
        "name": f"fail on {severity.label}",
        "version": "1_0",
        "policies": [policy],
        "mappings": [everything | {"policy_id": "fail-on"}],
        "evidence": {"max_feed_age_days": 14},
    }
    return bundle_of((from_plain(plain),), "")


def bundle_of(documents: tuple[Node, ...], path: str, *, from_file: bool = False) -> Bundle:
    """The bundle in documents that have been read; ``from_file`` where others may be included. Raises: BundleError."""
    faults = Faults(path)
    root = documents[0]
    if "cases" in root.keys and "policies" not in root.keys:
        faults.add(root.keys["cases"], "these are cases, not a bundle: `anchore policy test FILE` runs them")
        faults.check()
    if len(documents) > 1 or "include" in root.entries:
        from anchorecli.policy.language.include import merged

        root = merged(documents, path, faults, from_file=from_file)
    if "defaults" in root.entries:
        from anchorecli.policy.language.defaults import with_defaults

        root = with_defaults(root, faults)
    return _read(root, path, faults, from_file=from_file)


def _read(root: Node, path: str, faults: Faults, *, from_file: bool) -> Bundle:
    fields = Fields(root, "the bundle", _BUNDLE_KEYS, faults)
    if not fields.valid:
        faults.check()
    check_version(fields, faults, required=True)
    policies = _policies(fields, faults)
    allowlists = read_allowlists(fields, faults)
    for key in ("source_mappings", "sbom_mappings"):
        if fields.items(key):
            faults.remark(fields.line_of(key), f"{key} is not evaluated: only images are")
    bundle = Bundle(
        id=fields.text("id", required=True),
        name=fields.text("name"),
        policies=policies,
        allowlists=allowlists,
        mappings=_mappings(fields, policies, allowlists, faults),
        allowed_images=_images(fields, "whitelisted_images", faults),
        denied_images=_images(fields, "blacklisted_images", faults),
        evidence=read_evidence(fields.node("evidence"), faults),
        digest="",
        path=path,
        compat=_compat(fields, faults),
        comment=fields.comment(),
        trust=_trust(fields, policies, path, faults, from_file=from_file),
    )
    faults.check()
    return bundle._replace(digest=bundle_digest(bundle), warnings=faults.remarks)


def _trust(bundle: Fields, policies: Sequence[Policy], path: str, faults: Faults, *, from_file: bool) -> Trust:
    asked = any("signer" in rule.params for policy in policies for rule in policy.rules)
    if not bundle.has("trust") and not asked:
        return NO_TRUST
    from anchorecli.policy.language.trust import check_signers, read_trust

    trust = read_trust(bundle.node("trust"), path, faults, from_file=from_file)
    check_signers(policies, trust, faults)
    return trust


def _compat(bundle: Fields, faults: Faults) -> bool:
    written = bundle.text("compat")
    if written not in ("", COMPAT):
        faults.add(bundle.line_of("compat"), unknown("value of compat", written, (COMPAT,)))
    return written == COMPAT


def _policies(bundle: Fields, faults: Faults) -> tuple[Policy, ...]:
    policies: list[Policy] = []
    ids = Ids("policy", faults)
    for node in bundle.items("policies", required=True):
        fields = Fields(node, "the policy", _POLICY_KEYS, faults)
        check_version(fields, faults)
        fields.text("id", required=True)
        policy_id = ids.take(fields)
        rule_ids = Ids("rule", faults)
        rules = (read_rule(rule, rule_ids, f"{policy_id}:", faults) for rule in fields.items("rules", required=True))
        read = tuple(rule for rule in rules if rule is not None)
        policies.append(Policy(policy_id, fields.text("name"), read, fields.line, fields.comment()))
    return tuple(policies)


def _mappings(
    bundle: Fields, policies: Sequence[Policy], allowlists: Sequence[Allowlist], faults: Faults
) -> tuple[MappingRule, ...]:
    if not bundle.has("mappings") and len(policies) == 1:
        return (_everything(policies[0].id, allowlists),)
    known_policies = {policy.id for policy in policies}
    known_allowlists = {allowlist.id for allowlist in allowlists}
    ids = Ids("mapping", faults)
    mappings: list[MappingRule] = []
    for node in bundle.items("mappings", required=True):
        fields = Fields(node, "the mapping", _MAPPING_KEYS, faults)
        image = _image(fields, ids, "mapping:", faults)
        if fields.has("policy_id") and fields.has("policy_ids"):
            faults.add(fields.line_of("policy_ids"), 'the mapping has both "policy_id" and "policy_ids"; keep one')
        single = fields.text("policy_id")
        policy_ids = (single,) if single else fields.words("policy_ids")
        if fields.valid and not policy_ids:
            faults.add(fields.line, 'the mapping has no "policy_ids"')
        for name, used, known in (
            ("policy_id" if single else "policy_ids", policy_ids, known_policies),
            ("whitelist_ids", fields.words("whitelist_ids"), known_allowlists),
        ):
            what = "policy" if known is known_policies else "whitelist"
            for missing in (one for one in used if one not in known):
                faults.add(fields.line_of(name), unknown(f"{what} id", missing, known, " in the mapping"))
        mappings.append(MappingRule(image, policy_ids, fields.words("whitelist_ids")))
    return tuple(mappings)


def _everything(policy_id: str, allowlists: Sequence[Allowlist]) -> MappingRule:
    """What a bundle of one policy that has no mappings means. (To Anchore Engine such a bundle is an error.)"""
    image = ImageRule("every-image", "every image", "*", "*", "tag", "*")
    return MappingRule(image, (policy_id,), tuple(one.id for one in allowlists))


def _images(bundle: Fields, name: str, faults: Faults) -> tuple[ImageRule, ...]:
    ids = Ids(name, faults)
    return tuple(
        _image(Fields(node, f"the entry of {name}", _IMAGE_KEYS, faults), ids, f"{name}:", faults)
        for node in bundle.items(name)
    )


def _image(fields: Fields, ids: Ids, prefix: str, faults: Faults) -> ImageRule:
    identity = ids.take(fields, prefix)
    registry = wildcard(fields, "registry", faults)
    repository = wildcard(fields, "repository", faults)
    kind, value = "tag", ""
    node = fields.node("image", required=True)
    if node is not None:
        image = Fields(node, '"image"', ("type", "value"), faults)
        kind = image.text("type", required=True)
        if kind and kind not in _IMAGE_KINDS:
            faults.add(image.line_of("type"), unknown("image type", kind, _IMAGE_KINDS))
        value = wildcard(image, "value", faults) if kind == "tag" else image.text("value", required=True)
    texts = fields.text("name"), fields.comment()
    return ImageRule(identity, texts[0], registry, repository, kind, value, fields.line, texts[1])  # type: ignore[arg-type]

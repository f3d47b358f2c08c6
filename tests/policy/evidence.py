"""Small evidence to evaluate: an image, its packages and matches, with everything else at its plainest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anchorecli.model import (
    Analysis,
    DiffId,
    Digest,
    Distro,
    FeedState,
    FixState,
    HistoryEntry,
    Image,
    ImageConfig,
    ImagePath,
    ImageRef,
    Layer,
    Location,
    Match,
    MatchVerdict,
    Package,
    Platform,
    Severity,
)
from anchorecli.policy.base import Evidence
from anchorecli.policy.bundle import parse_bundle
from anchorecli.policy.evaluate import evaluate
from anchorecli.policy.values import Bundle

NOW = "2025-06-15T12:00:00Z"
REFERENCE = ImageRef("registry", "debian:12", registry="docker.io", repository="debian", tag="12")
DEBIAN = Distro("debian", "12", name="Debian GNU/Linux")
FEED = FeedState("debian", 1, 100, updated_at="2025-06-15T06:00:00Z", ecosystems=("debian:12", "pypi", "npm"))


def package(name: str = "openssl", version: str = "3.0.1-1", kind: str = "deb", *paths: str, **fields: Any) -> Package:
    schemes = {"pypi": "pep440", "gem": "gem", "maven": "maven"}
    defaults: dict[str, Any] = {
        "scheme": schemes.get(kind, kind),
        "purl": f"pkg:{kind}/{name}@{version}",
        "locations": tuple(Location(ImagePath(path), DiffId("")) for path in paths),
    }
    return Package(name, version, kind, **(defaults | fields))


def match(identity: str = "CVE-2025-1", of: Package | None = None, **fields: Any) -> Match:
    defaults: dict[str, Any] = {
        "advisory": identity,
        "feed": "debian",
        "verdict": MatchVerdict.AFFECTED,
        "severity": Severity.HIGH,
        "fix_state": FixState.FIXED if fields.get("fixed_in", True) else FixState.NOT_FIXED,
        "fixed_in": ("3.0.2-1",),
        "url": f"https://example.org/{identity}",
    }
    return Match(identity, of or package(), **(defaults | fields))


def config(history: Sequence[str | HistoryEntry] = (), **fields: Any) -> ImageConfig:
    entries = tuple(HistoryEntry(entry) if isinstance(entry, str) else entry for entry in history)
    return ImageConfig(Platform("linux", "amd64"), history=entries, **fields)


def evidence(
    packages: Sequence[Package] = (),
    matches: Sequence[Match] = (),
    *,
    settings: ImageConfig | None = None,
    reference: ImageRef = REFERENCE,
    distro: Distro | None = DEBIAN,
    facts: Mapping[str, Any] | None = None,
    layers: Sequence[Layer] = (),
    **fields: Any,
) -> Evidence:
    """``facts`` are further fields of the analysis (``secrets``, ``looked_for``), ``fields`` those of the evidence."""
    image = Image(
        reference,
        Digest("sha256:" + "1" * 64),
        Digest("sha256:" + "2" * 64),
        settings or config(),
        tuple(layers),
        index_digest=Digest("sha256:" + "3" * 64),
    )
    defaults: dict[str, Any] = {"feeds": (FEED,), "covered": frozenset(FEED.ecosystems)}
    analysis = Analysis(image, distro, tuple(packages), **(facts or {}))
    return Evidence(analysis, reference, NOW, matches=tuple(matches), **(defaults | fields))


def rule_line(gate: str, trigger: str, action: str = "STOP", **params: Any) -> str:
    import json

    return json.dumps({"id": "r", "gate": gate, "trigger": trigger, "action": action, "params": params})


def bundle(*rules: str, extra: str = "", path: str = "bundle.yaml") -> Bundle:
    """A bundle of one policy with the rules, for every image."""
    lines = "".join(f"    - {rule}\n" for rule in rules) or "    []\n"
    return parse_bundle(
        'id: b\nversion: "1_0"\npolicies:\n- id: p\n  rules:\n'
        + lines
        + 'mappings:\n- {registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_id: p}\n'
        + extra,
        path,
    )


def fired(gate: str, trigger: str, given: Evidence, **params: Any) -> list[tuple[str, str]]:
    """The (trigger id, message) pairs of a single rule."""
    verdict = evaluate(bundle(rule_line(gate, trigger, **params)), given)
    return [(finding.trigger_id, finding.message) for finding in verdict.findings]


def messages(gate: str, trigger: str, given: Evidence, **params: Any) -> list[str]:
    return [message for _, message in fired(gate, trigger, given, **params)]

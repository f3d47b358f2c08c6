"""Small images told in YAML, as evidence: what ``policy test`` judges where no real image is at hand.

Format: the mapping under ``image`` of a case; every key may be left out::

    reference: docker.io/example/app:1      # what was asked for: mappings look at it
    distro: debian:12
    packages: [openssl 3.0.1-1, {name: requests, version: 2.0.0, type: pypi, licenses: [MIT], path: /opt/lib}]
    vulnerabilities: [{id: CVE-2025-1, package: openssl, severity: high, fixed_in: [3.0.2-1], kev: 2025-07-01}]
    user: app
    files: [{path: /usr/bin/su, mode: "4755"}, {path: /etc/passwd, content: "root:x:0:0::/root:/bin/sh"}]
    secrets: [{path: /root/.aws/credentials, rule: aws-access-key}]
    attached: [{kind: signature, signer: release}]      # synthetic_attached.py

Everything the bundle asks for counts as looked for, and all data as fresh, unless ``unknown`` names it: a case is about
the bundle, and says so where it is about gaps.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from anchorecli.errors import UsageError
from anchorecli.model import (
    Analysis,
    Demand,
    DiffId,
    Digest,
    Distro,
    FeedState,
    HistoryEntry,
    Image,
    ImageConfig,
    ImageRef,
    Layer,
    Package,
    Platform,
)
from anchorecli.policy.authoring.synthetic_attached import attached
from anchorecli.policy.authoring.synthetic_facts import FactReader
from anchorecli.policy.base import Evidence
from anchorecli.policy.facts.coverage import OS_TYPES, distro_namespaces
from anchorecli.policy.language.document import Node
from anchorecli.policy.language.faults import Faults, quoted, unknown
from anchorecli.policy.language.fields import Fields

_CONFIG = ("user", "env", "labels", "ports", "healthcheck", "cmd", "entrypoint", "volumes", "working_dir", "created")
_FACTS = (
    *("packages", "vulnerabilities", "files", "secrets", "malware", "changed_files", "unowned", "contents"),
    "private_keys",
)
_KEYS = (
    *("reference", "distro", "platform", "layers", "annotations", "history", "dockerfile", "end_of_life", "previous"),
    *(*_CONFIG, *_FACTS, "attached", "problems", "unknown", "feed_age_days", "base_layers"),
)
_GAPS = (
    "feeds",
    "files",
    "secrets",
    "contents",
    "retrieve",
    "malware",
    "verify",
    "unowned",
    "certificates",
    "epss",
    "kev",
    "end_of_life",
    "attached",
)


class Setting(NamedTuple):
    """What a case says beside its image: the moment, and what the bundle asks to be looked for."""

    now: str
    demand: Demand
    signers: tuple[str, ...] = ()
    """Whom the bundle trusts."""


def synthetic(node: Node, setting: Setting, faults: Faults) -> Evidence:
    """The evidence of an image told in a case; what is wrong with it goes to ``faults``."""
    fields = Fields(node, "the image", _KEYS, faults)
    gaps = frozenset(fields.words("unknown"))
    for gap in sorted(gaps - {*_GAPS}):
        faults.add(fields.line_of("unknown"), unknown("name of a gap", gap, _GAPS))
    reference = _reference(fields, faults)
    distro = _distro(fields.text("distro"))
    reader = FactReader(fields, distro, faults)
    packages = reader.packages("packages")
    matches = reader.matches(packages)
    analysis = Analysis(
        _image(fields, reference, faults),
        distro,
        packages,
        problems=reader.problems(),
        **reader.facts(),
        looked_for=_looked_for(setting.demand, gaps),
    )
    feeds, covered = _feeds(fields, distro, packages, setting.now, gaps)
    previous = fields.has("previous")
    return Evidence(
        analysis,
        reference,
        setting.now,
        matches=matches,
        feeds=feeds,
        dockerfile=fields.text("dockerfile"),
        problems=analysis.problems,
        covered=covered,
        tree=None if "files" in gaps else reader.tree(),
        base=frozenset(DiffId(name) for name in fields.words("base_layers")) or None,
        previous=Analysis(analysis.image, distro, reader.packages("previous")) if previous else None,
        enrichment=reader.enrichment(gaps),
        attached=None if "attached" in gaps else attached(fields, setting.signers, faults),
        signers=setting.signers,
    )


# ── the image ────────────────────────────────────────────────────────────────────────────────────────────────


def _reference(fields: Fields, faults: Faults) -> ImageRef:
    from anchorecli.reference import parse_reference

    text = fields.text("reference") or "docker.io/example/app:1"
    try:
        return parse_reference(text if ":" in text.partition("/")[0] else f"registry:{text}")
    except UsageError as error:
        faults.add(fields.line_of("reference"), error.message)
        return ImageRef("registry", text)


def _distro(text: str) -> Distro | None:
    name, _, version = text.partition(":")
    return Distro(name.lower(), version, name=name) if name else None


def _image(fields: Fields, reference: ImageRef, faults: Faults) -> Image:
    platform = (fields.text("platform") or "linux/amd64").split("/")
    history = tuple(HistoryEntry(line) for line in fields.words("history"))
    env = tuple(f"{name}={value}" for name, value in _pairs(fields, "env", faults).items())
    config = ImageConfig(
        Platform(platform[0], platform[1] if len(platform) > 1 else "", "/".join(platform[2:])),
        created=fields.text("created"),
        user=fields.text("user"),
        working_dir=fields.text("working_dir"),
        env=env,
        cmd=fields.words("cmd"),
        entrypoint=fields.words("entrypoint"),
        exposed_ports=tuple(port if "/" in port else f"{port}/tcp" for port in fields.words("ports")),
        volumes=fields.words("volumes"),
        labels=_pairs(fields, "labels", faults),
        healthcheck=fields.words("healthcheck"),
        # An image without history was not built by anything: a rule about it would have nothing to look at.
        history=history or (HistoryEntry("FROM scratch"),),
    )
    layers = tuple(Layer(DiffId(name)) for name in fields.words("layers")) or (Layer(DiffId("sha256:layer")),)
    digest = Digest(reference.digest or "sha256:" + sha256(reference.name.encode()).hexdigest())
    identity = Digest("sha256:" + sha256(f"id {reference.name}".encode()).hexdigest())
    return Image(reference, identity, digest, config, layers, annotations=_pairs(fields, "annotations", faults))


def _pairs(fields: Fields, name: str, faults: Faults) -> dict[str, str]:
    """Names and values: a mapping, or a list of ``NAME=VALUE``."""
    node = fields.node(name)
    if node is None or node.kind == "null":
        return {}
    if node.kind == "mapping":
        return {key: value.text for key, value in node.entries.items()}
    found: dict[str, str] = {}
    for word in fields.words(name):
        key, equals, value = word.partition("=")
        if not equals:
            faults.add(fields.line_of(name), f"{quoted(name)} must hold NAME=VALUE, not {quoted(word)}")
        found[key] = value
    return found


def _looked_for(demand: Demand, gaps: frozenset[str]) -> dict[str, str]:
    found = {
        "secrets": "",
        "contents": "\n".join(demand.contents),
        "retrieve": "\n".join(demand.retrieve),
        "malware": "clamav",
        "verify": "",
        "unowned": "",
        "certificates": "",
    }
    return {name: how for name, how in found.items() if name not in gaps}


def _feeds(
    fields: Fields, distro: Distro | None, packages: tuple[Package, ...], now: str, gaps: frozenset[str]
) -> tuple[tuple[FeedState, ...], frozenset[str]]:
    """One feed that has data for all packages, so many days old."""
    from datetime import timedelta

    from anchorecli.policy.times import utc

    if "feeds" in gaps:
        return (), frozenset()
    names = {*distro_namespaces(distro), *(package.type for package in packages if package.type not in OS_TYPES)}
    age = fields.text("feed_age_days")
    moment = utc(now)
    synced = moment - timedelta(days=int(age) if age.isdigit() else 0) if moment else None
    updated = synced.strftime("%Y-%m-%dT%H:%M:%SZ") if synced else ""
    return (FeedState("test", 1, 1, updated_at=updated, ecosystems=tuple(sorted(names))),), frozenset(names)

"""Decisions: matches, policy findings, the verdict and the report of one evaluation."""

from __future__ import annotations

from collections.abc import Mapping

from anchorecli.model.advisory import Cvss, Enrichment, FeedState
from anchorecli.model.attached import Checked
from anchorecli.model.base import Action, DiffId, FixDating, FixState, Json, MatchVerdict, Problem, Severity, Status
from anchorecli.model.image import Analysis, Package
from anchorecli.values import dataclass, field


@dataclass(frozen=True, slots=True)
class Match:
    """A package and an advisory that speaks of it.

    ``id`` is the vulnerability's id as reports show it (a CVE where one is known, else the feed's own),
    ``aliases`` every other id, ``fixed_in`` the versions that fix it, ``why`` the comparison that decided.
    ``suppressed`` holds the reason where a better source settles it: kept, shown on request, never counted.
    """

    id: str
    package: Package
    advisory: str
    feed: str
    verdict: MatchVerdict
    severity: Severity
    fix_state: FixState
    fixed_in: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    ecosystem: str = ""
    summary: str = ""
    url: str = ""
    published: str = ""
    modified: str = ""
    cvss: tuple[Cvss, ...] = ()
    why: str = ""
    suppressed: str = ""
    vex: str = ""
    """What the VEX statement that holds for it says; where that settles it, it is suppressed as well."""
    cwes: tuple[str, ...] = ()
    """What kinds of weakness it is (``CWE-79``), where a feed that knows CVEs says so."""
    fixed_since: str = ""
    """The earliest moment (RFC 3339 UTC, or a date) its fix can have been there; empty where nobody can tell."""
    fixed_since_by: FixDating = FixDating.UNKNOWN


@dataclass(frozen=True, slots=True)
class VexSource:
    """A VEX document that was looked at: the name of its file, the digest of its bytes, its format and author."""

    name: str
    digest: str
    form: str
    author: str
    statements: int
    signer: str = ""
    """Who signed it, as the bundle calls him, where it is attached to the image."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy. ``params`` are the bundle's own strings; ``line`` is 1-based, 0 if unknown. The texts at
    the end are the author's, for people."""

    id: str
    gate: str
    trigger: str
    action: Action
    params: Mapping[str, str] = field(default_factory=dict)
    line: int = 0
    name: str = ""
    description: str = ""
    recommendation: str = ""


@dataclass(frozen=True, slots=True)
class Allow:
    """One allowlist item: findings of ``gate`` that it means are let through until ``expires_on``.

    ``trigger_id`` is a wildcard over trigger ids; where it is empty ``vulnerability`` is one over the ids and aliases
    of a vulnerability. Whatever else is given narrows it: a finding has to satisfy all.
    """

    id: str
    gate: str
    trigger_id: str
    expires_on: str = ""
    comment: str = ""
    line: int = 0
    vulnerability: str = ""
    package: str = ""
    """Wildcard over the name of the package, or of what it was built from."""
    purl: str = ""
    """Wildcard over the package's URL, or one with or without a version."""
    path: str = ""
    """Wildcard over the paths the finding is about, each with its leading slash."""
    layer: str = ""
    """The start of the layer's diff_id or digest."""
    image: str = ""
    """Wildcard over ``registry/repository:tag``: for other images the item is not in force."""
    base_only: bool = False
    """Only what the base image brought."""
    while_no_fix: bool = False
    """Only as long as no fix is known."""
    owner: str = ""
    reason: str = ""
    ticket: str = ""
    created: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One firing of a rule. ``allowed_by`` is the id of the allowlist item that let it through, or empty."""

    gate: str
    trigger: str
    trigger_id: str
    action: Action
    message: str
    rule_id: str = ""
    policy_id: str = ""
    allowed_by: str = ""
    match_id: str = ""
    """For vulnerability findings: the vulnerability's id, so that reports can join them."""
    allowlist: str = ""
    """The allowlist that ``allowed_by`` is an item of."""


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What became of one rule. ``status`` is ``fired``, ``silent`` or ``not-run`` (``note`` says why); ``looked_at``
    says on what it decided (``166 packages``); ``fired`` and ``allowed`` count its findings."""

    policy_id: str
    rule_id: str
    gate: str
    trigger: str
    action: Action
    status: str
    fired: int = 0
    allowed: int = 0
    looked_at: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class AllowOutcome:
    """What became of one allowlist item in force for the image. ``status`` is ``used``, ``unused``, ``expired``,
    ``expiring`` (used, and its end is near), ``needless`` (what it lets through has a fix now, or is gone) or
    ``wide``; ``note`` says more, ``covered`` counts findings. The texts at the end are the item's own, so that a
    stored evaluation can be read without the bundle; ``subject`` says what it is about."""

    allowlist_id: str
    item_id: str
    status: str
    covered: int = 0
    note: str = ""
    gate: str = ""
    subject: str = ""
    owner: str = ""
    reason: str = ""
    ticket: str = ""
    created: str = ""
    expires: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the bundle makes of the image. ``reason`` says what decided: policy_evaluation, blacklisted,
    whitelisted, no_mapping, or evidence (for indeterminate)."""

    status: Status
    action: Action
    reason: str
    findings: tuple[Finding, ...] = ()
    policy_ids: tuple[str, ...] = ()
    mapping_id: str = ""
    problems: tuple[Problem, ...] = ()
    rules: tuple[RuleOutcome, ...] = ()
    allowances: tuple[AllowOutcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """One evaluation, whole: what every report format renders and what the store keeps.

    The evaluation tuple (design §4) is image digest and platform, ``feeds`` with their revisions,
    ``bundle_digest``, ``analysis.analyzers``, ``tool_version`` and ``created_at``; equal tuples render to equal
    bytes. ``feed_revision`` is the store's revision number at that moment.
    """

    analysis: Analysis
    matches: tuple[Match, ...]
    verdict: Verdict | None
    feeds: tuple[FeedState, ...]
    feed_revision: int
    bundle_id: str
    bundle_name: str
    bundle_digest: str
    tool_version: str
    created_at: str
    problems: tuple[Problem, ...] = ()
    """Coverage: every problem of every stage, sorted."""
    vex: tuple[VexSource, ...] = ()
    enrichment: Enrichment = Enrichment()
    """What was known of the vulnerabilities and the distribution beside advisories; ``official`` is not kept."""
    base: tuple[DiffId, ...] | None = None
    """The layers that the base image brought, sorted; None where the base image is not known."""
    attached: tuple[Checked, ...] | None = None
    """What hangs on the image, by the bundle's signers; None where nobody looked."""
    base_name: str = ""
    """What the base image is called, where it is known: as it was asked for, else as the image says itself."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change that the watch loop tells about.

    ``kind`` is tag_update, vuln_update or policy_eval (Anchore Engine's subscription names); ``data`` is JSON.
    """

    kind: str
    image: str
    created_at: str
    message: str
    data: Mapping[str, Json] = field(default_factory=dict)

"""The versioned JSON report: everything that is known, for programs.

Format: ``schema.json`` beside this module (JSON Schema, draft 2020-12); additive within a major version. The frame is
indented by two blanks and each package, match, finding, problem and layer stands on a line of its own: good for grep
and diff, and written by the C encoder, which does not indent.
Order: packages by type and name, matches and findings worst first; the text is ASCII.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from anchorecli.model import (
    AllowOutcome,
    Checked,
    Distro,
    Enrichment,
    FeedState,
    Finding,
    Image,
    ImageConfig,
    Layer,
    Match,
    Problem,
    Report,
    RuleOutcome,
    Severity,
    Verdict,
    VexSource,
)
from anchorecli.report import identity
from anchorecli.report.advice import advice
from anchorecli.report.base import Memo, RenderOptions, Subject
from anchorecli.report.beside import epss, exploited, risk
from anchorecli.report.json_facts import facts
from anchorecli.report.json_lines import batched
from anchorecli.report.json_packages import Written, line, packages
from anchorecli.values import dataclass

SCHEMA_VERSION = "1.2.0"

_Layers = Mapping[str, tuple[int, Layer]]


@dataclass(frozen=True, slots=True)
class JsonReport:
    """The report for programs."""

    name: str = "json"
    subject: Subject = "report"
    media_type: str = "application/vnd.anchore.report+json"
    description: str = "everything, for programs (JSON, with a published schema)"

    def prepare(self) -> None:
        """Nothing here is slow to load."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The report as JSON text."""
        return "".join(self.pieces(report, options))

    def pieces(self, report: Report, options: RenderOptions) -> Iterator[str]:
        """The same in pieces."""
        return batched(chain(_frame(document(report, options.memo)), ("\n",)))


def document(report: Report, memo: Memo | None = None) -> dict[str, Any]:
    """The report as plain JSON values, in the shape of the schema; iterators for what there may be very many of."""
    image = report.analysis.image
    layers = identity.layers_by_id(image)
    starter, beside = identity.starter_feeds(report), report.enrichment
    counted, undecided = identity.counted(report), identity.undecided(report)
    suppressed = identity.suppressed(report)
    matches = sorted(counted + undecided, key=identity.match_order)
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": report.verdict and _verdict(report.verdict),
        "summary": {
            "packages": len(report.analysis.packages),
            "matches": len(counted),
            "by_severity": {
                severity.label: sum(match.severity is severity for match in counted) for severity in reversed(Severity)
            },
            "fixable": sum(bool(match.fixed_in) for match in counted),
            "undecided": len(undecided),
            "suppressed": len(suppressed),
        },
        "coverage": {
            "complete": not any(problem.incomplete for problem in report.problems),
            "problems": _problems(report.problems),
        },
        "evaluation": _evaluation(report),
        "image": _image(image),
        "distro": report.analysis.distro and _distro(report.analysis.distro),
        "end_of_life": report.enrichment.end_of_life,
        "feeds": [_feed(feed) for feed in sorted(report.feeds, key=lambda feed: feed.name)],
        "packages": packages(report, memo, SCHEMA_VERSION),
        "matches": (_match(match, layers, starter, beside) for match in matches),
        "suppressed": (_match(match, layers, starter, beside) | {"reason": match.suppressed} for match in suppressed),
        "advice": advice(report),
        **facts(report.analysis),
        **({} if report.attached is None else {"attached": [_attached(each) for each in report.attached]}),
    }


def _evaluation(report: Report) -> dict[str, Any]:
    image = report.analysis.image
    return {
        "created_at": report.created_at,
        "tool": "anchore",
        "tool_version": report.tool_version,
        "image_id": image.image_id,
        "image_digest": image.digest,
        "platform": str(image.config.platform),
        "feed_revision": report.feed_revision,
        "bundle_id": report.bundle_id,
        "bundle_name": report.bundle_name,
        "bundle_digest": report.bundle_digest,
        "analyzers": dict(sorted(report.analysis.analyzers.items())),
        **({"vex": [_vex(each) for each in report.vex]} if report.vex else {}),
    }


def _vex(source: VexSource) -> dict[str, Any]:
    return {
        "name": source.name,
        "digest": source.digest,
        "format": source.form,
        "author": source.author,
        "statements": source.statements,
        **({"signer": source.signer} if source.signer else {}),
    }


def _attached(each: Checked) -> dict[str, Any]:
    return {
        "kind": each.kind.value,
        "digest": each.digest,
        "check": each.check.value,
        "signer": each.signer,
        "predicate_type": each.predicate,
        "identity": each.identity,
        "note": each.note,
    }


def _image(image: Image) -> dict[str, Any]:
    return {
        "reference": image.ref.name,
        "requested": image.ref.original,
        "transport": image.ref.transport,
        "id": image.image_id,
        "digest": image.digest,
        "index_digest": image.index_digest,
        "names": list(image.names),
        "platform": str(image.config.platform),
        "annotations": dict(sorted(image.annotations.items())),
        "layers": [
            {
                "index": index,
                "diff_id": layer.diff_id,
                "digest": layer.digest,
                "size": layer.size,
                "media_type": layer.media_type,
                "created": layer.created,
                "instruction": layer.instruction,
            }
            for index, layer in enumerate(image.layers)
        ],
        "config": _config(image.config),
    }


def _config(config: ImageConfig) -> dict[str, Any]:
    return {
        "created": config.created,
        "author": config.author,
        "user": config.user,
        "working_dir": config.working_dir,
        "stop_signal": config.stop_signal,
        "env": list(config.env),
        "cmd": list(config.cmd),
        "entrypoint": list(config.entrypoint),
        "exposed_ports": list(config.exposed_ports),
        "volumes": list(config.volumes),
        "labels": dict(sorted(config.labels.items())),
        "healthcheck": list(config.healthcheck),
        "history": [
            {
                "created_by": entry.created_by,
                "created": entry.created,
                "comment": entry.comment,
                "author": entry.author,
                "empty_layer": entry.empty_layer,
            }
            for entry in config.history
        ],
    }


def _distro(distro: Distro) -> dict[str, Any]:
    return {
        "id": distro.id,
        "version_id": distro.version_id,
        "name": distro.name,
        "codename": distro.codename,
        "pretty_name": distro.pretty_name,
        "like": list(distro.like),
        "source": distro.source,
    }


def _feed(feed: FeedState) -> dict[str, Any]:
    return {
        "name": feed.name,
        "revision": feed.revision,
        "records": feed.records,
        "updated_at": feed.updated_at,
        "source_date": feed.source_date,
        "url": feed.url,
        "digest": feed.digest,
        "etag": feed.etag,
        "last_modified": feed.last_modified,
        "starter": feed.starter,
        "ecosystems": sorted(feed.ecosystems),
        "problems": feed.problems,
    }


def _match(match: Match, layers: _Layers, starter: frozenset[str], beside: Enrichment) -> dict[str, Any]:
    package = match.package
    index, layer = layers.get(package.layer, (-1, None))
    likely, known = epss(match, beside), exploited(match, beside)
    return {
        "fingerprint": identity.match_id(match),
        "id": match.id,
        "aliases": sorted(match.aliases),
        "severity": match.severity.label,
        "verdict": match.verdict.value,
        "package": {
            "id": identity.package_id(package),
            "name": package.name,
            "version": package.version,
            "type": package.type,
            "purl": package.purl,
            "source": package.source,
            "path": identity.installed_at(package),
        },
        "fix_state": match.fix_state.value,
        "fixed_in": match.fixed_in,
        **(
            {"fixed_since": match.fixed_since, "fixed_since_by": match.fixed_since_by.value}
            if match.fixed_since_by
            else {}
        ),
        "feed": match.feed,
        "starter": match.feed in starter,
        "advisory": match.advisory,
        "ecosystem": match.ecosystem,
        "url": match.url,
        "summary": match.summary,
        "published": match.published,
        "modified": match.modified,
        "cvss": [
            {"version": cvss.version, "vector": cvss.vector, "score": cvss.score, "source": cvss.source}
            for cvss in match.cvss
        ],
        "cwes": match.cwes,
        "epss": likely and likely._asdict(),
        "known_exploited": known and known._asdict(),
        "risk": risk(match, beside),
        "why": match.why,
        **({"vex": match.vex} if match.vex else {}),
        "layer": layer and {"index": index, "diff_id": layer.diff_id, "instruction": layer.instruction},
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "status": verdict.status.value,
        "action": verdict.action.label,
        "reason": verdict.reason,
        "policy_ids": list(verdict.policy_ids),
        "mapping_id": verdict.mapping_id,
        "problems": _problems(verdict.problems),
        "findings": (_finding(finding) for finding in sorted(verdict.findings, key=identity.finding_order)),
        "rules": [_rule(rule) for rule in verdict.rules],
        "allowances": [_allowance(outcome) for outcome in verdict.allowances],
    }


def _rule(rule: RuleOutcome) -> dict[str, Any]:
    return {
        "policy_id": rule.policy_id,
        "rule_id": rule.rule_id,
        "gate": rule.gate,
        "trigger": rule.trigger,
        "action": rule.action.label,
        "status": rule.status,
        "fired": rule.fired,
        "allowed": rule.allowed,
        "looked_at": rule.looked_at,
        "note": rule.note,
    }


def _allowance(outcome: AllowOutcome) -> dict[str, Any]:
    return {
        "allowlist_id": outcome.allowlist_id,
        "item_id": outcome.item_id,
        "status": outcome.status,
        "covered": outcome.covered,
        "note": outcome.note,
        "gate": outcome.gate,
        "subject": outcome.subject,
        "owner": outcome.owner,
        "reason": outcome.reason,
        "ticket": outcome.ticket,
        "created": outcome.created,
        "expires": outcome.expires,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "fingerprint": identity.finding_id(finding),
        "gate": finding.gate,
        "trigger": finding.trigger,
        "trigger_id": finding.trigger_id,
        "action": finding.action.label,
        "message": finding.message,
        "rule_id": finding.rule_id,
        "policy_id": finding.policy_id,
        "allowed_by": finding.allowed_by,
        "match_id": finding.match_id,
        "allowlist": finding.allowlist,
    }


def _problems(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [
        {
            "stage": problem.stage,
            "subject": problem.subject,
            "message": problem.message,
            "hint": problem.hint,
            "incomplete": problem.incomplete,
            "cause": problem.gap if problem.incomplete else "",
        }
        for problem in sorted(set(problems))
    ]


_FRAME_DEPTH = 3


def _frame(value: Any, depth: int = 1) -> Iterator[str]:
    """The text piece by piece; the items of an iterator are lines of a list, each written when its turn comes."""
    indent = "\n" + "  " * depth
    if isinstance(value, dict) and value and depth < _FRAME_DEPTH:
        before = "{" + indent
        for key, item in value.items():
            yield f"{before}{line(key)}: "
            yield from _frame(item, depth + 1)
            before = "," + indent
        yield indent[:-2] + "}"
    elif isinstance(value, Iterator) or (isinstance(value, list) and value and isinstance(value[0], dict)):
        before = "[" + indent
        for item in value:
            yield before
            yield item if isinstance(item, Written) else line(item)
            before = "," + indent
        yield indent[:-2] + "]" if before[0] == "," else "[]"
    else:
        yield line(value)

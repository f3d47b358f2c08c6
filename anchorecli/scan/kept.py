"""Analyses and evaluations as the store keeps them: documents, each written once, readable by later versions.

An evaluation is kept in parts:

=============  =====================================================================================================
``analysis``   the analysis, a document it shares with the image itself and with every other evaluation of it
``image``      the image as it was asked for then: an image may have several names
``matches``    the matches; a package is its place in the analysis
``report``     what else the report says: the verdict, problems, bundle and tool
``feeds``      the state of each feed, with the time of its last check
``occasion``   what the verdict rested on beside image, feeds and bundle: ``Circumstances``
``bundle``     the policy bundle in its canonical form (JSON)
``previous``   the analysis of the image that the tag named before, where a rule looked at it
``vex``        the VEX documents that were given, if any
``attached``   what hung on the image, where somebody looked: as it was found, to be checked again
``cause``      why it was made, where nobody asked for it: JSON, see ``scan.update``
=============  =====================================================================================================

The clock stands in the row of the evaluation alone, so that two evaluations an hour apart have their parts in common.
What is known beside advisories (exploitation, ends of support) is asked of the feeds as of the revision again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from anchorecli import codec
from anchorecli.errors import StoreError
from anchorecli.model import (
    Analysis,
    Attached,
    DiffId,
    Digest,
    Evaluation,
    FactKey,
    FeedState,
    Image,
    ImageConfig,
    ImageRef,
    Json,
    MatchVerdict,
    Platform,
    Problem,
    Report,
    Severity,
)
from anchorecli.policy.language.canonical import canonical
from anchorecli.scan.analysis import set_digest
from anchorecli.scan.documents import analysis_document, known_digest, read_analysis
from anchorecli.scan.reuse import matches_document, read_matches, remember
from anchorecli.scan.values import Decision
from anchorecli.store import Document, Part, Store
from anchorecli.values import dataclass, field, replace
from anchorecli.vex.values import VexDocument


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a verdict rested on beside image, feeds and bundle, in so far as it is not in the report."""

    reference: ImageRef
    """What the user asked for: mappings look at it."""
    dockerfile: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings that decided: ``fail_on``."""
    base: tuple[DiffId, ...] | None = None
    bundle_path: str = ""
    warnings: tuple[Problem, ...] = ()
    """What the bundle's reader remarked: with the file's name, hence not in the canonical form."""


class Kept(NamedTuple):
    """An evaluation with all that was kept of it."""

    evaluation: Evaluation
    report: Report
    circumstances: Circumstances | None = None
    """None for an evaluation from before they were kept."""
    bundle: bytes = b""
    previous: Analysis | None = None
    vex: tuple[VexDocument, ...] = ()
    cause: Mapping[str, Json] | None = None
    """Why ``anchore update`` made it; None where somebody asked for it."""
    attached: Attached | None = None
    """What hung on the image; None where nobody looked."""


def keep(store: Store, decision: Decision, cause: Mapping[str, Json] | None = None) -> int:
    """Keep an evaluation; gives its number."""
    # Here, since it reads evaluations itself.
    from anchorecli.scan.asked import index_analysis

    row = _row(decision.report, decision.occasion.reference)
    matches = _matches(decision)
    parts = _parts(decision) | {"matches": matches}
    if cause is not None:
        parts["cause"] = json.dumps(cause, sort_keys=True, separators=(",", ":")).encode()
    number = _put(store, row, parts, decision)
    matched = decision.matched
    if not matched.reused and decision.report.matches is matched.found.matches:
        remember(store, decision.report.analysis, matched, matches)
    index_analysis(store, known_digest(decision.report.analysis), decision.report.analysis)
    return number


def _put(store: Store, row: Evaluation, parts: dict[str, Part], decision: Decision) -> int:
    analyses = {"analysis": decision.report.analysis}
    if decision.evidence.previous is not None:
        analyses["previous"] = decision.evidence.previous
    known = {name: known_digest(analysis) for name, analysis in analyses.items()}
    if all(known.values()):
        with suppress(LookupError):  # a clean-up was faster
            return store.put_evaluation(row, parts | known)
    return store.put_evaluation(row, parts | {name: analysis_document(each) for name, each in analyses.items()})


def recall(store: Store, evaluation: Evaluation) -> Kept:
    """An evaluation as it was. Raises: StoreError where what was kept cannot be read by this version."""
    try:
        parts = store.evaluation_parts(evaluation.id)
        if parts:
            return _from_parts(evaluation, parts)
        return Kept(evaluation, codec.decode(Report, evaluation.report))
    except (ValueError, LookupError) as exc:
        message = f"evaluation {evaluation.id} was kept by anchore {evaluation.tool_version} in another form"
        raise StoreError(message, hint=f"scan {evaluation.reference} again") from exc


def _row(report: Report, reference: ImageRef) -> Evaluation:
    image, verdict = report.analysis.image, report.verdict
    counted = [found for found in report.matches if not found.suppressed]
    decided = [found.severity for found in counted if found.verdict is not MatchVerdict.UNKNOWN]
    return Evaluation(
        id=0,
        image_id=image.image_id,
        digest=image.digest,
        reference=reference.name,
        platform=str(image.config.platform),
        feed_revision=report.feed_revision,
        bundle_id=report.bundle_id,
        bundle_digest=report.bundle_digest,
        analyzer_set=set_digest(FactKey(name, version) for name, version in report.analysis.analyzers.items()),
        tool_version=report.tool_version,
        created_at=report.created_at,
        status=verdict.status.value if verdict else "",
        action=verdict.action.label if verdict else "",
        matches=len(counted),
        vulnerabilities=len({each.id for each in counted if each.verdict is not MatchVerdict.UNKNOWN}),
        by_severity={each.label: decided.count(each) for each in reversed(Severity) if each in decided},
    )


def _parts(decision: Decision) -> dict[str, Part]:
    report, evidence, bundle = decision.report, decision.evidence, decision.bundle
    analysis = report.analysis
    circumstances = Circumstances(
        reference=decision.occasion.reference,
        dockerfile=evidence.dockerfile,
        settings=decision.occasion.settings,
        base=None if evidence.base is None else tuple(sorted(evidence.base)),
        bundle_path=bundle.path,
        warnings=bundle.warnings,
    )
    rest = replace(report, analysis=_NOTHING, matches=(), feeds=(), created_at="")
    parts: dict[str, Part] = {
        "image": codec.write_lasting(Image, analysis.image),
        "report": codec.write_lasting(Report, rest),
        "feeds": codec.write_lasting(_FEEDS, report.feeds),
        "occasion": codec.write_lasting(Circumstances, circumstances),
        "bundle": json.dumps(canonical(bundle), separators=(",", ":")).encode(),
    }
    if decision.occasion.vex:
        parts["vex"] = codec.write_lasting(_VEX, decision.occasion.vex)
    if decision.occasion.attached is not None:
        parts["attached"] = codec.write_lasting(Attached, decision.occasion.attached)
    return parts


def _matches(decision: Decision) -> Document:
    matched, report = decision.matched, decision.report
    if matched.reused and report.matches is matched.found.matches:
        return matched.reused
    return matches_document(report.analysis, report.matches)


def _from_parts(evaluation: Evaluation, parts: Mapping[str, bytes]) -> Kept:
    analysis = replace(read_analysis(parts["analysis"]), image=codec.read_lasting(Image, parts["image"]))
    report = replace(
        codec.read_lasting(Report, parts["report"]),
        analysis=analysis,
        matches=read_matches(analysis, parts["matches"]),
        feeds=codec.read_lasting(_FEEDS, parts["feeds"]),
        created_at=evaluation.created_at,
    )
    return Kept(
        evaluation=evaluation,
        report=report,
        circumstances=codec.read_lasting(Circumstances, parts["occasion"]),
        bundle=parts["bundle"],
        previous=read_analysis(parts["previous"]) if "previous" in parts else None,
        vex=codec.read_lasting(_VEX, parts["vex"]) if "vex" in parts else (),
        cause=json.loads(parts["cause"]) if "cause" in parts else None,
        attached=codec.read_lasting(Attached, parts["attached"]) if "attached" in parts else None,
    )


def attached_then(store: Store, evaluation: Evaluation) -> Attached | None:
    """What hung on the image when it was evaluated; None where nobody looked. Raises: StoreError if it is damaged."""
    part = store.evaluation_parts(evaluation.id).get("attached")
    try:
        return codec.read_lasting(Attached, part) if part is not None else None
    except ValueError as error:
        raise StoreError(f"evaluation {evaluation.id} is damaged: {error}", hint="scan the image again") from error


_FEEDS: Any = tuple[FeedState, ...]
_VEX: Any = tuple[VexDocument, ...]
_NOTHING = Analysis(Image(ImageRef("", ""), Digest(""), Digest(""), ImageConfig(Platform("", "")), ()), None, ())

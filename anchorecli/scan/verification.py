"""Whether a JSON report holds: made again from its tuple, byte for byte.

The tuple is image digest, platform, feed revision, bundle digest, analyzers, tool version and clock (design §4). What
a report does not say (a Dockerfile that was given, what a reader of the bundle remarked) is taken from the evaluation
that was kept when it was made, where there is one; its results never are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from anchorecli import __version__
from anchorecli.errors import AnchoreError, UsageError
from anchorecli.model import Analysis, FeedState, ImageRef, Report
from anchorecli.policy.demand import demand
from anchorecli.policy.values import Bundle
from anchorecli.reference import parse_reference
from anchorecli.report import RenderOptions, formats
from anchorecli.report.json_report import SCHEMA_VERSION
from anchorecli.scan.documents import read_analysis
from anchorecli.scan.evidence import gather
from anchorecli.scan.kept import Kept, recall
from anchorecli.scan.past import Inputs, decide_again, inputs_of, kept_bundle
from anchorecli.scan.values import Feeds, Occasion
from anchorecli.store import Store
from anchorecli.values import replace


class Difference(NamedTuple):
    """The first place where a report is not what its tuple gives. ``byte`` counts from 0."""

    byte: int
    where: str
    """A path of the document (``matches[3].severity``); empty where only the writing differs."""
    said: str = ""
    found: str = ""


class Verification(NamedTuple):
    """What came of it: it holds where nothing is missing and there is no difference."""

    missing: tuple[str, ...] = ()
    difference: Difference | None = None


class Claim(NamedTuple):
    """The tuple as a report states it."""

    image_id: str
    image_digest: str
    platform: str
    feed_revision: int
    bundle_digest: str
    analyzers: Mapping[str, int]
    tool_version: str
    created_at: str
    feeds: tuple[tuple[str, int, str], ...]
    """Name, revision and last check of each feed that is not the embedded one."""
    requested: str
    vex: tuple[str, ...] = ()
    """The digests of the VEX documents it rests on."""
    attached: bool = False
    """Whether it rests on what hung on the image."""
    schema: str = SCHEMA_VERSION


_OWN = ("feeds", "requested", "vex", "attached", "schema")
"""Fields of a claim that do not stand among those of ``evaluation``."""


def read_claim(data: bytes, name: str) -> Claim:
    """The tuple of a JSON report. Raises: UsageError where the file is none."""
    try:
        document = json.loads(data)
        said, image = document["evaluation"], document["image"]
        feeds = tuple((each["name"], each["revision"], each["updated_at"]) for each in document["feeds"])
        values = {key: said[key] for key in Claim._fields if key not in _OWN}
        vex = tuple(str(each["digest"]) for each in said.get("vex", ()))
        more = {"vex": vex, "attached": "attached" in document, "schema": document["schema_version"]}
        claim = Claim(**values, feeds=feeds, requested=image["requested"], **more)
    except (ValueError, LookupError, TypeError, RecursionError) as exc:
        hint = "it verifies what `anchore scan -o json` wrote"
        raise UsageError(f"{name} is not a JSON report of anchore", hint=hint) from exc
    kinds = Claim.__annotations__
    wrong = [key for key in kinds if kinds[key] in ("str", "int") and type(getattr(claim, key)).__name__ != kinds[key]]
    if wrong or not isinstance(claim.analyzers, dict):
        raise UsageError(f"{name} is not a JSON report of anchore: {', '.join(wrong) or 'analyzers'}")
    return claim


def verify(store: Store, data: bytes, name: str) -> Verification:
    """Make the report in ``data`` again and compare. Raises: UsageError where it is no report."""
    claim = read_claim(data, name)
    search = _Search(store, claim)
    inputs = search.inputs()
    if inputs is None or search.missing:
        return Verification(missing=tuple(search.missing))
    made = render(decide_again(store, inputs).report)
    return Verification(difference=first_difference(data, made))


def render(report: Report) -> bytes:
    """A report as ``-o json`` writes it."""
    return formats("report")["json"].render(report, RenderOptions()).encode("utf-8", "backslashreplace")


def first_difference(said: bytes, found: bytes) -> Difference | None:
    """Where two reports differ first; None where they are equal."""
    if said == found:
        return None
    byte = next((at for at, (a, b) in enumerate(zip(said, found, strict=False)) if a != b), min(len(said), len(found)))
    where = next(_walk(json.loads(said), json.loads(found), ""), None)
    return Difference(byte, *where) if where else Difference(byte, "")


def _walk(said: Any, found: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Differences of two JSON values, in the order of the document."""
    if isinstance(said, dict) and isinstance(found, dict):
        for key in dict.fromkeys((*found, *said)):
            below = f"{path}.{key}" if path else key
            if key in said and key in found:
                yield from _walk(said[key], found[key], below)
            else:
                yield below, _short(said.get(key, _ABSENT)), _short(found.get(key, _ABSENT))
    elif isinstance(said, list) and isinstance(found, list):
        for at in range(max(len(said), len(found))):
            mine, theirs = (each[at] if at < len(each) else _ABSENT for each in (said, found))
            yield from _walk(mine, theirs, f"{path}[{at}]")
    elif said is not found and (said != found or type(said) is not type(found)):
        yield path, _short(said), _short(found)


_ABSENT = object()
_LONGEST = 200


def _short(value: Any) -> str:
    text = "nothing" if value is _ABSENT else json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


class _Search:
    """Looks for the inputs of a report; what is not there is named in ``missing``."""

    def __init__(self, store: Store, claim: Claim) -> None:
        self.missing: list[str] = []
        self._store = store
        self._claim = claim

    def inputs(self) -> Inputs | None:
        claim = self._claim
        if claim.tool_version != __version__:
            self._miss(f"anchore {claim.tool_version}, which made the report (this is {__version__})")
        if claim.schema != SCHEMA_VERSION:
            self._miss(f"anchore that writes reports of schema {claim.schema} (this one writes {SCHEMA_VERSION})")
        if claim.feed_revision and claim.feed_revision not in self._store.kept_revisions():
            there = self._store.kept_revisions()
            self._miss(f"feed revision {claim.feed_revision} (the store keeps {there.start} to {there.stop - 1})")
        feeds = self._feeds()
        kept = self._kept()
        inputs = self._from_claim() if kept is None or kept.circumstances is None else inputs_of(self._store, kept)
        if inputs is None:
            return None
        self._check_analysis(inputs.analysis)
        if demand(inputs.bundle).files and inputs.given.tree is None:
            self._miss("the file list of the image's layers, at which the bundle looks")
        return replace(inputs, feeds=Feeds(claim.feed_revision, feeds))

    def _miss(self, what: str) -> None:
        self.missing.append(what)

    def _kept(self) -> Kept | None:
        """The evaluation that was kept when the report was made: of what the report does not say."""
        claim = self._claim
        for each in self._store.evaluations(image_id=claim.image_id, limit=_MANY):
            same = (each.digest, each.platform, each.feed_revision, each.bundle_digest, each.created_at)
            if same == (claim.image_digest, claim.platform, claim.feed_revision, claim.bundle_digest, claim.created_at):
                kept = recall(self._store, each)
                if kept.report.analysis.image.ref.original == claim.requested:
                    return kept
        return None

    def _from_claim(self) -> Inputs | None:
        """The inputs by the report alone: what was given beside the image is taken to be nothing."""
        claim, store = self._claim, self._store
        analyses = [read_analysis(document) for document in store.analyses(claim.image_id)]
        if not analyses:
            self._miss(f"the analysis of image {claim.image_id}")
        for name in claim.vex:
            self._miss(f"VEX document {name}: the evaluation it was kept with is not in the store")
        if claim.attached:
            self._miss("what hung on the image: the evaluation it was kept with is not in the store")
        bundle = self._bundle()
        if not analyses or bundle is None:
            return None
        analysis = next((each for each in analyses if dict(each.analyzers) == claim.analyzers), analyses[0])
        reference = self._reference(analysis)
        analysis = replace(analysis, image=replace(analysis.image, ref=reference))
        occasion = Occasion(claim.created_at, reference, store_it=False)
        return Inputs(analysis, bundle, occasion, Feeds(), gather(store, analysis, bundle, occasion))

    def _bundle(self) -> Bundle | None:
        try:
            return kept_bundle(self._store, self._claim.bundle_digest)
        except AnchoreError:
            self._miss(f"bundle {self._claim.bundle_digest}")
            return None

    def _reference(self, analysis: Analysis) -> ImageRef:
        try:
            return parse_reference(self._claim.requested)
        except AnchoreError:
            return analysis.image.ref

    def _check_analysis(self, analysis: Analysis) -> None:
        claim = self._claim
        if dict(analysis.analyzers) != claim.analyzers:
            self._miss("the analysis by the report's analyzers: the one in the store was made by others")
        if (analysis.image.digest, str(analysis.image.config.platform)) != (claim.image_digest, claim.platform):
            self._miss(f"the analysis of image {claim.image_digest} for {claim.platform}")

    def _feeds(self) -> tuple[FeedState, ...]:
        """The state of each feed as the report says it was checked, from the store's own record of that check."""
        known = {revision.feed for revision in self._store.revisions()}
        found = []
        for name, revision, updated_at in self._claim.feeds:
            if name not in known:
                if not name.startswith(_EMBEDDED):
                    self._miss(f"feed {name}")
                continue
            state = self._store.state_checked(name, revision, updated_at)
            if state is None:
                self._miss(f"feed {name} as it was checked at {updated_at or 'an unknown time'} (revision {revision})")
            else:
                found.append(state)
        return tuple(found)


_MANY = 10_000
_EMBEDDED = "starter:"

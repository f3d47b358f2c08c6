"""What was evaluated before: found by a name, a digest or a number, and the inputs to decide it again."""

from __future__ import annotations

from functools import lru_cache

from anchorecli.errors import AnchoreError, NotFoundError, StoreError, UsageError
from anchorecli.model import Analysis, Evaluation, FeedState, ImageRef
from anchorecli.policy.bundle import parse_bundle
from anchorecli.policy.demand import demand
from anchorecli.policy.values import Bundle
from anchorecli.reference import parse_reference
from anchorecli.scan.analysis import stored_files
from anchorecli.scan.decision import decide_by
from anchorecli.scan.documents import read_analysis
from anchorecli.scan.kept import Kept, recall
from anchorecli.scan.values import Decision, Feeds, Given, Occasion
from anchorecli.store import Store
from anchorecli.values import dataclass

_DIGITS_OF_A_DIGEST = 6
"""A row of as many digits may be the beginning of a digest; a shorter one is an evaluation's number and never a tag."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a decision rests on; equal inputs give an equal decision."""

    analysis: Analysis
    bundle: Bundle
    occasion: Occasion
    feeds: Feeds
    given: Given = Given()


@dataclass(frozen=True, slots=True)
class Subject:
    """An image that was analysed, with its evaluation where there is one."""

    analysis: Analysis
    reference: ImageRef
    kept: Kept | None = None


def decide_again(store: Store, inputs: Inputs) -> Decision:
    """Match and judge; nothing is kept. Raises: StoreError where the feed revision is not kept."""
    return decide_by(inputs.analysis, store, inputs.bundle, inputs.occasion, inputs.feeds, inputs.given)


def find(store: Store, text: str, moment: str = "") -> Subject:
    """The image that ``text`` means: an evaluation's number, a name, or a digest or image id or its beginning.

    A name means what it named at ``moment`` (the last, where that is empty or before any). Images that were removed are
    found as long as an evaluation of them is kept. Raises: NotFoundError where nothing is.
    """
    if is_number(text):
        evaluation = store.evaluation(int(text))
        if evaluation is not None:
            return _subject(recall(store, evaluation))
        if len(text) < _DIGITS_OF_A_DIGEST:
            hint = "anchore history lists them; to name an image by its tag, write it whole (name:tag)"
            raise NotFoundError(f"there is no evaluation {text}", hint=hint)
    for evaluation in _evaluations(store, text, moment):
        try:
            return _subject(recall(store, evaluation))
        except StoreError:  # kept in another form, or damaged; an earlier one, or the image itself, may do
            continue
    for name in names_of(text):
        for image in store.find_images(name):
            if (document := store.latest_analysis(image.image_id)) is not None:
                analysis = read_analysis(document)
                return Subject(analysis, analysis.image.ref)
    known = any(store.find_images(name) for name in names_of(text))
    if known:
        raise NotFoundError(f"what {text} contains is not in the store in a form of this version", hint="scan it again")
    raise NotFoundError(f"no stored image or evaluation is called {text}", hint="anchore images list; anchore history")


def names_of(text: str) -> list[str]:
    """The names ``text`` may be stored under: as it is, and in canonical form."""
    try:
        return list(dict.fromkeys((text, parse_reference(text).name)))
    except AnchoreError:
        return [text]


def inputs_of(store: Store, kept: Kept) -> Inputs:
    """The inputs of an evaluation as they were. Raises: StoreError where they were not kept."""
    report, was = kept.report, kept.circumstances
    if was is None:
        message = (
            f"evaluation {kept.evaluation.id} was kept by anchore {kept.evaluation.tool_version} without its bundle"
        )
        raise StoreError(message, hint=f"scan {kept.evaluation.reference} again")
    bundle = _parsed(kept.bundle)._replace(path=was.bundle_path, warnings=was.warnings)
    if bundle.digest != report.bundle_digest:
        message = f"this version reads bundle {report.bundle_digest} of evaluation {kept.evaluation.id} in another way"
        raise StoreError(message, hint=f"verify it with anchore {kept.evaluation.tool_version}")
    return Inputs(
        analysis=report.analysis,
        bundle=bundle,
        occasion=Occasion(
            now=report.created_at,
            reference=was.reference,
            dockerfile=was.dockerfile,
            store_it=False,
            base=report.base_name,
            settings=was.settings,
            vex=kept.vex,
            attached=kept.attached,
        ),
        feeds=Feeds(report.feed_revision, own_feeds(store, kept), report.enrichment),
        given=given_then(store, kept, bundle),
    )


def given_then(store: Store, kept: Kept, bundle: Bundle) -> Given:
    """What the verdict looked at beside matches; the file list as far as its facts are still in the store."""
    was = kept.circumstances
    image = kept.report.analysis.image
    layers = [layer.diff_id for layer in image.layers]
    return Given(
        tree=stored_files(store, layers) if demand(bundle).files and image.ref.transport != "sbom" else None,
        base=frozenset(was.base) if was is not None and was.base is not None else None,
        previous=kept.previous,
    )


def own_feeds(store: Store, kept: Kept) -> tuple[FeedState, ...]:
    """The states of the store's feeds as the evaluation saw them, without those of the embedded starter feed."""
    known = {revision.feed for revision in store.revisions()}
    return tuple(state for state in kept.report.feeds if state.name in known)


def kept_bundle(store: Store, digest: str) -> Bundle:
    """The bundle of evaluations by its digest or a beginning of it. Raises: UsageError where not just one is kept."""
    found = store.bundles(digest)
    if len(found) != 1:
        many = f"{len(found)} kept bundles" if found else "no kept bundle"
        hint = "anchore history --json names those of evaluations; or give the bundle's file"
        raise UsageError(f"{many} begin{'' if found else 's'} with {digest}", hint=hint)
    ((name, document),) = found.items()
    bundle = parse_bundle(document.decode())
    if bundle.digest != name:
        raise StoreError(f"this version reads bundle {name} in another way", hint="give the bundle's file")
    return bundle


@lru_cache(maxsize=16)
def _parsed(document: bytes) -> Bundle:
    """Many evaluations have one bundle."""
    return parse_bundle(document.decode())


def _subject(kept: Kept) -> Subject:
    was = kept.circumstances
    return Subject(kept.report.analysis, was.reference if was else kept.report.analysis.image.ref, kept)


def _evaluations(store: Store, text: str, moment: str) -> list[Evaluation]:
    """Those that the text means best: of just this name, else what it may mean as well, else of images of that name.

    Order: the one to take first; with a moment, those by then, if there are any.
    """
    names = names_of(text)
    meant = {each.id: each for name in names for each in store.find_evaluations(name)}
    exact = [each for each in meant.values() if each.reference in names]
    if not meant:
        images = next((found for name in names if (found := store.find_images(name))), ())
        meant = {each.id: each for each in store.evaluations(image_id=images[0].image_id)} if images else {}
    chosen = sorted(exact or meant.values(), key=lambda each: -each.id)
    by_then = [each for each in chosen if each.created_at <= moment] if moment else []
    return by_then or chosen


def is_number(text: str) -> bool:
    """Whether a text may be the number of an evaluation."""
    return text.isascii() and text.isdigit() and len(text) <= 18

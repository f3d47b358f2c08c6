"""Any image ever analysed, against any feed revision that is kept and any bundle: no registry, no network.

The clock of a replay stands still, so that equal inputs give equal bytes: at the moment asked for, or at the revision
asked for, and only without either at the present.
"""

from __future__ import annotations

from typing import NamedTuple

from anchorecli.errors import UsageError
from anchorecli.policy.values import Bundle
from anchorecli.scan.evidence import gather
from anchorecli.scan.past import Inputs, Subject, given_then
from anchorecli.scan.values import Feeds, Occasion
from anchorecli.store import Store
from anchorecli.vex.values import VexDocument


class Moment(NamedTuple):
    """Which feeds decide, and at what time."""

    feeds: Feeds
    now: str


def moment_of(store: Store, revision: int | None, as_of: str, now: str) -> Moment:
    """The feeds and the clock for what was asked: a revision, a moment, both, or neither (``now``).

    Raises: StoreError for a revision that is not kept, UsageError for one that was made after the moment.
    """
    if revision is None and not as_of:
        return Moment(Feeds(), now)
    if revision is None:
        revision = store.revision_at(as_of)
    store.check_revision(revision)
    made = next((each.created_at for each in store.revisions() if each.revision == revision), "")
    if as_of and made > as_of:
        raise UsageError(f"feed revision {revision} was made at {made}, after {as_of}", hint="leave one of the two out")
    clock = as_of or made or now
    return Moment(Feeds(revision, store.states_at(revision, clock)), clock)


def replay_inputs(
    store: Store,
    subject: Subject,
    bundle: Bundle,
    moment: Moment,
    dockerfile: str = "",
    vex: tuple[VexDocument, ...] = (),
) -> Inputs:
    """The inputs of a replay: the image, and what was given with it when it was last evaluated.

    A ``dockerfile`` and ``vex`` documents given here stand in for those.
    """
    was = subject.kept.circumstances if subject.kept else None
    occasion = Occasion(
        now=moment.now,
        reference=subject.reference,
        dockerfile=dockerfile or (was.dockerfile if was else ""),
        store_it=False,
        vex=vex or (subject.kept.vex if subject.kept else ()),
        attached=subject.kept.attached if subject.kept else None,
    )
    if subject.kept is not None and was is not None:
        given = given_then(store, subject.kept, bundle)
        if given.previous is None or given.base is None:
            fresh = gather(store, subject.analysis, bundle, occasion)
            given = given._replace(previous=given.previous or fresh.previous, base=given.base or fresh.base)
    else:
        given = gather(store, subject.analysis, bundle, occasion)
    return Inputs(subject.analysis, bundle, occasion, moment.feeds, given)

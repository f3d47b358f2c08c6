"""The store as the rest of the program sees it: one object, one method per question."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from anchorecli.model import (
    Advisory,
    Candidate,
    DiffId,
    Evaluation,
    FactKey,
    FeedState,
    Image,
    LayerFacts,
    Problem,
    StoredImage,
    SyncResult,
    WatchedTag,
)
from anchorecli.store import advisories, documents, evaluations, facts, feeds, images, past, problems, retention
from anchorecli.store.connection import Session, clean_text, shrink, transaction
from anchorecli.store.delta import Exchange
from anchorecli.store.derived import Derived
from anchorecli.store.inverted import Inverted
from anchorecli.store.retention import GcResult


class Store:
    """An open store. Every method is one transaction, may be called from any thread, and raises StoreError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def path(self) -> Path:
        """The file."""
        return self._session.path

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; more than once is fine."""
        self._session.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Several questions to one moment: inside, this thread sees nothing of what others commit, and cannot write."""
        with self._session.read():
            yield

    # Facts

    def known_facts(self, diff_ids: Sequence[DiffId], keys: Sequence[FactKey]) -> dict[DiffId, frozenset[FactKey]]:
        """For each layer those of ``keys`` whose facts are there; a pass that failed counts as not done.

        What is there will still be there for ``get_facts``: a clean-up spares it for a day.
        """
        if self._session.readonly:
            with self._session.read() as db:
                return facts.known_facts(db, diff_ids, keys)
        with self._session.write() as db:
            known = facts.known_facts(db, diff_ids, keys)
            facts.claim(db, [diff_id for diff_id, found in known.items() if found], _now())
            return known

    def put_layer(self, diff_id: DiffId, digest: str, size: int, layer_facts: Sequence[LayerFacts]) -> None:
        """Write a layer (digest and size of its blob, where known) with its facts; whole facts stay as they are."""
        with self._session.write() as db:
            facts.put_layer(db, (diff_id, digest, size), layer_facts, _now())

    def get_facts(self, diff_ids: Sequence[DiffId], keys: Sequence[FactKey]) -> list[LayerFacts]:
        """The facts of the layers under ``keys``, failed passes included, in the order of ``diff_ids`` and ``keys``."""
        with self._session.read() as db:
            return facts.get_facts(db, diff_ids, keys)

    # Images

    def put_image(  # noqa: PLR0913 - the image's summary, all by keyword
        self,
        image: Image,
        analyzer_set: str,
        analysis: documents.Body,
        *,
        distro: str,
        packages: int,
        size: int,
        now: str,
    ) -> None:
        """Write an image, its names and layers, and its analysis by one set of analyzers."""
        with self._session.write() as db:
            row = images.put_image(db, image, {"distro": distro, "packages": packages, "size": size, "now": now})
            images.put_analysis(db, row, analyzer_set, analysis, now)

    def get_analysis(self, image_id: str, analyzer_set: str) -> bytes | None:
        """The analysis of an image; once a day this notes that the image is in use, unless others are writing."""
        with self._session.read() as db:
            found = images.get_analysis(db, image_id, analyzer_set)
        if found is None:
            return None
        document, last_used_on = found
        if not self._session.readonly and last_used_on < (now := _now())[:10]:
            self._session.attempt(lambda db: images.touch(db, image_id, now))
        return document

    def latest_analysis(self, image_id: str) -> bytes | None:
        """The analysis of an image that was made last, by whatever analyzers."""
        with self._session.read() as db:
            return next(iter(images.analyses(db, image_id, 1)), None)

    def analyses(self, image_id: str) -> tuple[bytes, ...]:
        """The analyses of an image by whatever analyzers, the one made last first."""
        with self._session.read() as db:
            return images.analyses(db, image_id, 20)

    def images(self) -> tuple[StoredImage, ...]:
        """All images, the one analysed last first."""
        with self._session.read() as db:
            return images.images(db)

    def find_images(self, text: str) -> tuple[StoredImage, ...]:
        """The images ``text`` can mean: a name, else a digest or image id or its beginning, else an end of a name
        (``debian:12`` of ``docker.io/debian:12``), else a repository, else a tag. The one analysed last first."""
        with self._session.read() as db:
            return images.find_images(db, text)

    def image_document(self, image_id: str) -> tuple[str, str] | None:
        """The raw texts of configuration and manifest; None for an unknown image."""
        with self._session.read() as db:
            return images.image_document(db, image_id)

    def remove_image(self, image_id: str) -> bool:
        """Forget an image and its analyses; what only it needed of the layers goes with the next ``gc``."""
        with self._session.write() as db:
            return images.remove_image(db, image_id)

    # Evaluations

    def put_evaluation(self, evaluation: Evaluation, parts: Mapping[str, documents.Part] | None = None) -> int:
        """Write an evaluation with its parts; its number is new, whatever ``evaluation.id`` says.

        A part is a document, or the digest of one that is there already. Raises: LookupError where it is not.
        """
        with self._session.write() as db:
            return evaluations.put_evaluation(db, evaluation, parts or {})

    def evaluation(self, number: int) -> Evaluation | None:
        """One evaluation."""
        with self._session.read() as db:
            return evaluations.evaluation(db, number)

    def evaluation_parts(self, number: int) -> dict[str, bytes]:
        """The documents of an evaluation by their names; empty for those from before there were parts."""
        with self._session.read() as db:
            return evaluations.evaluation_parts(db, number)

    def evaluations(
        self, image_id: str | None = None, reference: str | None = None, limit: int = 100
    ) -> tuple[Evaluation, ...]:
        """Evaluations, the newest first."""
        with self._session.read() as db:
            return evaluations.evaluations(db, image_id, reference, limit)

    def latest_evaluations(self, since: str = "") -> tuple[Evaluation, ...]:
        """The last evaluation of each reference, of those since a moment; by reference."""
        with self._session.read() as db:
            return evaluations.latest_evaluations(db, since)

    def find_evaluations(self, text: str) -> tuple[Evaluation, ...]:
        """The evaluations of a reference, an end of one, or a digest or image id or its beginning; newest first."""
        with self._session.read() as db:
            return evaluations.find_evaluations(db, text)

    def bundles(self, start: str = "") -> dict[str, bytes]:
        """Kept bundles by digest: those whose digests begin so."""
        with self._session.read() as db:
            return documents.bundles(db, start)

    # Feeds

    def feed_states(self, revision: int | None = None) -> tuple[FeedState, ...]:
        """The feeds by name, now or as they were at a revision."""
        with self._session.read() as db:
            return feeds.feed_states(db, revision)

    def feed_state(self, name: str) -> FeedState | None:
        """One feed's state now."""
        with self._session.read() as db:
            return next(iter(feeds.feed_states(db, None, clean_text(name))), None)

    def revision(self) -> int:
        """The number of the last revision, 0 before the first sync."""
        with self._session.read() as db:
            return feeds.current_revision(db)

    def sync_feed(
        self,
        state: FeedState,
        records: Iterable[Advisory],
        *,
        finish: Callable[[FeedState], FeedState] | None = None,
        past: bool = True,
    ) -> SyncResult:
        """Make the feed ``state.name`` consist of ``records``, which are read one by one, outside any lock.

        Records of one id are merged. ``finish`` may complete the state once all have been read (digest, problems).
        If ``records`` or ``finish`` raises, nothing has changed. Without a difference there is no new revision, but
        the state is noted. ``records``, ``revision`` and, where it is empty, ``source_date`` of the state are
        found out here; ``ecosystems`` are those it names and those of the records. Without ``past`` nothing is kept
        of what the feed said before: for one that changes wholly every day.
        """
        from anchorecli.store.sync import sync_feed

        self._session.require_write()
        with self._session.private() as db:
            result = sync_feed(db, state, records, finish, past=past)
        self._session.trim()
        return result

    def confirm_feed(self, name: str, updated_at: str) -> bool:
        """Note that a feed was found unchanged; False where there is none of that name."""
        with self._session.write() as db:
            return feeds.confirm(db, clean_text(name), updated_at)

    def note_problems(self, name: str, found: Iterable[Problem]) -> None:
        """Keep what could not be read of the feed's snapshot that is held, in place of what was kept before."""
        with self._session.write() as db:
            problems.put(db, clean_text(name), found)

    def feed_problems(self, name: str) -> tuple[Problem, ...]:
        """What could not be read of a feed as it is held: the first of it, and nothing where it came from a file."""
        with self._session.read() as db:
            return problems.listed(db, clean_text(name))

    def drop_feed(self, name: str) -> bool:
        """Take a feed out, as a new revision; past revisions keep it. False where there is none of that name."""
        from anchorecli.store.swap import drop

        self._session.require_write()
        with self._session.private() as db, transaction(db, "BEGIN IMMEDIATE"):
            return drop(db, clean_text(name), _now())

    def lookup(self, keys: Sequence[tuple[str, str]], revision: int | None = None) -> list[Candidate]:
        """Every statement about the packages (ecosystem, name), now or as of a revision; in no order of meaning.

        ``severity`` is the statement's own where it has one, else the advisory's.
        """
        with self._session.read() as db:
            if revision is None or revision == feeds.current_revision(db):
                return advisories.lookup(db, keys)
            return past.lookup(db, keys, revision)

    def details(
        self, rows: Sequence[int], keys: Sequence[tuple[str, str]], revision: int | None = None
    ) -> dict[int, Advisory]:
        """What a match needs of the records whose rows a lookup of ``keys`` named, now or as of a revision.

        ``affected`` stays empty, and ``fixes_since`` is of those packages alone.
        """
        with self._session.read() as db:
            return advisories.details(db, rows, keys, revision)

    def records(self, rows: Sequence[int], revision: int | None = None) -> dict[int, Advisory]:
        """Whole records by the rows that candidates name; takes eight times as long as ``details``."""
        with self._session.read() as db:
            return advisories.records(db, rows, revision)

    def feed_records(self, name: str, revision: int | None = None) -> Iterator[Advisory]:
        """Every record of a feed by id, a few at a time, from one snapshot however long it takes."""
        with self._session.private() as db, transaction(db, "BEGIN"):
            yield from advisories.feed_records(db, clean_text(name), revision)

    def coverage(self, revision: int | None = None, *, starter: bool = False) -> frozenset[str]:
        """The ecosystems there is data for; ``starter`` counts those that only a starter feed has."""
        with self._session.read() as db:
            return feeds.coverage(db, revision, starter=starter)

    def revisions(self, feed: str | None = None) -> tuple[feeds.Revision, ...]:
        """The history of changes to one feed or all, the newest first."""
        with self._session.read() as db:
            return feeds.revisions(db, feed if feed is None else clean_text(feed))

    def states_at(self, revision: int, moment: str) -> tuple[FeedState, ...]:
        """The feeds by name as a scan at that moment saw them; their last checks by then included."""
        with self._session.read() as db:
            return past.states_at(db, revision, moment)

    def state_checked(self, name: str, revision: int, updated_at: str) -> FeedState | None:
        """A feed's state as a check at that moment left it; None where no such check is known."""
        with self._session.read() as db:
            return past.state_checked(db, name, revision, updated_at)

    def advisory_versions(self, names: Iterable[str]) -> list[past.AdvisoryVersion]:
        """Every kept version of the advisories of these names, of every feed; the oldest first."""
        with self._session.read() as db:
            return past.advisory_versions(db, names)

    def find_advisories(self, text: str, revision: int | None = None) -> dict[int, Advisory]:
        """The records that a text names by id or alias, with their statements; now or as of a revision. Slow."""
        with self._session.read() as db:
            newest = feeds.current_revision(db)
            return past.find_advisories(db, clean_text(text), newest if revision is None else revision)

    def near_advisories(self, text: str) -> list[str]:
        """Ids that look most like a text, the nearest first."""
        with self._session.read() as db:
            return past.near_advisories(db, clean_text(text))

    def revision_at(self, moment: str) -> int:
        """The feed revision in force at a moment (RFC 3339 UTC), 0 before the first."""
        with self._session.read() as db:
            return past.revision_at(db, moment)

    def kept_revisions(self) -> range:
        """The revisions that can be asked."""
        with self._session.read() as db:
            return past.kept_revisions(db)

    def check_revision(self, revision: int) -> None:
        """Raises: StoreError where the store cannot answer as of that revision."""
        with self._session.read() as db:
            feeds.check_revision(db, revision)

    @property
    def exchange(self) -> Exchange:
        """The feeds as other stores see them: what changed since when, and changes of theirs to apply."""
        return Exchange(self._session)

    @property
    def derived(self) -> Derived:
        """What was made of analyses before, and can be made again."""
        return Derived(self._session)

    def inverted(self, form: str) -> Inverted:
        """The inverted index, from changes of the feeds to evaluations; ``form`` names the rules names are found by."""
        return Inverted(self._session, form)

    # Watch

    def watch_add(self, reference: str, now: str) -> bool:
        """Put a tag under watch, again if need be; False where it was already."""
        with self._session.write() as db:
            return evaluations.watch_add(db, reference, now)

    def watch_remove(self, reference: str) -> bool:
        """Take a tag off the watch; False where it was not on it."""
        with self._session.write() as db:
            return evaluations.watch_remove(db, reference)

    def watch_list(self) -> tuple[WatchedTag, ...]:
        """All watched tags by name."""
        with self._session.read() as db:
            return evaluations.watch_list(db)

    def watch_update(self, tag: WatchedTag) -> bool:
        """Write what was last seen of a tag; False where it was taken off the watch meanwhile."""
        with self._session.write() as db:
            return evaluations.watch_update(db, tag)

    # Housekeeping

    def gc(self, *, older_than_days: int | None, keep: int | None, now: str, dry_run: bool = False) -> GcResult:
        """Let go what is older than so many days, and all but ``keep`` images (and evaluations of each reference).

        None sets no bound; what nothing refers to goes in any case. What is under watch stays. The file shrinks.
        """
        with self._session.write() as db:
            db.execute("SAVEPOINT before_gc")
            result = retention.collect(db, older_than_days, keep, now)
            if dry_run:
                db.execute("ROLLBACK TO before_gc")
        if not dry_run:
            with self._session.private() as db:
                shrink(db)
            self._session.trim()
        return result


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

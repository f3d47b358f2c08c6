"""What every command starts from: settings, the store, the clock, progress and messages on standard error."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from anchorecli import config
from anchorecli.cli.progress import Tell, progress
from anchorecli.errors import UsageError
from anchorecli.feeds import NAMES
from anchorecli.model import Analysis, Attached, Demand, Event, ImageRef, Platform, Problem, Report, Severity
from anchorecli.values import dataclass, field, replace

if TYPE_CHECKING:
    from anchorecli.analyzers import Registered, Scanner
    from anchorecli.config import Settings
    from anchorecli.policy.values import Bundle
    from anchorecli.report.base import Memo
    from anchorecli.scan.values import Decision
    from anchorecli.source import SourceOptions
    from anchorecli.store import Store
    from anchorecli.vex.values import VexDocument


@dataclass(frozen=True, slots=True)
class Start:
    """The options that stand before the command's name."""

    store: str | None = None
    config_file: str | None = None
    quiet: bool = False
    verbose: int = 0

    def settings(self, flags: Mapping[str, Any] | None = None) -> Settings:
        """The settings in force for flags given on this command line (None: not given)."""
        given = {"store": self.store, "quiet": self.quiet or None, "verbose": self.verbose or None, **(flags or {})}
        return config.load(given, os.environ, config_file=self.config_file, feeds=NAMES)

    def app(self, flags: Mapping[str, Any] | None = None, *, readonly: bool = False, collect: bool = True) -> App:
        """The running application; a context manager that closes the store.

        ``collect`` False leaves the garbage collector off (``main`` starts without) for a command that may only have
        to look things up, and turns it on itself before it does more.
        """
        if collect:
            gc.enable()
        flags = dict(flags or {})
        own = {name: flags.pop(name, None) for name in ("force", "dockerfile", "file_digests", "attached")}
        settings = self.settings(flags)
        return App(
            settings=settings,
            quiet=self.quiet,
            verbose=self.verbose,
            now=self.now(),
            force=bool(own["force"]),
            dockerfile=own["dockerfile"] or "",
            file_digests=bool(own["file_digests"]),
            attached=bool(own["attached"]),
            readonly=readonly,
        )

    def now(self) -> str:
        """This moment, RFC 3339 UTC; SOURCE_DATE_EPOCH where it is set."""
        return self.epoch() or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def epoch(self) -> str:
        """SOURCE_DATE_EPOCH as RFC 3339, or empty. Raises: UsageError where it is no number of seconds."""
        text = os.environ.get("SOURCE_DATE_EPOCH", "")
        if not text:
            return ""
        try:
            return datetime.fromtimestamp(int(text), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        except (ValueError, OverflowError, OSError) as exc:
            raise UsageError(f"SOURCE_DATE_EPOCH={text} is no number of seconds", hint="unset it") from exc


@dataclass(slots=True)
class App:
    """One command's run."""

    settings: Settings
    quiet: bool
    verbose: int
    now: str
    force: bool = False
    dockerfile: str = ""
    file_digests: bool = False
    attached: bool = False
    readonly: bool = False
    timings: dict[str, float] = field(default_factory=dict)
    _store: Store | None = None
    _vex: tuple[VexDocument, ...] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._store is not None:
            self._store.close()

    @property
    def store(self) -> Store:
        """The store, opened when first asked for."""
        if self._store is None:
            from anchorecli.store import open_store

            # To list what is in a store that is not there yet is no mistake: it is empty.
            readonly = self.readonly and self.settings.store.exists()
            self._store = open_store(self.settings.store, readonly=readonly)
        return self._store

    # ── the pipeline's steps, with progress ─────────────────────────────────────────────────────────────────

    def reference(self, image: str) -> ImageRef:
        """What the user means by IMAGE."""
        from anchorecli.reference import parse_reference

        return parse_reference(image)

    def demand(self, bundle: Bundle | None = None) -> Demand:
        """What to look for beyond packages: by the settings, and by the rules of a bundle."""
        settings = self.settings
        asked = replace(
            self.demand_packages(),
            secrets=settings.secret_search_enabled,
            contents=settings.content_search,
            retrieve=settings.retrieve_files,
            malware=settings.malware_enabled,
            verify=settings.verify_packages,
            certificates=settings.certificates,
        )
        if bundle is None:
            return asked
        from anchorecli.policy.demand import demand

        return asked.union(demand(bundle))

    def demand_packages(self) -> Demand:
        """What to look for where only packages are asked for."""
        settings = self.settings
        return Demand(digests=self.file_digests, declared=settings.declared, hints=settings.hints)

    def analyze(
        self, reference: ImageRef, demand: Demand | None = None, meanwhile: Callable[[], None] | None = None
    ) -> Analysis:
        """The image's analysis, from the store where it is known; ``meanwhile`` is called while layers are read."""
        if reference.transport == "sbom":
            from anchorecli.sbom import read_sbom

            return read_sbom(reference)
        from anchorecli.analyzers import REGISTERED, Bounds, on_demand
        from anchorecli.scan.analysis import analyze
        from anchorecli.scan.options import AnalyzeOptions
        from anchorecli.source import open_source

        self.check_offline(reference)
        settings = self.settings
        demand = demand or Demand()
        scanner = self._scanner() if demand.malware else None
        sizes = (
            settings.secret_search_max_file_bytes, settings.content_search_file_bytes, settings.retrieve_file_bytes
        )  # fmt: skip
        bounds = Bounds(*(min(size, settings.limits_file_bytes or size) for size in sizes))
        with (
            progress(reference.name, enabled=not self.quiet) as tell,
            open_source(reference, source_options(settings, tell, self._known_config)) as source,
        ):
            if source.image.ref.transport == "dir":
                # A project's directory says by its lock files what it is made of.
                demand = replace(demand, declared=True)
            options = AnalyzeOptions(
                now=self.now,
                registered=self._limited(REGISTERED),
                demanded=self._limited(on_demand(demand, scanner, bounds)),
                scanner=scanner,
                layer_bytes=settings.limits_layer_bytes,
                entries=settings.limits_entries,
                fact_bytes=settings.limits_fact_bytes,
                digests=demand.digests,
                progress=tell,
                timings=self.timings if self.verbose else None,
                force=self.force,
                all_layers=settings.all_layers,
                meanwhile=meanwhile,
            )
            return analyze(source, self.store, options)

    def _limited(self, registered: tuple[Registered, ...]) -> tuple[Registered, ...]:
        """The analyzers with the limits of the settings. Raises: UsageError for a limit that none has."""
        from anchorecli.analyzers.room import BYTES

        settings = self.settings
        facts = None if settings.limits_fact_bytes == BYTES else settings.limits_fact_bytes
        if not settings.limits_analyzers and settings.limits_file_bytes is None and facts is None:
            return registered
        from anchorecli.analyzers.limits import limited

        return limited(registered, dict(settings.limits_analyzers), settings.limits_file_bytes, facts)

    def bundle(self) -> Bundle:
        """The policy bundle in force. Raises: BundleError, UsageError."""
        from anchorecli.policy.bundle import default_bundle, fail_on_bundle, load_bundle

        settings = self.settings
        if settings.fail_on:
            return fail_on_bundle(Severity.parse(settings.fail_on))
        bundle = load_bundle(settings.policy) if settings.policy else default_bundle()
        for warning in bundle.warnings:
            self.note(f"{warning.subject}: {warning.message}")
        if bundle.trust.signers:
            from anchorecli.signatures.keys import library

            library()  # told before anything is fetched
        return bundle

    def vex(self) -> tuple[VexDocument, ...]:
        """The VEX documents that are believed, read once. Raises: UsageError that names the file."""
        if self._vex is None:
            from anchorecli.vex import read

            self._vex = tuple(read(Path(name)) for name in self.settings.vex)
        return self._vex

    def find_attached(self, analysis: Analysis, bundle: Bundle) -> Attached | None:
        """What hangs on the image, where the bundle or --attached asks for it; else nobody looks."""
        from anchorecli.policy.demand import demand

        if not self.attached and not demand(bundle).attached:
            return None
        from anchorecli.source import find_attached

        return find_attached(analysis.image, source_options(self.settings))

    def hangs_otherwise(self, analysis: Analysis, known: Attached) -> bool:
        """Whether anything that hangs on the image came or went since ``known`` was found."""
        from anchorecli.source import hangs_otherwise

        return hangs_otherwise(analysis.image, known, source_options(self.settings))

    def evaluate(self, analysis: Analysis, bundle: Bundle, reference: ImageRef) -> Report:
        """Match, judge and store."""
        return self.decide(analysis, bundle, reference).report

    def decide(self, analysis: Analysis, bundle: Bundle, reference: ImageRef, base: str = "") -> Decision:
        """Match, judge and store: the report with what it rests on. ``base`` names the image's base image."""
        from anchorecli.scan.decision import Occasion, decide
        from anchorecli.scan.kept import keep

        settings = {"fail_on": self.settings.fail_on} if self.settings.fail_on else {}
        dockerfile = text_of(self.dockerfile)
        occasion = Occasion(
            now=self.now,
            reference=reference,
            dockerfile=dockerfile,
            base=base,
            settings=settings,
            vex=self.vex(),
            attached=self.find_attached(analysis, bundle),
        )
        decision = decide(analysis, self.store, bundle, occasion)
        keep(self.store, decision)
        return decision

    def memo(self, analysis: Analysis) -> Memo:
        """What formats made of the analysis before."""
        from anchorecli.scan.reuse import Lines

        return Lines(self.store, analysis)

    def notify(self, events: Sequence[Event]) -> bool:
        """Tell of changes through every channel; True where all were told."""
        from anchorecli.notify import notify

        undelivered = notify(events, self.settings)
        self.tell_problems(undelivered)
        return not undelivered

    def check_offline(self, reference: ImageRef) -> None:
        """Raises: UsageError where --offline forbids what is asked for."""
        if self.settings.offline and reference.transport == "registry":
            raise UsageError(
                f"{reference.name} is in a registry and --offline forbids the network",
                hint="save it to an archive where there is a network (skopeo copy, docker save) and scan the file",
            )

    # ── messages ────────────────────────────────────────────────────────────────────────────────────────────

    def note(self, text: str) -> None:
        """A line on standard error, unless --quiet."""
        if not self.quiet:
            from anchorecli.report import clean

            sys.stderr.write(f"anchore: {clean(text)}\n")

    def tell_problems(self, problems: Sequence[Problem], most: int = 10) -> None:
        """What could not be looked at, on standard error, --quiet or not: silence would read as completeness."""
        from anchorecli.report import clean

        for problem in problems[:most]:
            sys.stderr.write(f"anchore: {clean(problem.subject)}: {clean(problem.message)}\n")
            if problem.hint:
                sys.stderr.write(f"  next: {clean(problem.hint)}\n")
        if len(problems) > most:
            sys.stderr.write(f"anchore: and {len(problems) - most} more problems; -o json lists them all\n")

    def tell_timings(self) -> None:
        """On standard error, with -v: the processor time of each analyzer, the longest first."""
        if self.verbose:
            told = [item for item in self.timings.items() if item[1] >= 0.00005]
            if told:
                sys.stderr.write("processor time of each analyzer:\n")
            for name, seconds in sorted(told, key=lambda item: -item[1]):
                sys.stderr.write(f"  {name:12} {seconds * 1000:8.1f} ms\n")

    def _scanner(self) -> Scanner | None:
        """The malware scanner; None where there is none and only the policy asks: it has a rule for that.

        Raises: UsageError where the settings ask for one that is not there.
        """
        from anchorecli.source.clamav import find_scanner

        settings = self.settings
        found = find_scanner(settings.malware_clamd)
        if found is None and (settings.malware_enabled or settings.malware_clamd):
            where = f" at {settings.malware_clamd}" if settings.malware_clamd else ""
            raise UsageError(
                f"malware is to be looked for and no scanner answers{where}",
                hint="start clamd, or install clamscan; malware.clamd says where clamd listens (a socket or host:port)",
            )
        return found

    def _known_config(self, image_id: str) -> bytes | None:
        """The configuration of an image the store knows, so that a registry need not be asked for it."""
        document = self.store.image_document(image_id)
        return document[0].encode() if document else None


def source_options(
    settings: Settings, tell: Tell | None = None, known_config: Callable[[str], bytes | None] | None = None
) -> SourceOptions:
    """How to fetch, by the settings."""
    from anchorecli.source import SourceOptions

    return SourceOptions(
        platform=_platform(settings.platform),
        tls_verify=settings.tls_verify,
        authfile=settings.authfile,
        timeout=settings.timeout,
        progress=tell,
        known_config=known_config,
    )


def _platform(text: str) -> Platform | None:
    return Platform(*text.split("/")) if text else None


def text_of(path: str) -> str:
    """The text of a file, empty where none is named. Raises: UsageError where it cannot be read."""
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror}", hint="check --dockerfile") from exc

"""The contract between the runner and an analyzer.

An analyzer works in two steps. ``read`` gets one file of one layer and returns a fact: plain JSON that is bound to that
file and stored for good. ``assemble`` gets a ``View`` of the squashed image, in which only the facts of visible files
are left, and says what packages (or which distribution) they amount to. ``read`` never sees another file, ``assemble``
never sees a byte: so a stored layer is never read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple, Protocol, runtime_checkable

from anchorecli.model import (
    Account,
    Certificate,
    CertificateStore,
    ContentMatch,
    DiffId,
    Distro,
    FileDifference,
    Group,
    Image,
    ImagePath,
    Json,
    Location,
    MalwareFinding,
    Package,
    PrivateKey,
    Problem,
    RetrievedFile,
    Secret,
)
from anchorecli.tree import Tree
from anchorecli.values import dataclass, field

DEFAULT_MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wants:
    """Which files an analyzer reads: a file is offered when any of the sets names it, and read when ``match`` agrees.

    The sets are dictionary look-ups on the hot path (a million paths); ``match`` runs only for what they let through.
    """

    paths: frozenset[str] = frozenset()
    """Whole paths: ``etc/os-release``."""
    names: frozenset[str] = frozenset()
    """Base names: ``package.json``."""
    suffixes: frozenset[str] = frozenset()
    """Last suffix of the base name with its dot: ``.egg-info``."""
    parents: frozenset[str] = frozenset()
    """Base name of the parent directory: ``status.d``."""
    everything: bool = False
    """Every regular file: for what is switched on by demand alone."""
    from_bytes: int = 0
    """Every regular file of so many bytes and more, whatever it is called (0: none): for what only its content tells.
    """
    match: Callable[[str, int, int], bool] | None = None
    """(path, size in bytes, mode) → whether it is really wanted."""
    max_bytes: int = DEFAULT_MAX_BYTES
    """A larger file is not read: a Problem says so. 0: there is no limit, since it reads pieces and keeps few."""


class LayerFile(Protocol):
    """One wanted file of one layer."""

    @property
    def path(self) -> ImagePath:
        """Its path in the layer's tar, normalised."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def mode(self) -> int:
        """Permission bits."""

    @property
    def direct(self) -> bool:
        """Whether ``open`` costs no copy. False for a large file in a compressed layer: prefer ``pieces`` there."""

    def head(self, count: int) -> bytes:
        """Its first bytes, ``count`` at most; whatever is read afterwards still begins with them."""

    def at(self, offset: int, count: int) -> bytes:
        """Bytes from any place of it, fewer at its end; only where it is ``direct``."""

    def data(self) -> bytes:
        """Its whole content."""

    def open(self) -> BinaryIO:
        """Its content as a seekable stream, without a copy where it is ``direct``, else from a temporary file."""

    def pieces(self) -> Iterator[bytes]:
        """Its content from the start in pieces of at most 1 MiB, the file's last reading unless ``keep`` was called."""

    def keep(self) -> None:
        """The runner's: several analyzers read it, so nothing that passed may be lost."""


class Fact(NamedTuple):
    """What ``read`` returned for a file that is visible in the squashed image."""

    path: ImagePath
    layer: int
    value: Json


@dataclass(frozen=True, slots=True)
class Found:
    """What ``assemble`` makes of the facts. ``owned`` gives, by purl, the paths an OS package installed."""

    packages: tuple[Package, ...] = ()
    distro: Distro | None = None
    owned: Mapping[str, Iterable[str]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    secrets: tuple[Secret, ...] = ()
    removed_secrets: tuple[Secret, ...] = ()
    contents: tuple[ContentMatch, ...] = ()
    retrieved: tuple[RetrievedFile, ...] = ()
    malware: tuple[MalwareFinding, ...] = ()
    differences: tuple[FileDifference, ...] = ()
    unowned: tuple[ImagePath, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    certificate_stores: tuple[CertificateStore, ...] = ()
    private_keys: tuple[PrivateKey, ...] = ()
    accounts: tuple[Account, ...] = ()
    groups: tuple[Group, ...] = ()
    looked_for: Mapping[str, str] = field(default_factory=dict)
    """See ``Analysis.looked_for``."""


class View(Protocol):
    """The squashed image, with one analyzer's facts."""

    @property
    def tree(self) -> Tree:
        """Every path of the image."""

    @property
    def image(self) -> Image:
        """The image's configuration and layers."""

    @property
    def distro(self) -> Distro | None:
        """The distribution, once the distribution's analyzer has run (it is the first)."""

    @property
    def packages(self) -> Sequence[Package]:
        """What the analyzers before this one found: all packages, for those that run on demand."""

    @property
    def owned(self) -> Mapping[str, Iterable[str]]:
        """The paths each OS package installed, by its purl, in so far as the analyzers before this one told."""

    def facts(self) -> Iterator[Fact]:
        """The facts of visible files, sorted by path; a hard link has its file's fact under its own path."""

    def hidden(self) -> Iterator[Fact]:
        """The facts of files that a later layer removed, replaced or hid, by layer and path: they ship all the same."""

    def fact(self, path: str) -> Fact | None:
        """The fact of the file at a path, symbolic links followed."""

    def history(self, path: str) -> Sequence[tuple[int, Json | None]]:
        """Each layer that wrote or removed a path, lowest first, with the fact it left (None: removed, unread)."""

    def diff_id(self, layer: int) -> DiffId:
        """The diff_id of a layer by its index."""

    def location(self, fact: Fact) -> Location:
        """A fact's path and layer as a package's location."""


class Analyzer(Protocol):
    """One kind of evidence. Implementations are frozen dataclasses named in ``REGISTERED`` or ``ON_DEMAND``."""

    @property
    def name(self) -> str:
        """Stable identifier: part of the key of stored facts."""

    @property
    def version(self) -> int:
        """Raise it when ``read`` returns something else than before: stored facts of this analyzer expire."""

    @property
    def options(self) -> str:
        """What else changes what ``read`` returns, as text: part of the key of stored facts; empty for most."""

    @property
    def wants(self) -> Wants:
        """Which files it reads."""

    def read(self, file: LayerFile) -> Json | None:
        """The fact of one file, or None. May raise anything: the runner makes a Problem of it.

        To keep what could be read of a damaged file return ``partial(value, message)``; a LimitError that is raised,
        and a ``partial`` that says so, count as a limit that was hit.
        """

    def assemble(self, view: View) -> Found:
        """What the visible facts amount to."""


@runtime_checkable
class Finishing(Protocol):
    """An analyzer with a last word on each layer: one that looks at many files at a time."""

    def finish(self, values: dict[str, Json]) -> dict[str, Json]:
        """The facts by path, from what ``read`` returned; called by the thread that read the layer."""


Sieve = Callable[[Sequence[LayerFile]], Iterable[int]]
"""The places of those files, among some, in which an analyzer may find something; it may name too many, never too few.
"""


@runtime_checkable
class Sifting(Protocol):
    """An analyzer that can be told from many files at once which of them it has to read: one that wants every file."""

    def sieve(self) -> Sieve | None:
        """A sieve for one layer, used by the thread that reads it; None where each file is to be read."""


@runtime_checkable
class Naming(Protocol):
    """An analyzer that wants files for their size, and looks for something else under some names."""

    def is_telling(self, path: str) -> bool:
        """Whether the name of a file tells what to look for in it."""


@runtime_checkable
class Following(Protocol):
    """An analyzer that may have to see files which only the whole image tells it of: where a link leads."""

    def beyond(self, view: View) -> Analyzer | None:
        """An analyzer that sees them as well, in place of this one; None where nothing is left to see."""


def partial(value: Json, message: str, limit: str = "") -> Json:
    """A fact read only in part: the runner keeps ``value`` and records a Problem with ``message`` for the file.

    ``limit`` is what is said of a limit that was hit (``Limits.told``), a Problem of its own; the other may be empty.
    """
    return {PARTIAL: message, "limit": limit, "value": value}


PARTIAL = "\0partial"


def introduced(history: Sequence[tuple[int, Json | None]], present: Callable[[Json], bool]) -> int:
    """The lowest layer since which ``present`` has held without interruption, for a database rewritten layer by layer.

    ``history`` is ``View.history`` of the database's path; the top-most entry must satisfy ``present``.
    """
    lowest = history[-1][0]
    for layer, value in reversed(history):
        if value is None or not present(value):
            break
        lowest = layer
    return lowest

"""The settings as frozen values; the dataclass's own defaults are the program's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from anchorecli.config.options import GIB, HOUR, OPTIONS
from anchorecli.errors import UsageError
from anchorecli.values import dataclass, field

EVENTS: tuple[str, ...] = ("tag_update", "vuln_update", "policy_eval")
MASK = "••••"


class Value(NamedTuple):
    """A setting's value and where it comes from: ``/etc/anchore/config.yaml:3``, ``ANCHORE_POLICY``, ``--policy``."""

    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is shown to nobody: as written (``text``), or in a variable (``env``) or a ``file``, by name."""

    kind: str
    value: str = field(repr=False)

    def reveal(self, env: Mapping[str, str]) -> str:
        """The value itself. Raises: UsageError where the variable or the file is not there or empty."""
        if self.kind == "text":
            return self.value
        hint = "a webhook of the settings needs it"
        if self.kind == "env":
            found = env.get(self.value, "")
        else:
            try:
                found = Path(self.value).read_text(encoding="utf-8").strip()
            except (OSError, ValueError) as exc:
                reason = getattr(exc, "strerror", None) or "it is no UTF-8 text"
                raise UsageError(
                    f"{self} cannot be read: {reason}", hint="a webhook of the settings needs it"
                ) from None
        if not found:
            raise UsageError(f"{self} is not set or empty", hint=hint)
        return found

    def __bool__(self) -> bool:
        return self.kind != "text" or bool(self.value)

    def __str__(self) -> str:
        return MASK if self.kind == "text" else f"${self.value}" if self.kind == "env" else self.value


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events of some kinds go. ``secret``, when there is one, is the key the body is signed with."""

    url: Secret
    events: tuple[str, ...] = EVENTS
    headers: Mapping[str, Secret] = field(default_factory=dict)
    secret: Secret = Secret("text", "")

    def __str__(self) -> str:
        about = [*self.events, *(f"{name}: {value}" for name, value in self.headers.items())]
        about += [f"signed with {self.secret}"] if self.secret else []
        return f"{self.place} ({', '.join(about)})"

    @property
    def place(self) -> str:
        """The URL for people: of a literal one the host only, since the path of a webhook is its password."""
        return shown_url(self.url.value, path=False) if self.url.kind == "text" else str(self.url)


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """One feed's settings. ``url`` is the base URL, empty for upstream's own."""

    url: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, resolved. Empty text and None: nothing was said, or no bound. Units: seconds, bytes."""

    store: Path
    platform: str = ""
    tls_verify: bool = True
    authfile: str = ""
    timeout: float = 600.0
    """A registry that is silent for so long is given up."""
    http_timeout: float = 60.0
    """The same for the servers of feeds and webhooks."""
    policy: str = ""
    fail_on: str = ""
    """A severity's name."""
    vex: tuple[str, ...] = ()
    """Files of VEX documents that are believed."""
    outputs: tuple[str, ...] = ()
    """``FORMAT`` or ``FORMAT=FILE``."""
    offline: bool = False
    quiet: bool = False
    verbose: int = 0
    retention_days: int | None = 90
    retention_count: int | None = None
    watch_interval: int = 6 * HOUR
    limits_layer_bytes: int = 1024 * GIB
    limits_entries: int = 2_000_000
    """Entries of one layer."""
    limits_file_bytes: int | None = None
    """Of one file that an analyzer reads whole; None: what each analyzer allows."""
    limits_fact_bytes: int = 176 * 1024 * 1024
    """Of what is found in an image, by what it takes of memory."""
    limits_analyzers: tuple[tuple[str, int], ...] = ()
    """``ANALYZER.LIMIT`` and its value, where it is not the default: see ``anchore analyzers``."""
    secret_search_enabled: bool = False
    """This, ``verify_packages`` and ``malware_enabled``: also where no rule asks for it."""
    secret_search_max_file_bytes: int = 512 * 1024
    content_search: tuple[str, ...] = ()
    """``NAME=REGEX``, matched from the start of each line."""
    content_search_file_bytes: int = 1024 * 1024
    retrieve_files: tuple[str, ...] = ()
    """Paths of files that are kept whole."""
    retrieve_file_bytes: int = 1000 * 1024
    verify_packages: bool = False
    certificates: bool = False
    """Whether certificates and private keys are looked for, also where no rule asks for it."""
    declared: bool = False
    """Whether lock files count in images too; in directories they do."""
    hints: bool = False
    """Whether an image's own ``anchore_hints.json`` is believed."""
    all_layers: bool = False
    """Whether packages count that later layers removed or replaced."""
    malware_enabled: bool = False
    malware_clamd: str = ""
    """Where clamd listens: a socket's path or ``host:port``; empty: at the usual sockets, else clamscan."""
    feeds_trusted_keys: tuple[str, ...] = ()
    """Files of public keys whose signatures of feed files count."""
    feeds_upstream: str = ""
    """Where another site serves its feeds; empty: each feed comes from its own source."""
    require_signed_feed: bool = False
    feeds: Mapping[str, FeedSettings] = field(default_factory=dict)
    webhooks: tuple[Webhook, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Key → where its value comes from, for every key that somebody set."""

    def feed_url(self, name: str) -> str:
        """The base URL of a feed, empty for upstream's own; one part of a feed (``osv:PyPI``) has the whole one's."""
        return self._feed(name).url

    def feed_enabled(self, name: str) -> bool:
        """Whether a sync of everything includes the feed."""
        return self._feed(name).enabled

    def entries(self) -> Iterator[tuple[str, str, str]]:
        """(key, value, where it comes from) of every setting, secrets masked."""
        for option in OPTIONS:
            yield option.key, _text(getattr(self, option.field)), self.origins.get(option.key, "default")
        for name, feed in sorted(self.feeds.items()):
            for key, value in (("url", shown_url(feed.url)), ("enabled", feed.enabled)):
                if (whole := f"feeds.{name}.{key}") in self.origins:
                    yield whole, _text(value), self.origins[whole]
        yield "webhooks", _text(tuple(map(str, self.webhooks))), self.origins.get("webhooks", "default")

    def describe(self) -> str:
        """The entries as lines of text: what ``anchore config`` prints."""
        rows = [(key, value or "-", origin) for key, value, origin in self.entries()]
        keys, values = (max(len(row[column]) for row in rows) for column in (0, 1))
        values = min(values, 40)
        return "".join(f"{key:{keys}}  {value:{values}}  {origin}\n" for key, value, origin in rows)

    def _feed(self, name: str) -> FeedSettings:
        return self.feeds.get(name) or self.feeds.get(name.partition(":")[0]) or FeedSettings()


def shown_url(url: str, *, path: bool = True) -> str:
    """A URL for people: no user information and no query, where secrets stand; without ``path`` the host only."""
    try:
        split = urlsplit(url)
        port = f":{split.port}" if split.port else ""
    except ValueError:
        return MASK
    host = f"[{split.hostname}]" if ":" in (split.hostname or "") else split.hostname
    rest = split.path if path else "/…" if split.path.strip("/") or split.query else ""
    return f"{split.scheme}://{host}{port}{rest}" if host else ""


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(f"{each[0]}={each[1]}" if isinstance(each, tuple) else str(each) for each in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)

"""Each event as a JSON document, POSTed to the webhooks of the settings.

Format: the body is ``payload``: ``{"schema": "anchore.event/1", "kind": "tag_update", "image": …, "created_at": …,
"message": …, "data": {…}}``, fields may be added. ``X-Anchore-Event`` has the kind; ``X-Anchore-Delivery`` is the same
for the same event, so that a receiver knows a repetition. Where the webhook has a secret,
``X-Anchore-Signature-256`` is ``sha256=`` and the HMAC-SHA256 (hex) of the body's bytes with it: compare in constant
time before believing anything.

Not handled: keeping events for a later run; what nobody took is told as a problem.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from anchorecli.config import Settings, Webhook
from anchorecli.config.options import url as checked_url
from anchorecli.errors import AnchoreError, UsageError
from anchorecli.model import Event, Json, Problem
from anchorecli.net import Fetcher, NetLimits
from anchorecli.values import dataclass

SCHEMA = "anchore.event/1"
SIGNATURE = "X-Anchore-Signature-256"
PATIENCE = 300.0
"""Seconds that failing deliveries to one webhook may take together; the events after that are not tried."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_FIELD = re.compile(r"[\t\x20-\x7e\xa0-\xff]{0,8000}")


class Poster(Protocol):
    """What is needed of ``net.Fetcher``."""

    def post_json(self, url: str, body: object, *, headers: Mapping[str, str] | None = None) -> int:
        """POST; retries by itself. Raises: AnchoreError."""


def fetcher(limits: NetLimits) -> Poster:
    """The real one. It retries what may pass (no connection, 408, 425, 429, 5xx) and follows no redirect."""
    return Fetcher(limits, error=AnchoreError)


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """POSTs to ``settings.webhooks``; the other fields are for tests."""

    name: str = "webhook"
    poster: Callable[[NetLimits], Poster] = fetcher
    clock: Callable[[], float] = time.monotonic
    env: Mapping[str, str] | None = None

    def send(self, events: Sequence[Event], settings: Settings) -> tuple[Problem, ...]:
        """One POST for each event and webhook that wants its kind."""
        problems: list[Problem] = []
        for webhook in settings.webhooks:
            wanted = [event for event in events if event.kind in webhook.events]
            if wanted:
                problems.extend(self._send_all(webhook, wanted, settings))
        return tuple(problems)

    def _send_all(self, webhook: Webhook, events: Sequence[Event], settings: Settings) -> list[Problem]:
        try:
            delivery = _Delivery.prepare(webhook, os.environ if self.env is None else self.env)
        except UsageError as exc:
            return [_problem(webhook, f"{len(events)} events were not sent: {exc.message}", exc.hint)]
        patient = self.poster(NetLimits(read=settings.http_timeout))
        # Where one event was retried in vain the next is tried once: a dead server must not hold a round for hours.
        hasty = self.poster(NetLimits(read=settings.http_timeout, attempts=1))
        problems: list[Problem] = []
        poster, left = patient, PATIENCE
        for event in events:
            if left <= 0:
                hint = "see the problems before this one"
                problems.append(_problem(webhook, f"not sent: {_about(event)}: the server failed for too long", hint))
                continue
            started = self.clock()
            failure = delivery.post(poster, event)
            poster = hasty if failure else patient
            if failure:
                left -= self.clock() - started
                problems.append(failure)
        return problems


def payload(event: Event) -> dict[str, Json]:
    """The event as the JSON document that is sent."""
    document = {
        "schema": SCHEMA,
        "kind": event.kind,
        "image": event.image,
        "created_at": event.created_at,
        "message": event.message,
        "data": dict(event.data),
    }
    return {key: _encodable(value) for key, value in document.items()}


def body_of(document: Json) -> bytes:
    """The bytes ``Fetcher.post_json`` sends for a document: what is signed must be what is sent."""
    import json

    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: str, body: bytes) -> str:
    """The value of ``X-Anchore-Signature-256``."""
    import hmac

    return "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A webhook with its secrets revealed."""

    webhook: Webhook
    url: str
    headers: Mapping[str, str]
    secret: str

    @classmethod
    def prepare(cls, webhook: Webhook, env: Mapping[str, str]) -> _Delivery:
        """Raises: UsageError where a secret is not there or cannot be part of a request."""
        headers = {name: value.reveal(env) for name, value in webhook.headers.items()}
        for name, value in headers.items():
            # The HTTP library would quote the value in its complaint.
            if not _TOKEN.fullmatch(name) or not _FIELD.fullmatch(value):
                raise UsageError(f"header {name!r} cannot be sent", hint="no line breaks, no characters beyond Latin-1")
        try:
            url = checked_url(webhook.url.reveal(env))
        except ValueError as exc:
            raise UsageError(f"its url: {exc}", hint=f"correct {webhook.place}") from None
        return cls(webhook, url, headers, webhook.secret.reveal(env))

    def post(self, poster: Poster, event: Event) -> Problem | None:
        """Send one event; the problem where nobody took it."""
        from hashlib import sha256

        document = payload(event)
        body = body_of(document)
        headers = {
            "X-Anchore-Event": event.kind,
            "X-Anchore-Delivery": sha256(body).hexdigest()[:32],
            **self.headers,
        }
        if self.secret:
            headers[SIGNATURE] = signature(self.secret, body)
        try:
            poster.post_json(self.url, document, headers=headers)
        except AnchoreError as exc:
            # The fetcher names the URL with its path, and that is the password of many a webhook.
            reason = exc.message.partition(": ")[2] or "it could not be sent"
            hint = exc.hint if "://" not in exc.hint else "give the URL it redirects to"
            return _problem(self.webhook, f"not sent: {_about(event)}: {reason}", hint)
        return None


def _problem(webhook: Webhook, message: str, hint: str) -> Problem:
    return Problem("notify", f"webhook {webhook.place}", message, hint, incomplete=False)


def _about(event: Event) -> str:
    return f"{event.kind} of {event.image}"


def _encodable(value: Json) -> Json:
    """The value without what JSON and UTF-8 cannot write: names in images are not always text."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_encodable(str(key)): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value if value is None or isinstance(value, int) or _is_finite(value) else str(value)


def _is_finite(value: object) -> bool:
    return isinstance(value, float) and value - value == 0

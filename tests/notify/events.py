"""Events and settings to tell about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from anchorecli.config import Settings, Webhook
from anchorecli.model import Event


def event(kind: str = "tag_update", image: str = "docker.io/debian:12", **more: Any) -> Event:
    values = {"created_at": "2026-01-31T12:00:00Z", "message": f"{image} is now sha256:aa", "data": {}} | more
    return Event(kind, image, **values)


def settings(*webhooks: Webhook) -> Settings:
    return Settings(store=Path("store.db"), webhooks=webhooks)

"""Tells about changes: every event to every channel, and what could not be told as problems.

A channel is one file here and its name in ``CHANNELS``.
"""

from __future__ import annotations

from collections.abc import Sequence

from anchorecli.config import Settings
from anchorecli.model import Event, Problem
from anchorecli.notify.base import Channel
from anchorecli.notify.line import LineChannel
from anchorecli.notify.webhook import WebhookChannel

CHANNELS: tuple[Channel, ...] = (LineChannel(), WebhookChannel())


def notify(events: Sequence[Event], settings: Settings, channels: Sequence[Channel] = CHANNELS) -> tuple[Problem, ...]:
    """Send the events, in their order, through each channel; whatever one of them does, the others get their turn."""
    problems: list[Problem] = []
    for channel in channels if events else ():
        try:
            problems.extend(channel.send(events, settings))
        except Exception as exc:  # noqa: BLE001 - a channel's fault must not silence the others
            hint = f"some of {len(events)} events may not have been told there"
            problems.append(Problem("notify", channel.name, f"failed: {type(exc).__name__}", hint, incomplete=False))
    return tuple(problems)

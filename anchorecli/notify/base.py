"""The contract of a notification channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from anchorecli.config import Settings
from anchorecli.model import Event, Problem


class Channel(Protocol):
    """One way to tell about events. Implementations are frozen dataclasses named in ``CHANNELS``."""

    @property
    def name(self) -> str:
        """Stable identifier."""

    def send(self, events: Sequence[Event], settings: Settings) -> tuple[Problem, ...]:
        """Tell of the events, in their order; does nothing where the settings name nobody to tell.

        What could not be told is a problem of stage ``notify``; one event's failure never costs another's delivery.
        """

"""Each event as one line of text, on standard output unless told otherwise.

Format: ``2026-01-31T12:00:00Z tag_update docker.io/debian:12 is now sha256:…``. What cannot be seen is escaped as
Python escapes it, and what a CI system would take for a command is broken up: names in it come from images and feeds.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from anchorecli.config import Settings
from anchorecli.model import Event, Problem
from anchorecli.values import dataclass


@dataclass(frozen=True, slots=True)
class LineChannel:
    """Writes a line an event; ``stream`` None is standard output as it is at that moment."""

    name: str = "line"
    stream: TextIO | None = None

    def send(self, events: Sequence[Event], settings: Settings) -> tuple[Problem, ...]:
        """Write and flush, so that a follower sees each event at once."""
        stream = self.stream or sys.stdout
        encoding = stream.encoding or "utf-8"
        try:
            for event in events:
                text = line(event).encode(encoding, "backslashreplace").decode(encoding)
                stream.write(text + "\n")
            stream.flush()
        except (OSError, ValueError) as exc:
            reason = getattr(exc, "strerror", None) or str(exc)
            return (Problem("notify", self.name, f"cannot write: {reason}", "check the output", incomplete=False),)
        return ()


def line(event: Event) -> str:
    """The event in one line, without its end."""
    about = "" if event.image in event.message else f"{event.image}: "
    return visible(f"{event.created_at} {event.kind} {about}{event.message}")


def visible(text: str) -> str:
    """The text on one line: runs of white space one blank, control and direction characters escaped."""
    text = " ".join(text.split())
    if not text.isprintable():
        text = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    return text.replace("::", ": :").replace("##[", "# #[")

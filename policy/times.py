"""RFC 3339 times as they stand in bundles, feeds and evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def utc(text: str) -> datetime | None:
    """A time as an aware datetime, None where the text is none; a bare date means its first moment in UTC."""
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def days_between(earlier: str, later: str) -> float | None:
    """Days from one time to another, negative if they are the other way round; None where either is no time."""
    first, second = utc(earlier), utc(later)
    return (second - first).total_seconds() / 86_400 if first and second else None

"""The emulator's clock: real time, moved by hand where a test wants tomorrow."""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the time. It runs with the machine's clock, or stands still at `at`; `advance` moves it either way.

    Everything the emulator dates or lets expire asks this clock: objects, uploads, tokens, signatures.
    """

    def __init__(self, at: datetime | None = None) -> None:
        if at is not None and at.tzinfo is None:
            raise ValueError(f"{at.isoformat()} has no time zone")
        self._at = at
        self._offset = 0.0

    def now(self) -> datetime:
        """The time in UTC, in whole milliseconds (the finest the service tells)."""
        moment = self._at.astimezone(UTC) if self._at is not None else datetime.fromtimestamp(time.time(), UTC)
        moment += timedelta(seconds=self._offset)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def timestamp(self) -> float:
        """The time in seconds since 1970."""
        return (self._at.timestamp() if self._at is not None else time.time()) + self._offset

    def advance(self, by: float | timedelta = 0, *, days: float = 0, hours: float = 0) -> None:
        """Move the clock, by seconds or a timedelta, days and hours; backwards if negative."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        self._offset += seconds + timedelta(days=days, hours=hours).total_seconds()

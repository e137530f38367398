"""The emulator's clock, which tests can move forward and back."""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """The time of an emulator: that of the machine, or the fixed time `at`.

    `advance` moves it.

    The emulator uses this clock for every date and every expiry: objects, uploads, tokens and signatures.

    Args:
        at: A fixed time with a time zone; None follows the clock of the machine.

    Raises:
        ValueError: `at` has no time zone.
    """

    def __init__(self, at: datetime | None = None) -> None:
        if at is not None and at.tzinfo is None:
            raise ValueError(f"{at.isoformat()} has no time zone")
        self._at = at
        self._offset = 0.0

    def now(self) -> datetime:
        """Return the time in UTC, in whole milliseconds (the precision of the service)."""
        time_now = self._at.astimezone(UTC) if self._at is not None else datetime.fromtimestamp(time.time(), UTC)
        time_now += timedelta(seconds=self._offset)
        return time_now.replace(microsecond=time_now.microsecond // 1000 * 1000)

    def timestamp(self) -> float:
        """Return the time in seconds since 1970."""
        return (self._at.timestamp() if self._at is not None else time.time()) + self._offset

    def advance(self, by: float | timedelta = 0, *, days: float = 0, hours: float = 0) -> None:
        """Move the clock by the sum of the arguments; backwards if negative.

        Args:
            by: Seconds, or a timedelta.
            days: Days.
            hours: Hours.
        """
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        self._offset += seconds + timedelta(days=days, hours=hours).total_seconds()

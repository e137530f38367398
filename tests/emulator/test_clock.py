"""The clock of the emulator."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from aiocos.emulator import Clock


def test_the_clock_advances_by_days_and_hours() -> None:
    clock = Clock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(days=100)
    assert clock.now().date() == date(2026, 4, 11)
    clock.advance(60, hours=-1)
    clock.advance(timedelta(minutes=59))
    assert abs(clock.now() - datetime(2026, 4, 11, tzinfo=UTC)) < timedelta(seconds=1)

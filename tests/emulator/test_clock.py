"""The clock of the emulator."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from aiocos.emulator import Clock


def test_the_clock_advances_by_days_and_hours() -> None:
    clock = Clock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(days=100)
    assert clock.now().date() == date(2026, 4, 11)
    clock.advance(60, hours=-1)
    clock.advance(timedelta(minutes=59))
    assert abs(clock.now() - datetime(2026, 4, 11, tzinfo=UTC)) < timedelta(seconds=1)


def test_a_fixed_clock_moves_only_by_advance() -> None:
    at = datetime(2030, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    clock = Clock(at)
    assert clock.now() == at
    assert clock.now().tzinfo is UTC
    clock.advance(-60)
    assert clock.timestamp() == at.timestamp() - 60


def test_the_time_is_in_whole_milliseconds() -> None:
    clock = Clock(datetime(2030, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC))
    assert clock.now().microsecond == 123_000


def test_a_time_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Clock(datetime(2030, 3, 1))

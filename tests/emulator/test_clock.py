"""The clock of the emulator."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from aiocos.emulator.clock import Clock

MOMENT = datetime(2026, 3, 1, 12, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=2)))


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        Clock(MOMENT.replace(tzinfo=None))


def test_a_clock_with_a_time_stands_still_in_utc_and_whole_milliseconds():
    clock = Clock(MOMENT)
    assert clock.now() == clock.now() == datetime(2026, 3, 1, 10, 0, 0, 123_000, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
    assert clock.timestamp() == MOMENT.timestamp()


def test_it_is_moved_by_seconds_days_and_hours_in_both_directions():
    clock = Clock(MOMENT)
    clock.advance(60, days=1, hours=2)
    clock.advance(timedelta(minutes=-1))
    assert clock.timestamp() - MOMENT.timestamp() == 26 * 3600
    clock.advance(days=-2)
    assert clock.now().day == 28


def test_a_clock_without_a_time_runs_with_the_machine():
    before = datetime.now(UTC)
    clock = Clock()
    clock.advance(hours=1)
    assert timedelta(minutes=59) < clock.now() - before < timedelta(minutes=61)

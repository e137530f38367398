"""Tests of `aiocos.wire.times`: all forms that are read, and the one that is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from aiocos.wire.times import Timestamp, parse_time, write_time

MOMENT: TypeAdapter[datetime] = TypeAdapter(Timestamp)
NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("zone", ["GMT", "+0000"])
def test_every_month_is_read(month: int, zone: str) -> None:
    assert parse_time(f"Fri, 20 {NAMES[month - 1]} 2026 10:11:12 {zone}") == datetime(2026, month, 20, 10, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize("month", range(1, 13))
def test_usual_dates_are_read_by_the_fast_parser(month: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiocos.wire.times.parsedate_to_datetime", lambda text: pytest.fail(text))
    made = parse_time(f"Fri, 20 {NAMES[month - 1]} 2026 10:11:12 GMT")
    assert made == datetime(2026, month, 20, 10, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Fri, 2 Jan 2026 03:04:05 GMT", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("Friday, 02-Jan-26 03:04:05 GMT", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("Fri, 02 jan 2026 03:04:05 GMT", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("Fri, 02 Jan 2026 05:04:05 +0200", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("20260102T030405Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_other_forms_of_times_are_read(text: str, moment: datetime) -> None:
    assert parse_time(text) == moment


@pytest.mark.parametrize("value", ["", None, 5, "2026-01-02T03:04:05Z", MOMENT])
def test_iso_times_and_other_types_pass_through(value: Any) -> None:
    assert parse_time(value) is value


@pytest.mark.parametrize("text", ["Fri, 31 Feb 2026 10:00:00 GMT", "Fri, 20 Nov 2026 25:00:00 GMT", "x", "2026", "20260102"])
def test_malformed_times_are_refused(text: str) -> None:
    with pytest.raises((ValueError, ValidationError)):
        MOMENT.validate_python(text)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (datetime(2026, 1, 2, 3, 4, 5), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_utc_times_have_the_standard_zone(value: Any, moment: datetime) -> None:
    made = MOMENT.validate_python(value)
    assert made == moment
    assert made.tzinfo is UTC


def test_other_zones_are_kept() -> None:
    made = MOMENT.validate_python("2026-01-02T03:04:05+02:00")
    assert made.utcoffset() == timedelta(hours=2)
    assert made == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC), "2026-01-02T03:04:05.678Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T01:04:05Z"),
    ],
)
def test_write_time(value: datetime, text: str) -> None:
    assert write_time(value) == text

"""Times as botocore takes them, held against botocore's own reader."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibm_botocore.utils import parse_to_aware_datetime

from aiocos.ibm_boto3.timestamps import parse_timestamp

FORMS = [
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dt%H:%M:%Sz",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H",
    "%Y-%m-%dT%H%M%S",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%dT%H:%M:%S.%f000Z",
    "%Y-%m-%d %H:%M:%S,%f",
    "%Y-%m-%dT%H:%M:%S.%f+02:00",
    "%Y-%m-%dT%H:%M:%S-0530",
    "%Y-%m-%dT%H:%M:%S+02",
    "%Y-%m-%d %H:%M:%S GMT",
    "%Y-%m-%d %H:%M:%S UTC",
    "%Y-%m-%d %H:%M:%S GMT+3",
    "%Y%m%dT%H%M%SZ",
    "%Y%m%dT%H%M",
    "%Y%m%d %H%M%S",
    "%Y%m%d%H%M%S",
    "%Y%m%d",
    "%Y",
    "%s",
    "%s.5",
    "%s000",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y.%m.%d",
    "%m/%d/%Y",
    "%m/%d/%y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%m-%d-%Y",
    "%d-%b-%Y",
    "%Y-%b-%d",
    "%d %B %Y",
    "%B %d, %Y",
    "%dth of %B %Y at %H:%M",
    "%b %d %Y %I:%M %p",
    "%Y-%m-%d %I %p",
    "%H:%M %d %b %Y",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%a, %d %b %Y %H:%M:%S +0200",
    "%a, %d %b %Y %H:%M:%S -0000",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S UTC %Y",
    "%a %b %d %H:%M:%S EST %Y",
    "%b %Y",
    "%Y-%m",
    "%b %d",
    "%d %b",
    "%Y %b",
    "%Y %d %b",
    "%d %Y %b",
    "%b %Y %d",
    "%B",
    "%d",
    "%H:%M",
    "%I%p",
    "%I:%M:%S %p",
    "%A",
]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dateutil warns of zones that it does not know
        yield


def _read(read: Any, value: Any) -> datetime | str:
    try:
        return read(value).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError, AttributeError, RuntimeError):
        return "none"


@given(
    st.sampled_from(FORMS),
    st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30)) | st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)),
)
def test_random_text_is_read_like_botocore_does(form: str, moment: datetime) -> None:
    if "%s" in form or "%y" in form:
        moment = moment.replace(year=1971 + moment.year % 100)
    text = moment.strftime(form)
    assert _read(parse_timestamp, text) == _read(parse_to_aware_datetime, text), text


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_like_botocore_does(form: str) -> None:
    for moment in (
        datetime(2020, 1, 1),
        datetime(2020, 2, 29, 12, 0, 0, 1),
        datetime(1999, 12, 31, 23, 59, 59, 999_999),
        datetime(2024, 10, 5, 1, 2, 3, 40_500),
        datetime(2031, 6, 12, 13, 30, 7, 120_000),
        datetime(2070, 3, 13, 11, 11, 11, 5),
    ):
        text = moment.strftime(form)
        assert _read(parse_timestamp, text) == _read(parse_to_aware_datetime, text), text


@pytest.mark.parametrize(
    "form", ["{}/{}/{}", "Jan {0} {1}", "{0} Jan {2}", "{0} {1} Jan", "10:00:00.{}{}{}", "{:02}-Jan-{:02} {:02}:00", "{} {} {}"]
)
def test_few_digits_are_read_like_botocore_does(form: str) -> None:
    """The numbers from 0 to 99 in every place: days, months, years of two digits, fractions."""
    for n in range(100):
        for numbers in ((n, 1, 2), (1, n, 2), (1, 2, n), (n, n, n)):
            text = form.format(*numbers)
            assert _read(parse_timestamp, text) == _read(parse_to_aware_datetime, text), text


@given(
    st.integers() | st.floats() | st.booleans() | st.decimals(allow_nan=False, places=2, min_value=-(10**9), max_value=10**9)
)
def test_numbers_are_seconds(value: Any) -> None:
    assert _read(parse_timestamp, value) == _read(parse_to_aware_datetime, value)
    assert _read(parse_timestamp, str(value)) == _read(parse_to_aware_datetime, str(value))


@given(st.text(st.sampled_from("0123456789-:/., TZampJan+"), max_size=14))
def test_no_text_raises_another_error(text: str) -> None:
    _read(parse_timestamp, text)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "  ",
        "now",
        "T",
        "-",
        "some day",
        "nan",
        "inf",
        "-5",
        " 12 ",
        "1_000",
        "1e9",
        "0x10",
        "9" * 13,
        "9" * 20,
        "12345678901234",
        "2020-13-01",
        "2020-02-30",
        "Feb 30 2020",
        "2020-01-01 foo",
        "2020-01-01T10:00:00Zfoo",
        "2020-01-01T24:00:00",
        "2020-01-01T10:00:60",
        "2020-01-01T10:00:00+25:00",
        "25:00",
        "10:99",
        "a:b",
        "5 5 5 5",
        "jan feb",
        "1/2",
        "13/2",
        "1999-003",
        "Sept 5 2020",
        "may",
        "Sep 25 '03",
        "Thu Sep 25 10:36:28 BRST 2003",
        "2020-1-1",
        "2020-01-01  10:00  ",
        "10 am",
        "13 pm",
        b"2020-01-01",
        b"12",
        None,
        [],
        {},
        date(2020, 1, 1),
        datetime(2020, 1, 1),
        datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=3))),
        Decimal("1.5"),
        True,
    ],
    ids=repr,
)
def test_unusual_forms_are_read_like_botocore_does(value: Any) -> None:
    assert _read(parse_timestamp, value) == _read(parse_to_aware_datetime, value)


def test_digits_are_seconds_not_a_date() -> None:
    assert parse_timestamp("1577836800") == datetime(2020, 1, 1, tzinfo=UTC)
    assert parse_timestamp("20200101") == datetime(1970, 8, 22, 19, 8, 21, tzinfo=UTC)
    assert parse_timestamp("20200101000000") == datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_a_time_without_a_zone_is_utc_on_every_machine(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        named = f"10:00 {time.tzname[0]}"
        for value in ("2020-01-01", "2020-01-01T10:00:00", datetime(2020, 1, 1), "Wed Jan 1 10:00:00 2020", named, "10:00 XYZ"):
            assert _read(parse_timestamp, value) == _read(parse_to_aware_datetime, value)
        assert parse_timestamp("2020-01-01") == parse_timestamp(datetime(2020, 1, 1)) == datetime(2020, 1, 1, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert os.environ.get("TZ") != zone

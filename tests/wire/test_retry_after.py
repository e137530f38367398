"""Tests of `aiocos.wire.retry_after`: every form of `Retry-After`, and HTTP dates."""

from __future__ import annotations

import math

import pytest

from aiocos.wire.retry_after import http_date, retry_after

DATE = "Fri, 20 Nov 2026 10:00:00 GMT"
LATER = "Fri, 20 Nov 2026 10:01:40 GMT"
SECONDS = 1_795_168_800.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (DATE, SECONDS), ("Fri, 20 Nov 2026 12:00:00 +0200", SECONDS),
        ("Fri, 20 Nov 2026 10:00:00 -0000", None), ("", None), (None, None), ("x", None),
    ],
)  # fmt: skip
def test_http_date(text: str | None, seconds: float | None) -> None:
    assert http_date(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0), ("5", 5), (" 5 ", 5), ("+5", 5), ("1.5", 1.5), ("5.", 5), ("1e3", 1000), ("1E+2", 100), ("5e-1", 0.5),
        ("9" * 400, math.inf), ("inf", math.inf), ("Infinity", math.inf), ("+inf", math.inf), ("-1", None), ("", None),
        (" ", None), ("nan", None), ("1_0", None), ("\u0663", None), ("x", None), (".5", None), ("1e", None),
        ("infinite", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["Retry-After", "retry-after"])
def test_retry_after_in_seconds(name: str, text: str, seconds: float | None) -> None:
    assert retry_after({name: text}) == seconds


@pytest.mark.parametrize("name", ["Date", "date"])
def test_a_date_counts_from_the_date_of_the_response(name: str) -> None:
    assert retry_after({"Retry-After": LATER, name: DATE}) == 100
    assert retry_after({"Retry-After": LATER, name: DATE}, now=SECONDS + 50) == 100
    assert retry_after({"Retry-After": DATE, name: LATER}) == 0
    assert retry_after({"Retry-After": DATE, name: DATE}) == 0


def test_a_date_counts_from_now_without_a_date_header() -> None:
    assert retry_after({"Retry-After": LATER}, now=SECONDS + 30) == 70
    assert retry_after({"Retry-After": LATER, "Date": "x"}, now=SECONDS + 30) == 70
    assert retry_after({"Retry-After": DATE}, now=SECONDS + 30) == 0
    assert retry_after({"Retry-After": LATER}) is None
    assert retry_after({}) is None

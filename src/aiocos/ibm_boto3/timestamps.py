"""Parsing of times in the forms that botocore accepts.

These are datetimes, seconds since 1970 as numbers or digits, and text in the usual written forms.

botocore passes text to `dateutil`, which is not a dependency here. This module follows its rules for the forms that people and
programs write; the tests compare both. A time without a zone is UTC, as in botocore. What the text leaves out (a day without a
year) is taken from today's date.
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any

_MONTH_NAMES = "january february march april may june july august september october november december"
_DAY_NAMES = "monday tuesday wednesday thursday friday saturday sunday"


def _by_name(names: str, first: int) -> dict[str, int]:
    """Return the number of each name, by the name and by its first three letters.

    The names of `calendar` are not used, because they are in the language of the locale.
    """
    return {form: n for n, name in enumerate(names.split(), first) for form in (name, name[:3])}


_MONTHS = _by_name(_MONTH_NAMES, 1) | {"sept": 9}
_DAYS = _by_name(_DAY_NAMES, 0)
_FILLERS = {"at", "on", "and", "ad", "m", "t", "of", "st", "nd", "rd", "th"}
_ISO = re.compile(
    r"(\d{4})(?P<dash>-?)(\d\d)(?P=dash)(\d\d)"
    r"(?:(?:\s*[Tt]\s*(?=\d\d)|\s+(?=\d\d:?\d\d)|(?=\d{4}))(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?)?(?!\d)(.*)",
    re.S,
)
_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d+))?)?(?!\d)\s*([ap]\.?m?\b\.?)?", re.I)
_HOUR = re.compile(r"(?<!\d)(\d{1,2})\s*([ap]\.?m\b\.?)", re.I)
_OFFSET = re.compile(r"\s*([+-])(\d\d):?(\d\d)(?!\d)|\s*([+-])(\d{1,2})(?![\d])")
_ZONE = re.compile(r"\s*([A-Za-z]{1,5})\b\.?")
_PIECE = re.compile(r"\d+|[^\W\d_]+|[\s.,;:/'-]+|.", re.S)


def parse_timestamp(value: Any) -> datetime:
    """Return a datetime with a zone.

    Args:
        value: A datetime (UTC if it has no zone), seconds since 1970 as a number or as digits, or text such as
            `2030-01-31T12:00:00Z` or `31 Jan 2030 12:00 GMT`.

    Raises:
        ValueError, TypeError, OverflowError, OSError: The value is not a time.
    """
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, bytes | bytearray):
        value = value.decode()
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except ValueError:
        # Not a number, or one beyond the year 9999.
        if not isinstance(value, str):
            raise
    return _read_text(value)


def _read_text(text: str) -> datetime:
    text = text.strip()
    found = _ISO.fullmatch(text)
    if found is not None and (found[5] or not found["dash"]):
        year, _, month, day, hour, minute, second, fraction, rest = found.groups()
        clock = (int(hour or 0), int(minute or 0), int(second or 0), _microseconds(fraction))
        zone, rest = _zone(rest) if hour else (None, rest)
        _require_end(rest)
        return datetime(int(year), int(month), int(day), *clock, tzinfo=zone or UTC)
    clock, zone, text = _clock(text)
    parts = list(_date_parts(text))
    weekday = next((n for word in re.findall(r"[^\W\d_]+", text) if (n := _DAYS.get(word.lower())) is not None), None)
    if clock is None and not parts and weekday is None:
        raise ValueError(f"{text!r} is not a time")
    date = _date(parts, weekday)
    return datetime(date.year, date.month, date.day, *(clock or (0, 0, 0, 0)), tzinfo=zone or UTC)


# ---------------------------------------------------------------------------------------------------------------------
# The time of day and its zone


def _clock(text: str) -> tuple[tuple[int, int, int, int] | None, tzinfo | None, str]:
    """Return the time of day in a text, its zone, and the rest of the text."""
    if (found := _CLOCK.search(text)) is not None:
        hour, minute, second, fraction, half = found.groups()
        clock = (_hour(int(hour), half), int(minute), int(second or 0), _microseconds(fraction))
    elif (found := _HOUR.search(text)) is not None:
        clock = (_hour(int(found[1]), found[2]), 0, 0, 0)
    else:
        return None, None, text
    zone, rest = _zone(text[found.end() :])
    return clock, zone, f"{text[: found.start()]} {rest}"


def _hour(hour: int, half: str | None) -> int:
    if half is None or not 1 <= hour <= 12:
        return hour
    return hour % 12 + (12 if half[0] in "pP" else 0)


def _microseconds(fraction: str | None) -> int:
    return int(fraction[:6].ljust(6, "0")) if fraction else 0


def _zone(rest: str) -> tuple[tzinfo | None, str]:
    """Return the zone after a time of day, and the rest of the text.

    The zone is an offset, `Z` or a name. An unknown name is ignored.
    """
    name = None
    zone: tzinfo | None = None
    if (found := _ZONE.match(rest)) and (found[1].isupper() or found[1] == "z") and found[1].lower() not in {*_DAYS, *_MONTHS}:
        name, rest = found[1], rest[found.end() :]
        if name in ("Z", "z", "UTC", "GMT"):
            zone = UTC
        elif name in time.tzname:
            zone = datetime.now().astimezone().tzinfo
    if (found := _OFFSET.match(rest)) is not None:
        sign = -1 if (found[1] or found[4]) == "-" else 1
        offset = timedelta(hours=int(found[2] or found[5]), minutes=int(found[3] or 0))
        # In "GMT+3" the offset is what has to be added to get GMT, so its sign is reversed.
        zone = timezone(sign * (-1 if name in ("UTC", "GMT") else 1) * offset)
        rest = re.sub(r"^\s*\([A-Za-z]{1,5}\)", "", rest[found.end() :])
    return zone, rest


def _require_end(rest: str) -> None:
    if list(_date_parts(rest)):
        raise ValueError(f"unexpected text after the time: {rest!r}")


# ---------------------------------------------------------------------------------------------------------------------
# The date


def _date_parts(text: str) -> Iterator[tuple[int, bool, bool]]:
    """Yield the numbers of a date, each with two flags.

    The first flag is True for the name of a month, the second for a number that can only be a year.
    """
    for piece in _PIECE.findall(text):
        lower = piece.lower()
        if piece.isascii() and piece.isdigit():
            if len(piece) > 4:
                raise ValueError(f"{piece} is not part of a date")
            yield int(piece), False, len(piece) > 2
        elif lower in _MONTHS:
            yield _MONTHS[lower], True, False
        elif lower not in _DAYS and lower not in _FILLERS and not re.fullmatch(r"[\s.,;:/'-]+", piece):
            raise ValueError(f"{piece!r} is not part of a time")


def _units(parts: list[tuple[int, bool, bool]]) -> list[str]:
    """Return the unit of each number: year, month or day.

    The units follow from the order in which dates are usually written.
    """
    values = [value for value, _, _ in parts]
    month_at = next((n for n, (_, is_month, _) in enumerate(parts) if is_month), None)

    def year(n: int) -> bool:
        return values[n] > 31 or parts[n][2]

    if len(parts) > 3 or sum(is_month for _, is_month, _ in parts) > 1 or sum(is_year for _, _, is_year in parts) > 1:
        raise ValueError("too many numbers for a date")
    if len(parts) < 2:
        return ["month" if month_at == 0 else "year" if year(0) else "day"] if parts else []
    if len(parts) == 2:
        if month_at is not None:
            other = "year" if year(1 - month_at) else "day"
            return ["month", other] if month_at == 0 else [other, "month"]
        return ["year", "month"] if year(0) else ["month", "year"] if year(1) else ["month", "day"]
    if month_at == 0:
        return ["month", "year", "day"] if year(1) else ["month", "day", "year"]
    if month_at == 1:
        return ["year", "month", "day"] if year(0) else ["day", "month", "year"]
    if month_at == 2:
        return ["day", "year", "month"] if year(1) else ["year", "day", "month"]
    if year(0):
        return ["year", "month", "day"]
    return ["day", "month", "year"] if values[0] > 12 else ["month", "day", "year"]


def _date(parts: list[tuple[int, bool, bool]], weekday: int | None) -> date:
    """Return the date that the parts describe.

    Year, month and day that are not among the parts are today's. If the day is not among them and a weekday is given, the date
    moves forward to that weekday.
    """
    today = date.today()
    units = _units(parts)
    found = {"year": today.year, "month": today.month, "day": today.day}
    for unit, (value, _, is_year) in zip(units, parts, strict=True):
        found[unit] = _century(value, today.year) if unit == "year" and not is_year else value
    if "day" in units:
        return date(**found)
    found["day"] = min(found["day"], calendar.monthrange(found["year"], found["month"])[1])
    day = date(**found)
    return day if weekday is None else day + timedelta(days=(weekday - day.weekday()) % 7)


def _century(year: int, now: int) -> int:
    """Return the year of two digits: the one within fifty years of now."""
    if year > 99:
        return year
    year += now // 100 * 100
    return year - 100 if year >= now + 50 else year + 100 if year < now - 50 else year

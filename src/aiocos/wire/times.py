"""Times in documents: all forms of the service are read, one is written."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator


def parse_time(value: object) -> object:
    """Convert a time of the service to a form that pydantic reads.

    The forms are ISO 8601 (left to pydantic), compact ISO 8601 (`20260101T000000Z`) and RFC 1123. Empty text and
    values that are not text are returned as they are.
    """
    if not isinstance(value, str) or not value:
        return value
    if not value[0].isdigit():
        return _read_rfc1123(value)
    if "-" not in value:
        return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return value


_MONTHS = {
    "Jan": "01", "Feb": "02", "Mar": "03", "Apr": "04", "May": "05", "Jun": "06",
    "Jul": "07", "Aug": "08", "Sep": "09", "Oct": "10", "Nov": "11", "Dec": "12",
}  # fmt: skip


def _read_rfc1123(value: str) -> datetime:
    # Servers write `Fri, 20 Nov 2026 10:00:00 GMT`; the parser of all forms takes several times as long.
    if len(value) == 29 and value.endswith(" GMT"):
        try:
            return datetime.fromisoformat(f"{value[12:16]}-{_MONTHS[value[8:11]]}-{value[5:7]}T{value[17:25]}+00:00")
        except (KeyError, ValueError):
            pass
    return parsedate_to_datetime(value)


def write_time(value: datetime) -> str:
    """Return a time as ISO 8601 in UTC, with milliseconds only if they are not zero."""
    utc = value.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds") + "Z"


def _zoned(value: datetime) -> datetime:
    # `-0000` and a missing zone mean UTC: a naive time could not be compared with others. UTC in pydantic's own type of zone is
    # replaced by the equal `datetime.UTC`, which all other readers of times return.
    return value if value.tzinfo is UTC else value.replace(tzinfo=UTC) if not value.utcoffset() else value


Timestamp = Annotated[datetime, BeforeValidator(parse_time), AfterValidator(_zoned)]
"""A time with a time zone, in any form that the service writes."""

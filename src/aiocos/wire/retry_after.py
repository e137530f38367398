"""Parsing of `Retry-After` headers and HTTP dates, for the whole package."""

import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

# HTTP allows only whole seconds. Some gateways write fractions; faulty programs write exponents and infinities.
_SECONDS = re.compile(r"\+?(?:[0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]{1,9})?|inf(?:inity)?)", re.ASCII | re.IGNORECASE)


def http_date(text: str | None) -> float | None:
    """Return an HTTP date as seconds since 1970; None if it is missing or malformed."""
    if not text:
        return None
    try:
        time = parsedate_to_datetime(text)
        # A date without a zone would count as local time.
        return time.timestamp() if time.tzinfo else None
    except (ValueError, TypeError, OverflowError):
        return None


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Return the seconds that a `Retry-After` header requests to wait, or None.

    The result is never negative and never NaN. It is infinite if the header says so or overflows. None means: ignore the
    header, because it is missing, empty, negative, neither a number nor a date, or a date with nothing to count from.

    Args:
        headers: Headers of the response. A date counts from the `Date` among them.
        now: Seconds since 1970, from which a date counts if the response has no `Date`.
    """
    text = (headers.get("Retry-After") or headers.get("retry-after") or "").strip()
    if not text:
        return None
    if _SECONDS.fullmatch(text):
        # A number of thousands of digits is infinite, not an error.
        seconds = float(text)
        return None if math.isnan(seconds) else seconds
    until = http_date(text)
    if until is None:
        return None
    start = http_date(headers.get("Date") or headers.get("date"))
    if start is None:
        start = now
    return None if start is None else max(0.0, until - start)

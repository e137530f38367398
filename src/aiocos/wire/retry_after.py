"""`Retry-After` and HTTP dates: the one place that reads them."""

import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

# HTTP has whole seconds only; some gateways write fractions, and programs in trouble write an exponent or an infinity.
_SECONDS = re.compile(r"\+?(?:[0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]{1,9})?|inf(?:inity)?)", re.ASCII | re.IGNORECASE)


def http_date(text: str | None) -> float | None:
    """Read an HTTP date as seconds since 1970; None if there is none or it is no date."""
    if not text:
        return None
    try:
        made = parsedate_to_datetime(text)
        # Without a zone it would be taken for local time.
        return made.timestamp() if made.tzinfo else None
    except (ValueError, TypeError, OverflowError):
        return None


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Return the seconds that a `Retry-After` header asks to wait, or None.

    The result is never negative and never NaN; it is infinite where the header says so or overflows. A date counts from the
    response's own `Date`, else from `now` (seconds since 1970). None means that the header is missing, empty, negative, or
    neither a number nor a date, or a date with nothing to count from: the caller then waits as it would have without it.
    """
    text = (headers.get("Retry-After") or headers.get("retry-after") or "").strip()
    if not text:
        return None
    if _SECONDS.fullmatch(text):
        # A number of thousands of digits is infinite here, not an error.
        seconds = float(text)
        return None if math.isnan(seconds) else seconds
    until = http_date(text)
    if until is None:
        return None
    begins = http_date(headers.get("Date") or headers.get("date"))
    if begins is None:
        begins = now
    return None if begins is None else max(0.0, until - begins)

"""CORS: find the rule that allows a cross-origin request.

The rule determines the headers of the response.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from aiocos.emulator.store import BucketRow
from aiocos.operations.cors import CorsConfiguration, CorsRule

VARY = "Origin, Access-Control-Request-Headers, Access-Control-Allow-Methods"


@lru_cache(256)
def _parsed(xml: str) -> tuple[CorsRule, ...]:
    return tuple(CorsConfiguration.from_xml(xml.encode()).rules)


@lru_cache(256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CorsRequest:
    """A cross-origin request: its origin and method.

    For a preflight, also the headers that will be sent.
    """

    origin: str
    """Value of the Origin header."""
    method: str
    """Method of the request, or the one that a preflight request announces."""
    headers: Sequence[str] = ()
    """Names of the headers that a preflight request announces."""

    @classmethod
    def preflight(cls, headers: Mapping[str, str]) -> "CorsRequest | None":
        """Parse the headers of an OPTIONS request.

        Returns None if it is not a preflight request.
        """
        origin, method = headers.get("Origin"), headers.get("Access-Control-Request-Method")
        if not origin or not method:
            return None
        request = headers.get("Access-Control-Request-Headers", "")
        return cls(origin, method, tuple(name.strip() for name in request.split(",") if name.strip()))


def rule_for(bucket: BucketRow, request: CorsRequest) -> CorsRule | None:
    """Return the first rule that allows a request; None if there is none."""
    xml = bucket.settings.get("cors")
    for rule in () if xml is None else _parsed(xml):
        if (
            request.method in rule.allowed_methods
            and any(_pattern(origin).fullmatch(request.origin) for origin in rule.allowed_origins)
            and all(any(_pattern(h).fullmatch(name) for h in rule.allowed_headers) for name in request.headers)
        ):
            return rule
    return None


def headers_for(rule: CorsRule, request: CorsRequest) -> dict[str, str]:
    """Return the CORS response headers for a rule."""
    anybody = "*" in rule.allowed_origins
    headers = {
        "Access-Control-Allow-Origin": "*" if anybody else request.origin,
        "Access-Control-Allow-Methods": ", ".join(rule.allowed_methods),
        "Vary": VARY,
    }
    if not anybody:
        # Browsers reject credentials together with the origin `*`.
        headers["Access-Control-Allow-Credentials"] = "true"
    if request.headers:
        headers["Access-Control-Allow-Headers"] = ", ".join(request.headers)
    if rule.expose_headers:
        headers["Access-Control-Expose-Headers"] = ", ".join(rule.expose_headers)
    if rule.max_age_seconds is not None:
        headers["Access-Control-Max-Age"] = str(rule.max_age_seconds)
    return headers

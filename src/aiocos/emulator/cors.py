"""Requests from scripts of other sites: which of a bucket's rules lets one through, and the headers that tell
the browser so.
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
    """What a browser says of a script's request: its origin and method, and in a preflight the headers it will have."""

    origin: str
    method: str
    headers: Sequence[str] = ()

    @classmethod
    def preflight(cls, headers: Mapping[str, str]) -> "CorsRequest | None":
        """Read the headers of an OPTIONS request; None where it is no preflight."""
        origin, method = headers.get("Origin"), headers.get("Access-Control-Request-Method")
        if not origin or not method:
            return None
        asked = headers.get("Access-Control-Request-Headers", "")
        return cls(origin, method, tuple(name.strip() for name in asked.split(",") if name.strip()))


def rule_for(bucket: BucketRow, asked: CorsRequest) -> CorsRule | None:
    """The first rule that lets a request through."""
    xml = bucket.settings.get("cors")
    for rule in () if xml is None else _parsed(xml):
        if (
            asked.method in rule.allowed_methods
            and any(_pattern(origin).fullmatch(asked.origin) for origin in rule.allowed_origins)
            and all(any(_pattern(h).fullmatch(name) for h in rule.allowed_headers) for name in asked.headers)
        ):
            return rule
    return None


def headers_for(rule: CorsRule, asked: CorsRequest) -> dict[str, str]:
    """The headers that tell a browser what a rule allows."""
    anybody = "*" in rule.allowed_origins
    headers = {
        "Access-Control-Allow-Origin": "*" if anybody else asked.origin,
        "Access-Control-Allow-Methods": ", ".join(rule.allowed_methods),
        "Vary": VARY,
    }
    if not anybody:
        # Browsers take no credentials from an answer to everybody.
        headers["Access-Control-Allow-Credentials"] = "true"
    if asked.headers:
        headers["Access-Control-Allow-Headers"] = ", ".join(asked.headers)
    if rule.expose_headers:
        headers["Access-Control-Expose-Headers"] = ", ".join(rule.expose_headers)
    if rule.max_age_seconds is not None:
        headers["Access-Control-Max-Age"] = str(rule.max_age_seconds)
    return headers

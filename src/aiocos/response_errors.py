"""Build the exception for a response that is not 2xx."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

from aiocos.errors import CosError
from aiocos.wire.failure import read_error
from aiocos.wire.message import PreparedRequest, Response
from aiocos.wire.redaction import redacted
from aiocos.wire.spec import Operation


def resource_of(operation: Operation[Any]) -> str:
    """`bucket/key`, as messages name it."""
    bucket, key = getattr(operation, "bucket", None), getattr(operation, "key", None)
    return "/".join(part for part in (bucket, key) if part)


def _place_of(location: str) -> str:
    """The host that a redirect points to, without a password."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "elsewhere"
    return parts.netloc.rpartition("@")[2] or location


def refusal(response: Response, operation: Operation[Any], outgoing: PreparedRequest, secrets: set[str]) -> CosError:
    """Build the exception for a response that is not 2xx."""

    def redact(text: str) -> str:
        return redacted(text, secrets)

    error = read_error(response, operation.spec.name, resource_of(operation), redact=redact, now=time.time())
    location = response.headers.get("Location")
    if 300 <= response.status < 400 and response.status != 304 and location:
        # Neither a token nor a body goes where an answer points: a hostile redirect would collect both.
        error.message = (
            f"{outgoing.origin} points to {redact(_place_of(location))}: credentials do not follow a redirect, "
            "make a client for that endpoint"
        )
        error.args = (error.message,)
    return error

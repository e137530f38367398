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
    """Return `bucket/key` of an operation for messages; either part may be missing."""
    bucket, key = getattr(operation, "bucket", None), getattr(operation, "key", None)
    return "/".join(part for part in (bucket, key) if part)


def error_for(response: Response, operation: Operation[Any], request: PreparedRequest, secrets: set[str]) -> CosError:
    """Build the exception for a response that is not 2xx.

    `secrets` are replaced wherever the response repeats them.
    """

    def redact(text: str) -> str:
        return redacted(text, secrets)

    error = read_error(response, operation.spec.name, resource_of(operation), redact=redact, now=time.time())
    location = response.headers.get("Location")
    if 300 <= response.status < 400 and response.status != 304 and location:
        # Redirects are not followed: a hostile one would collect the token and the body.
        error.message = (
            f"{request.origin} points to {redact(_redirect_host(location))}: credentials do not follow a redirect, "
            "make a client for that endpoint"
        )
        error.args = (error.message,)
    return error


def _redirect_host(location: str) -> str:
    """Return the host of a `Location` header without user and password."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "elsewhere"
    return parts.netloc.rpartition("@")[2] or location

"""AWS Signature Version 4 in the form that COS accepts, as pure functions.

A signature covers the method, the path and query of the request line, some headers, and a digest of the body. All headers are
signed except those that proxies and the HTTP library may change. The path is signed as it is sent: most AWS services encode
it once more and normalize `//` and `..`, but S3 and COS don't, because keys may contain both.

See https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-hmac-signature and
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiocos.errors import ConfigError
from aiocos.wire.message import Bytes, PreparedRequest, encode_query

ALGORITHM = "AWS4-HMAC-SHA256"
"""Name of the algorithm in headers and URLs."""

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
"""SHA-256 of an empty body."""

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
"""Text in place of the digest, for a body that is not signed."""

MAX_EXPIRES = 604_800
"""Most seconds for which S3 accepts a presigned URL: seven days."""

UNSIGNED_HEADERS = frozenset(
    ("authorization", "connection", "content-length", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id")
)
"""Headers that are not signed, because the HTTP library or a proxy adds or changes them after signing."""

# Headers of the signature itself, which are made anew for each attempt.
_SIGNATURE_HEADERS = frozenset(("authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that was derived from a secret for one day and region."""

    access_key_id: str
    """Id of the HMAC keys."""
    date: str
    """Day that the key is for, as `YYYYMMDD`."""
    region: str
    """Region that the key is for."""
    key: bytes = field(repr=False)
    """The derived key."""
    session_token: str | None = field(default=None, repr=False)
    """Token of temporary keys; None without one."""

    @property
    def scope(self) -> str:
        """Credential scope: `date/region/s3/aws4_request`."""
        return f"{self.date}/{self.region}/s3/aws4_request"


def amz_date(now: float) -> str:
    """Return a time in the form of SigV4: `20130524T000000Z`.

    Args:
        now: Seconds since 1970.
    """
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")


def signing_key(secret: str, date: str, region: str) -> bytes:
    """Derive the signing key for one day and region.

    Args:
        secret: Secret access key.
        date: Day, as `YYYYMMDD`.
        region: Region in the scope of the signature.
    """
    key = f"AWS4{secret}".encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def payload_sha256(body: Bytes | None) -> str:
    """Return the SHA-256 of a body, in hex digits; None counts as empty."""
    return hashlib.sha256(body).hexdigest() if body is not None else EMPTY_SHA256


def canonical_query(query: str) -> str:
    """Return an encoded query sorted by name, then value.

    A name without a value gets a `=`.
    """
    if not query:
        return ""
    pairs = sorted((name, value) for name, _, value in (part.partition("=") for part in query.split("&")))
    return "&".join(f"{name}={value}" for name, value in pairs)


def canonical_headers(headers: Mapping[str, str], host: str) -> dict[str, str]:
    """Return the signed headers: lower-case names in order.

    White space in a value becomes single spaces.

    Args:
        headers: Headers of the request.
        host: Value of the `Host` header, which the HTTP library adds.
    """
    signed = {"host": host}
    for name, value in headers.items():
        if (lower := name.lower()) not in UNSIGNED_HEADERS:
            # Only spaces and tabs are white space here: a no-break space is part of the value.
            signed[lower] = " ".join(filter(None, value.replace("\t", " ").split(" ")))
    return dict(sorted(signed.items()))


def canonical_request(request: PreparedRequest, signed: Mapping[str, str], payload: str) -> str:
    """Return the canonical form of a request, which client and service compute alike.

    Args:
        request: The request.
        signed: Signed headers, from `canonical_headers`.
        payload: SHA-256 of the body in hex digits, or `UNSIGNED_PAYLOAD`.
    """
    lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
    return "\n".join((request.method, request.path or "/", canonical_query(request.query), lines, ";".join(signed), payload))


def signature(key: SigningKey, timestamp: str, canonical: str) -> str:
    """Return the signature of a canonical request, in hex digits.

    Args:
        key: Key of the day of `timestamp`.
        timestamp: Time of the signature, from `amz_date`.
        canonical: The request, from `canonical_request`.
    """
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{ALGORITHM}\n{timestamp}\n{key.scope}\n{digest}"
    return hmac.digest(key.key, text.encode(), "sha256").hex()


def sign(request: PreparedRequest, key: SigningKey, timestamp: str, payload: str) -> None:
    """Add the signature to `request.headers`.

    It replaces the signature of an earlier attempt.

    Args:
        request: The request.
        key: Key of the day of `timestamp`.
        timestamp: Time of the signature, from `amz_date`.
        payload: SHA-256 of the body in hex digits, or `UNSIGNED_PAYLOAD`.
    """
    headers = request.headers
    for name in [name for name in headers if name.lower() in _SIGNATURE_HEADERS]:
        del headers[name]
    headers["x-amz-date"] = timestamp
    headers["x-amz-content-sha256"] = payload
    if key.session_token:
        headers["x-amz-security-token"] = key.session_token
    signed = canonical_headers(headers, request.host)
    made = signature(key, timestamp, canonical_request(request, signed, payload))
    headers["Authorization"] = (
        f"{ALGORITHM} Credential={key.access_key_id}/{key.scope}, SignedHeaders={';'.join(signed)}, Signature={made}"
    )


def whole_seconds(expires: int | timedelta) -> int:
    """Return the validity of a presigned URL in seconds.

    Raises `ConfigError` for values that S3 refuses: less than one second, more than seven days, or a fraction of a second.

    Args:
        expires: Seconds, or a `timedelta`.
    """
    given: object = expires
    if isinstance(expires, timedelta):
        seconds, fraction = divmod(expires, timedelta(seconds=1))
        given = expires if fraction else seconds
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= MAX_EXPIRES:
        shown = f"{str(expires)[:40]} ({type(expires).__name__})"
        message = f"a presigned URL is valid for a whole number of 1 to {MAX_EXPIRES} seconds (7 days), not for {shown}"
        raise ConfigError(message)
    return given


def presign(request: PreparedRequest, key: SigningKey, timestamp: str, *, expires: int, strict: bool = True) -> str:
    """Return a presigned URL.

    Raises `ConfigError` if `expires` isn't valid.

    Args:
        request: The request that the URL allows. Its headers are signed and must be sent by whoever uses the URL; its body
            isn't signed.
        key: Key of the day of `timestamp`.
        timestamp: Time of the signature, from `amz_date`.
        expires: Seconds from `timestamp` for which the URL is valid, 1 to `MAX_EXPIRES`.
        strict: Check `expires`. False signs any value, which the service may then refuse.
    """
    if strict:
        whole_seconds(expires)
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _SIGNATURE_HEADERS}
    signed = canonical_headers(headers, request.host)
    added = [
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", f"{key.access_key_id}/{key.scope}"),
        ("X-Amz-Date", timestamp),
        ("X-Amz-Expires", str(expires)),
    ]
    if key.session_token:
        added.append(("X-Amz-Security-Token", key.session_token))
    added.append(("X-Amz-SignedHeaders", ";".join(signed)))
    query = "&".join(filter(None, (request.query, encode_query(added))))
    bare = PreparedRequest(request.method, request.origin, request.path, query, headers)
    made = signature(key, timestamp, canonical_request(bare, signed, UNSIGNED_PAYLOAD))
    return f"{bare.url}&X-Amz-Signature={made}"

"""AWS Signature Version 4 as COS takes it: pure functions of a request, a key and a time.

A signature covers the method, the path and query as they stand in the request line, a set of headers, and a digest of the body.
Every header present is signed, but for those that proxies and the HTTP library may still change. The path is taken as it
is sent: other services of AWS encode it once more and fold `//` and `..`, S3 and COS do not (keys may hold both).

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
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

LONGEST = 604_800
"""The most seconds for which S3 takes a presigned URL: seven days."""

# Added or changed after signing, by the HTTP library or on the way.
UNSIGNED_HEADERS = frozenset(
    ("authorization", "connection", "content-length", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id")
)
# Made here, anew for each attempt.
_OURS = frozenset(("authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key derived from the secret for one day and region, and what a signature says of it."""

    access_key_id: str
    date: str
    region: str
    key: bytes = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    @property
    def scope(self) -> str:
        """The credential scope: date/region/s3/aws4_request."""
        return f"{self.date}/{self.region}/s3/aws4_request"


def amz_date(now: float) -> str:
    """Write a time (seconds since 1970) as SigV4 does: 20130524T000000Z."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")


def signing_key(secret: str, date: str, region: str) -> bytes:
    """Derive the key for one day (YYYYMMDD) and region from a secret access key."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def payload_sha256(body: Bytes | None) -> str:
    """Return the digest of a body that goes into its signature."""
    return hashlib.sha256(body).hexdigest() if body is not None else EMPTY_SHA256


def canonical_query(query: str) -> str:
    """Sort an encoded query by name, then value; a bare name gets its `=`."""
    if not query:
        return ""
    pairs = sorted((name, value) for name, _, value in (part.partition("=") for part in query.split("&")))
    return "&".join(f"{name}={value}" for name, value in pairs)


def canonical_headers(headers: Mapping[str, str], host: str) -> dict[str, str]:
    """Return the headers that are signed: lower-case names in order, values with their white space folded."""
    signed = {"host": host}
    for name, value in headers.items():
        if (lower := name.lower()) not in UNSIGNED_HEADERS:
            # Spaces and tabs only: a no-break space is part of the value.
            signed[lower] = " ".join(filter(None, value.replace("\t", " ").split(" ")))
    return dict(sorted(signed.items()))


def canonical_request(request: PreparedRequest, signed: Mapping[str, str], payload: str) -> str:
    """Write the request in the one form that client and service both arrive at."""
    lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
    return "\n".join((request.method, request.path or "/", canonical_query(request.query), lines, ";".join(signed), payload))


def signature(key: SigningKey, timestamp: str, canonical: str) -> str:
    """Sign a canonical request."""
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{ALGORITHM}\n{timestamp}\n{key.scope}\n{digest}"
    return hmac.digest(key.key, text.encode(), "sha256").hex()


def sign(request: PreparedRequest, key: SigningKey, timestamp: str, payload: str) -> None:
    """Put the signature and what it covers into `request.headers`; what an earlier attempt put there is replaced.

    `timestamp` is of `amz_date` and of the key's day; `payload` is the body's digest or `UNSIGNED-PAYLOAD`.
    """
    headers = request.headers
    for name in [name for name in headers if name.lower() in _OURS]:
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
    """Return the seconds for which a presigned URL is to be valid.

    Raises `ConfigError` for what S3 refuses: less than one second, more than seven days, and what is no whole number.
    """
    given: object = expires
    if isinstance(expires, timedelta):
        seconds, fraction = divmod(expires, timedelta(seconds=1))
        given = expires if fraction else seconds
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= LONGEST:
        shown = f"{str(expires)[:40]} ({type(expires).__name__})"
        raise ConfigError(f"a presigned URL is valid for a whole number of 1 to {LONGEST} seconds (7 days), not for {shown}")
    return given


def presign(request: PreparedRequest, key: SigningKey, timestamp: str, *, expires: int, strict: bool = True) -> str:
    """Return the URL of `request`, signed for `expires` seconds from `timestamp` on.

    The headers of `request` are signed with it and must be sent by whoever uses the URL; its body is not looked at. Raises
    `ConfigError` where `expires` is not a whole number from 1 to `LONGEST`. Without `strict` it may be anything: the service
    refuses the URL then, and not this function.
    """
    if strict:
        whole_seconds(expires)
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _OURS}
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

"""Verification of AWS Signature Version 4, written apart from the client's signing so that neither hides the other's mistakes.

Three forms: the `Authorization` header, the presigned query, and bodies whose chunks are signed one after the other. What is
signed is the path as it was sent; because some signers encode it anew, the re-encoded path is accepted too. Any region is
accepted, as the service does: the key was derived with the same.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import quote, unquote

from aiocos.errors import InvalidRequest, InvalidSignature, ServiceError

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=15)
EMPTY = hashlib.sha256().hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"

_HEADER = re.compile(r"AWS4-HMAC-SHA256\s+(.*)", re.DOTALL)
_HEX = re.compile(r"[0-9a-f]{64}")


class Headers(Protocol):
    """The headers that arrived: a look-up that ignores case, and every value of a name."""

    def get(self, name: str, /) -> str | None:
        """The first value."""
        ...

    def getall(self, name: str, default: list[str], /) -> list[str]:
        """All values."""
        ...


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request as it stood on the wire: the path and query still encoded."""

    method: str
    path: str
    query: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class Signed:
    """What a good signature says: who signed, how the body was promised, and how its chunks go on from here."""

    access_key_id: str
    payload: str  # hex SHA-256, UNSIGNED-PAYLOAD, or STREAMING-…
    check_chunk: Callable[[bytes, str], None] | None = None
    check_trailer: Callable[[bytes, str], None] | None = None


FindSecret = Callable[[str], str | None]
"""The secret of an access key id."""


def refused(code: str, message: str) -> InvalidSignature:
    """The error of a signature that is not accepted."""
    return InvalidSignature(message, status=403, code=code)


def verify(arrived: Arrived, find_secret: FindSecret, now: datetime) -> Signed | None:
    """Check the signature of a request; None where it carries none. Raises the service's errors."""
    authorization = arrived.headers.get("authorization") or ""
    pairs = _pairs(arrived.query)
    names = {name for name, _ in pairs}
    if authorization.startswith("AWS4-"):
        return _verify_header(arrived, authorization, pairs, find_secret, now)
    if "X-Amz-Algorithm" in names or "X-Amz-Signature" in names:
        return _verify_query(arrived, pairs, find_secret, now)
    if authorization.startswith("AWS ") or {"AWSAccessKeyId", "Signature"} <= names:
        raise InvalidRequest("Please use AWS4-HMAC-SHA256.", status=400, code="InvalidRequest")
    return None


def _pairs(query: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((unquote(name), unquote(value.replace("+", "%20"))))
    return pairs


def _verify_header(
    arrived: Arrived, authorization: str, pairs: list[tuple[str, str]], find_secret: FindSecret, now: datetime
) -> Signed:
    found = _HEADER.fullmatch(authorization)
    fields: dict[str, str] = {}
    for part in (found[1] if found else "").split(","):
        name, _, value = part.strip().partition("=")
        fields[name] = value
    if not {"Credential", "SignedHeaders", "Signature"} <= fields.keys():
        raise InvalidSignature("the Authorization header is malformed", status=400, code="AuthorizationHeaderMalformed")
    stamp = _stamp(arrived.headers.get("x-amz-date") or "")
    if abs(now - stamp) > SKEW:
        raise refused("RequestTimeTooSkewed", "the difference between the request time and the server's time is too large")
    payload = arrived.headers.get("x-amz-content-sha256") or EMPTY
    return _check(
        arrived, pairs, fields["Credential"], fields["SignedHeaders"], fields["Signature"], stamp, payload, find_secret
    )


def _verify_query(arrived: Arrived, pairs: list[tuple[str, str]], find_secret: FindSecret, now: datetime) -> Signed:
    given = dict(pairs)
    if given.get("X-Amz-Algorithm") != ALGORITHM:
        raise InvalidRequest("Please use AWS4-HMAC-SHA256.", status=400, code="InvalidRequest")
    try:
        credential, names, signature = given["X-Amz-Credential"], given["X-Amz-SignedHeaders"], given["X-Amz-Signature"]
        stamp, seconds = _stamp(given["X-Amz-Date"]), int(given["X-Amz-Expires"])
    except (KeyError, ValueError) as error:
        raise InvalidSignature(
            f"the presigned query is malformed: {error}", status=400, code="AuthorizationHeaderMalformed"
        ) from None
    if stamp - now > SKEW:
        raise refused("RequestTimeTooSkewed", "the URL is signed for a time to come")
    if seconds < 0 or now > stamp + timedelta(seconds=seconds):
        raise ServiceError.by_code["AccessDenied"]("Request has expired", status=403, code="AccessDenied")
    payload = arrived.headers.get("x-amz-content-sha256") or given.get("X-Amz-Content-Sha256") or UNSIGNED
    rest = [(name, value) for name, value in pairs if name != "X-Amz-Signature"]
    return _check(arrived, rest, credential, names, signature, stamp, payload, find_secret)


def _stamp(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise refused("AccessDenied", "the request is not dated: x-amz-date is missing or malformed") from None


def _check(
    arrived: Arrived,
    pairs: list[tuple[str, str]],
    credential: str,
    names: str,
    signature: str,
    stamp: datetime,
    payload: str,
    find_secret: FindSecret,
) -> Signed:
    access_key_id, _, scope = credential.partition("/")
    parts = scope.split("/")
    if len(parts) != 4 or parts[2:] != ["s3", "aws4_request"] or parts[0] != f"{stamp:%Y%m%d}":
        raise InvalidSignature(f"the credential scope {scope!r} is malformed", status=400, code="AuthorizationHeaderMalformed")
    secret = find_secret(access_key_id)
    if secret is None:
        raise refused("InvalidAccessKeyId", "the access key id does not exist")
    signed_names = names.split(";")
    if "host" not in signed_names:
        raise refused("SignatureDoesNotMatch", "the Host header is not signed")
    query = "&".join(f"{n}={v}" for n, v in sorted((quote(n, safe="-._~"), quote(v, safe="-._~")) for n, v in pairs))
    headers = "".join(f"{name}:{_header(arrived.headers, name)}\n" for name in signed_names)
    key = _derive(secret, parts[0], parts[1])
    for path in dict.fromkeys((arrived.path, quote(unquote(arrived.path), safe="/-._~"))):
        canonical = "\n".join((arrived.method, path, query, headers, names, payload))
        if hmac.compare_digest(_sign(key, stamp, scope, canonical), signature):
            break
    else:
        raise refused("SignatureDoesNotMatch", "the signature is not the one calculated from the request and the secret key")
    if not payload.startswith("STREAMING-AWS4-"):
        return Signed(access_key_id, payload)
    chain = _Chain(key, stamp, scope, signature)
    return Signed(access_key_id, payload, chain.check_chunk, chain.check_trailer)


def _header(headers: Headers, name: str) -> str:
    return ",".join(" ".join(value.split()) for value in headers.getall(name, []))


def _derive(secret: str, date: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for step in (date, region, "s3", "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


def _sign(key: bytes, stamp: datetime, scope: str, canonical: str) -> str:
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    return hmac.new(key, f"{ALGORITHM}\n{stamp:%Y%m%dT%H%M%SZ}\n{scope}\n{hashed}".encode(), "sha256").hexdigest()


class _Chain:
    """Each chunk's signature covers the one before; the first covers the request's."""

    def __init__(self, key: bytes, stamp: datetime, scope: str, seed: str) -> None:
        self._key, self._previous = key, seed
        self._head = f"{stamp:%Y%m%dT%H%M%SZ}\n{scope}"

    def check_chunk(self, data: bytes, signature: str) -> None:
        text = f"{ALGORITHM}-PAYLOAD\n{self._head}\n{self._previous}\n{EMPTY}\n{hashlib.sha256(data).hexdigest()}"
        self._compare(text, signature, "a chunk")

    def check_trailer(self, trailer: bytes, signature: str) -> None:
        text = f"{ALGORITHM}-TRAILER\n{self._head}\n{self._previous}\n{hashlib.sha256(trailer).hexdigest()}"
        self._compare(text, signature, "the trailer")

    def _compare(self, text: str, signature: str, what: str) -> None:
        made = hmac.new(self._key, text.encode(), "sha256").hexdigest()
        if not hmac.compare_digest(made, signature):
            raise refused("SignatureDoesNotMatch", f"the signature of {what} does not match")
        self._previous = made


def payload_hash(signed: Signed | None, headers: Mapping[str, str]) -> str | None:
    """The SHA-256 (hex) that the body was promised to have, or None. Without a signature the header promises nothing."""
    promised = signed.payload if signed is not None else headers.get("x-amz-content-sha256", "")
    return promised if _HEX.fullmatch(promised) else None

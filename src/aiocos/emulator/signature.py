"""Verify AWS Signature Version 4.

This code is independent of the client's signing code, so that a mistake in one is found by the other. It verifies the
`Authorization` header, presigned URLs, and bodies with signed chunks. The signature covers the path as sent; because some
signers encode the path again, the re-encoded path is accepted too. Any region is accepted, as by the service.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import quote, unquote

from aiocos.errors import AccessDenied, InvalidRequest, InvalidSignature, ServiceError

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=15)
MAX_EXPIRES = 7 * 24 * 3600
"""Maximum lifetime of a presigned URL, in seconds."""
EMPTY = hashlib.sha256().hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_CHUNKS_TRAILER = f"{SIGNED_CHUNKS}-TRAILER"

_HEADER = re.compile(r"AWS4-HMAC-SHA256\s+(.*)", re.DOTALL)
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_SECONDS = re.compile(r"[0-9]{1,12}")
_KINDS = frozenset((UNSIGNED, UNSIGNED_TRAILER, SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER))
_QUERY = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature")


class Headers(Protocol):
    """Request headers: look-up without regard to case, and all values of a name."""

    def __iter__(self) -> Iterator[str]:
        """Iterate over the header names."""
        ...

    def get(self, name: str, /) -> str | None:
        """Return the first value of a header."""
        ...

    def getall(self, name: str, default: list[str], /) -> list[str]:
        """Return all values of a header."""
        ...


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it was sent."""

    method: str
    """HTTP method."""
    path: str
    """Path, still percent-encoded."""
    query: str
    """Query without the question mark, still percent-encoded."""
    headers: Headers
    """Headers of the request."""


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """The result of a valid signature."""

    access_key_id: str
    """The access key id that signed the request."""
    payload: str
    """The SHA-256 of the body in hex digits, `UNSIGNED-PAYLOAD`, or a value that starts with `STREAMING-`."""
    check_chunk: Callable[[bytes, str], None] | None = None
    """Checks the signature of a chunk; None if chunks are not signed."""
    check_trailer: Callable[[bytes, str], None] | None = None
    """Checks the signature of the trailers; None if they are not signed."""


FindSecret = Callable[[str], str | None]
"""Return the secret key of an access key id; None if it is unknown."""


def refused(code: str, message: str) -> InvalidSignature:
    """Build the error for a signature that is not accepted."""
    return InvalidSignature(message, status=403, code=code)


class HeadersNotSigned(AccessDenied):
    """The signature does not cover headers that it must cover.

    `names` are their names in lower case.
    """

    def __init__(self, names: list[str]) -> None:
        super().__init__("There were headers present in the request which were not signed", status=403, code="AccessDenied")
        self.names = names


def verify(request: SignedRequest, find_secret: FindSecret, now: datetime) -> VerifiedSignature | None:
    """Verify the signature of a request.

    Returns None if it has none; raises the errors of the service.
    """
    authorization = request.headers.get("authorization") or ""
    pairs = _pairs(request.query)
    names = {name for name, _ in pairs}
    presigned = "X-Amz-Algorithm" in names or "X-Amz-Signature" in names
    if presigned and authorization:
        raise InvalidRequest(
            "Only one auth mechanism allowed: the query of a presigned URL or the Authorization header.",
            status=400,
            code="InvalidArgument",
        )
    if authorization.startswith("AWS4-"):
        return _verify_header(request, authorization, pairs, find_secret, now)
    if presigned:
        return _verify_query(request, pairs, find_secret, now)
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
    request: SignedRequest, authorization: str, pairs: list[tuple[str, str]], find_secret: FindSecret, now: datetime
) -> VerifiedSignature:
    found = _HEADER.fullmatch(authorization)
    fields: dict[str, str] = {}
    for part in (found[1] if found else "").split(","):
        name, _, value = part.strip().partition("=")
        fields[name] = value
    if not {"Credential", "SignedHeaders", "Signature"} <= fields.keys():
        raise InvalidSignature("the Authorization header is malformed", status=400, code="AuthorizationHeaderMalformed")
    stamp = _stamp(request.headers.get("x-amz-date") or "")
    if stamp is None:
        raise refused("AccessDenied", "the request is not dated: x-amz-date is missing or malformed")
    if abs(now - stamp) > SKEW:
        raise refused("RequestTimeTooSkewed", "the difference between the request time and the server's time is too large")
    payload = request.headers.get("x-amz-content-sha256")
    if payload is None:
        if _has_body(request.headers):
            raise InvalidRequest(
                "Missing required header for this request: x-amz-content-sha256", status=400, code="InvalidRequest"
            )
        payload = EMPTY
    credential = _credential(fields["Credential"], stamp, "AuthorizationHeaderMalformed")
    return _check(request, pairs, credential, fields["SignedHeaders"], fields["Signature"], stamp, payload, find_secret)


def _has_body(headers: Headers) -> bool:
    return headers.get("transfer-encoding") is not None or (headers.get("content-length") or "0").strip("0 ") != ""


def _verify_query(
    request: SignedRequest, pairs: list[tuple[str, str]], find_secret: FindSecret, now: datetime
) -> VerifiedSignature:
    parameters = dict(pairs)
    if parameters.get("X-Amz-Algorithm") != ALGORITHM:
        raise _malformed_query('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"')
    if any(sum(name == wanted for name, _ in pairs) != 1 for wanted in _QUERY):
        raise _malformed_query(f"Query-string authentication version 4 requires each of {', '.join(_QUERY)} once.")
    stamp = _stamp(parameters["X-Amz-Date"])
    if stamp is None:
        raise _malformed_query("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    seconds = _expires(parameters["X-Amz-Expires"])
    credential = _credential(parameters["X-Amz-Credential"], stamp, "AuthorizationQueryParametersError")
    if stamp - now > SKEW:
        raise refused("RequestTimeTooSkewed", "the URL is signed for a time in the future")
    if now - stamp > timedelta(seconds=seconds):
        raise ServiceError.by_code["AccessDenied"]("Request has expired", status=403, code="AccessDenied")
    payload = request.headers.get("x-amz-content-sha256") or parameters.get("X-Amz-Content-Sha256") or UNSIGNED
    rest = [(name, value) for name, value in pairs if name != "X-Amz-Signature"]
    names, signature = parameters["X-Amz-SignedHeaders"], parameters["X-Amz-Signature"]
    return _check(request, rest, credential, names, signature, stamp, payload, find_secret, presigned=True)


def _malformed_query(message: str) -> ServiceError:
    return InvalidRequest(message, status=400, code="AuthorizationQueryParametersError")


def _expires(text: str) -> int:
    if re.fullmatch(r"-[0-9]+|0+", text):
        raise _malformed_query("X-Amz-Expires must be positive")
    if not text.isascii() or not text.isdigit():
        raise _malformed_query("X-Amz-Expires should be a number")
    if not _SECONDS.fullmatch(text) or int(text) > MAX_EXPIRES:
        raise _malformed_query(
            "X-Amz-Expires must be less than a week (in seconds); that is, "
            f"the given X-Amz-Expires must be less than {MAX_EXPIRES} seconds"
        )
    return int(text)


def _stamp(text: str) -> datetime | None:
    if not _STAMP.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Credential:
    access_key_id: str
    date: str
    region: str
    scope: str


def _credential(text: str, stamp: datetime, code: str) -> _Credential:
    access_key_id, _, scope = text.partition("/")
    parts = scope.split("/")
    if len(parts) != 4 or parts[2:] != ["s3", "aws4_request"] or parts[0] != f"{stamp:%Y%m%d}":
        raise ServiceError.class_for(400, code)(f"the credential scope {scope!r} is malformed", status=400, code=code)
    return _Credential(access_key_id, parts[0], parts[1], scope)


def _unsigned(headers: Headers, signed: frozenset[str], *, presigned: bool) -> list[str]:
    """Return the names of present headers that must be signed but are not.

    As on S3: Host, Content-MD5, all `x-amz-*`, and If-Range if Range is signed. For a presigned URL the body hash is exempt: it
    is part of the signed text anyway. Content-Type, Range and other headers need not be signed.
    """
    names = {name.lower() for name in headers}
    wanted = {name for name in names if name.startswith("x-amz-")} | (names & {"content-md5"}) | {"host"}
    if presigned:
        wanted.discard("x-amz-content-sha256")
    if "range" in signed:
        wanted |= names & {"if-range"}
    return sorted(wanted - signed)


def _check(
    request: SignedRequest,
    pairs: list[tuple[str, str]],
    credential: _Credential,
    names: str,
    signature: str,
    stamp: datetime,
    payload: str,
    find_secret: FindSecret,
    *,
    presigned: bool = False,
) -> VerifiedSignature:
    if payload not in _KINDS and not _HEX.fullmatch(payload):
        raise InvalidRequest(
            f"x-amz-content-sha256 must be {UNSIGNED}, {UNSIGNED_TRAILER}, {SIGNED_CHUNKS}, {SIGNED_CHUNKS_TRAILER}, "
            "or a valid sha256 value.",
            status=400,
            code="InvalidArgument",
        )
    secret = find_secret(credential.access_key_id)
    if secret is None:
        raise refused("InvalidAccessKeyId", "the access key id does not exist")
    signed_names = names.split(";")
    if unsigned := _unsigned(request.headers, frozenset(signed_names), presigned=presigned):
        raise HeadersNotSigned(unsigned)
    query = "&".join(f"{n}={v}" for n, v in sorted((quote(n, safe="-._~"), quote(v, safe="-._~")) for n, v in pairs))
    headers = "".join(f"{name}:{_header(request.headers, name)}\n" for name in signed_names)
    key = _derive(secret, credential.date, credential.region)
    for path in dict.fromkeys((request.path, quote(unquote(request.path), safe="/-._~"))):
        canonical = "\n".join((request.method, path, query, headers, names, payload))
        if _is_same(_sign(key, stamp, credential.scope, canonical), signature):
            break
    else:
        raise refused("SignatureDoesNotMatch", "the signature is not the one calculated from the request and the secret key")
    if payload not in (SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER):
        return VerifiedSignature(credential.access_key_id, payload)
    chain = _Chain(key, stamp, credential.scope, signature)
    trailer = chain.check_trailer if payload == SIGNED_CHUNKS_TRAILER else None
    return VerifiedSignature(credential.access_key_id, payload, chain.check_chunk, trailer)


def _is_same(computed: str, sent: str) -> bool:
    # compare_digest accepts only ASCII text.
    return hmac.compare_digest(computed.encode(), sent.encode("utf-8", "replace"))


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
    """The chain of chunk signatures.

    Each covers the previous one, and the first covers that of the request.
    """

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
        computed = hmac.new(self._key, text.encode(), "sha256").hexdigest()
        if not _is_same(computed, signature):
            raise refused("SignatureDoesNotMatch", f"the signature of {what} does not match")
        self._previous = computed


def payload_hash(signed: VerifiedSignature | None, headers: Mapping[str, str]) -> str | None:
    """Return the SHA-256 (hex) that the body must have.

    None if the request does not give one.
    """
    promised = signed.payload if signed is not None else headers.get("x-amz-content-sha256", "")
    return promised.lower() if _HEX.fullmatch(promised) else None

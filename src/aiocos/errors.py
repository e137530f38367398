"""What can go wrong, as one tree.

::

    CosError
    ├─ ConfigError                  what was given cannot work                     (also ValueError)
    ├─ CredentialsError             no token could be had; the cause says why
    ├─ TransportError               no answer             .sent .attempts
    │   ├─ ConnectError            nothing was sent
    │   ├─ RequestTimeoutError                 nothing moved for too long, or the deadline passed   (also TimeoutError)
    │   └─ ConnectionLostError              the connection ended before the answer did
    ├─ ServiceError                 the service said no   .status .code .message .resource .request_id .retry_after
    │   ├─ NotFound                 NoSuchBucket NoSuchKey NoSuchUpload NoSuchVersion NoSuchConfiguration
    │   ├─ AccessDenied             ObjectProtected InvalidSignature InvalidObjectState
    │   ├─ Unauthorized             401: the token was not accepted
    │   ├─ Conflict                 BucketAlreadyExists BucketAlreadyOwnedByYou BucketNotEmpty InvalidBucketState …
    │   ├─ PreconditionFailed       412; ObjectAlreadyExists (409, also a Conflict)
    │   ├─ NotModified              304
    │   ├─ InvalidRange             416
    │   ├─ InvalidRequest           400 and its many codes: BadDigest EntityTooSmall InvalidPart …
    │   ├─ Redirected               3xx to another host: the token does not follow
    │   ├─ Throttled                429, SlowDown
    │   └─ Unavailable              5xx
    ├─ ProtocolError                the answer made no sense
    ├─ IntegrityError               bytes and checksum disagree
    └─ TransferError                .upload_id .parts_done; causes as an ExceptionGroup
        └─ OutcomeUnknown                it may have happened; what to look at is said

A class takes the service's error codes it stands for in its class statement; a code claimed twice is refused at import.
Every message says what was tried, on what, what came back, and the request id; never a token nor a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


def printable(text: str, most: int | None = None) -> str:
    """Return a text that cannot command a terminal or forge a log line; at most so many characters.

    Control characters (line breaks, ESC, C1), characters that change the direction of writing, and others that are not visible
    are written as Python writes them: `\\x1b`, `\\u202e`. Letters of all languages stay.
    """
    text = text if most is None or len(text) <= most else f"{text[:most]}…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


# Characters of a message. What a service sends may have megabytes, and messages go into logs.
_LONGEST = 8192


class CosError(Exception):
    """Anything this library raises on its own account.

    `str()` and `repr()` show what a server or a key put into a message as `printable` writes it, and of a message at most 8,192
    characters; attributes such as `message` and `resource` have all of it as it came.
    """

    def __str__(self) -> str:
        return printable(self._text(), _LONGEST)

    def __repr__(self) -> str:
        return printable(super().__repr__(), _LONGEST)

    def _text(self) -> str:
        """Return the message, as it came."""
        return super().__str__()

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process borders (pools, pickled results); keyword-only constructors do not survive the
        # default protocol, so an error is rebuilt from its arguments and its attributes.
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(cls: type[CosError], args: tuple[Any, ...], attributes: dict[str, Any]) -> CosError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class ConfigError(CosError, ValueError):
    """What was given cannot work: an endpoint without a scheme, a part size below the minimum, a header with a line break."""


class CredentialsError(CosError):
    """No credentials, or no token for them. `status` and `code` are IAM's answer where there was one."""

    def __init__(self, message: str, *, status: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


# ---------------------------------------------------------------------------------------------------------------------
# No answer


class TransportError(CosError):
    """No answer came.

    `sent` is the fact a retry needs: False means that the service cannot have seen the request. `attempts` counts all
    tries of the call.
    """

    def __init__(self, message: str, *, sent: bool, attempts: int = 1) -> None:
        super().__init__(message)
        self.sent = sent
        self.attempts = attempts

    def _text(self) -> str:
        tries = f", after {self.attempts} attempts" if self.attempts > 1 else ""
        return f"{self.args[0]} (the request was {'sent' if self.sent else 'not sent'}{tries})"


class ConnectError(TransportError):
    """No connection: refused, no such host, TLS not accepted."""


class RequestTimeoutError(TransportError, TimeoutError):
    """Nothing moved for longer than the configured timeout, or the call's deadline passed."""


class ConnectionLostError(TransportError):
    """The connection ended before the answer did."""


# ---------------------------------------------------------------------------------------------------------------------
# The service said no


class ServiceError(CosError):
    """The service answered with an error.

    The class is chosen by the error code, else by the HTTP status. `code` is the service's word (or the status as text where
    a HEAD answer has no body). `retry_after` is in seconds. `operation` names the call, `resource` the bucket and key.
    `headers` are the answer's own.
    """

    by_code: ClassVar[dict[str, type[ServiceError]]] = {}
    by_status: ClassVar[dict[int, type[ServiceError]]] = {}

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 0,
        code: str = "",
        resource: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
        operation: str = "",
        attempts: int = 1,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.resource = resource
        self.request_id = request_id
        self.retry_after = retry_after
        self.operation = operation
        self.attempts = attempts
        self.headers = dict(headers or {})

    def __init_subclass__(cls, codes: tuple[str, ...] = (), status: int | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for code in codes:
            if code in ServiceError.by_code:
                raise TypeError(f"error code {code} is claimed by {ServiceError.by_code[code].__name__} and {cls.__name__}")
            ServiceError.by_code[code] = cls
        if status is not None:
            if status in ServiceError.by_status:
                raise TypeError(f"status {status} is claimed by {ServiceError.by_status[status].__name__} and {cls.__name__}")
            ServiceError.by_status[status] = cls

    @staticmethod
    def class_for(status: int, code: str) -> type[ServiceError]:
        """Return the class for an error code, else for a status, else for the status family."""
        if found := ServiceError.by_code.get(code) or ServiceError.by_status.get(status):
            return found
        if status >= 500:
            return Unavailable
        if 300 <= status < 400:
            return Redirected
        return InvalidRequest if status == 400 else ServiceError

    def _text(self) -> str:
        what = " ".join(filter(None, (self.operation, self.resource)))
        told = " ".join(filter(None, (str(self.status or ""), self.code if self.code != str(self.status) else "")))
        text = ": ".join(filter(None, (what, told, self.message)))
        notes = [f"request id {self.request_id}"] if self.request_id else []
        if self.attempts > 1:
            notes.append(f"after {self.attempts} attempts")
        return f"{text} ({', '.join(notes)})" if notes else text


class NotFound(ServiceError, status=404):
    """There is no such thing. HEAD answers cannot say which: see `resource`."""


class NoSuchBucket(NotFound, codes=("NoSuchBucket",)):
    """The bucket does not exist."""


class NoSuchKey(NotFound, codes=("NoSuchKey",)):
    """The object does not exist."""


class NoSuchUpload(NotFound, codes=("NoSuchUpload",)):
    """The multipart upload does not exist: completed, aborted, or never made."""


class NoSuchVersion(NotFound, codes=("NoSuchVersion",)):
    """The object has no such version."""


class NoSuchConfiguration(
    NotFound,
    codes=(
        "NoSuchLifecycleConfiguration",
        "NoSuchCORSConfiguration",
        "NoSuchWebsiteConfiguration",
        "NoSuchTagSet",
        "NoSuchPublicAccessBlockConfiguration",
        "ReplicationConfigurationNotFoundError",
        "ObjectLockConfigurationNotFoundError",
        "NoSuchObjectLockConfiguration",
    ),
):
    """The bucket or object has no configuration of this kind."""


class AccessDenied(ServiceError, codes=("AccessDenied", "InvalidSecurity", "AllAccessDisabled"), status=403):
    """No permission, or a firewall or retention policy stands in the way."""


class ObjectProtected(AccessDenied):
    """A retention period, legal hold or lock protects the object (chosen where the service's message says so)."""


class InvalidSignature(
    AccessDenied, codes=("SignatureDoesNotMatch", "InvalidAccessKeyId", "RequestTimeTooSkewed", "AuthorizationHeaderMalformed")
):
    """The HMAC signature, its key or its time was not accepted."""


class InvalidObjectState(
    AccessDenied, codes=("InvalidObjectState", "ObjectNotInActiveTierError", "ObjectAlreadyInActiveTierError")
):
    """The object is archived (restore it first), or not archived (nothing to restore)."""


class Unauthorized(ServiceError, codes=("ExpiredToken", "InvalidToken", "TokenRefreshRequired"), status=401):
    """The bearer token was not accepted."""


class MethodNotAllowed(ServiceError, codes=("MethodNotAllowed",), status=405):
    """The resource does not take this method; a delete marker answers a GET by version id so."""


class Conflict(ServiceError, codes=("OperationAborted", "RestoreAlreadyInProgress", "ConditionalRequestConflict"), status=409):
    """The state of the bucket or object does not allow it now."""


class BucketAlreadyExists(Conflict, codes=("BucketAlreadyExists",)):
    """Somebody has a bucket of this name: names are global."""


class BucketAlreadyOwnedByYou(Conflict, codes=("BucketAlreadyOwnedByYou",)):
    """You have a bucket of this name already."""


class BucketNotEmpty(Conflict, codes=("BucketNotEmpty",)):
    """The bucket holds objects, versions or delete markers."""


class InvalidBucketState(Conflict, codes=("InvalidBucketState",)):
    """The bucket's versioning, retention, lock or replication settings do not go together with this."""


class PreconditionFailed(ServiceError, codes=("PreconditionFailed",), status=412):
    """An If-Match, If-None-Match or If-Unmodified-Since condition did not hold."""


class ObjectAlreadyExists(Conflict, PreconditionFailed, codes=("ObjectAlreadyExists",)):
    """A write with `forbid_overwrite=True` met an object of that name (409). Nothing was written."""


class NotModified(ServiceError, codes=("NotModified",), status=304):
    """The object is what you have already (If-None-Match, If-Modified-Since)."""


class InvalidRange(ServiceError, codes=("InvalidRange",), status=416):
    """The range lies outside the object."""


class InvalidRequest(
    ServiceError,
    codes=(
        "InvalidRequest",
        "InvalidArgument",
        "InvalidBucketName",
        "InvalidLocationConstraint",
        "InvalidURI",
        "InvalidTag",
        "InvalidPartOrder",
        "KeyTooLong",
        "KeyTooLongError",
        "MalformedXML",
        "MetadataTooLarge",
        "MaxMessageLengthExceeded",
        "MissingRequestBodyError",
        "TooManyBuckets",
        "UnexpectedContent",
        "CredentialsNotSupported",
        "IllegalVersioningConfigurationException",
        "BadRequest",
    ),
):
    """The request was refused as it stands (400)."""


class BadDigest(InvalidRequest, codes=("BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch")):
    """The body that arrived does not have the checksum that was announced."""


class IncompleteBody(InvalidRequest, codes=("IncompleteBody", "RequestTimeout")):
    """The body did not arrive whole, or not in time."""


class EntityTooSmall(InvalidRequest, codes=("EntityTooSmall",)):
    """A part other than the last is below 5 MiB."""


class EntityTooLarge(InvalidRequest, codes=("EntityTooLarge",)):
    """A body is above 5 GiB, or a part is."""


class InvalidPart(InvalidRequest, codes=("InvalidPart",)):
    """A part named at completion is not there, or has another ETag."""


class MissingContentLength(ServiceError, codes=("MissingContentLength",), status=411):
    """The service wants a Content-Length."""


class Redirected(ServiceError, codes=("TemporaryRedirect", "PermanentRedirect", "Redirect")):
    """The bucket lives at another endpoint. Credentials are not sent after a redirect: use that endpoint in the client."""


class OperationNotSupported(ServiceError, codes=("NotImplemented",), status=501):
    """The service does not implement this."""


class Throttled(
    ServiceError,
    codes=("SlowDown", "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException"),
    status=429,
):
    """Too many requests for now; `retry_after` says how long the service asked to wait."""


class Unavailable(ServiceError, codes=("InternalError", "ServiceUnavailable"), status=503):
    """The service has a fault or is overloaded."""


# ---------------------------------------------------------------------------------------------------------------------
# The answer, the bytes, the transfer


class ProtocolError(CosError):
    """The answer made no sense: unreadable XML, a range nobody asked for, a header that is no number."""


class IntegrityError(CosError):
    """Bytes and checksum disagree. `expected` and `actual` are the two values, as the service writes them."""

    def __init__(self, message: str, *, expected: str = "", actual: str = "") -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual


class TransferError(CosError):
    """An upload or download failed. The causes are an ExceptionGroup (`__cause__`)."""

    def __init__(self, message: str, *, upload_id: str | None = None, parts_done: int = 0) -> None:
        super().__init__(message)
        self.upload_id = upload_id
        self.parts_done = parts_done


class OutcomeUnknown(TransferError):
    """The answer to the last step was lost and what the service shows cannot settle it: the message says what to look at."""

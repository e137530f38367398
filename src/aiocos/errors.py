"""All exceptions that the library raises, as one tree.

::

    CosError
    ├─ ConfigError                      an argument or setting can't work                           (also a ValueError)
    ├─ CredentialsError                 no credentials, or no token for them                        .status .code
    ├─ TransportError                   no complete response arrived                                .sent .attempts
    │   ├─ ConnectError                 no connection could be opened
    │   ├─ RequestTimeoutError          nothing moved for too long, or the call's deadline passed   (also a TimeoutError)
    │   └─ ConnectionLostError          the connection ended before the response was complete
    ├─ ServiceError                     the service returned an error                               .status .code .message
    │   │                                                                                           .resource .request_id
    │   ├─ NotFound                     404: NoSuchBucket NoSuchKey NoSuchUpload NoSuchVersion NoSuchConfiguration
    │   ├─ AccessDenied                 403: ObjectProtected InvalidSignature InvalidObjectState
    │   ├─ Unauthorized                 401: the token was not accepted
    │   ├─ MethodNotAllowed             405
    │   ├─ Conflict                     409: BucketAlreadyExists BucketAlreadyOwnedByYou BucketNotEmpty InvalidBucketState
    │   ├─ PreconditionFailed           412: ObjectAlreadyExists (409, also a Conflict)
    │   ├─ NotModified                  304
    │   ├─ InvalidRange                 416
    │   ├─ InvalidRequest               400: BadDigest IncompleteBody EntityTooSmall EntityTooLarge InvalidPart and other codes
    │   ├─ MissingContentLength         411
    │   ├─ Redirected                   3xx: credentials are not sent to another host
    │   ├─ OperationNotSupported        501
    │   ├─ Throttled                    429, SlowDown                                               .retry_after
    │   └─ Unavailable                  5xx
    ├─ ProtocolError                    the response makes no sense
    ├─ IntegrityError                   the bytes don't match their checksum                        .expected .actual
    └─ TransferError                    an upload, download or copy failed                          .upload_id .parts_done
        └─ OutcomeUnknown               the upload may have succeeded; the message says what to check

A class lists the service's error codes that raise it in its class statement; a code listed twice is refused at import. A
message says what was tried, on what, what came back, and the request id; it never contains a token or a secret.

IBM lists the error codes at
https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-compatibility-common
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


def printable(text: str, most: int | None = None) -> str:
    """Return a text that can't send commands to a terminal or forge a log line.

    Control characters (line breaks, ESC, C1), characters that change the direction of writing, and other invisible ones are
    escaped as in a Python literal: `\\x1b`, `\\u202e`. Letters of all languages are left alone.

    Args:
        text: The text to show.
        most: Characters after which the text is cut off, with an ellipsis. None keeps the whole text.
    """
    text = text if most is None or len(text) <= most else f"{text[:most]}…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


# Most characters of a message: a service may send megabytes, and messages go into logs.
_LONGEST = 8192


class CosError(Exception):
    """Base class of all exceptions of this library.

    `str()` and `repr()` give at most 8,192 characters, with control characters escaped, because a server or an object's key may
    have put them into the message. Attributes such as `message` and `resource` have the whole text, unescaped.
    """

    def __str__(self) -> str:
        return printable(self._text(), _LONGEST)

    def __repr__(self) -> str:
        return printable(super().__repr__(), _LONGEST)

    def _text(self) -> str:
        """Return the whole message, unescaped."""
        return super().__str__()

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors are pickled to cross processes. The default protocol can't call a constructor with keyword-only parameters,
        # so an error is rebuilt from its arguments and its attributes.
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(cls: type[CosError], args: tuple[Any, ...], attributes: dict[str, Any]) -> CosError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class ConfigError(CosError, ValueError):
    """An argument, a setting or a configuration file can't work; nothing was sent.

    Examples: an endpoint without a scheme, a part size below the minimum, a header with a line break. Correct the value.
    """


class CredentialsError(CosError):
    """No credentials were found, or no token could be fetched with them.

    The request was not sent. Check the API key, trusted profile or HMAC keys. If IAM couldn't be reached, `__cause__` is the
    `TransportError`.
    """

    status: int | None
    """HTTP status of IAM's response; None if there was none."""

    code: str | None
    """Error code of IAM's response, such as `BXNIM0415E`; None if there was none."""

    def __init__(self, message: str, *, status: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


# ---------------------------------------------------------------------------------------------------------------------
# No response


class TransportError(CosError):
    """No complete response arrived.

    The client has already retried what it could. If `sent` is True, the service may have carried the request out: check
    before you repeat a write.
    """

    sent: bool
    """False if the service can't have received the request, so that it can be repeated safely."""

    attempts: int
    """Attempts of the call, the last one included."""

    def __init__(self, message: str, *, sent: bool, attempts: int = 1) -> None:
        super().__init__(message)
        self.sent = sent
        self.attempts = attempts

    def _text(self) -> str:
        tries = f", after {self.attempts} attempts" if self.attempts > 1 else ""
        return f"{self.args[0]} (the request was {'sent' if self.sent else 'not sent'}{tries})"


class ConnectError(TransportError):
    """No connection could be opened.

    It was refused, the host name is unknown, or the TLS handshake failed. `sent` is False. Check the endpoint, the network and
    the certificates (`ClientConfig.ca_file`).
    """


class RequestTimeoutError(TransportError, TimeoutError):
    """The request or the call took too long.

    No connection was opened within `connect_timeout`, no byte moved for `idle_timeout`, or the deadline of the call
    (`timeout=`) passed. Also a built-in `TimeoutError`. Raise the limit in `ClientConfig` or of the call, or try again later.
    """


class ConnectionLostError(TransportError):
    """The connection ended before the response was complete."""


# ---------------------------------------------------------------------------------------------------------------------
# Error responses of the service


class ServiceError(CosError):
    """The service returned an error.

    The error code decides the subclass; if the library doesn't know the code, the HTTP status does. Catch a subclass for one
    reason, or `ServiceError` for all. IBM's support asks for the `request_id`.
    """

    by_code: ClassVar[dict[str, type[ServiceError]]] = {}
    """Subclass of each error code."""

    by_status: ClassVar[dict[int, type[ServiceError]]] = {}
    """Subclass of each HTTP status that has one."""

    message: str
    """Text of the service's error document; empty if there was none."""

    status: int
    """HTTP status of the response. A response with status 200 can carry an error (copies, completions of an upload): `status`
    is then the one in the error document, or 500.
    """

    code: str
    """Error code of the service, such as `NoSuchKey`. The status as text, such as `404`, if the response has no error document;
    responses to HEAD never have one.
    """

    resource: str
    """Bucket and key of the call, as `bucket/key`; empty for calls without a bucket."""

    request_id: str | None
    """Id of the request in the service's logs; None if the response has none."""

    retry_after: float | None
    """Seconds that the service asks to wait (`Retry-After`); None if it doesn't ask."""

    operation: str
    """Name of the operation, such as `GetObject`."""

    attempts: int
    """Attempts of the call, the last one included."""

    headers: dict[str, str]
    """Headers of the response."""

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
        """Return the subclass for an error code, or for the status if it has none.

        Args:
            status: HTTP status of the response.
            code: Error code of the service; empty if the response has none.
        """
        if found := ServiceError.by_code.get(code) or ServiceError.by_status.get(status):
            return found
        if status >= 500:
            return Unavailable
        if 300 <= status < 400:
            return Redirected
        return InvalidRequest if status == 400 else ServiceError

    def _text(self) -> str:
        call = " ".join(filter(None, (self.operation, self.resource)))
        error = " ".join(filter(None, (str(self.status or ""), self.code if self.code != str(self.status) else "")))
        text = ": ".join(filter(None, (call, error, self.message)))
        notes = [f"request id {self.request_id}"] if self.request_id else []
        if self.attempts > 1:
            notes.append(f"after {self.attempts} attempts")
        return f"{text} ({', '.join(notes)})" if notes else text


class NotFound(ServiceError, status=404):
    """The bucket, object, version, upload or configuration doesn't exist (404).

    Raised itself, and not as one of its subclasses, for a HEAD request: its response has no error code, so it can't say
    whether the bucket or the object is missing.
    """


class NoSuchBucket(NotFound, codes=("NoSuchBucket",)):
    """The bucket doesn't exist (404, code `NoSuchBucket`).

    Check its name, and that the client's endpoint is in the bucket's location.
    """


class NoSuchKey(NotFound, codes=("NoSuchKey",)):
    """The object doesn't exist (404, code `NoSuchKey`).

    In a versioned bucket, its current version may be a delete marker.
    """


class NoSuchUpload(NotFound, codes=("NoSuchUpload",)):
    """The multipart upload doesn't exist (404, code `NoSuchUpload`).

    It was completed or aborted, or never existed. Start a new one.
    """


class NoSuchVersion(NotFound, codes=("NoSuchVersion",)):
    """The object has no version with this id (404, code `NoSuchVersion`)."""


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
    """The bucket has no configuration of this kind, or the object has no lock (404).

    Raised by methods that read a configuration. The code says which one is missing, such as `NoSuchLifecycleConfiguration`.
    """


class AccessDenied(ServiceError, codes=("AccessDenied", "InvalidSecurity", "AllAccessDisabled"), status=403):
    """The request is not permitted (403, code `AccessDenied`).

    The identity lacks a role, or a firewall or a retention policy prevents the request. Check all three.
    """


class ObjectProtected(AccessDenied):
    """A retention period, a legal hold or a lock protects the object (403).

    The service has no code of its own for this: the code is `AccessDenied`, and the class is chosen by the text of the message.
    So a protected object may also be reported as a plain `AccessDenied`.
    """


class InvalidSignature(
    AccessDenied, codes=("SignatureDoesNotMatch", "InvalidAccessKeyId", "RequestTimeTooSkewed", "AuthorizationHeaderMalformed")
):
    """The HMAC key, the signature or its time was not accepted (403).

    Codes: `InvalidAccessKeyId`, `SignatureDoesNotMatch`, `RequestTimeTooSkewed`, `AuthorizationHeaderMalformed`. Check the
    keys, and this machine's clock if the code is `RequestTimeTooSkewed`.
    """


class InvalidObjectState(
    AccessDenied, codes=("InvalidObjectState", "ObjectNotInActiveTierError", "ObjectAlreadyInActiveTierError")
):
    """The object is archived, or it isn't and was to be restored (403).

    Codes: `InvalidObjectState` and `ObjectNotInActiveTierError` (restore the object before you read it),
    `ObjectAlreadyInActiveTierError` (nothing to restore).
    """


class Unauthorized(ServiceError, codes=("ExpiredToken", "InvalidToken", "TokenRefreshRequired"), status=401):
    """The bearer token was not accepted (401).

    The client has tried again with a new token if it could fetch one. Check the credentials.
    """


class MethodNotAllowed(ServiceError, codes=("MethodNotAllowed",), status=405):
    """The method isn't allowed on this resource (405).

    An example is GET of a version that is a delete marker.
    """


class Conflict(ServiceError, codes=("OperationAborted", "RestoreAlreadyInProgress", "ConditionalRequestConflict"), status=409):
    """The state of the bucket or object doesn't allow the request now (409).

    Codes without a class of their own: `OperationAborted` (a conflicting operation is running; the client has retried),
    `RestoreAlreadyInProgress`, `ConditionalRequestConflict`.
    """


class BucketAlreadyExists(Conflict, codes=("BucketAlreadyExists",)):
    """Somebody else has a bucket with this name (409).

    Names are unique across all customers: choose another one.
    """


class BucketAlreadyOwnedByYou(Conflict, codes=("BucketAlreadyOwnedByYou",)):
    """Your account already has a bucket with this name (409)."""


class BucketNotEmpty(Conflict, codes=("BucketNotEmpty",)):
    """The bucket still has objects, versions or delete markers (409).

    Delete them before the bucket.
    """


class InvalidBucketState(Conflict, codes=("InvalidBucketState",)):
    """Other settings of the bucket exclude the request (409).

    Code `InvalidBucketState`. The settings are versioning, the retention policy, Object Lock and replication.
    """


class PreconditionFailed(ServiceError, codes=("PreconditionFailed",), status=412):
    """The object doesn't meet a condition of the request (412).

    A condition is a parameter such as `if_match`. Nothing was read or written.
    """


class ObjectAlreadyExists(Conflict, PreconditionFailed, codes=("ObjectAlreadyExists",)):
    """A write with `forbid_overwrite=True` found an existing object (409).

    Code `ObjectAlreadyExists`. Nothing was written.
    """


class NotModified(ServiceError, codes=("NotModified",), status=304):
    """The object hasn't changed (304); use the copy that you have.

    Raised for reads with `if_none_match` or `if_modified_since`.
    """


class InvalidRange(ServiceError, codes=("InvalidRange",), status=416):
    """The range starts at or after the end of the object (416, code `InvalidRange`)."""


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
    """The request is not valid (400); the code says why.

    Codes without a class of their own: `InvalidArgument`, `InvalidBucketName`, `MalformedXML`, `InvalidTag` and others.
    """


class BadDigest(InvalidRequest, codes=("BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch")):
    """The body doesn't match the checksum in the request (400).

    Codes: `BadDigest` (the client has retried once), `InvalidDigest`, `XAmzContentSHA256Mismatch`. If you give the checksum
    yourself, check how you compute it.
    """


class IncompleteBody(InvalidRequest, codes=("IncompleteBody", "RequestTimeout")):
    """The service didn't receive the whole body in time (400).

    Codes: `IncompleteBody`, `RequestTimeout`. The client has retried. Check the network, or use smaller parts.
    """


class EntityTooSmall(InvalidRequest, codes=("EntityTooSmall",)):
    """A part other than the last is smaller than 5 MiB (400).

    Raised when a multipart upload is completed. Upload it again with larger parts.
    """


class EntityTooLarge(InvalidRequest, codes=("EntityTooLarge",)):
    """The body of an object or a part is larger than 5 GiB (400).

    Upload the object in parts: `client.upload` does.
    """


class InvalidPart(InvalidRequest, codes=("InvalidPart",)):
    """A part in the list of a completion wasn't uploaded, or has another ETag (400)."""


class MissingContentLength(ServiceError, codes=("MissingContentLength",), status=411):
    """The request has no `Content-Length`, which the service needs (411)."""


class Redirected(ServiceError, codes=("TemporaryRedirect", "PermanentRedirect", "Redirect")):
    """The bucket is at another endpoint (3xx), which the message names.

    Make a client for that endpoint. Redirects are not followed, because a hostile one would receive the token and the body.
    """


class OperationNotSupported(ServiceError, codes=("NotImplemented",), status=501):
    """The service doesn't implement the operation or a parameter (501).

    Code `NotImplemented`.
    """


class Throttled(
    ServiceError,
    codes=("SlowDown", "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException"),
    status=429,
):
    """There are too many requests for the service (429, or code `SlowDown`).

    The client has retried and lowered its number of requests in flight. Wait for `retry_after` seconds, or send fewer requests
    (`ClientConfig.max_connections`).
    """


class Unavailable(ServiceError, codes=("InternalError", "ServiceUnavailable"), status=503):
    """The service has a fault or is overloaded (5xx).

    Codes: `InternalError`, `ServiceUnavailable`. The client has retried the request unless a repetition could do harm. Try
    again later; check first whether a write has succeeded.
    """


# ---------------------------------------------------------------------------------------------------------------------
# Responses without sense, damaged bytes, failed transfers


class ProtocolError(CosError):
    """The response makes no sense.

    Examples: XML that can't be parsed, a range that wasn't requested, the listing of another bucket. It often comes from a
    proxy or a login page instead of the service. Check the endpoint.
    """


class IntegrityError(CosError):
    """The bytes that were read or written don't match their ETag or checksum.

    A read has been retried. After a write, the object in the bucket isn't what was sent: write it again. If the service's ETags
    aren't MD5s, see `ClientConfig.verify_reads` and `ClientConfig.verify_writes`.
    """

    expected: str
    """ETag or checksum that the bytes should have, as the service writes it; empty if unknown."""

    actual: str
    """ETag or checksum of the bytes, in the form of `expected`; empty if unknown."""

    def __init__(self, message: str, *, expected: str = "", actual: str = "") -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual


class TransferError(CosError):
    """An upload, download or copy failed.

    If parts failed, `__cause__` is an `ExceptionGroup` of their errors. The multipart upload was aborted, unless the message
    says otherwise or the upload can be resumed.
    """

    upload_id: str | None
    """Id of the multipart upload; None if there was none."""

    parts_done: int
    """Parts that were transferred before the failure."""

    def __init__(self, message: str, *, upload_id: str | None = None, parts_done: int = 0) -> None:
        super().__init__(message)
        self.upload_id = upload_id
        self.parts_done = parts_done


class OutcomeUnknown(TransferError):
    """It can't be determined whether an upload has succeeded.

    The response to its completion was lost. The message names the object and the upload: look at them before you upload again.
    """

"""The exceptions for error responses of the service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from aiocos.errors.base import CosError


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

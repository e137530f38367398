"""Exceptions of `ibm_botocore` and `ibm_boto3`, and translations into them.

Errors of this library are translated into exceptions with the names of IBM's SDK. Each translated exception has the original
error as its `__cause__`, which says what was tried, on what, and whether the request was sent.
"""

from __future__ import annotations

import ssl
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, cast

from aiocos import errors
from aiocos.errors import CosError

if TYPE_CHECKING:
    from aiocos.ibm_boto3.type_defs import ErrorResponseTypeDef


class BotoCoreError(CosError):
    """Base class of all errors except `ClientError`.

    A `ClientError` is an error response of the service.
    """

    def __init__(self, message: str = "An unspecified error occurred", **kwargs: Any) -> None:
        super().__init__(message)
        self.kwargs = kwargs
        """Details of the error by name, such as `report` of a `ParamValidationError`."""


class ParamValidationError(BotoCoreError):
    """Parameters are unknown, missing or invalid; no request was sent.

    `kwargs["report"]` has a line for each of them.
    """

    def __init__(self, report: str) -> None:
        super().__init__(f"Parameter validation failed:\n{report}", report=report)

    def __str__(self) -> str:
        # Only the line breaks of the report itself are kept; those in a value are made visible.
        return "\n".join(errors.printable(line) for line in self._text().split("\n"))


class TextBodyError(ParamValidationError, TypeError):
    """A body returned text instead of bytes; no request was sent.

    This exception is also a `TypeError`, which IBM's SDK raises here.
    """

    def __init__(self, found: str = "it is a text file") -> None:
        super().__init__(
            f"Invalid value for parameter Body: a bytes-like object is required, not 'str': {found}; open it with mode 'rb'"
        )


class InvalidConfigError(BotoCoreError, errors.ConfigError):
    """A setting of a client is invalid."""


class NoCredentialsError(BotoCoreError):
    """No credentials were given and none were found."""


class PartialCredentialsError(BotoCoreError):
    """An access key was given without its secret key, or the other way round."""


class ProfileNotFound(BotoCoreError):
    """No configuration file has the named profile."""

    def __init__(self, profile: str) -> None:
        super().__init__(f"The config profile ({profile}) could not be found", profile=profile)


class NoRegionError(BotoCoreError):
    """Never raised: the default region is `us-south`."""


class CredentialRetrievalError(BotoCoreError):
    """No token could be obtained with the credentials."""


class HTTPClientError(BotoCoreError):
    """A request got no complete response."""


class ConnectionError(BotoCoreError):
    """A connection could not be opened."""


class EndpointConnectionError(ConnectionError):
    """A connection to the endpoint could not be opened."""


class SSLError(ConnectionError):
    """The TLS handshake failed.

    The certificate is not trusted, or the endpoint does not use TLS.
    """


class ProxyConnectionError(ConnectionError):
    """A connection to the proxy could not be opened."""


class ConnectionClosedError(HTTPClientError):
    """The connection was closed before the response was complete."""


class ReadTimeoutError(HTTPClientError):
    """No byte was sent or received for the read timeout."""


class ConnectTimeoutError(ConnectionError):
    """A connection could not be opened within the connect timeout."""


class ResponseStreamingError(HTTPClientError):
    """A response body was cut off and could not be resumed."""


class IncompleteReadError(ResponseStreamingError):
    """Never raised: a body that ends early raises `ResponseStreamingError`."""


class ResponseParserError(BotoCoreError):
    """A response could not be parsed, or does not fit the request."""


class FlexibleChecksumError(BotoCoreError):
    """A checksum does not match the bytes, or its algorithm is not supported."""


class PaginationError(BotoCoreError):
    """A page token was received twice, or `PaginationConfig` is invalid."""


class WaiterError(BotoCoreError):
    """A waiter gave up, or got a response that ends the wait."""

    def __init__(self, name: str, reason: str, last_response: dict[str, Any]) -> None:
        super().__init__(f"Waiter {name} failed: {reason}", name=name, reason=reason)
        self.last_response = last_response
        """The last response of the service; empty if there was none."""


class DataNotFoundError(BotoCoreError):
    """A service is not known."""


class UnknownServiceError(DataNotFoundError):
    """A client was requested for a service other than `s3`."""


class UnknownClientMethodError(BotoCoreError):
    """A presigned URL was requested for a method that the client does not have."""


class OperationNotPageableError(BotoCoreError):
    """A paginator was requested for an operation without pages."""


class ResourceNotExistsError(UnknownServiceError):
    """A resource was requested of a service other than `s3`."""


class Boto3Error(BotoCoreError):
    """Base class of the errors that boto3 defines, not botocore."""


class S3UploadFailedError(Boto3Error):
    """An upload failed; `__cause__` is the reason."""


class S3TransferFailedError(Boto3Error):
    """A transfer failed; `__cause__` is the reason."""


class RetriesExceededError(Boto3Error):
    """Never raised: a failed download raises the error of its last attempt."""


class ResourceLoadException(Boto3Error):
    """A resource cannot be loaded."""


class ClientError(CosError):
    """The service returned an error. `error.response["Error"]["Code"]` is its code."""

    MSG_TEMPLATE: ClassVar[str] = "An error occurred ({code}) when calling the {operation} operation{tries}: {message}"

    def __init__(self, error_response: Mapping[str, Any] | ErrorResponseTypeDef, operation_name: str) -> None:
        error = cast("dict[str, Any]", error_response.get("Error", {}))
        metadata = cast("dict[str, Any]", error_response.get("ResponseMetadata", {}))
        tries = f" (reached max retries: {metadata['RetryAttempts']})" if metadata.get("MaxAttemptsReached") else ""
        code, message = error.get("Code", "Unknown"), error.get("Message", "Unknown")
        super().__init__(self.MSG_TEMPLATE.format(code=code, operation=operation_name, tries=tries, message=message))
        self.response = cast("ErrorResponseTypeDef", error_response)
        """The error response: `Error` with `Code` and `Message`, and `ResponseMetadata`."""
        self.operation_name = operation_name
        """Operation that failed, such as `GetObject`."""


class NoSuchKey(ClientError):
    """The object does not exist."""


class NoSuchBucket(ClientError):
    """The bucket does not exist."""


class NoSuchUpload(ClientError):
    """The multipart upload does not exist."""


class BucketAlreadyExists(ClientError):
    """Another account has a bucket of this name."""


class BucketAlreadyOwnedByYou(ClientError):
    """Your account already has a bucket of this name."""


class ObjectNotInActiveTierError(ClientError):
    """The object is archived and has to be restored first."""


class ObjectAlreadyInActiveTierError(ClientError):
    """The object is not archived, so it cannot be restored."""


_MODELED: dict[str, type[ClientError]] = {
    cls.__name__: cls
    for cls in (
        NoSuchKey,
        NoSuchBucket,
        NoSuchUpload,
        BucketAlreadyExists,
        BucketAlreadyOwnedByYou,
        ObjectNotInActiveTierError,
        ObjectAlreadyInActiveTierError,
    )
}


class ClientExceptions:
    """The exception classes of a client: `client.exceptions`."""

    ClientError = ClientError
    NoSuchKey = NoSuchKey
    NoSuchBucket = NoSuchBucket
    NoSuchUpload = NoSuchUpload
    BucketAlreadyExists = BucketAlreadyExists
    BucketAlreadyOwnedByYou = BucketAlreadyOwnedByYou
    ObjectNotInActiveTierError = ObjectNotInActiveTierError
    ObjectAlreadyInActiveTierError = ObjectAlreadyInActiveTierError

    if not TYPE_CHECKING:  # a checker would take any name for an exception

        def __getattr__(self, name: str) -> type[ClientError]:
            valid = ", ".join(["ClientError", *sorted(_MODELED)])
            raise AttributeError(f"{name!r} is not an exception of the client. Valid exceptions are: {valid}")

    def __dir__(self) -> list[str]:
        return ["ClientError", *sorted(_MODELED)]

    def from_code(self, code: str) -> type[ClientError]:
        """Return the exception class of an error code, by default `ClientError`."""
        return _MODELED.get(code, ClientError)


# ---------------------------------------------------------------------------------------------------------------------
# Translation


def response_metadata(status: int, headers: Any, attempts: int) -> dict[str, Any]:
    """Return the `ResponseMetadata` of a response."""
    lower = {name.lower(): value for name, value in headers.items()}
    ids: dict[str, Any] = {}
    if (request_id := lower.get("x-amz-request-id", lower.get("x-clv-request-id"))) is not None:
        ids["RequestId"] = request_id
        ids["HostId"] = lower.get("x-amz-id-2", "")
    return ids | {"HTTPStatusCode": status, "HTTPHeaders": lower, "RetryAttempts": max(attempts - 1, 0)}


def client_error(error: errors.ServiceError, operation: str = "") -> ClientError:
    """Return the `ClientError` for an error of the service."""
    message = error.message
    if not message and error.code == str(error.status):
        # The response to a HEAD request has no body, so its status is the only code.
        message = HTTPStatus(error.status).phrase if error.status in HTTPStatus._value2member_map_ else ""
    reported = {"Code": error.code, "Message": message}
    if error.resource and error.code != str(error.status):
        reported["Resource"] = f"/{error.resource.lstrip('/')}"
    metadata = response_metadata(error.status, error.headers, error.attempts)
    if error.attempts > 1:
        metadata["MaxAttemptsReached"] = True
    cls = _MODELED.get(error.code, ClientError)
    return cls({"Error": reported, "ResponseMetadata": metadata}, operation or error.operation)


def to_botocore_error(error: CosError, operation: str = "") -> CosError:
    """Return the botocore exception for an error of this library."""
    if isinstance(error, BotoCoreError | ClientError):
        return error
    if isinstance(error, errors.ServiceError):
        return client_error(error, operation)
    text = str(error)
    if isinstance(error, errors.ConfigError):
        return ParamValidationError(text)
    if isinstance(error, errors.CredentialsError):
        return NoCredentialsError(text) if text.startswith("no credentials") else CredentialRetrievalError(text)
    if isinstance(error, errors.ConnectError):
        return _connection_error_class(error.__cause__)(text)
    if isinstance(error, errors.RequestTimeoutError):
        return ReadTimeoutError(text) if error.sent else ConnectTimeoutError(text)
    if isinstance(error, errors.ConnectionLostError):
        return ConnectionClosedError(text)
    if isinstance(error, errors.TransportError):
        return HTTPClientError(text)
    if isinstance(error, errors.IntegrityError):
        return FlexibleChecksumError(text)
    if isinstance(error, errors.ProtocolError):
        return ResponseParserError(text)
    return BotoCoreError(text)


def _connection_error_class(cause: BaseException | None) -> type[ConnectionError]:
    if isinstance(cause, ssl.SSLError):
        return SSLError
    return ProxyConnectionError if "Proxy" in type(cause).__name__ else EndpointConnectionError


@contextmanager
def translate_config_errors() -> Generator[None]:
    """Raise errors in the settings of a client as `InvalidConfigError`."""
    try:
        yield
    except BotoCoreError:
        raise
    except errors.ConfigError as error:
        raise InvalidConfigError(str(error)) from error


class translate_errors:
    """Raise errors of this library as botocore exceptions."""

    # A class, because a generator would take several times as long, which shows in the time of a small call.
    __slots__ = ("_operation",)

    def __init__(self, operation: str = "") -> None:
        self._operation = operation

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, CosError):
            translated = to_botocore_error(error, self._operation)
            if translated is not error:
                raise translated from error

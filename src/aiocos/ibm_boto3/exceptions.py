"""The errors of `ibm_botocore`, by their names, and which of them an error of this library is.

Every error keeps the one that it was made of as its cause: what was tried, on what, and whether the request was sent.
"""

from __future__ import annotations

import ssl
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, cast

from aiocos import errors
from aiocos.errors import CosError

if TYPE_CHECKING:
    from aiocos.ibm_boto3.type_defs import ErrorResponseTypeDef


class BotoCoreError(CosError):
    """Anything but an answer of the service."""

    def __init__(self, message: str = "An unspecified error occurred", **kwargs: Any) -> None:
        super().__init__(message)
        self.kwargs = kwargs


class ParamValidationError(BotoCoreError):
    """Parameters that the operation does not take; nothing was sent. `kwargs["report"]` has a line for each."""

    def __init__(self, report: str) -> None:
        super().__init__(f"Parameter validation failed:\n{report}", report=report)

    def __str__(self) -> str:
        # The line breaks are ours.
        return "\n".join(errors.printable(line) for line in self._text().split("\n"))


class TextBodyError(ParamValidationError, TypeError):
    """A body that gives text in place of bytes; nothing was sent. IBM's SDK raises `TypeError` for it."""

    def __init__(self, found: str = "it is a text file") -> None:
        super().__init__(
            f"Invalid value for parameter Body: a bytes-like object is required, not 'str': {found}; open it with mode 'rb'"
        )


class InvalidConfigError(BotoCoreError, errors.ConfigError):
    """What a client was given cannot work."""


class NoCredentialsError(BotoCoreError):
    """No credentials were given, and none were found."""


class PartialCredentialsError(BotoCoreError):
    """Half a pair of keys was given."""


class ProfileNotFound(BotoCoreError):
    """No file has the profile that was named."""

    def __init__(self, profile: str) -> None:
        super().__init__(f"The config profile ({profile}) could not be found", profile=profile)


class NoRegionError(BotoCoreError):
    """Never raised: without a region there is `us-south`."""


class CredentialRetrievalError(BotoCoreError):
    """No token could be had for the credentials."""


class HTTPClientError(BotoCoreError):
    """No answer came."""


class ConnectionError(BotoCoreError):
    """No connection."""


class EndpointConnectionError(ConnectionError):
    """No connection to the endpoint."""


class SSLError(ConnectionError):
    """The certificate of the endpoint was not accepted, or it speaks no TLS."""


class ProxyConnectionError(ConnectionError):
    """No connection to the proxy."""


class ConnectionClosedError(HTTPClientError):
    """The connection ended before the answer did."""


class ReadTimeoutError(HTTPClientError):
    """Nothing moved for too long."""


class ConnectTimeoutError(ConnectionError):
    """No connection in time."""


class ResponseStreamingError(HTTPClientError):
    """A body ended before all of it had come, and could not be taken up again."""


class IncompleteReadError(ResponseStreamingError):
    """Never raised: a body that ends early is a `ResponseStreamingError`."""


class ResponseParserError(BotoCoreError):
    """The answer made no sense."""


class FlexibleChecksumError(BotoCoreError):
    """Bytes and checksum disagree."""


class PaginationError(BotoCoreError):
    """A listing that gives the same page for ever, or a configuration that cannot be followed."""


class WaiterError(BotoCoreError):
    """What was waited for did not come. `last_response` is what the service said last."""

    def __init__(self, name: str, reason: str, last_response: dict[str, Any]) -> None:
        super().__init__(f"Waiter {name} failed: {reason}", name=name, reason=reason)
        self.last_response = last_response


class DataNotFoundError(BotoCoreError):
    """There is no such thing."""


class UnknownServiceError(DataNotFoundError):
    """A service other than S3."""


class UnknownClientMethodError(BotoCoreError):
    """A URL of a method that the client does not have."""


class OperationNotPageableError(BotoCoreError):
    """An operation that gives one page."""


class ResourceNotExistsError(UnknownServiceError):
    """A resource of a service other than S3."""


class Boto3Error(BotoCoreError):
    """What boto3 raises, and not botocore."""


class S3UploadFailedError(Boto3Error):
    """An upload failed; the cause says why."""


class S3TransferFailedError(Boto3Error):
    """A transfer failed; the cause says why."""


class RetriesExceededError(Boto3Error):
    """Never raised: a download that fails raises what its last attempt did."""


class ResourceLoadException(Boto3Error):
    """A resource has nothing to be loaded from."""


class ClientError(CosError):
    """The service answered with an error: `error.response["Error"]["Code"]`, and the call in `operation_name`."""

    MSG_TEMPLATE: ClassVar[str] = "An error occurred ({code}) when calling the {operation} operation{tries}: {message}"

    def __init__(self, error_response: Mapping[str, Any] | ErrorResponseTypeDef, operation_name: str) -> None:
        error = cast("dict[str, Any]", error_response.get("Error", {}))
        metadata = cast("dict[str, Any]", error_response.get("ResponseMetadata", {}))
        tries = f" (reached max retries: {metadata['RetryAttempts']})" if metadata.get("MaxAttemptsReached") else ""
        code, message = error.get("Code", "Unknown"), error.get("Message", "Unknown")
        super().__init__(self.MSG_TEMPLATE.format(code=code, operation=operation_name, tries=tries, message=message))
        self.response = cast("ErrorResponseTypeDef", error_response)
        self.operation_name = operation_name


class NoSuchKey(ClientError):
    """The object does not exist."""


class NoSuchBucket(ClientError):
    """The bucket does not exist."""


class NoSuchUpload(ClientError):
    """The multipart upload does not exist."""


class BucketAlreadyExists(ClientError):
    """Somebody has a bucket of this name."""


class BucketAlreadyOwnedByYou(ClientError):
    """You have a bucket of this name already."""


class ObjectNotInActiveTierError(ClientError):
    """The object is archived."""


class ObjectAlreadyInActiveTierError(ClientError):
    """The object is not archived."""


_MODELLED: dict[str, type[ClientError]] = {
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
    """`client.exceptions`: the error codes that have classes of their own."""

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
            valid = ", ".join(["ClientError", *sorted(_MODELLED)])
            raise AttributeError(f"{name!r} is no exception of the client. Valid exceptions are: {valid}")

    def __dir__(self) -> list[str]:
        return ["ClientError", *sorted(_MODELLED)]

    def from_code(self, code: str) -> type[ClientError]:
        """Return the class of an error code: `ClientError` where it has none of its own."""
        return _MODELLED.get(code, ClientError)


# ---------------------------------------------------------------------------------------------------------------------


def metadata_of(status: int, headers: Any, attempts: int) -> dict[str, Any]:
    """What every answer says besides: `ResponseMetadata`."""
    lower = {name.lower(): value for name, value in headers.items()}
    made: dict[str, Any] = {}
    if (request_id := lower.get("x-amz-request-id", lower.get("x-clv-request-id"))) is not None:
        made["RequestId"] = request_id
        made["HostId"] = lower.get("x-amz-id-2", "")
    return made | {"HTTPStatusCode": status, "HTTPHeaders": lower, "RetryAttempts": max(attempts - 1, 0)}


def client_error(error: errors.ServiceError, operation: str = "") -> ClientError:
    """Say an error of the service as botocore says it."""
    message = error.message
    if not message and error.code == str(error.status):
        # The answer to a HEAD has no body, and no code but its status.
        message = HTTPStatus(error.status).phrase if error.status in HTTPStatus._value2member_map_ else ""
    told = {"Code": error.code, "Message": message}
    if error.resource and error.code != str(error.status):
        told["Resource"] = f"/{error.resource.lstrip('/')}"
    metadata = metadata_of(error.status, error.headers, error.attempts)
    if error.attempts > 1:
        metadata["MaxAttemptsReached"] = True
    cls = _MODELLED.get(error.code, ClientError)
    return cls({"Error": told, "ResponseMetadata": metadata}, operation or error.operation)


def meaning(error: CosError, operation: str = "") -> CosError:
    """Return the error of botocore that an error of this library is."""
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
        return _unconnected(error.__cause__)(text)
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


def _unconnected(cause: BaseException | None) -> type[ConnectionError]:
    if isinstance(cause, ssl.SSLError):
        return SSLError
    return ProxyConnectionError if "Proxy" in type(cause).__name__ else EndpointConnectionError


@contextmanager
def configured() -> Generator[None]:
    """Raise what is wrong with a client's settings as an error of botocore."""
    try:
        yield
    except BotoCoreError:
        raise
    except errors.ConfigError as error:
        raise InvalidConfigError(str(error)) from error


@contextmanager
def understood(operation: str = "") -> Generator[None]:
    """Raise errors of this library as botocore's."""
    try:
        yield
    except CosError as error:
        told = meaning(error, operation)
        if told is error:
            raise
        raise told from error

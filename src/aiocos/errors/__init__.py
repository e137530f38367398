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

from aiocos.errors.base import (
    ConfigError,
    ConnectError,
    ConnectionLostError,
    CosError,
    CredentialsError,
    IntegrityError,
    OutcomeUnknown,
    ProtocolError,
    RequestTimeoutError,
    TransferError,
    TransportError,
    printable,
)
from aiocos.errors.service import (
    AccessDenied,
    BadDigest,
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    Conflict,
    EntityTooLarge,
    EntityTooSmall,
    IncompleteBody,
    InvalidBucketState,
    InvalidObjectState,
    InvalidPart,
    InvalidRange,
    InvalidRequest,
    InvalidSignature,
    MethodNotAllowed,
    MissingContentLength,
    NoSuchBucket,
    NoSuchConfiguration,
    NoSuchKey,
    NoSuchUpload,
    NoSuchVersion,
    NotFound,
    NotModified,
    ObjectAlreadyExists,
    ObjectProtected,
    OperationNotSupported,
    PreconditionFailed,
    Redirected,
    ServiceError,
    Throttled,
    Unauthorized,
    Unavailable,
)

# The order of the tree, which the reference follows.
__all__ = [  # noqa: RUF022
    "CosError",
    "ConfigError",
    "CredentialsError",
    "TransportError",
    "ConnectError",
    "RequestTimeoutError",
    "ConnectionLostError",
    "ServiceError",
    "NotFound",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchUpload",
    "NoSuchVersion",
    "NoSuchConfiguration",
    "AccessDenied",
    "ObjectProtected",
    "InvalidSignature",
    "InvalidObjectState",
    "Unauthorized",
    "MethodNotAllowed",
    "Conflict",
    "BucketAlreadyExists",
    "BucketAlreadyOwnedByYou",
    "BucketNotEmpty",
    "InvalidBucketState",
    "PreconditionFailed",
    "ObjectAlreadyExists",
    "NotModified",
    "InvalidRange",
    "InvalidRequest",
    "BadDigest",
    "IncompleteBody",
    "EntityTooSmall",
    "EntityTooLarge",
    "InvalidPart",
    "MissingContentLength",
    "Redirected",
    "OperationNotSupported",
    "Throttled",
    "Unavailable",
    "ProtocolError",
    "IntegrityError",
    "TransferError",
    "OutcomeUnknown",
    "printable",
]

"""An asyncio-native client for IBM Cloud Object Storage."""

from aiocos.auth.base import Anonymous, BearerToken, Credentials
from aiocos.auth.iam import ApiKey
from aiocos.auth.keys import DualCredentials, Hmac
from aiocos.client import Client
from aiocos.config import ClientConfig, RetryConfig, TransferConfig
from aiocos.errors import (
    AccessDenied,
    ConfigError,
    Conflict,
    ConnectFailed,
    CosError,
    CredentialsError,
    IntegrityError,
    Interrupted,
    NoSuchBucket,
    NoSuchKey,
    NoSuchUpload,
    NotFound,
    NotModified,
    ObjectProtected,
    PreconditionFailed,
    ProtocolError,
    ServiceError,
    Throttled,
    TimedOut,
    TransferError,
    TransportError,
    Unavailable,
    Uncertain,
)
from aiocos.operations.multipart import CompletedPart
from aiocos.operations.objects import ObjectIdentifier
from aiocos.transfer import DirectoryError, DirectoryResult, DownloadResult, FileError, Progress, UploadResult
from aiocos.version import __version__
from aiocos.wire.ranges import ByteRange
from aiocos.wire.values import CopySource, CustomerKey

__all__ = [
    "AccessDenied",
    "Anonymous",
    "ApiKey",
    "BearerToken",
    "ByteRange",
    "Client",
    "ClientConfig",
    "CompletedPart",
    "ConfigError",
    "Conflict",
    "ConnectFailed",
    "CopySource",
    "CosError",
    "Credentials",
    "CredentialsError",
    "CustomerKey",
    "DirectoryError",
    "DirectoryResult",
    "DownloadResult",
    "DualCredentials",
    "FileError",
    "Hmac",
    "IntegrityError",
    "Interrupted",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchUpload",
    "NotFound",
    "NotModified",
    "ObjectIdentifier",
    "ObjectProtected",
    "PreconditionFailed",
    "Progress",
    "ProtocolError",
    "RetryConfig",
    "ServiceError",
    "Throttled",
    "TimedOut",
    "TransferConfig",
    "TransferError",
    "TransportError",
    "Unavailable",
    "Uncertain",
    "UploadResult",
    "__version__",
]

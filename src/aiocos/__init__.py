"""An asyncio-native client for IBM Cloud Object Storage.

Names are loaded when they are first used, `Client` with all the modules that a client needs. In a running event loop that would
block it for a while, so import what you use at the top of a module: `from aiocos import Client`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiocos.auth.base import Anonymous, BearerToken, Credentials
    from aiocos.auth.iam import ApiKey
    from aiocos.auth.keys import DualCredentials, Hmac
    from aiocos.auth.profile import TrustedProfile
    from aiocos.client import Client
    from aiocos.config import ClientConfig, ConcurrencyConfig, HedgeConfig, RetryConfig, TransferConfig
    from aiocos.errors import (
        AccessDenied,
        BadDigest,
        BucketAlreadyExists,
        BucketAlreadyOwnedByYou,
        BucketNotEmpty,
        ConfigError,
        Conflict,
        ConnectError,
        ConnectionLostError,
        CosError,
        CredentialsError,
        EntityTooLarge,
        EntityTooSmall,
        IncompleteBody,
        IntegrityError,
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
        OutcomeUnknown,
        PreconditionFailed,
        ProtocolError,
        Redirected,
        RequestTimeoutError,
        ServiceError,
        Throttled,
        TransferError,
        TransportError,
        Unauthorized,
        Unavailable,
    )
    from aiocos.operations.cors import CorsRule
    from aiocos.operations.lifecycle import (
        AbortIncompleteMultipartUpload,
        Expiration,
        FilterAnd,
        LifecycleFilter,
        LifecycleRule,
        NoncurrentVersionExpiration,
        NoncurrentVersionTransition,
        Transition,
    )
    from aiocos.operations.multipart import CompletedPart
    from aiocos.operations.object_lock import DefaultLock, LockRule, ObjectLockConfiguration, ObjectRetention
    from aiocos.operations.objects import ObjectIdentifier
    from aiocos.operations.protection import ProtectionConfiguration, RetentionDays
    from aiocos.operations.public_access import PublicAccessBlockConfiguration
    from aiocos.operations.replication import (
        DeleteMarkerReplication,
        Destination,
        ReplicationAnd,
        ReplicationConfiguration,
        ReplicationFilter,
        ReplicationRule,
    )
    from aiocos.operations.shared import Tag
    from aiocos.operations.versioning import VersioningConfiguration
    from aiocos.operations.website import (
        ErrorDocument,
        IndexDocument,
        Redirect,
        RedirectAll,
        RoutingCondition,
        RoutingRule,
        WebsiteConfiguration,
    )
    from aiocos.transfer import (
        CopyResult,
        DirectoryError,
        DirectoryResult,
        DownloadResult,
        FileError,
        Progress,
        SyncAction,
        SyncResult,
        TransferHandle,
        UploadResult,
    )
    from aiocos.version import __version__
    from aiocos.wire.ranges import ByteRange
    from aiocos.wire.values import CopySource, CustomerKey
else:
    # Hidden from type checkers: with a `__getattr__` they accept every name, misspelled ones too.
    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOME[name]), name)
        return value


__all__ = [
    "AbortIncompleteMultipartUpload",
    "AccessDenied",
    "Anonymous",
    "ApiKey",
    "BadDigest",
    "BearerToken",
    "BucketAlreadyExists",
    "BucketAlreadyOwnedByYou",
    "BucketNotEmpty",
    "ByteRange",
    "Client",
    "ClientConfig",
    "CompletedPart",
    "ConcurrencyConfig",
    "ConfigError",
    "Conflict",
    "ConnectError",
    "ConnectionLostError",
    "CopyResult",
    "CopySource",
    "CorsRule",
    "CosError",
    "Credentials",
    "CredentialsError",
    "CustomerKey",
    "DefaultLock",
    "DeleteMarkerReplication",
    "Destination",
    "DirectoryError",
    "DirectoryResult",
    "DownloadResult",
    "DualCredentials",
    "EntityTooLarge",
    "EntityTooSmall",
    "ErrorDocument",
    "Expiration",
    "FileError",
    "FilterAnd",
    "HedgeConfig",
    "Hmac",
    "IncompleteBody",
    "IndexDocument",
    "IntegrityError",
    "InvalidBucketState",
    "InvalidObjectState",
    "InvalidPart",
    "InvalidRange",
    "InvalidRequest",
    "InvalidSignature",
    "LifecycleFilter",
    "LifecycleRule",
    "LockRule",
    "MethodNotAllowed",
    "MissingContentLength",
    "NoSuchBucket",
    "NoSuchConfiguration",
    "NoSuchKey",
    "NoSuchUpload",
    "NoSuchVersion",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransition",
    "NotFound",
    "NotModified",
    "ObjectAlreadyExists",
    "ObjectIdentifier",
    "ObjectLockConfiguration",
    "ObjectProtected",
    "ObjectRetention",
    "OperationNotSupported",
    "OutcomeUnknown",
    "PreconditionFailed",
    "Progress",
    "ProtectionConfiguration",
    "ProtocolError",
    "PublicAccessBlockConfiguration",
    "Redirect",
    "RedirectAll",
    "Redirected",
    "ReplicationAnd",
    "ReplicationConfiguration",
    "ReplicationFilter",
    "ReplicationRule",
    "RequestTimeoutError",
    "RetentionDays",
    "RetryConfig",
    "RoutingCondition",
    "RoutingRule",
    "ServiceError",
    "SyncAction",
    "SyncResult",
    "Tag",
    "Throttled",
    "TransferConfig",
    "TransferError",
    "TransferHandle",
    "Transition",
    "TransportError",
    "TrustedProfile",
    "Unauthorized",
    "Unavailable",
    "UploadResult",
    "VersioningConfiguration",
    "WebsiteConfiguration",
    "__version__",
]

# Where each name is, as above.
_MODULES = {
    "aiocos.auth.base": "Anonymous BearerToken Credentials",
    "aiocos.auth.iam": "ApiKey",
    "aiocos.auth.keys": "DualCredentials Hmac",
    "aiocos.auth.profile": "TrustedProfile",
    "aiocos.client": "Client",
    "aiocos.config": "ClientConfig HedgeConfig ConcurrencyConfig RetryConfig TransferConfig",
    "aiocos.errors": """
        AccessDenied BadDigest BucketAlreadyExists BucketAlreadyOwnedByYou BucketNotEmpty ConfigError Conflict
        ConnectError CosError CredentialsError EntityTooLarge EntityTooSmall IncompleteBody IntegrityError
        ConnectionLostError InvalidBucketState InvalidObjectState InvalidPart InvalidRange InvalidRequest
        InvalidSignature MethodNotAllowed MissingContentLength NoSuchBucket NoSuchConfiguration NoSuchKey
        NoSuchUpload NoSuchVersion NotFound NotModified ObjectAlreadyExists ObjectProtected OperationNotSupported
        OutcomeUnknown PreconditionFailed ProtocolError Redirected RequestTimeoutError ServiceError Throttled
        TransferError TransportError Unauthorized Unavailable
    """,
    "aiocos.operations.cors": "CorsRule",
    "aiocos.operations.lifecycle": """
        AbortIncompleteMultipartUpload Expiration FilterAnd LifecycleFilter LifecycleRule
        NoncurrentVersionExpiration NoncurrentVersionTransition Transition
    """,
    "aiocos.operations.multipart": "CompletedPart",
    "aiocos.operations.object_lock": "DefaultLock LockRule ObjectLockConfiguration ObjectRetention",
    "aiocos.operations.objects": "ObjectIdentifier",
    "aiocos.operations.protection": "ProtectionConfiguration RetentionDays",
    "aiocos.operations.public_access": "PublicAccessBlockConfiguration",
    "aiocos.operations.replication": """
        DeleteMarkerReplication Destination ReplicationAnd ReplicationConfiguration ReplicationFilter
        ReplicationRule
    """,
    "aiocos.operations.shared": "Tag",
    "aiocos.operations.versioning": "VersioningConfiguration",
    "aiocos.operations.website": """
        ErrorDocument IndexDocument Redirect RedirectAll RoutingCondition RoutingRule WebsiteConfiguration
    """,
    "aiocos.transfer": """
        CopyResult DirectoryError DirectoryResult DownloadResult FileError TransferHandle Progress SyncAction SyncResult
        UploadResult
    """,
    "aiocos.version": "__version__",
    "aiocos.wire.ranges": "ByteRange",
    "aiocos.wire.values": "CopySource CustomerKey",
}
_HOME = {name: module for module, names in _MODULES.items() for name in names.split()}


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))

"""Operation specs: access control lists of buckets and objects.

IBM documents one canned list, `public-read`. All other access is granted by IAM policies, outside of this interface.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-compatibility-api-object-operations
"""

from dataclasses import KW_ONLY
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from aiocos.operations.shared import (
    AclParams,
    ExpectedOwnerParams,
    Grantee,
    MirrorParams,
    Owner,
    RequestChargedResult,
    RequestPayerParams,
)
from aiocos.wire.document import Element, Extensible
from aiocos.wire.spec import Body, Operation, Query, Result, operation


class Grant(Extensible):
    """One right of one grantee."""

    grantee: Grantee | None = None
    """Receiver of the right."""
    permission: str | None = None
    """The right: `FULL_CONTROL`, `WRITE`, `WRITE_ACP`, `READ` or `READ_ACP`."""


class AclOwner(Owner, Extensible):
    """The owner in an access control list.

    It keeps elements that this library does not know, since the list is written back; the owner in a listing does not.
    """

    root: ClassVar[str] = "Owner"


def _owner(value: Any) -> Any:
    if isinstance(value, AclOwner) or not isinstance(value, Owner | dict):
        return value
    return AclOwner.model_validate(value.__dict__ if isinstance(value, Owner) else value)


class AccessControlPolicy(Extensible, Result):
    """The owner of a bucket or object, and the rights of others."""

    root: ClassVar[str] = "AccessControlPolicy"
    needed: ClassVar[tuple[str, ...]] = ("grants",)

    owner: Annotated[Owner | None, Element("Owner", model=AclOwner), BeforeValidator(_owner)] = None
    """Owner of the bucket or object."""
    grants: Annotated[list[Grant], Element("AccessControlList/Grant")] = []
    """Rights, one per grantee and permission."""


class ObjectAccess(AccessControlPolicy, RequestChargedResult):
    """The access control list of an object."""


@operation("GET", "/{bucket}?acl")
class GetBucketAcl(ExpectedOwnerParams, Operation[AccessControlPolicy]):
    """Return the access control list of a bucket.

    Returns the owner and the grants.

    Raises `NoSuchBucket`, `AccessDenied`.
    """

    bucket: str
    """Name of the bucket."""


@operation("PUT", "/{bucket}?acl")
class PutBucketAcl(AclParams, ExpectedOwnerParams, Operation[Result]):
    """Replace the access control list of a bucket.

    Give one of `policy`, `acl` (a canned list) and the `grant_…` parameters.

    Returns only the request id.

    Raises `NoSuchBucket`, `InvalidRequest` (a malformed policy), `OperationNotSupported` (the service does not support it).
    """

    bucket: str
    """Name of the bucket."""
    policy: Annotated[AccessControlPolicy | None, Body(md5=True)] = None
    """The whole new list, as a document. None if `acl` or grants are given."""


@operation("GET", "/{bucket}/{key}?acl")
class GetObjectAcl(MirrorParams, RequestPayerParams, ExpectedOwnerParams, Operation[ObjectAccess]):
    """Return the access control list of an object.

    Returns the owner and the grants.

    Raises `NoSuchKey`, `AccessDenied`.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None
    """Version of the object. None: the current one."""


@operation("PUT", "/{bucket}/{key}?acl")
class PutObjectAcl(AclParams, RequestPayerParams, ExpectedOwnerParams, Operation[RequestChargedResult]):
    """Replace the access control list of an object.

    `acl="public-read"` lets everybody read the object; `acl=""` takes that back. Give one of `policy`, `acl` and the `grant_…`
    parameters; IBM documents only `acl`.

    Returns only the request id.

    Raises `NoSuchKey`, `AccessDenied`, `InvalidRequest` (a malformed policy).
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    policy: Annotated[AccessControlPolicy | None, Body(md5=True)] = None
    """The whole new list, as a document. None if `acl` or grants are given."""
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None
    """Version of the object. None: the current one."""

"""Access control lists of buckets and objects. COS promises one canned list, `public-read`; access is otherwise IAM's.

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
    """One right of one grantee: FULL_CONTROL, WRITE, WRITE_ACP, READ or READ_ACP."""

    grantee: Grantee | None = None
    permission: str | None = None


class AclOwner(Owner, Extensible):
    """The owner in an access control list, which is written back: what a page of a listing says of an owner is not."""

    root: ClassVar[str] = "Owner"


def _owner(value: Any) -> Any:
    if isinstance(value, AclOwner) or not isinstance(value, Owner | dict):
        return value
    return AclOwner.model_validate(value.__dict__ if isinstance(value, Owner) else value)


class AccessControlPolicy(Extensible, Result):
    """Who owns something, and who may do what with it."""

    root: ClassVar[str] = "AccessControlPolicy"
    needed: ClassVar[tuple[str, ...]] = ("grants",)

    owner: Annotated[Owner | None, Element("Owner", model=AclOwner), BeforeValidator(_owner)] = None
    grants: Annotated[list[Grant], Element("AccessControlList/Grant")] = []


class ObjectAccess(AccessControlPolicy, RequestChargedResult):
    """The access control list of an object."""


@operation("GET", "/{bucket}?acl")
class GetBucketAcl(ExpectedOwnerParams, Operation[AccessControlPolicy]):
    """Read a bucket's access control list."""

    bucket: str


@operation("PUT", "/{bucket}?acl")
class PutBucketAcl(AclParams, ExpectedOwnerParams, Operation[Result]):
    """Replace a bucket's access control list: by a document, a canned name, or grants."""

    bucket: str
    policy: Annotated[AccessControlPolicy | None, Body(md5=True)] = None


@operation("GET", "/{bucket}/{key}?acl")
class GetObjectAcl(MirrorParams, RequestPayerParams, ExpectedOwnerParams, Operation[ObjectAccess]):
    """Read an object's access control list. Raises `NoSuchKey`."""

    bucket: str
    key: str
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None


@operation("PUT", "/{bucket}/{key}?acl")
class PutObjectAcl(AclParams, RequestPayerParams, ExpectedOwnerParams, Operation[RequestChargedResult]):
    """Replace an object's access control list. `acl="public-read"` lets anybody read it; `acl=""` takes that back."""

    bucket: str
    key: str
    policy: Annotated[AccessControlPolicy | None, Body(md5=True)] = None
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None

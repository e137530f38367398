"""Operation specs: versioning of objects in a bucket.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-versioning
"""

from dataclasses import KW_ONLY
from typing import Annotated, ClassVar, Literal

from aiocos.operations.shared import ExpectedOwnerParams
from aiocos.wire.document import Element, Extensible
from aiocos.wire.spec import Body, Header, Operation, Result, operation


class VersioningConfiguration(Extensible, Result):
    """The versioning state of a bucket."""

    root: ClassVar[str] = "VersioningConfiguration"

    status: Literal["Enabled", "Suspended"] | None = None
    """`Enabled`: a write keeps the previous versions of an object. `Suspended`: old versions stay, and a write replaces the
    version with the id `null`. None, as read: versioning was never enabled. Once enabled, it can only be suspended.
    """
    mfa_delete: Annotated[Literal["Enabled", "Disabled"] | None, Element("MfaDelete")] = None
    """Multi-factor authentication for deletions. Part of the S3 protocol; COS doesn't offer it. None leaves it out."""


@operation("GET", "/{bucket}?versioning")
class GetBucketVersioning(ExpectedOwnerParams, Operation[VersioningConfiguration]):
    """Read a bucket's versioning state.

    Returns a `VersioningConfiguration`; its `status` is None if versioning was never enabled.
    """

    bucket: str
    """Name of the bucket."""


@operation("PUT", "/{bucket}?versioning")
class PutBucketVersioning(ExpectedOwnerParams, Operation[Result]):
    """Enable or suspend versioning of a bucket.

    After enabling it for the first time, wait five minutes before you rely on it, as IBM recommends: the change takes time to
    reach the whole service.

    Raises `InvalidBucketState` if the bucket has a retention policy, or if versioning is to be suspended and Object Lock or
    replication needs it; `InvalidRequest` if the status is missing.

    Example: `await cos.versioning.put("b", VersioningConfiguration(status="Enabled"))`
    """

    bucket: str
    """Name of the bucket."""
    configuration: Annotated[VersioningConfiguration, Body(md5=True)]
    """The new state: `VersioningConfiguration(status="Enabled")` or `"Suspended"`."""
    _: KW_ONLY
    mfa: Annotated[str | None, Header("x-amz-mfa")] = None
    """Serial number and code of an authentication device, for `mfa_delete`. COS has no use for it. None sends no header."""

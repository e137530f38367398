"""Versions of objects: kept, or not.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-versioning
"""

from dataclasses import KW_ONLY
from typing import Annotated, ClassVar, Literal

from aiocos.operations.shared import ExpectedOwnerParams
from aiocos.wire.document import Element, Extensible
from aiocos.wire.spec import Body, Header, Operation, Result, operation


class VersioningConfiguration(Extensible, Result):
    """Whether a bucket keeps versions. `status` is None where that was never set."""

    root: ClassVar[str] = "VersioningConfiguration"

    status: Literal["Enabled", "Suspended"] | None = None
    mfa_delete: Annotated[Literal["Enabled", "Disabled"] | None, Element("MfaDelete")] = None
    """Part of the protocol; not offered by COS."""


@operation("GET", "/{bucket}?versioning")
class GetBucketVersioning(ExpectedOwnerParams, Operation[VersioningConfiguration]):
    """Ask whether a bucket keeps versions."""

    bucket: str


@operation("PUT", "/{bucket}?versioning")
class PutBucketVersioning(ExpectedOwnerParams, Operation[Result]):
    """Let a bucket keep versions (`Enabled`), or no more (`Suspended`). Wait some minutes before relying on it.

    Raises `InvalidBucketState`: a retention policy, Object Lock or replication stands against it.
    """

    bucket: str
    configuration: Annotated[VersioningConfiguration, Body(md5=True)]
    _: KW_ONLY
    mfa: Annotated[str | None, Header("x-amz-mfa")] = None

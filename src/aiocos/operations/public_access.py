"""Public access to a bucket by access control lists: blocked, or not.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-iam-public-access
"""

from typing import Annotated, ClassVar

from aiocos.operations.shared import ExpectedOwnerParams
from aiocos.wire.document import Extensible
from aiocos.wire.spec import Body, Operation, Result, operation


class PublicAccessBlockConfiguration(Extensible, Result):
    """What public access control lists may do. Public access that IAM grants is another matter."""

    root: ClassVar[str] = "PublicAccessBlockConfiguration"

    block_public_acls: bool | None = None
    """Refuse new public access control lists."""
    ignore_public_acls: bool | None = None
    """Take no notice of those that are there."""


@operation("GET", "/{bucket}?publicAccessBlock")
class GetPublicAccessBlock(ExpectedOwnerParams, Operation[PublicAccessBlockConfiguration]):
    """Ask what public access control lists may do in a bucket. Raises `NoSuchConfiguration`."""

    bucket: str


@operation("PUT", "/{bucket}?publicAccessBlock")
class PutPublicAccessBlock(ExpectedOwnerParams, Operation[Result]):
    """Say what public access control lists may do in a bucket."""

    bucket: str
    configuration: Annotated[PublicAccessBlockConfiguration, Body(md5=True)]


@operation("DELETE", "/{bucket}?publicAccessBlock", success_status=204)
class DeletePublicAccessBlock(ExpectedOwnerParams, Operation[Result]):
    """Let public access control lists count again."""

    bucket: str

"""Operation specs: the public access block of a bucket.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-compatibility-api-bucket-operations#compatibility-api-add-block
"""

from typing import Annotated, ClassVar

from aiocos.operations.shared import ExpectedOwnerParams
from aiocos.wire.document import Extensible
from aiocos.wire.spec import Body, Operation, Result, operation


class PublicAccessBlockConfiguration(Extensible, Result):
    """The public access block of a bucket.

    It concerns access control lists only. Public access that an IAM policy grants is not affected.
    """

    root: ClassVar[str] = "PublicAccessBlockConfiguration"

    block_public_acls: bool | None = None
    """True refuses requests that set a public access control list, such as `acl="public-read"`; existing lists stay in force.
    None leaves the element out, which counts as False.
    """
    ignore_public_acls: bool | None = None
    """True ignores public access control lists, existing ones too. None leaves the element out, which counts as False."""


@operation("GET", "/{bucket}?publicAccessBlock")
class GetPublicAccessBlock(ExpectedOwnerParams, Operation[PublicAccessBlockConfiguration]):
    """Read a bucket's public access block.

    Returns a `PublicAccessBlockConfiguration`. Raises `NoSuchConfiguration` if the bucket has none.
    """

    bucket: str
    """Name of the bucket."""


@operation("PUT", "/{bucket}?publicAccessBlock")
class PutPublicAccessBlock(ExpectedOwnerParams, Operation[Result]):
    """Replace a bucket's public access block.

    Raises `AccessDenied` without the Manager role.

    Example: `await cos.public_access.put("b", PublicAccessBlockConfiguration(block_public_acls=True))`
    """

    bucket: str
    """Name of the bucket."""
    configuration: Annotated[PublicAccessBlockConfiguration, Body(md5=True)]
    """The new block. Both settings are replaced."""


@operation("DELETE", "/{bucket}?publicAccessBlock", success_status=204)
class DeletePublicAccessBlock(ExpectedOwnerParams, Operation[Result]):
    """Delete a bucket's public access block, so that public lists apply again.

    Succeeds if the bucket has none. Raises `AccessDenied` without the Manager role.
    """

    bucket: str
    """Name of the bucket."""

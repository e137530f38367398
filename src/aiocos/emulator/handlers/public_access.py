"""Whether access control lists may make things public."""

from aiocos.emulator.context import Context, handles
from aiocos.emulator.public import BLOCK
from aiocos.emulator.store import buckets
from aiocos.errors import NoSuchConfiguration
from aiocos.operations.public_access import (
    DeletePublicAccessBlock,
    GetPublicAccessBlock,
    PublicAccessBlockConfiguration,
    PutPublicAccessBlock,
)
from aiocos.wire.spec import Result


@handles(GetPublicAccessBlock)
async def get(ctx: Context, op: GetPublicAccessBlock) -> PublicAccessBlockConfiguration:
    """Read the block."""
    xml = ctx.bucket.settings.get(BLOCK)
    if xml is None:
        raise NoSuchConfiguration(
            "The public access block configuration was not found", status=404, code="NoSuchPublicAccessBlockConfiguration"
        )
    return PublicAccessBlockConfiguration.from_xml(xml.encode())


@handles(PutPublicAccessBlock)
async def put(ctx: Context, op: PutPublicAccessBlock) -> Result:
    """Replace the block. What is not said is false."""
    said = op.configuration
    whole = PublicAccessBlockConfiguration(
        block_public_acls=bool(said.block_public_acls), ignore_public_acls=bool(said.ignore_public_acls)
    )
    xml, bucket = whole.to_xml().decode(), ctx.bucket.id
    await ctx.store.write(lambda t: buckets.set_setting(t, bucket, BLOCK, xml))
    return Result()


@handles(DeletePublicAccessBlock)
async def delete(ctx: Context, op: DeletePublicAccessBlock) -> Result:
    """Remove the block."""
    bucket = ctx.bucket.id
    await ctx.store.write(lambda t: buckets.set_setting(t, bucket, BLOCK, None))
    return Result()

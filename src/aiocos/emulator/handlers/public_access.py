"""Whether access control lists may make things public."""

from aiocos.emulator.context import Context, handles
from aiocos.emulator.handlers.settings import configure, configured, none_of
from aiocos.emulator.public_access import BLOCK
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
    missing = none_of("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
    return configured(ctx, BLOCK, PublicAccessBlockConfiguration, missing)


@handles(PutPublicAccessBlock, role="Manager")
async def put(ctx: Context, op: PutPublicAccessBlock) -> Result:
    """Replace the block. What is not said is false."""
    said = op.configuration
    whole = PublicAccessBlockConfiguration(
        block_public_acls=bool(said.block_public_acls), ignore_public_acls=bool(said.ignore_public_acls)
    )
    return await configure(ctx, BLOCK, whole)


@handles(DeletePublicAccessBlock, role="Manager")
async def delete(ctx: Context, op: DeletePublicAccessBlock) -> Result:
    """Remove the block."""
    return await configure(ctx, BLOCK, None)

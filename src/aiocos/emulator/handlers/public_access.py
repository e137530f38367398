"""Handlers of the public access block of buckets."""

from aiocos.emulator.context import Context, handles
from aiocos.emulator.handlers.configurations import no_configuration, read_configuration, replace_configuration
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
    """Return the block."""
    missing = no_configuration("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
    return read_configuration(ctx, BLOCK, PublicAccessBlockConfiguration, missing)


@handles(PutPublicAccessBlock, role="Manager")
async def put(ctx: Context, op: PutPublicAccessBlock) -> Result:
    """Replace the block. Omitted settings are false."""
    sent = op.configuration
    complete = PublicAccessBlockConfiguration(
        block_public_acls=bool(sent.block_public_acls), ignore_public_acls=bool(sent.ignore_public_acls)
    )
    return await replace_configuration(ctx, BLOCK, complete)


@handles(DeletePublicAccessBlock, role="Manager")
async def delete(ctx: Context, op: DeletePublicAccessBlock) -> Result:
    """Remove the block."""
    return await replace_configuration(ctx, BLOCK, None)

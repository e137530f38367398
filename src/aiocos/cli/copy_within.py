"""Copies within the service, of one object or a prefix.

No object data passes through this machine.
"""

from functools import partial

import typer

from aiocos.cli.display import ProgressView, print_error
from aiocos.cli.paths import CosPath, key_for
from aiocos.client import Client
from aiocos.errors import TransferError
from aiocos.operations.content_headers import CONTENT_HEADERS
from aiocos.transfer import CopyResult
from aiocos.transfer.pool import TaskPool
from aiocos.wire.values import Stored

# Copies at the same time by default. The service does the work; this machine only waits.
_LIMIT = 16


async def copy_object(
    client: Client,
    source: CosPath,
    target: CosPath,
    content_type: str | None,
    metadata: dict[str, str] | None,
    *,
    part_size: int | None,
    concurrency: int | None,
    watch: ProgressView,
) -> CopyResult:
    """Copy one object of any size.

    `content_type` and `metadata` replace those of the source; its other content headers are kept.
    """
    if target.is_folder and not source.name:
        raise typer.BadParameter(
            f"the key of {source} has no name after its last slash: write the key of the copy, not only {target}"
        )
    destination = (target.bucket, key_for(target, source.name))
    if content_type is None and metadata is None:
        return await client.copy(
            source.bucket, source.key, *destination, part_size=part_size, concurrency=concurrency, progress=watch
        )
    # REPLACE drops every header that is not sent, so read the source's headers first. `source_if_match` makes the copy fail if
    # the source was replaced in between.
    info = await client.objects.head(source.bucket, source.key)
    return await client.copy(
        source.bucket,
        source.key,
        *destination,
        metadata_directive="REPLACE",
        source_if_match=info.etag or None,
        content_type=content_type or info.content_type,
        metadata=info.metadata if metadata is None else metadata,
        expires=Stored(info.expires) if info.expires else None,
        **{name: getattr(info, name) for name in CONTENT_HEADERS if name != "content_type"},
        part_size=part_size,
        concurrency=concurrency,
        progress=watch,
    )


async def copy_prefix(
    client: Client, source: CosPath, target: CosPath, concurrency: int | None, watch: ProgressView
) -> dict[str, int]:
    """Copy all objects below a prefix. Returns their number and total size in bytes.

    A copy that fails does not stop the others; `TransferError` at the end says how many failed.
    """

    async def copy(key: str, size: int) -> int:
        await client.copy(source.bucket, key, target.bucket, target.folder + key[len(source.folder) :], progress=watch)
        return size

    async with TaskPool(concurrency or _LIMIT, on_failure=lambda failure: print_error(failure.error)) as pool:
        async for entry in client.objects.list(source.bucket, prefix=source.folder or None):
            await pool.submit("", entry.key, partial(copy, entry.key, entry.size))
    if failures := len(pool.errors):
        raise TransferError(f"{failures} of {pool.files + failures} objects were not copied")
    return {"files": pool.files, "bytes": pool.bytes}

"""Copies within the service: one object, or all below a prefix. The bytes do not come here."""

from functools import partial

import typer

from aiocos.cli.display import ProgressView, complain
from aiocos.cli.paths import CosPath, key_for
from aiocos.client import Client
from aiocos.errors import TransferError
from aiocos.operations.content_headers import CONTENT_HEADERS
from aiocos.transfer import CopyResult
from aiocos.transfer.pool import TaskPool
from aiocos.wire.values import Stored

# Copies in flight by default. They cost work of the service, and no memory or bandwidth here.
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
    """Copy one object, however large.

    What is given of type and metadata replaces the source's. All else that its readers are told is kept.
    """
    if target.is_place and not source.name:
        raise typer.BadParameter(f"{source} has no name that it could have in {target}: name the object")
    there = (target.bucket, key_for(target, source.name))
    if content_type is None and metadata is None:
        return await client.copy(
            source.bucket, source.key, *there, part_size=part_size, concurrency=concurrency, progress=watch
        )
    # Replacing is all or nothing, so the rest is looked up, and what is copied must still be what was looked at.
    info = await client.objects.head(source.bucket, source.key)
    return await client.copy(
        source.bucket,
        source.key,
        *there,
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
    """Copy all objects below a prefix; return how many, and their bytes.

    One that fails does not stop the others; `TransferError` tells of them at the end.
    """

    async def copy(key: str, size: int) -> int:
        await client.copy(source.bucket, key, target.bucket, target.folder + key[len(source.folder) :], progress=watch)
        return size

    async with TaskPool(concurrency or _LIMIT, on_failure=lambda failure: complain(failure.error)) as pool:
        async for entry in client.objects.list(source.bucket, prefix=source.folder or None):
            await pool.submit("", entry.key, partial(copy, entry.key, entry.size))
    if failures := len(pool.errors):
        raise TransferError(f"{failures} of {pool.files + failures} objects were not copied")
    return {"files": pool.files, "bytes": pool.bytes}

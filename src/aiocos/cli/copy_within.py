"""Copies within the service, of one object or a prefix. No object data passes through this machine."""

import asyncio

import typer

from aiocos.cli.display import ProgressView, complain
from aiocos.cli.paths import CosPath, key_for
from aiocos.client import Client
from aiocos.errors import CosError, CredentialsError, NoSuchBucket, TransferError
from aiocos.transfer import CopyResult
from aiocos.transfer.tasks import TaskGroup
from aiocos.wire.values import Stored

# Copies at the same time. The service does the work; this machine only waits.
_AT_ONCE = 16


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
        content_encoding=info.content_encoding,
        content_disposition=info.content_disposition,
        content_language=info.content_language,
        cache_control=info.cache_control,
        expires=Stored(info.expires) if info.expires else None,
        website_redirect_location=info.website_redirect_location,
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
    places = asyncio.Semaphore(concurrency or _AT_ONCE)
    files = size = failures = 0

    async def one(key: str, new: str, length: int) -> None:
        nonlocal files, size, failures
        try:
            await client.copy(source.bucket, key, target.bucket, new, progress=watch)
            files += 1
            size += length
        except (CredentialsError, NoSuchBucket):
            # Every other object would fail too.
            raise
        except CosError as error:
            failures += 1
            complain(str(error))
        finally:
            places.release()

    try:
        async with TaskGroup() as tasks:
            async for entry in client.objects.list(source.bucket, prefix=source.folder or None):
                await places.acquire()
                tasks.create_task(one(entry.key, target.folder + entry.key[len(source.folder) :], entry.size))
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
    if failures:
        raise TransferError(f"{failures} of {files + failures} objects were not copied")
    return {"files": files, "bytes": size}

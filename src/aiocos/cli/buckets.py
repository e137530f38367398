"""`mb`, `rb` and `rm`."""

from collections.abc import AsyncIterator
from typing import Annotated

import typer

from aiocos.cli.arguments import Json, Quiet, Recursive, Yes, settings, sure
from aiocos.cli.display import complain, printable, say, show_json
from aiocos.cli.paths import CosPath
from aiocos.client import Client
from aiocos.errors import NotServed, ServiceError, TransferError
from aiocos.operations.objects import DeleteObjectsResult, ObjectIdentifier

_Bucket = Annotated[str, typer.Argument(help="cos://bucket")]


def mb(
    path: _Bucket,
    location: Annotated[str | None, typer.Option(help="Location and class: us-south-smart.")] = None,
) -> None:
    """Make a bucket."""
    target = _bucket(path)

    async def work(client: Client) -> None:
        await client.buckets.create(target.bucket, location=location)

    settings().run(work)


def rb(
    path: _Bucket,
    force: Annotated[bool, typer.Option("--force", help="Delete all that is in it first.")] = False,
    yes: Yes = False,
) -> None:
    """Remove a bucket, which must be empty."""
    target = _bucket(path)
    if force:
        sure(f"Delete everything in {target.bucket}, all versions and open uploads included?", yes)

    async def work(client: Client) -> None:
        if force:
            await _empty(client, target.bucket)
        await client.buckets.delete(target.bucket)

    settings().run(work)


async def _empty(client: Client, bucket: str) -> None:
    async def versions() -> AsyncIterator[ObjectIdentifier]:
        async for one in client.objects.list_versions(bucket):
            yield ObjectIdentifier(key=one.key, version_id=one.version_id)

    try:
        _judge(await client.objects.delete_many(bucket, versions(), quiet=True))
    except ServiceError as error:
        if not isinstance(error, NotServed) and error.status != 501:
            raise
    _judge(await client.objects.delete_many(bucket, _keys(client, bucket, ""), quiet=True))
    async for upload in client.multipart.list_uploads(bucket):
        await client.multipart.abort(bucket, upload.key, upload.upload_id)


async def _keys(client: Client, bucket: str, prefix: str) -> AsyncIterator[str]:
    async for entry in client.objects.list(bucket, prefix=prefix or None):
        yield entry.key


def rm(
    path: Annotated[str, typer.Argument(help="cos://bucket/key, or a prefix with -r")],
    recursive: Recursive = False,
    yes: Yes = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Delete an object, or with -r everything whose key begins with the path."""
    target = CosPath.parse(path)
    if not target.key and not recursive:
        raise typer.BadParameter(f"{path} is a bucket: `rb` removes it, `rm -r` empties it")
    if not target.key:
        sure(f"Delete everything in {target.bucket}?", yes)

    async def work(client: Client) -> None:
        if not recursive:
            await client.objects.delete(target.bucket, target.key)
            return
        result = await client.objects.delete_many(target.bucket, _keys(client, target.bucket, target.key))
        if as_json:
            show_json(result)
        elif not quiet:
            say(f"{len(result.deleted)} deleted")
        _judge(result)

    settings().run(work)


def _judge(result: DeleteObjectsResult) -> None:
    """Say what could not be deleted, and fail if anything could not."""
    for error in result.errors[:20]:
        complain(f"{printable(error.key)}: {error.code} {error.message}")
    if result.errors:
        raise TransferError(f"{len(result.errors)} objects were not deleted")


def _bucket(path: str) -> CosPath:
    target = CosPath.parse(path)
    if target.key.strip("/"):
        raise typer.BadParameter(f"{path} is no bucket")
    return target

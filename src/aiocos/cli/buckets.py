"""`mb`, `rb` and `rm`."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated

import typer

from aiocos.cli.arguments import Json, Quiet, Recursive, Yes, sure
from aiocos.cli.display import complain, printable, say, show_json
from aiocos.cli.paths import CosPath
from aiocos.cli.running import settings
from aiocos.client import Client
from aiocos.errors import OperationNotSupported, ServiceError, TransferError
from aiocos.operations.objects import DeleteObjectsResult, ObjectIdentifier

# Failures of single keys that are shown; `--json` has all.
_SHOWN = 20

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
        if not isinstance(error, OperationNotSupported) and error.status != 501:
            raise
    _judge(await client.objects.delete_many(bucket, _keys(client, bucket, ""), quiet=True))
    async for upload in client.multipart.list_uploads(bucket):
        await client.multipart.abort(bucket, upload.key, upload.upload_id)


async def _keys(client: Client, bucket: str, prefix: str, count: Callable[[], None] = lambda: None) -> AsyncIterator[str]:
    async for entry in client.objects.list(bucket, prefix=prefix or None):
        count()
        yield entry.key


def rm(
    path: Annotated[str, typer.Argument(help="cos://bucket/key, or a prefix with -r")],
    recursive: Recursive = False,
    yes: Yes = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Delete an object, or with -r everything whose key begins with the path.

    Asks first where that is a whole bucket, or more than the path says: `rm -r cos://b/log` would also delete `login.html`.
    """
    target = CosPath.parse(path)
    if not target.key and not recursive:
        raise typer.BadParameter(f"{path} is a bucket: `rb` removes it, `rm -r` empties it")
    if not target.key:
        sure(f"Delete everything in {target.bucket}?", yes)
    elif recursive and not yes and not target.is_place:
        _sure_of_neighbours(target)

    async def work(client: Client) -> None:
        if not recursive:
            gone = await client.objects.delete(target.bucket, target.key)
            if as_json:
                show_json({"bucket": target.bucket, "key": target.key, **gone.model_dump(mode="json", exclude_none=True)})
            return
        asked = 0

        def count() -> None:
            nonlocal asked
            asked += 1

        # Quiet: what was deleted would be held until the end, for millions of keys.
        result = await client.objects.delete_many(target.bucket, _keys(client, target.bucket, target.key, count), quiet=True)
        deleted = asked - len(result.errors)
        if as_json:
            errors = [error.model_dump(mode="json", exclude_none=True) for error in result.errors]
            show_json({"bucket": target.bucket, "prefix": target.key, "deleted": deleted, "errors": errors})
        elif not quiet:
            say(f"{deleted} deleted")
        _judge(result)

    settings().run(work)


def _sure_of_neighbours(target: CosPath) -> None:
    """Ask where a key begins with the path and does not lie below it, as `login.html` begins with `log`."""
    neighbours: list[str] = []

    async def look(client: Client) -> None:
        async for page in client.objects.list(target.bucket, prefix=target.key, delimiter="/").pages():
            found = (*(entry.key for entry in page.contents), *(prefix.prefix for prefix in page.common_prefixes))
            neighbours.extend(one for one in found if one not in (target.key, target.folder))
            if neighbours:
                return

    settings().run(look)
    if neighbours:
        # Outside of the event loop, which would keep Ctrl-C from whoever is being asked.
        sure(f"Delete {printable(neighbours[0])} and all else that begins with {printable(target.key)}, too?", yes=False)


def _judge(result: DeleteObjectsResult) -> None:
    """Say what could not be deleted, and fail if anything could not."""
    for error in result.errors[:_SHOWN]:
        complain(f"{error.key}: {error.code} {error.message}")
    if result.errors:
        raise TransferError(f"{len(result.errors)} objects were not deleted")


def _bucket(path: str) -> CosPath:
    target = CosPath.parse(path)
    if target.key.strip("/"):
        raise typer.BadParameter(f"{path} is no bucket")
    return target

"""The commands `mb`, `rb` and `rm`."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated

import typer

from aiocos.cli.arguments import Json, Quiet, Recursive, Yes, confirm
from aiocos.cli.display import print_error, print_text, printable, show_json
from aiocos.cli.paths import CosPath
from aiocos.cli.running import settings
from aiocos.client import Client
from aiocos.errors import OperationNotSupported, ServiceError, TransferError
from aiocos.operations.objects import DeleteObjectsResult, ObjectIdentifier

# Number of failed keys to print on standard error; `--json` lists all of them.
_MAX_ERRORS_SHOWN = 20

_Bucket = Annotated[str, typer.Argument(help="cos://bucket")]


def mb(
    path: _Bucket,
    location: Annotated[
        str | None,
        typer.Option(
            help="Location and storage class, such as us-south-smart. Default: the default of the endpoint.", metavar="CODE"
        ),
    ] = None,
) -> None:
    """Create a bucket."""
    target = _parse_bucket(path)

    async def work(client: Client) -> None:
        await client.buckets.create(target.bucket, location=location)

    settings().run(work)


def rb(
    path: _Bucket,
    force: Annotated[bool, typer.Option("--force", help="Delete all objects, versions and open uploads first.")] = False,
    yes: Yes = False,
) -> None:
    """Delete a bucket. It must be empty, unless --force is given."""
    target = _parse_bucket(path)
    if force:
        confirm(f"Delete everything in {target.bucket}, including all versions and open uploads?", yes)

    async def work(client: Client) -> None:
        if force:
            await _empty(client, target.bucket)
        await client.buckets.delete(target.bucket)

    settings().run(work)


async def _empty(client: Client, bucket: str) -> None:
    """Delete all objects and versions of a bucket, and abort its open uploads."""

    async def versions() -> AsyncIterator[ObjectIdentifier]:
        async for version in client.objects.list_versions(bucket):
            yield ObjectIdentifier(key=version.key, version_id=version.version_id)

    try:
        _raise_failures(await client.objects.delete_many(bucket, versions(), quiet=True))
    except ServiceError as error:
        # Services without versioning can have only the objects that are deleted below.
        if not isinstance(error, OperationNotSupported) and error.status != 501:
            raise
    _raise_failures(await client.objects.delete_many(bucket, _keys(client, bucket, ""), quiet=True))
    async for upload in client.multipart.list_uploads(bucket):
        await client.multipart.abort(bucket, upload.key, upload.upload_id)


async def _keys(client: Client, bucket: str, prefix: str, count: Callable[[], None] = lambda: None) -> AsyncIterator[str]:
    async for entry in client.objects.list(bucket, prefix=prefix or None):
        count()
        yield entry.key


def rm(
    path: Annotated[str, typer.Argument(help="cos://bucket/key, or with -r cos://bucket/prefix")],
    recursive: Recursive = False,
    yes: Yes = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Delete an object, or with -r all whose key begins with a prefix.

    Asks for confirmation before it deletes all objects of a bucket, and if the prefix also matches keys outside its folder:
    `rm -r cos://b/log` would delete `login.html` too.
    """
    target = CosPath.parse(path)
    if not target.key and not recursive:
        raise typer.BadParameter(f"{path} is a bucket: use `rb` to delete it, or `rm -r` to delete its objects")
    if not target.key:
        confirm(f"Delete everything in {target.bucket}?", yes)
    elif recursive and not yes and not target.is_folder:
        _confirm_other_matches(target)

    async def work(client: Client) -> None:
        if not recursive:
            result = await client.objects.delete(target.bucket, target.key)
            if as_json:
                show_json({"bucket": target.bucket, "key": target.key, **result.model_dump(mode="json", exclude_none=True)})
            return
        requested = 0

        def count() -> None:
            nonlocal requested
            requested += 1

        # quiet=True: otherwise every deleted key would be kept in memory until the end.
        results = await client.objects.delete_many(target.bucket, _keys(client, target.bucket, target.key, count), quiet=True)
        deleted = requested - len(results.errors)
        if as_json:
            errors = [error.model_dump(mode="json", exclude_none=True) for error in results.errors]
            show_json({"bucket": target.bucket, "prefix": target.key, "deleted": deleted, "errors": errors})
        elif not quiet:
            print_text(f"{deleted} deleted")
        _raise_failures(results)

    settings().run(work)


def _confirm_other_matches(target: CosPath) -> None:
    """Ask for confirmation if the prefix also matches keys outside its folder.

    The prefix `log` also matches `login.html`.
    """
    others: list[str] = []

    async def list_matches(client: Client) -> None:
        async for page in client.objects.list(target.bucket, prefix=target.key, delimiter="/").pages():
            matches = (*(entry.key for entry in page.contents), *(prefix.prefix for prefix in page.common_prefixes))
            others.extend(match for match in matches if match not in (target.key, target.folder))
            if others:
                return

    settings().run(list_matches)
    if others:
        # Ask outside of the event loop: inside it, Ctrl-C would have no effect on the question.
        confirm(f"Also delete {printable(others[0])} and everything else that begins with {printable(target.key)}?", yes=False)


def _raise_failures(result: DeleteObjectsResult) -> None:
    """Raise `TransferError` if keys were not deleted, after printing them."""
    for error in result.errors[:_MAX_ERRORS_SHOWN]:
        print_error(f"{error.key}: {error.code} {error.message}")
    if result.errors:
        raise TransferError(f"{len(result.errors)} objects were not deleted")


def _parse_bucket(path: str) -> CosPath:
    target = CosPath.parse(path)
    if target.key.strip("/"):
        raise typer.BadParameter(f"{path} is not a bucket: write cos://bucket")
    return target

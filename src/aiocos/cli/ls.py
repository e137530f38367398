"""The commands `ls` and `head`."""

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, cast

import typer
from pydantic import BaseModel

from aiocos.cli.arguments import Json, Recursive
from aiocos.cli.display import format_size, format_time, print_text, printable, show_json
from aiocos.cli.paths import CosPath
from aiocos.cli.running import settings
from aiocos.client import Client
from aiocos.errors import InvalidRequest, OperationNotSupported, ServiceError

if TYPE_CHECKING:
    from aiocos.operations.buckets import BucketEntry
    from aiocos.operations.listing import ObjectEntry


def ls(
    path: Annotated[
        str | None,
        typer.Argument(help="cos://bucket or cos://bucket/prefix. Without a path, buckets are listed.", show_default=False),
    ] = None,
    recursive: Recursive = False,
    long: Annotated[bool, typer.Option("--long", "-l", help="Show time, size and storage class.")] = False,
    exact: Annotated[bool, typer.Option("--bytes", "-b", help="Show sizes in bytes.")] = False,
    as_json: Json = False,
) -> None:
    """List buckets, or the objects and prefixes in a bucket.

    Keys are listed up to the next slash, as in a directory; with -r, all keys that begin with the prefix.
    """
    target = CosPath.parse(path) if path is not None else None

    async def work(client: Client) -> None:
        if target is None:
            await _list_buckets(client, long, as_json)
        else:
            await _list_keys(client, target, recursive, long, exact, as_json)

    settings().run(work)


async def _list_buckets(client: Client, long: bool, as_json: bool) -> None:
    def show(bucket: "BucketEntry") -> None:
        if as_json:
            show_json(bucket)
        elif long:
            print_text(f"{format_time(bucket.creation_date):19}  {bucket.location_constraint or '':20}  cos://{bucket.name}")
        else:
            print_text(f"cos://{bucket.name}")

    any_shown = False
    try:
        async for bucket in client.buckets.list_extended():
            show(bucket)
            any_shown = True
    except (OperationNotSupported, InvalidRequest):
        # Other S3 services have only the plain listing of buckets. After a first page, listing again would repeat buckets.
        if any_shown:
            raise
        for bucket in await client.buckets.list():
            show(bucket)


async def _list_keys(client: Client, path: CosPath, recursive: bool, long: bool, exact: bool, as_json: bool) -> None:
    def show(entry: "ObjectEntry") -> None:
        if as_json:
            show_json(entry)
        elif long:
            size = str(entry.size) if exact else format_size(entry.size)
            print_text(
                f"{format_time(entry.last_modified):19}  {size:>12}  {entry.storage_class or '-':12}  {printable(entry.key)}"
            )
        else:
            print_text(printable(entry.key))

    listing = client.objects.list(path.bucket, prefix=path.key or None, delimiter=None if recursive else "/")
    async for page in listing.pages():
        for prefix in page.common_prefixes:
            if as_json:
                show_json({"prefix": prefix.prefix})
            else:
                print_text(f"{'':19}  {'':>12}  {'':12}  {printable(prefix.prefix)}" if long else printable(prefix.prefix))
        for entry in page.contents:
            show(entry)


def head(path: Annotated[str, typer.Argument(help="cos://bucket or cos://bucket/key")], as_json: Json = False) -> None:
    """Show the properties of a bucket or object."""
    target = CosPath.parse(path)

    async def work(client: Client) -> None:
        properties = await _properties(client, target, as_json)
        if as_json:
            show_json(properties)
            return
        for name, value in properties.items():
            if isinstance(value, dict):
                for key, item in cast("dict[str, object]", value).items():
                    print_text(f"{f'{name}.{key}':24}  {printable(str(item))}")
            else:
                print_text(f"{name:24}  {printable(str(value))}")

    settings().run(work)


async def _properties(client: Client, target: CosPath, as_json: bool) -> dict[str, object]:
    def fields(info: BaseModel) -> dict[str, object]:
        if as_json:
            return info.model_dump(mode="json", exclude_none=True)
        return info.model_dump(exclude_none=True, exclude_defaults=True)

    if target.key:
        return {"bucket": target.bucket, "key": target.key, **fields(await client.objects.head(target.bucket, target.key))}
    properties: dict[str, object] = {"bucket": target.bucket, **fields(await client.buckets.head(target.bucket))}
    # HEAD of a bucket does not return the location. To read it needs another permission, and some services do not offer it.
    with suppress(ServiceError):
        if location := (await client.buckets.location(target.bucket)).location:
            properties["location"] = location
    return properties

"""`uploads`: multipart uploads that were begun, and neither completed nor aborted: they cost money, and no listing has them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from aiocos.cli.arguments import Json, Yes, sure
from aiocos.cli.display import complain, human, moment, printable, say, show_json
from aiocos.cli.paths import CosPath
from aiocos.cli.running import settings
from aiocos.client import Client
from aiocos.errors import CosError, NoSuchUpload, TransferError
from aiocos.operations.multipart import UploadEntry

uploads = typer.Typer(no_args_is_help=True, help="Multipart uploads that are still open.")

Where = Annotated[str, typer.Argument(help="cos://bucket, or cos://bucket/prefix.")]
Older = Annotated[str | None, typer.Option(help="Only those begun longer ago: 30m, 12h, 7d.", metavar="AGE")]


@uploads.command("ls")
def ls(
    where: Where,
    older_than: Older = None,
    parts: Annotated[bool, typer.Option("--parts", help="Count parts and bytes: a request for each upload.")] = False,
    as_json: Json = False,
) -> None:
    """List open uploads: when they were begun, their key and id."""
    path, age = CosPath.parse(where), _age(older_than)

    async def work(client: Client) -> None:
        async for upload in client.multipart.list_uploads(path.bucket, prefix=path.key or None):
            if not _is_older(upload, age):
                continue
            count, size = await _held(client, path.bucket, upload) if parts else (None, None)
            if as_json:
                held = {} if count is None else {"parts": count, "bytes": size}
                show_json({**upload.model_dump(mode="json", exclude_none=True), **held})
                continue
            told = "" if count is None or size is None else f"  {count:>6,} parts  {human(size):>10}"
            say(f"{moment(upload.initiated)}{told}  {printable(upload.key)}  {upload.upload_id}")

    settings().run(work)


@uploads.command("abort")
def abort(
    where: Where,
    older_than: Older = None,
    upload_id: Annotated[str | None, typer.Option(help="This one only.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Show what would be aborted.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Abort open uploads, and free what their parts take.

    An upload that is under way somewhere fails by this, and one that waits to be resumed begins anew: say how old they are.
    """
    path, age = CosPath.parse(where), _age(older_than)
    if age is None and upload_id is None and not dry_run:
        sure(f"Abort all uploads in {path}, those under way too?", yes)

    async def work(client: Client) -> None:
        done = failed = 0
        async for upload in client.multipart.list_uploads(path.bucket, prefix=path.key or None):
            if not _is_older(upload, age) or upload_id not in (None, upload.upload_id):
                continue
            if not dry_run:
                try:
                    await client.multipart.abort(path.bucket, upload.key, upload.upload_id)
                except NoSuchUpload:
                    continue  # it has ended meanwhile
                except CosError as error:
                    failed += 1
                    complain(str(error))
                    continue
            done += 1
            if as_json:
                show_json({"bucket": path.bucket, "key": upload.key, "upload_id": upload.upload_id, "aborted": not dry_run})
            else:
                say(f"{'would abort' if dry_run else 'aborted'} {printable(upload.key)} {upload.upload_id}")
        if upload_id is not None and not done and not failed:
            raise TransferError(f"{path}: there is no open upload {upload_id}")
        if failed:
            raise TransferError(f"{failed} of {done + failed} uploads were not aborted")

    settings().run(work)


async def _held(client: Client, bucket: str, upload: UploadEntry) -> tuple[int, int]:
    count = size = 0
    try:
        async for part in client.multipart.list_parts(bucket, upload.key, upload.upload_id):
            count, size = count + 1, size + (part.size or 0)
    except NoSuchUpload:
        pass  # it has ended meanwhile
    return count, size


_AGE = re.compile(r"(\d+)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _age(text: str | None) -> timedelta | None:
    if text is None:
        return None
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no age: 30m, 12h, 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _is_older(upload: UploadEntry, age: timedelta | None) -> bool:
    # Of one whose beginning is not told nobody knows its age.
    return age is None or (upload.initiated is not None and datetime.now(UTC) - upload.initiated > age)

"""The commands `uploads ls` and `uploads abort`.

An open multipart upload is neither completed nor aborted. Its parts cost money and do not appear in object listings.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from aiocos.cli.arguments import Json, Yes, confirm
from aiocos.cli.display import complain, human, moment, printable, say, show_json
from aiocos.cli.paths import CosPath
from aiocos.cli.running import settings
from aiocos.client import Client
from aiocos.errors import CosError, NoSuchUpload, TransferError
from aiocos.operations.multipart import UploadEntry

uploads = typer.Typer(no_args_is_help=True, help="Multipart uploads that are still open.")

Where = Annotated[str, typer.Argument(help="cos://bucket, or cos://bucket/prefix.")]
Older = Annotated[str | None, typer.Option(help="Only uploads started longer ago than this: 30m, 12h, 7d.", metavar="AGE")]


@uploads.command("ls")
def ls(
    where: Where,
    older_than: Older = None,
    parts: Annotated[bool, typer.Option("--parts", help="Count parts and bytes; sends one more request per upload.")] = False,
    as_json: Json = False,
) -> None:
    """List open uploads: start time, key and upload id."""
    path, age = CosPath.parse(where), _age(older_than)

    async def work(client: Client) -> None:
        async for upload in client.multipart.list_uploads(path.bucket, prefix=path.key or None):
            if not _is_older(upload, age):
                continue
            count, size = await _count_parts(client, path.bucket, upload) if parts else (None, None)
            if as_json:
                totals = {} if count is None else {"parts": count, "bytes": size}
                show_json({**upload.model_dump(mode="json", exclude_none=True), **totals})
                continue
            totals_text = "" if count is None or size is None else f"  {count:>6,} parts  {human(size):>10}"
            say(f"{moment(upload.initiated)}{totals_text}  {printable(upload.key)}  {upload.upload_id}")

    settings().run(work)


@uploads.command("abort")
def abort(
    where: Where,
    older_than: Older = None,
    upload_id: Annotated[str | None, typer.Option(help="Abort only the upload with this id.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Show the uploads that would be aborted, without aborting them.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Abort open uploads and free the storage of their parts.

    This makes uploads fail that are still running elsewhere, and an upload that could be resumed must start again: use
    --older-than to leave recent uploads alone.
    """
    path, age = CosPath.parse(where), _age(older_than)
    if age is None and upload_id is None and not dry_run:
        confirm(f"Abort all uploads in {path}, including running ones?", yes)

    async def work(client: Client) -> None:
        done = failed = 0
        async for upload in client.multipart.list_uploads(path.bucket, prefix=path.key or None):
            if not _is_older(upload, age) or upload_id not in (None, upload.upload_id):
                continue
            if not dry_run:
                try:
                    await client.multipart.abort(path.bucket, upload.key, upload.upload_id)
                except NoSuchUpload:
                    continue  # completed or aborted in the meantime
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


async def _count_parts(client: Client, bucket: str, upload: UploadEntry) -> tuple[int, int]:
    count = size = 0
    try:
        async for part in client.multipart.list_parts(bucket, upload.key, upload.upload_id):
            count, size = count + 1, size + (part.size or 0)
    except NoSuchUpload:
        pass  # completed or aborted in the meantime
    return count, size


_AGE = re.compile(r"(\d+)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _age(text: str | None) -> timedelta | None:
    if text is None:
        return None
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise typer.BadParameter(f"{text!r} is not an age: write 30m, 12h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _is_older(upload: UploadEntry, age: timedelta | None) -> bool:
    # An upload without a start time has an unknown age: it is never older.
    return age is None or (upload.initiated is not None and datetime.now(UTC) - upload.initiated > age)

"""The commands `uploads ls` and `uploads abort`.

A multipart upload is open until it is completed or aborted. Its parts cost money and do not appear in object listings.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from aiocos.cli.arguments import Json, Yes, confirm
from aiocos.cli.display import format_size, format_time, print_error, print_text, printable, show_json
from aiocos.cli.flags import Command, Group
from aiocos.cli.paths import CosPath
from aiocos.cli.running import settings
from aiocos.client import Client
from aiocos.errors import CosError, NoSuchUpload, TransferError
from aiocos.operations.multipart import UploadEntry

uploads = typer.Typer(cls=Group, no_args_is_help=True, help="List and abort multipart uploads that are still open.")

_AGE = re.compile(r"(\d+)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_age(text: str) -> timedelta:
    """Parse an age: `90s`, `30m`, `12h`, `7d`, `2w`."""
    match = _AGE.fullmatch(text.strip().lower())
    if match is None:
        raise typer.BadParameter(f"{text!r} is not an age: write 30m, 12h or 7d")
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    except (OverflowError, ValueError):
        raise typer.BadParameter(f"the age {text[:40]!r} is too long") from None


_Path = Annotated[str, typer.Argument(help="cos://bucket or cos://bucket/prefix")]
_OlderThan = Annotated[
    timedelta | None,
    typer.Option(help="Only uploads started longer ago than this: 30m, 12h, 7d.", metavar="AGE", parser=parse_age),
]


@uploads.command("ls", cls=Command)
def ls(
    path: _Path,
    older_than: _OlderThan = None,
    parts: Annotated[
        bool, typer.Option("--parts", help="Show the number of parts and their size; needs one more request per upload.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List open uploads: start time, key and upload id."""
    prefix = CosPath.parse(path)

    async def work(client: Client) -> None:
        async for upload in client.multipart.list_uploads(prefix.bucket, prefix=prefix.key or None):
            if not _is_older(upload, older_than):
                continue
            count, size = await _count_parts(client, prefix.bucket, upload) if parts else (None, None)
            if as_json:
                totals = {} if count is None else {"parts": count, "bytes": size}
                show_json({**upload.model_dump(mode="json", exclude_none=True), **totals})
                continue
            totals_text = "" if count is None or size is None else f"  {count:>6,} parts  {format_size(size):>10}"
            print_text(f"{format_time(upload.initiated)}{totals_text}  {printable(upload.key)}  {upload.upload_id}")

    settings().run(work)


@uploads.command("abort", cls=Command)
def abort(
    path: _Path,
    older_than: _OlderThan = None,
    upload_id: Annotated[str | None, typer.Option(help="Abort only the upload with this id.", metavar="ID")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Show the uploads that would be aborted, without aborting them.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Abort open uploads and free the storage of their parts.

    If another program is still sending an upload, its upload fails. An upload that could be resumed has to start again. Use
    --older-than to spare recent uploads.
    """
    prefix = CosPath.parse(path)
    if older_than is None and upload_id is None and not dry_run:
        confirm(f"Abort all uploads in {prefix}, including running ones?", yes)

    async def work(client: Client) -> None:
        done = failed = 0
        async for upload in client.multipart.list_uploads(prefix.bucket, prefix=prefix.key or None):
            if not _is_older(upload, older_than) or upload_id not in (None, upload.upload_id):
                continue
            if not dry_run:
                try:
                    await client.multipart.abort(prefix.bucket, upload.key, upload.upload_id)
                except NoSuchUpload:
                    continue  # Completed or aborted in the meantime.
                except CosError as error:
                    failed += 1
                    print_error(str(error))
                    continue
            done += 1
            if as_json:
                show_json({"bucket": prefix.bucket, "key": upload.key, "upload_id": upload.upload_id, "aborted": not dry_run})
            else:
                print_text(f"{'would abort' if dry_run else 'aborted'} {printable(upload.key)} {upload.upload_id}")
        if upload_id is not None and not done and not failed:
            raise TransferError(f"{prefix} has no open upload with the id {upload_id}")
        if failed:
            raise TransferError(f"{failed} of {done + failed} uploads were not aborted")

    settings().run(work)


async def _count_parts(client: Client, bucket: str, upload: UploadEntry) -> tuple[int, int]:
    count = size = 0
    try:
        async for part in client.multipart.list_parts(bucket, upload.key, upload.upload_id):
            count, size = count + 1, size + (part.size or 0)
    except NoSuchUpload:
        pass  # Completed or aborted in the meantime.
    return count, size


def _is_older(upload: UploadEntry, age: timedelta | None) -> bool:
    # An upload without a start time has an unknown age: it does not count as older.
    return age is None or (upload.initiated is not None and datetime.now(UTC) - upload.initiated > age)

"""Helpers of this suite."""

from __future__ import annotations

from aiocos import Client, NotFound


async def open_uploads(cos: Client, bucket: str) -> list[tuple[str, str]]:
    """Return key and id of every upload that is neither completed nor aborted."""
    try:
        return [(upload.key, upload.upload_id) async for upload in cos.multipart.list_uploads(bucket)]
    except NotFound:
        # rclone: a bucket that never had an upload has no listing of uploads.
        return []

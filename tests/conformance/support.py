"""What the tests of this suite share."""

from __future__ import annotations

from aiocos import Client, NotFound


async def open_uploads(cos: Client, bucket: str) -> list[tuple[str, str]]:
    """Key and id of every upload that is neither completed nor aborted."""
    try:
        return [(upload.key, upload.upload_id) async for upload in cos.multipart.list_uploads(bucket)]
    except NotFound:
        # rclone: a bucket that never had an upload has no list of them.
        return []

"""A user's module with the typed client, accepted by pyright (strict) and mypy (`--strict`). Nothing here is run."""

# pyright: strict

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import assert_type

import aiocos
from aiocos import ByteRange, Client, CopySource, ObjectIdentifier, Progress, TransferHandle, UploadResult
from aiocos.operations.buckets import BucketEntry, BucketList
from aiocos.operations.listing import DeleteMarker, ListObjectsV2Result, ObjectEntry, ObjectVersion
from aiocos.operations.multipart import Part, UploadEntry
from aiocos.operations.object_info import ObjectInfo
from aiocos.operations.objects import CopyObjectResult, DeleteObjectsResult, PutObjectResult
from aiocos.operations.protection import NamedLegalHold, RetentionState
from aiocos.wire.spec import Result


class Photos:
    """Photos in a bucket."""

    def __init__(self, cos: Client, bucket: str) -> None:
        self._cos = cos
        self._bucket = bucket

    async def add(self, name: str, content: bytes, *, tags: dict[str, str] | None = None) -> str:
        """Store a photo and return its ETag."""
        result = await self._cos.objects.put(
            self._bucket,
            name,
            content,
            content_type="image/jpeg",
            metadata={"added-by": "web"},
            tagging=tags,
            if_none_match="*",
            expires=datetime.now(UTC) + timedelta(days=7),
        )
        assert_type(result, PutObjectResult)
        return result.etag

    async def names(self, prefix: str) -> AsyncIterator[str]:
        """Yield the names of photos."""
        async for entry in self._cos.objects.list(self._bucket, prefix=prefix, max_keys=100):
            assert_type(entry, ObjectEntry)
            yield entry.key

    async def head(self, name: str) -> bytes:
        """Return the first bytes of a photo."""
        first = await self._cos.objects.read(self._bucket, name, range="bytes=0-9")
        assert_type(await self._cos.objects.read(self._bucket, name, range=ByteRange(0, 9)), bytes)
        return first

    async def info(self, name: str) -> dict[str, str]:
        """Return the metadata of a photo."""
        info = await self._cos.objects.head(self._bucket, name)
        assert_type(info, ObjectInfo)
        assert_type(info.last_modified, datetime | None)
        return info.metadata


async def listings(cos: Client) -> None:
    """All listings are read in the same three ways."""
    assert_type(await cos.buckets.list(), list[BucketEntry])
    assert_type(await cos.objects.list("b"), list[ObjectEntry])
    assert_type(await cos.objects.list_versions("b"), list[ObjectVersion | DeleteMarker])
    assert_type(await cos.multipart.list_uploads("b"), list[UploadEntry])
    assert_type(await cos.multipart.list_parts("b", "k", "u"), list[Part])
    assert_type(await cos.legal_holds.list("b", "k"), list[NamedLegalHold])
    assert_type(await cos.retention.get("b", "k"), RetentionState)
    async for bucket in cos.buckets.list():
        assert_type(bucket, BucketEntry)
    async for buckets in cos.buckets.list().pages():
        assert_type(buckets, BucketList)
    async for page in cos.objects.list("b", delimiter="/").pages():
        assert_type(page, ListObjectsV2Result)
        print([one.prefix for one in page.common_prefixes])


async def streams(cos: Client) -> None:
    """Reads are streams."""
    async with cos.objects.get("b", "k") as obj:
        async for chunk in obj:
            assert_type(chunk, bytes)


async def more(cos: Client, handle: TransferHandle[UploadResult]) -> None:
    """Copies, deletions, transfers."""
    assert_type(await cos.objects.copy("b", "k", CopySource("b", "from")), CopyObjectResult)
    assert_type(await cos.objects.copy("b", "k", ("b", "from")), CopyObjectResult)
    assert_type(await cos.objects.delete_many("b", ["a", ObjectIdentifier(key="b")]), DeleteObjectsResult)
    await cos.objects.delete_many("b", cos.objects.list("b"))
    await cos.objects.delete_many("b", await cos.objects.list_versions("b"))
    assert_type(await cos.objects.restore("b", "k", days=2), Result)
    assert_type(await cos.objects.restore("b", "k", days=2, wait=True), ObjectInfo)
    assert_type(await cos.upload("b", "k", Path("file"), progress=show), UploadResult)
    assert_type(cos.start_upload("b", "k", b"data"), TransferHandle[UploadResult])
    assert_type(await handle, UploadResult)
    async for action in cos.sync_plan("here", "cos://b/there"):
        print(action.kind, action.target)


def show(progress: Progress) -> None:
    """Show a transfer's progress."""
    print(progress.bytes_done, progress.bytes_total)


async def main() -> None:
    """Use the client."""
    async with aiocos.Client(region="us-south", api_key="…", service_instance_id="crn:…") as cos:
        photos = Photos(cos, "photos")
        try:
            print(await photos.add("a.jpg", b"data", tags={"team": "web"}))
        except aiocos.PreconditionFailed as error:
            print(error.request_id)

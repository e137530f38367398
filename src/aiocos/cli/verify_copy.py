"""Verify that a copy is complete before `mv` deletes its source: the size and a checksum must agree.

Without that proof the source is kept, even if nothing indicates a bad copy: a service whose ETags are not MD5s and that returns
no checksum gives no verification of the bytes that it stored.
"""

import asyncio
from pathlib import Path

from aiocos.cli.paths import CosPath
from aiocos.client import Client
from aiocos.errors import InvalidRequest, NotFound, TransferError
from aiocos.groups import engine_of
from aiocos.integrity import find_verification
from aiocos.operations.objects import GetObject, HeadObject, ObjectInfo
from aiocos.transfer import CopyResult, DownloadResult, UploadResult
from aiocos.transfer.sync.comparator import file_agrees
from aiocos.wire import digest

# Bytes per checksum update, if the source has to be read.
_STEP = 1 << 20
_CHECKSUMS = ("checksum_sha256", "checksum_crc64nvme", "checksum_crc32c", "checksum_crc32", "checksum_sha1")


class CopyVerifier:
    """Verifies the copies of one `mv` command; remembers which buckets have MD5 ETags."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._md5s: dict[str, bool] = {}

    async def uploaded(self, source: Path, size: int, result: UploadResult) -> None:
        """Verify that an object equals a file of `size` bytes. Raises `TransferError` if that cannot be shown."""
        target = CosPath(result.bucket, result.key)
        if result.verified is None:
            raise _unproven(source, target, "the service confirmed no checksum of what was sent")
        info = await self._look_at(target, result.version_id, result.etag)
        if result.size != size or info.content_length != size:
            raise _unproven(source, target, f"the file has {size} bytes, the object {info.content_length}")
        # Some services give a multipart object another ETag than its completion returned: then compare the file itself.
        if digest.bare(info.etag) != digest.bare(result.etag) and not await self._holds(source, target, info):
            raise _unproven(source, target, f"the object was replaced since: it has the ETag {info.etag}, not {result.etag}")

    async def downloaded(self, source: CosPath, result: DownloadResult) -> None:
        """Verify that a file equals its object and that the object was not replaced. Raises `TransferError` otherwise."""
        assert result.path is not None
        if result.verified is None:
            raise _unproven(source, result.path, "the service gives no checksum that could be compared")
        there = await asyncio.to_thread(result.path.stat)
        if there.st_size != result.size:
            raise _unproven(source, result.path, f"the object has {result.size} bytes, the file {there.st_size}")
        await self.unchanged(source, result.etag, result.size)

    async def unchanged(self, source: CosPath, etag: str, size: int) -> None:
        """Raise `TransferError` if an object is no longer the one that was copied."""
        now = await self._look(source)
        if not etag or digest.bare(now.etag) != digest.bare(etag) or now.content_length != size:
            raise TransferError(f"{source} was replaced while it was moved: it is kept; its earlier content was copied")

    async def copied(self, source: CosPath, info: ObjectInfo, result: CopyResult) -> None:
        """Verify that an object is a copy of another, whose HEAD result before the copy was `info`."""
        target = CosPath(result.bucket, result.key)
        copy = await self._look_at(target, result.version_id, result.etag)
        if info.content_length is None or copy.content_length != info.content_length:
            raise _unproven(source, target, f"the source has {info.content_length} bytes, the copy {copy.content_length}")
        if digest.bare(copy.etag) != digest.bare(result.etag):
            raise _unproven(source, target, f"the copy was replaced since: it has the ETag {copy.etag}, not {result.etag}")
        agree = _agree(info, copy)
        if agree is None and await self._same_etags(source, info, target, copy):
            agree = True
        if agree is None:
            # The ETags are of different kinds or may not be MD5s: compute the copy's checksum from the source.
            agree = await self._read(source, info, target, copy)
        if not agree:
            raise _unproven(source, target, "the service gives no checksums of the two that agree")

    async def _look_at(self, path: CosPath, version_id: str | None, etag: str) -> ObjectInfo:
        """Return the HEAD result of a written object; of its version, if the object was replaced since.

        Some services without versioning return a version id that cannot be requested.
        """
        now = await self._look(path)
        if version_id is None or digest.bare(now.etag) == digest.bare(etag):
            return now
        try:
            return await self._look(path, version_id)
        except (InvalidRequest, NotFound):
            return now

    async def _holds(self, source: Path, target: CosPath, info: ObjectInfo) -> bool:
        """Return True if the object's checksum agrees with the file."""
        verification = await find_verification(engine_of(self._client), GetObject(target.bucket, target.key), info)
        return verification is not None and await asyncio.to_thread(file_agrees, source, verification.checksum)

    async def _look(self, path: CosPath, version_id: str | None = None) -> ObjectInfo:
        return await engine_of(self._client).call(
            HeadObject(path.bucket, path.key, version_id=version_id, checksum_mode="ENABLED")
        )

    async def _same_etags(self, source: CosPath, info: ObjectInfo, target: CosPath, copy: ObjectInfo) -> bool:
        for path, one in ((source, info), (target, copy)):
            if one.customer_algorithm is not None or one.server_side_encryption not in (None, "AES256"):
                return False
            if not digest.is_md5(one.etag) and digest.part_count(one.etag) is None:
                return False
            if path.bucket not in self._md5s:
                self._md5s[path.bucket] = await engine_of(self._client).has_md5_etags(path.bucket)
            if not self._md5s[path.bucket]:
                return False
        return digest.bare(info.etag) == digest.bare(copy.etag)

    async def _read(self, source: CosPath, info: ObjectInfo, target: CosPath, copy: ObjectInfo) -> bool:
        engine = engine_of(self._client)
        verification = await find_verification(engine, GetObject(target.bucket, target.key, version_id=copy.version_id), copy)
        if verification is None or not info.etag:
            return False
        pending: list[bytes] = []
        async with self._client.objects.get(
            source.bucket, source.key, version_id=info.version_id, if_match=info.etag
        ) as stream:
            async for chunk in stream:
                pending.append(chunk)
                if sum(map(len, pending)) >= _STEP:
                    await asyncio.to_thread(verification.checksum.update, b"".join(pending))
                    pending = []
        await asyncio.to_thread(verification.checksum.update, b"".join(pending))
        return await verification.check(verification.checksum, f"the copy {target} of {source}")


def _agree(one: ObjectInfo, other: ObjectInfo) -> bool | None:
    """Compare full-object checksums. Returns None if the two have none in common."""
    for name in _CHECKSUMS:
        mine, theirs = getattr(one, name), getattr(other, name)
        whole = mine and theirs and "-" not in mine and "-" not in theirs
        if whole and "COMPOSITE" not in (one.checksum_type, other.checksum_type):
            return mine == theirs
    return None


def _unproven(source: object, target: object, why: str) -> TransferError:
    return TransferError(f"{source} was copied to {target} and is not removed: {why}. Compare the two, and remove it by hand")

"""Verify that a copy is complete before `mv` deletes its source.

The size and a checksum must agree. If they cannot be compared, the source is kept, even if nothing indicates a bad copy: a
service that returns no checksum and whose ETags are not MD5s does not show which bytes it stored.
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
_UPDATE_SIZE = 1 << 20
_CHECKSUM_FIELDS = ("checksum_sha256", "checksum_crc64nvme", "checksum_crc32c", "checksum_crc32", "checksum_sha1")


class CopyVerifier:
    """A verifier for the copies of one `mv` command.

    It caches which buckets have MD5 ETags.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._has_md5_etags: dict[str, bool] = {}

    async def uploaded(self, source: Path, size: int, result: UploadResult) -> None:
        """Verify that an uploaded object equals the file `source` of `size` bytes.

        Raises `TransferError` otherwise.
        """
        target = CosPath(result.bucket, result.key)
        if result.verified is None:
            raise _unverified(source, target, "the service confirmed no checksum of what was sent")
        info = await self._head_written(target, result.version_id, result.etag)
        if result.size != size or info.content_length != size:
            raise _unverified(source, target, f"the file has {size} bytes, the object {info.content_length}")
        # Some services change the ETag of a multipart object after its completion: then compare the file itself.
        if digest.bare(info.etag) != digest.bare(result.etag) and not await self._equals_file(source, target, info):
            raise _unverified(source, target, f"the object was replaced since: its ETag is {info.etag}, not {result.etag}")

    async def downloaded(self, source: CosPath, result: DownloadResult) -> None:
        """Verify that a downloaded file equals the object `source`.

        The object must not have been replaced since. Raises `TransferError` otherwise.
        """
        assert result.path is not None
        if result.verified is None:
            raise _unverified(source, result.path, "the service returned no checksum to compare with")
        info = await asyncio.to_thread(result.path.stat)
        if info.st_size != result.size:
            raise _unverified(source, result.path, f"the object has {result.size} bytes, the file {info.st_size}")
        await self.unchanged(source, result.etag, result.size)

    async def unchanged(self, source: CosPath, etag: str, size: int) -> None:
        """Raise `TransferError` if an object has another ETag or size in bytes now."""
        current = await self._head(source)
        if not etag or digest.bare(current.etag) != digest.bare(etag) or current.content_length != size:
            raise TransferError(f"{source} was replaced while it was moved, so it is kept; its earlier content was copied")

    async def copied(self, source: CosPath, info: ObjectInfo, result: CopyResult) -> None:
        """Verify that an object is a copy of `source`.

        `info` is the HEAD result of the source before the copy. Raises `TransferError` otherwise.
        """
        target = CosPath(result.bucket, result.key)
        copy = await self._head_written(target, result.version_id, result.etag)
        if info.content_length is None or copy.content_length != info.content_length:
            raise _unverified(source, target, f"the source has {info.content_length} bytes, the copy {copy.content_length}")
        if digest.bare(copy.etag) != digest.bare(result.etag):
            raise _unverified(source, target, f"the copy was replaced since: its ETag is {copy.etag}, not {result.etag}")
        equal = _compare_checksums(info, copy)
        if equal is None and await self._same_etags(source, info, target, copy):
            equal = True
        if equal is None:
            # The ETags are of different kinds or may not be MD5s: compute the copy's checksum from the source.
            equal = await self._read_source(source, info, target, copy)
        if not equal:
            raise _unverified(source, target, "the service returned no checksums of the two that agree")

    async def _head_written(self, path: CosPath, version_id: str | None, etag: str) -> ObjectInfo:
        """Return the HEAD result of an object that was written.

        The write returned this version id and this ETag. If the object has another ETag now, return the HEAD result of the
        version, if the service has it: some services without versioning return a version id that cannot be requested.
        """
        current = await self._head(path)
        if version_id is None or digest.bare(current.etag) == digest.bare(etag):
            return current
        try:
            return await self._head(path, version_id)
        except (InvalidRequest, NotFound):
            return current

    async def _equals_file(self, source: Path, target: CosPath, info: ObjectInfo) -> bool:
        """Return True if the object's checksum agrees with the file."""
        verification = await find_verification(engine_of(self._client), GetObject(target.bucket, target.key), info)
        return verification is not None and await asyncio.to_thread(file_agrees, source, verification.checksum)

    async def _head(self, path: CosPath, version_id: str | None = None) -> ObjectInfo:
        return await engine_of(self._client).call(
            HeadObject(path.bucket, path.key, version_id=version_id, checksum_mode="ENABLED")
        )

    async def _same_etags(self, source: CosPath, info: ObjectInfo, target: CosPath, copy: ObjectInfo) -> bool:
        """Return True if both objects have the same ETag, computed from MD5s."""
        for path, head in ((source, info), (target, copy)):
            if head.customer_algorithm is not None or head.server_side_encryption not in (None, "AES256"):
                return False
            if not digest.is_md5(head.etag) and digest.part_count(head.etag) is None:
                return False
            if path.bucket not in self._has_md5_etags:
                self._has_md5_etags[path.bucket] = await engine_of(self._client).has_md5_etags(path.bucket)
            if not self._has_md5_etags[path.bucket]:
                return False
        return digest.bare(info.etag) == digest.bare(copy.etag)

    async def _read_source(self, source: CosPath, info: ObjectInfo, target: CosPath, copy: ObjectInfo) -> bool:
        """Return True if the checksum of the source's bytes is that of the copy.

        Reads the source. Returns False if the copy has no checksum that can be computed from it.
        """
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
                if sum(map(len, pending)) >= _UPDATE_SIZE:
                    await asyncio.to_thread(verification.checksum.update, b"".join(pending))
                    pending = []
        await asyncio.to_thread(verification.checksum.update, b"".join(pending))
        return await verification.check(verification.checksum, f"the copy {target} of {source}")


def _compare_checksums(source: ObjectInfo, copy: ObjectInfo) -> bool | None:
    """Return True if full-object checksums are equal.

    Returns None if the two objects have no algorithm in common.
    """
    for name in _CHECKSUM_FIELDS:
        of_source, of_copy = getattr(source, name), getattr(copy, name)
        # The checksum of an object made of parts ends in a dash and the number of parts: it is not over the whole object.
        full = of_source and of_copy and "-" not in of_source and "-" not in of_copy
        if full and "COMPOSITE" not in (source.checksum_type, copy.checksum_type):
            return of_source == of_copy
    return None


def _unverified(source: object, target: object, reason: str) -> TransferError:
    return TransferError(
        f"{source} was copied to {target} but not deleted: {reason}. Compare the two, then delete the source yourself"
    )

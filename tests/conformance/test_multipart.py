"""Multipart uploads by single calls, and whole transfers, with every server of the protocol."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from aiocos import ByteRange, Client, NoSuchUpload
from aiocos.errors import EntityTooSmall, InvalidPart, InvalidRequest
from aiocos.operations.multipart import CompletedPart
from aiocos.wire import digest

from .support import open_uploads

pytestmark = pytest.mark.asyncio(loop_scope="module")

Needs = Callable[[str], None]
MIB = 1 << 20
FIRST, LAST = bytes(range(256)) * 4096 * 5, b"the end"


async def _upload(cos: Client, bucket: str, key: str, *parts: bytes) -> tuple[str, list[CompletedPart]]:
    upload = await cos.multipart.create(bucket, key, content_type="text/x-odd", metadata={"who": "me"})
    done: list[CompletedPart] = []
    for number, part in enumerate(parts, 1):
        result = await cos.multipart.upload_part(bucket, key, upload.upload_id, number, part)
        done.append(CompletedPart(part_number=number, etag=result.etag))
    return upload.upload_id, done


async def test_completed_parts_become_an_object(cos: Client, bucket: str, needs: Needs) -> None:
    key = "a b/ü+"
    upload_id, parts = await _upload(cos, bucket, key, FIRST, LAST)
    assert not await cos.objects.exists(bucket, key)
    listed = [part async for part in cos.multipart.list_parts(bucket, key, upload_id)]
    assert [(p.part_number, p.size) for p in listed] == [(1, len(FIRST)), (2, len(LAST))]
    assert await open_uploads(cos, bucket) == [(key, upload_id)]
    result = await cos.multipart.complete(bucket, key, upload_id, parts)
    expected = digest.composite_etag(hashlib.md5(part).digest() for part in (FIRST, LAST))
    assert digest.bare(result.etag) == expected
    assert await cos.objects.read(bucket, key) == FIRST + LAST
    info = await cos.objects.head(bucket, key)
    assert (info.size, info.content_type) == (len(FIRST + LAST), "text/x-odd")
    assert info.metadata["who"] == "me"
    assert await open_uploads(cos, bucket) == []
    edge = ByteRange(len(FIRST) - 2, len(FIRST) + 1)
    assert await cos.objects.read(bucket, key, range=edge) == FIRST[-2:] + LAST[:2]
    needs("composite etags")
    assert digest.bare(info.etag) == expected


async def test_an_aborted_upload_is_gone(cos: Client, bucket: str, needs: Needs) -> None:
    upload_id, parts = await _upload(cos, bucket, "k", LAST)
    await cos.multipart.abort(bucket, "k", upload_id)
    assert await open_uploads(cos, bucket) == []
    assert not await cos.objects.exists(bucket, "k")
    needs("aborted uploads")
    with pytest.raises(NoSuchUpload):
        await cos.multipart.upload_part(bucket, "k", upload_id, 1, b"1")
    with pytest.raises(NoSuchUpload):
        [part async for part in cos.multipart.list_parts(bucket, "k", upload_id)]
    with pytest.raises(NoSuchUpload):
        await cos.multipart.complete(bucket, "k", upload_id, parts)


async def test_a_part_can_be_replaced_or_left_out(cos: Client, bucket: str, needs: Needs) -> None:
    needs("replaced parts")
    upload_id, _ = await _upload(cos, bucket, "k", b"first try", LAST)
    again = await cos.multipart.upload_part(bucket, "k", upload_id, 1, b"second try")
    await cos.multipart.complete(bucket, "k", upload_id, [CompletedPart(part_number=1, etag=again.etag)])
    assert await cos.objects.read(bucket, "k") == b"second try"


async def test_a_completion_with_wrong_parts_is_refused(cos: Client, bucket: str, needs: Needs) -> None:
    needs("part checks")
    upload_id, parts = await _upload(cos, bucket, "k", FIRST, LAST)
    with pytest.raises(InvalidPart):
        await cos.multipart.complete(bucket, "k", upload_id, [CompletedPart(part_number=1, etag='"0123"')])
    with pytest.raises(InvalidPart):
        await cos.multipart.complete(bucket, "k", upload_id, [*parts, CompletedPart(part_number=3, etag=parts[0].etag)])
    with pytest.raises(InvalidRequest):
        await cos.multipart.complete(bucket, "k", upload_id, parts[::-1])
    await cos.multipart.abort(bucket, "k", upload_id)


async def test_a_completion_with_too_small_parts_is_refused(cos: Client, bucket: str, needs: Needs) -> None:
    needs("small parts")
    upload_id, parts = await _upload(cos, bucket, "k", LAST, LAST)
    with pytest.raises(EntityTooSmall):
        await cos.multipart.complete(bucket, "k", upload_id, parts)
    await cos.multipart.abort(bucket, "k", upload_id)


async def test_a_range_of_an_object_can_be_copied_as_a_part(cos: Client, bucket: str, needs: Needs) -> None:
    needs("part copies")
    await cos.objects.put(bucket, "source", FIRST + LAST)
    upload = await cos.multipart.create(bucket, "k")
    first = await cos.multipart.upload_part_copy(
        bucket, "k", upload.upload_id, 1, (bucket, "source"), source_range=ByteRange(0, len(FIRST) - 1)
    )
    second = await cos.multipart.upload_part(bucket, "k", upload.upload_id, 2, b"!")
    parts = [CompletedPart(part_number=1, etag=first.etag), CompletedPart(part_number=2, etag=second.etag)]
    await cos.multipart.complete(bucket, "k", upload.upload_id, parts)
    assert await cos.objects.read(bucket, "k") == FIRST + b"!"


async def test_parts_are_listed_in_pages(cos: Client, bucket: str, needs: Needs) -> None:
    needs("pages of parts")
    upload_id, _ = await _upload(cos, bucket, "k", *[bytes([n]) for n in range(5)])
    listing = cos.multipart.list_parts(bucket, "k", upload_id, max_parts=2)
    assert [part.part_number async for part in listing] == [1, 2, 3, 4, 5]
    await cos.multipart.abort(bucket, "k", upload_id)


async def test_uploads_are_listed_in_pages(cos: Client, bucket: str, needs: Needs) -> None:
    needs("pages of uploads")
    created = sorted([(key, (await cos.multipart.create(bucket, key)).upload_id) for key in ("a b", "a b", "c", "ü")])
    found = [(u.key, u.upload_id) async for u in cos.multipart.list_uploads(bucket, max_uploads=1)]
    assert sorted(found) == created
    assert [u.key async for u in cos.multipart.list_uploads(bucket, prefix="a")] == ["a b", "a b"]


# ---------------------------------------------------------------------------------------------------------------------
# Whole transfers


async def test_a_large_file_is_uploaded_and_downloaded(cos: Client, bucket: str, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(FIRST * 4 + LAST)
    await cos.upload(bucket, "big/file", source, content_type="text/x-odd")
    assert (await cos.objects.head(bucket, "big/file")).content_type == "text/x-odd"
    await cos.download(bucket, "big/file", target)
    assert target.read_bytes() == source.read_bytes()
    assert await open_uploads(cos, bucket) == []


@pytest.mark.parametrize("chunks", [0, 1, 8, 20])
async def test_a_stream_of_unknown_length_is_uploaded(cos: Client, bucket: str, chunks: int) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for n in range(chunks):
            yield bytes([n]) * MIB

    await cos.upload(bucket, "stream", stream())
    assert await cos.objects.read(bucket, "stream") == b"".join(bytes([n]) * MIB for n in range(chunks))
    assert await open_uploads(cos, bucket) == []

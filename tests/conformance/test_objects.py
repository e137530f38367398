"""Objects, with every server of the protocol."""

from __future__ import annotations

import asyncio
import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from aiocos import ByteRange, Client, CopySource, NoSuchBucket, NoSuchKey, NotFound, NotModified, PreconditionFailed
from aiocos.errors import BadDigest, InvalidRange

pytestmark = pytest.mark.asyncio(loop_scope="module")

Needs = Callable[[str], None]
DATA = bytes(range(256)) * 40


async def test_a_stored_object_is_returned_with_its_metadata(cos: Client, bucket: str, needs: Needs) -> None:
    put = await cos.objects.put(bucket, "a.txt", DATA, content_type="text/x-odd", metadata={"who": "me, and you", "n-2": "b"})
    md5 = hashlib.md5(DATA).hexdigest()
    assert put.etag == f'"{md5}"'
    assert await cos.objects.read(bucket, "a.txt") == DATA
    async with cos.objects.get(bucket, "a.txt") as obj:
        assert (obj.size, obj.etag, obj.content_type) == (len(DATA), put.etag, "text/x-odd")
        assert obj.metadata.items() >= {"who": "me, and you", "n-2": "b"}.items()
        assert b"".join([chunk async for chunk in obj]) == DATA
    info = await cos.objects.head(bucket, "a.txt")
    assert (info.size, info.etag, info.content_type) == (len(DATA), put.etag, "text/x-odd")
    assert info.metadata.items() >= {"who": "me, and you"}.items()
    assert info.last_modified is not None
    assert abs(datetime.now(UTC) - info.last_modified) < timedelta(minutes=5)


@pytest.mark.parametrize("size", [0, 1])
async def test_objects_of_few_bytes(cos: Client, bucket: str, size: int) -> None:
    await cos.objects.put(bucket, "small", b"x" * size)
    assert await cos.objects.read(bucket, "small") == b"x" * size
    assert (await cos.objects.head(bucket, "small")).size == size


async def test_a_put_replaces_an_object(cos: Client, bucket: str) -> None:
    await cos.objects.put(bucket, "k", b"old", metadata={"old": "1"})
    await cos.objects.put(bucket, "k", b"newer")
    assert await cos.objects.read(bucket, "k") == b"newer"
    assert "old" not in (await cos.objects.head(bucket, "k")).metadata


async def test_a_deleted_object_is_not_found(cos: Client, bucket: str) -> None:
    await cos.objects.put(bucket, "k", b"1")
    assert await cos.objects.exists(bucket, "k")
    await cos.objects.delete(bucket, "k")
    assert not await cos.objects.exists(bucket, "k")
    await cos.objects.delete(bucket, "k")
    with pytest.raises(NoSuchKey) as caught:
        await cos.objects.read(bucket, "k")
    assert "GetObject" in str(caught.value)
    assert f"{bucket}/k" in str(caught.value)
    with pytest.raises(NotFound):
        await cos.objects.head(bucket, "k")


async def test_operations_on_a_missing_bucket_fail(cos: Client, bucket: str) -> None:
    missing = bucket + "-not"
    assert not await cos.buckets.exists(missing)
    assert not await cos.objects.exists(missing, "k")
    with pytest.raises(NoSuchBucket):
        await cos.objects.put(missing, "k", b"1")
    with pytest.raises(NoSuchBucket):
        await cos.objects.read(missing, "k")
    with pytest.raises(NoSuchBucket):
        [entry async for entry in cos.objects.list(missing)]


async def test_content_headers_are_stored(cos: Client, bucket: str, needs: Needs) -> None:
    expires = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    await cos.objects.put(
        bucket, "k", b"1",
        cache_control="max-age=5", content_disposition='attachment; filename="a b"', content_encoding="x-odd",
        content_language="de", expires=expires,
    )  # fmt: skip
    info = await cos.objects.head(bucket, "k")
    assert (info.cache_control, info.content_disposition) == ("max-age=5", 'attachment; filename="a b"')
    assert (info.content_encoding, info.content_language) == ("x-odd", "de")
    needs("expires")
    assert info.expires == "Tue, 06 May 2031 07:08:09 GMT"


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        (ByteRange(0, 0), slice(0, 1)),
        (ByteRange(5, 99), slice(5, 100)),
        (ByteRange(10_000), slice(10_000, None)),
        (ByteRange(10_000, 99_999), slice(10_000, None)),
        (ByteRange.suffix(7), slice(-7, None)),
    ],
    ids=lambda v: v.to_wire() if isinstance(v, ByteRange) else "",
)
async def test_a_range_returns_its_bytes(cos: Client, bucket: str, asked: ByteRange, part: slice) -> None:
    await cos.objects.put(bucket, "k", DATA)
    assert await cos.objects.read(bucket, "k", range=asked) == DATA[part]


async def test_a_range_beyond_the_end_is_refused(cos: Client, bucket: str) -> None:
    await cos.objects.put(bucket, "k", DATA)
    with pytest.raises(InvalidRange):
        await cos.objects.read(bucket, "k", range=ByteRange(len(DATA)))


async def test_conditional_reads(cos: Client, bucket: str, needs: Needs) -> None:
    etag = (await cos.objects.put(bucket, "k", b"1")).etag
    assert await cos.objects.read(bucket, "k", if_match=etag) == b"1"
    assert await cos.objects.read(bucket, "k", if_none_match='"0123"') == b"1"
    with pytest.raises(NotModified):
        await cos.objects.read(bucket, "k", if_none_match=etag)
    with pytest.raises(PreconditionFailed):
        await cos.objects.read(bucket, "k", if_match='"0123"')
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    assert (await cos.objects.head(bucket, "k", if_modified_since=long_ago)).size == 1
    needs("all conditions")
    with pytest.raises((PreconditionFailed, NotModified)):
        await cos.objects.head(bucket, "k", if_unmodified_since=long_ago)
    with pytest.raises(NotModified):
        await cos.objects.head(bucket, "k", if_modified_since=(await cos.objects.head(bucket, "k")).last_modified)


async def test_conditional_writes(cos: Client, bucket: str, needs: Needs) -> None:
    needs("conditional writes")
    etag = (await cos.objects.put(bucket, "k", b"1", if_none_match="*")).etag
    with pytest.raises(PreconditionFailed):
        await cos.objects.put(bucket, "k", b"2", if_none_match="*")
    with pytest.raises(PreconditionFailed):
        await cos.objects.put(bucket, "k", b"2", if_match='"0123"')
    await cos.objects.put(bucket, "k", b"3", if_match=etag)
    assert await cos.objects.read(bucket, "k") == b"3"


async def test_a_body_with_a_wrong_checksum_is_refused(cos: Client, bucket: str, needs: Needs) -> None:
    needs("content-md5")
    with pytest.raises(BadDigest):
        await cos.objects.put(bucket, "k", b"1", content_md5="1B2M2Y8AsgTpgAmY7PhCfg==")
    assert not await cos.objects.exists(bucket, "k")


async def test_an_object_can_be_copied(cos: Client, bucket: str, needs: Needs) -> None:
    await cos.objects.put(bucket, "a b+ü", DATA, content_type="text/x-odd", metadata={"who": "me"})
    copied = await cos.objects.copy(bucket, "to", CopySource(bucket, "a b+ü"))
    assert copied.etag.strip('"') == hashlib.md5(DATA).hexdigest()
    assert await cos.objects.read(bucket, "to") == DATA
    with pytest.raises(NoSuchKey):
        await cos.objects.copy(bucket, "to", (bucket, "missing"))
    needs("metadata of copies")
    info = await cos.objects.head(bucket, "to")
    assert (info.content_type, info.metadata) == ("text/x-odd", {"who": "me"})
    await cos.objects.copy(
        bucket, "new", (bucket, "to"), metadata_directive="REPLACE", metadata={"new": "1"}, content_type="a/b"
    )
    info = await cos.objects.head(bucket, "new")
    assert (info.content_type, info.metadata) == ("a/b", {"new": "1"})


async def test_conditional_copies(cos: Client, bucket: str, needs: Needs) -> None:
    needs("conditional copies")
    etag = (await cos.objects.put(bucket, "k", b"1")).etag
    await cos.objects.copy(bucket, "to", (bucket, "k"), source_if_match=etag)
    with pytest.raises(PreconditionFailed):
        await cos.objects.copy(bucket, "to", (bucket, "k"), source_if_none_match=etag)


async def test_many_objects_are_deleted_in_one_call(cos: Client, bucket: str) -> None:
    for key in ("a", "b", "c"):
        await cos.objects.put(bucket, key, b"1")
    keys = ["a", "b", *(f"missing-{n}" for n in range(1_003))]
    result = await cos.objects.delete_many(bucket, keys)
    assert not result.errors
    assert {"a", "b"} <= {d.key for d in result.deleted}
    assert [entry.key async for entry in cos.objects.list(bucket)] == ["c"]


# ---------------------------------------------------------------------------------------------------------------------
# Keys

PLAIN = [
    "a b", "a+b", "a%2Fb", "%", "%zz", "ü/ñ/漢字/🙂", "?", "a?acl", "a#b", "&=;", "a:b@c", "'\"<>", "~*()[]{}!$,", "e\u0301",
    "<Error>", "]]>", "&amp;", "dir/x", "x.tar.gz", "ü" * 100,
]  # fmt: skip
PATHS = ["a//b", "//", "/lead", "trail/", "./x", "..", "../..", "a/../b", "a/./b", "."]
LINES = ["\n", "a\rb", "a\r\nb"]
CONTROL = ["\t", "\x01", "a\x01b", "\x7f", "\ufffe", "\\", " lead", "trail "]
LONG = ["x" * 1024, "ü" * 512]
KINDS = {
    "plain keys": PLAIN,
    "path keys": PATHS,
    "line breaks in keys": LINES,
    "control characters in keys": CONTROL,
    "long keys": LONG,
}


@pytest.mark.parametrize("kind", KINDS)
async def test_unusual_keys_are_stored_unchanged(cos: Client, bucket: str, needs: Needs, kind: str) -> None:
    needs(kind)
    keys = KINDS[kind]
    for key in keys:
        await cos.objects.put(bucket, key, key.encode())
    ordered = sorted(keys, key=str.encode)
    assert [entry.key async for entry in cos.objects.list(bucket)] == ordered
    assert sorted([entry.key async for entry in cos.objects.list_v1(bucket)], key=str.encode) == ordered
    for key in keys:
        assert await cos.objects.read(bucket, key) == key.encode()
        assert (await cos.objects.head(bucket, key)).size == len(key.encode())
        assert key in [entry.key async for entry in cos.objects.list(bucket, prefix=key)]
        await cos.objects.copy(bucket, "copy", (bucket, key))
        assert await cos.objects.read(bucket, "copy") == key.encode()
    result = await cos.objects.delete_many(bucket, [*keys, "copy"])
    assert not result.errors
    assert [entry.key async for entry in cos.objects.list(bucket)] == []


# ---------------------------------------------------------------------------------------------------------------------
# Presigned URLs


def _send(method: str, url: str, data: bytes | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "text/x-odd"} if data else {})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.parametrize("key", ["k", "a b+ü/?%2F", "~*()&="])
async def test_presigned_urls_work(cos: Client, bucket: str, needs: Needs, key: str) -> None:
    needs("presigned URLs")

    async def send(method: str, data: bytes | None = None) -> tuple[int, bytes]:
        return await asyncio.to_thread(_send, method, cos.objects.presign(bucket, key, method=method, expires=60), data)  # type: ignore[arg-type]

    assert (await send("GET"))[0] == 404
    assert (await send("PUT", b"signed"))[0] == 200
    assert await send("GET") == (200, b"signed")
    info = await cos.objects.head(bucket, key)
    assert (info.size, info.content_type) == (6, "text/x-odd")
    assert (await send("DELETE"))[0] == 204
    assert not await cos.objects.exists(bucket, key)
    needs("signatures")
    url = cos.objects.presign(bucket, key, expires=60)
    assert (await asyncio.to_thread(_send, "PUT", url, b"not signed for"))[0] == 403

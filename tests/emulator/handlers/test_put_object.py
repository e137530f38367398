"""Objects: PUT, GET, HEAD, copies, deletions, conditions, ranges."""

import os
import random
import string

import pytest

from ..conftest import Raw, etag

MIB = 1024 * 1024


@pytest.mark.parametrize("size", [0, 1, 32 * 1024, 32 * 1024 + 1, 3 * MIB + 17])
async def test_a_stored_object_is_returned_unchanged(raw: Raw, size: int) -> None:
    body = os.urandom(size)
    put = await raw.put("/bucket/key", body)
    assert (put.status, put.headers["ETag"]) == (200, etag(body))
    got = await raw.get("/bucket/key")
    assert got.body == body
    assert got.headers["ETag"] == etag(body)
    assert got.headers["Content-Length"] == str(size)
    assert got.headers["Accept-Ranges"] == "bytes"
    head = await raw.head("/bucket/key")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(size))


KEYS = [
    "a//b",
    "./x",
    "../x",
    "a/../b",
    "..",
    ".",
    "//",
    "ü",
    "+",
    "%2F",
    " ",
    "?",
    "#",
    "a b+c&d=e",
    "\x01",
    "\r",
    "日本",
    "ü" * 512,
]


@pytest.mark.parametrize("key", KEYS)
async def test_unusual_keys_are_stored_listed_and_deleted(raw: Raw, key: str) -> None:
    from urllib.parse import quote, unquote_plus

    target = f"/bucket/{quote(key, safe='/')}"
    assert (await raw.put(target, key.encode())).status == 200
    assert (await raw.get(target)).body == key.encode()
    listed = await raw.get("/bucket?list-type=2&encoding-type=url")
    assert [unquote_plus(k) for k in listed.texts("Contents/Key")] == [key]
    assert (await raw.delete(target)).status == 204
    assert (await raw.get(target)).code == "NoSuchKey"


async def test_a_key_above_1024_bytes_is_refused(raw: Raw) -> None:
    assert (await raw.put("/bucket/" + "a" * 1024, b"")).status == 200
    response = await raw.put("/bucket/" + "a" * 1025, b"")
    assert (response.status, response.code) == (400, "KeyTooLong")
    assert (await raw.put("/bucket/%ff", b"")).code == "InvalidURI"


async def test_headers_and_metadata_are_returned(raw: Raw) -> None:
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Encoding": "gzip",
        "Content-Disposition": 'attachment; filename="x"',
        "Content-Language": "de",
        "Cache-Control": "no-cache",
        "Expires": "Wed, 21 Oct 2026 07:28:00 GMT",
        "x-amz-website-redirect-location": "/elsewhere",
        "x-amz-meta-Colour": "blue",
        "x-amz-meta-empty": "",
    }
    await raw.send("PUT", "/bucket/key", b"not really gzip", headers)
    for response in (await raw.get("/bucket/key"), await raw.head("/bucket/key")):
        for name, value in headers.items():
            assert response.headers[name] == value
    tagged = await raw.send("PUT", "/bucket/key", b"", {"x-amz-tagging": "a=1&b=2"})
    assert tagged.status == 200
    plain = await raw.get("/bucket/key")
    assert plain.headers["x-amz-tagging-count"] == "2"
    assert "Cache-Control" not in plain.headers
    assert "x-amz-meta-colour" not in plain.headers


async def test_too_much_metadata_is_refused(raw: Raw) -> None:
    response = await raw.put("/bucket/key", b"", x_amz_meta_big="x" * 4_000_001)
    assert (response.status, response.code) == (400, "MetadataTooLarge")
    assert (await raw.put("/bucket/key", b"", x_amz_meta_big="x" * 100_000)).status == 200


@pytest.mark.parametrize(
    "text", ["0", "-1", "never", "Wed, 21 Oct 2026 07:28:00 GMT", "2030-01-01", "Thu, 01 Jan 1970 00:00:00 +99999999999"]
)
async def test_expires_is_stored_as_any_text(raw: Raw, text: str) -> None:
    await raw.put("/bucket/source", b"x", Expires=text)
    assert (await raw.head("/bucket/source")).headers["Expires"] == text
    await raw.put("/bucket/copy", x_amz_copy_source="bucket/source")
    await raw.put("/bucket/new", x_amz_copy_source="bucket/source", x_amz_metadata_directive="REPLACE", Expires=text)
    upload = (await raw.post("/bucket/parts?uploads", Expires=text)).texts("UploadId")[0]
    await raw.put(f"/bucket/parts?partNumber=1&uploadId={upload}", b"x")
    xml = f"<C><Part><PartNumber>1</PartNumber><ETag>{etag(b'x')}</ETag></Part></C>".encode()
    assert (await raw.post(f"/bucket/parts?uploadId={upload}", xml)).status == 200
    for key in ("copy", "new", "parts"):
        assert (await raw.get(f"/bucket/{key}")).headers["Expires"] == text, key


async def test_a_copy_has_the_content_and_headers_of_its_source(raw: Raw) -> None:
    body = os.urandom(100_000)
    await raw.put("/bucket/a%20b", body, Content_Type="text/plain", x_amz_meta_one="1")
    copied = await raw.put("/bucket/copy", x_amz_copy_source="/bucket/a%20b", x_amz_meta_two="2")
    assert copied.xml.tag == "CopyObjectResult"
    assert copied.texts("ETag") == [etag(body)]
    got = await raw.get("/bucket/copy")
    assert (got.body, got.headers["Content-Type"], got.headers["x-amz-meta-one"]) == (body, "text/plain", "1")
    assert "x-amz-meta-two" not in got.headers
    await raw.put("/bucket/copy", x_amz_copy_source="bucket/a%20b", x_amz_metadata_directive="REPLACE", x_amz_meta_two="2")
    got = await raw.get("/bucket/copy")
    assert (got.headers["x-amz-meta-two"], got.headers["Content-Type"]) == ("2", "application/octet-stream")
    assert "x-amz-meta-one" not in got.headers
    # The copy remains when its source is deleted.
    await raw.delete("/bucket/a%20b")
    assert (await raw.get("/bucket/copy")).body == body
    assert len(list(raw.emulator.store.directory.glob("blobs/*/*"))) == 1
    await raw.delete("/bucket/copy")
    await _until_no_blobs(raw)


async def _until_no_blobs(raw: Raw) -> None:
    import asyncio

    for _ in range(200):
        if not list(raw.emulator.store.directory.glob("blobs/*/*")):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the file of a removed object is still there")


async def test_an_invalid_copy_is_refused(raw: Raw, other_instance: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    await other_instance.put("/theirs")
    await other_instance.put("/theirs/key", b"x")
    assert (await raw.put("/bucket/c", x_amz_copy_source="bucket/none")).code == "NoSuchKey"
    assert (await raw.put("/bucket/c", x_amz_copy_source="nowhere/key")).code == "NoSuchBucket"
    assert (await raw.put("/bucket/c", x_amz_copy_source="theirs/key")).code == "AccessDenied"
    assert (await raw.put("/bucket/c", x_amz_copy_source="nonsense")).code == "InvalidArgument"
    assert (await raw.put("/bucket/key", x_amz_copy_source="bucket/key")).code == "InvalidRequest"
    assert (await raw.put("/bucket/key", x_amz_copy_source="bucket/key", x_amz_metadata_directive="REPLACE")).status == 200
    for name, value in {
        "x-amz-copy-source-if-match": '"other"',
        "x-amz-copy-source-if-none-match": etag(b"x"),
        "x-amz-copy-source-if-modified-since": "Wed, 21 Oct 2099 07:28:00 GMT",
        "x-amz-copy-source-if-unmodified-since": "Wed, 21 Oct 2015 07:28:00 GMT",
        "If-None-Match": "*",
    }.items():
        await raw.put("/bucket/c", b"old")
        response = await raw.send("PUT", "/bucket/c", headers={"x-amz-copy-source": "bucket/key", name: value})
        assert (response.status, response.code) == (412, "PreconditionFailed"), name
    assert (await raw.get("/bucket/c")).body == b"old"


async def test_random_expires_values_are_returned(raw: Raw) -> None:
    rng = random.Random(12)
    for _ in range(100):
        text = "".join(rng.choice(string.printable[:95]) for _ in range(rng.randint(1, 40))).strip() or "0"
        await raw.put("/bucket/key", b"x", Expires=text)
        assert (await raw.head("/bucket/key")).headers["Expires"] == text

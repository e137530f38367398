"""GetObject and HeadObject: ranges and response headers."""

import os
import random

import pytest

from ..conftest import Raw, etag


async def test_query_parameters_override_response_headers(raw: Raw, anonymous: Raw) -> None:
    await raw.put("/bucket/key", b"x", Content_Type="text/plain")
    query = (
        "?response-content-type=a/b&response-cache-control=no-store&response-content-disposition=inline"
        "&response-content-language=fr&response-content-encoding=br&response-expires=2026-10-21T07:28:00Z"
    )
    response = await raw.get("/bucket/key" + query)
    assert response.headers["Content-Type"] == "a/b"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Disposition"] == "inline"
    assert response.headers["Content-Language"] == "fr"
    assert response.headers["Content-Encoding"] == "br"
    assert response.headers["Expires"] == "Wed, 21 Oct 2026 07:28:00 GMT"
    await raw.put("/bucket/key?acl", b"", x_amz_acl="public-read")
    assert (await anonymous.get("/bucket/key" + query)).code == "InvalidRequest"


@pytest.mark.parametrize("size", [1000, 100_000])
async def test_a_range_returns_206_and_its_bytes(raw: Raw, size: int) -> None:
    body = os.urandom(size)
    await raw.put("/bucket/key", body)
    for requested, first, last in [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=990-", 990, size - 1),
        ("bytes=-5", size - 5, size - 1),
        (f"bytes=-{size * 2}", 0, size - 1),
        (f"bytes=5-{size * 2}", 5, size - 1),
    ]:
        got = await raw.get("/bucket/key", Range=requested)
        assert got.status == 206
        assert got.body == body[first : last + 1]
        assert got.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
        head = await raw.head("/bucket/key", Range=requested)
        assert (head.status, head.headers["Content-Length"]) == (206, str(last - first + 1))
    for requested in (f"bytes={size}-", "bytes=-0"):
        refused = await raw.get("/bucket/key", Range=requested)
        assert (refused.status, refused.code) == (416, "InvalidRange")
        assert refused.headers["Content-Range"] == f"bytes */{size}"


@pytest.mark.parametrize(
    "requested",
    [
        "bytes=0-1,4-5",
        "bytes=0-1, 4-5",
        "bytes=0-1,999999-",
        "bytes=0-,-1",
        "bytes=5-2",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=1_0-20",
        "bytes=0x1-0x2",
        "bytes=--1",
        "bytes=1",
        "bytes 0-1",
        "items=0-1",
        "0-1",
        "",
        "nonsense",
        "bytes=" + "9" * 5000 + "-",
    ],
)
async def test_a_malformed_or_multiple_range_returns_the_whole_object(raw: Raw, requested: str) -> None:
    """RFC 9110: a server may ignore `Range`, and ignores a malformed one. S3 supports one range only."""
    await raw.put("/bucket/key", b"0123456789")
    for method in ("GET", "HEAD"):
        response = await raw.send(method, "/bucket/key", headers={"Range": requested})
        assert response.status == 200
        assert "Content-Range" not in response.headers
        assert response.headers["Content-Length"] == "10"
    assert (await raw.get("/bucket/key", Range=requested)).body == b"0123456789"
    # The range of a copy is S3's own header and is checked strictly.
    upload = (await raw.post("/bucket/new?uploads")).texts("UploadId")[0]
    headers = {"x-amz-copy-source": "bucket/key", "x-amz-copy-source-range": requested}
    refused = await raw.send("PUT", f"/bucket/new?partNumber=1&uploadId={upload}", headers=headers)
    assert (refused.status, refused.code) == (400, "InvalidArgument")


async def test_if_range_of_a_replaced_object_returns_the_whole_object(raw: Raw) -> None:
    await raw.put("/bucket/key", b"0123456789")
    date = (await raw.head("/bucket/key")).headers["Last-Modified"]
    for same in (etag(b"0123456789"), date):
        assert (await raw.get("/bucket/key", Range="bytes=2-3", If_Range=same)).body == b"23"
    for other in ('"other"', "W/" + etag(b"0123456789"), "Sat, 01 Jan 2000 00:00:00 GMT", "nonsense"):
        response = await raw.get("/bucket/key", Range="bytes=2-3", If_Range=other)
        assert (response.status, response.body) == (200, b"0123456789")


@pytest.mark.parametrize("text", ["0", "-1", "soon"])
async def test_response_expires_accepts_any_text(raw: Raw, text: str) -> None:
    await raw.put("/bucket/key", b"x")
    assert (await raw.get(f"/bucket/key?response-expires={text}")).headers["Expires"] == text


async def test_random_ranges_never_fail(raw: Raw) -> None:
    """Any value of `Range` returns the whole object, the requested part, or 416."""
    body = bytes(range(100))
    await raw.put("/bucket/key", body)
    rng = random.Random(12)
    for _ in range(200):
        requested = "bytes=" + "".join(rng.choice("0123456789-,= x") for _ in range(rng.randint(0, 6)))
        response = await raw.get("/bucket/key", Range=requested)
        assert response.status in (200, 206, 416), requested
        if response.status == 200:
            assert response.body == body
        elif response.status == 206:
            first, last = response.headers["Content-Range"].removeprefix("bytes ").removesuffix("/100").split("-")
            assert response.body == body[int(first) : int(last) + 1], requested

"""Objects: PUT, GET, HEAD, copies, deletions, conditions, ranges."""

import base64
import hashlib
import json
import os
import random
import string

import pytest

from .conftest import Raw, etag, md5

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


@pytest.mark.parametrize("text", ["0", "-1", "soon"])
async def test_response_expires_accepts_any_text(raw: Raw, text: str) -> None:
    await raw.put("/bucket/key", b"x")
    assert (await raw.get(f"/bucket/key?response-expires={text}")).headers["Expires"] == text


@pytest.mark.parametrize("text", ["0", "yesterday", "Thu, 01 Jan 1970 00:00:00 +99999999999", ""])
async def test_a_condition_with_an_invalid_date_is_ignored(raw: Raw, text: str) -> None:
    """RFC 9110 requires the recipient to ignore it."""
    await raw.put("/bucket/key", b"x")
    for name in ("If-Modified-Since", "If-Unmodified-Since"):
        assert (await raw.send("GET", "/bucket/key", headers={name: text})).status == 200, name


async def test_conditions_of_get_and_head(raw: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    tag = etag(b"x")
    past, future = "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2099 07:28:00 GMT"
    for headers, status in [
        ({"If-Match": tag}, 200),
        ({"If-Match": tag.strip('"')}, 200),
        ({"If-Match": f'"other", {tag}'}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-None-Match": tag}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Modified-Since": future}, 304),
        ({"If-Modified-Since": past}, 200),
        ({"If-Unmodified-Since": past}, 304),  # as the service documents it
        ({"If-Unmodified-Since": future}, 200),
        ({"If-Match": tag, "If-Unmodified-Since": past}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": future}, 200),
    ]:
        for method in ("GET", "HEAD"):
            response = await raw.send(method, "/bucket/key", headers=headers)
            assert response.status == status, headers
            if status == 304:
                assert (response.body, response.headers["ETag"]) == (b"", tag)


async def test_if_modified_since_with_the_objects_last_modified_is_304(raw: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    modified = (await raw.head("/bucket/key")).headers["Last-Modified"]
    assert (await raw.get("/bucket/key", If_Modified_Since=modified)).status == 304


async def test_conditions_of_put(raw: Raw) -> None:
    assert (await raw.put("/bucket/key", b"1", If_None_Match="*")).status == 200
    assert (await raw.put("/bucket/key", b"2", If_None_Match="*")).code == "PreconditionFailed"
    assert (await raw.put("/bucket/key", b"2", If_Match=etag(b"0"))).code == "PreconditionFailed"
    assert (await raw.put("/bucket/none", b"2", If_Match="*")).code == "PreconditionFailed"
    assert (await raw.get("/bucket/key")).body == b"1"
    assert (await raw.put("/bucket/key", b"2", If_Match=etag(b"1"))).status == 200
    assert (await raw.put("/bucket/key", b"3", If_Unmodified_Since="Wed, 21 Oct 2015 07:28:00 GMT")).status == 412


async def test_only_one_of_many_conditional_puts_succeeds(raw: Raw) -> None:
    import asyncio

    responses = await asyncio.gather(*(raw.put("/bucket/key", b"%d" % n, If_None_Match="*") for n in range(20)))
    won = [n for n, response in enumerate(responses) if response.status == 200]
    assert len(won) == 1
    assert {a.status for a in responses} == {200, 412}
    assert (await raw.get("/bucket/key")).body == b"%d" % won[0]


def ssec(key: bytes, prefix: str = "") -> dict[str, str]:
    start = f"x-amz-{prefix}server-side-encryption-customer-"
    return {
        f"{start}algorithm": "AES256",
        f"{start}key": base64.b64encode(key).decode(),
        f"{start}key-MD5": base64.b64encode(hashlib.md5(key).digest()).decode(),
    }


async def test_an_object_with_a_customer_key_needs_the_key(raw: Raw) -> None:
    key, other = os.urandom(32), os.urandom(32)
    put = await raw.send("PUT", "/bucket/key", b"secret", ssec(key))
    assert put.headers["x-amz-server-side-encryption-customer-algorithm"] == "AES256"
    assert put.headers["x-amz-server-side-encryption-customer-key-MD5"] == base64.b64encode(hashlib.md5(key).digest()).decode()
    assert put.headers["ETag"] != etag(b"secret")
    assert (await raw.send("GET", "/bucket/key", headers=ssec(key))).body == b"secret"
    without = await raw.get("/bucket/key")
    assert (without.status, without.code) == (400, "InvalidRequest")
    wrong = await raw.send("GET", "/bucket/key", headers=ssec(other))
    assert (wrong.status, wrong.code) == (403, "AccessDenied")
    bent = ssec(key) | {"x-amz-server-side-encryption-customer-key-MD5": md5(b"")}
    assert (await raw.send("GET", "/bucket/key", headers=bent)).status == 400
    copy = {"x-amz-copy-source": "/bucket/key", **ssec(key, "copy-source-"), **ssec(other)}
    assert (await raw.send("PUT", "/bucket/copy", headers=copy)).status == 200
    assert (await raw.send("GET", "/bucket/copy", headers=ssec(other))).body == b"secret"
    assert (await raw.put("/bucket/copy", x_amz_copy_source="bucket/key")).code == "InvalidRequest"


async def test_deleting_an_object_twice_succeeds(raw: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    for _ in range(2):
        response = await raw.delete("/bucket/key")
        assert (response.status, response.body) == (204, b"")
    assert (await raw.get("/bucket/key")).code == "NoSuchKey"
    assert (await raw.delete("/nowhere/key")).code == "NoSuchBucket"


async def test_delete_objects_reports_each_object(raw: Raw) -> None:
    for key in "abc":
        await raw.put(f"/bucket/{key}", b"x")
    body = b"<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object><Object><Key></Key></Object></Delete>"
    response = await raw.post("/bucket?delete", body, Content_MD5=md5(body))
    assert response.texts("Deleted/Key") == ["a", "none"]
    assert response.texts("Error/Code") == ["UserKeyMustBeSpecified"]
    quiet = b"<Delete><Quiet>true</Quiet><Object><Key>b</Key></Object></Delete>"
    response = await raw.post("/bucket?delete", quiet, Content_MD5=md5(quiet))
    assert (response.status, list(response.xml)) == (200, [])
    assert (await raw.get("/bucket")).texts("Contents/Key") == ["c"]
    for refused, code in [(body, "InvalidRequest")]:
        assert (await raw.post("/bucket?delete", refused)).code == code
    assert (await raw.post("/bucket?delete", body, Content_MD5=md5(quiet))).code == "BadDigest"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "MissingRequestBodyError"),
        (b"<Delete>", "MalformedXML"),
        (b"<Delete/>", "MalformedXML"),
        (b'<!DOCTYPE d [<!ENTITY x "y">]><Delete><Object><Key>&x;</Key></Object></Delete>', "MalformedXML"),
        (b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>", "MalformedXML"),
    ],
)
async def test_an_invalid_delete_objects_request_is_refused(raw: Raw, body: bytes, code: str) -> None:
    response = await raw.post("/bucket?delete", body, Content_MD5=md5(body))
    assert (response.status, response.code) == (400, code)


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


async def test_retention_headers_need_a_retention_policy(raw: Raw) -> None:
    for name, value in {
        "Retention-Period": "60",
        "Retention-Expiration-Date": "2099-01-01T00:00:00Z",
        "Retention-Legal-Hold-ID": "hold",
    }.items():
        response = await raw.send("PUT", "/bucket/key", b"x", {name: value, "Content-MD5": md5(b"x")})
        assert (response.status, response.code) == (400, "InvalidRequest")
        copied = await raw.send("PUT", "/bucket/copy", headers={"x-amz-copy-source": "bucket/key", name: value})
        assert copied.status in (400, 404)
    assert (await raw.get("/bucket/key")).status == 404


async def test_retention_headers_are_stored_and_returned(raw: Raw) -> None:
    settings = json.dumps({"protection": '{"minimum": 0, "default": 1, "maximum": 10}'})
    await raw.emulator.store.write(lambda t: t.execute("UPDATE buckets SET settings = ?", (settings,)) and None)
    assert (await raw.put("/bucket/key", b"x")).code == "InvalidRequest"
    put = await raw.put("/bucket/key", b"x", Content_MD5=md5(b"x"), Retention_Period="3600", Retention_Legal_Hold_ID="h")
    assert put.status == 200
    head = await raw.head("/bucket/key")
    assert (head.headers["Retention-Period"], head.headers["Retention-Legal-Hold-Count"]) == ("3600", "1")
    assert head.headers["Retention-Expiration-Date"].endswith("Z")
    for response in (await raw.delete("/bucket/key"), await raw.put("/bucket/key", b"y", Content_MD5=md5(b"y"))):
        assert (response.status, response.code) == (403, "AccessDenied")
    assert (await raw.put("/bucket/k2", b"x", Content_MD5=md5(b"x"), Retention_Period=str(11 * 86400))).status == 400
    assert (await raw.put("/bucket/k3", b"x", Content_MD5=md5(b"x"))).status == 200
    assert (await raw.delete("/bucket/k3")).status == 403
    raw.emulator.clock.advance(86401)
    raw.token = raw.emulator.iam.issue(raw.emulator.instance)
    assert (await raw.delete("/bucket/k3")).status == 204


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


async def test_random_expires_values_are_returned(raw: Raw) -> None:
    rng = random.Random(12)
    for _ in range(100):
        text = "".join(rng.choice(string.printable[:95]) for _ in range(rng.randint(1, 40))).strip() or "0"
        await raw.put("/bucket/key", b"x", Expires=text)
        assert (await raw.head("/bucket/key")).headers["Expires"] == text

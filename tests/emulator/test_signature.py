"""SigV4: against the published examples, and against botocore's signer over a socket."""

import hashlib
import zlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from ibm_botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from ibm_botocore.awsrequest import AWSRequest
from ibm_botocore.credentials import Credentials
from multidict import CIMultiDict

from aiocos.emulator.chunked import ChunkDecoder
from aiocos.emulator.signature import Arrived, Signed, verify
from aiocos.errors import IncompleteBody, InvalidRequest, InvalidSignature

from .conftest import Answer, Raw

# https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html and the pages beside it
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
DAY = datetime(2013, 5, 24, tzinfo=UTC)
EMPTY = hashlib.sha256(b"").hexdigest()


def published(method: str, path: str, query: str, headers: Mapping[str, str]) -> Signed | None:
    return verify(Arrived(method, path, query, CIMultiDict(headers)), {KEY: SECRET}.get, DAY)


def authorization(names: str, signature: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential={KEY}/20130524/us-east-1/s3/aws4_request,SignedHeaders={names},Signature={signature}"


def test_the_published_get() -> None:
    headers = {
        "Host": "examplebucket.s3.amazonaws.com",
        "Range": "bytes=0-9",
        "x-amz-content-sha256": EMPTY,
        "x-amz-date": "20130524T000000Z",
    }
    good = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    names = "host;range;x-amz-content-sha256;x-amz-date"
    signed = published("GET", "/test.txt", "", headers | {"Authorization": authorization(names, good)})
    assert signed is not None
    assert signed.access_key_id == KEY
    for bent in (headers | {"Range": "bytes=0-8"}, headers | {"Host": "other.s3.amazonaws.com"}):
        with pytest.raises(InvalidSignature):
            published("GET", "/test.txt", "", bent | {"Authorization": authorization(names, good)})


def test_the_published_list() -> None:
    headers = {
        "Host": "examplebucket.s3.amazonaws.com",
        "x-amz-content-sha256": EMPTY,
        "x-amz-date": "20130524T000000Z",
        "Authorization": authorization(
            "host;x-amz-content-sha256;x-amz-date", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        ),
    }
    assert published("GET", "/", "max-keys=2&prefix=J", headers) is not None


def test_the_published_url() -> None:
    query = (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )
    assert published("GET", "/test.txt", query, {"Host": "examplebucket.s3.amazonaws.com"}) is not None


def test_the_published_chunks() -> None:
    names = (
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class"
    )
    signed = published(
        "PUT",
        "/examplebucket/chunkObject.txt",
        "",
        {
            "Host": "s3.amazonaws.com",
            "x-amz-date": "20130524T000000Z",
            "x-amz-storage-class": "REDUCED_REDUNDANCY",
            "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "Content-Encoding": "aws-chunked",
            "x-amz-decoded-content-length": "66560",
            "Content-Length": "66824",
            "Authorization": authorization(names, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"),
        },
    )
    assert signed is not None
    body = b"".join(
        b"%x;chunk-signature=%s\r\n%s\r\n" % (size, signature, b"a" * size)
        for size, signature in [
            (65536, b"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
            (1024, b"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
            (0, b"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
        ]
    )
    decoder = ChunkDecoder(signed.check_chunk, signed.check_trailer)
    assert b"".join(decoder.feed(body)) == b"a" * 66560
    decoder.finish()


def test_a_bent_chunk() -> None:
    signed = Signed(KEY, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", _refuse)
    with pytest.raises(InvalidSignature):
        ChunkDecoder(signed.check_chunk).feed(b"1;chunk-signature=00\r\nx\r\n")


def _refuse(data: bytes, signature: str) -> None:
    raise InvalidSignature("no", status=403, code="SignatureDoesNotMatch")


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_chunks_arrive_in_any_pieces(step: int) -> None:
    body = b"5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\nx-amz-checksum-crc32: abc\r\n\r\n"
    decoder = ChunkDecoder()
    out = b"".join(b"".join(decoder.feed(body[n : n + step])) for n in range(0, len(body), step))
    decoder.finish()
    assert (out, decoder.trailers) == (b"hello, world", {"x-amz-checksum-crc32": "abc"})


@pytest.mark.parametrize("body", [b"zz\r\n", b"-1\r\n", b"\r\n", b"1\r\nxy\r\n", b"1" * 20_000, b"0\r\nno colon\r\n"])
def test_malformed_chunks(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        ChunkDecoder().feed(body)


def test_chunks_cut_short() -> None:
    decoder = ChunkDecoder()
    decoder.feed(b"5\r\nhel")
    with pytest.raises(IncompleteBody):
        decoder.finish()


# ---------------------------------------------------------------------------------------------------------------------
# botocore's signer


def _request(raw: Raw, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> AWSRequest:
    path, _, query = target.partition("?")
    url = f"{raw.emulator.endpoint}{path}" + (f"?{query}" if query else "")
    return AWSRequest(method=method, url=url, data=body, headers=dict(headers))


def _credentials(raw: Raw, secret: str | None = None, key: str | None = None) -> Credentials:
    return Credentials(key or raw.emulator.access_key_id, secret or raw.emulator.secret_access_key)


async def signed(
    raw: Raw, method: str, target: str, body: bytes = b"", credentials: Credentials | None = None, **headers: str
) -> Answer:
    request = _request(raw, method, target, body, {n.replace("_", "-"): v for n, v in headers.items()})
    S3SigV4Auth(credentials or _credentials(raw), "s3", "us-south").add_auth(request)
    return await raw.send(method, target, body, dict(request.headers.items()))


async def test_signed_headers(raw: Raw) -> None:
    for key in ("plain", "a%20b", "a//b", "%C3%BC", "a%252Fb", "x/../y", "%2B"):
        assert (await signed(raw, "PUT", f"/bucket/{key}", b"hello", x_amz_meta_a="b  c")).status == 200
        assert (await signed(raw, "GET", f"/bucket/{key}")).body == b"hello"
    assert (await signed(raw, "GET", "/bucket?list-type=2&prefix=a%20b&delimiter=%2F")).texts("Contents/Key") == ["a b"]
    assert (await signed(raw, "GET", "/bucket?acl")).status == 200


async def test_signed_refusals(raw: Raw) -> None:
    wrong = await signed(raw, "GET", "/bucket", credentials=_credentials(raw, secret="x" * 48))
    assert (wrong.status, wrong.code) == (403, "SignatureDoesNotMatch")
    unknown = await signed(raw, "GET", "/bucket", credentials=_credentials(raw, key="nobody"))
    assert (unknown.status, unknown.code) == (403, "InvalidAccessKeyId")
    other = await raw.get("/bucket", Authorization="AWS key:signature")
    assert (other.status, other.code) == (400, "InvalidRequest")
    malformed = await raw.get("/bucket", Authorization="AWS4-HMAC-SHA256 nonsense")
    assert (malformed.status, malformed.code) == (400, "AuthorizationHeaderMalformed")
    basic = await raw.get("/bucket", Authorization="Basic eDp5")
    assert (basic.status, basic.code) == (403, "InvalidSecurity")


@pytest.mark.parametrize("seconds", [-16 * 60, 16 * 60])
async def test_skew(raw: Raw, seconds: int) -> None:
    raw.emulator.clock.advance(seconds)
    answer = await signed(raw, "GET", "/bucket")
    assert (answer.status, answer.code) == (403, "RequestTimeTooSkewed")
    raw.emulator.clock.advance(-seconds * 14 / 16)
    assert (await signed(raw, "GET", "/bucket")).status == 200


async def test_a_body_that_was_not_signed(raw: Raw) -> None:
    request = _request(raw, "PUT", "/bucket/key", b"signed", {})
    S3SigV4Auth(_credentials(raw), "s3", "us-south").add_auth(request)
    # botocore leaves the hash out only when it is told to; give it the one of another body.
    headers = dict(request.headers.items())
    if headers.get("X-Amz-Content-SHA256") != hashlib.sha256(b"signed").hexdigest():
        pytest.skip("this botocore does not sign bodies over http")
    answer = await raw.send("PUT", "/bucket/key", b"forged", headers)
    assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch")
    assert (await raw.get("/bucket/key")).status == 404


async def presigned(raw: Raw, method: str, target: str, expires: int = 60, headers: Mapping[str, str] | None = None) -> str:
    request = _request(raw, method, target, b"", headers or {})
    S3SigV4QueryAuth(_credentials(raw), "s3", "us-south", expires=expires).add_auth(request)
    return request.url.removeprefix(raw.emulator.endpoint)


async def test_presigned_urls(raw: Raw, anonymous: Raw) -> None:
    put = await presigned(raw, "PUT", "/bucket/a%20key")
    assert (await anonymous.put(put, b"hello")).status == 200
    get = await presigned(raw, "GET", "/bucket/a%20key?response-content-type=a%2Fb")
    answer = await anonymous.get(get)
    assert (answer.body, answer.headers["Content-Type"]) == (b"hello", "a/b")
    assert (await anonymous.get(get.replace("a%2Fb", "c%2Fd"))).code == "SignatureDoesNotMatch"
    assert (await anonymous.delete(get)).code == "SignatureDoesNotMatch"
    raw.emulator.clock.advance(61)
    expired = await anonymous.get(get)
    assert (expired.status, expired.code) == (403, "AccessDenied")
    assert "expired" in expired.texts("Message")[0]


async def test_presigned_headers_must_be_sent(raw: Raw, anonymous: Raw) -> None:
    url = await presigned(raw, "PUT", "/bucket/key", headers={"x-amz-meta-a": "b"})
    assert (await anonymous.put(url, b"x")).code == "SignatureDoesNotMatch"
    assert (await anonymous.put(url, b"x", x_amz_meta_a="b")).status == 200
    old = f"/bucket/key?AWSAccessKeyId={quote(raw.emulator.access_key_id)}&Signature=x&Expires=1"
    assert (await anonymous.get(old)).code == "InvalidRequest"


def _chunked(body: bytes, trailer: str) -> bytes:
    return b"%x\r\n%s\r\n0\r\n%s\r\n\r\n" % (len(body), body, trailer.encode())


@pytest.mark.parametrize("hmac", [True, False])
async def test_unsigned_chunks_with_a_trailer(raw: Raw, hmac: bool) -> None:
    body = b"chunked" * 10_000
    crc = b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    headers = {
        "Content-Encoding": "aws-chunked,gzip",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(len(body)),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }

    async def put(data: bytes, **more: str) -> Answer:
        request = _request(raw, "PUT", "/bucket/key", b"", headers | more)
        if hmac:
            # botocore would put the hash of a body of its own choice: it asks the request's context.
            request.context["payload_signing_enabled"] = False
            auth = S3SigV4Auth(_credentials(raw), "s3", "us-south")
            auth.payload = lambda _: "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
            auth.add_auth(request)
        return await raw.send("PUT", "/bucket/key", data, dict(request.headers.items()))

    answer = await put(_chunked(body, f"x-amz-checksum-crc32:{crc}"))
    assert (answer.status, answer.headers["x-amz-checksum-crc32"]) == (200, crc)
    got = await raw.get("/bucket/key", x_amz_checksum_mode="ENABLED")
    assert (got.body, got.headers["Content-Encoding"], got.headers["x-amz-checksum-crc32"]) == (body, "gzip", crc)
    assert (await put(_chunked(body, "x-amz-checksum-crc32:AAAAAA=="))).code == "BadDigest"
    assert (await put(_chunked(body[:-1], f"x-amz-checksum-crc32:{crc}"))).code == "IncompleteBody"
    assert (await put(_chunked(body, f"x-amz-checksum-crc32:{crc}")[:-10])).code == "IncompleteBody"
    assert (await put(b"nonsense")).status == 400
    assert (await raw.get("/bucket/key")).body == body

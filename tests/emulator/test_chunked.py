"""aws-chunked bodies: sizes, signatures of chunks and trailers, malformed input; with AWS's verify_example examples."""

import asyncio
import hashlib
import zlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibm_botocore.auth import S3SigV4Auth

from aiocos.emulator.chunked import ChunkDecoder
from aiocos.emulator.signature import VerifiedSignature
from aiocos.errors import IncompleteBody, InvalidRequest, InvalidSignature

from .conftest import Raw, RawResponse
from .test_signature import KEY, authorization, credentials, unsigned_request, verify_example


def test_aws_example_of_signed_chunks_is_accepted() -> None:
    names = (
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class"
    )
    signed = verify_example(
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


def example_with_trailer() -> tuple[ChunkDecoder, bytes]:
    """Return AWS's example of signed chunks with a signed trailer, without its last lines `CRC` and `SIGNATURE`."""
    names = (
        "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer"
    )
    signed = verify_example(
        "PUT",
        "/examplebucket/chunkObject.txt",
        "",
        {
            "Host": "s3.amazonaws.com",
            "x-amz-date": "20130524T000000Z",
            "x-amz-storage-class": "REDUCED_REDUNDANCY",
            "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            "Content-Encoding": "aws-chunked",
            "x-amz-decoded-content-length": "66560",
            "x-amz-trailer": "x-amz-checksum-crc32c",
            "Authorization": authorization(names, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"),
        },
    )
    assert signed is not None
    body = b"".join(
        b"%x;chunk-signature=%s\r\n%s" % (size, signature, b"a" * size + b"\r\n" if size else b"")
        for size, signature in [
            (65536, b"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
            (1024, b"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
            (0, b"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
        ]
    )
    return ChunkDecoder(signed.check_chunk, signed.check_trailer, {"x-amz-checksum-crc32c"}), body


CRC = b"x-amz-checksum-crc32c:sOO8/Q==\r\n"
SIGNATURE = b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n"


def test_aws_example_of_a_signed_trailer_is_accepted() -> None:
    decoder, body = example_with_trailer()
    assert b"".join(decoder.feed(body + CRC + SIGNATURE + b"\r\n")) == b"a" * 66560
    decoder.finish()
    assert decoder.trailers == {"x-amz-checksum-crc32c": "sOO8/Q=="}


@pytest.mark.parametrize(
    "trailer",
    [
        b"",
        CRC,
        SIGNATURE,
        CRC.replace(b"sOO8", b"sOO9") + SIGNATURE,
        CRC + SIGNATURE.replace(b"d81f", b"d81e"),
        CRC + b"x-amz-trailer-signature: \xe9\r\n",
        CRC + CRC + SIGNATURE,
        CRC + b"x-amz-checksum-sha1:AAAA\r\n" + SIGNATURE,
    ],
)
def test_a_changed_or_missing_trailer_is_refused(trailer: bytes) -> None:
    """Neither an announced trailer nor its signature can be changed or left out."""
    decoder, body = example_with_trailer()
    decoder.feed(body)
    with pytest.raises((InvalidSignature, InvalidRequest)):
        decoder.feed(trailer + b"\r\n")
    assert not decoder.done


def test_a_chunk_signature_that_is_not_ascii_is_refused() -> None:
    decoder, body = example_with_trailer()
    with pytest.raises(InvalidRequest):
        decoder.feed(body[:16] + b"\xe9" * 10 + body[26:])


def test_a_chunk_with_a_wrong_signature_is_refused() -> None:
    signed = VerifiedSignature(KEY, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", _refuse)
    with pytest.raises(InvalidSignature):
        ChunkDecoder(signed.check_chunk).feed(b"1;chunk-signature=00\r\nx\r\n")


def _refuse(data: bytes, signature: str) -> None:
    raise InvalidSignature("no", status=403, code="SignatureDoesNotMatch")


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_chunks_are_decoded_from_pieces_of_any_size(step: int) -> None:
    body = b"5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\nx-amz-checksum-crc32: abc\r\n\r\n"
    decoder = ChunkDecoder()
    out = b"".join(b"".join(decoder.feed(body[n : n + step])) for n in range(0, len(body), step))
    decoder.finish()
    assert (out, decoder.trailers) == (b"hello, world", {"x-amz-checksum-crc32": "abc"})


SIZES = [b"zz", b"-1", b"", b"0x5", b"0X5", b"0_5", b"+5", b" 5", b"5 ", b"\t5", b"5;\xe9", b"\xd9\xa5", b"5L"]
HUGE = [b"%x" % (5 * 1024**3 + 1), b"1" + b"0" * 16, b"f" * 16, b"f" * 5000, b"0" * 17]


@pytest.mark.parametrize("size", SIZES + HUGE)
def test_an_invalid_chunk_size_is_refused(size: bytes) -> None:
    with pytest.raises(InvalidRequest):
        ChunkDecoder().feed(size + b"\r\nhello\r\n0\r\n\r\n")


@given(st.text(st.sampled_from("0123456789abcdefABCDEFxXlL_+- \t.;"), max_size=6))
def test_only_hexadecimal_chunk_sizes_are_accepted(text: str) -> None:
    size = text.partition(";")[0]
    decoder = ChunkDecoder()
    if size and all(c in "0123456789abcdefABCDEF" for c in size) and "\t" not in text:
        decoder.feed(f"{text}\r\n".encode())
    else:
        with pytest.raises(InvalidRequest):
            decoder.feed(f"{text}\r\n".encode())


@pytest.mark.parametrize(
    "body",
    [
        b"1\r\nxy\r\n",
        b"1\r\nx\n",
        b"1\nx\r\n",
        b"1" * 20_000,
        b"0\r\nno colon\r\n",
        b"0\r\n: x\r\n",
        b"0\r\nx:\r\n",
        b"0\r\na b:c\r\n",
    ],
)
def test_malformed_chunks_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        ChunkDecoder().feed(body)


@pytest.mark.parametrize("step", [1, 1000])
def test_bytes_after_the_last_chunk_are_refused(step: int) -> None:
    body = b"1\r\nx\r\n0\r\n\r\n" + b"y" * 100
    decoder = ChunkDecoder()
    with pytest.raises(InvalidRequest, match="after its end"):
        for n in range(0, len(body), step):
            decoder.feed(body[n : n + step])


@pytest.mark.parametrize("line", [b"x-%d: y\r\n", b"x-%d: " + b"y" * 3000 + b"\r\n", b"x-%d:" + b" " * 8000 + b"\xe9\r\n"])
@pytest.mark.parametrize("step", [1000, 1 << 20])
def test_endless_trailers_are_refused_early(line: bytes, step: int) -> None:
    decoder = ChunkDecoder()
    decoder.feed(b"0\r\n")
    fed = 0
    with pytest.raises(InvalidRequest, match="trail"):
        while fed < 32 * 1024 * 1024:
            piece = b"".join(line % n for n in range(fed, fed + step // len(line) + 1))
            fed += len(piece)
            decoder.feed(piece)
    assert fed < 2 * 1024 * 1024


def test_trailers_are_limited_in_number_and_size() -> None:
    for count, size, good in [(16, 10, True), (17, 10, False), (8, 2000, True), (9, 2000, False)]:
        lines = b"".join(b"x-%03d:%s\r\n" % (n, b"y" * size) for n in range(count))
        decoder = ChunkDecoder()
        decoder.feed(b"0\r\n")
        if good:
            decoder.feed(lines + b"\r\n")
            assert len(decoder.trailers) == count
        else:
            with pytest.raises(InvalidRequest, match="more than 16 trailers or 16384 bytes"):
                decoder.feed(lines)


@pytest.mark.parametrize("value", [b"\xe9", b"a\x00b", b"", b" \t"])
def test_a_trailer_value_that_is_not_text_is_refused(value: bytes) -> None:
    decoder = ChunkDecoder()
    with pytest.raises(InvalidRequest, match="not `name: value`"):
        decoder.feed(b"0\r\nx-a:" + value + b"\r\n")


def test_a_signed_chunk_above_16_mib_is_refused() -> None:
    """It must be buffered to verify its signature, so it is refused by its size before its bytes are received."""
    line = b"%x;chunk-signature=0\r\n"
    ChunkDecoder(_refuse).feed(line % (16 * 1024 * 1024))
    with pytest.raises(InvalidRequest, match="16 MiB"):
        ChunkDecoder(_refuse).feed(line % (16 * 1024 * 1024 + 1))
    ChunkDecoder().feed(line % (16 * 1024 * 1024 + 1))


@pytest.mark.parametrize("body", [b"1\r\nxy", b"1\r\nx\rz", b"1\r\nx\n"])
def test_a_chunk_longer_than_its_size_is_refused(body: bytes) -> None:
    """Anything but a line break after the chunk is refused at once and not buffered."""
    with pytest.raises(InvalidRequest):
        ChunkDecoder().feed(body)


def test_trailers_must_be_the_announced_ones() -> None:
    for trailers, announced, good in [
        (b"", (), True),
        (b"x-amz-checksum-crc32: a\r\n", ("x-amz-checksum-crc32",), True),
        (b"X-Amz-Checksum-CRC32:a\r\n", ("x-amz-checksum-crc32",), True),
        (b"", ("x-amz-checksum-crc32",), False),
        (b"x-amz-checksum-crc32: a\r\n", (), False),
        (b"x-amz-checksum-crc32: a\r\n", ("x-amz-checksum-crc32", "x-amz-checksum-sha1"), False),
        (b"x-amz-checksum-crc32: a\r\nx-amz-checksum-crc32: b\r\n", ("x-amz-checksum-crc32",), False),
        (b"x-amz-meta-a: b\r\n", ("x-amz-checksum-crc32",), False),
    ]:
        decoder = ChunkDecoder(announced=announced)
        decoder.feed(b"0\r\n")
        if good:
            decoder.feed(trailers + b"\r\n")
            decoder.finish()
        else:
            with pytest.raises(InvalidRequest) as refused:
                decoder.feed(trailers + b"\r\n")
            assert refused.value.code == "MalformedTrailerError"


def test_incomplete_chunks_are_refused() -> None:
    decoder = ChunkDecoder()
    decoder.feed(b"5\r\nhel")
    with pytest.raises(IncompleteBody):
        decoder.finish()


def _chunked(body: bytes, trailer: str) -> bytes:
    return b"%x\r\n%s\r\n0\r\n%s\r\n\r\n" % (len(body), body, trailer.encode())


@pytest.mark.parametrize("hmac", [True, False])
async def test_a_checksum_in_the_trailer_of_unsigned_chunks_is_verified(raw: Raw, hmac: bool) -> None:
    body = b"chunked" * 10_000
    crc = b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    headers = {
        "Content-Encoding": "aws-chunked,gzip",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(len(body)),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }

    async def put(data: bytes, **more: str) -> RawResponse:
        request = unsigned_request(raw, "PUT", "/bucket/key", b"", headers | more)
        if hmac:
            # botocore would compute another payload hash: it looks into the request's context.
            request.context["payload_signing_enabled"] = False
            auth = S3SigV4Auth(credentials(raw), "s3", "us-south")
            auth.payload = lambda _: "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
            auth.add_auth(request)
        return await raw.send("PUT", "/bucket/key", data, dict(request.headers.items()))

    response = await put(_chunked(body, f"x-amz-checksum-crc32:{crc}"))
    assert (response.status, response.headers["x-amz-checksum-crc32"]) == (200, crc)
    got = await raw.get("/bucket/key", x_amz_checksum_mode="ENABLED")
    assert (got.body, got.headers["Content-Encoding"], got.headers["x-amz-checksum-crc32"]) == (body, "gzip", crc)
    assert (await put(_chunked(body, "x-amz-checksum-crc32:AAAAAA=="))).code == "BadDigest"
    assert (await put(_chunked(body[:-1], f"x-amz-checksum-crc32:{crc}"))).code == "IncompleteBody"
    assert (await put(_chunked(body, f"x-amz-checksum-crc32:{crc}")[:-10])).code == "IncompleteBody"
    assert (await put(b"nonsense")).status == 400
    assert (await raw.get("/bucket/key")).body == body
    assert (await put(_chunked(body, ""))).code == "MalformedTrailerError"
    assert (await put(_chunked(body, f"x-amz-checksum-crc32:{crc}") + b"x")).code == "InvalidRequest"
    assert (await put(_chunked(body, f"x-amz-checksum-crc32:{crc}").replace(b"\r\n", b"\n"))).code == "InvalidRequest"
    assert (await put(_chunked(body, "x-amz-meta-a:b"), **{"x-amz-trailer": "x-amz-meta-a"})).code == "InvalidRequest"
    for length in ("x", "²", "-1", "+70000", " 70000", "7_0000", "70000.0", "9" * 30, "9" * 5000):
        refused = await put(_chunked(body, f"x-amz-checksum-crc32:{crc}"), **{"x-amz-decoded-content-length": length})
        assert (refused.status, refused.code) == (400, "InvalidArgument") or length == " 70000"
    # If a header and the trailer have different checksums, both are checked.
    both = await put(_chunked(body, f"x-amz-checksum-crc32:{crc}"), **{"x-amz-checksum-crc32": "AAAAAA=="})
    assert both.code == "BadDigest"
    good = {"x-amz-checksum-crc32": crc}
    assert (await put(_chunked(body, "x-amz-checksum-crc32:AAAAAA=="), **good)).code == "BadDigest"
    assert (await raw.get("/bucket/key")).body == body


async def test_a_trailer_without_chunks_is_refused(raw: Raw) -> None:
    refused = await raw.put("/bucket/key", b"hello", x_amz_trailer="x-amz-checksum-crc32")
    assert (refused.status, refused.code) == (400, "InvalidRequest")
    assert (await raw.get("/bucket/key")).status == 404


@pytest.mark.parametrize("kind", ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"])
async def test_an_unsigned_trailer_of_signed_chunks_is_refused(raw: Raw, kind: str) -> None:
    crc = b64encode(zlib.crc32(b"abc").to_bytes(4, "big")).decode()
    headers = {
        "Content-Encoding": "aws-chunked",
        "x-amz-content-sha256": kind,
        "x-amz-decoded-content-length": "3",
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    request = unsigned_request(raw, "PUT", "/bucket/key", b"", headers)
    request.context["payload_signing_enabled"] = False
    auth = S3SigV4Auth(credentials(raw), "s3", "us-south")
    auth.payload = lambda _: kind
    auth.add_auth(request)
    previous = request.headers["Authorization"].rpartition("Signature=")[2]
    stamp = request.headers["X-Amz-Date"]
    empty, body = hashlib.sha256(b"").hexdigest(), b""
    for data in (b"abc", b""):
        lines = ["AWS4-HMAC-SHA256-PAYLOAD", stamp, auth.credential_scope(request), previous, empty]
        previous = auth.signature("\n".join([*lines, hashlib.sha256(data).hexdigest()]), request)
        body += f"{len(data):x};chunk-signature={previous}\r\n".encode() + (data + b"\r\n" if data else b"")
    body += f"x-amz-checksum-crc32:{crc}\r\n\r\n".encode()
    refused = await raw.send("PUT", "/bucket/key", body, dict(request.headers.items()))
    expected = (403, "SignatureDoesNotMatch") if kind.endswith("TRAILER") else (400, "InvalidRequest")
    assert (refused.status, refused.code) == expected
    assert (await raw.get("/bucket/key")).status == 404


async def test_a_trailing_checksum_of_a_completion_is_of_the_document(raw: Raw) -> None:
    """A checksum in the trailer of a completion is of the list of parts; one in a header is of the object."""
    upload = (await raw.post("/bucket/key?uploads")).texts("UploadId")[0]
    part = await raw.put(f"/bucket/key?uploadId={upload}&partNumber=1", b"x")
    tag = part.headers["ETag"]
    document = f"<X><Part><ETag>{tag}</ETag><PartNumber>1</PartNumber></Part></X>".encode()
    crc = b64encode(zlib.crc32(document).to_bytes(4, "big")).decode()
    headers = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(len(document)),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    target = f"/bucket/key?uploadId={upload}"
    assert (await raw.send("POST", target, _chunked(document, "x-amz-checksum-crc32:AAAAAA=="), headers)).code == "BadDigest"
    short = headers | {"x-amz-decoded-content-length": "5"}
    assert (await raw.send("POST", target, _chunked(document, f"x-amz-checksum-crc32:{crc}"), short)).code == "IncompleteBody"
    assert (await raw.send("POST", target, _chunked(document, f"x-amz-checksum-crc32:{crc}"), headers)).status == 200


async def test_bytes_after_the_last_chunk_are_not_buffered(raw: Raw) -> None:
    """They are refused with the first byte, and the rest is discarded while it is received."""
    length = 64 * 1024 * 1024
    reader, writer = await asyncio.open_connection("127.0.0.1", raw.emulator.port)
    try:
        head = (
            f"PUT /bucket/key HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {raw.token}\r\nContent-Length: {length}\r\n"
            "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nx-amz-decoded-content-length: 1\r\n\r\n"
        )
        writer.write(head.encode() + b"1\r\nx\r\n0\r\n\r\n" + b"y" * 100_000)
        response = await asyncio.wait_for(reader.readuntil(b"</Error>"), 20)
        assert b" 400 " in response
        assert b"after its end" in response
    finally:
        writer.close()
        await writer.wait_closed()
    assert (await raw.get("/bucket/key")).status == 404

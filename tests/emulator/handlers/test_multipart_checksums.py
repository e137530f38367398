"""Checksums of multipart uploads. The values and errors marked as S3's are those of its responses."""

from __future__ import annotations

import os
from base64 import b64encode

import pytest

from aiocos.emulator.checksums import ALGORITHMS
from aiocos.wire.checksum import Algorithm

from ..checksum_requests import COMPOSITE, CRCS, PLACES, composite, header, put_with, read_sums, sums_of, value
from ..conftest import Raw, RawResponse, etag, md5
from .multipart_requests import MIN, begin, part

KINDS = [*((name, "COMPOSITE") for name in COMPOSITE), *((name, "FULL_OBJECT") for name in CRCS)]

# S3's: of two parts with 5,242,881 times "a" and one with 10.
S3_PARTS = [b"a" * 5_242_881, b"a" * 5_242_881, b"a" * 10]
S3_COMPOSITE: dict[Algorithm, str] = {
    "crc32": "5FRUiw==-3",
    "crc32c": "XF5+4A==-3",
    "sha1": "AyE60nyQoBgJcwsyPHWu7aJuxBs=-3",
    "sha256": "9o++y6AejqboiJ7MZCx0fahK2Vu5YC/qnNhhYsCLciI=-3",
}
S3_FULL_OBJECT: dict[Algorithm, str] = {"crc32": "qSEQSA==", "crc32c": "eTdAQA==", "crc64nvme": "ZMNX55lZurA="}
S3_COPY_OF_SHA256 = "0+991zqhqOQ5J2EdwChmHIeC1dXXuJzaCritTzqVGDw="


async def declare(raw: Raw, name: str, kind: str = "") -> str:
    return await begin(raw, x_amz_checksum_algorithm=name.upper(), **({"x_amz_checksum_type": kind} if kind else {}))


async def send(raw: Raw, upload: str, number: int, body: bytes, name: Algorithm, place: str = "header") -> RawResponse:
    target = f"/bucket/key?partNumber={number}&uploadId={upload}"
    return await put_with(raw, target, body, name, value(name, body), place)


async def finish(
    raw: Raw, upload: str, bodies: dict[int, bytes], sums: dict[int, dict[str, str]] | None = None, **headers: str
) -> RawResponse:
    """Complete an upload of these parts; `sums` are the checksums in the list of parts, by number and algorithm."""
    parts = ""
    for number, body in bodies.items():
        named = "".join(f"<Checksum{n.upper()}>{v}</Checksum{n.upper()}>" for n, v in (sums or {}).get(number, {}).items())
        parts += f"<Part><ETag>{etag(body)}</ETag><PartNumber>{number}</PartNumber>{named}</Part>"
    document = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    return await raw.post(f"/bucket/key?uploadId={upload}", document, **headers)


def of_parts(name: Algorithm, bodies: dict[int, bytes]) -> dict[int, dict[str, str]]:
    return {number: {name: value(name, body)} for number, body in bodies.items()}


def error(response: RawResponse) -> tuple[int, str, str]:
    return response.status, response.code, response.texts("Message")[0]


@pytest.mark.parametrize(("name", "kind"), KINDS)
async def test_the_checksum_of_an_upload_is_computed_from_its_parts(raw: Raw, name: Algorithm, kind: str) -> None:
    bodies = {2: os.urandom(MIN), 3: os.urandom(MIN + 1), 7: os.urandom(10)}
    upload = await declare(raw, name, kind)
    for number, place in ((7, "header"), (2, "trailer"), (3, "header")):
        sent = await send(raw, upload, number, bodies[number], name, place)
        assert (sent.status, sums_of(sent)) == (200, {name: value(name, bodies[number])})
    element = f"Checksum{name.upper()}"
    listed = await raw.get(f"/bucket/key?uploadId={upload}")
    assert (listed.texts("ChecksumAlgorithm"), listed.texts("ChecksumType")) == ([name.upper()], [kind])
    assert listed.texts(f"Part/{element}") == [value(name, body) for body in bodies.values()]
    uploads = await raw.get("/bucket?uploads")
    assert uploads.texts("Upload/ChecksumAlgorithm") == [name.upper()]
    assert uploads.texts("Upload/ChecksumType") == [kind]

    wrong = {header(name).replace("-", "_"): value(name, b"other"), "x_amz_checksum_type": kind}
    assert (await finish(raw, upload, bodies, of_parts(name, bodies), **wrong)).code == "BadDigest"
    expected = composite(name, *bodies.values()) if kind == "COMPOSITE" else value(name, *bodies.values())
    right = {header(name).replace("-", "_"): expected, "x_amz_checksum_type": kind}
    done = await finish(raw, upload, bodies, of_parts(name, bodies), **right)
    assert (done.texts(element), done.texts("ChecksumType")) == ([expected], [kind])
    # A repeated completion gets the same response.
    assert (await finish(raw, upload, bodies, of_parts(name, bodies), **right)).body == done.body

    assert await read_sums(raw, "/bucket/key") == {name: expected, "type": kind}
    # Of the parts only composite checksums are known, and a range has none.
    of_part = {name: value(name, bodies[3]), "type": "COMPOSITE"} if kind == "COMPOSITE" else {}
    assert await read_sums(raw, "/bucket/key?partNumber=2") == of_part
    assert await read_sums(raw, "/bucket/key", Range=f"bytes=0-{MIN - 1}") == {}
    assert await read_sums(raw, "/bucket/key", Range="bytes=0-") == {name: expected, "type": kind}
    entry = await raw.get("/bucket?list-type=2")
    assert entry.texts("Contents/ChecksumAlgorithm") == [name.upper()]
    assert entry.texts("Contents/ChecksumType") == [kind]


@pytest.mark.parametrize(("name", "kind"), KINDS)
async def test_checksums_are_those_of_s3(raw: Raw, name: Algorithm, kind: str) -> None:
    upload = await declare(raw, name, kind)
    bodies = dict(enumerate(S3_PARTS, 1))
    for number, body in bodies.items():
        await send(raw, upload, number, body, name)
    done = await finish(raw, upload, bodies, of_parts(name, bodies))
    expected = S3_COMPOSITE[name] if kind == "COMPOSITE" else S3_FULL_OBJECT[name]
    assert done.texts(f"Checksum{name.upper()}") == [expected]
    # A copy is of one piece.
    copied = await raw.put("/bucket/copy", x_amz_copy_source="bucket/key")
    whole = S3_FULL_OBJECT.get(name) or {"sha256": S3_COPY_OF_SHA256}.get(name)
    assert copied.texts("ChecksumType") == ["FULL_OBJECT"]
    assert copied.texts(f"Checksum{name.upper()}") == [whole or value(name, *S3_PARTS)]


@pytest.mark.parametrize("name", ALGORITHMS)
async def test_a_creation_declares_an_algorithm_and_a_type(raw: Raw, name: Algorithm) -> None:
    for kind in ("", "COMPOSITE", "FULL_OBJECT"):
        headers = {"x_amz_checksum_algorithm": name.lower(), **({"x_amz_checksum_type": kind.lower()} if kind else {})}
        created = await raw.post("/bucket/key?uploads", **headers)
        if kind and (name, kind) not in KINDS:
            message = f"The {kind} checksum type cannot be used with the {name} checksum algorithm."  # S3's
            assert error(created) == (400, "InvalidRequest", message)
            continue
        default = "FULL_OBJECT" if name == "crc64nvme" else "COMPOSITE"
        assert sums_of(created) == {"algorithm": name.upper(), "type": kind or default}


async def test_an_invalid_declaration_is_refused(raw: Raw) -> None:
    unknown = await raw.post("/bucket/key?uploads", x_amz_checksum_algorithm="MD5")
    assert (unknown.status, unknown.code) == (400, "InvalidRequest")
    alone = await raw.post("/bucket/key?uploads", x_amz_checksum_type="COMPOSITE")
    message = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."  # S3's
    assert error(alone) == (400, "InvalidRequest", message)
    nonsense = await raw.post("/bucket/key?uploads", x_amz_checksum_algorithm="CRC32", x_amz_checksum_type="PARTS")
    assert (nonsense.status, nonsense.code) == (400, "InvalidRequest")
    assert (await raw.get("/bucket?uploads")).texts("Upload/Key") == []


@pytest.mark.parametrize("place", PLACES)
async def test_a_part_with_another_algorithm_is_refused(raw: Raw, place: str) -> None:
    upload = await declare(raw, "sha256")
    refused = await send(raw, upload, 1, b"abc", "crc32", place)
    message = "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32"  # S3's
    assert error(refused) == (400, "InvalidRequest", message)


@pytest.mark.parametrize(("name", "kind"), KINDS)
async def test_a_part_without_a_checksum(raw: Raw, name: Algorithm, kind: str) -> None:
    """It is refused if the upload is composite. Otherwise the service computes the checksum."""
    upload = await declare(raw, name, kind)
    sent = await part(raw, upload, 1, b"abc")
    if kind == "COMPOSITE":
        message = f"Checksum Type mismatch occurred, expected checksum Type: {name}, actual checksum Type: null"
        assert error(sent) == (400, "InvalidRequest", message)
        return
    assert sums_of(sent) == {name: value(name, b"abc")}
    done = await finish(raw, upload, {1: b"abc"})
    assert done.texts(f"Checksum{name.upper()}") == [value(name, b"abc")]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ALGORITHMS)
async def test_an_undeclared_checksum_of_a_part_is_verified_and_not_kept(raw: Raw, name: Algorithm, place: str) -> None:
    upload = await begin(raw)
    sent = await send(raw, upload, 1, b"abc", name, place)
    assert sums_of(sent) == {name: value(name, b"abc")}
    bad = await put_with(raw, f"/bucket/key?partNumber=1&uploadId={upload}", b"abd", name, value(name, b"abc"), place)
    assert bad.code == "BadDigest"
    listed = await raw.get(f"/bucket/key?uploadId={upload}")
    assert [e.tag for e in listed.xml.iter() if "Checksum" in e.tag] == []
    # S3's: the list of parts cannot name it.
    named = await finish(raw, upload, {1: b"abc"}, of_parts(name, {1: b"abc"}))
    assert (named.status, named.code) == (400, "InvalidPart")
    done = await finish(raw, upload, {1: b"abc"})
    assert done.texts("ChecksumCRC64NVME") == [value("crc64nvme", b"abc")]
    assert done.texts("ChecksumType") == ["FULL_OBJECT"]


async def test_an_upload_without_checksums_gets_a_crc64nvme(raw: Raw) -> None:
    source = os.urandom(MIN + 7)
    await raw.put("/bucket/source", source)
    bodies = {2: os.urandom(MIN), 4: source, 5: source[:MIN], 9: b"last"}
    upload = await begin(raw)
    # In any order, with a part that is replaced and parts that are copied.
    for number, body in ((9, b"last"), (4, b""), (2, b"replaced"), (2, bodies[2]), (5, b"")):
        copied = {4: {"x_amz_copy_source": "bucket/source"}, 5: {"x_amz_copy_source_range": f"bytes=0-{MIN - 1}"}}
        headers = {"x_amz_copy_source": "bucket/source", **copied[number]} if number in copied else {}
        sent = await part(raw, upload, number, body, **headers)
        assert (sent.status, sums_of(sent)) == (200, {})
        assert b"Checksum" not in sent.body
    expected = value("crc64nvme", *bodies.values())
    wrong = await finish(raw, upload, bodies, x_amz_checksum_crc64nvme=value("crc64nvme", b"x"))
    assert (wrong.status, wrong.code) == (400, "BadDigest")
    for kind in ("FULL_OBJECT", "COMPOSITE"):
        message = "The upload was created using the null checksum mode. The complete request must use the same checksum mode."
        refused = await finish(raw, upload, bodies, x_amz_checksum_type=kind)
        assert error(refused) == (400, "InvalidRequest", message)  # S3's
    # S3's: others are ignored.
    done = await finish(raw, upload, bodies, x_amz_checksum_crc64nvme=expected, x_amz_checksum_crc32c="AAAAAA==-9")
    assert (done.texts("ChecksumCRC64NVME"), done.texts("ChecksumType")) == ([expected], ["FULL_OBJECT"])
    assert await read_sums(raw, "/bucket/key") == {"crc64nvme": expected, "type": "FULL_OBJECT"}


async def test_an_upload_with_a_customer_key_gets_a_crc64nvme(raw: Raw) -> None:
    secret = os.urandom(32)
    key = {
        "x_amz_server_side_encryption_customer_algorithm": "AES256",
        "x_amz_server_side_encryption_customer_key": b64encode(secret).decode(),
        "x_amz_server_side_encryption_customer_key_MD5": md5(secret),
    }
    upload = await begin(raw, **key)
    sent = await part(raw, upload, 1, b"abc", **key)
    document = f"<X><Part><ETag>{sent.headers['ETag']}</ETag><PartNumber>1</PartNumber></Part></X>".encode()
    done = await raw.post(f"/bucket/key?uploadId={upload}", document)
    assert done.texts("ChecksumCRC64NVME") == [value("crc64nvme", b"abc")]
    expected = {"crc64nvme": value("crc64nvme", b"abc"), "type": "FULL_OBJECT"}
    assert sums_of(await raw.get("/bucket/key", x_amz_checksum_mode="ENABLED", **key)) == expected
    assert sums_of(await raw.put("/bucket/other", b"abc", **key)) == expected
    assert await read_sums(raw, "/bucket/other", Range="bytes=0-1", **key) == {}
    assert await read_sums(raw, "/bucket/other", **key) == expected


async def test_a_list_of_parts_with_wrong_checksums_is_refused(raw: Raw) -> None:
    """The errors are S3's."""
    bodies = {1: b"x" * MIN, 2: b"abc"}
    for name, kind in (("sha256", "COMPOSITE"), ("crc32c", "FULL_OBJECT")):
        upload = await declare(raw, name, kind)
        for number, body in bodies.items():
            await send(raw, upload, number, body, name)
        right = of_parts(name, bodies)
        wrong = await finish(raw, upload, bodies, {**right, 2: {name: value(name, b"x")}})
        assert (wrong.status, wrong.code) == (400, "InvalidPart")
        other = await finish(raw, upload, bodies, {**right, 2: {"sha1": value("sha1", b"abc")}})
        assert error(other) == (400, "BadDigest", "The sha1 you specified for part 2 did not match what we received.")
        missing = await finish(raw, upload, bodies, {1: right[1]})
        if kind == "FULL_OBJECT":
            assert missing.status == 200
            continue
        message = (
            "The upload was created using a sha256 checksum. The complete request must include the checksum for each part. "
            "It was missing for part 2 in the request."
        )
        assert error(missing) == (400, "InvalidRequest", message)
        assert (await finish(raw, upload, bodies, right)).status == 200


async def test_the_checksum_of_the_object_in_a_completion(raw: Raw) -> None:
    """The errors are S3's: without a type, the default type of the algorithm is meant."""
    upload = await declare(raw, "crc32c", "FULL_OBJECT")
    await send(raw, upload, 1, b"abc", "crc32c")
    right = value("crc32c", b"abc")
    message = (
        "The upload was created using the FULL_OBJECT checksum mode. The complete request must use the same checksum mode."
    )
    assert error(await finish(raw, upload, {1: b"abc"}, x_amz_checksum_type="COMPOSITE")) == (400, "InvalidRequest", message)
    refused: list[dict[str, str]] = [
        {"x_amz_checksum_crc32c": composite("crc32c", b"abc")},
        {"x_amz_checksum_crc32c": right},
        {"x_amz_checksum_crc64nvme": value("crc64nvme", b"abc")},
        {"x_amz_checksum_crc32c": value("crc32c", b"x"), "x_amz_checksum_type": "FULL_OBJECT"},
        {"x_amz_checksum_crc32": value("crc32", b"abc"), "x_amz_checksum_type": "FULL_OBJECT"},
        {"x_amz_checksum_crc32c": "nonsense", "x_amz_checksum_type": "FULL_OBJECT"},
    ]
    for headers in refused:
        response = await finish(raw, upload, {1: b"abc"}, **headers)
        assert error(response) == (400, "BadDigest", "The CRC32C you specified did not match the calculated checksum."), headers
    headers = {"x_amz_checksum_crc32c": right, "x_amz_checksum_type": "FULL_OBJECT"}
    assert (await finish(raw, upload, {1: b"abc"}, **headers)).status == 200

    upload = await declare(raw, "crc64nvme")
    await part(raw, upload, 1, b"abc")
    assert (await finish(raw, upload, {1: b"abc"}, x_amz_checksum_crc64nvme=value("crc64nvme", b"abc"))).status == 200
    # The number of parts may be left out.
    upload = await declare(raw, "sha1")
    await send(raw, upload, 1, b"abc", "sha1")
    bare = composite("sha1", b"abc").partition("-")[0]
    done = await finish(raw, upload, {1: b"abc"}, of_parts("sha1", {1: b"abc"}), x_amz_checksum_sha1=bare)
    assert done.texts("ChecksumSHA1") == [f"{bare}-1"]


@pytest.mark.parametrize(("name", "kind"), KINDS)
async def test_a_copied_part_has_the_declared_checksum(raw: Raw, name: Algorithm, kind: str) -> None:
    await raw.put("/bucket/source", b"this is a part")
    upload = await declare(raw, name, kind)
    whole = await part(raw, upload, 1, b"", x_amz_copy_source="bucket/source")
    element = f"Checksum{name.upper()}"
    assert whole.texts(element) == [value(name, b"this is a part")]
    some = await part(raw, upload, 1, b"", x_amz_copy_source="bucket/source", x_amz_copy_source_range="bytes=0-3")
    assert some.texts(element) == [value(name, b"this")]
    assert (await raw.get(f"/bucket/key?uploadId={upload}")).texts(f"Part/{element}") == [value(name, b"this")]
    done = await finish(raw, upload, {1: b"this"}, of_parts(name, {1: b"this"}))
    assert done.texts(element) == [composite(name, b"this") if kind == "COMPOSITE" else value(name, b"this")]
    # S3's, for a multipart object of one part: its checksum is shown for the part, too.
    of_part = value(name, b"this")
    assert await read_sums(raw, "/bucket/key?partNumber=1") == {name: of_part, "type": kind}


async def test_parts_that_have_no_checksum_make_an_object_that_gets_one_when_it_is_asked_for(raw: Raw) -> None:
    """Parts of earlier releases, and parts that were sent while checksums were ignored."""
    upload = await begin(raw)
    raw.emulator.checksums = False
    try:
        await part(raw, upload, 1, b"x" * MIN)
    finally:
        raw.emulator.checksums = True
    await part(raw, upload, 2, b"abc")
    done = await finish(raw, upload, {1: b"x" * MIN, 2: b"abc"})
    assert (done.status, done.texts("ChecksumType")) == (200, [])
    expected = {"crc64nvme": value("crc64nvme", b"x" * MIN, b"abc"), "type": "FULL_OBJECT"}
    assert await read_sums(raw, "/bucket/key") == expected

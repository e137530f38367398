"""Checks of responses to writes: what is compared, when a bucket is looked up, what is not compared."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from aiocos.errors import IntegrityError
from aiocos.operations.multipart import CompletedPart, CompletedUpload, CompleteMultipartUpload, UploadPart
from aiocos.operations.objects import CopyObject, CopyObjectResult, PutObject, PutObjectResult
from aiocos.wire import checksum
from aiocos.wire.bind import to_request
from aiocos.wire.message import PreparedRequest
from aiocos.wire.values import CopySource
from aiocos.write_check import check_completion, check_copy, check_put, composite_of, evidence_of

DATA = b"what was sent"
HEX = hashlib.md5(DATA).hexdigest()
MD5 = checksum.encode(bytes.fromhex(HEX))
OTHER = "0123456789abcdef0123456789abcdef"
CRC = checksum.encode(checksum.compute("crc32", DATA))


class FakeBuckets:
    """Buckets whose ETags are MD5s, and others; records the look-ups."""

    def __init__(self, *keyed: str) -> None:
        self.keyed = keyed
        self.looked_up: list[tuple[str, str | None]] = []

    async def has_md5_etags(self, bucket: str, expected_bucket_owner: str | None = None) -> bool:
        self.looked_up.append((bucket, expected_bucket_owner))
        return bucket not in self.keyed


def sent(headers: dict[str, str], body: bytes | None = DATA) -> PreparedRequest:
    return PreparedRequest("PUT", "https://cos.example", "/b/k", "", headers, body)


def result(etag: str, **more: Any) -> PutObjectResult:
    return PutObjectResult(etag=f'"{etag}"', **more)


async def put(response: PutObjectResult, headers: dict[str, str], buckets: FakeBuckets | None = None, **given: Any) -> None:
    body = given.pop("body", DATA)
    await check_put(buckets or FakeBuckets(), PutObject("b", "k", DATA, **given), sent(headers, body), response)


# -- the fast path ----------------------------------------------------------------------------------------------------

OPERATIONS: list[Any] = [PutObject("b", "k", DATA), UploadPart("b", "k", "u", 7, DATA)]
SUMS: dict[str, str] = {name: checksum.encode(checksum.compute(name, DATA)) for name in checksum.HEADERS}


def added(name: str | None, headers: dict[str, str] | None = None) -> PreparedRequest:
    """A request to which the client has added a checksum, or whose caller has given these headers."""
    request = sent(headers or ({} if name is None else {checksum.HEADERS[name]: SUMS[name]}))  # type: ignore[index]
    request.checksum = name
    return request


@pytest.mark.parametrize("name", checksum.HEADERS)
def test_a_confirmed_checksum_is_seen_at_one_glance(name: str) -> None:
    wanted = "md5" if name == "md5" else "checksum"
    right = result(HEX) if name == "md5" else result("x", **{f"checksum_{name}": SUMS[name]})
    wrong = result(OTHER) if name == "md5" else result(HEX, **{f"checksum_{name}": SUMS[name][:-4] + "AAA="})
    for operation in OPERATIONS:
        assert evidence_of(operation, added(name), right) == wanted
        assert evidence_of(operation, added(name), wrong) is None
        assert evidence_of(operation, added(None, added(name).headers), right) is None, "one that the caller gave"
    keyed = PutObject("b", "k", DATA, customer_key=bytes(32))
    assert evidence_of(keyed, added(name), right) == (None if name == "md5" else "checksum"), "an ETag says nothing there"


@pytest.mark.parametrize("name", [None, *checksum.HEADERS])
@pytest.mark.parametrize(
    "etag", [f'"{HEX}"', f'"{HEX.upper()}"', HEX, f'W/"{HEX}"', f"-{HEX}-", f'"{OTHER}"', f'"{OTHER}-2"', "", '""']
)
@pytest.mark.parametrize("returned", ["nothing", "the checksum", "another", "one of another kind"])
@pytest.mark.parametrize("part", [False, True])
@pytest.mark.parametrize("key", [None, bytes(32)], ids=["plain", "key"])
async def test_fast_path_gives_the_result_of_the_general_path(
    name: str | None, etag: str, returned: str, part: bool, key: bytes | None
) -> None:
    """`evidence_of` may replace the general check, `check_put`, only if that accepts the write for the same reason."""
    more = {"customer_key": key}
    operation: Any = UploadPart("b", "k", "u", 7, DATA, **more) if part else PutObject("b", "k", DATA, **more)
    shown = {} if name in (None, "md5") else {"the checksum": {f"checksum_{name}": SUMS[name]}}
    shown |= {"another": {"checksum_crc32": "AAAAAA=="}, "one of another kind": {"checksum_sha1": SUMS["sha1"]}}
    request, written = added(name), PutObjectResult(etag=etag, **shown.get(returned, {}))
    fast = evidence_of(operation, request, written)
    try:
        general: object = await check_put(FakeBuckets(), operation, request, written)
    except IntegrityError as error:
        general = error
    assert fast in (None, general)


# -- objects and parts ------------------------------------------------------------------------------------------------


async def test_differing_etag_looks_up_the_bucket() -> None:
    buckets = FakeBuckets()
    with pytest.raises(IntegrityError) as caught:
        await put(result(OTHER, request_id="id-7"), {"Content-MD5": MD5}, buckets, expected_bucket_owner="owner")
    assert (caught.value.expected, caught.value.actual) == (HEX, f'"{OTHER}"')
    assert str(caught.value) == (
        f'PutObject b/k: the response has the checksum "{OTHER}", the body has {HEX}: '
        "the service stored other bytes. If its ETags are not MD5s, set ClientConfig(verify_writes=False) (request id id-7)"
    )
    assert buckets.looked_up == [("b", "owner")]
    buckets = FakeBuckets("b")
    await put(result(OTHER), {"Content-MD5": MD5}, buckets)
    assert buckets.looked_up == [("b", None)]


async def test_equal_or_opaque_etags_do_not_look_up_the_bucket() -> None:
    buckets = FakeBuckets()
    for etag, headers in (
        (HEX, {"Content-MD5": MD5}),
        (HEX.upper(), {"Content-MD5": MD5}),
        (HEX, {}),
        ("an ETag of its own", {"Content-MD5": MD5}),
        (f"{OTHER}-2", {"Content-MD5": MD5}),
        (OTHER, {"Content-MD5": "no MD5 at all"}),
    ):
        await put(result(etag), headers, buckets)
    assert buckets.looked_up == []


@pytest.mark.parametrize("size", [0, 13, 262_144, 262_145])
async def test_body_is_hashed_without_content_md5(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    async def hashed(work: Any, *given: Any) -> Any:
        threads.append(len(given[1]))
        return work(*given)

    monkeypatch.setattr("aiocos.net.hashing.run_in_hash_pool", hashed)
    body = bytes(size)
    await put(result(hashlib.md5(body).hexdigest()), {"x-amz-checksum-crc32": "x"}, body=body)
    with pytest.raises(IntegrityError) as caught:
        await put(result(OTHER), {"x-amz-checksum-crc32": "x"}, body=body)
    assert caught.value.expected == hashlib.md5(body).hexdigest()
    assert threads == ([size] * 2 if size > 262_144 else [])
    if size == 0:
        with pytest.raises(IntegrityError):
            await check_put(FakeBuckets(), PutObject("b", "k"), sent({}, None), result(OTHER))


@pytest.mark.parametrize("name", ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"])
async def test_repeated_checksums_are_compared(name: str) -> None:
    header, field = f"x-amz-checksum-{name}", f"checksum_{name}"
    # If it matches, the ETag may be anything.
    buckets = FakeBuckets()
    await put(result(OTHER, **{field: "AAAA"}), {header: "AAAA"}, buckets)
    assert buckets.looked_up == []
    # If it differs, no key explains that, and the bucket is not looked up.
    with pytest.raises(IntegrityError) as caught:
        await put(result(HEX, **{field: "BBBB"}), {header: "AAAA"}, buckets)
    assert (caught.value.expected, caught.value.actual) == ("AAAA", "BBBB")
    assert buckets.looked_up == []
    # A checksum that was not sent is not compared.
    await put(result(HEX, **{field: "BBBB"}), {}, buckets)


async def test_md5_and_checksum_are_both_compared() -> None:
    headers = {"Content-MD5": MD5, "x-amz-checksum-crc32": CRC}
    await put(result(HEX, checksum_crc32=CRC), headers)
    with pytest.raises(IntegrityError):
        await put(result(OTHER, checksum_crc32=CRC), headers)


@pytest.mark.parametrize(
    ("given", "answered", "looked_up"),
    [
        ({}, {}, True),
        ({}, {"server_side_encryption": "AES256"}, True),
        ({"server_side_encryption": "AES256"}, {}, True),
        ({}, {"server_side_encryption": "aws:kms"}, False),
        ({"server_side_encryption": "aws:kms"}, {}, False),
        ({"customer_key": bytes(32)}, {}, False),
        ({}, {"customer_algorithm": "AES256"}, False),
    ],
)
async def test_encryption_keys_explain_other_etags(given: dict[str, Any], answered: dict[str, Any], looked_up: bool) -> None:
    buckets = FakeBuckets("b")
    await put(result(OTHER, **answered), {"Content-MD5": MD5}, buckets, **given)
    assert buckets.looked_up == ([("b", None)] if looked_up else [])


async def test_part_number_in_the_error() -> None:
    with pytest.raises(IntegrityError, match=r"^UploadPart b/k part 7: .* the body has .*verify_writes=False\)$"):
        await check_put(FakeBuckets(), UploadPart("b", "k", "u", 7, DATA), sent({"Content-MD5": MD5}), result(OTHER))


# -- copies -----------------------------------------------------------------------------------------------------------


def copied(etag: str | None, **more: Any) -> CopyObjectResult:
    return CopyObjectResult(etag=None if etag is None else f'"{etag}"', **more)


async def copy(response: CopyObjectResult, buckets: FakeBuckets, **given: Any) -> None:
    given = {"source": CopySource("s", "k"), "source_if_match": f'"{HEX}"', **given}
    await check_copy(buckets, CopyObject("b", "k", **given), sent({}, None), response)


@pytest.mark.parametrize("source", [CopySource("s", "k"), ("s", "k")])
async def test_copy_has_the_etag_of_its_source(source: Any) -> None:
    buckets = FakeBuckets()
    await copy(copied(HEX), buckets, source=source)
    await copy(copied(HEX.upper()), buckets, source=source)
    assert buckets.looked_up == []
    with pytest.raises(IntegrityError, match=f"^CopyObject b/k: .*the source has {HEX}") as caught:
        await copy(copied(OTHER), buckets, source=source, expected_bucket_owner="o", expected_source_bucket_owner="so")
    assert (caught.value.expected, caught.value.actual) == (HEX, f'"{OTHER}"')
    assert buckets.looked_up == [("b", "o"), ("s", "so")]


async def test_either_bucket_may_be_under_key_protect() -> None:
    for keyed, looked_up in (("b", [("b", None)]), ("s", [("b", None), ("s", None)])):
        buckets = FakeBuckets(keyed)
        await copy(copied(OTHER), buckets)
        assert buckets.looked_up == looked_up


@pytest.mark.parametrize(
    ("given", "etag", "answered"),
    [
        ({"source_if_match": None}, OTHER, {}),
        ({"source_if_match": "*"}, OTHER, {}),
        ({"source_if_match": f'"{HEX}-2"'}, OTHER, {}),
        ({}, f"{OTHER}-2", {}),
        ({"source_customer_key": bytes(32)}, OTHER, {}),
        ({"customer_key": bytes(32)}, OTHER, {}),
        ({}, OTHER, {"server_side_encryption": "aws:kms"}),
    ],
)
async def test_copies_that_are_not_compared(given: dict[str, Any], etag: str, answered: dict[str, Any]) -> None:
    buckets = FakeBuckets()
    await copy(copied(etag, **answered), buckets, **given)
    assert buckets.looked_up == []


# -- multipart objects ------------------------------------------------------------------------------------------------

PARTS = [CompletedPart(part_number=n, etag=f'"{hashlib.md5(bytes([n])).hexdigest()}"') for n in (1, 2)]
COMPOSITE = hashlib.md5(b"".join(hashlib.md5(bytes([n])).digest() for n in (1, 2))).hexdigest() + "-2"


def test_composite_of_parts() -> None:
    assert composite_of(PARTS) == COMPOSITE
    assert composite_of([*PARTS, CompletedPart(part_number=3, etag='"another form"')]) is None
    assert composite_of([CompletedPart(part_number=1, etag="")]) is None


async def complete(etag: str, buckets: FakeBuckets, expected: str | None = None, parts: Any = PARTS, **given: Any) -> None:
    operation = CompleteMultipartUpload("b", "k", "u", parts, **given)
    await check_completion(buckets, operation, None, CompletedUpload(etag=f'"{etag}"'), expected)


async def test_completion_has_the_etag_of_its_parts() -> None:
    buckets = FakeBuckets()
    await complete(COMPOSITE, buckets)
    await complete(OTHER, buckets)
    await complete("another form-x", buckets)
    await complete(f"{OTHER}-2", buckets, parts=[CompletedPart(part_number=1, etag='"another form"')])
    assert buckets.looked_up == []
    with pytest.raises(IntegrityError, match=f"^CompleteMultipartUpload b/k: .*the parts make {COMPOSITE}"):
        await complete(f"{OTHER}-2", buckets, expected_bucket_owner="o")
    assert buckets.looked_up == [("b", "o")]
    await complete(f"{OTHER}-2", FakeBuckets("b"))


async def test_completion_has_the_expected_etag() -> None:
    await complete(f"{OTHER}-2", FakeBuckets(), f"{OTHER}-2")
    with pytest.raises(IntegrityError, match=f"the parts make {OTHER}-2"):
        await complete(COMPOSITE, FakeBuckets(), f"{OTHER}-2")


@pytest.mark.parametrize("name", ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"])
async def test_completion_with_a_checksum_is_compared_by_it(name: str) -> None:
    """The ETag may be anything then, also with a key; without a checksum in the response, the ETag is compared."""
    field, buckets = f"checksum_{name}", FakeBuckets()
    for more in ({}, {"customer_key": bytes(32)}):
        operation = CompleteMultipartUpload("b", "k", "u", PARTS, **{field: "AAAA"}, **more)
        shown = CompletedUpload(etag=f'"{OTHER}-2"', **{field: "AAAA"})
        assert await check_completion(buckets, operation, None, shown) == "checksum"
        with pytest.raises(IntegrityError) as caught:
            await check_completion(buckets, operation, None, CompletedUpload(etag=f'"{COMPOSITE}"', **{field: "BBBB"}))
        assert (caught.value.expected, caught.value.actual) == ("AAAA", "BBBB")
    assert buckets.looked_up == []
    with pytest.raises(IntegrityError, match="the parts make"):
        await check_completion(
            buckets,
            CompleteMultipartUpload("b", "k", "u", PARTS, **{field: "AAAA"}),
            None,
            CompletedUpload(etag=f'"{OTHER}-2"'),
        )


async def test_completion_with_a_customer_key_is_not_compared() -> None:
    buckets = FakeBuckets()
    await complete(f"{OTHER}-2", buckets, customer_key=bytes(32))
    assert buckets.looked_up == []


def test_checksum_headers_match_the_operation() -> None:
    names = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")
    headers = to_request(PutObject("b", "k", DATA, **{f"checksum_{name}": "x" for name in names})).headers
    assert {f"x-amz-checksum-{name}" for name in names} <= set(headers)

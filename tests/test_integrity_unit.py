"""Checksums and part sizes, with made-up results."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.recorded import Recorded, in_turn
from tests.transfer.conftest import DATA

from aiocos.errors import ConnectionLostError, IntegrityError, NotFound, Throttled, Unavailable
from aiocos.integrity import (
    Checksum,
    Verification,
    checksum_of,
    composite_checksum,
    find_verification,
    pinned_to,
    verify_checksum,
)
from aiocos.operations.buckets import BucketInfo, HeadBucket
from aiocos.operations.objects import GetObject, HeadObject, ObjectInfo
from aiocos.wire import digest

SMALL = DATA[:5000]
STRANGE = '"55555555555555555555555555555555"'


def sha256(data: bytes) -> str:
    return digest.encode(hashlib.sha256(data).digest())


def crc32(data: bytes) -> str:
    return digest.encode(zlib.crc32(data).to_bytes(4, "big"))


def composite(data: bytes, sizes: list[int]) -> str:
    md5s, at = [], 0
    for size in sizes:
        md5s.append(hashlib.md5(data[at : at + size]).digest())
        at += size
    return f'"{digest.composite_etag(md5s)}"'


# One proof at a time, without a service

READING = GetObject("b", "k", expected_bucket_owner="o", timeout=7, version_id="v", if_none_match='"x"', if_match='"y"')
RIGHT_MD5 = f'"{hashlib.md5(SMALL).hexdigest()}"'


def _read(proof: Checksum, data: bytes, step: int) -> Checksum:
    for at in range(0, len(data), step):
        proof.update(data[at : at + step])
    return proof


@pytest.mark.parametrize("step", [1, 7, 10, 13, 1000])
@pytest.mark.parametrize("lengths", [[30], [10, 10, 10], [10, 10, 3], [1, 2, 27], [29, 1]])
def test_a_proof_of_parts(lengths: list[int], step: int):
    data = bytes(range(sum(lengths)))
    proof = _read(composite_checksum(composite(data, lengths), lengths), data, step)
    assert proof.agrees
    assert proof.kind == "composite"
    proof.check("GetObject b/k")
    proof.update(b"more")
    for wrong in (data[:-1], bytes([data[0] ^ 1]) + data[1:], data + data[-1:] * lengths[-1]):
        other = _read(composite_checksum(composite(data, lengths), lengths), wrong, step)
        assert other.agrees == (wrong[: len(data)] == data)


def _info(**more: Any) -> ObjectInfo:
    return ObjectInfo.model_validate({"etag": STRANGE, "content_length": len(SMALL), **more})


BOTH = {"checksum_sha256": sha256(SMALL), "checksum_crc32": crc32(SMALL)}


@pytest.mark.parametrize(
    ("about", "kind"),
    [
        ({"etag": RIGHT_MD5}, "md5"),
        ({"etag": RIGHT_MD5.upper(), **BOTH}, "md5"),
        ({"etag": RIGHT_MD5, "server_side_encryption": "AES256"}, "md5"),
        ({"etag": RIGHT_MD5, "server_side_encryption": "aws:kms"}, None),
        ({"etag": RIGHT_MD5, "customer_algorithm": "AES256"}, None),
        ({"etag": '"opaque"'}, None),
        ({"etag": '"opaque"', **BOTH}, "checksum"),
        ({"customer_algorithm": "AES256", "checksum_sha256": sha256(SMALL)}, "checksum"),
        ({"server_side_encryption": "aws:kms", "checksum_crc32": crc32(SMALL)}, "checksum"),
        ({"etag": '"opaque"', "checksum_sha256": "", "checksum_crc32": crc32(SMALL)}, "checksum"),
        ({"etag": '"opaque"', "checksum_sha256": sha256(SMALL) + "-2", "checksum_crc32": crc32(SMALL)}, "checksum"),
        ({"etag": '"opaque"', "checksum_sha256": sha256(SMALL) + "-2", "checksum_crc32": crc32(SMALL) + "-2"}, None),
        ({"etag": '"opaque"', "checksum_crc32": ""}, None),
    ],
)
def test_what_vouches_for_a_whole_object(about: dict[str, Any], kind: str | None):
    proof = checksum_of(_info(**about))
    assert (proof and proof.kind) == kind
    if proof is not None:
        assert not proof.agrees
        assert _read(proof, SMALL, 1000).agrees
        proof.check("GetObject b/k")
        proof.update(b"?")
        with pytest.raises(IntegrityError, match="GetObject b/k: the received bytes have the checksum") as caught:
            proof.check("GetObject b/k")
        assert caught.value.expected != caught.value.actual
        assert caught.value.expected in (RIGHT_MD5.strip('"'), *BOTH.values())


@pytest.mark.parametrize("kind", ["md5", "checksum"])
async def test_bytes_that_agree_are_not_asked_about(kind: str):
    proof = checksum_of(_info(etag=RIGHT_MD5) if kind == "md5" else _info(etag='"opaque"', **BOTH))
    assert proof is not None
    engine: Any = Recorded(in_turn())
    assert await verify_checksum(engine, READING, _read(proof, SMALL, 1000), "it") is True
    assert engine.operations == []


@pytest.mark.parametrize(
    ("bucket", "verified"),
    [(BucketInfo(kp_enabled=True), False), (BucketInfo(), None), (Unavailable("no", status=503), None)],
)
async def test_an_etag_accuses_nobody_before_its_bucket_was_asked(bucket: Any, verified: bool | None):
    proof = checksum_of(_info())
    assert proof is not None
    engine: Any = Recorded(in_turn(bucket))
    if verified is None:
        with pytest.raises(IntegrityError) as caught:
            await verify_checksum(engine, READING, proof, "it")
        assert caught.value.__cause__ is None
    else:
        assert await verify_checksum(engine, READING, proof, "it") is verified
    (asked,) = engine.operations
    assert asked == HeadBucket("b", expected_bucket_owner="o", timeout=7)


async def test_a_checksum_needs_no_bucket():
    proof = checksum_of(_info(etag='"opaque"', **BOTH))
    assert proof is not None
    engine: Any = Recorded(in_turn())
    with pytest.raises(IntegrityError):
        await verify_checksum(engine, READING, proof, "it")
    assert engine.operations == []


@pytest.mark.parametrize(
    ("asked", "told", "version"), [("v", "w", "v"), (None, "w", "w"), ("v", None, "v"), (None, None, None)]
)
def test_a_request_for_the_very_version(asked: str | None, told: str | None, version: str | None):
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    reading = replace(READING, version_id=asked, if_modified_since=moment, if_unmodified_since=moment)
    expected = GetObject("b", "k", expected_bucket_owner="o", timeout=7, version_id=version, if_match=STRANGE)
    assert pinned_to(reading, _info(version_id=told)) == expected


# Of an object made of parts: what the service tells of each, by number, and what vouches for the object then.


async def _evidence(
    sizes: list[int], *, told: list[Any] | None = None, count: int | None = None, size: int | None = -1, **about: Any
) -> tuple[Verification | None, Recorded, bytes]:
    data = bytes(n % 251 for n in range(sum(sizes)))
    etag = composite(data, sizes)
    if count is not None:
        etag = etag.rpartition("-")[0] + f'-{count}"'
    answers = sizes if told is None else told

    def answer(operation: HeadObject) -> Any:
        assert operation.part_number is not None
        one = answers[operation.part_number - 1]
        return one if not isinstance(one, int) else ObjectInfo(etag=etag, content_length=one, parts_count=count or len(sizes))

    engine: Any = Recorded(answer)
    info = ObjectInfo.model_validate({"etag": etag, "content_length": len(data) if size == -1 else size, **about})
    return await find_verification(engine, READING, info), engine, data


def _asked(engine: Recorded) -> list[int]:
    assert all((o.bucket, o.key, o.version_id, o.if_match) == ("b", "k", "v", None) for o in engine.operations)
    return [operation.part_number for operation in engine.operations]


@pytest.mark.parametrize("sizes", [[10, 10, 3], [10, 10, 10], [10, 10, 1], [10] * 40])
async def test_parts_that_are_even_are_asked_for_once(sizes: list[int]):
    evidence, engine, data = await _evidence(sizes)
    assert evidence is not None
    assert _asked(engine) == [1]
    assert _read(evidence.checksum, data, 7).agrees
    assert await evidence.check(evidence.checksum, "it") is True
    assert evidence.fallback is not None
    # The service says that they are what they look like: then the bytes are damaged.
    assert await evidence.fallback() is evidence.checksum
    assert _asked(engine) == [1, *range(1, len(sizes) + 1)]


@pytest.mark.parametrize("sizes", [[10, 10], [10, 3]])
async def test_two_parts_are_known_from_the_first(sizes: list[int]):
    evidence, engine, data = await _evidence(sizes)
    assert evidence is not None
    assert (_asked(engine), evidence.fallback) == ([1], None)
    assert _read(evidence.checksum, data, 7).agrees


async def test_one_part_is_all_of_it():
    evidence, engine, data = await _evidence([10])
    assert evidence is not None
    assert (_asked(engine), evidence.fallback) == ([], None)
    assert _read(evidence.checksum, data, 7).agrees


@pytest.mark.parametrize("sizes", [[3, 10], [10, 5, 16], [10, 11, 11], [10, 20, 5]])
async def test_parts_that_are_not_even_are_asked_for_one_by_one(sizes: list[int]):
    evidence, engine, data = await _evidence(sizes)
    assert evidence is not None
    assert (_asked(engine), evidence.fallback) == ([1, *range(1, len(sizes) + 1)], None)
    assert _read(evidence.checksum, data, 7).agrees


async def test_parts_that_only_look_even():
    sizes = [10, 9, 10, 5]
    evidence, _, data = await _evidence(sizes)
    assert evidence is not None
    assert evidence.fallback is not None
    assert not _read(evidence.checksum, data, 7).agrees
    other = await evidence.fallback()
    assert other is not None
    assert other is not evidence.checksum
    assert _read(other, data, 7).agrees


REFUSED = NotFound("no", status=404)


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("told", [[10, REFUSED, 10, 5], [10, 0, 10, 5], [10, 10, 10, 5], [10, 9, 10, None]], ids=str)
async def test_parts_that_look_even_and_are_not_told(told: list[Any], *, checksum: bool):
    answers = [ObjectInfo(etag='"e"', parts_count=4) if one is None else one for one in told]
    about = {"checksum_sha256": sha256(bytes(n % 251 for n in range(34)))} if checksum else {}
    evidence, _, data = await _evidence([10, 9, 10, 5], told=answers, **about)
    assert evidence is not None
    assert evidence.fallback is not None
    other = await evidence.fallback()
    assert (other is not None) == checksum
    assert other is None or _read(other, data, 7).agrees


@pytest.mark.parametrize(
    "error", [Throttled("no", status=429), Unavailable("no", status=503), ConnectionLostError("no", sent=True)]
)
async def test_a_service_that_cannot_say_now_is_an_error_only_where_it_matters(error: Exception):
    evidence, _, _ = await _evidence([10, 9, 10, 5], told=[10, error, 10, 5])
    assert evidence is not None
    assert evidence.fallback is not None
    with pytest.raises(type(error)):
        await evidence.fallback()
    assert (await _evidence([10, 5, 16], told=[10, error, 16]))[0] is None


@pytest.mark.parametrize(
    "about",
    [
        {"count": 0}, {"count": 35}, {"size": None}, {"customer_algorithm": "AES256"},
        {"told": [REFUSED] * 4}, {"told": [0, 10, 12, 12]}, {"told": [12, 12, 12, 0]}, {"told": [3, 3, 3, 3]},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("checksum", [True, False])
async def test_parts_that_cannot_be_known(about: dict[str, Any], *, checksum: bool):
    more = {"checksum_sha256": sha256(bytes(n % 251 for n in range(34)))} if checksum else {}
    evidence, engine, data = await _evidence([10, 9, 3, 12], **about, **more)
    assert (evidence is not None) == checksum
    if evidence is not None:
        assert evidence.fallback is None
        assert _read(evidence.checksum, data, 7).agrees
        assert await evidence.check(evidence.checksum, "it") is True
    assert ("told" in about) == bool(engine.operations)


async def test_an_answer_for_the_whole_object_is_none_of_a_part():
    whole = ObjectInfo(etag='"e"', content_length=34, parts_count=None)
    assert (await _evidence([10, 9, 3, 12], told=[whole] * 4))[0] is None
    other = ObjectInfo(etag='"e"', content_length=10, parts_count=3)
    assert (await _evidence([10, 10, 10, 4], told=[other] * 4))[0] is None


async def test_an_object_of_nothing_made_of_a_part():
    evidence, engine, _ = await _evidence([0])
    assert evidence is not None
    assert engine.operations == []


async def test_sixteen_parts_are_asked_for_at_once(monkeypatch: pytest.MonkeyPatch):
    sizes = [10, *[9] * 39]
    most = in_flight = 0
    evidence, engine, data = await _evidence(sizes)
    assert evidence is not None
    assert _read(evidence.checksum, data, 7).agrees
    assert _asked(engine) == [1, *range(1, 41)]
    call = Recorded.call

    async def counted(self: Recorded, operation: Any) -> Any:
        nonlocal most, in_flight
        in_flight += 1
        most = max(most, in_flight)
        try:
            return await call(self, operation)
        finally:
            in_flight -= 1

    monkeypatch.setattr(Recorded, "call", counted)
    await _evidence(sizes)
    assert most == 16


async def test_a_thousand_parts_are_asked_for_and_no_more():
    evidence, _, data = await _evidence([2, *[1] * 999])
    assert evidence is not None
    assert _read(evidence.checksum, data, 7).agrees
    evidence, engine, _ = await _evidence([2, *[1] * 1000])
    assert (evidence, _asked(engine)) == (None, [1])
    evidence, engine, _ = await _evidence([1] * 10_000)
    assert evidence is not None
    evidence, engine, _ = await _evidence([1] * 10_001)
    assert (evidence, engine.operations) == (None, [])

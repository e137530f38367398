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

from aiocos.config import MIB
from aiocos.errors import ConnectionLostError, IntegrityError, NotFound, Throttled, Unavailable
from aiocos.integrity import Verification, find_verification, pinned_to, verify_checksum
from aiocos.object_checksum import MAX_SLOW, Checksum, checksum_of, composite_checksum
from aiocos.operations.buckets import BucketInfo, HeadBucket
from aiocos.operations.objects import GetObject, HeadObject, ObjectInfo
from aiocos.wire import checksum as checksums
from aiocos.wire import digest

SMALL = DATA[:5000]
STRANGE = '"55555555555555555555555555555555"'


def sha256(data: bytes) -> str:
    return checksums.encode(hashlib.sha256(data).digest())


def crc32(data: bytes) -> str:
    return checksums.encode(zlib.crc32(data).to_bytes(4, "big"))


def composite(data: bytes, sizes: list[int]) -> str:
    md5s, at = [], 0
    for size in sizes:
        md5s.append(hashlib.md5(data[at : at + size]).digest())
        at += size
    return f'"{digest.composite_etag(md5s)}"'


def crc64nvme(data: bytes) -> str:
    return checksums.encode(checksums.compute("crc64nvme", data))


@pytest.fixture
def slow_crcs(monkeypatch: pytest.MonkeyPatch) -> None:
    """CRC32C and CRC64NVME are computed in Python."""
    monkeypatch.setattr(checksums, "is_fast", lambda algorithm: algorithm not in ("crc32c", "crc64nvme"))


# Single checksums

READING = GetObject("b", "k", expected_bucket_owner="o", timeout=7, version_id="v", if_none_match='"x"', if_match='"y"')
RIGHT_MD5 = f'"{hashlib.md5(SMALL).hexdigest()}"'


def _read(checksum: Checksum, data: bytes, step: int) -> Checksum:
    for at in range(0, len(data), step):
        checksum.update(data[at : at + step])
    return checksum


@pytest.mark.parametrize("step", [1, 7, 10, 13, 1000])
@pytest.mark.parametrize("lengths", [[30], [10, 10, 10], [10, 10, 3], [1, 2, 27], [29, 1]])
def test_composite_checksum(lengths: list[int], step: int):
    data = bytes(range(sum(lengths)))
    checksum = _read(composite_checksum(composite(data, lengths), lengths), data, step)
    assert checksum.agrees
    assert checksum.kind == "composite"
    checksum.check("GetObject b/k")
    checksum.update(b"more")
    for wrong in (data[:-1], bytes([data[0] ^ 1]) + data[1:], data + data[-1:] * lengths[-1]):
        other = _read(composite_checksum(composite(data, lengths), lengths), wrong, step)
        assert other.agrees == (wrong[: len(data)] == data)


def _info(**more: Any) -> ObjectInfo:
    return ObjectInfo.model_validate({"etag": STRANGE, "content_length": len(SMALL), **more})


BOTH = {"checksum_sha256": sha256(SMALL), "checksum_crc32": crc32(SMALL)}
HEADERS: tuple[checksums.Algorithm, ...] = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")
EVERY = {f"checksum_{one}": checksums.encode(checksums.compute(one, SMALL)) for one in HEADERS}


@pytest.mark.parametrize(
    ("about", "kind"),
    [
        ({"etag": RIGHT_MD5}, "md5"),
        ({"etag": RIGHT_MD5.upper()}, "md5"),
        ({"etag": RIGHT_MD5, **BOTH}, "crc32"),
        ({"etag": RIGHT_MD5, "checksum_sha256": sha256(SMALL)}, "sha256"),
        ({"etag": RIGHT_MD5, **EVERY}, "crc64nvme"),
        ({"customer_algorithm": "AES256", **EVERY, "checksum_crc64nvme": None}, "crc32c"),
        ({"etag": '"opaque"', "checksum_sha1": EVERY["checksum_sha1"]}, "sha1"),
        ({"etag": RIGHT_MD5, **EVERY, "checksum_type": "FULL_OBJECT"}, "crc64nvme"),
        ({"etag": RIGHT_MD5, **EVERY, "checksum_type": "COMPOSITE"}, "md5"),
        ({"etag": '"opaque"', **EVERY, "checksum_type": "COMPOSITE"}, None),
        ({"etag": '"opaque"', "checksum_crc64nvme": "AAAA"}, None),
        ({"etag": RIGHT_MD5, "server_side_encryption": "AES256"}, "md5"),
        ({"etag": RIGHT_MD5, "server_side_encryption": "aws:kms"}, None),
        ({"etag": RIGHT_MD5, "customer_algorithm": "AES256"}, None),
        ({"etag": '"opaque"'}, None),
        ({"etag": '"opaque"', **BOTH}, "crc32"),
        ({"customer_algorithm": "AES256", "checksum_sha256": sha256(SMALL)}, "sha256"),
        ({"server_side_encryption": "aws:kms", "checksum_crc32": crc32(SMALL)}, "crc32"),
        ({"etag": '"opaque"', "checksum_crc32": "", "checksum_sha256": sha256(SMALL)}, "sha256"),
        ({"etag": '"opaque"', "checksum_crc32": crc32(SMALL) + "-2", "checksum_sha256": sha256(SMALL)}, "sha256"),
        ({"etag": '"opaque"', "checksum_sha256": sha256(SMALL) + "-2", "checksum_crc32": crc32(SMALL) + "-2"}, None),
        ({"etag": '"opaque"', "checksum_crc32": ""}, None),
    ],
)
def test_checksum_of_a_whole_object(about: dict[str, Any], kind: str | None):
    checksum = checksum_of(_info(**about))
    assert (checksum and checksum.kind) == kind
    if checksum is not None:
        assert not checksum.agrees
        assert _read(checksum, SMALL, 1000).agrees
        checksum.check("GetObject b/k")
        checksum.update(b"?")
        with pytest.raises(IntegrityError, match="GetObject b/k: the received bytes have the checksum") as caught:
            checksum.check("GetObject b/k")
        assert caught.value.expected != caught.value.actual
        assert caught.value.expected in (RIGHT_MD5.strip('"'), *EVERY.values())


@pytest.mark.parametrize(
    ("about", "kind"),
    [
        ({"etag": RIGHT_MD5}, "md5"),
        ({"checksum_crc32": crc32(SMALL)}, "crc32"),
        ({"checksum_sha1": EVERY["checksum_sha1"]}, "sha1"),
        ({"content_length": MAX_SLOW}, "crc32c"),
        ({"content_length": MAX_SLOW, "checksum_crc32c": None}, "crc64nvme"),
        ({"content_length": MAX_SLOW + 1}, None),
        ({"content_length": None}, None),
    ],
)
def test_a_crc_in_python_is_the_last_choice(about: dict[str, Any], kind: str | None, slow_crcs: None):
    slow = {"checksum_crc32c": EVERY["checksum_crc32c"], "checksum_crc64nvme": EVERY["checksum_crc64nvme"]}
    checksum = checksum_of(_info(**{"etag": '"opaque"', **slow, **about}))
    assert (checksum and checksum.kind) == kind
    assert checksum is None or (checksum.inline == 0) == (kind in ("crc32c", "crc64nvme"))
    assert checksum is None or _read(checksum, SMALL, 1000).agrees


@pytest.mark.parametrize(
    ("about", "kind"),
    [
        ({"etag": RIGHT_MD5}, "md5"),
        ({"etag": RIGHT_MD5, "content_length": 16 * MIB - 1}, "md5"),
        ({"etag": RIGHT_MD5, "content_length": 16 * MIB}, "crc64nvme"),
        ({"etag": RIGHT_MD5, "content_length": None}, "crc64nvme"),
        ({"etag": RIGHT_MD5, "checksum_crc32": EVERY["checksum_crc32"]}, "crc32"),
        ({"etag": RIGHT_MD5, "customer_algorithm": "AES256"}, "crc64nvme"),
        ({"etag": '"x-2"'}, "crc64nvme"),
    ],
)
def test_a_library_is_not_loaded_for_a_small_object(about: dict[str, Any], kind: str, monkeypatch: pytest.MonkeyPatch):
    """To load it takes longer than the MD5, which is not available with a customer's key."""
    monkeypatch.setattr(checksums, "is_loaded", lambda algorithm: algorithm not in ("crc32c", "crc64nvme"))
    checksum = checksum_of(_info(**{"checksum_crc64nvme": EVERY["checksum_crc64nvme"], **about}))
    assert checksum is not None
    assert checksum.kind == kind
    assert _read(checksum, SMALL, 1000).agrees


@pytest.mark.parametrize("kind", ["md5", "crc32"])
async def test_matching_bytes_send_no_head(kind: str):
    checksum = checksum_of(_info(etag=RIGHT_MD5) if kind == "md5" else _info(etag='"opaque"', **BOTH))
    assert checksum is not None
    engine: Any = Recorded(in_turn())
    assert await verify_checksum(engine, READING, _read(checksum, SMALL, 1000), "it") is True
    assert engine.operations == []


@pytest.mark.parametrize(
    ("bucket", "verified"),
    [(BucketInfo(kp_enabled=True), False), (BucketInfo(), None), (Unavailable("no", status=503), None)],
)
async def test_differing_etag_looks_up_the_bucket(bucket: Any, verified: bool | None):
    checksum = checksum_of(_info())
    assert checksum is not None
    engine: Any = Recorded(in_turn(bucket))
    if verified is None:
        with pytest.raises(IntegrityError) as caught:
            await verify_checksum(engine, READING, checksum, "it")
        assert caught.value.__cause__ is None
    else:
        assert await verify_checksum(engine, READING, checksum, "it") is verified
    (asked,) = engine.operations
    assert asked == HeadBucket("b", expected_bucket_owner="o", timeout=7)


async def test_checksum_header_does_not_look_up_the_bucket():
    checksum = checksum_of(_info(etag='"opaque"', **BOTH))
    assert checksum is not None
    engine: Any = Recorded(in_turn())
    with pytest.raises(IntegrityError):
        await verify_checksum(engine, READING, checksum, "it")
    assert engine.operations == []


@pytest.mark.parametrize(
    ("asked", "told", "version"), [("v", "w", "v"), (None, "w", "w"), ("v", None, "v"), (None, None, None)]
)
def test_pinned_to(asked: str | None, told: str | None, version: str | None):
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    reading = replace(READING, version_id=asked, if_modified_since=moment, if_unmodified_since=moment)
    expected = GetObject("b", "k", expected_bucket_owner="o", timeout=7, version_id=version, if_match=STRANGE)
    assert pinned_to(reading, _info(version_id=told)) == expected


# Multipart objects: the part sizes that the service returns, and the checksum that follows.


async def _verification(
    sizes: list[int], *, told: list[Any] | None = None, count: int | None = None, size: int | None = -1, **about: Any
) -> tuple[Verification | None, Recorded, bytes]:
    data = bytes(n % 251 for n in range(sum(sizes)))
    etag = composite(data, sizes)
    if count is not None:
        etag = etag.rpartition("-")[0] + f'-{count}"'
    answers = sizes if told is None else told

    def response(operation: HeadObject) -> Any:
        assert operation.part_number is not None
        one = answers[operation.part_number - 1]
        return one if not isinstance(one, int) else ObjectInfo(etag=etag, content_length=one, parts_count=count or len(sizes))

    engine: Any = Recorded(response)
    info = ObjectInfo.model_validate({"etag": etag, "content_length": len(data) if size == -1 else size, **about})
    return await find_verification(engine, READING, info), engine, data


def _asked(engine: Recorded) -> list[int]:
    assert all((o.bucket, o.key, o.version_id, o.if_match) == ("b", "k", "v", None) for o in engine.operations)
    return [operation.part_number for operation in engine.operations]


@pytest.mark.parametrize("sizes", [[10, 10, 3], [10, 10, 10], [10, 10, 1], [10] * 40])
async def test_equal_parts_take_one_head(sizes: list[int]):
    verification, engine, data = await _verification(sizes)
    assert verification is not None
    assert _asked(engine) == [1]
    assert _read(verification.checksum, data, 7).agrees
    assert await verification.check(verification.checksum, "it") is True
    assert verification.fallback is not None
    # The parts are equal as assumed, so the bytes are damaged.
    assert await verification.fallback() is verification.checksum
    assert _asked(engine) == [1, *range(1, len(sizes) + 1)]


@pytest.mark.parametrize("sizes", [[10, 10], [10, 3]])
async def test_two_parts_take_one_head(sizes: list[int]):
    verification, engine, data = await _verification(sizes)
    assert verification is not None
    assert (_asked(engine), verification.fallback) == ([1], None)
    assert _read(verification.checksum, data, 7).agrees


async def test_one_part_takes_no_head():
    verification, engine, data = await _verification([10])
    assert verification is not None
    assert (_asked(engine), verification.fallback) == ([], None)
    assert _read(verification.checksum, data, 7).agrees


@pytest.mark.parametrize("sizes", [[3, 10], [10, 5, 16], [10, 11, 11], [10, 20, 5]])
async def test_unequal_parts_take_a_head_each(sizes: list[int]):
    verification, engine, data = await _verification(sizes)
    assert verification is not None
    assert (_asked(engine), verification.fallback) == ([1, *range(1, len(sizes) + 1)], None)
    assert _read(verification.checksum, data, 7).agrees


async def test_parts_that_only_look_equal():
    sizes = [10, 9, 10, 5]
    verification, _, data = await _verification(sizes)
    assert verification is not None
    assert verification.fallback is not None
    assert not _read(verification.checksum, data, 7).agrees
    other = await verification.fallback()
    assert other is not None
    assert other is not verification.checksum
    assert _read(other, data, 7).agrees


REFUSED = NotFound("no", status=404)


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("told", [[10, REFUSED, 10, 5], [10, 0, 10, 5], [10, 10, 10, 5], [10, 9, 10, None]], ids=str)
async def test_parts_that_look_equal_without_sizes(told: list[Any], slow_crcs: None, *, checksum: bool):
    answers = [ObjectInfo(etag='"e"', parts_count=4) if one is None else one for one in told]
    about = {"checksum_crc64nvme": crc64nvme(bytes(n % 251 for n in range(34)))} if checksum else {}
    verification, _, data = await _verification([10, 9, 10, 5], told=answers, **about)
    assert verification is not None
    assert verification.fallback is not None
    other = await verification.fallback()
    assert (other is not None) == checksum
    assert other is None or _read(other, data, 7).agrees


@pytest.mark.parametrize(
    "error", [Throttled("no", status=429), Unavailable("no", status=503), ConnectionLostError("no", sent=True)]
)
async def test_unavailable_service_is_an_error_only_in_the_fallback(error: Exception):
    verification, _, _ = await _verification([10, 9, 10, 5], told=[10, error, 10, 5])
    assert verification is not None
    assert verification.fallback is not None
    with pytest.raises(type(error)):
        await verification.fallback()
    assert (await _verification([10, 5, 16], told=[10, error, 16]))[0] is None


@pytest.mark.parametrize(
    "about",
    [
        {"count": 0}, {"count": 35}, {"size": None}, {"customer_algorithm": "AES256"},
        {"told": [REFUSED] * 4}, {"told": [0, 10, 12, 12]}, {"told": [12, 12, 12, 0]}, {"told": [3, 3, 3, 3]},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("checksum", [True, False])
async def test_implausible_part_counts(about: dict[str, Any], slow_crcs: None, *, checksum: bool):
    more = {"checksum_crc64nvme": crc64nvme(bytes(n % 251 for n in range(34)))} if checksum else {}
    verification, engine, data = await _verification([10, 9, 3, 12], **about, **more)
    assert (verification is not None) == (checksum and about != {"size": None})
    if verification is not None:
        assert verification.fallback is None
        assert _read(verification.checksum, data, 7).agrees
        assert await verification.check(verification.checksum, "it") is True
    assert ("told" in about) == bool(engine.operations)


async def test_head_of_the_whole_object_is_not_a_part():
    whole = ObjectInfo(etag='"e"', content_length=34, parts_count=None)
    assert (await _verification([10, 9, 3, 12], told=[whole] * 4))[0] is None
    other = ObjectInfo(etag='"e"', content_length=10, parts_count=3)
    assert (await _verification([10, 10, 10, 4], told=[other] * 4))[0] is None


async def test_empty_object_of_one_part():
    verification, engine, _ = await _verification([0])
    assert verification is not None
    assert engine.operations == []
    assert verification.checksum.agrees


async def test_a_cheap_checksum_takes_no_head():
    verification, engine, data = await _verification([10, 9, 3, 12], checksum_crc32=crc32(bytes(range(34))))
    assert verification is not None
    assert (verification.checksum.kind, verification.fallback, engine.operations) == ("crc32", None, [])
    assert _read(verification.checksum, data, 7).agrees


async def test_sixteen_heads_at_once(monkeypatch: pytest.MonkeyPatch):
    sizes = [10, *[9] * 39]
    most = in_flight = 0
    verification, engine, data = await _verification(sizes)
    assert verification is not None
    assert _read(verification.checksum, data, 7).agrees
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
    await _verification(sizes)
    assert most == 16


async def test_at_most_a_thousand_heads():
    verification, _, data = await _verification([2, *[1] * 999])
    assert verification is not None
    assert _read(verification.checksum, data, 7).agrees
    verification, engine, _ = await _verification([2, *[1] * 1000])
    assert (verification, _asked(engine)) == (None, [1])
    verification, engine, _ = await _verification([1] * 10_000)
    assert verification is not None
    verification, engine, _ = await _verification([1] * 10_001)
    assert (verification, engine.operations) == (None, [])

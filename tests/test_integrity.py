"""Checksums and part sizes, with a server of raw bytes."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.net.scripted import reply, scripted
from tests.transfer.conftest import CONFIG, DATA, PART

from aiocos.errors import IntegrityError, TransferError, Unavailable
from aiocos.wire import checksum, digest

SMALL = DATA[:5000]
# An object with a customer's key: its ETag looks like an MD5 and is not one.
SECRET = {"x_amz_server_side_encryption_customer_algorithm": "AES256"}
STRANGE = '"' + "5" * 32 + '"'


def sha256(data: bytes) -> str:
    return checksum.encode(hashlib.sha256(data).digest())


def crc32(data: bytes) -> str:
    return checksum.encode(zlib.crc32(data).to_bytes(4, "big"))


def serving(
    data: bytes, etag: str, parts: list[int] | None = None, counted: int | None = None, **headers: str
) -> Callable[[bytes], bytes]:
    """Return the replies of a service with one object; `parts` are the part sizes that it returns."""

    def respond(head: bytes) -> bytes:
        target = head.split(b" ")[1].decode()
        asked = next((line for line in head.decode().split("\r\n") if line.startswith("Range: bytes=")), None)
        if "partNumber=" in target:
            if parts is None:
                return reply(length=len(data), etag=etag, **headers)
            number = int(target.partition("partNumber=")[2].partition("&")[0])
            return reply(length=parts[number - 1], etag=etag, x_amz_mp_parts_count=str(counted or len(parts)), **headers)
        if head.startswith(b"HEAD /bucket HTTP"):
            return reply(etag=None)
        if asked is None:
            return reply(data, etag=etag, **headers)
        first, last = map(int, asked.removeprefix("Range: bytes=").split("-"))
        span = f"bytes {first}-{last}/{len(data)}"
        return reply(data[first : last + 1], status=206, etag=etag, Content_Range=span, **headers)

    return respond


@pytest.mark.parametrize("data", [SMALL, DATA, b""], ids=["small", "in ranges", "empty"])
@pytest.mark.parametrize("about", [SECRET, {"x_amz_server_side_encryption": "aws:kms"}], ids=["customer's key", "key service"])
@pytest.mark.parametrize("kinds", [["sha256"], ["crc32"], ["sha256", "crc32"]], ids="+".join)
async def test_checksum_header_is_used_if_the_etag_is_not_an_md5(
    tmp_path: Path, data: bytes, about: dict[str, str], kinds: list[str]
):
    make = {"sha256": sha256, "crc32": crc32}
    right = {f"x_amz_checksum_{kind}": make[kind](data) for kind in kinds}
    wrong = {f"x_amz_checksum_{kind}": make[kind](data + b"?") for kind in kinds}
    async with scripted(serving(data, STRANGE, **about, **right), config=CONFIG) as (_, cos):
        result = await cos.download("bucket", "key", tmp_path / "f")
        assert (result.verified, (tmp_path / "f").read_bytes() == data) == (kinds[-1], True)
        assert await cos.objects.read("bucket", "key") == data
        async with cos.objects.get("bucket", "key") as obj:
            assert await obj.read() == data
    (tmp_path / "f").unlink()
    async with scripted(serving(data, STRANGE, **about, **wrong), config=CONFIG) as (_, cos):
        with pytest.raises(IntegrityError) as caught:
            await cos.download("bucket", "key", tmp_path / "f")
        # Only the cheapest checksum is compared.
        assert (caught.value.expected, caught.value.actual) == (make[kinds[-1]](data + b"?"), make[kinds[-1]](data))
        with pytest.raises(IntegrityError):
            await cos.objects.read("bucket", "key")
        async with cos.objects.get("bucket", "key") as obj:
            for _ in range(2):
                with pytest.raises(IntegrityError):
                    await obj.read()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["sha256", "crc32"])
async def test_composite_checksum_header_is_not_used(tmp_path: Path, kind: str):
    headers = {f"x_amz_checksum_{kind}": "AAAAAA==-3", **SECRET}
    async with scripted(serving(DATA, STRANGE, **headers), config=CONFIG) as (_, cos):
        assert (await cos.download("bucket", "key", tmp_path / "f")).verified is None
        assert await cos.objects.read("bucket", "key") == DATA


async def test_a_crc_is_preferred_to_the_etag(tmp_path: Path):
    """The CRC decides, whatever the ETag is: MD5 takes many times as long."""
    etag = f'"{hashlib.md5(DATA).hexdigest()}"'
    for told in (etag, STRANGE):
        async with scripted(serving(DATA, told, x_amz_checksum_crc32=crc32(DATA)), config=CONFIG) as (_, cos):
            assert (await cos.download("bucket", "key", tmp_path / "f")).verified == "crc32"
    async with scripted(serving(DATA, etag, x_amz_checksum_crc32=crc32(DATA[1:])), config=CONFIG) as (_, cos):
        with pytest.raises(IntegrityError):
            await cos.download("bucket", "key", tmp_path / "f")


SIZES = {
    "even": [PART, PART, PART, 12_345],
    "uneven": [PART + 5_000, PART, PART - 1, 7_346],
    "looks even": [PART + 5, PART, PART - 1, 12_341],
    "two": [PART, 2 * PART + 12_345],
    "one": [3 * PART + 12_345],
    "one byte": [1, 3 * PART + 12_343, 1],
}


def composite(data: bytes, sizes: list[int]) -> str:
    md5s, at = [], 0
    for size in sizes:
        md5s.append(hashlib.md5(data[at : at + size]).digest())
        at += size
    return f'"{digest.composite_etag(md5s)}"'


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
async def test_parts_of_any_size(tmp_path: Path, sizes: list[int]):
    assert sum(sizes) == len(DATA)
    etag = composite(DATA, sizes)
    async with scripted(serving(DATA, etag, sizes), config=CONFIG) as (_, cos):
        result = await cos.download("bucket", "key", tmp_path / "f")
        assert (result.verified, (tmp_path / "f").read_bytes() == DATA) == ("composite", True)
        assert await cos.objects.read("bucket", "key") == DATA
    other = bytearray(DATA)
    other[PART + 1] ^= 1
    async with scripted(serving(bytes(other), etag, sizes), config=CONFIG) as (_, cos):
        for work in (cos.download("bucket", "key", tmp_path / "g"), cos.objects.read("bucket", "key")):
            with pytest.raises(IntegrityError):
                await work


# The part sizes and the number of parts that a service returns. In the last three, the first size suggests equal parts.
CONTRADICTORY: dict[str, tuple[list[int] | None, int | None]] = {
    "not at all": (None, None),
    "another number": ([PART + 1, PART, PART - 1, 12_345], 3),
    "uneven, none of a part": ([PART + 5_000, 0, PART, PART + 7_345], None),
    "uneven, too much in all": ([PART + 5_000, PART, PART + 7, 7_346], None),
    "none of a part": ([PART + 1, 0, PART, PART + 12_344], None),
    "too much in all": ([PART + 1, PART, PART + 7, 12_345], None),
    "too little in all": ([PART - 1, PART, PART - 7, 12_345], None),
}


@pytest.mark.parametrize(("sizes", "counted"), CONTRADICTORY.values(), ids=CONTRADICTORY)
@pytest.mark.parametrize("checksum", [True, False])
async def test_checksum_header_is_used_without_part_sizes(
    tmp_path: Path, sizes: list[int] | None, counted: int | None, *, checksum: bool
):
    """Sizes that contradict each other are not an integrity error."""
    etag = composite(DATA, SIZES["uneven"])
    headers = {"x_amz_checksum_sha256": sha256(DATA)} if checksum else {}
    async with scripted(serving(DATA, etag, sizes, counted, **headers), config=CONFIG) as (_, cos):
        result = await cos.download("bucket", "key", tmp_path / "f")
        assert (result.verified, (tmp_path / "f").read_bytes() == DATA) == ("sha256" if checksum else None, True)
        assert await cos.objects.read("bucket", "key") == DATA
    if checksum:
        async with scripted(serving(DATA[:-1] + b"?", etag, sizes, counted, **headers), config=CONFIG) as (_, cos):
            with pytest.raises(IntegrityError):
                await cos.objects.read("bucket", "key")


async def test_unavailable_service_is_an_error(tmp_path: Path):
    """The bytes do not match equal parts, and the service does not return the sizes now."""
    sizes = SIZES["looks even"]
    real, refused = serving(DATA, composite(DATA, sizes), sizes), reply(status=503)

    def respond(head: bytes) -> bytes:
        return refused if b"partNumber=" in head and b"partNumber=1" not in head else real(head)

    async with scripted(respond, config=CONFIG) as (_, cos):
        before = asyncio.all_tasks()
        for work in (cos.objects.read("bucket", "key"), cos.download("bucket", "key", tmp_path / "f")):
            with pytest.raises((Unavailable, TransferError), match="503"):
                await work
            assert not [task for task in asyncio.all_tasks() - before if "_size_of" in repr(task.get_coro())]
    assert list(tmp_path.iterdir()) == []


async def test_more_parts_than_the_maximum_of_heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("aiocos.integrity._MAX_HEADS", 3)
    sizes = SIZES["uneven"]
    async with scripted(serving(DATA, composite(DATA, sizes), sizes), config=CONFIG) as (script, cos):
        assert (await cos.download("bucket", "key", tmp_path / "f")).verified is None
        assert sum(head.startswith(b"HEAD") for head in script.heads) == 1
    monkeypatch.setattr("aiocos.integrity._MAX_HEADS", 4)
    async with scripted(serving(DATA, composite(DATA, sizes), sizes), config=CONFIG) as (_, cos):
        assert (await cos.download("bucket", "key", tmp_path / "f")).verified == "composite"


# ---------------------------------------------------------------------------------------------------------------------

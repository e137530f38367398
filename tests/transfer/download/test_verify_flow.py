"""Damage is found in every mode of verification, with every checksum, wherever it is."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from tests.net.scripted import reply, scripted

import aiocos
from aiocos.config import Verify
from aiocos.errors import ConfigError, IntegrityError, PreconditionFailed, TransferError
from aiocos.transfer.download import verify
from aiocos.wire import checksum as checksums
from aiocos.wire import digest

# Larger than what is read into memory, in few ranges that are not those of the parts.
SIZE, RANGE = 300_000, 60_000
SIZES = [50_000] * 6
DATA = os.urandom(SIZE)
OPAQUE = '"opaque"'
Kind = Literal["crc64nvme", "crc32c", "crc32", "sha1", "sha256", "md5", "composite"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CONFIG = aiocos.ClientConfig(
    retry=aiocos.RetryConfig(base=0.001, cap=0.002), transfer=aiocos.TransferConfig(multipart_threshold=0, concurrency=4)
)


def composite(data: bytes, sizes: list[int]) -> str:
    ends = [sum(sizes[: n + 1]) for n in range(len(sizes))]
    parts = [data[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    return f'"{digest.composite_etag(checksums.compute("md5", part) for part in parts)}"'


@dataclass
class Service:
    """A service with one object. It reports a checksum of `DATA` and sends `data`."""

    kind: Kind | None
    data: bytes = DATA
    sizes: list[int] = field(default_factory=lambda: SIZES)
    etag: str = ""
    replies: Callable[[int, int], bytes] | None = None
    refused_from: int = SIZE

    def __post_init__(self) -> None:
        self.headers: dict[str, str] = {}
        if self.kind == "md5":
            self.etag = self.etag or f'"{digest.etag_of(DATA)}"'
        elif self.kind == "composite":
            self.etag = self.etag or composite(DATA, self.sizes)
        elif self.kind is not None:
            value = checksums.encode(checksums.compute(self.kind, DATA))
            self.headers = {f"x_amz_checksum_{self.kind}": value, "x_amz_checksum_type": "FULL_OBJECT"}
        self.etag = self.etag or OPAQUE

    def __call__(self, head: bytes) -> bytes:
        lines = head.decode().split("\r\n")
        asked = next((line for line in lines if line.startswith("Range: bytes=")), None)
        if "partNumber=" in lines[0]:
            number = int(lines[0].partition("partNumber=")[2].split()[0].partition("&")[0])
            return reply(length=self.sizes[number - 1], etag=self.etag, x_amz_mp_parts_count=str(len(self.sizes)))
        if lines[0].startswith("HEAD /bucket HTTP"):
            return reply(etag=None)
        if lines[0].startswith("HEAD "):
            return reply(length=len(self.data), etag=self.etag, **self.headers)
        if asked is None:
            return reply(self.data, etag=self.etag, **self.headers)
        # As the service: without a checksum, which would be of the whole object.
        first, last = map(int, asked.removeprefix("Range: bytes=").split("-"))
        if last >= self.refused_from:
            return reply(status=403)
        if self.replies is not None:
            return self.replies(first, last)
        span = f"bytes {first}-{last}/{len(self.data)}"
        return reply(self.data[first : last + 1], status=206, etag=self.etag, Content_Range=span)


def flipped(at: int) -> bytes:
    return DATA[:at] + bytes([DATA[at] ^ 1]) + DATA[at + 1 :]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes that are read back from files."""
    got: list[int] = []
    real = verify.read_at

    def read_at(fd: int, buffer: Any, offset: int) -> int:
        got.append(len(buffer))
        return real(fd, buffer, offset)

    monkeypatch.setattr(verify, "read_at", read_at)
    return got


@pytest.mark.parametrize("mode", ["flow", "disk"])
@pytest.mark.parametrize("kind", KINDS)
async def test_what_arrives_is_compared(tmp_path: Path, kind: Kind, mode: Verify, reads: list[int]):
    async with scripted(Service(kind), config=CONFIG) as (script, cos):
        result = await cos.download("bucket", "key", tmp_path / "f", part_size=RANGE, verify=mode)
    assert (tmp_path / "f").read_bytes() == DATA
    assert (result.verified, len(script.ranges) >= 5) == (kind, True)
    in_flow = mode == "flow" and kind not in ("sha1", "sha256", "md5")
    assert sum(reads) == (0 if in_flow else SIZE), "a file is read back only if there is no other way, or on demand"


@pytest.mark.parametrize("mode", ["flow", "disk"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_byte_that_is_damaged_in_any_range(tmp_path: Path, kind: Kind, mode: Verify):
    for at in (0, 2 * RANGE + 5, SIZE - 1) if mode == "flow" else (2 * RANGE + 5,):
        async with scripted(Service(kind, flipped(at)), config=CONFIG) as (_, cos):
            with pytest.raises(IntegrityError):
                await cos.download("bucket", "key", tmp_path / "f", part_size=RANGE, verify=mode)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_single_range_is_hashed_from_memory(tmp_path: Path, kind: Kind, reads: list[int]):
    async with scripted(Service(kind), config=CONFIG) as (_, cos):
        assert (await cos.download("bucket", "key", tmp_path / "f", part_size=SIZE)).verified == kind
    assert reads == []
    async with scripted(Service(kind, flipped(SIZE - 1)), config=CONFIG) as (_, cos):
        with pytest.raises(IntegrityError):
            await cos.download("bucket", "key", tmp_path / "g", part_size=SIZE)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_file_object(kind: Kind):
    async with scripted(Service(kind), config=CONFIG) as (_, cos):
        result = await cos.download("bucket", "key", file := io.BytesIO(), part_size=RANGE)
    assert (file.getvalue() == DATA, result.verified) == (True, kind)
    async with scripted(Service(kind, flipped(SIZE // 2)), config=CONFIG) as (_, cos):
        with pytest.raises(IntegrityError):
            await cos.download("bucket", "key", io.BytesIO(), part_size=RANGE)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "composite"])
async def test_a_stream(kind: Kind):
    for at in (None, 0, SIZE // 2, SIZE - 1):
        damaged = DATA if at is None else flipped(at)
        async with scripted(Service(kind, damaged), config=CONFIG) as (_, cos), cos.objects.get("bucket", "key") as obj:
            got = b""
            try:
                async for chunk in obj:
                    got += chunk
            except IntegrityError:
                assert at is not None
                # The damage is reported again, not forgotten.
                with pytest.raises(IntegrityError):
                    await obj.chunk()
            else:
                assert at is None
            assert got == damaged
        async with scripted(Service(kind, damaged), config=CONFIG) as (_, cos):
            assert await cos.objects.read("bucket", "key", verify_reads=False) == damaged
            async with cos.objects.get("bucket", "key", verify_reads=False) as obj:
                assert await obj.read() == damaged


async def test_a_composite_etag_of_other_parts(tmp_path: Path):
    """The ETag does not fit to the sizes that are reported: that is damage, wherever the bytes were hashed."""
    etag = composite(DATA, [50_001, *SIZES[1:-1], 49_999])
    for mode in ("flow", "disk"):
        async with scripted(Service("composite", etag=etag), config=CONFIG) as (_, cos):
            with pytest.raises(IntegrityError):
                await cos.download("bucket", "key", tmp_path / "f", part_size=RANGE, verify=mode)


@pytest.mark.parametrize(
    "sizes", [[70_000, 70_000, 60_000, 70_000, 30_000], [50_000] * 6, [10_000] * 30, [290_000, 10_000]], ids=str
)
async def test_ranges_follow_parts(tmp_path: Path, sizes: list[int], reads: list[int]):
    """Also if the sizes were guessed wrongly at first; parts that are too large for a range are hashed from the file."""
    async with scripted(Service("composite", sizes=sizes), config=CONFIG) as (script, cos):
        result = await cos.download("bucket", "key", tmp_path / "f", part_size=RANGE)
    assert ((tmp_path / "f").read_bytes() == DATA, result.verified) == (True, "composite")
    bounds = {sum(sizes[:n]) for n in range(len(sizes))}
    firsts = {int(one.removeprefix("bytes=").partition("-")[0]) for one in script.ranges if one}
    assert firsts
    is_large, is_guessed = sizes[0] > 4 * RANGE, sizes[0] == 70_000
    assert (firsts <= bounds) == (not is_large and not is_guessed)
    assert sum(reads) == (SIZE if is_large or is_guessed else 0)


async def test_none_compares_nothing(tmp_path: Path):
    off = replace(CONFIG, verify_reads=False)
    modes: list[tuple[aiocos.ClientConfig, Verify | None, bool]] = [
        (CONFIG, "none", False),
        (off, None, False),
        (off, "flow", True),
        (replace(CONFIG, transfer=replace(CONFIG.transfer, verify="none")), None, False),
        (replace(off, transfer=replace(CONFIG.transfer, verify="disk")), None, False),
        (CONFIG, None, True),
    ]
    for config, mode, compared in modes:
        async with scripted(Service("crc32", flipped(9)), config=config) as (_, cos):
            for target in (tmp_path / "f", io.BytesIO()):
                work = cos.download("bucket", "key", target, part_size=RANGE, verify=mode)
                if compared:
                    with pytest.raises(IntegrityError):
                        await work
                else:
                    assert (await work).verified is None
                    assert (target.read_bytes() if isinstance(target, Path) else target.getvalue()) == flipped(9)


async def test_modes_that_are_refused(tmp_path: Path):
    async with scripted(Service("crc32"), config=CONFIG) as (script, cos):
        with pytest.raises(ConfigError, match="verify is 'memory'"):
            await cos.download("bucket", "key", tmp_path / "f", verify="memory")  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="a file object is not read back"):
            await cos.download("bucket", "key", io.BytesIO(), verify="disk")
        assert script.heads == []
    with pytest.raises(ConfigError, match="verify is 'memory'"):
        aiocos.TransferConfig(verify="memory")  # type: ignore[arg-type]
    disk = replace(CONFIG, transfer=replace(CONFIG.transfer, verify="disk"))
    async with scripted(Service("crc32"), config=disk) as (_, cos):
        assert (await cos.download("bucket", "key", io.BytesIO(), part_size=RANGE)).verified == "crc32"


@pytest.mark.parametrize("kind", KINDS)
async def test_ranges_of_another_version(tmp_path: Path, kind: Kind):
    """A server that ignores If-Match, and does not even show the other ETag, is found out by the checksum."""
    service = Service(kind)
    other = os.urandom(SIZE)

    def mixed(etag: str) -> Callable[[int, int], bytes]:
        def of_another(first: int, last: int) -> bytes:
            source = other if first >= 3 * RANGE else DATA
            span = f"bytes {first}-{last}/{SIZE}"
            return reply(source[first : last + 1], status=206, etag=etag, Content_Range=span)

        return of_another

    service.replies = mixed(service.etag)
    async with scripted(service, config=CONFIG) as (_, cos):
        with pytest.raises(IntegrityError):
            await cos.download("bucket", "key", tmp_path / "f", part_size=RANGE)
    service.replies = mixed('"another"')
    async with scripted(service, config=CONFIG) as (_, cos):
        with pytest.raises(PreconditionFailed):
            await cos.download("bucket", "key", tmp_path / "f", part_size=RANGE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["crc64nvme", "composite", "md5", None])
async def test_a_range_that_is_too_short(tmp_path: Path, kind: Kind | None):
    service = Service(kind)

    def short(first: int, last: int) -> bytes:
        return reply(DATA[first:last], status=206, etag=service.etag, Content_Range=f"bytes {first}-{last - 1}/{SIZE}")

    service.replies = short
    async with scripted(service, config=CONFIG) as (_, cos):
        with pytest.raises(TransferError):
            await cos.download("bucket", "key", tmp_path / "f", part_size=RANGE)
    assert list(tmp_path.iterdir()) == []


async def half_a_download(cos: aiocos.Client, service: Service, target: Path, mode: Verify | None = None) -> None:
    """Let a download fail after three of its ranges."""
    service.refused_from = 3 * RANGE
    with pytest.raises(TransferError, match="continues from there"):
        await cos.download("bucket", "key", target, part_size=RANGE, resume=True, concurrency=1, verify=mode)
    service.refused_from = SIZE


def plant(folder: Path) -> None:
    """Replace the first bytes of an unfinished file, and change its journal accordingly."""
    (journal,), (part,) = folder.glob(".*.journal"), folder.glob(".*.part")
    head, step, *others = journal.read_text().splitlines()
    offset, length, _ = json.loads(step)
    garbage = os.urandom(length)
    with part.open("r+b") as file:
        file.seek(offset)
        file.write(garbage)
    step = json.dumps([offset, length, int.from_bytes(checksums.compute("crc32", garbage), "big")])
    journal.write_text("\n".join([head, step, *others, ""]))


@pytest.mark.parametrize("mode", ["flow", "disk", "none"])
@pytest.mark.parametrize("kind", KINDS)
async def test_bytes_of_an_earlier_run_are_compared_in_every_mode(tmp_path: Path, kind: Kind, mode: Verify):
    """They are read from the file, and combined with what arrives. Planted bytes are found, and all is fetched again."""
    service = Service(kind)
    async with scripted(service, config=CONFIG) as (_, cos):
        for planted in (False, True):
            target = tmp_path / f"f{planted}"
            await half_a_download(cos, service, target, mode)
            if planted:
                plant(tmp_path)
            result = await cos.download("bucket", "key", target, part_size=RANGE, resume=True, verify=mode)
            assert target.read_bytes() == DATA
            assert (result.resumed_bytes > 0, result.resume_rejected is None) == (not planted, not planted)
            # The second attempt of a planted file has nothing of an earlier run any more.
            assert result.verified == (None if planted and mode == "none" else kind)


async def test_without_a_checksum_of_the_whole_nothing_is_resumed(tmp_path: Path):
    service = Service(None)
    async with scripted(service, config=CONFIG) as (_, cos):
        await half_a_download(cos, service, tmp_path / "f")
        result = await cos.download("bucket", "key", tmp_path / "f", part_size=RANGE, resume=True)
    assert "no checksum of the object" in (result.resume_rejected or "")
    assert ((tmp_path / "f").read_bytes() == DATA, result.resumed_bytes) == (True, 0)


@pytest.mark.parametrize("told", ["another", "403"])
async def test_the_head_of_another_object_is_not_believed(tmp_path: Path, told: str):
    """The first request of a resumed download is one of a range: a HEAD asks for the checksum of the whole."""
    service = Service("crc32")

    def respond(head: bytes) -> bytes:
        if not head.startswith(b"HEAD "):
            return service(head)
        return reply(status=403) if told == "403" else reply(length=SIZE, etag='"another"', **service.headers)

    async with scripted(respond, config=CONFIG) as (_, cos):
        await half_a_download(cos, service, tmp_path / "f")
        result = await cos.download("bucket", "key", tmp_path / "f", part_size=RANGE, resume=True)
    assert (result.resumed_bytes, result.verified) == (0, "crc32")
    assert "no checksum of the object" in (result.resume_rejected or "")


async def test_crcs_in_python_never_run_in_the_thread_of_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    loop_thread, used = asyncio.get_running_loop(), set[bool]()
    real = checksums.hasher

    class Noted:
        def __init__(self) -> None:
            self._hasher = real("crc64nvme")

        def update(self, data: Any) -> None:
            used.add(asyncio._get_running_loop() is loop_thread)
            self._hasher.update(data)

        def digest(self) -> bytes:
            return self._hasher.digest()

    monkeypatch.setattr(checksums, "hasher", lambda algorithm: Noted())
    monkeypatch.setattr(checksums, "is_fast", lambda algorithm: False)
    async with scripted(Service("crc64nvme"), config=CONFIG) as (_, cos):
        assert (await cos.download("bucket", "key", tmp_path / "f", part_size=RANGE)).verified == "crc64nvme"
        assert (await cos.download("bucket", "key", io.BytesIO(), part_size=RANGE)).verified == "crc64nvme"
        assert await cos.objects.read("bucket", "key") == DATA
        async with cos.objects.get("bucket", "key") as obj:
            assert await obj.read() == DATA
    assert used == {False}

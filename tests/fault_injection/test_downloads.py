"""Downloads of objects that are replaced, interrupted or damaged (E4, E5, E6, E7)."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from tests.fault_injection.conftest import PART, Saw
from tests.proxy import proxy_to

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Delay, Emulator, FlipBit, Status
from aiocos.errors import IntegrityError, PreconditionFailed, TransferError
from aiocos.wire.checksum import best

pytestmark = pytest.mark.usefixtures("backend")

DATA = os.urandom(4 * PART)


def client_through(url: str, emulator: Emulator, config: aiocos.ClientConfig) -> aiocos.Client:
    keys = {"access_key_id": emulator.access_key_id, "secret_access_key": emulator.secret_access_key}
    return aiocos.Client(url, config=config, **keys)


async def test_e4_a_file_never_has_parts_of_two_versions(
    small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, saw: Saw
) -> None:
    old, new = b"o" * len(DATA), b"n" * len(DATA)
    await small.objects.put("bucket", "key", old)
    target = tmp_path / "f"
    target.write_bytes(b"before")
    cos_emulator.requests.clear()
    cos_emulator.faults.script([Delay(0.5, operation="GetObject", nth=2, times=None)])
    task = asyncio.create_task(small.download("bucket", "key", target, concurrency=2))
    async with asyncio.timeout(20):
        while not any(s.operation == "GetObject" for s in cos_emulator.requests):
            await asyncio.sleep(0.005)
    await small.objects.put("bucket", "key", new)
    with pytest.raises(PreconditionFailed):
        await task
    assert target.read_bytes() == b"before"
    # Likewise for a stream that is interrupted and resumed.
    await small.objects.put("bucket", "key", old)
    cos_emulator.faults.script([])
    async with proxy_to(cos_emulator.endpoint) as proxy, client_through(proxy.url, cos_emulator, small.config) as cos:
        proxy.cut_down_after = 3 * MIB
        got = b""
        with pytest.raises(PreconditionFailed, match="replaced while it was being read"):
            async with cos.objects.get("bucket", "key") as obj:
                while chunk := await obj.chunk():
                    if not got:
                        await small.objects.put("bucket", "key", new)
                    got += chunk
        assert set(got) == {ord("o")}
    saw("E4", "`PreconditionFailed`; the existing file is unchanged, no byte of the other version was written")


async def test_e5_a_read_resumes_after_a_cut_at_3_mib(
    small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, saw: Saw
) -> None:
    await small.objects.put("bucket", "key", DATA)
    async with proxy_to(cos_emulator.endpoint) as proxy, client_through(proxy.url, cos_emulator, small.config) as cos:
        for reset in (False, True):
            proxy.cut_down_after, proxy.reset, proxy.bytes_down = 3 * MIB, reset, 0
            assert await cos.objects.read("bucket", "key") == DATA
            assert proxy.cut_down_after is None, "it was cut"
            twice = proxy.bytes_down - len(DATA)
            assert twice < MIB
            proxy.cut_down_after = 3 * MIB
            assert (await cos.download("bucket", "key", tmp_path / "f")).verified == best()
            assert (tmp_path / "f").read_bytes() == DATA
    saw("E5", "reads and downloads resume at the next byte, with `If-Match` on the ETag")


async def test_e6_a_flipped_bit_is_detected(small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, saw: Saw) -> None:
    await small.upload("bucket", "parts", DATA)
    await small.objects.put("bucket", "whole", DATA)
    target = tmp_path / "f"
    for key in ("parts", "whole"):
        cos_emulator.faults.script([FlipBit(1000, operation="GetObject", nth=2)])
        assert (await small.download("bucket", key, target)).verified
        assert len(cos_emulator.faults.hits) == 1
        assert target.read_bytes() == DATA
        target.unlink()
        cos_emulator.faults.script([FlipBit(1000, operation="GetObject", times=None)])
        with pytest.raises(IntegrityError):
            await small.download("bucket", key, target)
        assert list(tmp_path.glob("*f*")) == []
    cos_emulator.faults.script([FlipBit(1000, operation="GetObject", times=None)])
    for key in ("parts", "whole"):
        with pytest.raises(IntegrityError):
            await small.objects.read("bucket", key)
    cos_emulator.faults.script([FlipBit(1000, operation="GetObject")])
    assert await small.objects.read("bucket", "parts") == DATA
    assert len(cos_emulator.faults.hits) == 1
    cos_emulator.faults.script([])
    async with proxy_to(cos_emulator.endpoint) as proxy:
        for key, data in (("up", DATA), ("small", DATA[:100_000])):
            proxy.flip_up_at = 50_000
            async with client_through(proxy.url, cos_emulator, small.config) as cos:
                assert (await cos.upload("bucket", key, data)).verified
            assert proxy.flip_up_at is None
            assert await small.objects.read("bucket", key) == data
    saw(
        "E6",
        "detected in reads, ranged downloads and uploads, and retried; if it persists, `IntegrityError` and no target file",
    )


@pytest.mark.parametrize("fault", ["refused", "damaged", "disappears"])
async def test_e7_a_failed_download_leaves_the_existing_file(
    small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, fault: str, saw: Saw
) -> None:
    await small.objects.put("bucket", "key", DATA)
    target = tmp_path / "f"
    target.write_bytes(b"old")
    cos_emulator.faults.script({
        "refused": [Status(403, code="AccessDenied", operation="GetObject", nth=3, times=None)],
        "damaged": [FlipBit(5, operation="GetObject", times=None)],
        "disappears": [Status(404, code="NoSuchKey", operation="GetObject", nth=3, times=None)],
    }[fault])  # fmt: skip
    with pytest.raises((TransferError, IntegrityError)):
        await small.download("bucket", "key", target)
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["f"]
    saw("E7", "refused, damaged, deleted during the download: the existing file is unchanged, no temporary file is left")

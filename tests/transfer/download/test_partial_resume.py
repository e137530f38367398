"""A download continues with the bytes of an earlier run, if they are intact."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.transfer.conftest import CONFIG, DATA, PART, used
from tests.transfer.test_abort_at_every_await import Stepped, descriptors

import aiocos
from aiocos.emulator import Emulator, Status
from aiocos.errors import AccessDenied, TransferError


@pytest.fixture
async def cos(cos_emulator: Emulator, tmp_path: Path) -> AsyncIterator[aiocos.Client]:
    """A client whose journals are this test's own."""
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, state_dir=str(tmp_path / "journals"))
    async with cos_emulator.client(config=aiocos.ClientConfig(transfer=transfer, retry=CONFIG.retry)) as client:
        await client.buckets.create("bucket")
        yield client


def count(emulator: Emulator, operation: str) -> int:
    return sum(served.operation == operation and served.status < 300 for served in emulator.requests)


def journals(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "journals").iterdir())


@pytest.fixture
async def stored(cos: aiocos.Client) -> aiocos.Client:
    await cos.upload("bucket", "parts", DATA)
    await cos.objects.put("bucket", "whole", DATA)
    return cos


async def half_a_download(cos: aiocos.Client, emulator: Emulator, key: str, target: Path, *, answers: int = 2) -> None:
    """Let a download fail after so many answers: the service refuses every further one."""
    emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", nth=answers + 1, times=None)])
    with pytest.raises(TransferError, match="continues from there"):
        await cos.download("bucket", key, target, resume=True, concurrency=1)
    emulator.faults.script([])
    emulator.requests.clear()


@pytest.mark.parametrize(("key", "verified"), [("parts", "crc64nvme"), ("parts", "composite"), ("whole", "md5")])
async def test_only_what_is_missing_is_fetched(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, key: str, verified: str
):
    cos_emulator.checksums = verified == "crc64nvme"
    target = tmp_path / "out" / "target"
    target.parent.mkdir()
    target.write_bytes(b"old")
    await half_a_download(stored, cos_emulator, key, target)
    assert target.read_bytes() == b"old"
    result = await stored.download("bucket", key, target, resume=True)
    assert result.resume_rejected is None
    # Bytes that the last answers had brought may not have been noted, a step of each.
    assert 2 * PART - 2**21 <= result.resumed_bytes <= 2 * PART
    assert result.verified == verified
    assert target.read_bytes() == DATA
    assert os.listdir(target.parent) == ["target"]
    assert used(stored) == 0


async def test_one_that_was_all_there_is_asked_for_once_more(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    from aiocos.transfer.download.partial import PartialFile

    async def killed(self: PartialFile, target: Path) -> None:
        raise asyncio.CancelledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PartialFile, "finish", killed)
        with pytest.raises(asyncio.CancelledError):
            await stored.download("bucket", "parts", tmp_path / "f", resume=True)
    cos_emulator.requests.clear()
    result = await stored.download("bucket", "parts", tmp_path / "f", resume=True)
    assert count(cos_emulator, "GetObject") == 1
    assert result.resumed_bytes >= len(DATA) - 2**20
    assert (tmp_path / "f").read_bytes() == DATA


@pytest.mark.parametrize("gone", [False, True])
async def test_an_object_that_was_replaced_is_fetched_anew(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, gone: bool
):
    await half_a_download(stored, cos_emulator, "whole", tmp_path / "f")
    other = os.urandom(len(DATA) + 5)
    if gone:
        await stored.objects.delete("bucket", "whole")
        with pytest.raises(aiocos.errors.NotFound):
            await stored.download("bucket", "whole", tmp_path / "f", resume=True)
        assert not [name for name in os.listdir(tmp_path) if name.endswith((".part", ".journal"))]
    await stored.objects.put("bucket", "whole", other)
    result = await stored.download("bucket", "whole", tmp_path / "f", resume=True)
    assert (result.resume_rejected is None) == gone
    assert (tmp_path / "f").read_bytes() == other


def _shorter(part: Path) -> None:
    with part.open("r+b") as file:
        file.truncate(PART + 5)


def _other(part: Path) -> None:
    with part.open("r+b") as file:
        file.seek(PART + 1)
        file.write(b"????")


@pytest.mark.parametrize("damage", [_shorter, _other, Path.unlink], ids=["shorter", "other bytes", "gone"])
async def test_bytes_that_are_not_on_disk_are_fetched_again(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, damage: Callable[[Path], None]
):
    await half_a_download(stored, cos_emulator, "parts", tmp_path / "f")
    [part] = tmp_path.glob(".f.*.part")
    damage(part)
    result = await stored.download("bucket", "parts", tmp_path / "f", resume=True)
    assert result.resumed_bytes < 2 * PART - 2**20
    assert (tmp_path / "f").read_bytes() == DATA


@pytest.mark.parametrize("line", ["no", "[0, 5]", "[-1, 5, 5]", "[0, 999999999999, 1]", '["a", 1, 1]', "{}"])
async def test_a_damaged_journal_of_a_download_is_refused(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path, line: str
):
    await half_a_download(stored, cos_emulator, "parts", tmp_path / "f")
    [journal] = tmp_path.glob(".f.*.journal")
    with journal.open("a") as file:
        file.write(line + "\n")
    result = await stored.download("bucket", "parts", tmp_path / "f", resume=True)
    assert "damaged" in (result.resume_rejected or "")
    assert (tmp_path / "f").read_bytes() == DATA


async def test_steps_in_any_order_and_twice(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    await half_a_download(stored, cos_emulator, "parts", tmp_path / "f")
    [journal] = tmp_path.glob(".f.*.journal")
    head, *steps = journal.read_text().splitlines()
    journal.write_text("\n".join([head, *reversed(steps), *steps]) + "\n")
    result = await stored.download("bucket", "parts", tmp_path / "f", resume=True)
    assert (result.resume_rejected, result.size) == (None, len(DATA))
    assert (tmp_path / "f").read_bytes() == DATA


async def test_another_width_of_parts_goes_on_too(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    await half_a_download(stored, cos_emulator, "parts", tmp_path / "f")
    result = await stored.download("bucket", "parts", tmp_path / "f", resume=True, part_size=700_000)
    assert result.resumed_bytes > PART
    assert (tmp_path / "f").read_bytes() == DATA


async def test_a_small_object_leaves_no_journal(stored: aiocos.Client, tmp_path: Path):
    await stored.objects.put("bucket", "small", b"x")
    result = await stored.download("bucket", "small", tmp_path / "f", resume=True)
    assert (result.size, result.resumed_bytes) == (1, 0)
    assert sorted(os.listdir(tmp_path)) == ["f"]


async def test_a_download_refused_at_once_leaves_nothing(stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject")])
    with pytest.raises(AccessDenied):
        await stored.download("bucket", "parts", tmp_path / "f", resume=True)
    assert os.listdir(tmp_path) == []


async def test_a_cancel_at_every_await_of_a_download_loses_nothing(
    stored: aiocos.Client, cos_emulator: Emulator, tmp_path: Path
):
    before, n, target = descriptors(), 0, tmp_path / "f"
    target.write_bytes(b"old")
    while True:
        n += 1

        async def stepped(n: int = n) -> object:
            return await Stepped(stored.download("bucket", "parts", target, resume=True, concurrency=2), n)

        outcome = (await asyncio.gather(asyncio.create_task(stepped()), return_exceptions=True))[0]
        if not isinstance(outcome, asyncio.CancelledError):
            break
        assert (used(stored), descriptors()) == (0, before)
        if target.read_bytes() == b"old":
            result = await stored.download("bucket", "parts", target, resume=True)
            assert result.resume_rejected is None
        assert target.read_bytes() == DATA
        assert os.listdir(tmp_path) == ["f"]
        target.write_bytes(b"old")
    assert n >= 3

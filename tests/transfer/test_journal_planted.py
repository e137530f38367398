"""Journals and partial files that somebody else put there are never followed or trusted."""

import json
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.conftest import CONFIG, DATA, PART, open_uploads
from tests.transfer.download.test_verify_foreign_etags import Strange

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Emulator, Status
from aiocos.errors import TransferError
from aiocos.transfer.files import NotOurs, open_own
from aiocos.wire import checksum

Plant = Callable[[Path, Path], object]


@pytest.fixture
async def cos(cos_emulator: Emulator, tmp_path: Path) -> AsyncIterator[aiocos.Client]:
    """A client whose journals are this test's own, and that compares nothing of its own accord."""
    transfer = aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, state_dir=str(tmp_path / "journals"))
    config = aiocos.ClientConfig(transfer=transfer, retry=CONFIG.retry, verify_reads=False)
    async with cos_emulator.client(config=config) as client:
        await client.buckets.create("bucket")
        await client.upload("bucket", "parts", DATA)
        await client.objects.put("bucket", "whole", DATA)
        yield client


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A directory for downloads."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


async def begun(cos: aiocos.Client, emulator: Emulator, target: Path, key: str = "parts") -> tuple[Path, Path]:
    """Let a download fail after two answers; return its file and its journal."""
    emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", nth=3, times=None)])
    with pytest.raises(TransferError, match="continues from there"):
        await cos.download("bucket", key, target, resume=True, concurrency=1)
    emulator.faults.script([])
    [part], [journal] = target.parent.glob(".*.part"), target.parent.glob(".*.journal")
    return part, journal


def _link(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def _dangling(path: Path, victim: Path) -> None:
    path.symlink_to(victim.with_name("new"))


def _hard_link(path: Path, victim: Path) -> None:
    os.link(victim, path)


def _pipe(path: Path, victim: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("plant", [_link, _dangling, _hard_link, _pipe])
@pytest.mark.parametrize("kind", ["journal", "part"])
async def test_what_was_planted_is_neither_written_to_nor_in_the_way(
    cos: aiocos.Client, cos_emulator: Emulator, here: Path, tmp_path: Path, kind: str, plant: Plant
):
    part, journal = await begun(cos, cos_emulator, here / "f")
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious" if plant is not _hard_link else journal.read_bytes())
    before = victim.read_bytes()
    planted = journal if kind == "journal" else part
    planted.unlink()
    plant(planted, victim)
    result = await cos.download("bucket", "parts", here / "f", resume=True)
    assert (here / "f").read_bytes() == DATA
    assert result.resumed_bytes == 0
    assert result.resume_rejected
    assert victim.read_bytes() == before
    assert not (tmp_path / "new").exists()
    assert os.listdir(here) == ["f"]


@pytest.mark.parametrize("kind", ["journal", "part"])
async def test_what_cannot_be_removed_costs_the_resumption_only(
    cos: aiocos.Client, cos_emulator: Emulator, here: Path, kind: str
):
    part, journal = await begun(cos, cos_emulator, here / "f")
    planted = journal if kind == "journal" else part
    planted.unlink()
    planted.mkdir()
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", nth=3, times=None)])
    with pytest.raises(TransferError):
        await cos.download("bucket", "parts", here / "f", resume=True, concurrency=1)
    cos_emulator.faults.script([])
    result = await cos.download("bucket", "parts", here / "f", resume=True)
    assert (here / "f").read_bytes() == DATA
    assert str(planted) in (result.resume_rejected or "")
    planted.rmdir()
    # What the first call has left goes with the next one.
    await cos.download("bucket", "parts", here / "f", resume=True)
    assert [path.name for path in here.iterdir() if path.suffix != ".part"] == ["f"]


def test_a_file_of_another_user_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, user = tmp_path / "j", os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user if made else user + 1)
    made = False
    path.write_bytes(b"theirs")
    # What is created here belongs to nobody then: it is given up, instead of going round for ever.
    with pytest.raises(NotOurs, match="another user"):
        open_own(path, os.O_RDWR, 0o600)
    made = True
    fd, removed = open_own(path, os.O_RDWR, 0o600)
    os.close(fd)
    assert removed is None
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"", 0o600)


def test_a_directory_that_may_not_be_written_to_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(*args: object, **more: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(PermissionError) as caught:
        open_own(tmp_path / "j", os.O_RDWR, 0o600)
    assert not isinstance(caught.value, NotOurs)


async def test_the_journal_of_an_upload_is_not_followed_either(cos: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    source, victim = tmp_path / "source", tmp_path / "victim"
    source.write_bytes(DATA)
    victim.write_bytes(b"precious")
    for plant in (_link, _dangling, _pipe):
        cos_emulator.faults.script([Status(403, code="AccessDenied", operation="UploadPart", nth=3, times=None)])
        with pytest.raises(TransferError):
            await cos.upload("bucket", "key", source, resume=True, concurrency=1)
        cos_emulator.faults.script([])
        [journal] = (tmp_path / "journals").iterdir()
        journal.unlink()
        plant(journal, victim)
        result = await cos.upload("bucket", "key", source, resume=True)
        assert result.resume_rejected
        assert (victim.read_bytes(), (tmp_path / "new").exists()) == (b"precious", False)
        assert await cos.objects.read("bucket", "key") == DATA
        for upload in await open_uploads(cos):
            await cos.multipart.abort("bucket", "key", upload)
        assert list((tmp_path / "journals").iterdir()) == []


def forge(part: Path, journal: Path, content: bytes, **head: Any) -> None:
    """Have a journal say, with the right checksums, that some bytes are there."""
    begun = json.loads(journal.read_text().splitlines()[0]) | head
    part.write_bytes(content)
    steps = [
        [at, len(piece), checksum.crc32(piece, 0)] for at in range(0, len(content), MIB) if (piece := content[at : at + MIB])
    ]
    journal.write_text("".join(json.dumps(line) + "\n" for line in (begun, *steps)))


@pytest.mark.parametrize("key", ["parts", "whole"])
@pytest.mark.parametrize("length", [PART, len(DATA) - 1, len(DATA)])
async def test_forged_bytes_do_not_get_into_the_file(
    cos: aiocos.Client, cos_emulator: Emulator, here: Path, key: str, length: int
):
    """Though reads are not verified: of its own the client would take them for the object's."""
    part, journal = await begun(cos, cos_emulator, here / "f", key)
    forge(part, journal, b"\0" * length)
    result = await cos.download("bucket", key, here / "f", resume=True)
    assert (here / "f").read_bytes() == DATA
    assert result.resumed_bytes == 0
    assert os.listdir(here) == ["f"]


@pytest.mark.parametrize("verified", ["crc64nvme", "composite"])
async def test_true_bytes_are_kept_and_compared_though_reads_are_not(
    cos: aiocos.Client, cos_emulator: Emulator, here: Path, verified: str
):
    cos_emulator.checksums = verified == "crc64nvme"
    part, journal = await begun(cos, cos_emulator, here / "f")
    forge(part, journal, DATA[: 2 * PART])
    result = await cos.download("bucket", "parts", here / "f", resume=True)
    assert (result.resumed_bytes, result.resume_rejected, result.verified) == (2 * PART, None, verified)
    assert (here / "f").read_bytes() == DATA


@pytest.mark.usefixtures("without_checksums")
async def test_without_a_checksum_the_object_is_fetched_anew(cos: aiocos.Client, cos_emulator: Emulator, here: Path):
    secret = os.urandom(32)
    await cos.objects.put("bucket", "sse", DATA, customer_key=secret)
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="GetObject", nth=3, times=None)])
    with pytest.raises(TransferError):
        await cos.download("bucket", "sse", here / "f", resume=True, concurrency=1, customer_key=secret)
    cos_emulator.faults.script([])
    [part], [journal] = here.glob(".*.part"), here.glob(".*.journal")
    forge(part, journal, b"\0" * PART)
    result = await cos.download("bucket", "sse", here / "f", resume=True, customer_key=secret)
    assert (here / "f").read_bytes() == DATA
    assert result.resumed_bytes == 0
    assert "compared" in (result.resume_rejected or "")


async def test_under_key_protect_it_is_fetched_anew(here: Path):
    """There an ETag that does not agree means nothing; of bytes that somebody may have put there, it is not enough."""
    from aiohttp import web

    strange = Strange()
    runner = web.ServerRunner(web.Server(strange.answer))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiocos.Client(url, credentials=aiocos.Anonymous(), config=CONFIG) as cos:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("aiocos.transfer.download.partial.PartialFile.finish", _killed)
                with pytest.raises(KeyboardInterrupt):
                    await cos.download("bucket", "key", here / "f", resume=True)
            [part], [journal] = here.glob(".*.part"), here.glob(".*.journal")
            forge(part, journal, b"\0" * PART)
            result = await cos.download("bucket", "key", here / "f", resume=True)
    finally:
        await runner.cleanup()
    assert (here / "f").read_bytes() == DATA
    assert (result.resumed_bytes, result.verified) == (0, None)
    assert "compared" in (result.resume_rejected or "")


async def _killed(self: object, target: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("same", [True, False], ids=["stored again", "replaced"])
async def test_the_version_that_a_journal_names_is_not_asked_for(
    cos: aiocos.Client, cos_emulator: Emulator, here: Path, *, same: bool
):
    """A download without a version is of the newest, whatever an earlier one had begun with."""
    await cos.versioning.enable("bucket")
    await cos.objects.put("bucket", "whole", DATA)
    await begun(cos, cos_emulator, here / "f", "whole")
    new = DATA if same else os.urandom(len(DATA))
    put = await cos.objects.put("bucket", "whole", new)
    result = await cos.download("bucket", "whole", here / "f", resume=True)
    assert (here / "f").read_bytes() == new
    assert result.version_id == put.version_id
    assert bool(result.resumed_bytes) == same

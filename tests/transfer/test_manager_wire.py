"""Transfers as the service sees them: which headers arrive, and what damaged or broken connections cost."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.proxy import Proxy, proxy_to
from tests.transfer.conftest import CONFIG, DATA, PART, open_uploads, used

import aiocos
from aiocos.emulator import Delay, Emulator, Status
from aiocos.errors import IntegrityError, TransferError
from aiocos.groups import engine_of
from aiocos.wire.checksum import best
from aiocos.wire.message import PreparedRequest, Response


@pytest.fixture
def sent(small: aiocos.Client, monkeypatch: pytest.MonkeyPatch) -> list[PreparedRequest]:
    """What goes out, with the headers of retention taken off again: the emulator's bucket has no policy."""
    seen: list[PreparedRequest] = []
    real = engine_of(small)._transport.send

    async def send(request: PreparedRequest, *, deadline: float | None = None) -> Response:
        kept = {n: v for n, v in request.headers.items() if not n.startswith("Retention-")}
        seen.append(request)
        return await real(PreparedRequest(request.method, request.origin, request.path, request.query, kept, request.body))

    monkeypatch.setattr(engine_of(small)._transport, "send", send)
    return seen


def through(proxy: Proxy, emulator: Emulator) -> aiocos.Client:
    """A client behind a proxy."""
    keys = {"access_key_id": emulator.access_key_id, "secret_access_key": emulator.secret_access_key}
    return aiocos.Client(proxy.url, **keys, config=CONFIG)


OPTIONS = {
    "content_type": "x/y",
    "content_encoding": "gzip",
    "content_language": "de",
    "cache_control": "no-store",
    "expires": datetime(2030, 1, 2, tzinfo=UTC),
    "metadata": {"who": "me"},
    "retention_expires": datetime(2031, 1, 2, tzinfo=UTC),
    "retention_legal_hold_id": "hold-1",
    "if_none_match": "*",
    "acl": "public-read",
}
ABOUT_THE_OBJECT = {
    "Content-Type": "x/y",
    "Content-Encoding": "gzip",
    "Content-Language": "de",
    "Cache-Control": "no-store",
    "Expires": "Wed, 02 Jan 2030 00:00:00 GMT",
    "x-amz-meta-who": "me",
    "x-amz-acl": "public-read",
}
AT_THE_END = {
    "Retention-Expiration-Date": "2031-01-02T00:00:00Z",
    "Retention-Legal-Hold-ID": "hold-1",
    "If-None-Match": "*",
}


async def test_the_options_of_an_object_in_one_piece(small: aiocos.Client, sent: list[PreparedRequest]):
    await small.upload("bucket", "key", b"data", **OPTIONS)
    assert [request.method for request in sent] == ["PUT"]
    assert (ABOUT_THE_OBJECT | AT_THE_END).items() <= sent[0].headers.items()
    assert f"x-amz-checksum-{best()}" in sent[0].headers


async def test_the_options_of_an_object_in_parts(small: aiocos.Client, sent: list[PreparedRequest]):
    await small.upload("bucket", "key", DATA, **OPTIONS)
    # The condition is looked at before the first part, and right before the parts are joined.
    first, create, *parts, second, complete = sent
    assert [first.method, second.method] == ["HEAD", "HEAD"]
    assert (create.method, create.query) == ("POST", "uploads")
    assert ABOUT_THE_OBJECT.items() <= create.headers.items()
    assert not AT_THE_END.keys() & create.headers.keys(), "what holds for the finished object is told when it is finished"
    assert AT_THE_END.items() <= complete.headers.items()
    # Completing is about the parts: the content type there is that of the document.
    assert not (ABOUT_THE_OBJECT.keys() - {"Content-Type"}) & complete.headers.keys()
    for part in parts:
        assert f"x-amz-checksum-{best()}" in part.headers
        assert not (ABOUT_THE_OBJECT | AT_THE_END).keys() & part.headers.keys()
    assert len(parts) == 4


async def test_a_bit_that_turns_over_on_the_way_up_is_found_and_the_part_sent_again(
    small: aiocos.Client, cos_emulator: Emulator
):
    async with proxy_to(cos_emulator.endpoint) as proxy:
        for key, data in (("parts", DATA), ("whole", DATA[:100_000])):
            proxy.flip_up_at = 50_000
            before = len(cos_emulator.requests)
            async with through(proxy, cos_emulator) as cos:
                assert (await cos.upload("bucket", key, data)).verified
            assert proxy.flip_up_at is None
            refused = [r for r in list(cos_emulator.requests)[before:] if r.status == 400]
            assert len(refused) == 1
            assert await small.objects.read("bucket", key) == data


async def test_connections_that_break_under_parts(small: aiocos.Client, cos_emulator: Emulator):
    async with proxy_to(cos_emulator.endpoint) as proxy:
        async with through(proxy, cos_emulator) as cos:
            job = asyncio.create_task(cos.upload("bucket", "key", DATA, concurrency=2))
            for after in (2_000_000, 6_000_000, 12_000_000):
                while proxy.bytes_up < after:
                    await asyncio.sleep(0)
                proxy.drop_all()
            assert (await job).verified == "checksum"
            assert used(cos) == 0
    assert await small.objects.read("bucket", "key") == DATA


async def test_no_part_is_stored_under_an_upload_that_was_given_up(small: aiocos.Client, cos_emulator: Emulator):
    """The abort comes after the parts in flight have ended, so none of them meets an upload that is gone."""
    cos_emulator.faults.script(
        [Delay(0.2, operation="UploadPart", times=3), Status(403, code="AccessDenied", operation="UploadPart", nth=2)]
    )
    with pytest.raises(TransferError):
        await small.upload("bucket", "key", DATA)
    last = [r.operation for r in cos_emulator.requests if r.operation != "ListMultipartUploads"]
    assert "AbortMultipartUpload" in last
    assert "UploadPart" not in last[last.index("AbortMultipartUpload") :]
    assert await open_uploads(small) == []


async def test_no_descriptor_is_left(small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    """Files and sockets of transfers that fail, are cancelled or succeed."""

    def files() -> set[str]:
        out: set[str] = set()
        for fd in os.listdir("/proc/self/fd"):
            try:
                out.add(os.readlink(f"/proc/self/fd/{fd}"))
            except OSError:
                continue
        return {name for name in out if str(tmp_path) in name}

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("the system does not tell which files are open")
    (tmp_path / "f").write_bytes(DATA)
    await small.upload("bucket", "key", tmp_path / "f")
    await small.download("bucket", "key", tmp_path / "g")
    assert files() == set()
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="UploadPart", nth=2, times=None)])
    with pytest.raises(TransferError):
        await small.upload("bucket", "other", tmp_path / "f")
    cos_emulator.faults.script([Delay(0.1, operation="GetObject", times=None)])
    for hundredths in range(0, 20, 3):
        job = asyncio.create_task(small.download("bucket", "key", tmp_path / "h"))
        await asyncio.sleep(hundredths / 100)
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        assert files() == set()
    assert used(small) == 0


@pytest.mark.usefixtures("without_checksums")
async def test_a_download_whose_parts_nobody_tells_is_not_accused(small: aiocos.Client, cos_emulator: Emulator, tmp_path: Path):
    await small.upload("bucket", "key", DATA)
    cos_emulator.faults.script([Status(501, code="NotImplemented", operation="HeadObject", times=None)])
    result = await small.download("bucket", "key", tmp_path / "f")
    assert result.verified is None
    assert (tmp_path / "f").read_bytes() == DATA


async def test_a_short_file_under_a_long_object_is_found(small: aiocos.Client, tmp_path: Path, monkeypatch):
    """Something that writes less than it says (a full disk, a broken file system) is seen by who reads the file."""
    from aiocos.transfer.download import partial

    await small.objects.put("bucket", "key", DATA[: PART + 1])
    real = partial.write_at

    def losing(fd: int, data: list[bytes], offset: int) -> None:
        real(fd, [b"".join(data)[:-1], b"?"] if offset else data, offset)

    monkeypatch.setattr(partial, "write_at", losing)
    with pytest.raises(IntegrityError):
        await small.download("bucket", "key", tmp_path / "f", verify="disk")
    assert os.listdir(tmp_path) == []

"""`AsperaTransferManager`."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.ibm_boto3.aspera.helpers import (
    DATA,
    FILES,
    heard_all,
    sent,
    stored,
    struck,
    subscribed,
)
from tests.transfer.conftest import PATIENCE

from aiocos.emulator import Delay, Emulator
from aiocos.groups import engine_of
from aiocos.ibm_boto3 import S3Client
from aiocos.ibm_boto3.aspera import (
    AsperaBaseSubscriber,
    AsperaConfig,
    AsperaManagerConfig,
    AsperaTransferManager,
    AsperaTransferQueueError,
    manager,
)
from aiocos.ibm_boto3.exceptions import ParamValidationError
from aiocos.ibm_boto3.s3.subscribers import BaseSubscriber
from aiocos.ibm_boto3.s3.transfer import CancelledError, FatalError


async def test_sample_110_the_manager_and_112_upload(cos: S3Client, cos_emulator: Emulator, file: str):
    async with AsperaTransferManager(cos) as transfer_manager:
        future = transfer_manager.upload(file, "bucket", "object")
        await future.result()
    assert await stored(cos) == {"object": DATA}
    assert sent(cos_emulator)["UploadPart"] == 4


@pytest.mark.parametrize(
    ("config", "widest"),
    [
        (AsperaConfig(multi_session=2, multi_session_threshold_mb=60), 1),
        (AsperaConfig(multi_session="all", target_rate_mbps=2500, multi_session_threshold_mb=100), 1),
        (AsperaConfig(multi_session=2), 2),
        (AsperaConfig(multi_session="all", target_rate_mbps=2500), 4),
    ],
)
async def test_sample_111_upload_with_a_configuration(
    cos: S3Client, cos_emulator: Emulator, file: str, config: AsperaConfig, widest: int
):
    """A file below the threshold is carried by one session."""
    cos_emulator.faults.script([Delay(0.2, operation="UploadPart", times=None)])
    running, most = 0, 0
    send = engine_of(cos.typed)._send

    async def counted(operation: Any, *more: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await send(operation, *more)
        finally:
            running -= 1

    engine_of(cos.typed)._send = counted  # type: ignore[method-assign]
    async with AsperaTransferManager(client=cos, transfer_config=config) as transfer_manager:
        await transfer_manager.upload(file, "bucket", "object").result()
    assert most == widest
    cos_emulator.faults.clear()
    async with AsperaTransferManager(client=cos) as transfer_manager:
        await transfer_manager.upload(file, "bucket", "again", config).result()
    assert await stored(cos) == {"object": DATA, "again": DATA}


async def test_sample_113_download(
    cos: S3Client, cos_emulator: Emulator, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    await cos.upload_file(file, "bucket", "object")
    monkeypatch.chdir(tmp_path)
    for config, ranges in ((None, 4), (AsperaConfig(multi_session=2, multi_session_threshold_mb=60), 1)):
        sent(cos_emulator)
        async with AsperaTransferManager(cos) as transfer_manager:
            future = transfer_manager.download("bucket", "object", "target", config)
            await future.result()
        assert (tmp_path / "target").read_bytes() == DATA
        assert sent(cos_emulator)["GetObject"] == ranges


@pytest.mark.parametrize("prefix", ["remote", "remote/", "/remote/"])
async def test_sample_114_upload_directory(cos: S3Client, tree: str, prefix: str):
    local_upload_directory = f"{tree}/"
    assert local_upload_directory.startswith("/")
    async with AsperaTransferManager(cos) as transfer_manager:
        future = transfer_manager.upload_directory(local_upload_directory, "bucket", prefix)
        await future.result()
    assert await stored(cos) == {f"remote/{name}": data for name, data in FILES.items()}


async def test_sample_115_download_directory_with_subscribers(cos: S3Client, tree: str, tmp_path: Path):
    (tmp_path / "local").mkdir()
    await cos.put_object(Bucket="bucket", Key="remoteness/x", Body=b"of another directory")
    config = AsperaConfig(multi_session="all", target_rate_mbps=2500, multi_session_threshold_mb=100)
    async with AsperaTransferManager(cos) as transfer_manager:
        up, down = subscribed(), subscribed()
        future = transfer_manager.upload_directory(tree, "bucket", "remote", config, up)
        await future.result()
        heard_all(up, future, 6)
        future = transfer_manager.download_directory("bucket", "remote", f"{tmp_path}/local/", config, down)
        await future.result()
        heard_all(down, future, 6)
    found = {str(p.relative_to(tmp_path / "local")): p.read_bytes() for p in (tmp_path / "local").rglob("*") if p.is_file()}
    assert found == FILES


async def test_sessions_limit_running_transfers(cos: S3Client, cos_emulator: Emulator, tmp_path: Path):
    """First come, first served, however many sessions a transfer wants."""
    (tmp_path / "f").write_bytes(b"x")
    cos_emulator.faults.script([Delay(0.3, operation="PutObject", times=None)])
    ended: list[str] = []

    class Noted(AsperaBaseSubscriber):
        def on_done(self, future: Any, **kwargs: Any) -> None:
            ended.append(future.meta.call_args.key)

    async with AsperaTransferManager(cos, AsperaManagerConfig(ascp_max_concurrent=3)) as transfer_manager:
        for key, sessions in (("a", 2), ("b", 2), ("c", 1), ("d", 3)):
            transfer_manager.upload(tmp_path / "f", "bucket", key, AsperaConfig(multi_session=sessions), [Noted()])
        await struck(cos_emulator)
        assert [hit.subject.key for hit in cos_emulator.faults.hits] == ["a"]
        await struck(cos_emulator, 3)
        assert {hit.subject.key for hit in cos_emulator.faults.hits} == {"a", "b", "c"}
        assert ended == ["a"]
        with pytest.raises(ValueError, match="Max sessions is 3"):
            transfer_manager.upload(tmp_path / "f", "bucket", "e", AsperaConfig(multi_session=4))
    assert (ended[0], set(ended[1:3]), ended[3]) == ("a", {"b", "c"}, "d")


async def test_transfers_that_cannot_be_queued(cos: S3Client, cos_emulator: Emulator, tmp_path: Path):
    (tmp_path / "f").write_bytes(b"x")
    cos_emulator.faults.script([Delay(0.3, operation="PutObject", times=None)])
    transfer_manager = AsperaTransferManager(cos, AsperaManagerConfig(2, 1))
    transfer_manager.upload(tmp_path / "f", "bucket", "a")
    await struck(cos_emulator)
    for key in "bc":
        transfer_manager.upload(tmp_path / "f", "bucket", key)
    with pytest.raises(AsperaTransferQueueError, match="Max queued items reached"):
        transfer_manager.upload(tmp_path / "f", "bucket", "d")
    waiting = asyncio.create_task(transfer_manager.wait())
    await asyncio.sleep(0)
    with pytest.raises(AsperaTransferQueueError, match="during wait"):
        transfer_manager.upload(tmp_path / "f", "bucket", "d")
    await waiting
    again = transfer_manager.upload(tmp_path / "f", "bucket", "e")
    await transfer_manager.shutdown(cancel=True, cancel_msg="enough")
    with pytest.raises(CancelledError, match="enough"):
        await again
    with pytest.raises(AsperaTransferQueueError, match="Cancel already called"):
        transfer_manager.upload(tmp_path / "f", "bucket", "f")
    cos_emulator.faults.clear()
    assert sorted(await stored(cos)) == ["a", "b", "c"]
    async with AsperaTransferManager(cos) as transfer_manager:
        pass
    with pytest.raises(AsperaTransferQueueError, match="shut down"):
        transfer_manager.upload(tmp_path / "f", "bucket", "f")


async def test_an_error_in_the_context_cancels(cos: S3Client, cos_emulator: Emulator, file: str):
    cos_emulator.faults.script([Delay(30, operation="UploadPart", times=None)])
    with pytest.raises(KeyError):
        async with asyncio.timeout(PATIENCE), AsperaTransferManager(cos) as transfer_manager:
            future = transfer_manager.upload(file, "bucket", "object")
            await struck(cos_emulator)
            raise KeyError("mine")
    with pytest.raises(FatalError, match="mine"):
        await future
    cos_emulator.faults.clear()
    assert "Uploads" not in await cos.list_multipart_uploads(Bucket="bucket")


async def test_invalid_calls_are_refused_at_once(cos: S3Client, file: str, tmp_path: Path):
    with pytest.raises(TypeError, match="AsperaManagerConfig"):
        AsperaTransferManager(cos, AsperaConfig())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="AsperaConfig"):
        AsperaTransferManager(cos, transfer_config=AsperaManagerConfig())  # type: ignore[arg-type]
    async with AsperaTransferManager(cos) as transfer_manager:
        for call, path in (
            (lambda p: transfer_manager.upload(p, "bucket", "key"), tmp_path / "away"),
            (lambda p: transfer_manager.upload(p, "bucket", "key"), tmp_path),
            (lambda p: transfer_manager.download("bucket", "key", p), tmp_path / "away" / "f"),
            (lambda p: transfer_manager.upload_directory(p, "bucket", "key"), Path(file)),
            (lambda p: transfer_manager.download_directory("bucket", "key", p), tmp_path / "away"),
        ):
            with pytest.raises(OSError, match=r"Error accessing (File|Directory): "):
                call(path)
        for key in ("", None):
            with pytest.raises(ValueError, match="Invalid file pair"):
                transfer_manager.upload(file, "bucket", key)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="Invalid file pair"):
            transfer_manager.upload_directory(tmp_path, "bucket", "/")
        with pytest.raises(ParamValidationError, match="Invalid bucket name"):
            transfer_manager.upload(file, "a bucket", "key")
        with pytest.raises(TypeError, match="AsperaBaseSubscriber"):
            transfer_manager.upload(file, "bucket", "key", None, [BaseSubscriber()])  # type: ignore[list-item]
    assert await stored(cos) == {}


async def test_the_log_says_that_https_is_used(cos: S3Client, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    (tmp_path / "f").write_bytes(b"x")
    manager._log_https.cache_clear()  # pyright: ignore[reportPrivateUsage]
    config = AsperaConfig(target_rate_mbps=2500, rate_policy="fair")
    with caplog.at_level(logging.INFO, "aiocos.ibm_boto3.aspera"):
        for _ in range(2):
            async with AsperaTransferManager(cos, transfer_config=config) as transfer_manager:
                for key in "ab":
                    transfer_manager.upload(tmp_path / "f", "bucket", key)
    said = [record.getMessage() for record in caplog.records if record.name == "aiocos.ibm_boto3.aspera"]
    assert [line for line in said if "HTTPS, not the Aspera protocol" in line] == said[:1]
    assert [line for line in said if line.startswith("target_rate_mbps=2500, rate_policy=fair: without effect")] == said[1:]
    assert len(said) == 3
    assert "HTTPS" in (AsperaTransferManager.__doc__ or "")

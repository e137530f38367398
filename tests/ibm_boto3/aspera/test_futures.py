"""Futures of Aspera transfers: pause, resume, cancel."""

from __future__ import annotations

import pytest
from tests.ibm_boto3.aspera.helpers import DATA, sent, stored, struck
from tests.transfer.conftest import held, stays_held

from aiocos.emulator import Delay, Emulator
from aiocos.ibm_boto3 import S3Client
from aiocos.ibm_boto3.aspera import (
    AsperaConfig,
    AsperaTransferManager,
)
from aiocos.ibm_boto3.s3.transfer import CancelledError


async def test_sample_117_pause_resume_cancel(cos: S3Client, cos_emulator: Emulator, file: str):
    cos_emulator.faults.script([Delay(0.2, operation="UploadPart", times=None)])
    async with AsperaTransferManager(cos) as transfer_manager:
        future = transfer_manager.upload(file, "bucket", "object", AsperaConfig(multi_session=1))
        assert not future.resume()
        await struck(cos_emulator)
        assert future.pause()
        assert future.pause()
        assert future.is_paused()
        await held(future.handle, cos.typed)
        # The part that was next had its place already.
        assert 1 <= sent(cos_emulator)["UploadPart"] <= 2
        await stays_held(cos.typed)
        assert sent(cos_emulator)["UploadPart"] == 0
        assert not future.is_done()
        assert future.resume()
        assert not future.is_paused()
        await future.result()
        assert not future.pause()
        assert not future.cancel()
        assert (future.is_done(), future.is_success(), future.is_error(), future.get_last_error()) == (True, True, False, "")

        sent(cos_emulator)
        waiting = transfer_manager.upload(file, "bucket", "held", AsperaConfig(multi_session=1))
        assert waiting.pause()  # before it has begun
        await held(waiting.handle, cos.typed)
        assert sent(cos_emulator)["CreateMultipartUpload"] == 0
        assert waiting.cancel()
        assert not waiting.is_error()
        with pytest.raises(CancelledError):
            await waiting.result()
        assert (waiting.is_done(), waiting.is_success(), waiting.is_error()) == (True, False, True)
        assert "cancelled" in waiting.get_last_error()
    assert await stored(cos) == {"object": DATA}
    assert "Uploads" not in await cos.list_multipart_uploads(Bucket="bucket")

"""Exceptions of Aspera transfers."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ibm_boto3.aspera.helpers import (
    stored,
)

from aiocos.emulator import Emulator, Status
from aiocos.ibm_boto3 import S3Client
from aiocos.ibm_boto3.aspera import (
    AsperaTransferFailedError,
    AsperaTransferManager,
    AsperaTransferQueueError,
)
from aiocos.ibm_boto3.exceptions import BotoCoreError

FILES = {"a.txt": b"a", "deep/b.txt": b"bb", "deep/er/c.txt": b"ccc"}


async def test_a_failed_transfer_names_its_reason(cos: S3Client, cos_emulator: Emulator, file: str, tree: str, tmp_path: Path):
    cos_emulator.faults.script(
        [
            Status(403, code="AccessDenied", operation="UploadPart", times=None),
            Status(403, code="AccessDenied", operation="PutObject", key="*/b.txt", times=None),
        ]
    )
    async with AsperaTransferManager(cos) as transfer_manager:
        up = transfer_manager.upload(file, "bucket", "object")
        all_of_it = transfer_manager.upload_directory(tree, "bucket", "remote")
        down = transfer_manager.download("bucket", "gone", str(tmp_path / "target"))
        with pytest.raises(AsperaTransferFailedError, match=r"\(AccessDenied\) when calling the UploadPart"):
            await up
        with pytest.raises(AsperaTransferFailedError, match="1 of 3 files failed"):
            await all_of_it
        with pytest.raises(AsperaTransferFailedError, match="NoSuchKey") as caught:
            await down
    assert type(caught.value.__cause__).__name__ == "NoSuchKey"
    assert (up.is_error(), up.is_success()) == (True, False)
    assert "AccessDenied" in up.get_last_error()
    assert not (tmp_path / "target").exists()
    assert sorted(await stored(cos)) == ["remote/a.txt", "remote/deep/er/c.txt"]


def test_both_are_errors_of_botocore():
    assert issubclass(AsperaTransferFailedError, BotoCoreError)
    assert issubclass(AsperaTransferQueueError, BotoCoreError)

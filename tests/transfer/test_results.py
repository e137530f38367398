"""Failures: an error about them, or one of theirs as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiocos.errors import TransferError
from aiocos.transfer.results import (
    CopyResult,
    DirectoryError,
    DirectoryResult,
    DownloadResult,
    SyncResult,
    UploadResult,
    leaves,
    raise_for,
)


def test_the_leaves_of_a_group_come_in_order():
    a, b, c = ValueError("a"), KeyError("b"), OSError("c")
    group = BaseExceptionGroup("g", [a, ExceptionGroup("h", [b, ExceptionGroup("i", [c])])])
    assert leaves(group) == [a, b, c]


def test_an_error_about_a_group_has_it_as_its_cause():
    group, meaning = ExceptionGroup("g", [ValueError()]), TransferError("it failed")
    with pytest.raises(TransferError) as caught:
        raise_for(group, meaning)
    assert caught.value is meaning
    assert meaning.__cause__ is group


@pytest.mark.parametrize("context", [None, KeyError("before")])
def test_an_error_of_a_group_is_as_it_was(context: Exception | None):
    meaning, cause = ValueError("the source's"), OSError("behind it")
    meaning.__cause__, meaning.__context__ = cause, context
    group = ExceptionGroup("g", [OSError(), ExceptionGroup("h", [meaning])])
    with pytest.raises(ValueError, match="the source's") as caught:
        try:
            raise group
        except ExceptionGroup as raised:
            raise_for(raised, meaning)
    assert caught.value is meaning
    assert (meaning.__cause__, meaning.__context__) == (cause, context)


def test_what_a_result_says_unless_it_is_told():
    upload = UploadResult(bucket="b", key="k", etag="e", size=5, parts=1)
    assert (upload.version_id, upload.upload_id, upload.verified, upload.request_id) == (None,) * 4
    assert (upload.resumed_bytes, upload.resume_rejected) == (0, None)
    download = DownloadResult(bucket="b", key="k", path=Path("p"), etag="e", size=5)
    assert (download.version_id, download.verified, download.resumed_bytes, download.resume_rejected) == (None, None, 0, None)
    copy = CopyResult(bucket="b", key="k", etag="e", size=5, parts=1)
    assert (copy.version_id, copy.source_version_id, copy.request_id) == (None, None, None)
    directory = DirectoryResult(files=1, bytes=5)
    assert (directory.errors, directory.unchanged) == ([], 0)
    sync = SyncResult(files=1, bytes=5)
    assert (sync.deleted, sync.not_deleted, sync.dry_run, sync.actions, sync.unchanged) == (0, None, False, [], 0)
    with pytest.raises(ValueError, match="frozen"):
        upload.size = 6  # type: ignore[misc]


def test_a_directorys_error_has_its_result():
    result = DirectoryResult(files=1, bytes=5)
    error = DirectoryError("two files failed", result)
    assert error.result is result
    assert str(error) == "two files failed"

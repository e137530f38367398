"""Limits and errors of a multipart upload, by themselves."""

from types import SimpleNamespace
from typing import Any

import pytest

import aiocos
from aiocos.errors import AccessDenied, IntegrityError, NoSuchUpload, TransferError
from aiocos.transfer.requests import UploadRequest
from aiocos.transfer.upload import multipart


def failing(record: object = None, done: int = 0) -> Any:
    one: Any = multipart.MultipartTransfer.__new__(multipart.MultipartTransfer)
    one._what, one._journal, one._done = "upload of it", record, dict.fromkeys(range(done))
    return one


def test_what_failures_mean():
    own, damage, busy = KeyError("the source's"), IntegrityError("other bytes"), AccessDenied("no")
    said = TransferError("the source has more bytes")

    def meaning(*errors: Exception, **more: Any) -> BaseException:
        return failing(**more)._error_for(ExceptionGroup("g", [*errors]), "id")

    assert meaning(busy, damage, own) is own, "the source's own goes before all"
    assert meaning(busy, damage) is damage
    assert meaning(said, busy) is said
    for error in (meaning(busy, done=2), meaning(busy, said, done=2)):
        assert str(error) == "the upload of it failed after 2 parts: no"
        assert isinstance(error, TransferError)
        assert (error.upload_id, error.parts_done) == ("id", 2)
    kept = meaning(busy, record=object(), done=1)
    assert str(kept) == "the upload of it failed after 1 parts, which are kept: the same call continues from there: no"


def test_an_upload_that_is_over():
    def failed(cause: BaseException | None) -> TransferError:
        error = TransferError("it failed")
        error.__cause__ = cause
        return error

    gone = NoSuchUpload("no such upload")
    assert multipart._has_ended(failed(ExceptionGroup("g", [AccessDenied("no"), ExceptionGroup("h", [gone])])))
    assert not multipart._has_ended(failed(ExceptionGroup("g", [AccessDenied("no")])))
    assert not multipart._has_ended(failed(gone))
    assert not multipart._has_ended(failed(None))


@pytest.mark.parametrize(("given", "ordered", "expected"), [(None, False, 7), (None, True, 3), (2, False, 2), (5, True, 5)])
def test_parts_in_flight(given: int | None, ordered: bool, expected: int):
    config = aiocos.TransferConfig(concurrency=7, stream_concurrency=3)
    request: Any = UploadRequest("bucket", "key", b"", concurrency=given)
    one = multipart.MultipartTransfer(None, None, request, SimpleNamespace(ordered=ordered), None, config, None)  # type: ignore[arg-type]
    assert one._slots._value == expected

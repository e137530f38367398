"""The end of an upload, by what the service says and shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

import aiocos
from aiocos.errors import (
    AccessDenied,
    CosError,
    IntegrityError,
    InvalidPart,
    NoSuchKey,
    NoSuchUpload,
    OutcomeUnknown,
    PreconditionFailed,
    ProtocolError,
    Throttled,
    TransferError,
    TransportError,
    Unavailable,
)
from aiocos.net.retry import RetryBudget
from aiocos.operations.multipart import CompletedPart, CompletedUpload, CompleteMultipartUpload
from aiocos.operations.objects import HeadObject, ObjectInfo
from aiocos.transfer.completion import Completion
from aiocos.write_check import composite_of

PARTS = [CompletedPart(etag=f'"{number:032x}"', part_number=number) for number in (1, 2, 3)]
EXPECTED = composite_of(PARTS)
ETAG = f'"{EXPECTED}"'
OTHER = f'"{"5" * 32}-3"'
RETRY = aiocos.RetryConfig(base=0.0001, cap=0.0002, attempts=3)
SIZE = 15_000_000


def done(etag: str = ETAG) -> CompletedUpload:
    return CompletedUpload(etag=etag, version_id="v", request_id="r")


def shown(etag: str = ETAG, size: int | None = SIZE) -> ObjectInfo:
    return ObjectInfo(etag=etag, content_length=size, version_id="w", request_id="q")


class Service:
    """Gives the answers it is told to, the last one again and again.

    `asked` are the kinds of its requests, in order.
    """

    def __init__(self, *completions: Any, heads: Any = (), parts: Any = (), aborts: Any = (), md5: bool = True) -> None:
        self._engine = self
        self.multipart = self
        self.config = SimpleNamespace(retry=RETRY, verify_writes=True, transfer=SimpleNamespace(cleanup_timeout=30))
        self.budget = RetryBudget(RETRY)
        self.asked: list[str] = []
        self.versions: list[str | None] = []
        self._answers = {"complete": list(completions), "head": list(heads), "parts": list(parts), "abort": list(aborts)}
        self._md5 = md5

    def _next(self, kind: str) -> Any:
        self.asked.append(kind)
        answers = self._answers[kind]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def call(self, operation: CompleteMultipartUpload | HeadObject) -> Any:
        if isinstance(operation, HeadObject):
            self.versions.append(operation.version_id)
        return self._next("head" if isinstance(operation, HeadObject) else "complete")

    async def list_parts(self, bucket: str, key: str, upload_id: str) -> AsyncIterator[int]:
        assert (bucket, key, upload_id) == ("bucket", "key", "id")
        self._next("parts")
        yield 1
        raise AssertionError("one part is enough to know")

    async def abort(self, bucket: str, key: str, upload_id: str) -> None:
        assert (bucket, key, upload_id) == ("bucket", "key", "id")
        self._next("abort")

    async def has_md5_etags(self, bucket: str, expected_bucket_owner: str | None = None) -> bool:
        self.asked.append("bucket")
        return self._md5


async def run(service: Any, expected: str | None = EXPECTED, **more: Any) -> CompletedUpload:
    operation = CompleteMultipartUpload("bucket", "key", "id", PARTS)
    return await Completion(service, operation, HeadObject("bucket", "key"), expected, "upload of it", size=SIZE, **more).run()


def lost() -> TransportError:
    return TransportError("connection lost", sent=True)


GONE = NoSuchUpload("no such upload")
MISSING = NoSuchKey("no such key")
BUSY = Unavailable("busy")
CLOSED = AccessDenied("no")


# -- answers that came ------------------------------------------------------------------------------------------------


async def test_the_expected_etag_is_a_success():
    service = Service(done())
    assert await run(service) == done()
    assert service.asked == ["complete"], "nothing else is asked"
    assert await run(Service(done(EXPECTED))) == done(EXPECTED), "with or without quotes"


async def test_the_etag_of_other_parts_is_an_error():
    service = Service(done(OTHER))
    with pytest.raises(IntegrityError, match="the parts make"):
        await run(service)
    assert service.asked == ["complete", "bucket"]
    # Where ETags are known to be no MD5s nothing is held against it, and the object is looked at.
    for one, more in (
        (Service(done(OTHER), heads=[shown(OTHER)], md5=False), {}),
        (Service(done(OTHER), heads=[shown(OTHER)]), {"opaque": True}),
    ):
        assert await run(one, **more) == done(OTHER)
        assert one.asked[-1] == "head"
        assert one.versions == ["v"], "the very version that the answer names"
    unverified = Service(done(OTHER), heads=[shown(OTHER)])
    unverified.config.verify_writes = False
    assert await run(unverified) == done(OTHER)
    assert "bucket" not in unverified.asked


@pytest.mark.parametrize("expected", [EXPECTED, None])
async def test_an_etag_that_cannot_be_compared_is_looked_at(expected: str | None):
    for head in (shown("opaque"), shown("opaque", None), shown("another writer's", 5), CLOSED):
        assert await run(Service(done("opaque"), heads=[head]), expected) == done("opaque")
    with pytest.raises(OutcomeUnknown, match=f"ETag opaque, and the object has 5 bytes; the parts have {SIZE}") as caught:
        await run(Service(done("opaque"), heads=[shown("opaque", 5)]), expected)
    assert (caught.value.upload_id, caught.value.parts_done) == ("id", 3)
    assert "look at the object, and at the upload id" in str(caught.value)
    with pytest.raises(OutcomeUnknown, match="the object is not there"):
        await run(Service(done("opaque"), heads=[MISSING]), expected)


async def test_errors_that_say_that_nothing_happened_are_the_callers():
    for error in (InvalidPart("other parts"), CLOSED, PreconditionFailed("it exists")):
        service = Service(error)
        with pytest.raises(type(error)) as caught:
            await run(service)
        assert caught.value is error
        assert service.asked == ["complete"]


async def test_what_was_never_sent_is_tried_again():
    unsent = TransportError("no connection", sent=False)
    service = Service(unsent, unsent, done())
    assert await run(service) == done()
    assert service.asked == ["complete"] * 3
    service = Service(unsent)
    with pytest.raises(TransportError) as caught:
        await run(service)
    assert caught.value is unsent
    assert service.asked == ["complete"] * 3, "nothing is to be settled"


# -- answers that were lost -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [lost(), BUSY, ProtocolError("half an answer"), GONE])
async def test_what_happened_unheard_is_a_success(error: CosError):
    service = Service(error, heads=[shown()], parts=[GONE])
    assert await run(service) == CompletedUpload(etag=ETAG, version_id="w", request_id="q")
    assert service.asked == ["complete", "head", "parts"]
    assert service.versions == [None]
    assert (await run(Service(error, heads=[shown(size=None)], parts=[GONE]))).etag == ETAG


async def test_an_answer_without_an_etag_is_settled():
    assert (await run(Service(done(""), heads=[shown()], parts=[GONE]))).etag == ETAG
    with pytest.raises(OutcomeUnknown, match="completion has no ETag"):
        await run(Service(done(""), heads=[shown("another")], parts=[GONE], aborts=[GONE]))


async def test_an_upload_that_is_open_is_completed_again():
    """Even where an object like it is there: it may have been there before."""
    for head in (shown(), shown(OTHER), MISSING, CLOSED):
        service = Service(lost(), done(), heads=[head], parts=[None])
        assert await run(service) == done()
        assert service.asked == ["complete", "head", "parts", "complete"]


async def test_a_look_that_fails_is_made_again():
    for error in (lost(), BUSY, Throttled("slow down")):
        service = Service(lost(), done(), heads=[error])
        assert await run(service) == done()
        assert service.asked == ["complete", "head", "complete"]


@pytest.mark.parametrize("first", [lost(), GONE])
async def test_gone_and_nothing_there_is_a_failure(first: CosError):
    service = Service(first, heads=[MISSING], parts=[GONE])
    with pytest.raises(TransferError, match="the upload id is gone, and the object is not what it would have made") as caught:
        await run(service)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert (caught.value.upload_id, caught.value.parts_done) == ("id", 3)
    assert caught.value.__cause__ is first


@pytest.mark.parametrize("head", [shown(OTHER), shown(size=5), CLOSED])
async def test_gone_and_something_else_there(head: Any):
    """After a completion of ours it is uncertain; before one, a failure."""
    with pytest.raises(OutcomeUnknown) as caught:
        await run(Service(lost(), heads=[head], parts=[GONE]))
    has = f"has the ETag {head.etag} and {head.content_length} bytes" if isinstance(head, ObjectInfo) else "cannot be seen"
    assert f"was lost, and the object {has}; expected were the ETag {EXPECTED} and {SIZE} bytes" in str(caught.value)
    assert "The last error: connection lost" in str(caught.value)
    with pytest.raises(TransferError, match="is gone") as failed:
        await run(Service(GONE, heads=[head], parts=[GONE]))
    assert not isinstance(failed.value, OutcomeUnknown)
    # The answer to the first completion was lost; that to the second is that there is none.
    with pytest.raises(OutcomeUnknown):
        await run(Service(lost(), GONE, heads=[MISSING, head], parts=[None, GONE]))


async def test_an_object_of_the_same_etag_that_was_there_before_proves_nothing():
    with pytest.raises(OutcomeUnknown):
        await run(Service(lost(), heads=[shown()], parts=[GONE]), before=EXPECTED)
    assert (await run(Service(lost(), heads=[shown()], parts=[GONE]), before="other")).etag == ETAG


async def test_without_an_expected_etag_nothing_proves_it():
    with pytest.raises(OutcomeUnknown, match="expected were an ETag that cannot be computed"):
        await run(Service(lost(), heads=[shown()], parts=[GONE]), None)


async def test_who_may_not_list_parts_goes_by_the_object():
    assert (await run(Service(lost(), heads=[shown()], parts=[CLOSED]))).etag == ETAG
    service = Service(lost(), done(), heads=[MISSING], parts=[CLOSED])
    assert await run(service) == done(), "it may be open: once more"
    service = Service(lost(), done(), heads=[shown(OTHER)], parts=[CLOSED])
    assert await run(service) == done()


# -- what cannot be settled by looking --------------------------------------------------------------------------------


async def test_an_abort_that_finds_an_upload_settles_it():
    error = lost()
    service = Service(error, heads=[BUSY], aborts=[None], parts=[GONE])
    with pytest.raises(Unavailable):
        await run(service)
    assert service.asked == [*["complete", "head"] * 3, "abort", "parts"]


async def test_an_abort_that_finds_none_asks_once_more():
    service = Service(lost(), heads=[BUSY, BUSY, BUSY, shown()], aborts=[GONE])
    assert (await run(service)).etag == ETAG
    assert service.asked == [*["complete", "head"] * 3, "abort", "head"]
    for head in (MISSING, CLOSED, BUSY, shown(OTHER)):
        with pytest.raises(OutcomeUnknown, match="The last error: busy") as caught:
            await run(Service(lost(), heads=[BUSY, BUSY, BUSY, head], aborts=[GONE]))
        assert isinstance(caught.value.__cause__, Unavailable)


async def test_a_condition_that_meets_our_own_object_is_settled():
    """The second completion meets what the first has made unheard."""
    service = Service(lost(), PreconditionFailed("it exists"), heads=[BUSY, shown()], aborts=[GONE])
    assert (await run(service)).etag == ETAG
    service = Service(lost(), PreconditionFailed("it exists"), heads=[BUSY, shown()], aborts=[None], parts=[GONE])
    with pytest.raises(PreconditionFailed):
        await run(service)

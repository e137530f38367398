"""Uploads that are taken back, who waits for that, and what is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from tests.waiting import until

from aiocos.errors import AccessDenied, CosError, NoSuchUpload, TransferError, TransportError, Unavailable
from aiocos.operations.multipart import CreateMultipartUpload
from aiocos.transfer import abort as aborting
from aiocos.transfer import cleanup
from aiocos.transfer.abort import abort, abort_after_failure, create_upload
from aiocos.transfer.cleanup import FailedAbort, failed_aborts, start_cleanup, wait_for_aborts


class Service:
    """A service with one answer for each abort, and one for each look."""

    def __init__(
        self, aborts: list[Exception | None], looks: list[Exception | None] | None = None, timeout: float = 30
    ) -> None:
        self.multipart = self
        self._engine = self
        self.config = SimpleNamespace(transfer=SimpleNamespace(cleanup_timeout=timeout))
        self.asked: list[str] = []
        self.hold: asyncio.Event | None = None
        self.creation: Callable[[], Any] = lambda: SimpleNamespace(upload_id="id")
        self._aborts = aborts
        self._looks = looks or []

    async def abort(self, bucket: str, key: str, upload_id: str) -> None:
        assert (bucket, key) == ("bucket", "key")
        self.asked.append(f"abort {upload_id}")
        if self.hold is not None:
            await self.hold.wait()
        if self._aborts and (error := self._aborts.pop(0)) is not None:
            raise error

    async def list_parts(self, bucket: str, key: str, upload_id: str) -> AsyncIterator[int]:
        assert (bucket, key, upload_id) == ("bucket", "key", "id")
        self.asked.append("look")
        if self._looks and (error := self._looks.pop(0)) is not None:
            raise error
        yield 1
        raise AssertionError("one part is enough to know")

    async def call(self, operation: object) -> Any:
        if self.hold is not None:
            await self.hold.wait()
        return self.creation()


def gone() -> NoSuchUpload:
    return NoSuchUpload("no such upload")


async def test_an_upload_is_aborted_and_looked_at():
    service: Any = Service([], [gone()])
    assert await abort(service, "bucket", "key", "id") == "aborted"
    assert service.asked == ["abort id", "look"]
    assert failed_aborts(service) == ()


async def test_a_part_that_came_late_is_aborted_too():
    service: Any = Service([], [None, None, gone()])
    assert await abort(service, "bucket", "key", "id") == "aborted"
    assert service.asked == ["abort id", "look"] * 3
    service = Service([None, gone()], [None])
    assert await abort(service, "bucket", "key", "id") == "aborted", "the second try finds none, because the first ended it"


async def test_an_upload_that_is_gone():
    service: Any = Service([gone()])
    assert await abort(service, "bucket", "key", "id") == "gone"
    assert service.asked == ["abort id"]
    assert failed_aborts(service) == ()


async def test_who_may_write_and_not_read_has_aborted():
    service: Any = Service([], [AccessDenied("no")])
    assert await abort(service, "bucket", "key", "id") == "aborted"
    assert failed_aborts(service) == ()


@pytest.mark.parametrize(
    ("aborts", "looks", "error"),
    [
        ([AccessDenied("no")], [], "no"),
        ([Unavailable("busy")], [], "busy"),
        ([], [Unavailable("busy")], "busy"),
        ([], [None, None, None], "it is still there after three aborts"),
        ([TimeoutError()], [], "no response in time"),
    ],
)
async def test_what_could_not_be_aborted_is_kept_and_logged(
    aborts: list[Exception | None], looks: list[Exception | None], error: str, caplog: pytest.LogCaptureFixture
):
    service: Any = Service(aborts, looks)
    assert await abort(service, "bucket", "key", "id") == "unknown"
    assert failed_aborts(service) == (FailedAbort("bucket", "key", "id", error),)
    assert caplog.messages == [f"the upload of bucket/key could not be aborted, upload id id: {error}"]
    service._aborts, service._looks = [], [gone()]
    assert await abort(service, "bucket", "key", "id") == "aborted"
    assert failed_aborts(service) == (), "a second try has done it"


async def test_an_abort_ends_in_time():
    for service, ends in ((Service([], timeout=0.02), False), (Service([], timeout=30), True)):
        service.hold = asyncio.Event()
        given = asyncio.get_running_loop().time() + 0.02 if ends else None
        assert await asyncio.wait_for(abort(service, "bucket", "key", "id", given), 20) == "unknown"  # type: ignore[arg-type]
        [failed] = failed_aborts(service)  # type: ignore[arg-type]
        assert failed.error == "no response in time"


async def test_an_abort_that_is_cancelled_is_kept_too():
    service: Any = Service([])
    service.hold = asyncio.Event()
    task = start_cleanup(service, abort(service, "bucket", "key", "id"))
    await until(lambda: service.asked, "the abort is on its way")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert failed_aborts(service) == (FailedAbort("bucket", "key", "id", "the program ended before it was done"),)


async def test_the_latest_failures_are_kept(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    assert cleanup._MAX_FAILURES == 10_000, "as the documentation says"
    monkeypatch.setattr(cleanup, "_MAX_FAILURES", 3)
    service: Any = Service([AccessDenied("no") for _ in range(6)])
    for number in range(5):
        await abort(service, "bucket", "key", f"id{number}")
    assert [one.upload_id for one in failed_aborts(service)] == ["id2", "id3", "id4"]
    await abort(service, "bucket", "key", "id3")
    assert [one.upload_id for one in failed_aborts(service)] == ["id2", "id3", "id4"], "no second time"
    assert cleanup.state_of(service).unreported == {"id2", "id3", "id4"}, "what is forgotten takes no room"
    caplog.clear()
    await wait_for_aborts(service)
    [message] = caplog.messages
    assert "may be open still: 3, bucket/key (id2), bucket/key (id3), bucket/key (id4);" in message


async def test_a_client_that_closes_tells_of_new_failures_once(caplog: pytest.LogCaptureFixture):
    service: Any = Service([AccessDenied("no") for _ in range(30)])
    await wait_for_aborts(service)
    assert caplog.messages == []
    for number in range(10):
        await abort(service, "bucket", "key", f"id{number}")
    caplog.clear()
    await wait_for_aborts(service)
    [message] = caplog.messages
    assert "still: 10, bucket/key (id0), " in message
    assert "bucket/key (id9); `aiocos uploads abort` removes them" in message
    caplog.clear()
    await wait_for_aborts(service)
    assert caplog.messages == [], "that was told"
    for number in range(10, 22):
        await abort(service, "bucket", "key", f"id{number}")
    caplog.clear()
    await wait_for_aborts(service)
    [message] = caplog.messages
    assert "still: 12, bucket/key (id10), " in message
    assert "bucket/key (id19) and 2 more; " in message
    assert len(failed_aborts(service)) == 22


async def test_a_client_that_closes_waits_for_what_runs():
    service: Any = Service([], [gone()])
    service.hold = asyncio.Event()
    task = start_cleanup(service, abort(service, "bucket", "key", "id"))
    closing = asyncio.ensure_future(wait_for_aborts(service))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not closing.done()
    service.hold.set()
    await closing
    assert task.done()
    assert not cleanup.state_of(service).tasks, "what is done is forgotten"


@pytest.mark.parametrize("answers", [True, False])
async def test_a_cancel_waits_a_quarter_of_a_second(answers: bool, monkeypatch: pytest.MonkeyPatch):
    assert aborting.ABORT_GRACE == 0.25, "as the documentation says"
    monkeypatch.setattr(aborting, "ABORT_GRACE", 30 if answers else 0.01)
    service: Any = Service([], [gone()])
    if not answers:
        service.hold = asyncio.Event()
    found = await asyncio.wait_for(abort_after_failure(service, "bucket", "key", "id", asyncio.CancelledError()), 20)
    assert found == ("aborted" if answers else None)
    if service.hold is not None:
        service.hold.set()
    await wait_for_aborts(service)
    assert service.asked == ["abort id", "look"], "it goes on behind"


@pytest.mark.parametrize(
    ("aborts", "found", "fate"),
    [
        ([], "aborted", "it failed; the upload was aborted"),
        ([gone()], "gone", "it failed"),
        ([AccessDenied("no")], "unknown", "it failed; the upload id could not be aborted and may be open still"),
    ],
)
async def test_a_failure_says_what_became_of_its_upload(aborts: list[Exception | None], found: str, fate: str):
    service: Any = Service(aborts[:], [gone()])
    cause = TransferError("it failed", upload_id="id", parts_done=3)
    assert await abort_after_failure(service, "bucket", "key", "id", cause) == found
    assert cause.args == (fate,)
    other = ValueError("the source's own")
    assert await abort_after_failure(Service(aborts[:], [gone()]), "bucket", "key", "id", other) == found  # type: ignore[arg-type]
    assert other.args == ("the source's own",)


async def test_a_second_cancel_ends_the_waiting_only():
    service: Any = Service([], [gone()])
    service.hold = asyncio.Event()
    taking = asyncio.ensure_future(abort_after_failure(service, "bucket", "key", "id", TransferError("it failed")))
    await until(lambda: service.asked, "the abort is on its way")
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    service.hold.set()
    await wait_for_aborts(service)
    assert service.asked == ["abort id", "look"]


# -- creations --------------------------------------------------------------------------------------------------------

CREATION = CreateMultipartUpload("bucket", "key")


async def test_a_creation_gives_what_was_begun():
    service: Any = Service([])
    assert (await create_upload(service, CREATION)).upload_id == "id"
    assert service.asked == []


async def test_an_upload_whose_creation_is_cancelled_is_aborted():
    service: Any = Service([], [gone()])
    service.hold = asyncio.Event()
    beginning = asyncio.ensure_future(create_upload(service, CREATION))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    beginning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await beginning
    assert service.asked == []
    service.hold.set()
    await wait_for_aborts(service)
    assert service.asked == ["abort id", "look"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TransportError("no connection", sent=False), False),
        (TransportError("no answer", sent=True), True),
        (AccessDenied("no"), False),
        (None, True),
    ],
)
async def test_an_upload_that_may_have_been_begun_is_told_of(
    error: CosError | None, said: bool, caplog: pytest.LogCaptureFixture
):
    service: Any = Service([], timeout=0.02 if error is None else 30)
    service.hold = asyncio.Event()

    def creation() -> None:
        assert error is not None
        raise error

    service.creation = creation
    beginning = asyncio.ensure_future(create_upload(service, CREATION))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    beginning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await beginning
    if error is not None:
        service.hold.set()
    with caplog.at_level(logging.WARNING):
        await asyncio.wait_for(wait_for_aborts(service), 20)
    assert service.asked == []
    text = "an upload of bucket/key may have been created, and its id is not known: it would be open, without parts"
    assert caplog.messages == ([text] if said else [])

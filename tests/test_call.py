"""Attempts, deadlines, new credentials and secrets of a call."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import pytest
from tests.fake_engine import MD5, PUT, FakeAuthorizer, FakeTransport, engine, error, ok

import aiocos
from aiocos.call import is_idempotent
from aiocos.config import RetryConfig
from aiocos.errors import (
    AccessDenied,
    ConnectionLostError,
    CosError,
    CredentialsError,
    NoSuchKey,
    ProtocolError,
    RequestTimeoutError,
    Unauthorized,
    Unavailable,
)
from aiocos.operations.buckets import DeleteBucket, HeadBucket, ListBuckets
from aiocos.operations.multipart import CompletedPart, CompleteMultipartUpload, CreateMultipartUpload, UploadPart
from aiocos.operations.objects import DeleteObject, GetObject, HeadObject, PutObject
from aiocos.wire.message import PreparedRequest, Response

# -- attempts ---------------------------------------------------------------------------------------------------------


async def test_call_is_one_request_and_refunds() -> None:
    transport = FakeTransport(ok(ETag=MD5))
    made = engine(transport)
    made.budget._left = 10.0
    result = await made.call(PUT)
    assert result.etag == MD5
    assert transport.requests == [("PUT", "/b/k")]
    assert transport.headers[0]["Content-MD5"] == "jXd/OF09/siBXSD3SWAm3A=="
    assert transport.deadlines == [None]
    assert made.budget.left == 11.0


async def test_attempts_are_counted_and_logged_and_use_the_budget(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "aiocos.call")
    transport = FakeTransport(error(500, "InternalError"), ConnectionLostError("cut", sent=True), ok(ETag=MD5))
    made = engine(transport)
    response = await made.call_with_response(PUT)
    assert (response.result.etag, response.status, response.headers, response.attempts) == (MD5, 200, {"ETag": MD5}, 3)
    assert made.budget.left == 20 - 10 + 1
    first, second = (record.getMessage() for record in caplog.records)
    assert "attempt 1 failed, again in 0.00 s" in first
    assert "attempt 2 failed (sent), again in" in second
    transport.script = [ConnectionLostError("no way", sent=False), ok(ETag=MD5)]
    await made.call(PUT)
    assert "attempt 1 failed (not sent), again in" in caplog.records[-1].getMessage()


async def test_open_with_response_counts_attempts() -> None:
    transport = FakeTransport(error(503, "SlowDown"), ok(b"data", x="1"))
    response = await engine(transport).open_with_response(GetObject("b", "k"))
    assert (response.status, response.headers, response.attempts) == (200, {"x": "1"}, 2)
    assert await response.result.read() == b"data"
    opened = await engine(FakeTransport(ok(b"data"))).open(GetObject("b", "k"))
    assert await opened.read() == b"data"


async def test_last_error_is_raised() -> None:
    for stream in (False, True):
        transport = FakeTransport(error(500, "InternalError"))
        made = engine(transport)
        with pytest.raises(Unavailable) as caught:
            await (made.open if stream else made.call)(GetObject("b", "k") if stream else HeadObject("b", "k"))
        assert caught.value.attempts == 3
        assert len(transport.requests) == 3
        assert made.budget.left == 10
    transport = FakeTransport(error(404, "NoSuchKey"))
    with pytest.raises(NoSuchKey):
        await engine(transport).call(HeadObject("b", "k"))
    assert len(transport.requests) == 1


@pytest.mark.parametrize("status", [300, 304, 400, 500])
async def test_statuses_from_300_are_errors(status: int) -> None:
    transport = FakeTransport(error(status, "Odd"))
    for work in (engine(transport).call(HeadBucket("b")), engine(transport).open(GetObject("b", "k"))):
        with pytest.raises(CosError):
            await work
    assert all(response.closed for response in transport.opened)
    transport = FakeTransport(ok(b"x", 299))
    assert (await engine(transport).open(GetObject("b", "k"))).status == 299
    assert not transport.opened[0].closed


# -- idempotent operations --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "idempotent"),
    [
        (HeadObject("b", "k"), True),
        (GetObject("b", "k", if_match='"e"'), True),
        (DeleteObject("b", "k"), True),
        (PutObject("b", "k", b""), True),
        (PutObject("b", "k", b"", if_match='"e"'), False),
        (PutObject("b", "k", b"", if_none_match="*"), False),
        (PutObject("b", "k", b"", forbid_overwrite=True), False),
        (UploadPart("b", "k", "u", 1, b""), True),
        (CreateMultipartUpload("b", "k"), True),
        (CompleteMultipartUpload("b", "k", "u", [CompletedPart(part_number=1, etag='"e"')]), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_is_idempotent(operation: Any, idempotent: bool | None) -> None:
    assert is_idempotent(operation) is (operation.spec.idempotent if idempotent is None else idempotent)


# -- deadlines --------------------------------------------------------------------------------------------------------


async def test_deadline_is_shared_by_all_attempts() -> None:
    loop = asyncio.get_running_loop()
    transport = FakeTransport(error(500, "InternalError"), ok(ETag=MD5))
    began = loop.time()
    await engine(transport).call(PutObject("b", "k", b"data", timeout=60.0))
    assert transport.deadlines == [pytest.approx(began + 60, abs=10)] * 2
    assert transport.deadlines[0] == transport.deadlines[1]


async def test_call_times_out() -> None:
    class Silent(FakeTransport):
        async def send(self, request: PreparedRequest, *, deadline: float | None = None) -> Response:
            await asyncio.sleep(60)
            raise AssertionError

    for operation, what in ((HeadObject("b", "k", timeout=0.02), "HeadObject b/k"), (ListBuckets(timeout=0.02), "ListBuckets")):
        with pytest.raises(RequestTimeoutError, match=rf"^{what}: not done within 0\.02 s") as caught:
            await engine(Silent(ok())).call(operation)
        assert caught.value.sent is True, "it may have happened"
        assert isinstance(caught.value.__cause__, TimeoutError)


@pytest.mark.parametrize("given", [RequestTimeoutError("a connection", sent=False), TimeoutError("of somebody else")])
async def test_other_timeouts_are_raised_unchanged(given: Exception) -> None:
    with pytest.raises(type(given)) as caught:
        await engine(FakeTransport(given), retry=RetryConfig(attempts=1)).call(HeadObject("b", "k", timeout=60.0))
    assert caught.value is given


async def test_transport_timeout_at_the_deadline_is_raised_unchanged() -> None:
    class Late(FakeTransport):
        async def send(self, request: PreparedRequest, *, deadline: float | None = None) -> Response:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                raise RequestTimeoutError("the deadline of the call passed", sent=False) from None
            raise AssertionError

    with pytest.raises(RequestTimeoutError, match="the deadline of the call passed") as caught:
        await engine(Late(ok()), retry=RetryConfig(attempts=1)).call(HeadObject("b", "k", timeout=0.02))
    assert caught.value.sent is False


# -- new credentials --------------------------------------------------------------------------------------------------

DATE = "Fri, 20 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("stream", [False, True])
async def test_refused_request_is_sent_again_with_new_credentials(status: int, stream: bool) -> None:
    refused = error(status, "Code")
    refused.headers["Date"] = DATE  # type: ignore[index]
    identity, transport = FakeAuthorizer(again=True), FakeTransport(refused, ok(b"x"))
    made = engine(transport, identity)
    await (made.open(GetObject("b", "k")) if stream else made.call(HeadBucket("b")))
    assert identity.calls == [("rejected", status, 1_795_168_800.0, "Code"), ("settled", 200)]
    assert [headers["Authorization"] for headers in transport.headers] == ["Bearer token-1", "Bearer token-2"]
    assert made.budget.left == 20, "no retry was paid for"
    if stream:
        assert [response.closed for response in transport.opened] == [1, 0]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("status", "kind"), [(401, Unauthorized), (403, AccessDenied)])
async def test_second_refusal_is_raised(status: int, kind: type[CosError], stream: bool) -> None:
    for again, requests in ((True, 2), (False, 1)):
        identity, transport = FakeAuthorizer(again=again), FakeTransport(ok(b"", status))
        made = engine(transport, identity)
        with pytest.raises(kind):
            await (made.open(GetObject("b", "k")) if stream else made.call(HeadBucket("b")))
        assert len(transport.requests) == requests
        settled: list[tuple[object, ...]] = [("settled", status)] if again else []
        assert identity.calls == [("rejected", status, None, ""), *settled]
        if stream:
            assert all(response.closed for response in transport.opened)


async def test_second_request_without_a_response_settles_with_0() -> None:
    identity = FakeAuthorizer(again=True)
    transport = FakeTransport(ok(b"", 401), ConnectionLostError("cut", sent=True), ok(b"x"))
    await engine(transport, identity).call(HeadBucket("b"))
    assert identity.calls == [("rejected", 401, None, ""), ("settled", 0)]


@pytest.mark.parametrize("status", [400, 402, 404])
async def test_other_statuses_do_not_ask_the_authorizer(status: int) -> None:
    identity, transport = FakeAuthorizer(again=True), FakeTransport(ok(b"", status))
    for work in (engine(transport, identity).call(HeadBucket("b")), engine(transport, identity).open(GetObject("b", "k"))):
        with pytest.raises(CosError):
            await work
    assert identity.calls == []


# -- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
async def test_no_secrets_in_errors(stream: bool) -> None:
    words = "token-1 a-key-behind of-a-proxy"
    for step in (error(404, "NoSuchKey", words), ConnectionLostError(words, sent=True), ok(words.encode(), 400)):
        made = engine(FakeTransport(step), retry=RetryConfig(attempts=1))
        with pytest.raises(CosError) as caught:
            await (made.open(GetObject("b", "k")) if stream else made.call(HeadBucket("b")))
        for secret in words.split():
            assert secret not in f"{caught.value} {caught.value.args}"
        assert "*** *** ***" in str(caught.value)


async def test_error_in_a_200_names_the_operation_without_secrets() -> None:
    parts = [CompletedPart(part_number=1, etag='"e"')]
    said = error(200, "InternalError", "token-1")
    with pytest.raises(Unavailable) as caught:
        await engine(FakeTransport(said), retry=RetryConfig(attempts=1)).call(CompleteMultipartUpload("b", "k", "u", parts))
    assert (caught.value.operation, caught.value.resource) == ("CompleteMultipartUpload", "b/k")
    assert "token-1" not in str(caught.value)
    for work in (
        engine(FakeTransport(ok(b"<html>token-1")), retry=RetryConfig(attempts=1)).call(ListBuckets()),
        engine(FakeTransport(ok(b"<html>token-1" + b" " * 300_000)), retry=RetryConfig(attempts=1)).call(ListBuckets()),
    ):
        with pytest.raises(ProtocolError, match=r"^ListBuckets: ") as told:
            await work
        assert "token-1" not in str(told.value)


# -- the rest ---------------------------------------------------------------------------------------------------------


async def test_verify_writes() -> None:
    other = '"00000000000000000000000000000000"'

    def said(request: PreparedRequest) -> Response:
        return ok(ETag=other) if request.method == "PUT" else ok()

    for call in (engine(FakeTransport(said)).call, engine(FakeTransport(said)).call_with_response):
        with pytest.raises(aiocos.IntegrityError):
            await call(PUT)
    assert (await engine(FakeTransport(said), verify_writes=False).call(PUT)).etag == other
    # A response that is still to be read is not checked.
    assert (await engine(FakeTransport(said)).open(PUT)).status == 200
    # Other operations have no check.
    assert await engine(FakeTransport(ok(status=204))).call(DeleteBucket("b"))


async def test_close_closes_authorizer_and_transport() -> None:
    for again in (False, True):
        identity, transport = FakeAuthorizer(again), FakeTransport(ok())
        made = engine(transport, identity)
        if again:
            with pytest.raises(CredentialsError):
                await made.close()
        else:
            await made.close()
        assert (identity.closed, transport.closed) == (1, 1)
    assert (made.concurrency, made.connections) == ("concurrency", "connections")


async def test_date_of_a_refusal() -> None:
    identity = FakeAuthorizer()
    for date, read in ((formatdate(7.0, usegmt=True), 7.0), ("soon", None)):
        with pytest.raises(AccessDenied):
            await engine(FakeTransport(ok(b"", 403, Date=date)), identity).call(HeadBucket("b"))
        assert identity.calls.pop() == ("rejected", 403, read, "")


@pytest.mark.parametrize("condition", ["if_match", "if_none_match", "if_unmodified_since"])
def test_conditional_writes_are_not_idempotent(condition: str):
    value = datetime.now(UTC) if condition == "if_unmodified_since" else "*"
    assert is_idempotent(PutObject("bucket", "key", b""))
    assert not is_idempotent(PutObject("bucket", "key", b"", **{condition: value}))

"""The life of one call: attempts, deadlines, second tries, and what must not be sent."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any

import pytest
from tests.net.test_streamed_response import Pieces

import aiocos
from aiocos.auth.base import Authorizer, AuthSettings
from aiocos.auth.keys import Hmac
from aiocos.call import Engine, is_idempotent
from aiocos.config import ClientConfig, RetryConfig
from aiocos.errors import (
    AccessDenied,
    ConfigError,
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
from aiocos.wire.address import Endpoint
from aiocos.wire.message import PreparedRequest, Response

QUICK = RetryConfig(attempts=3, base=0.0, cap=0.0, budget=20.0, retry_cost=5.0, refund=1.0)
Step = Response | Exception | Callable[[PreparedRequest], Response]


def ok(body: bytes = b"", status: int = 200, **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def error(status: int, code: str, message: str = "no") -> Response:
    return ok(f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode(), status)


class Transport:
    """Answers with a script, its last step again and again."""

    def __init__(self, *script: Step) -> None:
        self.script = list(script)
        self.requests: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.deadlines: list[float | None] = []
        self.opened: list[Pieces] = []
        self.secrets = {"of-a-proxy"}
        self.closed = 0
        self.concurrency, self.connections = "concurrency", "connections"

    async def send(self, request: PreparedRequest, *, deadline: float | None = None) -> Response:
        self.requests.append((request.method, request.path))
        self.headers.append(dict(request.headers))
        self.deadlines.append(deadline)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) else step

    async def open(self, request: PreparedRequest, *, deadline: float | None = None) -> Pieces:
        response = await self.send(request, deadline=deadline)
        made = Pieces(response.body)
        made.status, made.headers = response.status, response.headers
        self.opened.append(made)
        return made

    async def close(self) -> None:
        self.closed += 1


class Identity(Authorizer):
    """Counts what it is told; `again` is what it says to a refusal."""

    def __init__(self, again: bool = False) -> None:
        self.again = again
        self.told: list[tuple[object, ...]] = []
        self.authorized = 0
        self.closed = 0

    async def authorize(self, request: PreparedRequest) -> None:
        self.authorized += 1
        request.headers["Authorization"] = f"Bearer token-{self.authorized}"

    def rejected(self, request: PreparedRequest, status: int, date: float | None = None, code: str = "") -> bool:
        self.told.append(("rejected", status, date, code))
        return self.again

    def settled(self, request: PreparedRequest, status: int) -> None:
        self.told.append(("settled", status))

    def secrets(self) -> Iterable[str]:
        return ("a-key-behind",)

    async def close(self) -> None:
        self.closed += 1
        if self.again:
            raise CredentialsError("cannot be closed")


def engine(
    transport: Transport, identity: Identity | None = None, *, origin: str = "https://cos.example", **config: Any
) -> Engine:
    return Engine(
        Endpoint.parse(origin),
        identity or Identity(),
        transport,  # type: ignore[arg-type]
        ClientConfig(retry=config.pop("retry", QUICK), **config),
        lambda: "an-instance",
        lambda: Hmac("id", "secret").presigner(AuthSettings()),
    )


PUT = PutObject("b", "k", b"data")
SHA256 = b64encode(hashlib.sha256(b"data").digest()).decode()
MD5 = '"8d777f385d3dfec8815d20f7496026dc"'


# -- attempts ---------------------------------------------------------------------------------------------------------


async def test_a_call_is_one_request_that_refunds() -> None:
    transport = Transport(ok(ETag=MD5))
    made = engine(transport)
    made.budget._left = 10.0
    result = await made.call(PUT)
    assert result.etag == MD5
    assert transport.requests == [("PUT", "/b/k")]
    assert transport.headers[0]["Content-MD5"] == "jXd/OF09/siBXSD3SWAm3A=="
    assert transport.deadlines == [None]
    assert made.budget.left == 11.0


async def test_attempts_are_counted_logged_and_paid_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "aiocos.call")
    transport = Transport(error(500, "InternalError"), ConnectionLostError("cut", sent=True), ok(ETag=MD5))
    made = engine(transport)
    answer = await made.call_with_response(PUT)
    assert (answer.result.etag, answer.status, answer.headers, answer.attempts) == (MD5, 200, {"ETag": MD5}, 3)
    assert made.budget.left == 20 - 10 + 1
    first, second = (record.getMessage() for record in caplog.records)
    assert "attempt 1 failed, again in 0.00 s" in first
    assert "attempt 2 failed (sent), again in" in second
    transport.script = [ConnectionLostError("no way", sent=False), ok(ETag=MD5)]
    await made.call(PUT)
    assert "attempt 1 failed (not sent), again in" in caplog.records[-1].getMessage()


async def test_an_answer_that_has_begun_is_counted_too() -> None:
    transport = Transport(error(503, "SlowDown"), ok(b"data", x="1"))
    answer = await engine(transport).open_with_response(GetObject("b", "k"))
    assert (answer.status, answer.headers, answer.attempts) == (200, {"x": "1"}, 2)
    assert await answer.result.read() == b"data"
    opened = await engine(Transport(ok(b"data"))).open(GetObject("b", "k"))
    assert await opened.read() == b"data"


async def test_the_last_error_is_raised() -> None:
    for open_ in (False, True):
        transport = Transport(error(500, "InternalError"))
        made = engine(transport)
        with pytest.raises(Unavailable) as caught:
            await (made.open if open_ else made.call)(GetObject("b", "k") if open_ else HeadObject("b", "k"))
        assert caught.value.attempts == 3
        assert len(transport.requests) == 3
        assert made.budget.left == 10
    transport = Transport(error(404, "NoSuchKey"))
    with pytest.raises(NoSuchKey):
        await engine(transport).call(HeadObject("b", "k"))
    assert len(transport.requests) == 1


@pytest.mark.parametrize("status", [300, 304, 400, 500])
async def test_all_from_300_on_are_errors_and_their_bodies_are_read(status: int) -> None:
    transport = Transport(error(status, "Odd"))
    for work in (engine(transport).call(HeadBucket("b")), engine(transport).open(GetObject("b", "k"))):
        with pytest.raises(CosError):
            await work
    assert all(exchange.closed for exchange in transport.opened)
    transport = Transport(ok(b"x", 299))
    assert (await engine(transport).open(GetObject("b", "k"))).status == 299
    assert not transport.opened[0].closed


# -- which may be sent twice ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "repeatable"),
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
def test_what_may_be_sent_twice(operation: Any, repeatable: bool | None) -> None:
    assert is_idempotent(operation) is (operation.spec.idempotent if repeatable is None else repeatable)


# -- deadlines --------------------------------------------------------------------------------------------------------


async def test_a_deadline_is_for_the_call_and_all_its_attempts() -> None:
    loop = asyncio.get_running_loop()
    transport = Transport(error(500, "InternalError"), ok(ETag=MD5))
    began = loop.time()
    await engine(transport).call(PutObject("b", "k", b"data", timeout=60.0))
    assert transport.deadlines == [pytest.approx(began + 60, abs=10)] * 2
    assert transport.deadlines[0] == transport.deadlines[1]


async def test_a_call_that_is_not_done_in_time() -> None:
    class Silent(Transport):
        async def send(self, request: PreparedRequest, *, deadline: float | None = None) -> Response:
            await asyncio.sleep(60)
            raise AssertionError

    for operation, what in ((HeadObject("b", "k", timeout=0.02), "HeadObject b/k"), (ListBuckets(timeout=0.02), "ListBuckets")):
        with pytest.raises(RequestTimeoutError, match=rf"^{what}: not done within 0\.02 s") as caught:
            await engine(Silent(ok())).call(operation)
        assert caught.value.sent is True, "it may have happened"
        assert isinstance(caught.value.__cause__, TimeoutError)


@pytest.mark.parametrize("given", [RequestTimeoutError("a connection", sent=False), TimeoutError("of somebody else")])
async def test_another_timeout_is_not_taken_for_the_deadline(given: Exception) -> None:
    with pytest.raises(type(given)) as caught:
        await engine(Transport(given), retry=RetryConfig(attempts=1)).call(HeadObject("b", "k", timeout=60.0))
    assert caught.value is given


async def test_a_timeout_of_the_transport_is_told_in_its_own_words_also_at_the_deadline() -> None:
    class Late(Transport):
        async def send(self, request: PreparedRequest, *, deadline: float | None = None) -> Response:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                raise RequestTimeoutError("the deadline of the call passed", sent=False) from None
            raise AssertionError

    with pytest.raises(RequestTimeoutError, match="the deadline of the call passed") as caught:
        await engine(Late(ok()), retry=RetryConfig(attempts=1)).call(HeadObject("b", "k", timeout=0.02))
    assert caught.value.sent is False


# -- second tries -----------------------------------------------------------------------------------------------------

DATE = "Fri, 20 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("open_", [False, True])
async def test_a_refusal_is_tried_once_more_where_the_identity_says_so(status: int, open_: bool) -> None:
    refused = error(status, "Code")
    refused.headers["Date"] = DATE  # type: ignore[index]
    identity, transport = Identity(again=True), Transport(refused, ok(b"x"))
    made = engine(transport, identity)
    await (made.open(GetObject("b", "k")) if open_ else made.call(HeadBucket("b")))
    assert identity.told == [("rejected", status, 1_795_168_800.0, "Code"), ("settled", 200)]
    assert [headers["Authorization"] for headers in transport.headers] == ["Bearer token-1", "Bearer token-2"]
    assert made.budget.left == 20, "no retry was paid for"
    if open_:
        assert [exchange.closed for exchange in transport.opened] == [1, 0]


@pytest.mark.parametrize("open_", [False, True])
@pytest.mark.parametrize(("status", "kind"), [(401, Unauthorized), (403, AccessDenied)])
async def test_a_second_refusal_is_the_last(status: int, kind: type[CosError], open_: bool) -> None:
    for again, requests in ((True, 2), (False, 1)):
        identity, transport = Identity(again=again), Transport(ok(b"", status))
        made = engine(transport, identity)
        with pytest.raises(kind):
            await (made.open(GetObject("b", "k")) if open_ else made.call(HeadBucket("b")))
        assert len(transport.requests) == requests
        settled: list[tuple[object, ...]] = [("settled", status)] if again else []
        assert identity.told == [("rejected", status, None, ""), *settled]
        if open_:
            assert all(exchange.closed for exchange in transport.opened)


async def test_a_second_try_without_an_answer_is_settled_with_0() -> None:
    identity = Identity(again=True)
    transport = Transport(ok(b"", 401), ConnectionLostError("cut", sent=True), ok(b"x"))
    await engine(transport, identity).call(HeadBucket("b"))
    assert identity.told == [("rejected", 401, None, ""), ("settled", 0)]


@pytest.mark.parametrize("status", [400, 402, 404])
async def test_other_refusals_are_not_the_identitys(status: int) -> None:
    identity, transport = Identity(again=True), Transport(ok(b"", status))
    for work in (engine(transport, identity).call(HeadBucket("b")), engine(transport, identity).open(GetObject("b", "k"))):
        with pytest.raises(CosError):
            await work
    assert identity.told == []


# -- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("open_", [False, True])
async def test_no_secret_comes_back_in_an_error(open_: bool) -> None:
    words = "token-1 a-key-behind of-a-proxy"
    for step in (error(404, "NoSuchKey", words), ConnectionLostError(words, sent=True), ok(words.encode(), 400)):
        made = engine(Transport(step), retry=RetryConfig(attempts=1))
        with pytest.raises(CosError) as caught:
            await (made.open(GetObject("b", "k")) if open_ else made.call(HeadBucket("b")))
        for secret in words.split():
            assert secret not in f"{caught.value} {caught.value.args}"
        assert "*** *** ***" in str(caught.value)


async def test_an_error_in_a_200_is_told_with_its_operation_and_without_secrets() -> None:
    parts = [CompletedPart(part_number=1, etag='"e"')]
    said = error(200, "InternalError", "token-1")
    with pytest.raises(Unavailable) as caught:
        await engine(Transport(said), retry=RetryConfig(attempts=1)).call(CompleteMultipartUpload("b", "k", "u", parts))
    assert (caught.value.operation, caught.value.resource) == ("CompleteMultipartUpload", "b/k")
    assert "token-1" not in str(caught.value)
    for work in (
        engine(Transport(ok(b"<html>token-1")), retry=RetryConfig(attempts=1)).call(ListBuckets()),
        engine(Transport(ok(b"<html>token-1" + b" " * 300_000)), retry=RetryConfig(attempts=1)).call(ListBuckets()),
    ):
        with pytest.raises(ProtocolError, match=r"^ListBuckets: ") as told:
            await work
        assert "token-1" not in str(told.value)


# -- large documents --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "elsewhere"), [(262_144, False), (262_145, True)])
async def test_a_large_answer_is_read_in_a_thread(size: int, elsewhere: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[bool] = []

    def noting(name: str) -> None:
        original = getattr(aiocos.call, name)  # type: ignore[attr-defined]

        def noted(*given: Any) -> Any:
            threads.append(threading.current_thread() is not threading.main_thread())
            return original(*given)

        monkeypatch.setattr(f"aiocos.call.{name}", noted)

    noting("read_answer")
    noting("error_for")
    document = b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"
    large = ok(document[:-1] + b" " * (size - len(document)) + b">")
    assert len(large.body) == size
    made = engine(Transport(large))
    assert (await made.call(ListBuckets())).buckets == []
    assert (await made.call_with_response(ListBuckets())).result.buckets == []
    with pytest.raises(NoSuchKey):
        await engine(Transport(error(404, "NoSuchKey", "x" * (size - 64)))).call(HeadBucket("b"))
    assert threads[:2] == [elsewhere] * 2
    assert len(threads) == 3
    threads.clear()
    refused = error(404, "NoSuchKey")
    refused.body += b" " * (size - len(refused.body))
    with pytest.raises(NoSuchKey):
        await engine(Transport(refused)).call(HeadBucket("b"))
    assert threads == [elsewhere]


@pytest.mark.parametrize(("size", "elsewhere"), [(262_144, False), (262_145, True)])
async def test_a_large_body_is_digested_in_a_thread(size: int, elsewhere: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[bool] = []
    original = aiocos.wire.digest.digest  # type: ignore[attr-defined]

    def noted(*given: Any) -> bytes:
        threads.append(threading.current_thread() is not threading.main_thread())
        return original(*given)

    monkeypatch.setattr("aiocos.wire.digest.digest", noted)
    outgoing = await engine(Transport(ok())).prepare(PutObject("b", "k", bytes(size)))
    assert len(outgoing.headers["Content-MD5"]) == 24
    assert threads == [elsewhere]


# -- what a request has -----------------------------------------------------------------------------------------------


async def test_the_instance_is_named_where_an_operation_is_about_one() -> None:
    made = engine(Transport(ok()))
    assert (await made.prepare(ListBuckets())).headers["ibm-service-instance-id"] == "an-instance"
    assert (await made.prepare(ListBuckets(service_instance_id="mine"))).headers["ibm-service-instance-id"] == "mine"
    assert "ibm-service-instance-id" not in (await made.prepare(HeadBucket("b"))).headers
    made._instance_id = lambda: None
    assert "ibm-service-instance-id" not in (await made.prepare(ListBuckets())).headers


@pytest.mark.parametrize(
    ("checksum", "given", "expected"),
    [
        ("md5", {}, {"Content-MD5": "jXd/OF09/siBXSD3SWAm3A=="}),
        ("crc32", {}, {"x-amz-checksum-crc32": "rfPzYw=="}),
        ("md5", {"sdk_checksum_algorithm": "CRC32"}, {"x-amz-checksum-crc32": "rfPzYw=="}),
        ("md5", {"checksum_crc32": "AAAAAA=="}, {"x-amz-checksum-crc32": "AAAAAA=="}),
        ("crc32", {"content_md5": "jXd/OF09/siBXSD3SWAm3A=="}, {"Content-MD5": "jXd/OF09/siBXSD3SWAm3A=="}),
        ("md5", {"sdk_checksum_algorithm": "SHA256"}, {"x-amz-checksum-sha256": SHA256}),
    ],
)
async def test_a_body_has_one_checksum(checksum: Any, given: dict[str, Any], expected: dict[str, str]) -> None:
    outgoing = await engine(Transport(ok()), checksum=checksum).prepare(PutObject("b", "k", b"data", **given))
    sums = {n: v for n, v in outgoing.headers.items() if n == "Content-MD5" or n.startswith("x-amz-checksum-")}
    assert sums == expected


async def test_a_checksum_that_cannot_be_made_here_is_told() -> None:
    made = engine(Transport(ok()))
    with pytest.raises(ConfigError, match="a CRC64NVME checksum is announced and not given"):
        await made.prepare(PutObject("b", "k", b"data", sdk_checksum_algorithm="CRC64NVME"))


KEY = bytes(32)
KEYS = [
    PutObject("b", "k", b"", customer_key=KEY),
    HeadObject("b", "k", customer_key=KEY),
]


@pytest.mark.parametrize("operation", KEYS, ids=lambda value: type(value).__name__)
async def test_a_customers_key_does_not_travel_in_the_clear(operation: Any) -> None:
    transport = Transport(ok(ETag=MD5))
    for work in (engine(transport, origin="http://cos.example").call, engine(transport, origin="http://cos.example").open):
        with pytest.raises(ConfigError, match=r"\(SSE-C\) is not sent to http://cos\.example"):
            await work(operation)
    assert transport.requests == []
    for origin in ("https://cos.example", "http://127.0.0.1:9000"):
        await engine(transport, origin=origin).open(operation)
    await engine(transport, origin="http://cos.example").open(HeadObject("b", "k"))


def test_nor_in_a_url() -> None:
    name = "x-amz-server-side-encryption-customer-key"
    request = aiocos.wire.message.Request("GET", "b", "k", [(name.upper(), "a2V5")])  # type: ignore[attr-defined]
    plain = aiocos.wire.message.Request("GET", "b", "k", [(f"{name}-md5", "x")])  # type: ignore[attr-defined]
    made = engine(Transport(ok()), origin="http://cos.example")
    with pytest.raises(ConfigError, match="SSE-C"):
        made.presign(request, {}, 60)
    assert "X-Amz-Expires=60" in made.presign(plain, {}, 60)
    with pytest.raises(ConfigError, match="SSE-C"):
        made.presign(plain, {name: "a2V5"}, 60)
    assert "X-Amz-Expires=60" in engine(Transport(ok())).presign(request, {}, 60)
    with pytest.raises(ConfigError):
        made.presign(plain, {}, 0)
    assert "X-Amz-Expires=0" in made.presign(plain, {}, 0, strict=False)


# -- buckets under Key Protect ----------------------------------------------------------------------------------------


async def test_a_bucket_under_key_protect_is_remembered_for_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("aiocos.call.time.monotonic", lambda: now)
    transport = Transport(ok(**{"ibm-sse-kp-enabled": "True"}))
    made = engine(transport)
    for at, asked in ((1_000.0, 1), (1_299.9, 1), (1_300.0, 2), (1_599.9, 2), (1_600.0, 3)):
        now = at
        assert await made.has_md5_etags("b", "owner") is False
        assert len(transport.requests) == asked
    assert transport.requests[0] == ("HEAD", "/b")
    assert transport.headers[0]["x-amz-expected-bucket-owner"] == "owner"
    assert await made.has_md5_etags("another") is False
    assert len(transport.requests) == 4


async def test_a_bucket_that_is_not_or_cannot_be_asked_has_md5s_and_is_asked_again() -> None:
    for step in (ok(), ok(**{"ibm-sse-kp-enabled": "False"}), ok(b"", 403), ConnectionLostError("cut", sent=True)):
        transport = Transport(step)
        made = engine(transport, retry=RetryConfig(attempts=1))
        for asked in (1, 2):
            assert await made.has_md5_etags("b") is True
            assert len(transport.requests) == asked


async def test_what_is_remembered_of_buckets_does_not_grow_for_ever() -> None:
    made = engine(Transport(ok(**{"ibm-sse-kp-enabled": "True"})))
    for number in range(1_000):
        made._key_protect[str(number)] = float("inf")
    made._key_protect.pop("7")
    assert await made.has_md5_etags("b") is False
    assert len(made._key_protect) == 1_000
    assert await made.has_md5_etags("c") is False
    assert list(made._key_protect) == ["c"]


# -- the rest ---------------------------------------------------------------------------------------------------------


async def test_writes_are_verified_unless_said_otherwise() -> None:
    other = '"00000000000000000000000000000000"'

    def said(request: PreparedRequest) -> Response:
        return ok(ETag=other) if request.method == "PUT" else ok()

    for call in (engine(Transport(said)).call, engine(Transport(said)).call_with_response):
        with pytest.raises(aiocos.IntegrityError):
            await call(PUT)
    assert (await engine(Transport(said), verify_writes=False).call(PUT)).etag == other
    # An answer that is left to be read says nothing yet.
    assert (await engine(Transport(said)).open(PUT)).status == 200
    # Other operations have nothing to hold against their answer.
    assert await engine(Transport(ok(status=204))).call(DeleteBucket("b"))


async def test_closing_closes_both_whatever_happens() -> None:
    for again in (False, True):
        identity, transport = Identity(again), Transport(ok())
        made = engine(transport, identity)
        if again:
            with pytest.raises(CredentialsError):
                await made.close()
        else:
            await made.close()
        assert (identity.closed, transport.closed) == (1, 1)
    assert (made.concurrency, made.connections) == ("concurrency", "connections")


async def test_a_date_that_is_none_is_none() -> None:
    identity = Identity()
    for date, read in ((formatdate(7.0, usegmt=True), 7.0), ("soon", None)):
        with pytest.raises(AccessDenied):
            await engine(Transport(ok(b"", 403, Date=date)), identity).call(HeadBucket("b"))
        assert identity.told.pop() == ("rejected", 403, read, "")

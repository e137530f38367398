"""The life of one call, top to bottom: the file to read first.

    bind → body and digest → address → { authorise → one attempt → error or result → decide } → decode

Every operation of the library goes through `Engine.call`, or through `Engine.open` where the body of the answer is streamed.
There is no side door.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, cast

from aiocos.auth.base import Authorizer, Presigner
from aiocos.config import ClientConfig
from aiocos.errors import ConfigError, CosError, ProtocolError, RequestTimeoutError, ServiceError, TransportError
from aiocos.net.hashing import INLINE, run_in_hash_pool
from aiocos.net.limiter import ConcurrencyState
from aiocos.net.retry import RETRYABLE, RetryBudget, retry_call
from aiocos.net.streamed_response import StreamedResponse
from aiocos.net.transport import Transport
from aiocos.operations.buckets import HeadBucket
from aiocos.operations.shared import WriteResult
from aiocos.response_errors import refusal, resource_of
from aiocos.wire import digest
from aiocos.wire.address import Endpoint, shows
from aiocos.wire.bind import to_request
from aiocos.wire.failure import error_code
from aiocos.wire.message import PreparedRequest, Request, Response, encode_query
from aiocos.wire.redaction import scrub, secrets_of
from aiocos.wire.retry_after import http_date
from aiocos.wire.spec import Operation, Result
from aiocos.wire.strict import read_answer
from aiocos.write_check import CHECKS, is_usual

R = TypeVar("R", bound=Result)
T = TypeVar("T")
A = TypeVar("A", Response, StreamedResponse)
O = TypeVar("O", bound=Operation[Any])  # noqa: E741 - an operation

Once: TypeAlias = Callable[[O, PreparedRequest, float | None], Awaitable[T]]
"""One attempt at an operation, within a deadline."""

_log = logging.getLogger("aiocos.call")

_INSTANCE = "ibm-service-instance-id"
_CUSTOMER_KEY = "server-side-encryption-customer-key"
_ALGORITHMS: dict[str, digest.Algorithm] = {"CRC32": "crc32", "SHA256": "sha256"}
# Seconds for which a bucket counts as one under Key Protect without being asked again.
_PROTECTED_FOR = 300.0


@dataclass(frozen=True, slots=True)
class CallResult(Generic[T]):
    """What came of a call, with what its answer said besides, and how many attempts it took."""

    result: T
    status: int
    headers: Mapping[str, str]
    attempts: int


class Engine:
    """Carries operations out for one client."""

    def __init__(
        self,
        endpoint: Endpoint,
        authorizer: Authorizer,
        transport: Transport,
        config: ClientConfig,
        service_instance_id: Callable[[], str | None],
        presigner: Callable[[], Presigner],
    ) -> None:
        self.endpoint = endpoint
        self.config = config
        self.budget = RetryBudget(config.retry)
        self._authorizer = authorizer
        self._transport = transport
        self._instance = service_instance_id
        self._presigner = presigner
        self._protected: dict[str, float] = {}
        # What is sent can be read on the way: a customer's key is not.
        self._shows = shows(endpoint.origin)

    # Functions that only pass a coroutine on are no coroutines themselves: a small call is made of few enough to notice.

    def call(self, operation: Operation[R]) -> Coroutine[Any, Any, R]:
        """Send an operation and return its result. Raises the errors of `aiocos.errors`."""
        return self._live(operation, self._result)

    def open(self, operation: Operation[Any]) -> Coroutine[Any, Any, StreamedResponse]:
        """Send an operation and return its answer as soon as it has begun; its status is a success."""
        return self._live(operation, self._begun)

    async def answer(self, operation: Operation[R]) -> CallResult[R]:
        """Send an operation as `call` does; for callers who want to see the status and the headers too."""
        once = _Counted(self._answered)
        result, response = await self._live(operation, once)
        return CallResult(result, response.status, response.headers, once.attempts)

    async def begin(self, operation: Operation[Any]) -> CallResult[StreamedResponse]:
        """Send an operation as `open` does, with the same."""
        once = _Counted(self._begun)
        exchange = await self._live(operation, once)
        return CallResult(exchange, exchange.status, exchange.headers, once.attempts)

    def _live(self, operation: O, once: Once[O, T]) -> Coroutine[Any, Any, T]:
        """Prepare an operation and attempt it until it succeeds or should not be tried again, within its deadline."""
        if operation.timeout is None:
            return self._persist(operation, once, None)
        return self._in_time(operation, once, operation.timeout)

    async def _in_time(self, operation: O, once: Once[O, T], timeout: float) -> T:
        deadline = asyncio.get_running_loop().time() + timeout
        clock = asyncio.timeout_at(deadline)
        try:
            async with clock:
                return await self._persist(operation, once, deadline)
        except TimeoutError as error:
            if isinstance(error, RequestTimeoutError) or not clock.expired():
                raise
            what = f"{operation.spec.name} {resource_of(operation)}".strip()
            raise RequestTimeoutError(f"{what}: not done within {timeout:g} s", sent=True) from error

    async def _persist(self, operation: O, once: Once[O, T], deadline: float | None) -> T:
        outgoing = await self.prepare(operation)
        if self._shows:
            self._refuse_customer_key(outgoing)
        try:
            done = await once(operation, outgoing, deadline)
        except RETRYABLE as error:
            done = await retry_call(
                lambda: once(operation, outgoing, deadline),
                config=self.config.retry,
                budget=self.budget,
                repeatable=is_idempotent(operation),
                deadline=deadline,
                on_retry=_Noted(operation),
                failed=error,
            )
        else:
            self.budget.refund()
        if (check := CHECKS.get(type(operation))) is not None and self.config.verify_writes:
            # Not within the attempts: a service that has stored something else is not mended by asking again.
            result = _result_in(done)
            if result is not None and not (isinstance(result, WriteResult) and is_usual(outgoing.headers, result)):
                await check(self, operation, outgoing, result)
        return done

    async def has_md5_etags(self, bucket: str, expected_bucket_owner: str | None = None) -> bool:
        """Tell whether the ETags of a bucket are taken for MD5s: False where HEAD says that it is under Key Protect.

        For use where an ETag disagrees; an answer of "under Key Protect" is remembered for five minutes. True where the bucket
        cannot be asked.
        """
        now = time.monotonic()
        if self._protected.get(bucket, 0.0) > now:
            return False
        try:
            info = await self.call(HeadBucket(bucket, expected_bucket_owner=expected_bucket_owner))
        except CosError:
            return True
        if not info.kp_enabled:
            return True
        if len(self._protected) >= 1_000:
            self._protected.clear()
        self._protected[bucket] = now + _PROTECTED_FOR
        return False

    async def prepare(self, operation: Operation[Any]) -> PreparedRequest:
        """Bind, digest and address an operation: everything of a request but the authorization."""
        request = to_request(operation)
        headers, body = cast("dict[str, str]", request.headers), request.body
        if operation.spec.names_instance and _INSTANCE not in headers and (instance := self._instance()):
            headers[_INSTANCE] = instance
        if body is not None and operation.spec.has_payload and (algorithm := self._missing(headers)):
            small = len(body) <= INLINE
            value = digest.digest(algorithm, body) if small else await run_in_hash_pool(digest.digest, algorithm, body)
            headers[digest.HEADERS[algorithm]] = digest.encode(value)
        return self.address(request, headers)

    def address(self, request: Request, headers: dict[str, str]) -> PreparedRequest:
        """Give a request its place: origin, path and query as they will stand on the wire."""
        origin, path = self.endpoint.locate(request.bucket, request.key, self.config.addressing)
        query = encode_query(request.query) if request.query else ""
        return PreparedRequest(request.method, origin, path, query, headers, request.body)

    def _missing(self, headers: dict[str, str]) -> digest.Algorithm | None:
        """The checksum that a body still needs; None if it has one."""
        for name in headers:
            if name == "Content-MD5" or name.startswith("x-amz-checksum-"):
                return None
        # A service refuses the announcement of a checksum that is not there.
        announced = headers.get("x-amz-sdk-checksum-algorithm")
        algorithm = _ALGORITHMS.get(announced) if announced else self.config.checksum
        if algorithm is None:
            raise ConfigError(f"a {announced} checksum is announced and not given, and cannot be computed here")
        return algorithm

    def _refuse_customer_key(self, outgoing: PreparedRequest) -> None:
        """Raise `ConfigError` where a customer's key would travel over plain http to another machine."""
        names = [*outgoing.headers, *(part.partition("=")[0] for part in outgoing.query.split("&"))]
        # Its MD5 is no secret.
        if any(name.lower().endswith(_CUSTOMER_KEY) for name in names):
            raise ConfigError(
                f"a customer's key (SSE-C) is not sent to {self.endpoint.origin}: plain http would show it to the network; "
                "use https"
            )

    async def _result(self, operation: Operation[R], outgoing: PreparedRequest, deadline: float | None) -> R:
        """One attempt, its answer read and decoded."""
        response = await self._response(operation, outgoing, deadline)
        if len(response.body) <= INLINE:
            return self._decode(operation, outgoing, response)
        return await self._decode_large(operation, outgoing, response)

    async def _answered(self, operation: Operation[R], outgoing: PreparedRequest, deadline: float | None) -> tuple[R, Response]:
        """The same, with the answer."""
        response = await self._response(operation, outgoing, deadline)
        if len(response.body) <= INLINE:
            return self._decode(operation, outgoing, response), response
        return await self._decode_large(operation, outgoing, response), response

    async def _response(self, operation: Operation[Any], outgoing: PreparedRequest, deadline: float | None) -> Response:
        """One attempt, its answer read."""
        try:
            await self._authorizer.authorize(outgoing)
            response = await self._transport.send(outgoing, deadline=deadline)
            if response.status in (401, 403) and self._can_go_better(outgoing, response):
                response = await self._once_more(outgoing, lambda: self._transport.send(outgoing, deadline=deadline))
        except CosError as error:
            scrub(error, self._secrets(outgoing))
            raise
        if response.status >= 300:
            raise await self._refused(response, operation, outgoing)
        return response

    async def _begun(self, operation: Operation[Any], outgoing: PreparedRequest, deadline: float | None) -> StreamedResponse:
        """One attempt, its answer left to be read."""
        try:
            await self._authorizer.authorize(outgoing)
            exchange = await self._transport.open(outgoing, deadline=deadline)
            if exchange.status in (401, 403):
                response = await _whole(exchange)
                if not self._can_go_better(outgoing, response):
                    raise await self._refused(response, operation, outgoing)
                exchange = await self._once_more(outgoing, lambda: self._transport.open(outgoing, deadline=deadline))
            if exchange.status >= 300:
                raise await self._refused(await _whole(exchange), operation, outgoing)
        except CosError as error:
            scrub(error, self._secrets(outgoing))
            raise
        return exchange

    def _can_go_better(self, outgoing: PreparedRequest, response: Response) -> bool:
        """Tell whether a request that was refused, 401 or 403, is sent once more.

        The token had been revoked or had expired by another clock: it was dropped, and the next is asked for. Or the
        signature was made by a clock that is wrong.
        """
        date = http_date(response.headers.get("Date"))
        return self._authorizer.rejected(outgoing, response.status, date, error_code(response))

    async def _once_more(self, outgoing: PreparedRequest, send: Callable[[], Awaitable[A]]) -> A:
        status = 0
        try:
            await self._authorizer.authorize(outgoing)
            answer = await send()
            status = answer.status
            return answer
        finally:
            self._authorizer.settled(outgoing, status)

    def _secrets(self, outgoing: PreparedRequest) -> set[str]:
        """What a server must not bring into a message: what the request carries, and what stands behind that."""
        return secrets_of(outgoing).union(self._authorizer.secrets(), self._transport.secrets)

    async def _refused(self, response: Response, operation: Operation[Any], outgoing: PreparedRequest) -> CosError:
        """Build the exception for a response that is not 2xx; a large body is parsed in a thread."""
        secrets = self._secrets(outgoing)
        if len(response.body) <= INLINE:
            return refusal(response, operation, outgoing, secrets)
        return await run_in_hash_pool(refusal, response, operation, outgoing, secrets)

    def _decode(self, operation: Operation[R], outgoing: PreparedRequest, response: Response) -> R:
        try:
            return read_answer(operation, response)
        except (ServiceError, ProtocolError) as error:
            raise self._explained(error, operation, outgoing) from error.__cause__

    async def _decode_large(self, operation: Operation[R], outgoing: PreparedRequest, response: Response) -> R:
        """Parse in a thread: 10 MB take some thirty milliseconds, in which nothing else would move."""
        try:
            return await run_in_hash_pool(read_answer, operation, response)
        except (ServiceError, ProtocolError) as error:
            raise self._explained(error, operation, outgoing) from error.__cause__

    def _explained(self, error: CosError, operation: Operation[Any], outgoing: PreparedRequest) -> CosError:
        """Say in the error of a 200 which operation it was, and take secrets out of it."""
        scrub(error, self._secrets(outgoing))
        name, resource = operation.spec.name, resource_of(operation)
        if isinstance(error, ServiceError):
            error.operation, error.resource = name, resource
            return error
        return ProtocolError(f"{' '.join(filter(None, (name, resource)))}: {error}")

    @property
    def concurrency(self) -> ConcurrencyState:
        """How many requests are in flight, and may be, in the running loop."""
        return self._transport.concurrency

    @property
    def connections(self) -> object:
        """What has the connections of the running loop: another object after `close`, None until the next request."""
        return self._transport.connections

    def presign(self, request: Request, headers: dict[str, str], expires: int, *, strict: bool = True) -> str:
        """Return the URL of a request with a signature in it, valid for `expires` seconds. Makes no request.

        Raises `ConfigError` where whoever uses the URL would send a customer's key over plain http to another machine.
        `strict` refuses times that the service does not take; False signs them all the same.
        """
        outgoing = self.address(request, headers)
        if self._shows:
            self._refuse_customer_key(outgoing)
        return self._presigner().presign(outgoing, expires=expires, strict=strict)

    async def close(self) -> None:
        """Close the connections of the running loop. The engine can be used again."""
        try:
            await self._authorizer.close()
        finally:
            await self._transport.close()


def _result_in(done: Any) -> Result | None:
    """The result of a call, alone or with the response it came in; None of an answer that is left to be read."""
    result: Any = cast("Any", done)[0] if isinstance(done, tuple) else done
    return result if isinstance(result, Result) else None


def is_idempotent(operation: Operation[Any]) -> bool:
    """Tell whether an operation may be sent twice: a conditional write may not, its second try would meet its first."""
    statement = operation.spec
    if statement.method != "PUT" or not statement.idempotent:
        return statement.idempotent
    given = [getattr(operation, name, None) for name in ("if_match", "if_none_match", "if_unmodified_since")]
    return given == [None, None, None] and not getattr(operation, "forbid_overwrite", None)


async def _whole(exchange: StreamedResponse) -> Response:
    with exchange:
        return Response(exchange.status, exchange.headers, await exchange.read())


class _Counted(Generic[O, T]):
    """Counts the attempts at an operation."""

    __slots__ = ("_once", "attempts")

    def __init__(self, once: Once[O, T]) -> None:
        self._once = once
        self.attempts = 0

    def __call__(self, operation: O, outgoing: PreparedRequest, deadline: float | None) -> Awaitable[T]:
        self.attempts += 1
        return self._once(operation, outgoing, deadline)


class _Noted:
    """Logs a retry."""

    __slots__ = ("_operation",)

    def __init__(self, operation: Operation[Any]) -> None:
        self._operation = operation

    def __call__(self, error: CosError, attempt: int, delay: float) -> None:
        sent = "" if not isinstance(error, TransportError) else " (sent)" if error.sent else " (not sent)"
        _log.info("%s: attempt %d failed%s, again in %.2f s: %s", self._operation, attempt, sent, delay, error)

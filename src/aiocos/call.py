"""The life of one call, top to bottom. Read this file first.

    bind → checksum → address → { authorize → send → raise or decode → retry? } → check the write

Every operation of the library goes through `Engine.call`, which returns the decoded result, or `Engine.open`, which returns a
response whose body is still to be read. Both run the same three steps:

* `prepare` turns an operation into a request: bind its parameters, add a checksum of the body, choose the address.
* `_attempt` sends the request once and returns the response, or raises the error that the response or the network gives.
* `_send` makes the first attempt, and `_retry` further ones by `net.retry.retry_call`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, cast

from aiocos.auth.base import Authorizer, Presigner
from aiocos.body_checksum import BodyChecksum, BodyChecksums, is_returned, may_be_refusal
from aiocos.config import ClientConfig
from aiocos.errors import CosError, ProtocolError, RequestTimeoutError, ServiceError, TransportError
from aiocos.key_protect import KeyProtectBuckets
from aiocos.net.hashing import INLINE, hash_body, run_in_hash_pool
from aiocos.net.limiter import ConcurrencyState
from aiocos.net.retry import RETRYABLE, RetryBudget, retry_call
from aiocos.net.streamed_response import StreamedResponse
from aiocos.net.transport import Transport
from aiocos.response_errors import error_for, resource_of
from aiocos.wire import checksum
from aiocos.wire.address import Endpoint, is_exposed, refuse_customer_key
from aiocos.wire.bind import to_request
from aiocos.wire.failure import error_code
from aiocos.wire.message import PreparedRequest, Request, Response, encode_query
from aiocos.wire.redaction import scrub, secrets_of
from aiocos.wire.retry_after import http_date
from aiocos.wire.spec import Operation, Result
from aiocos.wire.strict import read_response
from aiocos.write_check import CHECKS, check_write, evidence_of

R = TypeVar("R", bound=Result)
T = TypeVar("T")

_Send: TypeAlias = Callable[..., Coroutine[Any, Any, Response | StreamedResponse]]
_Sent: TypeAlias = tuple[Any, Response | StreamedResponse, int]
"""The result, the response that it was decoded from, and the number of attempts."""

_log = logging.getLogger("aiocos.call")

_INSTANCE = "ibm-service-instance-id"


@dataclass(frozen=True, slots=True)
class CallResult(Generic[T]):
    """The result of a call with its response's status and headers."""

    result: T
    """The decoded result of `Engine.call_with_response`, or the open response of `Engine.open_with_response`."""
    status: int
    """The HTTP status of the last response."""
    headers: Mapping[str, str]
    """The headers of the last response."""
    attempts: int
    """The number of attempts made, 1 if the first one succeeded."""


class Engine:
    """Sends operations for one client.

    Args:
        endpoint: The service's endpoint.
        authorizer: Adds credentials to each request.
        transport: Sends requests and limits how many are in flight.
        config: The settings of the client.
        service_instance_id: Returns the id of the service instance that listings and creations of buckets name, or None.
        presigner: Returns the object that signs URLs; called by `presign`.
    """

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
        self.checksums = BodyChecksums(config.checksum, endpoint.origin)
        self._authorizer = authorizer
        self._transport = transport
        self._instance_id = service_instance_id
        self._presigner = presigner
        self._key_protect = KeyProtectBuckets()
        # True if others on the network can read requests (plain http to another machine): keys are not sent then.
        self._is_exposed = is_exposed(endpoint.origin)

    # -- sending an operation --------------------------------------------------------------------------------------

    async def call(self, operation: Operation[R]) -> R:
        """Send an operation and return its result.

        Raises the exceptions of `aiocos.errors`.
        """
        return (await self._run(operation, stream=False))[0]

    async def write(self, operation: Operation[R], known: BodyChecksum) -> R:
        """Send an object or a part, and return its result.

        `known` is its checksum, computed already. It receives the checksum that was sent, and what the service confirmed.
        Raises the exceptions of `aiocos.errors`.
        """
        return (await self._send(operation, False, None, known))[0]

    async def open(self, operation: Operation[Any]) -> StreamedResponse:
        """Send an operation and return its 2xx response when the headers have arrived.

        The caller reads or closes the response. Raises the exceptions of `aiocos.errors`.
        """
        return (await self._run(operation, stream=True))[0]

    async def call_with_response(self, operation: Operation[R]) -> CallResult[R]:
        """Send an operation like `call`, and return status and headers as well."""
        result, response, attempts = await self._run(operation, stream=False)
        return CallResult(result, response.status, response.headers, attempts)

    async def open_with_response(self, operation: Operation[Any]) -> CallResult[StreamedResponse]:
        """Send an operation like `open`, and return the number of attempts as well."""
        result, response, attempts = await self._run(operation, stream=True)
        return CallResult(result, response.status, response.headers, attempts)

    # -- the deadline, the attempts -------------------------------------------------------------------------------

    # Not a coroutine: it only passes one on, and each further coroutine shows in the time of a small call.
    def _run(self, operation: Operation[Any], *, stream: bool) -> Coroutine[Any, Any, _Sent]:
        """Send an operation, within its timeout if it has one.

        With `stream`, the body is left to the caller, and the result is the response itself.
        """
        if operation.timeout is None:
            return self._send(operation, stream, None)
        return self._send_within(operation, stream, operation.timeout)

    async def _send_within(self, operation: Operation[Any], stream: bool, timeout: float) -> _Sent:
        deadline = asyncio.get_running_loop().time() + timeout
        timer = asyncio.timeout_at(deadline)
        try:
            async with timer:
                return await self._send(operation, stream, deadline)
        except TimeoutError as error:
            if isinstance(error, RequestTimeoutError) or not timer.expired():
                raise
            name = f"{operation.spec.name} {resource_of(operation)}".strip()
            raise RequestTimeoutError(f"{name}: not done within {timeout:g} s", sent=True) from error

    async def _send(
        self, operation: Operation[Any], stream: bool, deadline: float | None, known: BodyChecksum | None = None
    ) -> _Sent:
        """Prepare an operation, attempt and retry it, and check what was written."""
        request = await self.prepare(operation, known)
        if self._is_exposed:
            refuse_customer_key(request)
        try:
            try:
                sent = await self._attempt(operation, request, stream, deadline)
                self.budget.refund()
            except RETRYABLE as error:
                sent = await self._retry(operation, request, stream, deadline, error)
        except ServiceError as error:
            if not request.is_replaceable or not may_be_refusal(error):
                raise
            refused, request = request.checksum, await self._prepare_with_md5(operation, request, known)
            sent = await self._retry(operation, request, stream, deadline, None)
            self.checksums.fall_back(f"refuses the checksum {refused}")
        if operation.spec.name in CHECKS and not stream:
            result = sent[0]
            if request.is_replaceable and request.body and not is_returned(request, result):
                self.checksums.fall_back("does not return the checksum of a body")
            evidence = evidence_of(operation, request, result)
            if self.config.verify_writes and evidence is None:
                # Outside the attempts: a service that stored other bytes would most likely do so again.
                evidence = await check_write(self, operation, request, result)
            if known is not None:
                known.evidence = evidence
        return sent

    async def _retry(
        self, operation: Operation[Any], request: PreparedRequest, stream: bool, deadline: float | None, error: CosError | None
    ) -> _Sent:
        """Make further attempts after one that failed with `error`, if any."""
        attempts = 1

        def on_retry(error: CosError, attempt: int, delay: float) -> None:
            nonlocal attempts
            attempts = attempt + 1
            sent = "" if not isinstance(error, TransportError) else " (sent)" if error.sent else " (not sent)"
            _log.info("%s: attempt %d failed%s, again in %.2f s: %s", operation, attempt, sent, delay, error)

        result, response, _ = await retry_call(
            lambda: self._attempt(operation, request, stream, deadline),
            config=self.config.retry,
            budget=self.budget,
            idempotent=is_idempotent(operation),
            deadline=deadline,
            on_retry=on_retry,
            first_error=error,
        )
        return result, response, attempts

    async def _attempt(
        self, operation: Operation[Any], request: PreparedRequest, stream: bool, deadline: float | None
    ) -> _Sent:
        """Send a request once, and raise the error of a response that is not 2xx."""
        send: _Send = self._transport.open if stream else self._transport.send
        try:
            await self._authorizer.authorize(request)
            response: Any = await send(request, deadline=deadline)
            if response.status in (401, 403):
                response = await _read(response)
                if self._has_new_credentials(request, response):
                    response = await self._send_again(send, request, deadline)
            if response.status >= 300:
                raise await self._error_for(operation, request, await _read(response))
        except CosError as error:
            scrub(error, self._secrets(request))
            raise
        if stream:
            return response, response, 1
        try:
            if len(response.body) <= INLINE:
                return read_response(operation, response), response, 1
            # Parsing 10 MB takes some thirty milliseconds; in the loop's thread nothing else would run meanwhile.
            return await run_in_hash_pool(read_response, operation, response), response, 1
        except (ServiceError, ProtocolError) as error:
            # A 200 may carry an <Error>, or a document that does not belong to this operation.
            raise self._name_operation(error, operation, request) from error.__cause__

    def _has_new_credentials(self, request: PreparedRequest, response: Response) -> bool:
        """Return True if a request refused with 401 or 403 should be sent again.

        Either its token was revoked or had expired by the service's clock: the token has been dropped, and the next request
        fetches another. Or its signature was dated by a wrong clock, which has been set by the response.
        """
        date = http_date(response.headers.get("Date"))
        return self._authorizer.rejected(request, response.status, date, error_code(response))

    async def _send_again(self, send: _Send, request: PreparedRequest, deadline: float | None) -> Response | StreamedResponse:
        """Send a request with new credentials.

        The authorizer gets the status of the response, or 0 if there was none.
        """
        status = 0
        try:
            await self._authorizer.authorize(request)
            response = await send(request, deadline=deadline)
            status = response.status
            return response
        finally:
            self._authorizer.settled(request, status)

    async def _error_for(self, operation: Operation[Any], request: PreparedRequest, response: Response) -> CosError:
        """Build the exception for a response that is not 2xx, in a thread if large."""
        secrets = self._secrets(request)
        if len(response.body) <= INLINE:
            return error_for(response, operation, request, secrets)
        return await run_in_hash_pool(error_for, response, operation, request, secrets)

    def _name_operation(self, error: CosError, operation: Operation[Any], request: PreparedRequest) -> CosError:
        """Add the operation's name to the error of a 2xx response, and remove secrets."""
        scrub(error, self._secrets(request))
        name, resource = operation.spec.name, resource_of(operation)
        if isinstance(error, ServiceError):
            error.operation, error.resource = name, resource
            return error
        return ProtocolError(f"{' '.join(filter(None, (name, resource)))}: {error}")

    def _secrets(self, request: PreparedRequest) -> set[str]:
        """Return the secrets of the request, of the credentials and of the proxy."""
        return secrets_of(request).union(self._authorizer.secrets(), self._transport.secrets)

    # -- from an operation to a request ---------------------------------------------------------------------------

    async def prepare(self, operation: Operation[Any], known: BodyChecksum | None = None) -> PreparedRequest:
        """Return the request of an operation, complete except for the authorization.

        `known` is the checksum of its body, if that is computed already.
        """
        request = to_request(operation)
        headers, body = cast("dict[str, str]", request.headers), request.body
        if operation.spec.names_instance and _INSTANCE not in headers and (instance := self._instance_id()):
            headers[_INSTANCE] = instance
        prepared = self.address(request, headers)
        if body is not None and operation.spec.has_payload and (algorithm := self.checksums.missing(headers)):
            if known is not None and (algorithm := self.checksums.chosen(known)) == known.algorithm:
                value = known.value
            else:
                small = len(body) <= INLINE
                value = checksum.compute(algorithm, body) if small else await hash_body(algorithm, body)
            self.checksums.add(prepared, algorithm, value, known)
        return prepared

    async def _prepare_with_md5(
        self, operation: Operation[Any], refused: PreparedRequest, known: BodyChecksum | None
    ) -> PreparedRequest:
        """Prepare a request again whose checksum may have been refused."""
        known = known or BodyChecksum("md5", b"", is_automatic=False)
        known.algorithm, known.value = "md5", await hash_body("md5", refused.body or b"")
        return await self.prepare(operation, known)

    def address(self, request: Request, headers: dict[str, str]) -> PreparedRequest:
        """Return a request with its address and these headers.

        Origin, path and query are as they are sent.
        """
        origin, path = self.endpoint.locate(request.bucket, request.key, self.config.addressing)
        query = encode_query(request.query) if request.query else ""
        return PreparedRequest(request.method, origin, path, query, headers, request.body)

    def presign(self, request: Request, headers: dict[str, str], expires: int, *, strict: bool = True) -> str:
        """Return the URL of a request, signed in its query. Sends nothing.

        Args:
            request: The request that the URL makes.
            headers: Headers that are part of the signature; the URL's user sends them.
            expires: Seconds for which the URL is valid.
            strict: Refuse an `expires` that the service does not accept. False signs the URL all the same.

        Raises:
            ConfigError: The user of the URL would send a customer's key over plain http to another machine, or `expires` is
                out of range.
        """
        prepared = self.address(request, headers)
        if self._is_exposed:
            refuse_customer_key(prepared)
        return self._presigner().presign(prepared, expires=expires, strict=strict)

    # -- state ----------------------------------------------------------------------------------------------------

    async def has_md5_etags(self, bucket: str, expected_bucket_owner: str | None = None) -> bool:
        """Return False if a bucket is under Key Protect, where ETags may not be MD5s.

        For use when an ETag differs from the MD5 of the bytes. True also if the HEAD fails. A bucket under Key Protect is
        remembered for five minutes.
        """
        if bucket in self._key_protect:
            return False
        from aiocos.operations.buckets import HeadBucket

        try:
            info = await self.call(HeadBucket(bucket, expected_bucket_owner=expected_bucket_owner))
        except CosError:
            return True
        if info.kp_enabled:
            self._key_protect.add(bucket)
        return not info.kp_enabled

    @property
    def concurrency(self) -> ConcurrencyState:
        """The requests in flight in the running loop, and their limit."""
        return self._transport.concurrency

    @property
    def connections(self) -> object:
        """The owner of the running loop's connections.

        None before the first request and after `close`. After `close`, the next request creates another object: compare by
        identity to see whether the client was closed.
        """
        return self._transport.connections

    async def close(self) -> None:
        """Close the connections of the running loop. The engine can be used again."""
        try:
            await self._authorizer.close()
        finally:
            await self._transport.close()


def is_idempotent(operation: Operation[Any]) -> bool:
    """Return True if an operation may be sent twice.

    A conditional PUT may not: a repeated one could fail because the first one had succeeded.
    """
    spec = operation.spec
    if spec.method != "PUT" or not spec.idempotent:
        return spec.idempotent
    conditions = [getattr(operation, name, None) for name in ("if_match", "if_none_match", "if_unmodified_since")]
    return conditions == [None, None, None] and not getattr(operation, "forbid_overwrite", None)


async def _read(response: Response | StreamedResponse) -> Response:
    """Return a response with its body, which is read if it was not."""
    if isinstance(response, Response):
        return response
    with response:
        return Response(response.status, response.headers, await response.read())

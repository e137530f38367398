"""The life of a request in the emulator: read it, find out who asks, route, let in, bind, handle, answer.

Everything a handler needs has been parsed here by the operation's own statement. Whatever goes wrong on the way is the
service's error document; what is no `ServiceError` is a defect, logged, and answered 500.
"""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from aiohttp import web

from aiocos.emulator import cors, faults, handlers, public
from aiocos.emulator.body import Incoming
from aiocos.emulator.checksums import HEADERS
from aiocos.emulator.clock import Clock
from aiocos.emulator.context import Behavior, Context, Handler, Reply, denied, failure, is_bearer, no_bucket
from aiocos.emulator.context import handlers as registry
from aiocos.emulator.faults import Fault, Faults, Subject
from aiocos.emulator.handlers.holds import refuse_ambiguous
from aiocos.emulator.handlers.retention import is_protected
from aiocos.emulator.iam import PATHS, Iam
from aiocos.emulator.lifecycle import Lifecycle
from aiocos.emulator.locking import is_locked
from aiocos.emulator.pieces import read_small
from aiocos.emulator.replication import Replication
from aiocos.emulator.request import read, split_target, virtual
from aiocos.emulator.response import send, send_json
from aiocos.emulator.signature import HeadersNotSigned, SignedRequest, VerifiedSignature, verify
from aiocos.emulator.store import Instance, Key, Store, buckets
from aiocos.errors import InvalidRequest, OperationNotSupported, ServiceError, Unauthorized
from aiocos.operations.listing import Page
from aiocos.wire.bind import from_request, to_response
from aiocos.wire.document import XmlError, unrepresentable
from aiocos.wire.failure import write_error
from aiocos.wire.message import Request, Response
from aiocos.wire.route import route
from aiocos.wire.spec import Body, Header, Operation

__all__ = ["EmulatorService", "HandledRequest", "handlers"]

log = logging.getLogger("aiocos.emulator")

MAX_KEY = 1024
INLINE = 256 * 1024  # bytes of a document that are parsed at once


@dataclass(slots=True)
class HandledRequest:
    """A request that came, and what became of it. `status` is 0 while it runs and where no answer was sent."""

    operation: str
    method: str
    bucket: str | None
    key: str | None
    at: datetime
    request_id: str
    status: int = 0
    code: str = ""


class Dropped(Exception):
    """A fault has broken the connection."""


class EmulatorService:
    """Answers requests from a store."""

    def __init__(
        self, store: Store, clock: Clock, iam: Iam, scripted: Faults, requests: "deque[HandledRequest]", behavior: Behavior
    ) -> None:
        self._store = store
        self._clock = clock
        self._iam = iam
        self._faults = scripted
        self._requests = requests
        self._behavior = behavior
        self._lifecycle = Lifecycle(store, clock, lambda o, now: is_protected(o, now) or is_locked(o, now))
        self._replication = Replication(store, clock)
        self.endpoint = ""
        self.know(store.instances, store.keys)

    def know(self, instances: Sequence[Instance], keys: Sequence[Key]) -> None:
        """Take note of the instances there are, and of their users' credentials."""
        self.by_name = {name: i for i in instances for name in (i.crn, i.guid)}
        self._by_api_key = {key.api_key: key for key in keys}
        self._by_access_key = {key.access_key_id: key for key in keys}

    async def run_due(self) -> None:
        """Do what is due by the clock: expiry, the end of stale uploads, replications tried again."""
        try:
            await self._lifecycle.run_due()
            await self._replication.run_due()
        except ServiceError as error:
            if error.code != "InsufficientStorage":
                raise
            # It stays due. Reads must not fail because the disk is full.
            log.warning("what is due by the clock could not be done: %s", error.message)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request."""
        path, query = split_target(request.raw_path)
        request_id = str(uuid.uuid4())
        served = HandledRequest("", request.method, None, None, self._clock.now(), request_id)
        self._requests.append(served)
        bucket = virtual(request.headers.get("Host", ""))
        try:
            if request.method == "OPTIONS":
                return await self._preflight(request, served, bucket, path, query)
            if request.method == "POST" and path in PATHS and not query and bucket is None:
                return await self._token(request, served)
            return await self._serve(request, served, bucket, path, query)
        except (Dropped, ConnectionError):
            # Broken by a fault, or the client has gone: there is nobody to answer. What is returned finds a closed connection.
            faults.reset(request.transport)
            return web.Response()

    async def _serve(
        self, request: web.BaseRequest, served: HandledRequest, bucket: str | None, path: str, query: str
    ) -> web.StreamResponse:
        extra = {"Date": format_datetime(self._clock.now(), usegmt=True)}
        struck: Sequence[Fault] = ()
        try:
            wire = read(request, bucket, path, query)
            served.bucket, served.key = wire.bucket, wire.key
            extra.update(self._crossing(request, wire.bucket))
            refuse_ambiguous(wire)
            cls = route(wire)
            served.operation = cls.spec.name
            struck = await self._strike(Subject(served.operation, wire.method, wire.bucket, wire.key))
            late = next((f for f in struck if isinstance(f, faults.LateError)), None)
            if late is not None and not late.applied:
                reply, response = None, _late(late, served, wire)
            else:
                reply, response = await self._handle(request, wire, cls, path, query, struck, extra)
                if late is not None:
                    reply, response = None, _late(late, served, wire)
        except ServiceError as error:
            served.code = error.code
            error.resource = error.resource or _resource(served.bucket, served.key)
            reply, response = None, _refusal(error, served.request_id)
        except OverflowError as error:
            # A number or a time that the request has is beyond what can be computed with or stored.
            served.code = "InvalidArgument"
            refused = failure("InvalidArgument", f"A value of the request is out of range: {error}")
            reply, response = None, write_error(refused, served.request_id)
        except XmlError as error:
            served.code = "InvalidArgument"
            refused = failure("InvalidArgument", f"{error}; ask for encoding-type=url")
            reply, response = None, write_error(refused, served.request_id)
        except (Dropped, ConnectionError):
            raise
        except Exception:
            log.exception("%s of %s failed", served.operation, _resource(served.bucket, served.key))
            served.code = "InternalError"
            refused = failure("InternalError", "We encountered an internal error. Please try again.", 500)
            reply, response = None, write_error(refused, served.request_id)
        if any(isinstance(f, faults.Reset) and f.lost_answer for f in struck):
            raise Dropped
        served.status = response.status
        content = reply.content if reply is not None else None
        return await send(request, response, extra, served.request_id, content, self._store, struck)

    async def _handle(
        self,
        request: web.BaseRequest,
        wire: Request,
        cls: type[Operation[Any]],
        path: str,
        query: str,
        struck: Sequence[Fault],
        extra: dict[str, str],
    ) -> tuple[Reply, Response]:
        handler = registry.get(cls)
        if handler is None:
            raise OperationNotSupported(f"{cls.__name__} is not served", status=501, code="NotImplemented")
        if wire.key is not None and len(wire.key.encode()) > MAX_KEY:
            raise failure("KeyTooLong", "Your key is too long.")
        key, signed = self._identify(request, path, query, struck)
        await self.run_due()
        incoming = Incoming(request, signed, self._store.blobs)
        for fault in struck:
            if isinstance(fault, faults.Reset):
                incoming.drop_after = fault.received
        ctx = Context(
            self._store, self._clock, key, self.by_name, wire, self.endpoint, incoming, extra,
            None if wire.bucket is None else buckets.find(self._store.point, wire.bucket), self._behavior,
        )  # fmt: skip
        _let_in(ctx, handler)
        if handler.integrity and not incoming.has_integrity():
            raise failure("InvalidRequest", "Missing required header for this request: Content-MD5 or x-amz-checksum-*")
        statement = cls.spec
        if statement.body is not None and isinstance(statement.body.location, Body):
            # Checksums that are parameters of the operation (completion) are the object's, not the document's.
            own = any(isinstance(p.location, Header) and p.location.name in HEADERS for p in statement.parameters)
            wire.body = await incoming.document(checksums_are_its=not own)
        # What is large is parsed in a thread: the loop has other requests.
        large = statement.body is not None and not statement.has_payload and len(wire.body or b"") > INLINE
        operation = await asyncio.to_thread(from_request, cls, wire) if large else from_request(cls, wire)
        expected = getattr(operation, "expected_bucket_owner", None)
        if expected is not None and ctx.found is not None and not self._is(ctx.found.instance, expected):
            raise denied()
        made = await handler.run(ctx, operation)
        reply = made if isinstance(made, Reply) else Reply(made)
        status = reply.status or statement.success_status
        if isinstance(reply.result, Page):
            # A thousand keys take ten milliseconds to write.
            return reply, await self._store.workers.run(to_response, reply.result, status)
        return reply, to_response(reply.result, status)

    async def _preflight(
        self, request: web.BaseRequest, served: HandledRequest, bucket: str | None, path: str, query: str
    ) -> web.StreamResponse:
        """Answer a browser that asks what a script may do. Nobody signs this."""
        served.operation = "OptionsObject"
        try:
            wire = read(request, bucket, path, query)
            served.bucket, served.key = wire.bucket, wire.key
            asked = cors.CorsRequest.preflight(request.headers)
            if asked is None:
                raise failure("InvalidRequest", "A preflight has an Origin and an Access-Control-Request-Method.")
            found = None if wire.bucket is None else buckets.find(self._store.point, wire.bucket)
            if found is None:
                raise no_bucket()
            rule = cors.rule_for(found, asked)
            if rule is None:
                raise failure("AccessDenied", "CORSResponse: This CORS request is not allowed.", 403)
            response = Response(200, cors.headers_for(rule, asked))
        except ServiceError as error:
            served.code = error.code
            error.resource = _resource(served.bucket, served.key)
            response = write_error(error, served.request_id)
        served.status = response.status
        return await send(request, response, {}, served.request_id, None, self._store, ())

    def _crossing(self, request: web.BaseRequest, name: str | None) -> dict[str, str]:
        """The headers that let a script of another site read the answer, also one that refuses it."""
        origin = request.headers.get("Origin")
        bucket = buckets.find(self._store.point, name) if origin and name is not None else None
        if not origin or bucket is None:
            return {}
        asked = cors.CorsRequest(origin, request.method)
        rule = cors.rule_for(bucket, asked)
        return {} if rule is None else cors.headers_for(rule, asked)

    def _identify(
        self, request: web.BaseRequest, path: str, query: str, struck: Sequence[Fault]
    ) -> tuple[Key | None, VerifiedSignature | None]:
        authorization = request.headers.get("Authorization", "")
        signed = verify(SignedRequest(request.method, path, query, request.headers), self._secret, self._clock.now())
        if is_bearer(authorization):
            _, _, token = authorization.partition(" ")
            if any(isinstance(f, faults.ExpireToken) for f in struck):
                self._iam.expire(token.strip())
                raise Unauthorized("The bearer token has expired.", status=401, code="ExpiredToken")
            return self._iam.key_of(token.strip()), None
        if signed is None:
            if authorization:
                raise failure("InvalidSecurity", "The provided security credentials are not valid.", 403)
            return None, None
        return self._by_access_key[signed.access_key_id], signed

    def _secret(self, access_key_id: str) -> str | None:
        found = self._by_access_key.get(access_key_id)
        return None if found is None else found.secret_access_key

    def _is(self, crn: str, expected: str) -> bool:
        # The account is the part of the CRN behind `a/`.
        owner = self.by_name.get(crn)
        return expected in (crn, owner.guid if owner else crn) or f":a/{expected}:" in crn

    async def _strike(self, subject: Subject) -> Sequence[Fault]:
        struck = self._faults.strike(subject)
        for fault in struck:
            if isinstance(fault, faults.Delay):
                await self._faults.delay(fault.seconds)
            elif isinstance(fault, faults.Status):
                error = failure(fault.code, fault.message, fault.status)
                error.retry_after = fault.retry_after
                raise error
            elif isinstance(fault, faults.Reset) and (fault.received, fault.sent, fault.lost_answer) == (None, None, False):
                raise Dropped
        return struck

    async def _token(self, request: web.BaseRequest, served: HandledRequest) -> web.StreamResponse:
        served.operation = "CreateToken"
        try:
            struck = await self._strike(Subject("CreateToken", "POST"))
        except ServiceError as error:
            served.status, served.code = error.status, error.code
            headers = {} if error.retry_after is None else {"Retry-After": str(int(error.retry_after))}
            return send_json(error.status, Iam.error(error.code or "BXNIM0000E", error.message), headers)
        try:
            body = await read_small(request)
        except InvalidRequest as error:
            served.status, served.code = error.status, error.code
            return send_json(error.status, Iam.error("BXNIM0109E", error.message), {})
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        served.status, answer = self._iam.answer(form, dict(request.headers), self._by_api_key)
        spoil = next((fault for fault in struck if isinstance(fault, faults.BadToken)), None)
        if spoil is not None and served.status == 200:
            return send_json(200, _spoiled(answer, spoil), {})
        if any(isinstance(f, faults.Reset) and f.lost_answer for f in struck):
            raise Dropped
        return send_json(served.status, answer, {})


def _let_in(ctx: Context, handler: Handler) -> None:
    need = handler.need
    if need == "none":
        return
    if need == "caller":
        if not ctx.has_role(handler.role):
            raise denied()
        return
    if ctx.found is None:
        raise no_bucket()
    if need == "read" or (ctx.is_owner and ctx.has_role(handler.role)):
        return
    acl = public.acl_of(ctx.found)
    if need == "list" and acl.startswith("public-read"):
        return
    if need == "write" and acl == "public-read-write":
        return
    raise denied()


def _resource(bucket: str | None, key: str | None) -> str:
    resource = "/" if bucket is None else f"/{bucket}/{key or ''}"
    return ascii(resource) if unrepresentable(resource) else resource


def _refusal(error: ServiceError, request_id: str) -> Response:
    response = write_error(error, request_id)
    if isinstance(error, HeadersNotSigned):
        named = f"</Message><HeadersNotSigned>{escape(', '.join(error.names))}</HeadersNotSigned>"
        response.body = bytes(response.body or b"").replace(b"</Message>", named.encode(), 1)
    return response


def _spoiled(body: dict[str, Any], fault: faults.BadToken) -> object:
    if fault.what == "expired":
        return {**body, "expiration": body["expiration"] - 2 * body["expires_in"]}
    return {**body, "access_token": ""} if fault.what == "empty" else ["this is no token"]


def _late(fault: faults.LateError, served: HandledRequest, wire: Request) -> Response:
    served.code = fault.code
    error = failure(fault.code, fault.message, 500)
    error.resource = _resource(wire.bucket, wire.key)
    response = write_error(error, served.request_id)
    response.status = 200
    return response

"""Process a request from parsing to its response.

The steps: parse, authenticate, route, authorize, bind, run the handler, respond.

The operation's spec parses everything that a handler needs. A `ServiceError` becomes the service's error document; any other
exception is a defect, which is logged and becomes a 500 response.
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

from aiocos.emulator import cors, faults, handlers, public_access
from aiocos.emulator.body import Incoming
from aiocos.emulator.checksums import HEADERS
from aiocos.emulator.clock import Clock
from aiocos.emulator.context import Behavior, Context, Handler, Reply, denied, failure, is_bearer, no_bucket
from aiocos.emulator.context import handlers as registry
from aiocos.emulator.faults import Fault, Faults, Subject
from aiocos.emulator.handlers.legal_holds import refuse_ambiguous
from aiocos.emulator.handlers.retention import is_protected
from aiocos.emulator.iam import PATHS, Iam
from aiocos.emulator.lifecycle import Lifecycle
from aiocos.emulator.locking import is_locked
from aiocos.emulator.receive import read_small
from aiocos.emulator.replication import Replication
from aiocos.emulator.request import bucket_of_host, read, split_target
from aiocos.emulator.response import send, send_json
from aiocos.emulator.signature import HeadersNotSigned, SignedRequest, VerifiedSignature, verify
from aiocos.emulator.store import Instance, Key, Store, buckets
from aiocos.errors import InvalidRequest, OperationNotSupported, ServiceError, Unauthorized
from aiocos.operations import every_operation
from aiocos.operations.listing import Page
from aiocos.wire.bind import from_request, to_response
from aiocos.wire.document import XmlError, unrepresentable
from aiocos.wire.failure import write_error
from aiocos.wire.message import Request, Response
from aiocos.wire.route import route
from aiocos.wire.spec import Body, Header, Operation

__all__ = ["EmulatorService", "HandledRequest", "handlers"]

# The router must know every operation.
every_operation()

log = logging.getLogger("aiocos.emulator")

MAX_KEY = 1024
INLINE = 256 * 1024  # larger documents (bytes) are parsed in a thread


@dataclass(slots=True)
class HandledRequest:
    """A record of a request and its response."""

    operation: str
    """Name of the operation class; empty until the request is routed."""
    method: str
    """HTTP method."""
    bucket: str | None
    """Name of the bucket; None if the request has none."""
    key: str | None
    """Key of the object; None if the request has none."""
    at: datetime
    """Time of arrival, by the emulator's clock."""
    request_id: str
    """Request id of the response."""
    status: int = 0
    """HTTP status of the response; 0 while the request runs and if no response was sent."""
    code: str = ""
    """Error code of the response; empty on success."""


class Dropped(Exception):
    """A fault broke the connection."""


class EmulatorService:
    """The S3 service of the emulator: handles requests on a store."""

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
        self.set_credentials(store.instances, store.keys)

    def set_credentials(self, instances: Sequence[Instance], keys: Sequence[Key]) -> None:
        """Replace the known instances and the credentials of their users."""
        self.by_name = {name: i for i in instances for name in (i.crn, i.guid)}
        self._by_api_key = {key.api_key: key for key in keys}
        self._by_access_key = {key.access_key_id: key for key in keys}

    async def run_due(self) -> None:
        """Run actions that are due by the clock.

        These are expiry, aborts of stale uploads, and retried replications.
        """
        try:
            await self._lifecycle.run_due()
            await self._replication.run_due()
        except ServiceError as error:
            if error.code != "InsufficientStorage":
                raise
            # The actions stay due. Reads must not fail because the disk is full.
            log.warning("lifecycle and replication could not run: %s", error.message)

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle one request and send the response."""
        path, query = split_target(request.raw_path)
        request_id = str(uuid.uuid4())
        served = HandledRequest("", request.method, None, None, self._clock.now(), request_id)
        self._requests.append(served)
        bucket = bucket_of_host(request.headers.get("Host", ""))
        try:
            if request.method == "OPTIONS":
                return await self._preflight(request, served, bucket, path, query)
            if request.method == "POST" and path in PATHS and not query and bucket is None:
                return await self._token(request, served)
            return await self._serve(request, served, bucket, path, query)
        except (Dropped, ConnectionError):
            # A fault broke the connection or the client closed it. The returned response cannot be sent any more.
            faults.reset(request.transport)
            return web.Response()

    async def _serve(
        self, request: web.BaseRequest, served: HandledRequest, bucket: str | None, path: str, query: str
    ) -> web.StreamResponse:
        extra = {"Date": format_datetime(self._clock.now(), usegmt=True)}
        matching: Sequence[Fault] = ()
        try:
            wire = read(request, bucket, path, query)
            served.bucket, served.key = wire.bucket, wire.key
            extra.update(self._cors_headers(request, wire.bucket))
            refuse_ambiguous(wire)
            cls = route(wire)
            served.operation = cls.spec.name
            matching = await self._apply_faults(Subject(served.operation, wire.method, wire.bucket, wire.key))
            late = next((f for f in matching if isinstance(f, faults.LateError)), None)
            if late is not None and not late.applied:
                reply, response = None, _late_error(late, served, wire)
            else:
                reply, response = await self._handle(request, wire, cls, path, query, matching, extra)
                if late is not None:
                    reply, response = None, _late_error(late, served, wire)
        except ServiceError as error:
            served.code = error.code
            error.resource = error.resource or _resource(served.bucket, served.key)
            reply, response = None, _refusal(error, served.request_id)
        except OverflowError as error:
            # A number or time of the request is too large to be computed with or stored.
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
        if any(isinstance(f, faults.Reset) and f.lost_answer for f in matching):
            raise Dropped
        served.status = response.status
        content = reply.content if reply is not None else None
        return await send(request, response, extra, served.request_id, content, self._store, matching)

    async def _handle(
        self,
        request: web.BaseRequest,
        wire: Request,
        cls: type[Operation[Any]],
        path: str,
        query: str,
        matching: Sequence[Fault],
        extra: dict[str, str],
    ) -> tuple[Reply, Response]:
        handler = registry.get(cls)
        if handler is None:
            raise OperationNotSupported(f"{cls.__name__} is not supported", status=501, code="NotImplemented")
        if wire.key is not None and len(wire.key.encode()) > MAX_KEY:
            raise failure("KeyTooLong", "Your key is too long.")
        key, signed = self._identify(request, path, query, matching)
        await self.run_due()
        incoming = Incoming(request, signed, self._store.blobs, checksums=self._behavior.checksums)
        for fault in matching:
            if isinstance(fault, faults.Reset):
                incoming.drop_after = fault.received
        ctx = Context(
            self._store, self._clock, key, self.by_name, wire, self.endpoint, incoming, extra,
            None if wire.bucket is None else buckets.find(self._store.connection, wire.bucket), self._behavior,
        )  # fmt: skip
        _authorize(ctx, handler)
        if handler.integrity and not incoming.has_integrity():
            raise failure("InvalidRequest", "Missing required header for this request: Content-MD5 or x-amz-checksum-*")
        spec = cls.spec
        if spec.body is not None and isinstance(spec.body.location, Body):
            # For a completion, the checksum headers are parameters: they describe the object, not this document.
            own = any(isinstance(p.location, Header) and p.location.name in HEADERS for p in spec.parameters)
            wire.body = await incoming.document(checksums_are_its=not own)
        # Large documents are parsed in a thread, so that other requests can run.
        large = spec.body is not None and not spec.has_payload and len(wire.body or b"") > INLINE
        operation = await asyncio.to_thread(from_request, cls, wire) if large else from_request(cls, wire)
        expected = getattr(operation, "expected_bucket_owner", None)
        if expected is not None and ctx.found is not None and not self._is_owner_id(ctx.found.instance, expected):
            raise denied()
        outcome = await handler.run(ctx, operation)
        reply = outcome if isinstance(outcome, Reply) else Reply(outcome)
        status = reply.status or spec.success_status
        if isinstance(reply.result, Page):
            # Writing a page of 1,000 keys takes about 10 ms: do it in a thread.
            return reply, await self._store.workers.run(to_response, reply.result, status)
        return reply, to_response(reply.result, status)

    async def _preflight(
        self, request: web.BaseRequest, served: HandledRequest, bucket: str | None, path: str, query: str
    ) -> web.StreamResponse:
        """Respond to a CORS preflight request. Such requests are never signed."""
        served.operation = "OptionsObject"
        try:
            wire = read(request, bucket, path, query)
            served.bucket, served.key = wire.bucket, wire.key
            cors_request = cors.CorsRequest.preflight(request.headers)
            if cors_request is None:
                raise failure("InvalidRequest", "A preflight request needs Origin and Access-Control-Request-Method.")
            found = None if wire.bucket is None else buckets.find(self._store.connection, wire.bucket)
            if found is None:
                raise no_bucket()
            rule = cors.rule_for(found, cors_request)
            if rule is None:
                raise failure("AccessDenied", "CORSResponse: This CORS request is not allowed.", 403)
            response = Response(200, cors.headers_for(rule, cors_request))
        except ServiceError as error:
            served.code = error.code
            error.resource = _resource(served.bucket, served.key)
            response = write_error(error, served.request_id)
        served.status = response.status
        return await send(request, response, {}, served.request_id, None, self._store, ())

    def _cors_headers(self, request: web.BaseRequest, name: str | None) -> dict[str, str]:
        """Return the CORS headers of a response, also of an error response."""
        origin = request.headers.get("Origin")
        bucket = buckets.find(self._store.connection, name) if origin and name is not None else None
        if not origin or bucket is None:
            return {}
        cors_request = cors.CorsRequest(origin, request.method)
        rule = cors.rule_for(bucket, cors_request)
        return {} if rule is None else cors.headers_for(rule, cors_request)

    def _identify(
        self, request: web.BaseRequest, path: str, query: str, matching: Sequence[Fault]
    ) -> tuple[Key | None, VerifiedSignature | None]:
        authorization = request.headers.get("Authorization", "")
        signed = verify(SignedRequest(request.method, path, query, request.headers), self._secret, self._clock.now())
        if is_bearer(authorization):
            _, _, token = authorization.partition(" ")
            if any(isinstance(f, faults.ExpireToken) for f in matching):
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

    def _is_owner_id(self, crn: str, expected: str) -> bool:
        # The account is the part of the CRN after `a/`.
        owner = self.by_name.get(crn)
        return expected in (crn, owner.guid if owner else crn) or f":a/{expected}:" in crn

    async def _apply_faults(self, subject: Subject) -> Sequence[Fault]:
        matching = self._faults.match(subject)
        for fault in matching:
            if isinstance(fault, faults.Delay):
                await self._faults.delay(fault.seconds)
            elif isinstance(fault, faults.Status):
                error = failure(fault.code, fault.message, fault.status)
                error.retry_after = fault.retry_after
                raise error
            elif isinstance(fault, faults.Reset) and (fault.received, fault.sent, fault.lost_answer) == (None, None, False):
                raise Dropped
        return matching

    async def _token(self, request: web.BaseRequest, served: HandledRequest) -> web.StreamResponse:
        served.operation = "CreateToken"
        try:
            matching = await self._apply_faults(Subject("CreateToken", "POST"))
        except ServiceError as error:
            served.status, served.code = error.status, error.code
            headers = {} if error.retry_after is None else {"Retry-After": str(int(error.retry_after))}
            return send_json(error.status, Iam.error(error.code or "BXNIM0000E", error.message), headers)
        try:
            content = await read_small(request)
        except InvalidRequest as error:
            served.status, served.code = error.status, error.code
            return send_json(error.status, Iam.error("BXNIM0109E", error.message), {})
        form = dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True))
        served.status, body = self._iam.respond(form, dict(request.headers), self._by_api_key)
        bad = next((fault for fault in matching if isinstance(fault, faults.BadToken)), None)
        if bad is not None and served.status == 200:
            return send_json(200, _bad_token(body, bad), {})
        if any(isinstance(f, faults.Reset) and f.lost_answer for f in matching):
            raise Dropped
        return send_json(served.status, body, {})


def _authorize(ctx: Context, handler: Handler) -> None:
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
    acl = public_access.acl_of(ctx.found)
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
        element = f"</Message><HeadersNotSigned>{escape(', '.join(error.names))}</HeadersNotSigned>"
        response.body = bytes(response.body or b"").replace(b"</Message>", element.encode(), 1)
    return response


def _bad_token(body: dict[str, Any], fault: faults.BadToken) -> object:
    if fault.what == "expired":
        return {**body, "expiration": body["expiration"] - 2 * body["expires_in"]}
    return {**body, "access_token": ""} if fault.what == "empty" else ["not a token"]


def _late_error(fault: faults.LateError, served: HandledRequest, wire: Request) -> Response:
    served.code = fault.code
    error = failure(fault.code, fault.message, 500)
    error.resource = _resource(wire.bucket, wire.key)
    response = write_error(error, served.request_id)
    response.status = 200
    return response

"""The website endpoint: serve buckets as static websites.

The host name gives the bucket: `http://{bucket}.s3-web.localhost:{port}/`. Browsers resolve names under `localhost` to this
machine. Requests are anonymous: an object is served if its ACL or the ACL of its bucket is public. Rules apply in this order:

1. `RedirectAllRequestsTo`, then the routing rules without a status, by the prefix of the key;
2. the object, or for a folder its index page; a folder without a trailing slash is redirected to the URL with the slash;
3. for an error the routing rules with its status, then the error document, then a generated page.
"""

import re
import uuid
from collections import deque
from dataclasses import replace
from email.utils import format_datetime
from html import escape
from http import HTTPStatus
from urllib.parse import quote, unquote

from aiohttp import web

from aiocos.emulator import lifecycle, public_access
from aiocos.emulator.body import Incoming
from aiocos.emulator.clock import Clock
from aiocos.emulator.context import Context, Reply
from aiocos.emulator.handlers.get_object import get as read_object
from aiocos.emulator.request import split_target
from aiocos.emulator.response import send
from aiocos.emulator.service import EmulatorService, HandledRequest
from aiocos.emulator.store import BucketRow, Key, ObjectRow, Store, buckets, objects
from aiocos.errors import ServiceError
from aiocos.operations.objects import GetObject
from aiocos.operations.website import RoutingRule, WebsiteConfiguration
from aiocos.wire.bind import from_request, to_response
from aiocos.wire.message import Request, Response

_HOST = re.compile(r"(?P<bucket>.+)\.s3-web\..+", re.IGNORECASE)
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{status} {title}</title></head>
<body><h1>{status} {title}</h1><ul>{facts}</ul></body></html>
"""


class PageError(Exception):
    """An error response: status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class PageRedirect(Exception):
    """A redirect to another location."""

    def __init__(self, status: int, location: str) -> None:
        super().__init__(location)
        self.status, self.location = status, location


class Website:
    """The website service: serves pages from the store of the S3 service."""

    def __init__(self, store: Store, clock: Clock, service: EmulatorService, requests: deque[HandledRequest]) -> None:
        self._requests = requests
        self._store = store
        self._clock = clock
        self._service = service

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle one request and send the response."""
        path, query = split_target(request.raw_path)
        request_id = str(uuid.uuid4())
        served = HandledRequest("Website", request.method, None, unquote(path[1:]), self._clock.now(), request_id)
        self._requests.append(served)
        reply: Reply | None = None
        extra = {"Date": format_datetime(self._clock.now(), usegmt=True)}
        try:
            await self._service.run_due()
            bucket, site = self._site(request)
            served.bucket = bucket.name
            try:
                reply, response = await self._page(request, bucket, site, path, query, extra)
            except PageError as error:
                reply, response = await self._error(request, bucket, site, path, query, error)
        except PageRedirect as redirect:
            response = Response(redirect.status, {"Location": redirect.location})
        except PageError as error:
            response = _error_page(error)
        served.status = response.status
        content = reply.content if reply is not None else None
        return await send(request, response, extra, request_id, content, self._store, ())

    def _site(self, request: web.BaseRequest) -> tuple[BucketRow, WebsiteConfiguration]:
        host = request.headers.get("Host", "")
        match = _HOST.fullmatch(host.rpartition(":")[0] if re.search(r":\d+$", host) else host)
        if match is None:
            raise PageError(404, "NoSuchBucket", f"A website is at http://<bucket>.s3-web.localhost, not at {host}")
        if request.method not in ("GET", "HEAD"):
            raise PageError(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        bucket = buckets.find(self._store.connection, match["bucket"].lower())
        if bucket is None:
            raise PageError(404, "NoSuchBucket", f"The specified bucket does not exist: {match['bucket']}")
        xml = bucket.settings.get("website")
        if xml is None:
            raise PageError(404, "NoSuchWebsiteConfiguration", f"{bucket.name} has no website configuration")
        return bucket, WebsiteConfiguration.from_xml(xml.encode())

    async def _page(
        self,
        request: web.BaseRequest,
        bucket: BucketRow,
        site: WebsiteConfiguration,
        path: str,
        query: str,
        extra: dict[str, str],
    ) -> tuple[Reply, Response]:
        if (everything := site.redirect_all_requests_to) is not None:
            target = f"{path}?{query}" if query else path
            raise PageRedirect(301, f"{everything.protocol or request.scheme}://{everything.host_name}{target}")
        key = _key(path)
        for rule in site.routing_rules or ():
            if _applies(rule, key, None):
                raise PageRedirect(*_target(rule, key, request))
        suffix = site.index_document.suffix if site.index_document is not None else ""
        name = f"{key}{suffix}" if not key or key.endswith("/") else key
        found = self._visible(bucket, name) if name else None
        if found is None:
            if name == key and self._visible(bucket, f"{key}/{suffix}", quietly=True) is not None:
                # A location that begins with two slashes would be taken as another host.
                origin = _origin(request) if key.startswith("/") else ""
                raise PageRedirect(302, f"{origin}/{quote(key)}/")
            raise PageError(404, "NoSuchKey", f"The specified key does not exist: {name}")
        if (elsewhere := found.headers.get("website_redirect_location")) is not None:
            raise PageRedirect(301, elsewhere)
        headers = {n.lower(): v for n, v in request.headers.items()}
        wire = Request(request.method, bucket.name, name, [], headers)
        return await self._read(request, bucket, wire, extra)

    def _visible(self, bucket: BucketRow, key: str, *, quietly: bool = False) -> ObjectRow | None:
        """Return the object of a key if it is public; None if it does not exist.

        Raises `PageError` if it is not public, or returns None if `quietly` is True.
        """
        found = objects.find(self._store.connection, bucket.id, key)
        if found is None or found.delete_marker:
            return None
        if public_access.is_public(bucket, found) or public_access.acl_of(bucket).startswith("public-read"):
            return found
        if quietly:
            return None
        raise PageError(403, "AccessDenied", "Access Denied")

    async def _read(
        self, request: web.BaseRequest, bucket: BucketRow, wire: Request, extra: dict[str, str]
    ) -> tuple[Reply, Response]:
        owner = Key.of_manager(self._service.by_name[bucket.instance])  # permissions were checked here
        incoming = Incoming(request, None, self._store.blobs)
        ctx = Context(self._store, self._clock, owner, self._service.by_name, wire, "", incoming, extra, bucket)
        try:
            outcome = await read_object(ctx, from_request(GetObject, wire))
        except ServiceError as error:
            if error.status == 304:
                return Reply(GetObject.spec.result()), Response(304, dict(extra))
            raise PageError(error.status, error.code, error.message) from error
        reply = outcome if isinstance(outcome, Reply) else Reply(outcome)
        return reply, to_response(reply.result, reply.status or 200)

    async def _error(
        self, request: web.BaseRequest, bucket: BucketRow, site: WebsiteConfiguration, path: str, query: str, error: PageError
    ) -> tuple[Reply | None, Response]:
        key = _key(path)
        for rule in site.routing_rules or ():
            if _applies(rule, key, error.status):
                raise PageRedirect(*_target(rule, key, request))
        if site.error_document is not None:
            try:
                found = self._visible(bucket, site.error_document.key)
                if found is not None and lifecycle.is_readable(found, self._clock.timestamp()):
                    wire = Request("GET", bucket.name, found.key)
                    reply, response = await self._read(request, bucket, wire, {})
                    return replace(reply, status=error.status), replace(response, status=error.status)
            except PageError:
                pass
        return None, _error_page(error)


def _key(path: str) -> str:
    try:
        key = unquote(path[1:], errors="strict")
        key.encode()  # bytes that are not UTF-8 are surrogates in the text
        return key
    except UnicodeError:
        raise PageError(400, "InvalidURI", "Couldn't parse the specified URI.") from None


def _applies(rule: RoutingRule, key: str, status: int | None) -> bool:
    when = rule.condition
    if when is None:
        return status is None
    if when.http_error_code_returned_equals is None:
        if status is not None:
            return False
    elif when.http_error_code_returned_equals != str(status):
        return False
    return key.startswith(when.key_prefix_equals or "")


def _target(rule: RoutingRule, key: str, request: web.BaseRequest) -> tuple[int, str]:
    to = rule.redirect
    if to.replace_key_with is not None:
        key = to.replace_key_with
    elif to.replace_key_prefix_with is not None:
        prefix = (rule.condition.key_prefix_equals if rule.condition is not None else None) or ""
        key = to.replace_key_prefix_with + key[len(prefix) :]
    host = to.host_name or request.headers.get("Host", "")
    return int(to.http_redirect_code or 301), f"{to.protocol or request.scheme}://{host}/{quote(key)}"


def _origin(request: web.BaseRequest) -> str:
    return f"{request.scheme}://{request.headers.get('Host', '')}"


def _error_page(error: PageError) -> Response:
    title = HTTPStatus(error.status).phrase
    facts = f"<li>Code: {escape(error.code)}</li><li>Message: {escape(error.message)}</li>"
    page = _PAGE.format(status=error.status, title=title, facts=facts)
    headers = {"Content-Type": "text/html; charset=utf-8"}
    if error.status == 405:
        headers["Allow"] = "GET, HEAD"
    return Response(error.status, headers, page.encode())

"""An emulator of the metadata service of virtual servers.

Virtual servers get IAM tokens from it without a key.

It has its own port, as the real service has its own address (169.254.169.254) that only the virtual server can reach. A server
first requests an identity token with the header `Metadata-Flavor: ibm`, and with that token an IAM token of a trusted profile:
the profile that it names, or the one linked to it (here the first profile that was created).
"""

import json
import os
from typing import Any, cast

from aiohttp import web

from aiocos.emulator.clock import Clock
from aiocos.emulator.iam import Iam
from aiocos.emulator.receive import read_small
from aiocos.errors import InvalidRequest

PATHS = {
    "2022-03-01": ("/instance_identity/v1/token", "/instance_identity/v1/iam_token"),
    "2025-08-26": ("/identity/v1/token", "/identity/v1/iam_tokens"),
}


class _BadBody(Exception):
    """The request body is not a JSON object."""


class Metadata:
    """The metadata service of one virtual server: this machine."""

    def __init__(self, iam: Iam, clock: Clock) -> None:
        self._iam = iam
        self._clock = clock
        self._tokens: dict[str, float] = {}
        self.requests: list[str] = []
        """Method, path and query of all requests."""

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle one request."""
        self.requests.append(f"{request.method} {request.raw_path}")
        try:
            return await self._respond(request)
        except _BadBody:
            return _error(400, "invalid_request_body", "The body is not a JSON object")

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        own, profiles = PATHS.get(request.query.get("version", ""), ("", ""))
        if (request.method, request.path) == ("PUT", own):
            return await self._issue_identity_token(request)
        if (request.method, request.path) == ("POST", profiles):
            return await self._issue_iam_token(request)
        return _error(404, "not_found", f"{request.method} {request.path} of this version does not exist")

    async def _issue_identity_token(self, request: web.BaseRequest) -> web.Response:
        if request.headers.get("Metadata-Flavor") != "ibm":
            return _error(400, "missing_header", "The header Metadata-Flavor: ibm is missing")
        body = await _json(request)
        lasts = 300 if body is None else body.get("expires_in", 300)
        if isinstance(lasts, bool) or not isinstance(lasts, int) or not 5 <= lasts <= 3600:
            return _error(400, "invalid_parameter", "expires_in is a whole number of seconds from 5 to 3600")
        token, now = os.urandom(24).hex(), self._clock.timestamp()
        self._tokens[token] = now + lasts
        return web.json_response({"access_token": token, "created_at": now, "expires_at": now + lasts, "expires_in": lasts})

    async def _issue_iam_token(self, request: web.BaseRequest) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or self._tokens.get(token, 0) <= self._clock.timestamp():
            return _error(401, "not_authorized", "The token of the server is missing or has expired")
        selector: Any = ((await _json(request)) or {}).get("trusted_profile") or {}
        if not isinstance(selector, dict):
            return _error(400, "invalid_parameter", "trusted_profile has an id, a crn, or a name")
        fields = {kind: value for kind, value in cast("dict[str, Any]", selector).items() if isinstance(value, str)}
        linked = self._iam.profiles[0] if self._iam.profiles else None
        profile = self._iam.profile(id=fields.get("id"), crn=fields.get("crn"), name=fields.get("name")) if selector else linked
        if profile is None:
            return _error(400, "trusted_profile_not_found", "The trusted profile does not exist")
        return web.json_response(self._iam.issue_response(profile.key))


async def _json(request: web.BaseRequest) -> dict[str, Any] | None:
    try:
        body = await read_small(request)
    except InvalidRequest as error:
        raise _BadBody from error
    if not body:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _BadBody
    return cast("dict[str, Any]", document)


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"errors": [{"code": code, "message": message}], "trace": os.urandom(8).hex()}, status=status)

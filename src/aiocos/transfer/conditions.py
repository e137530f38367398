"""Conditions on the object that a transfer writes, where the service may take no notice of them.

IBM documents `If-Match`, `If-None-Match` and `If-Unmodified-Since` for PUT, HEAD and GET of an object. A multipart upload
becomes an object by its completion, which is a POST, and services ignore headers that they do not know. So the conditions are
sent there and not relied on: the object is looked at before the first part is sent, to waste nothing, and once more right
before the completion. Another writer between that look and the completion is not seen, except by a service that honors the
condition, or `x-ibm-forbid-overwrite`, which is sent with `if_none_match="*"`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiocos.errors import InvalidRequest, NotFound, PreconditionFailed
from aiocos.groups import Service, engine_of
from aiocos.operations.objects import HeadObject, ObjectInfo
from aiocos.transfer.requests import CopyRequest, UploadRequest
from aiocos.wire import digest


def forbidding(request: UploadRequest | CopyRequest) -> dict[str, Any]:
    """Return what goes along with `if_none_match="*"` in requests for which that is not documented."""
    if request.if_none_match == "*" and request.forbid_overwrite is None:
        return {"forbid_overwrite": True}
    return {}


async def check_target(service: Service, request: UploadRequest | CopyRequest, what: str) -> None:
    """Raise `PreconditionFailed` where a condition on the target does not hold now.

    Makes no request where there is no condition. Raises the errors of HEAD: without the right to look, nothing can be promised.
    """
    if request.if_match is None and request.if_none_match is None and request.if_unmodified_since is None:
        return
    head = HeadObject(
        request.bucket,
        request.key,
        customer_key=request.customer_key,
        expected_bucket_owner=request.expected_bucket_owner,
        request_payer=request.request_payer,
    )
    try:
        info = await engine_of(service).call(head)
    except NotFound:
        info = None
    except InvalidRequest:
        # The object is there, and under another key than the one given.
        if request.if_none_match != "*":
            raise
        info = ObjectInfo()
    if failed := _failed(request, info):
        raise PreconditionFailed(
            f"{failed}: the {what} did not happen",
            status=412,
            code="PreconditionFailed",
            resource=f"{request.bucket}/{request.key}",
            operation=type(request).__name__.removesuffix("Request"),
        )


def _failed(request: UploadRequest | CopyRequest, info: ObjectInfo | None) -> str | None:
    """Name the condition that does not hold."""
    if request.if_match is not None and (info is None or not _names(request.if_match, info.etag)):
        return f"if_match={request.if_match!r}, and the object {_has(info)}"
    if info is None:
        return None
    if request.if_none_match is not None and _names(request.if_none_match, info.etag):
        return f"if_none_match={request.if_none_match!r}, and the object {_has(info)}"
    since = request.if_unmodified_since
    # As HTTP has it: not looked at beside If-Match.
    modified = info.last_modified
    if since is not None and request.if_match is None and modified is not None and modified > _second(since):
        return f"if_unmodified_since={since.isoformat()}, and the object was written {modified.isoformat()}"
    return None


def _second(moment: datetime) -> datetime:
    """A moment as a header carries it, in whole seconds."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).replace(microsecond=0)


def _names(condition: str, etag: str) -> bool:
    tags = [tag.strip() for tag in condition.split(",")]
    return "*" in tags or digest.bare(etag) in map(digest.bare, tags)


def _has(info: ObjectInfo | None) -> str:
    return "does not exist" if info is None else f"exists, with the ETag {info.etag}" if info.etag else "exists"

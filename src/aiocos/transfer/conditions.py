"""Check conditions on the object to be written, which the service may ignore.

IBM documents `If-Match`, `If-None-Match` and `If-Unmodified-Since` for PUT, HEAD and GET of an object. A multipart upload
becomes an object by its completion, which is a POST, and services ignore headers that they don't know. So the conditions are
sent with the completion, and the client also checks the object itself: before the first part, to waste no work, and right
before the completion. Another writer between that check and the completion goes unnoticed, unless the service honors the
condition or `x-ibm-forbid-overwrite`, which is sent with `if_none_match="*"`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiocos.errors import InvalidRequest, NotFound, PreconditionFailed
from aiocos.groups import Service, engine_of
from aiocos.operations.objects import HeadObject, ObjectInfo
from aiocos.transfer.requests import CopyRequest, UploadRequest
from aiocos.wire import digest


def forbid_overwrite_for(request: UploadRequest | CopyRequest) -> dict[str, Any]:
    """Return `forbid_overwrite=True` as keywords if `if_none_match` is `"*"`.

    Returns an empty dict otherwise, and if the request has `forbid_overwrite` itself.
    """
    if request.if_none_match == "*" and request.forbid_overwrite is None:
        return {"forbid_overwrite": True}
    return {}


async def check_target(service: Service, request: UploadRequest | CopyRequest, what: str) -> None:
    """Raise `PreconditionFailed` if a condition on the target does not hold now.

    Sends nothing if there is no condition.

    Raises the errors of HEAD as well: without the right to read the object, the condition cannot be checked.
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
        # The object exists, and is encrypted with another key than the one given. Its ETag is not known.
        if request.if_none_match != "*":
            raise
        info = ObjectInfo()
    if failure := _failed_condition(request, info):
        raise PreconditionFailed(
            f"{failure}: the {what} did not happen",
            status=412,
            code="PreconditionFailed",
            resource=f"{request.bucket}/{request.key}",
            operation=type(request).__name__.removesuffix("Request"),
        )


def _failed_condition(request: UploadRequest | CopyRequest, info: ObjectInfo | None) -> str | None:
    """Describe the first condition that does not hold; None if all hold.

    `info` None: the object does not exist.
    """
    if request.if_match is not None and (info is None or not _matches(request.if_match, info.etag)):
        return f"if_match={request.if_match!r}, and the object {_describe(info)}"
    if info is None:
        return None
    if request.if_none_match is not None and _matches(request.if_none_match, info.etag):
        return f"if_none_match={request.if_none_match!r}, and the object {_describe(info)}"
    since = request.if_unmodified_since
    modified = info.last_modified
    # RFC 9110: If-Unmodified-Since is ignored if there is an If-Match.
    if since is not None and request.if_match is None and modified is not None and modified > _whole_seconds(since):
        return f"if_unmodified_since={since.isoformat()}, and the object was written {modified.isoformat()}"
    return None


def _whole_seconds(moment: datetime) -> datetime:
    """Return a time in whole seconds, as headers have it; in UTC if it has no zone."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).replace(microsecond=0)


def _matches(condition: str, etag: str) -> bool:
    """Return True if `condition`, `*` or a list of ETags, includes an ETag."""
    tags = [tag.strip() for tag in condition.split(",")]
    return "*" in tags or digest.bare(etag) in map(digest.bare, tags)


def _describe(info: ObjectInfo | None) -> str:
    return "does not exist" if info is None else f"exists, with the ETag {info.etag}" if info.etag else "exists"

"""Build the operations of a transfer from its request."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

from aiocos.operations.multipart import UploadPart
from aiocos.operations.objects import GetObject
from aiocos.transfer.progress import ProgressCallbacks
from aiocos.transfer.requests import DownloadRequest
from aiocos.wire.spec import Operation

O = TypeVar("O", bound=Operation[Any])  # noqa: E741 - an operation


def derive(request: ProgressCallbacks, operation: type[O], **overrides: Any) -> O:
    """Return an operation with the parameters that it shares with `request`.

    `overrides` replace or add parameters.

    `timeout` is not passed on: it is for the whole transfer. Conditions (`if_match` …) are not passed on to GET and HEAD: they
    are about the object that is written, and would refuse to read it.
    """
    values = {name: getattr(request, name) for name in _common(type(request), operation)}
    return operation(**{**values, **overrides})


@cache
def _common(request: type[ProgressCallbacks], operation: type[Operation[Any]]) -> tuple[str, ...]:
    """Return the names of the parameters to pass on."""
    names = {f.name for f in fields(request)} - {"timeout"}
    if operation is UploadPart:
        # A checksum that an upload gives is that of the whole object.
        names = {name for name in names if not name.startswith("checksum_")}
    if operation.spec.method in ("HEAD", "GET"):
        names -= {"if_match", "if_none_match", "if_unmodified_since"}
    return tuple(p.name for p in operation.spec.parameters if p.name in names)


def derive_read(request: DownloadRequest) -> GetObject:
    """Return the GET of a download, with its conditions."""
    return GetObject(
        request.bucket,
        request.key,
        version_id=request.version_id,
        customer_key=request.customer_key,
        if_match=request.if_match,
        if_none_match=request.if_none_match,
        if_modified_since=request.if_modified_since,
        if_unmodified_since=request.if_unmodified_since,
        expected_bucket_owner=request.expected_bucket_owner,
    )

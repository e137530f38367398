"""`client.multipart`: the single requests of multipart uploads."""

from __future__ import annotations

from typing import Any

from aiocos.call import Engine
from aiocos.operations import multipart as ops
from aiocos.paging import Listing
from aiocos.wire.method import Call, Group, Method


def _following_parts(operation: ops.ListParts, page: ops.ListPartsResult) -> dict[str, Any] | None:
    if not page.is_truncated:
        return None
    marker = page.next_part_number_marker or (page.parts[-1].part_number if page.parts else None)
    return {"part_number_marker": marker}


def _following_uploads(operation: ops.ListMultipartUploads, page: ops.ListMultipartUploadsResult) -> dict[str, Any] | None:
    if not page.is_truncated:
        return None
    last = page.uploads[-1] if page.uploads else None
    return {
        "key_marker": page.next_key_marker or (last.key if last else None),
        "upload_id_marker": page.next_upload_id_marker or (last.upload_id if last else None),
    }


def _parts(engine: Engine, operation: ops.ListParts) -> Listing[ops.Part, ops.ListPartsResult]:
    return Listing(engine, operation, _following_parts, lambda page: page.parts)


def _uploads(engine: Engine, operation: ops.ListMultipartUploads) -> Listing[ops.UploadEntry, ops.ListMultipartUploadsResult]:
    return Listing(engine, operation, _following_uploads, lambda page: page.uploads)


class Multipart(Group[Engine]):
    """Multipart uploads step by step. `Client.upload` does all the steps."""

    noun = "multipart"

    create = Call(ops.CreateMultipartUpload)
    upload_part = Call(ops.UploadPart)
    upload_part_copy = Call(ops.UploadPartCopy)
    complete = Call(ops.CompleteMultipartUpload)
    abort = Call(ops.AbortMultipartUpload)
    list_parts = Method(ops.ListParts, _parts)
    """List the parts that an upload has so far, by part number.

    Raises `NoSuchUpload`.
    """
    list_uploads = Method(ops.ListMultipartUploads, _uploads)
    """List the uploads of a bucket that are neither completed nor aborted.

    Their parts are stored and billed.
    """

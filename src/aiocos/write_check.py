"""Compare the response to a write with the bytes that were sent.

A difference raises `IntegrityError`. What is compared:

* The ETag of an object or a part is the MD5 of its bytes; the ETag of a multipart object follows from the ETags of its parts;
  the ETag of a copy is the ETag of its source.
* ETags that are known not to be MD5s are not compared: with a customer's key, with a key of a key management service, and in a
  bucket under Key Protect. Whether a bucket is under Key Protect is looked up only after an ETag differed.
* Checksums that the service repeats are always compared, with all keys. A body whose checksum was repeated is right, whatever
  its ETag is.
* A service that ignored the checksum is found out by that (`body_checksum`). The ETag is compared then, with an MD5 that is
  computed afterwards.
"""

from __future__ import annotations

import binascii
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from aiocos.body_checksum import Evidence
from aiocos.errors import IntegrityError
from aiocos.net.hashing import hash_body
from aiocos.wire import checksum, digest
from aiocos.wire.message import PreparedRequest
from aiocos.wire.spec import Operation
from aiocos.wire.values import CopySource

if TYPE_CHECKING:
    # A call imports the operations that it needs itself. This module tells them apart by name.
    from aiocos.operations.multipart import CompletedPart, CompletedUpload, CompleteMultipartUpload, UploadPart
    from aiocos.operations.objects import CopyObject, CopyObjectResult, PutObject
    from aiocos.operations.shared import WriteResult

# The checksums that a response may repeat: the header of the request → the field of the result.
_REPEATED = {f"x-amz-checksum-{name}": f"checksum_{name}" for name in ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")}
_HEADERS: dict[str, str] = {**checksum.HEADERS}
_FIELDS = {name: _REPEATED[header] for name, header in _HEADERS.items() if name != "md5"}


class BucketLookup(Protocol):
    """The part of `Engine` that looks up how a bucket makes its ETags."""

    async def has_md5_etags(self, bucket: str, expected_bucket_owner: str | None = None) -> bool:
        """Return False if the ETags of a bucket may not be MD5s."""
        ...


async def check_write(buckets: BucketLookup, operation: Operation[Any], request: PreparedRequest, result: object) -> Evidence:
    """Check the result of a write, and return what shows that it is right.

    The general path, for all operations in `CHECKS`. Most writes do not need it, see `evidence_of`. Raises `IntegrityError`.
    """
    return await CHECKS[operation.spec.name](buckets, operation, request, result)


def evidence_of(operation: Any, request: PreparedRequest, result: Any) -> Evidence:
    """Return what shows at one glance that a write is right.

    None if the general path is needed. Most writes are an object or a part with one checksum, added by the client, which the
    service returns; for an MD5, as the ETag. Where this function does not return None, the general path returns the same.
    """
    name = request.checksum
    if name is None:
        return None
    if name != "md5":
        return "checksum" if getattr(result, _FIELDS[name]) == request.headers[_HEADERS[name]] else None
    is_md5 = result.etag == f'"{_hex(request.headers["Content-MD5"])}"'
    return "md5" if is_md5 and operation.customer_key is None else None


async def check_put(
    buckets: BucketLookup, operation: PutObject | UploadPart, request: PreparedRequest, result: WriteResult
) -> Evidence:
    """Check an object or a part. Raises `IntegrityError`."""
    headers, data = request.headers, request.body if request.body is not None else b""
    repeated: dict[str, str | None] = {name: getattr(result, field) for name, field in _REPEATED.items() if name in headers}
    if differing := digest.find_mismatch(headers, repeated):
        raise _mismatch(operation, *differing, result.request_id)
    evidence: Evidence = "checksum" if any(repeated.values()) else None
    if not digest.is_md5(result.etag):
        return evidence
    md5 = headers.get("Content-MD5")
    if md5 is None and evidence is None and not _has_other_etag(operation, result):
        # The service ignored the checksum, so its ETag is all there is to compare.
        md5 = checksum.encode(await hash_body("md5", data))
    expected = _hex(md5 or "")
    if not expected or _has_other_etag(operation, result):
        return evidence
    if expected == digest.bare(result.etag):
        return evidence or "md5"
    if await buckets.has_md5_etags(operation.bucket, operation.expected_bucket_owner):
        raise _mismatch(operation, expected, result.etag, result.request_id)
    return evidence


async def check_copy(buckets: BucketLookup, operation: CopyObject, _: PreparedRequest, result: CopyObjectResult) -> Evidence:
    """Check that a copy has the ETag of its source.

    The operation gives the source's ETag by `source_if_match`; without it nothing is compared. Only MD5s of whole objects are
    compared: the copy of a multipart object may get an ETag of another form. Raises `IntegrityError`.
    """
    etag = operation.source_if_match or ""
    if not digest.is_md5(etag) or not digest.is_md5(result.etag) or digest.bare(etag) == digest.bare(result.etag):
        return None
    if _has_other_etag(operation, result) or operation.source_customer_key is not None:
        return None
    source = operation.source if isinstance(operation.source, CopySource) else CopySource(*operation.source)
    if await buckets.has_md5_etags(operation.bucket, operation.expected_bucket_owner) and await buckets.has_md5_etags(
        source.bucket, operation.expected_source_bucket_owner
    ):
        raise _mismatch(operation, digest.bare(etag), result.etag, result.request_id)
    return None


async def check_completion(
    buckets: BucketLookup,
    operation: CompleteMultipartUpload,
    _: PreparedRequest | None,
    result: CompletedUpload,
    expected: str | None = None,
) -> Evidence:
    """Check a completed multipart upload. Raises `IntegrityError`.

    A checksum of the object that was sent and is returned decides; the ETag is compared if there is none. `expected` is the
    ETag that the object must have; None computes it from the ETags of the parts.
    """
    sent = {name: value for name, field in _REPEATED.items() if (value := getattr(operation, field)) is not None}
    repeated = {name: getattr(result, _REPEATED[name]) for name in sent}
    if differing := digest.find_mismatch(sent, repeated):
        raise _mismatch(operation, *differing, result.request_id)
    if any(repeated.values()):
        return "checksum"
    expected = expected or composite_of(operation.parts)
    if expected is None or digest.part_count(result.etag) is None or digest.bare(result.etag) == expected:
        return None
    if not _has_other_etag(operation, result) and await buckets.has_md5_etags(
        operation.bucket, operation.expected_bucket_owner
    ):
        raise _mismatch(operation, expected, result.etag, result.request_id)
    return None


Check: TypeAlias = Callable[[BucketLookup, Any, PreparedRequest, Any], Awaitable[Evidence]]
"""Compares the result of an operation with its request. Raises `IntegrityError`."""

CHECKS: dict[str, Check] = {
    "PutObject": check_put,
    "UploadPart": check_put,
    "CopyObject": check_copy,
    "CompleteMultipartUpload": check_completion,
}
"""The checks by the names of the operations."""


def composite_of(parts: list[CompletedPart]) -> str | None:
    """Return the ETag that follows from the ETags of the parts.

    None if one of these does not have the form of an MD5.
    """
    etags = [digest.bare(part.etag or "") for part in parts]
    return digest.composite_etag(bytes.fromhex(e) for e in etags) if all(map(digest.is_md5, etags)) else None


def _has_other_etag(operation: Operation[Any], result: object) -> bool:
    """Return True if an encryption key is named with which ETags are not MD5s."""
    for one in (operation, result):
        if getattr(one, "customer_key", None) is not None or getattr(one, "customer_algorithm", None) is not None:
            return True
        if getattr(one, "server_side_encryption", None) not in (None, "AES256"):
            return True
    return False


def _hex(value: str) -> str:
    """Return a Content-MD5 in hex digits; empty if it is not valid base64."""
    try:
        return binascii.a2b_base64(value).hex()
    except ValueError:
        return ""


# What the response was compared with.
_SENT = {
    "PutObject": "the body has",
    "UploadPart": "the body has",
    "CopyObject": "the source has",
    "CompleteMultipartUpload": "the parts make",
}


def _mismatch(
    operation: PutObject | UploadPart | CopyObject | CompleteMultipartUpload, expected: str, actual: str, request_id: str | None
) -> IntegrityError:
    number = getattr(operation, "part_number", None)
    part = f" part {number}" if number is not None else ""
    sent = _SENT[operation.spec.name]
    suffix = f" (request id {request_id})" if request_id else ""
    what = f"{operation.spec.name} {operation.bucket}/{operation.key}{part}"
    return IntegrityError(
        f"{what}: the response has the checksum {actual}, {sent} {expected}: the service stored other bytes. "
        f"If its ETags are not MD5s, set ClientConfig(verify_writes=False){suffix}",
        expected=expected,
        actual=actual,
    )

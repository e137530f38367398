"""Answers to writes, held against what was sent: an answer that names other bytes is an `IntegrityError`, and no success.

The ETag of an object or a part is the MD5 of its bytes, that of an object made of parts follows from theirs, that of a copy is
its source's. Where ETags are known to be no MD5s they are not compared: under a customer's key, under a key of a key service,
and in a bucket under Key Protect, which is asked once an ETag disagrees. Checksums that the service repeats always are.
"""

from __future__ import annotations

import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias

from aiocos.errors import IntegrityError
from aiocos.net.hashing import INLINE, run_in_hash_pool
from aiocos.operations.multipart import CompletedPart, CompletedUpload, CompleteMultipartUpload, UploadPart
from aiocos.operations.objects import CopyObject, CopyObjectResult, PutObject
from aiocos.operations.shared import WriteResult
from aiocos.wire import digest
from aiocos.wire.message import PreparedRequest
from aiocos.wire.spec import Operation
from aiocos.wire.values import CopySource

# Checksums that an answer may repeat: the header of the request, the field of the result.
_REPEATED = {f"x-amz-checksum-{name}": f"checksum_{name}" for name in ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")}


class Asker(Protocol):
    """Whoever can be asked about a bucket: `Engine`."""

    async def has_md5_etags(self, bucket: str, expected_bucket_owner: str | None = None) -> bool:
        """Tell whether the ETags of a bucket are taken for MD5s."""
        ...


Check: TypeAlias = "Callable[[Asker, Any, PreparedRequest, Any], Awaitable[None]]"
"""Holds the result of an operation against its request. Raises `IntegrityError`."""


def is_usual(headers: Mapping[str, str], result: WriteResult) -> bool:
    """Tell, at little cost, that an answer is about what was sent: the ETag is the MD5, and no other checksum was given."""
    md5 = headers.get("Content-MD5")
    if md5 is None or result.etag[1:-1] != _hex(md5):
        return False
    return not any(name.startswith("x-amz-checksum-") for name in headers)


async def check_put(asker: Asker, operation: PutObject | UploadPart, outgoing: PreparedRequest, result: WriteResult) -> None:
    """Check an object or a part."""
    headers, data = outgoing.headers, outgoing.body if outgoing.body is not None else b""
    if is_usual(headers, result):
        return
    told: dict[str, str | None] = {name: getattr(result, field) for name, field in _REPEATED.items() if name in headers}
    if found := digest.contradiction(headers, told):
        raise _disagreement(operation, *found, result.request_id)
    if not digest.is_md5(result.etag):
        return
    md5 = headers.get("Content-MD5")
    if md5 is None and not any(told.values()):
        # The service took no notice of the checksum, so its ETag is all there is to compare.
        md5 = digest.encode(
            digest.digest("md5", data) if len(data) <= INLINE else await run_in_hash_pool(digest.digest, "md5", data)
        )
    expected = _hex(md5 or "")
    if not expected or expected == digest.bare(result.etag) or _is_keyed(operation, result):
        return
    if await asker.has_md5_etags(operation.bucket, operation.expected_bucket_owner):
        raise _disagreement(operation, expected, result.etag, result.request_id)


async def check_copy(asker: Asker, operation: CopyObject, _: PreparedRequest, result: CopyObjectResult) -> None:
    """Check a copy whose `source_if_match` says what the source is, where both ETags are MD5s of whole objects.

    The copy of an object made of parts may get an ETag of another kind, which says nothing.
    """
    etag = operation.source_if_match or ""
    if not digest.is_md5(etag) or not digest.is_md5(result.etag) or digest.bare(etag) == digest.bare(result.etag):
        return
    if _is_keyed(operation, result) or operation.source_customer_key is not None:
        return
    source = operation.source if isinstance(operation.source, CopySource) else CopySource(*operation.source)
    if await asker.has_md5_etags(operation.bucket, operation.expected_bucket_owner) and await asker.has_md5_etags(
        source.bucket, operation.expected_source_bucket_owner
    ):
        raise _disagreement(operation, digest.bare(etag), result.etag, result.request_id)


async def check_completion(
    asker: Asker,
    operation: CompleteMultipartUpload,
    _: PreparedRequest | None,
    result: CompletedUpload,
    expected: str | None = None,
) -> None:
    """Check an object made of parts. `expected` is the ETag that it must have; None is the one that follows from the parts'."""
    expected = expected or composite_of(operation.parts)
    if expected is None or digest.part_count(result.etag) is None or digest.bare(result.etag) == expected:
        return
    if not _is_keyed(operation, result) and await asker.has_md5_etags(operation.bucket, operation.expected_bucket_owner):
        raise _disagreement(operation, expected, result.etag, result.request_id)


CHECKS: dict[type[Operation[Any]], Check] = {
    PutObject: check_put,
    UploadPart: check_put,
    CopyObject: check_copy,
    CompleteMultipartUpload: check_completion,
}


def composite_of(parts: list[CompletedPart]) -> str | None:
    """The ETag that follows from the parts' ETags, where these have the form of MD5s."""
    etags = [digest.bare(part.etag or "") for part in parts]
    return digest.composite_etag(bytes.fromhex(e) for e in etags) if all(map(digest.is_md5, etags)) else None


def _is_keyed(operation: Operation[Any], result: object) -> bool:
    """Tell whether a key is known to be in play by which ETags are no MD5s."""
    for one in (operation, result):
        if getattr(one, "customer_key", None) is not None or getattr(one, "customer_algorithm", None) is not None:
            return True
        if getattr(one, "server_side_encryption", None) not in (None, "AES256"):
            return True
    return False


def _hex(value: str) -> str:
    """The base64 of a Content-MD5 as ETags write it; empty where it is none."""
    try:
        return binascii.a2b_base64(value).hex()
    except ValueError:
        return ""


def _disagreement(
    operation: PutObject | UploadPart | CopyObject | CompleteMultipartUpload, expected: str, actual: str, request_id: str | None
) -> IntegrityError:
    part = f" part {operation.part_number}" if isinstance(operation, UploadPart) else ""
    sent = "the source has" if isinstance(operation, CopyObject) else "what was sent has"
    if isinstance(operation, CompleteMultipartUpload):
        sent = "the parts make"
    told = f" (request id {request_id})" if request_id else ""
    what = f"{operation.spec.name} {operation.bucket}/{operation.key}{part}"
    return IntegrityError(
        f"{what}: the service answered with the checksum {actual}, {sent} {expected}: what is stored is something else. "
        f"Where its ETags are no MD5s: ClientConfig(verify_writes=False){told}",
        expected=expected,
        actual=actual,
    )

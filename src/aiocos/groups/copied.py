"""Copies in one piece: the answer is held against the ETag that the source had."""

from __future__ import annotations

from aiocos.call import Engine, resource_of
from aiocos.errors import IntegrityError
from aiocos.operations.objects import CopyObject, CopyObjectResult
from aiocos.wire import digest
from aiocos.wire.values import CopySource


async def copy_object(engine: Engine, operation: CopyObject) -> CopyObjectResult:
    """Copy an object. Where `source_if_match` says what the source is, the ETag of the copy must agree with it."""
    result = await engine.call(operation)
    if operation.source_if_match and engine.config.verify_writes:
        await _check(engine, operation, operation.source_if_match, result)
    return result


async def _check(engine: Engine, operation: CopyObject, etag: str, result: CopyObjectResult) -> None:
    """Raise `IntegrityError` where both ETags are MD5s of whole objects and differ."""
    if not digest.is_md5(etag) or not digest.is_md5(result.etag) or digest.bare(etag) == digest.bare(result.etag):
        # The copy of an object made of parts may get an ETag of another kind: that says nothing.
        return
    keys = (operation.customer_key, operation.source_customer_key, result.customer_algorithm)
    named = operation.server_side_encryption or result.server_side_encryption
    if keys != (None, None, None) or named not in (None, "AES256"):
        return
    source = operation.source if isinstance(operation.source, CopySource) else CopySource(*operation.source)
    for bucket, owner in (
        (operation.bucket, operation.expected_bucket_owner),
        (source.bucket, operation.expected_source_bucket_owner),
    ):
        if not await engine.has_md5_etags(bucket, owner):
            return
    raise IntegrityError(
        f"CopyObject {resource_of(operation)}: the copy has the ETag {result.etag}, its source {source.bucket}/{source.key} "
        f"had {etag}: what the service has stored is something else. Where its ETags are no MD5s: "
        "ClientConfig(verify_writes=False)",
        expected=digest.bare(etag),
        actual=result.etag,
    )

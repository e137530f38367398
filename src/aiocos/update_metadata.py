"""Changes of metadata and content headers by a copy of the object onto itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiocos.call import Engine
from aiocos.config import MAX_PUT
from aiocos.errors import ConfigError
from aiocos.operations.acl import GetObjectAcl
from aiocos.operations.content_headers import CONTENT_HEADERS
from aiocos.operations.objects import CopyObject, CopyObjectResult, HeadObject, ObjectInfo
from aiocos.wire.values import CopySource, CustomerKey, Stored

_EVERYBODY = "/groups/global/AllUsers"


async def update_metadata(
    engine: Engine,
    bucket: str,
    key: str,
    *,
    metadata: Mapping[str, str],
    remove: Iterable[str],
    headers: Mapping[str, Any],
    acl: str | None,
    customer_key: CustomerKey | bytes | None,
    timeout: float | None,
) -> CopyObjectResult:
    """Read the object's headers, change them, and copy the object onto itself.

    The copy is made on the condition that the object's ETag has not changed.
    """
    info = await engine.call(HeadObject(bucket, key, customer_key=customer_key, timeout=timeout))
    what = f"update_metadata {bucket}/{key}"
    if info.size > MAX_PUT:
        raise ConfigError(
            f"{what}: an object of {info.size:,} bytes cannot be copied in one piece (at most {MAX_PUT:,}): use "
            f"client.copy(bucket, key, bucket, key, metadata_directive='REPLACE', metadata=..., ...), which copies parts"
        )
    if info.missing_meta:
        raise ConfigError(f"{what}: HTTP cannot carry {info.missing_meta} entries of its metadata, which would be lost")
    removed = {name.lower() for name in remove}
    new = {name: value for name, value in info.metadata.items() if name not in removed}
    new.update({name.lower(): value for name, value in metadata.items()})
    content = {name: getattr(info, name) if headers.get(name) is None else headers[name] for name in CONTENT_HEADERS}
    operation = CopyObject(
        bucket,
        key,
        CopySource(bucket, key, info.version_id),
        metadata_directive="REPLACE",
        metadata=new,
        expires=headers.get("expires") or (Stored(info.expires) if info.expires else None),
        acl=await _acl(engine, bucket, key, info, timeout) if acl is None else acl,
        source_if_match=info.etag,
        customer_key=customer_key,
        source_customer_key=customer_key,
        retention_directive="COPY" if info.retention_period is not None else None,
        timeout=timeout,
        **{name: value for name, value in content.items() if value},
        **_lock(info),
    )
    return await engine.call(operation)


async def _acl(engine: Engine, bucket: str, key: str, info: ObjectInfo, timeout: float | None) -> str | None:
    # The service makes every copy private, a copy of a public object too.
    access = await engine.call(GetObjectAcl(bucket, key, version_id=info.version_id, timeout=timeout))
    public = any(g.grantee is not None and (g.grantee.uri or "").endswith(_EVERYBODY) for g in access.grants)
    return "public-read" if public else None


def _lock(info: ObjectInfo) -> dict[str, Any]:
    # The copy is a new version, and CopyObject does not copy the lock of the old one.
    lock: dict[str, Any] = {}
    until = info.object_lock_retain_until
    if info.object_lock_mode and until is not None and until > datetime.now(UTC):
        lock.update(object_lock_mode=info.object_lock_mode, object_lock_retain_until=until)
    if info.object_lock_legal_hold == "ON":
        lock["object_lock_legal_hold"] = "ON"
    return lock

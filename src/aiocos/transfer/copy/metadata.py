"""What a copy by parts takes along, as CopyObject does by itself: headers, metadata, tags, retention, legal holds."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from aiocos.errors import ConfigError, CosError, NoSuchConfiguration, OperationNotSupported, TransferError
from aiocos.groups import Service, engine_of
from aiocos.operations.objects import ObjectInfo
from aiocos.operations.protection import GetBucketProtectionConfiguration
from aiocos.operations.tagging import GetObjectTagging
from aiocos.transfer.requests import CopyRequest
from aiocos.wire.values import Stored

_SAID = (
    "content_type",
    "content_encoding",
    "content_disposition",
    "content_language",
    "cache_control",
    "website_redirect_location",
)


class SourceMetadata:
    """What is kept of one source, whose HEAD is `info`, where the request does not say otherwise."""

    def __init__(self, service: Service, request: CopyRequest, info: ObjectInfo, what: str) -> None:
        self._service = service
        self._engine = engine_of(service)
        self._source = request.source_client or service
        self._request = request
        self._info = info
        self._what = what

    async def said(self) -> dict[str, Any]:
        """What is said of the copy: content headers, metadata, tags."""
        request, info = self._request, self._info
        said: dict[str, Any] = {}
        if request.metadata_directive != "REPLACE":
            if info.missing_meta:
                raise ConfigError(
                    f"the {self._what}: {info.missing_meta} entries of the source's metadata cannot be told by HTTP and would "
                    "be lost"
                )
            said = {name: getattr(info, name) for name in _SAID}
            said["website_redirect_location"] = request.website_redirect_location or info.website_redirect_location
            said["metadata"] = info.metadata
            said["expires"] = Stored(info.expires) if info.expires else None
        said["tagging"] = request.tagging if request.tagging_directive == "REPLACE" else await self._tags()
        return said

    async def _tags(self) -> str | None:
        request = self._request
        operation = GetObjectTagging(
            request.source_bucket,
            request.source_key,
            version_id=request.version_id or self._info.version_id,
            expected_bucket_owner=request.expected_source_bucket_owner,
        )
        try:
            tags = await engine_of(self._source).call(operation)
        except (NoSuchConfiguration, OperationNotSupported):
            return None
        return urlencode(tags.as_dict(), quote_via=quote) or None

    async def retention(self) -> tuple[dict[str, Any], list[str]]:
        """The retention headers of the completion, and the legal holds that it cannot carry: it takes one."""
        request, info = self._request, self._info
        # Those that the call gives are carried.
        if request.retention_directive != "COPY" or info.retention_period is None:
            return {}, []
        target = await self._engine.call(
            GetBucketProtectionConfiguration(request.bucket, expected_bucket_owner=request.expected_bucket_owner)
        )
        if target.status == "Disabled":
            # CopyObject leaves retention behind where the target's bucket knows none.
            return {}, []
        holds: list[str] = []
        if info.legal_hold_count:
            state = await self._source.retention.get(request.source_bucket, request.source_key)
            holds = [hold.id for hold in state.legal_holds]
        first = holds[0] if holds else None
        return {"retention_period": info.retention_period, "retention_legal_hold_id": first}, holds[1:]

    async def hold(self, holds: list[str]) -> None:
        """Place the legal holds that the completion could not carry."""
        for hold in holds:
            try:
                await self._service.legal_holds.add(self._request.bucket, self._request.key, hold)
            except CosError as error:
                raise TransferError(
                    f"the {self._what}: the copy is there and under retention, but has not all legal holds of the source: "
                    f"{hold} could not be placed: {error}"
                ) from error

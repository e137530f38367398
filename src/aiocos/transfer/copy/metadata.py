"""Copy the metadata of a source, for a copy in parts.

CopyObject copies headers, metadata, tags, retention and legal holds by itself. A copy in parts must send all of them.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from aiocos.errors import ConfigError, CosError, NoSuchConfiguration, OperationNotSupported, TransferError
from aiocos.groups import Service, engine_of
from aiocos.operations.content_headers import CONTENT_HEADERS
from aiocos.operations.objects import ObjectInfo
from aiocos.operations.protection import GetBucketProtectionConfiguration
from aiocos.operations.tagging import GetObjectTagging
from aiocos.transfer.requests import CopyRequest
from aiocos.wire.values import Stored


class SourceMetadata:
    """The metadata of one source, whose HEAD is `info`."""

    def __init__(self, service: Service, request: CopyRequest, info: ObjectInfo, what: str) -> None:
        self._service = service
        self._engine = engine_of(service)
        self._source = request.source_client or service
        self._request = request
        self._info = info
        self._what = what

    async def headers(self) -> dict[str, Any]:
        """Return content headers, metadata and tags as parameters of the creation.

        Raises `ConfigError` if the service reports metadata that headers cannot carry.
        """
        request, info = self._request, self._info
        headers: dict[str, Any] = {}
        if request.metadata_directive != "REPLACE":
            if info.missing_meta:
                raise ConfigError(
                    f"the {self._what}: {info.missing_meta} entries of the source's metadata cannot be sent in headers, "
                    "and would be lost"
                )
            headers = {name: getattr(info, name) for name in CONTENT_HEADERS}
            headers["website_redirect_location"] = request.website_redirect_location or info.website_redirect_location
            headers["metadata"] = info.metadata
            headers["expires"] = Stored(info.expires) if info.expires else None
        headers["tagging"] = request.tagging if request.tagging_directive == "REPLACE" else await self._tags()
        return headers

    async def _tags(self) -> str | None:
        """Return the tags of the source, URL-encoded.

        Returns None if it has none or the service does not support tags.
        """
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
        """Return the retention parameters of the completion, and further legal holds.

        A completion can set one legal hold. The others are to be added afterwards.
        """
        request, info = self._request, self._info
        # Retention parameters of the call are passed on by `derive`.
        if request.retention_directive != "COPY" or info.retention_period is None:
            return {}, []
        target = await self._engine.call(
            GetBucketProtectionConfiguration(request.bucket, expected_bucket_owner=request.expected_bucket_owner)
        )
        if target.status == "Disabled":
            # CopyObject does not copy retention either if the target's bucket has no retention policy.
            return {}, []
        holds: list[str] = []
        if info.legal_hold_count:
            state = await self._source.retention.get(request.source_bucket, request.source_key)
            holds = [hold.id for hold in state.legal_holds]
        first = holds[0] if holds else None
        return {"retention_period": info.retention_period, "retention_legal_hold_id": first}, holds[1:]

    async def add_legal_holds(self, holds: list[str]) -> None:
        """Add legal holds to the copy.

        Raises `TransferError` if one cannot be added: the copy exists by then.
        """
        for hold in holds:
            try:
                await self._service.legal_holds.add(self._request.bucket, self._request.key, hold)
            except CosError as error:
                raise TransferError(
                    f"the {self._what}: the copy exists and is under retention, but lacks legal holds of the source: "
                    f"{hold} could not be added: {error}"
                ) from error

"""Names of the plain headers of content, derived from `ContentParams`."""

from __future__ import annotations

from dataclasses import fields

from aiocos.operations.objects import ObjectInfo
from aiocos.operations.shared import ContentParams

# `metadata` is many headers, `expires` may be a date or text, and `tagging` and `storage_class` are not about the content.
_OTHER_FIELDS = {"metadata", "expires", "tagging", "storage_class"}

CONTENT_HEADERS: tuple[str, ...] = tuple(
    f.name for f in fields(ContentParams) if f.name not in _OTHER_FIELDS and f.name in ObjectInfo.model_fields
)
"""Fields of `ContentParams` that a copy takes over from `ObjectInfo` as they are: `content_type`, `content_encoding` …"""

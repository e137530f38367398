"""The headers of an object: the result of GET and HEAD.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-compatibility-api-object-operations
"""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, ClassVar

from aiocos.operations.shared import WriteResult
from aiocos.wire.document import Timestamp
from aiocos.wire.spec import Header, HeaderMap

_EXPIRY = re.compile(r'ongoing-request="false".*?expiry-date="([^"]*)"')


class ObjectInfo(WriteResult):
    """The headers of an object, as GET and HEAD return them.

    A field is None where the service does not send the header. Times have a time zone (UTC).
    """

    needed: ClassVar[tuple[str, ...]] = ("etag",)

    last_modified: Annotated[Timestamp | None, Header("Last-Modified")] = None
    """Time at which the object or version was written."""
    content_length: Annotated[int | None, Header("Content-Length")] = None
    """Bytes of the response body: of the object, or of the range that was requested. HEAD has the same number."""
    content_range: Annotated[str | None, Header("Content-Range")] = None
    """The range that was read, and the size of the object: `bytes 0-99/1000`. None for a whole object."""
    content_type: Annotated[str | None, Header("Content-Type")] = None
    """Media type, as stored."""
    content_encoding: Annotated[str | None, Header("Content-Encoding")] = None
    """Encoding of the content, as stored, such as `gzip`. The client does not decompress."""
    content_disposition: Annotated[str | None, Header("Content-Disposition")] = None
    """How a browser presents the content, as stored."""
    content_language: Annotated[str | None, Header("Content-Language")] = None
    """Language of the content, as stored."""
    cache_control: Annotated[str | None, Header("Cache-Control")] = None
    """How long the content may be cached, as stored."""
    expires: Annotated[str | None, Header("Expires")] = None
    """When the content becomes stale: the text as stored, which need not be a date."""
    metadata: Annotated[dict[str, str], HeaderMap("x-amz-meta-")] = {}
    """User metadata, by name in lower case and without the prefix `x-amz-meta-`."""
    missing_meta: Annotated[int | None, Header("x-amz-missing-meta")] = None
    """Number of metadata entries that cannot be sent as HTTP headers and are therefore missing in `metadata`."""
    accept_ranges: Annotated[str | None, Header("Accept-Ranges")] = None
    """`bytes`: the service serves ranges."""
    website_redirect_location: Annotated[str | None, Header("x-amz-website-redirect-location")] = None
    """Target to which a static website redirects requests for this object: a URL, or a path that starts with `/`."""
    parts_count: Annotated[int | None, Header("x-amz-mp-parts-count")] = None
    """Number of parts of a multipart object. Sent only when a part was requested by `part_number`."""
    tag_count: Annotated[int | None, Header("x-amz-tagging-count")] = None
    """Number of the object's tags. None if it has none."""
    replication_status: Annotated[str | None, Header("x-amz-replication-status")] = None
    """State of replication: `PENDING`, `COMPLETE` or `FAILED` at the source, `REPLICA` at the target."""
    delete_marker: Annotated[bool | None, Header("x-amz-delete-marker")] = None
    """True if the response is about a delete marker. Reading one raises, so this is usually None."""

    storage_class: Annotated[str | None, Header("x-amz-storage-class")] = None
    """`GLACIER` or `ACCELERATED` if the object is archived, restored or not; None otherwise."""
    restore: Annotated[str | None, Header("x-amz-restore")] = None
    """`ongoing-request="true"` while a restore runs; then `ongoing-request="false", expiry-date="…"`. See `restored_until`."""
    transition: Annotated[str | None, Header("x-ibm-transition")] = None
    """Move to the archive: `transition="ARCHIVE", date="…"`. None for an object without one."""
    restored_copy_storage_class: Annotated[str | None, Header("x-ibm-restored-copy-storage-class")] = None
    """Storage class of the bucket. Sent only while a restore runs or a restored copy exists."""
    archive_transition_time: Annotated[str | None, Header("x-ibm-archive-transition-time")] = None
    """Time at which the object is to be archived, as the service writes it."""
    backup_restore_time: Annotated[str | None, Header("x-ibm-backup-restore-time")] = None
    """Time at which the object was restored from a backup vault, as the service writes it."""
    backup_restore_id: Annotated[str | None, Header("x-ibm-backup-restore-id")] = None
    """Id of the restore from a backup vault."""

    retention_period: Annotated[int | None, Header("Retention-Period")] = None
    """Retention in seconds from creation; -1: no end set; -2: for ever. None outside a bucket with a retention policy."""
    retention_expires: Annotated[Timestamp | None, Header("Retention-Expiration-Date", iso=True)] = None
    """End of the retention, for periods that have one."""
    legal_hold_count: Annotated[int | None, Header("Retention-Legal-Hold-Count")] = None
    """Number of legal holds on the object. None outside a bucket with a retention policy."""
    object_lock_mode: Annotated[str | None, Header("x-amz-object-lock-mode")] = None
    """Mode of the Object Lock: `COMPLIANCE` or `GOVERNANCE`. None if the version has no retention."""
    object_lock_retain_until: Annotated[
        Timestamp | None, Header("x-amz-object-lock-retain-until-date", iso=True, fraction=True)
    ] = None
    """Time until which the lock protects the version."""
    object_lock_legal_hold: Annotated[str | None, Header("x-amz-object-lock-legal-hold")] = None
    """`ON` or `OFF`: the Object Lock legal hold of the version."""

    @property
    def size(self) -> int:
        """Bytes of the response body: of the object, or of the range that was requested."""
        return self.content_length or 0

    @property
    def is_restoring(self) -> bool:
        """True while the object is being restored from the archive."""
        return 'ongoing-request="true"' in (self.restore or "")

    @property
    def restored_until(self) -> datetime | None:
        """Time until which a restored copy can be read; None without a restored copy."""
        found = _EXPIRY.search(self.restore or "")
        return None if found is None else parsedate_to_datetime(found[1])

    @property
    def is_archived(self) -> bool:
        """True if the object is archived and must be restored before it can be read."""
        return self.storage_class in ("GLACIER", "ACCELERATED") and self.restored_until is None

"""Replication of new objects to another bucket.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-replication-overview
"""

from dataclasses import KW_ONLY
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator

from aiocos.operations.listing import Page, another_page
from aiocos.operations.shared import ExpectedOwnerParams, Tag
from aiocos.wire.document import Document, Element, Extensible, Timestamp
from aiocos.wire.spec import Body, Header, Operation, Query, Result, operation


def _capitalized(value: Any) -> Any:
    return value.capitalize() if isinstance(value, str) else value


Status = Annotated[Literal["Enabled", "Disabled"], BeforeValidator(_capitalized)]
"""The service answers in capitals."""

_EMPTY_MD5 = "1B2M2Y8AsgTpgAmY7PhCfg=="  # of no bytes at all: the service demands a checksum where there is no body


class ReplicationAnd(Extensible):
    """Conditions that must all hold."""

    root: ClassVar[str] = "And"

    prefix: str | None = None
    tags: Annotated[list[Tag], Element("Tag", also="TagSet/Tag")] = []


class ReplicationFilter(Extensible):
    """The objects a rule is for: by prefix, by tag, or by several conditions in `and_`; empty, all of them."""

    root: ClassVar[str] = "Filter"

    prefix: str | None = None
    tag: Tag | None = None
    and_: Annotated[ReplicationAnd | None, Element("And")] = None


class Destination(Extensible):
    """Where objects are replicated to: the CRN of a bucket."""

    bucket: str
    storage_class: str | None = None


class DeleteMarkerReplication(Extensible):
    """Whether delete markers are replicated too."""

    status: Status


class ReplicationRule(Extensible):
    """What is replicated where. Of the rules that fit an object, the one of the highest priority counts."""

    root: ClassVar[str] = "Rule"

    id: Annotated[str | None, Element("ID")] = None
    priority: int
    status: Status
    prefix: str | None = None
    """The old form of the filter."""
    filter: ReplicationFilter
    destination: Destination
    delete_marker_replication: DeleteMarkerReplication


class ReplicationConfiguration(Extensible, Result):
    """The replication rules of a bucket, at most 1,000. `role` is not used."""

    root: ClassVar[str] = "ReplicationConfiguration"

    role: str | None = None
    rules: Annotated[list[ReplicationRule], Element("Rule")] = []


@operation("GET", "/{bucket}?replication")
class GetBucketReplication(ExpectedOwnerParams, Operation[ReplicationConfiguration]):
    """Read a bucket's replication rules. Raises `NoSuchConfiguration`."""

    bucket: str


@operation("PUT", "/{bucket}?replication")
class PutBucketReplication(ExpectedOwnerParams, Operation[Result]):
    """Replace a bucket's replication rules. Both buckets must be versioned. Raises `InvalidRequest`."""

    bucket: str
    configuration: Annotated[ReplicationConfiguration, Body(md5=True)]
    _: KW_ONLY
    token: Annotated[str | None, Header("x-amz-bucket-object-lock-token")] = None


@operation("DELETE", "/{bucket}?replication", success_status=204)
class DeleteBucketReplication(ExpectedOwnerParams, Operation[Result]):
    """Remove a bucket's replication rules."""

    bucket: str


class ReattemptResult(Result):
    """When the replications that failed will be tried again."""

    scheduled_time: Annotated[Timestamp | None, Header("x-ibm-replication-reattempt-scheduled-time")] = None


@operation("PUT", "/{bucket}?ibm-replication-reattempt", success_status=204)
class PutBucketReplicationReattempt(Operation[ReattemptResult]):
    """Ask for another try of all replications that failed, from the next midnight GMT on (IBM)."""

    bucket: str
    _: KW_ONLY
    content_md5: Annotated[str | None, Header("Content-MD5")] = _EMPTY_MD5


class ReplicationFailure(Document):
    """One replication that failed. `sync_type` is `content`, `metadata` or `objectLock`."""

    root: ClassVar[str] = "Contents"

    key: str
    version_id: str | None = None
    sync_type: str | None = None
    first_sync_attempted: Timestamp | None = None
    last_sync_attempted: Timestamp | None = None
    sync_failure_cause: str | None = None


class ReplicationFailures(Page):
    """A page of replications that failed, the newest first."""

    root: ClassVar[str] = "ListReplicationFailureResult"
    needed: ClassVar[tuple[str, ...]] = ("is_truncated",)

    name: str | None = None
    first_sync_attempted_before: str | None = None
    max_keys: int | None = None
    is_truncated: bool = False
    key_count: int | None = None
    continuation_token: str | None = None
    next_continuation_token: str | None = None
    contents: Annotated[list[ReplicationFailure], Element("Contents")] = []


@operation("GET", "/{bucket}?ibm-replication-failures")
class ListBucketReplicationFailures(Operation[ReplicationFailures]):
    """List the replications that failed, page by page, the newest first (IBM)."""

    bucket: str
    _: KW_ONLY
    first_sync_attempted_before: Annotated[str | None, Query("first-sync-attempted-before")] = None
    """Only those first tried before this time: ISO 8601, or milliseconds since 1970."""
    max_keys: Annotated[int | None, Query("max-keys")] = None
    continuation_token: Annotated[str | None, Query("continuation-token")] = None
    encoding_type: Annotated[Literal["url"] | None, Query("encoding-type")] = "url"
    content_md5: Annotated[str | None, Header("Content-MD5")] = _EMPTY_MD5

    def contradiction(self, result: ReplicationFailures) -> str | None:
        """Compare the bucket that the page is of."""
        return another_page(self.bucket, None, result.name, None, [])

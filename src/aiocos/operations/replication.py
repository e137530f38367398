"""Operation specs: automatic copies of new objects in other buckets.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-replication-overview
"""

from dataclasses import KW_ONLY
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator

from aiocos.operations.listing import Page, page_mismatch
from aiocos.operations.shared import ExpectedOwnerParams, Tag
from aiocos.wire.document import Document, Element, Extensible, Timestamp
from aiocos.wire.spec import Body, Header, Operation, Query, Result, operation


def _capitalized(value: Any) -> Any:
    return value.capitalize() if isinstance(value, str) else value


Status = Annotated[Literal["Enabled", "Disabled"], BeforeValidator(_capitalized)]
"""The state of a rule. The service returns it in capitals; it is read as `Enabled` or `Disabled`."""

_EMPTY_MD5 = "1B2M2Y8AsgTpgAmY7PhCfg=="  # of an empty body: the service demands a checksum although there is no body


class ReplicationAnd(Extensible):
    """Several conditions of a rule, all of which an object must meet."""

    root: ClassVar[str] = "And"

    prefix: str | None = None
    """Prefix of the key. None matches every key."""
    tags: Annotated[list[Tag], Element("Tag", also="TagSet/Tag")] = []
    """Tags that the object must have, all of them. Empty sets no condition."""


class ReplicationFilter(Extensible):
    """The objects that a rule is for.

    Set one field; put several conditions into `and_`. Without any, the rule is for all objects.
    """

    root: ClassVar[str] = "Filter"

    prefix: str | None = None
    """Prefix of the key. None sets no condition."""
    tag: Tag | None = None
    """Tag that the object must have. None sets no condition."""
    and_: Annotated[ReplicationAnd | None, Element("And")] = None
    """Several conditions together. None sets no condition."""


class Destination(Extensible):
    """The target bucket of a rule."""

    bucket: str
    """CRN of the target bucket: `crn:v1:bluemix:public:cloud-object-storage:global:a/{account}:{instance}:bucket:{name}`."""
    storage_class: str | None = None
    """Storage class of the replicas in the S3 protocol. IBM doesn't document it: with COS, the target bucket decides. None
    leaves it out.
    """


class DeleteMarkerReplication(Extensible):
    """The replication of delete markers."""

    status: Status
    """`Enabled` replicates delete markers, `Disabled` doesn't."""


class ReplicationRule(Extensible):
    """A rule: which new objects are replicated to which bucket.

    An object that several rules match is replicated by the one with the highest priority only.
    """

    root: ClassVar[str] = "Rule"

    id: Annotated[str | None, Element("ID")] = None
    """Name of the rule: letters, digits and `!_.*'()-`. None leaves it out."""
    priority: int
    """Priority of the rule; a higher number wins."""
    status: Status
    """`Enabled` applies the rule, `Disabled` keeps it without effect."""
    prefix: str | None = None
    """Prefix of the keys, in an older form of the rule. Use `filter` instead and leave this None."""
    filter: ReplicationFilter
    """Objects that the rule is for; `ReplicationFilter()` is for all."""
    destination: Destination
    """Target bucket. It must be versioned and must let the source bucket write to it (an IAM service authorization)."""
    delete_marker_replication: DeleteMarkerReplication
    """Replication of delete markers. Required by the service."""


class ReplicationConfiguration(Extensible, Result):
    """The replication rules of a bucket."""

    root: ClassVar[str] = "ReplicationConfiguration"

    role: str | None = None
    """IAM role in the S3 protocol. COS doesn't use it. None leaves it out."""
    rules: Annotated[list[ReplicationRule], Element("Rule")] = []
    """The rules, 1 to 1,000."""


@operation("GET", "/{bucket}?replication")
class GetBucketReplication(ExpectedOwnerParams, Operation[ReplicationConfiguration]):
    """Read a bucket's replication rules.

    Returns a `ReplicationConfiguration`. Raises `NoSuchConfiguration` if the bucket has no rules.
    """

    bucket: str
    """Name of the source bucket."""


@operation("PUT", "/{bucket}?replication")
class PutBucketReplication(ExpectedOwnerParams, Operation[Result]):
    """Replace all replication rules of a bucket.

    Both buckets must be versioned. The rules apply to objects that are written from now on; to replicate an existing object,
    copy it onto itself.

    Raises `InvalidRequest` if a rule isn't valid or the bucket isn't versioned.
    """

    bucket: str
    """Name of the source bucket."""
    configuration: Annotated[ReplicationConfiguration, Body(md5=True)]
    """The new rules: a new configuration, or a changed result of `replication.get`."""
    _: KW_ONLY
    token: Annotated[str | None, Header("x-amz-bucket-object-lock-token")] = None
    """Token for buckets with Object Lock in the S3 protocol. IBM doesn't document it. None sends no header."""


@operation("DELETE", "/{bucket}?replication", success_status=204)
class DeleteBucketReplication(ExpectedOwnerParams, Operation[Result]):
    """Delete a bucket's replication rules; existing replicas stay."""

    bucket: str
    """Name of the source bucket."""


class ReattemptResult(Result):
    """The time of the next attempt of failed replications."""

    scheduled_time: Annotated[Timestamp | None, Header("x-ibm-replication-reattempt-scheduled-time")] = None
    """Earliest time of the attempt, a midnight GMT. None if the service doesn't return it."""


@operation("PUT", "/{bucket}?ibm-replication-reattempt", success_status=204)
class PutBucketReplicationReattempt(Operation[ReattemptResult]):
    """Schedule another attempt of all failed replications of a bucket.

    It starts at the next midnight GMT at the earliest. The service retries failures by itself for 30 days; this retries older
    ones too. IBM only, not part of S3.

    Returns a `ReattemptResult`.
    """

    bucket: str
    """Name of the source bucket."""
    _: KW_ONLY
    content_md5: Annotated[str | None, Header("Content-MD5")] = _EMPTY_MD5
    """MD5 of the empty body, in base64. The service demands it although the request has no body. None sends no header."""


class ReplicationFailure(Document):
    """One failed replication."""

    root: ClassVar[str] = "Contents"

    key: str
    """Key of the object."""
    version_id: str | None = None
    """Id of the version."""
    sync_type: str | None = None
    """Part of the version that wasn't replicated: `content`, `metadata` or `objectLock`. IBM's pages also write `Content`."""
    first_sync_attempted: Timestamp | None = None
    """Time of the first attempt."""
    last_sync_attempted: Timestamp | None = None
    """Time of the last attempt."""
    sync_failure_cause: str | None = None
    """Cause of the last failure, as text, such as `Versioning disabled on destination bucket`."""


class ReplicationFailures(Page):
    """A page of failed replications, the newest first."""

    root: ClassVar[str] = "ListReplicationFailureResult"
    needed: ClassVar[tuple[str, ...]] = ("is_truncated",)

    name: str | None = None
    """Name of the bucket."""
    first_sync_attempted_before: str | None = None
    """Time given in the request, as ISO 8601. None if the request gave none."""
    max_keys: int | None = None
    """Most failures on the page, as requested."""
    is_truncated: bool = False
    """True if there are further pages."""
    key_count: int | None = None
    """Failures on the page."""
    continuation_token: str | None = None
    """Token given in the request. None on the first page."""
    next_continuation_token: str | None = None
    """Token of the next page. None on the last page."""
    contents: Annotated[list[ReplicationFailure], Element("Contents")] = []
    """Failures of the page."""


@operation("GET", "/{bucket}?ibm-replication-failures")
class ListBucketReplicationFailures(Operation[ReplicationFailures]):
    """List the failed replications of a bucket, the newest first.

    IBM only, not part of S3. Returns `ReplicationFailures`, page by page.
    """

    bucket: str
    """Name of the source bucket."""
    _: KW_ONLY
    first_sync_attempted_before: Annotated[str | None, Query("first-sync-attempted-before")] = None
    """List only failures that were first attempted before this time: ISO 8601 text, or milliseconds since 1970 as text. None
    lists all.
    """
    max_keys: Annotated[int | None, Query("max-keys")] = None
    """Most failures on one page, 1 to 1,000. None lets the service choose: 1,000."""
    continuation_token: Annotated[str | None, Query("continuation-token")] = None
    """Token of the page to start with, from `next_continuation_token`. None starts with the first page."""
    encoding_type: Annotated[Literal["url"] | None, Query("encoding-type")] = "url"
    """`url` asks the service to percent-encode keys, because XML can't carry all characters; the library decodes them. None
    doesn't ask for it.
    """
    content_md5: Annotated[str | None, Header("Content-MD5")] = _EMPTY_MD5
    """MD5 of the empty body, in base64. The service demands it although the request has no body. None sends no header."""

    def find_mismatch(self, result: ReplicationFailures) -> str | None:
        """Compare the bucket."""
        return page_mismatch(self.bucket, None, result.name, None, [])

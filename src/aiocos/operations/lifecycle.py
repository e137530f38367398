"""Lifecycle of objects: archive, expiry, and the end of stale uploads; and the restoring of archived objects.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-archive
https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-expiry
"""

from dataclasses import KW_ONLY
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from aiocos.operations.shared import ExpectedOwnerParams, Tag
from aiocos.wire.document import Document, Element, Extensible, Timestamp
from aiocos.wire.spec import Body, Operation, Query, Result, operation

Status = Literal["Enabled", "Disabled"]


class Transition(Extensible):
    """When new objects go to the archive: after days (0: at once), or at a date in the future."""

    date: Timestamp | None = None
    days: int | None = None
    storage_class: str | None = None
    """`GLACIER` (restored within 12 hours) or `ACCELERATED` (within 2)."""


class Expiration(Extensible):
    """When objects expire: days after their creation, counted to the next midnight UTC, or at a date."""

    date: Timestamp | None = None
    days: int | None = None
    expired_object_delete_marker: bool | None = None
    """Remove delete markers that no version stands behind."""


class NoncurrentVersionExpiration(Extensible):
    """When versions expire that are not the current one: days after they were succeeded."""

    noncurrent_days: int | None = None
    newer_noncurrent_versions: int | None = None


class NoncurrentVersionTransition(Extensible):
    """When versions go to another storage class that are not the current one. Not offered by COS; other services have it."""

    noncurrent_days: int | None = None
    """Days after a version was succeeded by another."""
    newer_noncurrent_versions: int | None = None
    """How many noncurrent versions stay where they are, the newest first. None: none of them."""
    storage_class: str | None = None
    """The storage class that versions go to."""


class AbortIncompleteMultipartUpload(Extensible):
    """When uploads are aborted that were not completed: days after they were begun."""

    days_after_initiation: int | None = None


class FilterAnd(Extensible):
    """Conditions that must all hold."""

    root: ClassVar[str] = "And"

    prefix: str | None = None
    tags: Annotated[list[Tag], Element("Tag", also="TagSet/Tag")] = []
    object_size_greater_than: int | None = None
    object_size_less_than: int | None = None


class LifecycleFilter(Extensible):
    """The objects a rule is for: one condition, or several in `and_`; empty, all of them."""

    root: ClassVar[str] = "Filter"

    prefix: str | None = None
    tag: Annotated[Tag | None, Element("Tag", also="TagSet/Tag")] = None
    object_size_greater_than: int | None = None
    object_size_less_than: int | None = None
    and_: Annotated[FilterAnd | None, Element("And")] = None


class LifecycleRule(Extensible):
    """What becomes of which objects."""

    root: ClassVar[str] = "Rule"

    id: Annotated[str | None, Element("ID")] = None
    """Unique in its bucket: letters, digits and `!_.*'()-`."""
    status: Status
    filter: LifecycleFilter | None = None
    prefix: str | None = None
    """The old form of the filter."""
    transitions: Annotated[list[Transition], Element("Transition")] = []
    expiration: Expiration | None = None
    noncurrent_version_transitions: Annotated[list[NoncurrentVersionTransition], Element("NoncurrentVersionTransition")] = []
    """When versions that are not the current one go to another storage class. COS refuses it."""
    noncurrent_version_expiration: NoncurrentVersionExpiration | None = None
    abort_incomplete_multipart_upload: AbortIncompleteMultipartUpload | None = None

    @classmethod
    def archive(
        cls,
        *,
        days: int | None = None,
        date: datetime | None = None,
        storage_class: Literal["GLACIER", "ACCELERATED"] = "GLACIER",
        id: str | None = None,
    ) -> "LifecycleRule":
        """Return the rule that archives every new object after days or at a date (a bucket has one such rule, unfiltered)."""
        transition = Transition(days=days, date=date, storage_class=storage_class)
        return LifecycleRule(id=id, status="Enabled", filter=LifecycleFilter(prefix=""), transitions=[transition])

    @classmethod
    def expire(
        cls, *, days: int | None = None, date: datetime | None = None, prefix: str = "", id: str | None = None
    ) -> "LifecycleRule":
        """Return the rule that lets the objects with a prefix expire after days or at a date."""
        return LifecycleRule(
            id=id, status="Enabled", filter=LifecycleFilter(prefix=prefix), expiration=Expiration(days=days, date=date)
        )

    @classmethod
    def abort_uploads(cls, *, days: int, prefix: str = "", id: str | None = None) -> "LifecycleRule":
        """Return the rule that aborts uploads which were not completed within days."""
        return LifecycleRule(
            id=id,
            status="Enabled",
            filter=LifecycleFilter(prefix=prefix),
            abort_incomplete_multipart_upload=AbortIncompleteMultipartUpload(days_after_initiation=days),
        )


class LifecycleRules(Document):
    """The rules of a bucket, at most 1,000."""

    closed: ClassVar[bool] = True
    root: ClassVar[str] = "LifecycleConfiguration"

    rules: Annotated[list[LifecycleRule], Element("Rule")] = []


class LifecycleConfiguration(Extensible, Result):
    """The rules of a bucket as the service tells them."""

    root: ClassVar[str] = "LifecycleConfiguration"

    rules: Annotated[list[LifecycleRule], Element("Rule")] = []


@operation("GET", "/{bucket}?lifecycle")
class GetBucketLifecycleConfiguration(ExpectedOwnerParams, Operation[LifecycleConfiguration]):
    """Read a bucket's lifecycle rules. Raises `NoSuchConfiguration`."""

    bucket: str


@operation("PUT", "/{bucket}?lifecycle")
class PutBucketLifecycleConfiguration(ExpectedOwnerParams, Operation[Result]):
    """Replace a bucket's lifecycle rules. An archive rule is for new objects only, expiry for those that are there too.

    Takes a list of rules, or what `lifecycle.get` returned: elements that this library does not know are written back.

    Raises `InvalidRequest`.
    """

    bucket: str
    rules: Annotated[list[LifecycleRule] | LifecycleConfiguration, Body(md5=True, of=LifecycleRules)]


@operation("DELETE", "/{bucket}?lifecycle", success_status=204)
class DeleteBucketLifecycle(ExpectedOwnerParams, Operation[Result]):
    """Remove a bucket's lifecycle rules."""

    bucket: str


class GlacierJobParameters(Document):
    """How fast to restore."""

    tier: str
    """`Bulk` for objects in GLACIER (12 hours), `Accelerated` for those in ACCELERATED (2 hours)."""


class RestoreRequest(Document):
    """How long a restored copy shall stay, in days, and how fast it shall be there."""

    days: int
    glacier_job_parameters: GlacierJobParameters | None = None


@operation("POST", "/{bucket}/{key}?restore", success_status=202)
class RestoreObject(Operation[Result]):
    """Restore an archived object for some days; where it is restored already, change how long it stays.

    Raises `InvalidObjectState` (not archived), `Conflict` (a restore is running), `NoSuchKey`.
    """

    bucket: str
    key: str
    request: Annotated[RestoreRequest, Body(md5=True)]
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None

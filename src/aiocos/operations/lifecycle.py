"""Operation specs: lifecycle rules of a bucket, and restores of objects.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-archive
https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-expiry
https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-lifecycle-cleanup-mpu
"""

from dataclasses import KW_ONLY
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from aiocos.operations.shared import ExpectedOwnerParams, Tag
from aiocos.wire.document import Document, Element, Extensible, Timestamp
from aiocos.wire.spec import Body, Operation, Query, Result, operation

Status = Literal["Enabled", "Disabled"]
"""The state of a rule."""


class Transition(Extensible):
    """The archiving of new objects, after some days or at a date.

    Set either `days` or `date`. Objects that exist when the rule is written are not archived.
    """

    date: Timestamp | None = None
    """Time at which new objects are archived, in the future; give a midnight UTC. A time without a zone counts as
    UTC. None if `days` is set.
    """
    days: int | None = None
    """Days from the creation of an object until it is archived, 0 or more; 0 archives it at once. None if `date` is set."""
    storage_class: str | None = None
    """Archive tier: `GLACIER` (a restore takes up to 12 hours) or `ACCELERATED` (up to 2 hours). Required by the service."""


class Expiration(Extensible):
    """The deletion of objects, after some days or at a date.

    Set one field. In a bucket with versioning, an expired object gets a delete marker and its versions stay. Objects under
    retention or a lock are deleted only when they are free.
    """

    date: Timestamp | None = None
    """Time at which objects are deleted; give a midnight UTC. A time without a zone counts as UTC. None if another field is
    set.
    """
    days: int | None = None
    """Days from the creation of an object until it is deleted, 1 or more, rounded up to the next midnight UTC. None if another
    field is set.
    """
    expired_object_delete_marker: bool | None = None
    """True removes delete markers of objects that have no other versions. None if another field is set."""


class NoncurrentVersionExpiration(Extensible):
    """The deletion of versions that are no longer current."""

    noncurrent_days: int | None = None
    """Days from the creation of the next version until a version is deleted, 1 or more, rounded up to the next midnight UTC.
    Required by the service.
    """
    newer_noncurrent_versions: int | None = None
    """Noncurrent versions to keep for each object, the newest ones; 1 or more. None keeps none. IBM's documentation doesn't
    mention it.
    """


class NoncurrentVersionTransition(Extensible):
    """The archiving of versions that are no longer current.

    COS refuses it; other S3 services have it.
    """

    noncurrent_days: int | None = None
    """Days from the creation of the next version until a version is moved."""
    newer_noncurrent_versions: int | None = None
    """Noncurrent versions that stay where they are, the newest ones. None keeps none."""
    storage_class: str | None = None
    """Storage class to move versions to."""


class AbortIncompleteMultipartUpload(Extensible):
    """The abort of multipart uploads that were not completed.

    Their parts take up storage until then.
    """

    days_after_initiation: int | None = None
    """Days from the start of an upload until it is aborted, 1 or more. Required by the service."""


class FilterAnd(Extensible):
    """Several conditions of a rule, all of which an object must meet."""

    root: ClassVar[str] = "And"

    prefix: str | None = None
    """Prefix of the key. None matches every key."""
    tags: Annotated[list[Tag], Element("Tag", also="TagSet/Tag")] = []
    """Tags that the object must have, all of them. Empty sets no condition."""
    object_size_greater_than: int | None = None
    """Size in bytes, above 0: the object must be larger. None sets no condition."""
    object_size_less_than: int | None = None
    """Size in bytes, above 0: the object must be smaller. None sets no condition."""


class LifecycleFilter(Extensible):
    """The objects that a rule is for.

    Set one field; put several conditions into `and_`. Without any, the rule is for all objects. A rule that archives must be
    for all objects, with `prefix=""`.
    """

    root: ClassVar[str] = "Filter"

    prefix: str | None = None
    """Prefix of the key. An empty text matches every key; None sets no condition."""
    tag: Annotated[Tag | None, Element("Tag", also="TagSet/Tag")] = None
    """Tag that the object must have. None sets no condition."""
    object_size_greater_than: int | None = None
    """Size in bytes, above 0: the object must be larger. None sets no condition."""
    object_size_less_than: int | None = None
    """Size in bytes, above 0: the object must be smaller. None sets no condition."""
    and_: Annotated[FilterAnd | None, Element("And")] = None
    """Several conditions together. None sets no condition."""


class LifecycleRule(Extensible):
    """A lifecycle rule: what to do with which objects, and when.

    `archive`, `expire` and `abort_uploads` build the usual ones. A rule has at least one action.
    """

    root: ClassVar[str] = "Rule"

    id: Annotated[str | None, Element("ID")] = None
    """Name of the rule, unique in its bucket: letters, digits and `!_.*'()-`. None leaves it out."""
    status: Status
    """`Enabled` applies the rule, `Disabled` keeps it without effect."""
    filter: LifecycleFilter | None = None
    """Objects that the rule is for. None only in rules with the older `prefix`."""
    prefix: str | None = None
    """Prefix of the keys, in an older form of the rule. Use `filter` instead and leave this None."""
    transitions: Annotated[list[Transition], Element("Transition")] = []
    """Archiving of new objects. COS takes at most one transition in all rules of a bucket."""
    expiration: Expiration | None = None
    """Deletion of objects. None doesn't delete any."""
    noncurrent_version_transitions: Annotated[list[NoncurrentVersionTransition], Element("NoncurrentVersionTransition")] = []
    """Archiving of versions that are no longer current. COS refuses it."""
    noncurrent_version_expiration: NoncurrentVersionExpiration | None = None
    """Deletion of versions that are no longer current. None doesn't delete any."""
    abort_incomplete_multipart_upload: AbortIncompleteMultipartUpload | None = None
    """Abort of uploads that were not completed. None leaves them open."""

    @classmethod
    def archive(
        cls,
        *,
        days: int | None = None,
        date: datetime | None = None,
        storage_class: Literal["GLACIER", "ACCELERATED"] = "GLACIER",
        id: str | None = None,
    ) -> "LifecycleRule":
        """Return the rule that archives all new objects; a bucket has one at most.

        Args:
            days: Days from the creation of an object until it is archived, 0 or more. Give either `days` or `date`.
            date: Time at which new objects are archived, in the future; give a midnight UTC.
            storage_class: Archive tier: `GLACIER` (a restore takes up to 12 hours) or `ACCELERATED` (up to 2 hours).
            id: Name of the rule. None leaves it out.
        """
        transition = Transition(days=days, date=date, storage_class=storage_class)
        return LifecycleRule(id=id, status="Enabled", filter=LifecycleFilter(prefix=""), transitions=[transition])

    @classmethod
    def expire(
        cls, *, days: int | None = None, date: datetime | None = None, prefix: str = "", id: str | None = None
    ) -> "LifecycleRule":
        """Return a rule that deletes objects.

        Args:
            days: Days from the creation of an object until it is deleted, 1 or more. Give either `days` or `date`.
            date: Time at which objects are deleted; give a midnight UTC.
            prefix: Prefix of the keys of the objects to delete. Empty deletes all objects.
            id: Name of the rule. None leaves it out.
        """
        return LifecycleRule(
            id=id, status="Enabled", filter=LifecycleFilter(prefix=prefix), expiration=Expiration(days=days, date=date)
        )

    @classmethod
    def abort_uploads(cls, *, days: int, prefix: str = "", id: str | None = None) -> "LifecycleRule":
        """Return a rule that aborts multipart uploads that were not completed.

        Args:
            days: Days from the start of an upload until it is aborted, 1 or more.
            prefix: Prefix of the keys of the uploads to abort. Empty aborts all of them.
            id: Name of the rule. None leaves it out.
        """
        return LifecycleRule(
            id=id,
            status="Enabled",
            filter=LifecycleFilter(prefix=prefix),
            abort_incomplete_multipart_upload=AbortIncompleteMultipartUpload(days_after_initiation=days),
        )


class LifecycleRules(Document):
    """The lifecycle rules to write."""

    closed: ClassVar[bool] = True
    root: ClassVar[str] = "LifecycleConfiguration"

    rules: Annotated[list[LifecycleRule], Element("Rule")] = []
    """The rules, 1 to 1,000."""


class LifecycleConfiguration(Extensible, Result):
    """The lifecycle rules of a bucket."""

    root: ClassVar[str] = "LifecycleConfiguration"

    rules: Annotated[list[LifecycleRule], Element("Rule")] = []
    """The rules, 1 to 1,000."""


@operation("GET", "/{bucket}?lifecycle")
class GetBucketLifecycleConfiguration(ExpectedOwnerParams, Operation[LifecycleConfiguration]):
    """Read a bucket's lifecycle rules.

    Returns a `LifecycleConfiguration`. Raises `NoSuchConfiguration` if the bucket has no rules.
    """

    bucket: str
    """Name of the bucket."""


@operation("PUT", "/{bucket}?lifecycle")
class PutBucketLifecycleConfiguration(ExpectedOwnerParams, Operation[Result]):
    """Replace all lifecycle rules of a bucket.

    An archive rule applies to objects that are written from now on; an expiry rule applies to existing objects too. The service
    may take 24 hours to apply a change.

    Raises `InvalidRequest` if a rule isn't valid.

    Example: `await cos.lifecycle.put("b", [LifecycleRule.expire(days=30, prefix="logs/")])`
    """

    bucket: str
    """Name of the bucket."""
    rules: Annotated[list[LifecycleRule] | LifecycleConfiguration, Body(md5=True, of=LifecycleRules)]
    """The new rules: a list, or a changed result of `lifecycle.get`, which keeps elements that this library has no field for.
    """


@operation("DELETE", "/{bucket}?lifecycle", success_status=204)
class DeleteBucketLifecycle(ExpectedOwnerParams, Operation[Result]):
    """Delete a bucket's lifecycle rules.

    Objects that were written under an archive rule are still archived. Raises `NotFound` if the bucket has no rules, according
    to one page of IBM's documentation; other services return success.
    """

    bucket: str
    """Name of the bucket."""


class GlacierJobParameters(Document):
    """The speed of a restore."""

    tier: str
    """`Bulk` for objects in `GLACIER` (up to 12 hours), `Accelerated` for objects in `ACCELERATED` (up to 2 hours)."""


class RestoreRequest(Document):
    """The parameters of a restore."""

    days: int
    """Days for which the restored copy stays readable, 1 or more."""
    glacier_job_parameters: GlacierJobParameters | None = None
    """Speed of the restore. None takes the one of the archive tier that the object is in."""


@operation("POST", "/{bucket}/{key}?restore", success_status=202)
class RestoreObject(Operation[Result]):
    """Restore an archived object, or change how long its restored copy stays.

    The restore runs on for hours after this returns; `objects.head` shows its state.

    Raises `InvalidObjectState` if the object isn't archived, `Conflict` if a restore is running, `NoSuchKey`.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    request: Annotated[RestoreRequest, Body(md5=True)]
    """Days and speed, such as `RestoreRequest(days=3)`."""
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None
    """Id of the version to restore. None restores the current version."""

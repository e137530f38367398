"""Operation specs: Immutable Object Storage (IBM), retention and legal holds.

A retention policy belongs to a bucket and gives every object a retention period. Legal holds protect single objects beyond
that. Not part of S3, and not to be combined with Object Lock, versioning or replication.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-immutable
"""

from dataclasses import KW_ONLY
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

from aiocos.operations.shared import ExpectedOwnerParams, MirrorParams
from aiocos.wire.document import Document, Element, Extensible, Timestamp
from aiocos.wire.spec import Body, Header, Operation, Query, Result, operation


class RetentionDays(Extensible):
    """A retention period of a policy."""

    days: int
    """Days, 0 or more. The most is 365,243 (1,000 years) on one page of IBM's documentation and 36,135 (99 years) on another.
    """


class ProtectionConfiguration(Extensible, Result):
    """The retention policy of a bucket. It can be changed, but never removed.

    `of_days` builds one. The minimum must not exceed the default, nor the default the maximum.
    """

    root: ClassVar[str] = "ProtectionConfiguration"
    namespace: ClassVar[str] = ""

    status: str = "Retention"
    """`Retention`. As read, `Disabled` if the bucket has no policy."""
    minimum_retention: RetentionDays | None = None
    """Shortest period that an object may have. Required by the service; None, as read, without a policy."""
    default_retention: RetentionDays | None = None
    """Period of objects that are written without one. Required by the service; None, as read, without a policy."""
    maximum_retention: RetentionDays | None = None
    """Longest period that an object may have. Required by the service; None, as read, without a policy."""
    enable_permanent_retention: bool | None = None
    """True allows objects with a period of -2, which can never be deleted. This can't be undone, and every later change of the
    policy must set it again. None leaves it out, which counts as False.
    """

    @classmethod
    def of_days(cls, *, minimum: int, default: int, maximum: int, permanent: bool | None = None) -> "ProtectionConfiguration":
        """Return a policy.

        Args:
            minimum: Shortest period that an object may have, in days.
            default: Period of objects that are written without one, in days.
            maximum: Longest period that an object may have, in days.
            permanent: True allows objects that can never be deleted. It can't be undone. None leaves it out.
        """
        return ProtectionConfiguration(
            minimum_retention=RetentionDays(days=minimum),
            default_retention=RetentionDays(days=default),
            maximum_retention=RetentionDays(days=maximum),
            enable_permanent_retention=permanent,
        )


class Protection(ProtectionConfiguration):
    """The retention policy of a bucket, as read."""

    needed: ClassVar[tuple[str, ...]] = ("status",)

    management_state: Annotated[str | None, Header("x-ibm-protection-management-state")] = None
    """`active` if protection management is active. None otherwise."""


@operation("GET", "/{bucket}?protection")
class GetBucketProtectionConfiguration(ExpectedOwnerParams, Operation[Protection]):
    """Read a bucket's retention policy.

    IBM only. Returns a `Protection`; its `status` is `Disabled` if the bucket has no policy.
    """

    bucket: str
    """Name of the bucket."""


@operation("PUT", "/{bucket}?protection")
class PutBucketProtectionConfiguration(Operation[Result]):
    """Set or change a bucket's retention policy.

    IBM only. The first policy needs an empty bucket that was never versioned. A policy can't be removed, and objects under
    retention can't be deleted by anybody. A change doesn't affect the periods of existing objects.

    Raises `InvalidRequest` if a period is out of order or range, `InvalidBucketState` if the bucket has objects, versioning,
    Object Lock or replication, `AccessDenied` without the Manager role.

    Example: `await cos.protection.put("b", ProtectionConfiguration.of_days(minimum=1, default=30, maximum=365))`
    """

    bucket: str
    """Name of the bucket."""
    configuration: Annotated[ProtectionConfiguration, Body(md5=True)]
    """The new policy, such as `ProtectionConfiguration.of_days(minimum=1, default=30, maximum=365)`."""


# ---------------------------------------------------------------------------------------------------------------------
# Legal holds and retention of an object


@operation("POST", "/{bucket}/{key}?legalHold", idempotent=False)
class AddLegalHold(Operation[Result]):
    """Place a legal hold on an object in a bucket with a retention policy.

    IBM only. The object can't be deleted or overwritten while it has a hold, even after its retention period. Each hold has an
    id; an object can have 100.

    Raises `InvalidRequest` if the id isn't valid, the bucket has no policy, the object has no retention or 100 holds already,
    `Conflict` if the object has a hold with this id, `NoSuchKey`, `AccessDenied` without the Manager role.

    Example: `await cos.legal_holds.add("b", "k", "case-4711")`
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    hold_id: Annotated[str, Query("add")]
    """Id of the hold: 1 to 64 letters, digits and `! _ . * ( ) -`."""


@operation("POST", "/{bucket}/{key}?legalHold", idempotent=False)
class DeleteLegalHold(Operation[Result]):
    """Lift one legal hold of an object.

    IBM only. Other holds and the retention period stay.

    Raises `NotFound` if the object has no hold with this id (IBM documents no error for it), `InvalidRequest` if the object has
    no retention, `AccessDenied` without the Manager role.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    hold_id: Annotated[str, Query("remove")]
    """Id of the hold."""


class NamedLegalHold(Document):
    """A legal hold of an object."""

    root: ClassVar[str] = "LegalHold"

    id: Annotated[str, Element("ID")]
    """Id of the hold."""
    date: Timestamp | None = None
    """Time at which the hold was placed. None if the service leaves it out."""


class RetentionState(Result):
    """The retention and the legal holds of an object."""

    root: ClassVar[str] = "RetentionState"
    namespace: ClassVar[str] = ""

    create_time: Timestamp | None = None
    """Time at which the object was written and its period begins. None if the service leaves it out."""
    retention_period: int | None = None
    """Retention period in seconds from `create_time`; -1 is indefinite, -2 permanent. None if the service leaves it out."""
    retention_expires: Annotated[Timestamp | None, Element("RetentionPeriodExpirationDate")] = None
    """Time at which the period ends. None if it is indefinite or permanent."""
    # IBM's documentation has LegalHoldSet, IBM's SDKs read LegalHolds.
    legal_holds: Annotated[list[NamedLegalHold], Element("LegalHoldSet/LegalHold", also="LegalHolds/*")] = []
    """Legal holds of the object; empty if it has none."""


@operation("GET", "/{bucket}/{key}?legalHold")
class ListLegalHolds(MirrorParams, Operation[RetentionState]):
    """Read the retention and the legal holds of an object.

    IBM only. Returns a `RetentionState`. Raises `NotFound` if the object doesn't exist or has no retention.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""


@operation("POST", "/{bucket}/{key}?extendRetention")
class ExtendObjectRetention(Operation[Result]):
    """Extend the retention of an object.

    IBM only. Give exactly one of the four parameters. A period is a `timedelta` or a number of seconds. The retention can only
    get longer, and not beyond the bucket's maximum, counted from now. An object with indefinite retention gets an end.

    Raises `InvalidRequest` if several parameters or none are given, if the retention would not get longer or exceed the
    maximum, or if the object has no retention or a permanent one; `NoSuchKey`.

    Example: `await cos.retention.extend("b", "k", additional_period=timedelta(days=30))`
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    _: KW_ONLY
    additional_period: Annotated[int | timedelta | None, Header("Additional-Retention-Period")] = None
    """Time to add to the current period, in seconds or as a `timedelta`. Not for indefinite retention, which has no end. None
    sends no header.
    """
    new_period: Annotated[int | timedelta | None, Header("New-Retention-Period")] = None
    """New period from the creation of the object, in seconds or as a `timedelta`. None sends no header."""
    new_expires: Annotated[datetime | None, Header("New-Retention-Expiration-Date", iso=True)] = None
    """Time at which the new period ends, with a time zone; `ConfigError` otherwise. None sends no header."""
    from_now: Annotated[int | timedelta | None, Header("Extend-Retention-From-Current-Time")] = None
    """Time from now until the new period ends, in seconds or as a `timedelta`; between the bucket's minimum and maximum. None
    sends no header.
    """

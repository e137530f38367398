"""Immutable Object Storage (IBM): a bucket's retention policy, and the retention and legal holds of its objects.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-immutable
"""

from dataclasses import KW_ONLY
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

from aiocos.operations.shared import ExpectedOwnerParams, MirrorParams
from aiocos.wire.document import Document, Element, Extensible, Timestamp
from aiocos.wire.spec import Body, Header, Operation, Query, Result, operation


class RetentionDays(Extensible):
    """A period in days: 0 to 365,243 by the service's reference, 36,135 by another page of its documentation."""

    days: int


class ProtectionConfiguration(Extensible, Result):
    """A bucket's retention policy: minimum ≤ default ≤ maximum. It can be changed, and never removed.

    `status` is `Retention`, or `Disabled` in the answer about a bucket that has no policy. `enable_permanent_retention` cannot
    be taken back: once true, it must be said with every change.
    """

    root: ClassVar[str] = "ProtectionConfiguration"
    namespace: ClassVar[str] = ""

    status: str = "Retention"
    minimum_retention: RetentionDays | None = None
    default_retention: RetentionDays | None = None
    maximum_retention: RetentionDays | None = None
    enable_permanent_retention: bool | None = None

    @classmethod
    def of_days(cls, *, minimum: int, default: int, maximum: int, permanent: bool | None = None) -> "ProtectionConfiguration":
        """Return the policy with these periods, in days."""
        return ProtectionConfiguration(
            minimum_retention=RetentionDays(days=minimum),
            default_retention=RetentionDays(days=default),
            maximum_retention=RetentionDays(days=maximum),
            enable_permanent_retention=permanent,
        )


class Protection(ProtectionConfiguration):
    """A bucket's retention policy as the service tells it."""

    needed: ClassVar[tuple[str, ...]] = ("status",)

    management_state: Annotated[str | None, Header("x-ibm-protection-management-state")] = None
    """`active` where protection management is on."""


@operation("GET", "/{bucket}?protection")
class GetBucketProtectionConfiguration(ExpectedOwnerParams, Operation[Protection]):
    """Read a bucket's retention policy (IBM). Without one the status is `Disabled`."""

    bucket: str


@operation("PUT", "/{bucket}?protection")
class PutBucketProtectionConfiguration(Operation[Result]):
    """Set or change a bucket's retention policy (IBM). The first one needs an empty bucket without versioning.

    Objects keep the periods they have. Raises `InvalidRequest` (periods out of order or range), `InvalidBucketState` (versions,
    lock, replication, or objects are there), `AccessDenied` (needs the Manager role).
    """

    bucket: str
    configuration: Annotated[ProtectionConfiguration, Body(md5=True)]


# ---------------------------------------------------------------------------------------------------------------------
# Legal holds and retention of an object


@operation("POST", "/{bucket}/{key}?legalHold", idempotent=False)
class AddLegalHold(Operation[Result]):
    """Place a legal hold on an object in a bucket with a retention policy (IBM).

    Raises `InvalidRequest` (bad id, no policy, no retention, 100 holds already), `Conflict` (the object has this hold),
    `NoSuchKey`, `AccessDenied` (needs the Manager role).
    """

    bucket: str
    key: str
    hold_id: Annotated[str, Query("add")]
    """1 to 64 characters: letters, digits, `! _ . * ( ) -`."""


@operation("POST", "/{bucket}/{key}?legalHold", idempotent=False)
class DeleteLegalHold(Operation[Result]):
    """Lift one legal hold of an object; other holds and the retention period stay (IBM).

    Raises `NotFound`, `InvalidRequest`.
    """

    bucket: str
    key: str
    hold_id: Annotated[str, Query("remove")]


class NamedLegalHold(Document):
    """One legal hold of an object: its id, and when it was placed."""

    root: ClassVar[str] = "LegalHold"

    id: Annotated[str, Element("ID")]
    date: Timestamp | None = None


class RetentionState(Result):
    """Retention and legal holds of an object. The period is in seconds from `create_time`; -1 indefinite, -2 permanent."""

    root: ClassVar[str] = "RetentionState"
    namespace: ClassVar[str] = ""

    create_time: Timestamp | None = None
    retention_period: int | None = None
    retention_expires: Annotated[Timestamp | None, Element("RetentionPeriodExpirationDate")] = None
    # The documentation has LegalHoldSet, the SDKs of IBM read LegalHolds.
    legal_holds: Annotated[list[NamedLegalHold], Element("LegalHoldSet/LegalHold", also="LegalHolds/*")] = []


@operation("GET", "/{bucket}/{key}?legalHold")
class ListLegalHolds(MirrorParams, Operation[RetentionState]):
    """List the legal holds of an object, with its retention (IBM). Raises `NotFound` where it has no retention."""

    bucket: str
    key: str


@operation("POST", "/{bucket}/{key}?extendRetention")
class ExtendObjectRetention(Operation[Result]):
    """Make an object's retention longer, in exactly one of four ways (IBM). Periods are seconds or timedeltas.

    Raises `InvalidRequest`: none or several ways, not longer, beyond what the bucket allows, no retention.
    """

    bucket: str
    key: str
    _: KW_ONLY
    additional_period: Annotated[int | timedelta | None, Header("Additional-Retention-Period")] = None
    """So much longer than now."""
    new_period: Annotated[int | timedelta | None, Header("New-Retention-Period")] = None
    """The whole period, from the object's creation."""
    new_expires: Annotated[datetime | None, Header("New-Retention-Expiration-Date", iso=True)] = None
    """When the period shall end."""
    from_now: Annotated[int | timedelta | None, Header("Extend-Retention-From-Current-Time")] = None
    """So long from the time of this request."""

"""Operation specs: Object Lock (S3), retention and holds of object versions.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-ol-overview
"""

from dataclasses import KW_ONLY
from typing import Annotated, ClassVar, Literal

from aiocos.operations.shared import ExpectedOwnerParams, RequestChargedResult, RequestPayerParams
from aiocos.wire.document import Document, Element, Extensible, Timestamp
from aiocos.wire.spec import Body, Header, Operation, Query, Result, operation

LockMode = Literal["COMPLIANCE", "GOVERNANCE"]
"""The strength of a lock. Nobody can shorten or lift a `COMPLIANCE` lock; authorized users can bypass a `GOVERNANCE` lock."""


class DefaultLock(Extensible):
    """The lock of new versions that are written without one.

    Set `mode`, and either `days` or `years`.
    """

    root: ClassVar[str] = "DefaultRetention"

    mode: LockMode | None = None
    """`COMPLIANCE` or `GOVERNANCE`. Required by the service."""
    days: int | None = None
    """Days from the write until the lock ends, 1 to 36,500. None if `years` is set."""
    years: int | None = None
    """Years from the write until the lock ends, 1 to 100. None if `days` is set."""


class LockRule(Extensible):
    """The rule of a bucket with Object Lock; a bucket has one at most."""

    root: ClassVar[str] = "Rule"

    default_retention: DefaultLock | None = None
    """Lock of new versions. Required by the service."""


class ObjectLockConfiguration(Extensible, Result):
    """The Object Lock configuration of a bucket. Object Lock can't be disabled."""

    root: ClassVar[str] = "ObjectLockConfiguration"

    object_lock_enabled: str | None = "Enabled"
    """`Enabled`, the only value that the service accepts."""
    rule: LockRule | None = None
    """Default lock of new versions. None locks only versions that are written or locked explicitly."""

    @classmethod
    def of(cls, mode: LockMode, *, days: int | None = None, years: int | None = None) -> "ObjectLockConfiguration":
        """Return the configuration with a default lock.

        Args:
            mode: `COMPLIANCE` or `GOVERNANCE`.
            days: Days from the write until the lock ends, 1 to 36,500. Give either `days` or `years`.
            years: Years from the write until the lock ends, 1 to 100.
        """
        return ObjectLockConfiguration(rule=LockRule(default_retention=DefaultLock(mode=mode, days=days, years=years)))


class ObjectLock(ObjectLockConfiguration):
    """The Object Lock configuration of a bucket, as read."""

    object_lock_enabled: str | None = None
    """`Enabled`. None if the service leaves it out."""
    management_state: Annotated[str | None, Header("x-ibm-protection-management-state")] = None
    """`active` if protection management is active. None otherwise. IBM only."""


@operation("GET", "/{bucket}?object-lock")
class GetObjectLockConfiguration(ExpectedOwnerParams, Operation[ObjectLock]):
    """Read a bucket's Object Lock configuration.

    Returns an `ObjectLock`. Raises `NoSuchConfiguration` if the bucket has no Object Lock.
    """

    bucket: str
    """Name of the bucket."""


@operation("PUT", "/{bucket}?object-lock")
class PutObjectLockConfiguration(RequestPayerParams, ExpectedOwnerParams, Operation[RequestChargedResult]):
    """Enable Object Lock on a bucket, or replace its default lock.

    The change may take some minutes to apply to new objects, and never affects existing ones.

    Raises `InvalidBucketState` if the bucket isn't versioned or has a retention policy, `InvalidRequest` if the configuration
    isn't valid.

    Example: `await cos.object_lock.put_configuration("b", ObjectLockConfiguration.of("GOVERNANCE", days=30))`
    """

    bucket: str
    """Name of the bucket."""
    configuration: Annotated[ObjectLockConfiguration, Body(md5=True)]
    """The new configuration; `ObjectLockConfiguration.of` builds one with a default lock."""
    _: KW_ONLY
    token: Annotated[str | None, Header("x-amz-bucket-object-lock-token")] = None
    """Token for enabling Object Lock on an existing bucket in the S3 protocol. IBM doesn't document it. None sends no header.
    """


class ObjectRetention(Extensible, Result):
    """The lock of a version.

    Set both fields. If both are None, a `GOVERNANCE` lock is lifted.
    """

    root: ClassVar[str] = "Retention"

    mode: LockMode | None = None
    """`COMPLIANCE` or `GOVERNANCE`. None, together with `retain_until`, lifts a lock that may be bypassed."""
    retain_until: Annotated[Timestamp | None, Element("RetainUntilDate")] = None
    """Time at which the lock ends, in the future; a time without a zone counts as UTC. None, together with `mode`, lifts a lock
    that may be bypassed.
    """


@operation("GET", "/{bucket}/{key}?retention")
class GetObjectRetention(RequestPayerParams, ExpectedOwnerParams, Operation[ObjectRetention]):
    """Read the lock of an object version.

    Returns an `ObjectRetention`. Raises `NoSuchKey`, `NoSuchConfiguration` if the version has no lock, `InvalidRequest` if the
    bucket has no Object Lock.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None
    """Id of the version to read. None reads the current version."""


@operation("PUT", "/{bucket}/{key}?retention")
class PutObjectRetention(RequestPayerParams, ExpectedOwnerParams, Operation[RequestChargedResult]):
    """Lock an object version, or change its lock.

    Everybody with the right to lock may extend a lock. A `GOVERNANCE` lock can be shortened or lifted with `bypass_governance`,
    a `COMPLIANCE` lock can't.

    Raises `AccessDenied` if the lock would get shorter or weaker and may not be bypassed, `InvalidRequest` if the retention
    isn't valid or the bucket has no Object Lock, `NoSuchKey`.

    Example: `await cos.object_lock.put_retention("b", "k", ObjectRetention(mode="GOVERNANCE", retain_until=until))`
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    retention: Annotated[ObjectRetention, Body(md5=True)]
    """The new lock."""
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None
    """Id of the version to lock. None locks the current version."""
    bypass_governance: Annotated[bool | None, Header("x-amz-bypass-governance-retention")] = None
    """True shortens or lifts a `GOVERNANCE` lock, which needs the action `bypass_governance_retention`. None sends no header.
    """


class LegalHold(Document):
    """The legal hold to set on a version."""

    closed: ClassVar[bool] = True

    status: Literal["ON", "OFF"]
    """`ON` sets the hold, `OFF` lifts it."""


class ObjectLegalHold(Extensible, Result):
    """The legal hold of a version."""

    root: ClassVar[str] = "LegalHold"
    needed: ClassVar[tuple[str, ...]] = ("status",)

    status: Literal["ON", "OFF"] | None = None
    """`ON` if the version is under legal hold, `OFF` if the hold was lifted."""


@operation("GET", "/{bucket}/{key}?legal-hold")
class GetObjectLegalHold(RequestPayerParams, ExpectedOwnerParams, Operation[ObjectLegalHold]):
    """Read the legal hold of an object version.

    Returns an `ObjectLegalHold`. Raises `NoSuchKey`, `NoSuchConfiguration` if the version never had a hold, `InvalidRequest` if
    the bucket has no Object Lock.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None
    """Id of the version to read. None reads the current version."""


@operation("PUT", "/{bucket}/{key}?legal-hold")
class PutObjectLegalHold(RequestPayerParams, ExpectedOwnerParams, Operation[RequestChargedResult]):
    """Set or lift the legal hold of an object version.

    A hold has no end date. It doesn't depend on the lock of the version: the version can be deleted when it has neither.

    Raises `InvalidRequest` if the bucket has no Object Lock, `NoSuchKey`.
    """

    bucket: str
    """Name of the bucket."""
    key: str
    """Key of the object."""
    status: Annotated[Literal["ON", "OFF"] | ObjectLegalHold, Body(md5=True, of=LegalHold)]
    """`ON` sets the hold, `OFF` lifts it. A result of `get_legal_hold` sets what it shows."""
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None
    """Id of the version to hold. None takes the current version."""

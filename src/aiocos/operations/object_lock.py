"""Object Lock (S3): buckets that can lock versions, and the locks and holds of versions.

https://cloud.ibm.com/docs/cloud-object-storage?topic=cloud-object-storage-ol-overview
"""

from dataclasses import KW_ONLY
from typing import Annotated, ClassVar, Literal

from aiocos.operations.shared import ExpectedOwnerParams, RequestChargedResult, RequestPayerParams
from aiocos.wire.document import Document, Element, Extensible, Timestamp
from aiocos.wire.spec import Body, Header, Operation, Query, Result, operation

LockMode = Literal["COMPLIANCE", "GOVERNANCE"]
"""Nobody can lift a COMPLIANCE lock; who has the right may bypass GOVERNANCE."""


class DefaultLock(Extensible):
    """The lock that new versions get where none is given: a mode, and days or years, not both (at most 100 years)."""

    root: ClassVar[str] = "DefaultRetention"

    mode: LockMode | None = None
    days: int | None = None
    years: int | None = None


class LockRule(Extensible):
    """The one rule of a bucket with Object Lock."""

    root: ClassVar[str] = "Rule"

    default_retention: DefaultLock | None = None


class ObjectLockConfiguration(Extensible, Result):
    """Whether a bucket can lock versions, and how it does by default. Lock cannot be switched off."""

    root: ClassVar[str] = "ObjectLockConfiguration"

    object_lock_enabled: str | None = "Enabled"
    rule: LockRule | None = None

    @classmethod
    def of(cls, mode: LockMode, *, days: int | None = None, years: int | None = None) -> "ObjectLockConfiguration":
        """Return the configuration with a default lock."""
        return ObjectLockConfiguration(rule=LockRule(default_retention=DefaultLock(mode=mode, days=days, years=years)))


class ObjectLock(ObjectLockConfiguration):
    """A bucket's lock configuration as the service tells it."""

    object_lock_enabled: str | None = None
    management_state: Annotated[str | None, Header("x-ibm-protection-management-state")] = None
    """`active` where protection management is on."""


@operation("GET", "/{bucket}?object-lock")
class GetObjectLockConfiguration(ExpectedOwnerParams, Operation[ObjectLock]):
    """Read a bucket's lock configuration. Raises `NoSuchConfiguration`."""

    bucket: str


@operation("PUT", "/{bucket}?object-lock")
class PutObjectLockConfiguration(RequestPayerParams, ExpectedOwnerParams, Operation[RequestChargedResult]):
    """Enable Object Lock on a versioned bucket, or change its default. Raises `InvalidBucketState`, `InvalidRequest`."""

    bucket: str
    configuration: Annotated[ObjectLockConfiguration, Body(md5=True)]
    _: KW_ONLY
    token: Annotated[str | None, Header("x-amz-bucket-object-lock-token")] = None


class ObjectRetention(Extensible, Result):
    """The lock of a version: its mode, and until when. Both are required; empty, it lifts a lock that may be bypassed."""

    root: ClassVar[str] = "Retention"

    mode: LockMode | None = None
    retain_until: Annotated[Timestamp | None, Element("RetainUntilDate")] = None


@operation("GET", "/{bucket}/{key}?retention")
class GetObjectRetention(RequestPayerParams, ExpectedOwnerParams, Operation[ObjectRetention]):
    """Read the lock of a version. Raises `NoSuchKey`, `NoSuchConfiguration` (it has none)."""

    bucket: str
    key: str
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None


@operation("PUT", "/{bucket}/{key}?retention")
class PutObjectRetention(RequestPayerParams, ExpectedOwnerParams, Operation[RequestChargedResult]):
    """Lock a version, or change its lock. Raises `AccessDenied` (shorter or weaker, without bypass), `InvalidRequest`."""

    bucket: str
    key: str
    retention: Annotated[ObjectRetention, Body(md5=True)]
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None
    bypass_governance: Annotated[bool | None, Header("x-amz-bypass-governance-retention")] = None


class LegalHold(Document):
    """The legal hold of a version."""

    closed: ClassVar[bool] = True

    status: Literal["ON", "OFF"]


class ObjectLegalHold(Extensible, Result):
    """Whether a version is under legal hold."""

    root: ClassVar[str] = "LegalHold"
    needed: ClassVar[tuple[str, ...]] = ("status",)

    status: Literal["ON", "OFF"] | None = None


@operation("GET", "/{bucket}/{key}?legal-hold")
class GetObjectLegalHold(RequestPayerParams, ExpectedOwnerParams, Operation[ObjectLegalHold]):
    """Ask whether a version is under legal hold. Raises `NoSuchKey`, `NoSuchConfiguration`."""

    bucket: str
    key: str
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None


@operation("PUT", "/{bucket}/{key}?legal-hold")
class PutObjectLegalHold(RequestPayerParams, ExpectedOwnerParams, Operation[RequestChargedResult]):
    """Put a version under legal hold, or lift the hold. Raises `InvalidRequest` where the bucket has no Object Lock."""

    bucket: str
    key: str
    status: Annotated[Literal["ON", "OFF"] | ObjectLegalHold, Body(md5=True, of=LegalHold)]
    """`ON` or `OFF`, or what `get_legal_hold` returned."""
    _: KW_ONLY
    version_id: Annotated[str | None, Query("versionId")] = None

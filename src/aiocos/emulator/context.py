"""The input and output of operation handlers, and the registry of handlers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar, get_args

from aiocos.emulator import public_access
from aiocos.emulator.body import Arrival, Incoming
from aiocos.emulator.checksums import type_of
from aiocos.emulator.clock import Clock
from aiocos.emulator.store import BucketRow, Instance, Key, ObjectRow, Segment, Store
from aiocos.emulator.store.rows import Role
from aiocos.errors import AccessDenied, NoSuchBucket, ServiceError
from aiocos.operations.shared import Owner
from aiocos.wire.checksum import Algorithm
from aiocos.wire.message import Request
from aiocos.wire.spec import Operation, Result

O = TypeVar("O", bound=Operation[Any])  # noqa: E741 - an operation

_LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()

ROLES: tuple[Role, ...] = get_args(Role)

Need = Literal["none", "caller", "owner", "list", "read", "write"]
"""The permission that an operation needs.

none: the handler checks it. caller: any credentials. owner: credentials of the bucket's instance. list, read, write: the owner,
or anyone whom the access control list of the bucket (or, for read, of the object) allows it."""


def failure(code: str, message: str, status: int = 400) -> ServiceError:
    """Build the `ServiceError` for an error code."""
    return ServiceError.class_for(status, code)(message, status=status, code=code)


@dataclass(slots=True)
class Behavior:
    """Settings for behavior in which services differ."""

    honors_conditional_completion: bool = True
    """False ignores If-Match, If-None-Match and If-Unmodified-Since at CompleteMultipartUpload."""
    honors_forbid_overwrite: bool = True
    """False ignores `x-ibm-forbid-overwrite`, like a service whose administrator has not enabled it."""
    checksums: bool = True
    """False ignores `x-amz-checksum-*`, like COS before August 2025."""


@dataclass(slots=True)
class Context:
    """One request, as its handler sees it."""

    store: Store
    """The storage of the emulator."""
    clock: Clock
    """The clock of the emulator."""
    key: Key | None
    """Credentials of the caller; None for an anonymous request."""
    instances: dict[str, Instance]
    """The instances of this emulator, by CRN and by GUID."""
    request: Request
    """The received request."""
    endpoint: str
    """The URL of the emulator."""
    incoming: Incoming
    """The body of the request, which the handler receives."""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    """Headers to add to the response, whether it succeeds or fails."""
    found: BucketRow | None = None
    """The bucket of the request; None if there is none or it does not exist."""
    behavior: Behavior = field(default_factory=Behavior)
    """Settings for behavior in which services differ."""

    @property
    def caller(self) -> Instance | None:
        """The service instance of the caller; None for an anonymous request."""
        return None if self.key is None else self.key.instance

    def has_role(self, role: Role) -> bool:
        """Return True if the caller's role includes the permissions of `role`."""
        return self.key is not None and ROLES.index(self.key.role) >= ROLES.index(role)

    @property
    def now(self) -> float:
        """The time in seconds since 1970, in whole milliseconds."""
        return self.clock.now().timestamp()

    @property
    def bucket(self) -> BucketRow:
        """The bucket of the request. Raises `NoSuchBucket` if it does not exist."""
        if self.found is None:
            raise no_bucket()
        return self.found

    @property
    def is_owner(self) -> bool:
        """True if the caller's instance owns the bucket."""
        return self.caller is not None and self.found is not None and self.found.instance == self.caller.crn

    @property
    def writer(self) -> str:
        """The owner id of objects that this request writes.

        The caller's, or the bucket owner's for an anonymous request.
        """
        return self.caller.guid if self.caller is not None else self.guid(self.bucket.instance)

    def guid(self, crn: str) -> str:
        """Return the GUID of an instance, which is its owner id."""
        found = self.instances.get(crn)
        return found.guid if found is not None else crn

    def may_read(self, found: ObjectRow | None) -> None:
        """Raise `AccessDenied` if the caller may not read an object.

        Only callers who may list the bucket learn that an object does not exist.
        """
        if self.is_owner or (found is not None and public_access.is_public(self.bucket, found)):
            return
        if found is None and public_access.acl_of(self.bucket).startswith("public-read"):
            return
        raise denied()

    def checksum_fields(self, sums: dict[str, str]) -> dict[str, Any]:
        """Return the result fields for checksums: none if the emulator ignores checksums."""
        return {f"checksum_{name}": value for name, value in sums.items()} if self.behavior.checksums else {}

    def object_checksum_fields(self, sums: dict[str, str]) -> dict[str, Any]:
        """Return the result fields for the checksums of an object, and for their type."""
        return {**self.checksum_fields(sums), "checksum_type": type_of(sums)} if self.behavior.checksums else {}

    async def receive(self, limit: int, compute: Algorithm | None = None) -> Arrival:
        """Receive the body of an object or part.

        `compute` is a checksum to compute in addition to the one that the client sends.
        """
        return await self.incoming.receive(limit, compute)


def no_bucket() -> NoSuchBucket:
    """Build the error for a bucket that does not exist."""
    return NoSuchBucket("The specified bucket does not exist.", status=404, code="NoSuchBucket")


def denied() -> AccessDenied:
    """Build the error for a caller without permission."""
    return AccessDenied("Access Denied", status=403, code="AccessDenied")


def is_bearer(authorization: str) -> bool:
    """Return True if an Authorization header has a bearer token.

    The case of the scheme is ignored.
    """
    return authorization.partition(" ")[0].lower() == "bearer"


def owner(guid: str) -> Owner:
    """Return the `Owner` element of an instance."""
    return Owner(id=guid, display_name=guid)


def moment(seconds: float) -> datetime:
    """Convert seconds since 1970.

    Times after the year 9999 (a rule of a million days) become its last second.
    """
    return datetime.fromtimestamp(min(seconds, _LAST_SECOND), UTC)


@dataclass(frozen=True, slots=True)
class Reply:
    """A response with another status or with content, in addition to a result."""

    result: Result
    """The result of the operation."""
    status: int | None = None
    """HTTP status; None for the operation's own."""
    content: tuple[Segment, ...] | None = None
    """The byte ranges of the response body; None for a body written from the result."""


Run = Callable[[Context, Any], Awaitable[Result | Reply]]


@dataclass(frozen=True, slots=True)
class Handler:
    """The handler of an operation and the permission that it needs."""

    run: Run
    """The function that handles the operation."""
    need: Need
    """The permission that the caller needs."""
    role: Role
    """The role that a user of the bucket's instance needs."""
    integrity: bool
    """True if the request must have a checksum of its body."""


handlers: dict[type[Operation[Any]], Handler] = {}
"""The handler of each supported operation."""


def handles(
    cls: type[O], need: Need = "owner", *, integrity: bool = False, role: Role | None = None
) -> Callable[[Callable[[Context, O], Awaitable[Result | Reply]]], Callable[[Context, O], Awaitable[Result | Reply]]]:
    """Register a function as the handler of an operation.

    By default, readers may make GET and HEAD requests, and writers all.
    """
    least: Role = role or ("Reader" if cls.spec.method in ("GET", "HEAD") else "Writer")

    def enter(run: Callable[[Context, O], Awaitable[Result | Reply]]) -> Callable[[Context, O], Awaitable[Result | Reply]]:
        if cls in handlers:
            raise TypeError(f"{cls.__name__} has two handlers")
        handlers[cls] = Handler(run, need, least, integrity)
        return run

    return enter

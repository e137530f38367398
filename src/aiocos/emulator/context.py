"""What a handler works with, and what it gives back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar, get_args

from aiocos.emulator import public
from aiocos.emulator.body import Arrival, Incoming
from aiocos.emulator.clock import Clock
from aiocos.emulator.store import BucketRow, Instance, Key, ObjectRow, Segment, Store
from aiocos.emulator.store.rows import Role
from aiocos.errors import AccessDenied, NoSuchBucket, ServiceError
from aiocos.operations.shared import Owner
from aiocos.wire.message import Request
from aiocos.wire.spec import Operation, Result

O = TypeVar("O", bound=Operation[Any])  # noqa: E741 - an operation

_LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()

ROLES: tuple[Role, ...] = get_args(Role)

Need = Literal["none", "caller", "owner", "list", "read", "write"]
"""Who may: anybody who is let in by the handler itself (none), anybody with credentials (caller), the bucket's instance
(owner), or besides it those whom the bucket's access control list lets list or write, or the object's lets read."""


def failure(code: str, message: str, status: int = 400) -> ServiceError:
    """The error of a code."""
    return ServiceError.class_for(status, code)(message, status=status, code=code)


@dataclass(frozen=True, slots=True)
class Behavior:
    """Choices between two ways in which services behave."""

    honors_conditional_completion: bool = True
    """False ignores If-Match, If-None-Match and If-Unmodified-Since at CompleteMultipartUpload."""
    honors_forbid_overwrite: bool = True
    """False ignores `x-ibm-forbid-overwrite`, as a service does whose owner has not enabled it."""


@dataclass(slots=True)
class Context:
    """One request in the hands of its handler."""

    store: Store
    clock: Clock
    key: Key | None  # None: anonymous
    instances: dict[str, Instance]  # of this emulator, by CRN and by GUID
    request: Request
    endpoint: str
    incoming: Incoming
    headers: dict[str, str] = field(default_factory=dict[str, str])
    """Headers that the answer shall have whatever comes of it."""
    found: BucketRow | None = None
    behavior: Behavior = Behavior()

    @property
    def caller(self) -> Instance | None:
        """The instance that asks; None where somebody anonymous does."""
        return None if self.key is None else self.key.instance

    def has_role(self, role: Role) -> bool:
        """Tell whether the caller's role may do what this one may."""
        return self.key is not None and ROLES.index(self.key.role) >= ROLES.index(role)

    @property
    def now(self) -> float:
        """The time in seconds since 1970, in whole milliseconds."""
        return self.clock.now().timestamp()

    @property
    def bucket(self) -> BucketRow:
        """The bucket of the request."""
        if self.found is None:
            raise no_bucket()
        return self.found

    @property
    def is_owner(self) -> bool:
        """Tell whether the caller's instance owns the bucket."""
        return self.caller is not None and self.found is not None and self.found.instance == self.caller.crn

    @property
    def writer(self) -> str:
        """Who owns what this request writes: the caller; an anonymous one's objects belong to the bucket's owner."""
        return self.caller.guid if self.caller is not None else self.guid(self.bucket.instance)

    def guid(self, crn: str) -> str:
        """The GUID of an instance, which is the id of an owner."""
        found = self.instances.get(crn)
        return found.guid if found is not None else crn

    def may_read(self, found: ObjectRow | None) -> None:
        """Let pass who may read an object; `AccessDenied`. What is not there is told to those only who may list."""
        if self.is_owner or (found is not None and public.is_public(self.bucket, found)):
            return
        if found is None and public.acl_of(self.bucket).startswith("public-read"):
            return
        raise denied()

    async def receive(self, limit: int) -> Arrival:
        """Receive the body of an object or part."""
        return await self.incoming.receive(limit)


def no_bucket() -> NoSuchBucket:
    """The error of a bucket that is not there."""
    return NoSuchBucket("The specified bucket does not exist.", status=404, code="NoSuchBucket")


def denied() -> AccessDenied:
    """The error of somebody who may not."""
    return AccessDenied("Access Denied", status=403, code="AccessDenied")


def is_bearer(authorization: str) -> bool:
    """Tell whether an Authorization header carries an IAM token. The scheme's case does not matter."""
    return authorization.partition(" ")[0].lower() == "bearer"


def owner(guid: str) -> Owner:
    """An owner as documents show it."""
    return Owner(id=guid, display_name=guid)


def moment(seconds: float) -> datetime:
    """Return a stored time; one beyond the year 9999 (a rule of a million days may come to that) is its last second."""
    return datetime.fromtimestamp(min(seconds, _LAST_SECOND), UTC)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is more than a result: another status, or an object's content."""

    result: Result
    status: int | None = None
    content: tuple[Segment, ...] | None = None


Run = Callable[[Context, Any], Awaitable[Result | Reply]]


@dataclass(frozen=True, slots=True)
class Handler:
    """How an operation is served."""

    run: Run
    need: Need
    role: Role  # that the owner's user must have
    integrity: bool  # a checksum of the body is demanded


handlers: dict[type[Operation[Any]], Handler] = {}
"""The handler of each operation that is served."""


def handles(
    cls: type[O], need: Need = "owner", *, integrity: bool = False, role: Role | None = None
) -> Callable[[Callable[[Context, O], Awaitable[Result | Reply]]], Callable[[Context, O], Awaitable[Result | Reply]]]:
    """Enter a function as the handler of an operation. By default, readers may make GET and HEAD requests, and writers all."""
    least: Role = role or ("Reader" if cls.spec.method in ("GET", "HEAD") else "Writer")

    def enter(run: Callable[[Context, O], Awaitable[Result | Reply]]) -> Callable[[Context, O], Awaitable[Result | Reply]]:
        if cls in handlers:
            raise TypeError(f"{cls.__name__} has two handlers")
        handlers[cls] = Handler(run, need, least, integrity)
        return run

    return enter

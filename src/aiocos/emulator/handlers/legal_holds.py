"""Handlers of legal holds and retention of objects (IBM)."""

from email.utils import format_datetime
from typing import Annotated, ClassVar

from aiocos.emulator.context import Context, failure, handles, moment
from aiocos.emulator.handlers.bucket_state import current_bucket
from aiocos.emulator.handlers.lookup import must_find
from aiocos.emulator.handlers.retention import (
    INDEFINITE,
    PERMANENT,
    Policy,
    check_date,
    check_hold,
    check_period,
    expires,
    invalid,
    policy_of,
    seconds,
)
from aiocos.emulator.store import BucketRow, ObjectRow, Transaction, objects
from aiocos.errors import Conflict, NotFound
from aiocos.operations.protection import (
    AddLegalHold,
    DeleteLegalHold,
    ExtendObjectRetention,
    ListLegalHolds,
    RetentionState,
)
from aiocos.wire.document import Document, Element
from aiocos.wire.message import Request
from aiocos.wire.spec import Result

MAX_HOLDS = 100


class _Hold(Document):
    """A legal hold, with its date in the format of the documentation."""

    root: ClassVar[str] = "LegalHold"

    id: Annotated[str, Element("ID")]
    date: str


class _State(Result):
    """The retention state of an object, with times in the format of HTTP headers.

    The documentation names the list of holds `LegalHoldSet`; IBM's SDKs read `LegalHolds`. The document has both.
    """

    root: ClassVar[str] = "RetentionState"
    namespace: ClassVar[str] = RetentionState.namespace

    create_time: str
    retention_period: int
    retention_expires: Annotated[str | None, Element("RetentionPeriodExpirationDate")] = None
    legal_holds: Annotated[list[_Hold], Element("LegalHoldSet/LegalHold")]
    sdk_legal_holds: Annotated[list[_Hold], Element("LegalHolds/LegalHold")]


def _time(seconds: float) -> str:
    return format_datetime(moment(int(seconds)), usegmt=True)


def refuse_ambiguous(wire: Request) -> None:
    """Refuse a legal hold request unless it adds or removes exactly one hold."""
    if wire.method != "POST" or wire.key is None:
        return
    ids = [value for name, value in wire.query if name in ("add", "remove")]
    if any(name == "legalHold" for name, _ in wire.query) and (len(ids) != 1 or not ids[0]):
        raise failure("InvalidRequest", "A legal hold request needs exactly one parameter, add or remove, with an id.")


def _retained(t: Transaction, bucket: BucketRow, key: str) -> ObjectRow:
    """Return the object. Raises `InvalidRequest` if it has no retention."""
    if policy_of(bucket) is None:
        raise failure("InvalidRequest", "The bucket has no retention policy.")
    found = must_find(t.connection, bucket.id, key)
    if found.retention is None:
        raise failure("InvalidRequest", "The object has no retention.")
    return found


@handles(AddLegalHold, role="Manager")
async def add(ctx: Context, op: AddLegalHold) -> Result:
    """Add a legal hold."""
    check_hold(op.hold_id)
    bucket, now = ctx.bucket, ctx.now

    def write(t: Transaction) -> None:
        found = _retained(t, current_bucket(t, bucket), op.key)
        assert found.retention is not None
        holds = found.retention["holds"]
        if op.hold_id in holds:
            raise Conflict("The object has a legal hold of this id.", status=409, code="LegalHoldExists")
        if len(holds) >= MAX_HOLDS:
            raise failure("InvalidRequest", f"An object can have at most {MAX_HOLDS} legal holds.")
        objects.set_retention(t, found.serial, {**found.retention, "holds": {**holds, op.hold_id: now}})

    await ctx.store.write(write)
    return Result()


@handles(DeleteLegalHold, role="Manager")
async def delete(ctx: Context, op: DeleteLegalHold) -> Result:
    """Remove a legal hold."""
    bucket = ctx.bucket

    def write(t: Transaction) -> None:
        found = _retained(t, current_bucket(t, bucket), op.key)
        assert found.retention is not None
        holds = found.retention["holds"]
        if op.hold_id not in holds:
            raise NotFound("The object has no legal hold of this id.", status=404, code="NoSuchLegalHold")
        left = {name: date for name, date in holds.items() if name != op.hold_id}
        objects.set_retention(t, found.serial, {**found.retention, "holds": left})

    await ctx.store.write(write)
    return Result()


@handles(ListLegalHolds)
async def list_holds(ctx: Context, op: ListLegalHolds) -> Result:
    """Return the retention and the legal holds of an object."""
    found = must_find(ctx.store.connection, ctx.bucket.id, op.key)
    state = found.retention
    if state is None:
        raise NotFound("The object has no retention.", status=404, code="NoSuchRetention")
    holds = [_Hold(id=name, date=_time(date)) for name, date in state["holds"].items()]
    end = expires(found)
    return _State(
        create_time=_time(found.modified),
        retention_period=state["period"],
        retention_expires=None if end is None else _time(end),
        legal_holds=holds,
        sdk_legal_holds=holds,
    )


@handles(ExtendObjectRetention)
async def extend(ctx: Context, op: ExtendObjectRetention) -> Result:
    """Extend the retention of an object."""
    extensions = (op.additional_period, op.new_period, op.new_expires, op.from_now)
    if sum(extension is not None for extension in extensions) != 1:
        raise failure("InvalidRequest", "Extend retention by exactly one of its four headers.")
    check_date(ctx.request, "New-Retention-Expiration-Date")
    bucket, now = ctx.bucket, ctx.now

    def write(t: Transaction) -> None:
        current = current_bucket(t, bucket)
        found = _retained(t, current, op.key)
        policy = policy_of(current)
        assert found.retention is not None
        assert policy is not None
        period = _extended(op, policy, found, now)
        objects.set_retention(t, found.serial, {**found.retention, "period": period})

    await ctx.store.write(write)
    return Result()


def _extended(op: ExtendObjectRetention, policy: Policy, found: ObjectRow, now: float) -> int:
    """Return the new retention period of an object, counted from its creation.

    Raises if it is not allowed.
    """
    assert found.retention is not None
    current, created = found.retention["period"], int(found.modified)
    if current == PERMANENT:
        raise failure("InvalidRequest", "Permanent retention cannot be extended.")
    if op.from_now is not None:
        from_now = seconds(op.from_now)
        if from_now < 0:
            raise invalid("A period must not be negative.")
        check_period(policy, from_now)
        period = int(now) + from_now - created
    elif op.new_expires is not None:
        period = int(op.new_expires.timestamp()) - created
    elif op.new_period is not None:
        period = seconds(op.new_period)
    else:
        assert op.additional_period is not None
        additional = seconds(op.additional_period)
        if current == INDEFINITE:
            raise failure("InvalidRequest", "Indefinite retention cannot be extended by a period: it has no end.")
        if additional < 0:
            raise invalid("A period must not be negative.")
        period = current + additional
    if created + period > now + policy.maximum:
        raise invalid("The retention would last longer than the bucket allows.")
    if current == INDEFINITE:
        if op.from_now is None and period < policy.minimum:
            raise invalid("The retention would be shorter than the bucket allows.")
    elif period <= current:
        raise invalid("The retention would not become longer.")
    return period

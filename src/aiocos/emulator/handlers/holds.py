"""Legal holds of objects in buckets with a retention policy, and the extension of their retention."""

from email.utils import format_datetime
from typing import Annotated, ClassVar

from aiocos.emulator.context import Context, failure, handles, moment
from aiocos.emulator.handlers.finding import must_find
from aiocos.emulator.handlers.retention import (
    INDEFINITE,
    PERMANENT,
    Policy,
    bad,
    check_date,
    check_hold,
    check_period,
    expires,
    policy_of,
    seconds,
)
from aiocos.emulator.handlers.state import still_there
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
    """One legal hold, its date as the documentation has it."""

    root: ClassVar[str] = "LegalHold"

    id: Annotated[str, Element("ID")]
    date: str


class _State(Result):
    """What `RetentionState` reads, with the holds under both names, and times of the form that headers have.

    The documentation has `LegalHoldSet`, IBM's SDKs read `LegalHolds`.
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
    """Refuse a request about a hold that does not say which one thing it wants."""
    if wire.method != "POST" or wire.key is None:
        return
    ids = [value for name, value in wire.query if name in ("add", "remove")]
    if any(name == "legalHold" for name, _ in wire.query) and (len(ids) != 1 or not ids[0]):
        raise failure("InvalidRequest", "A request about a legal hold has one parameter add or remove, with an id.")


def _retained(t: Transaction, bucket: BucketRow, key: str) -> ObjectRow:
    """The object, which must have retention."""
    if policy_of(bucket) is None:
        raise failure("InvalidRequest", "The bucket has no retention policy.")
    found = must_find(t.connection, bucket.id, key)
    if found.retention is None:
        raise failure("InvalidRequest", "The object has no retention.")
    return found


@handles(AddLegalHold, role="Manager")
async def add(ctx: Context, op: AddLegalHold) -> Result:
    """Place a hold."""
    check_hold(op.hold_id)
    named, now = ctx.bucket, ctx.now

    def write(t: Transaction) -> None:
        found = _retained(t, still_there(t, named), op.key)
        assert found.retention is not None
        holds = found.retention["holds"]
        if op.hold_id in holds:
            raise Conflict("The object has a legal hold of this id.", status=409, code="LegalHoldExists")
        if len(holds) >= MAX_HOLDS:
            raise failure("InvalidRequest", f"An object has {MAX_HOLDS} legal holds at most.")
        objects.set_retention(t, found.serial, {**found.retention, "holds": {**holds, op.hold_id: now}})

    await ctx.store.write(write)
    return Result()


@handles(DeleteLegalHold, role="Manager")
async def delete(ctx: Context, op: DeleteLegalHold) -> Result:
    """Lift a hold."""
    named = ctx.bucket

    def write(t: Transaction) -> None:
        found = _retained(t, still_there(t, named), op.key)
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
    """Tell the retention and the holds of an object."""
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
    """Make an object's retention longer."""
    ways = (op.additional_period, op.new_period, op.new_expires, op.from_now)
    if sum(way is not None for way in ways) != 1:
        raise failure("InvalidRequest", "Retention is extended in exactly one way.")
    check_date(ctx.request, "New-Retention-Expiration-Date")
    named, now = ctx.bucket, ctx.now

    def write(t: Transaction) -> None:
        bucket = still_there(t, named)
        found = _retained(t, bucket, op.key)
        policy = policy_of(bucket)
        assert found.retention is not None
        assert policy is not None
        period = _extended(op, policy, found, now)
        objects.set_retention(t, found.serial, {**found.retention, "period": period})

    await ctx.store.write(write)
    return Result()


def _extended(op: ExtendObjectRetention, policy: Policy, found: ObjectRow, now: float) -> int:
    """The new period of an object, from its creation; refused where it is none that may be."""
    assert found.retention is not None
    current, created = found.retention["period"], int(found.modified)
    if current == PERMANENT:
        raise failure("InvalidRequest", "Permanent retention cannot be extended.")
    if op.from_now is not None:
        from_now = seconds(op.from_now)
        if from_now < 0:
            raise bad("A period is not negative.")
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
            raise failure("InvalidRequest", "Indefinite retention has no end that something could be added to.")
        if additional < 0:
            raise bad("A period is not negative.")
        period = current + additional
    if created + period > now + policy.maximum:
        raise bad("The retention would last longer than the bucket allows.")
    if current == INDEFINITE:
        if op.from_now is None and period < policy.minimum:
            raise bad("The retention would be shorter than the bucket allows.")
    elif period <= current:
        raise bad("The retention would not become longer.")
    return period

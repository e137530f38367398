"""Object Lock: the configuration of buckets, the locks and legal holds of versions."""

from typing import Annotated, Any

from aiocos.emulator import locking
from aiocos.emulator.context import Context, failure, handles, moment
from aiocos.emulator.handlers.finding import must_find
from aiocos.emulator.handlers.protection import management_state
from aiocos.emulator.handlers.settings import configured, none_of
from aiocos.emulator.handlers.state import must_keep_versions, refuse_policy, still_there
from aiocos.emulator.replication import changed
from aiocos.emulator.store import ObjectRow, Transaction, buckets, objects
from aiocos.errors import NoSuchConfiguration
from aiocos.operations.object_lock import (
    GetObjectLegalHold,
    GetObjectLockConfiguration,
    GetObjectRetention,
    LockRule,
    ObjectLegalHold,
    ObjectLock,
    ObjectLockConfiguration,
    ObjectRetention,
    PutObjectLegalHold,
    PutObjectLockConfiguration,
    PutObjectRetention,
)
from aiocos.operations.shared import RequestChargedResult
from aiocos.wire.document import Document, Element

MAX_DAYS, MAX_YEARS = 36_500, 100


class _Rules(Document):
    """A lock configuration, with as many rules as it has."""

    rules: Annotated[list[LockRule], Element("Rule")] = []


def _malformed(message: str) -> Exception:
    return failure("MalformedXML", message)


@handles(GetObjectLockConfiguration)
async def get_configuration(ctx: Context, op: GetObjectLockConfiguration) -> ObjectLock:
    """Read what a bucket locks by default."""
    missing = none_of("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
    found = configured(ctx, "object-lock", ObjectLock, missing)
    return found.model_copy(update={"management_state": management_state(ctx)})


@handles(PutObjectLockConfiguration, integrity=True)
async def put_configuration(ctx: Context, op: PutObjectLockConfiguration) -> RequestChargedResult:
    """Let a versioned bucket lock versions, or replace what it locks by default."""
    if len(_Rules.from_xml(bytes(ctx.request.body or b"")).rules) > 1:
        raise _malformed("Object Lock has one rule.")
    _check(op.configuration)
    xml, named = op.configuration.to_xml().decode(), ctx.bucket

    def write(t: Transaction) -> None:
        bucket = still_there(t, named)
        refuse_policy(bucket, "Object Lock")
        must_keep_versions(bucket, "Object Lock")
        buckets.set_setting(t, bucket.id, "object-lock", xml)

    await ctx.store.write(write)
    return RequestChargedResult()


def _check(configuration: ObjectLockConfiguration) -> None:
    # One page of the documentation writes it in capitals.
    if (configuration.object_lock_enabled or "").capitalize() != "Enabled":
        raise _malformed("Object Lock can be Enabled, and never disabled.")
    if configuration.rule is None:
        return
    default = configuration.rule.default_retention
    if default is None or default.mode is None:
        raise _malformed("The rule of Object Lock has a default retention with a mode.")
    if (default.days is None) == (default.years is None):
        raise _malformed("A default retention has days or years, and not both.")
    given, most = (default.days, MAX_DAYS) if default.days is not None else (default.years, MAX_YEARS)
    if not 0 < (given or 0) <= most:
        raise failure("InvalidArgument", f"A default retention is 1 to {MAX_DAYS} days or 1 to {MAX_YEARS} years.")


def _none() -> NoSuchConfiguration:
    return none_of("NoSuchObjectLockConfiguration", "The specified object does not have an Object Lock configuration")


def _lock_of(ctx: Context, key: str, version_id: str | None) -> dict[str, Any]:
    if "object-lock" not in ctx.bucket.settings:
        raise locking.no_lock()
    return must_find(ctx.store.connection, ctx.bucket.id, key, version_id).lock or {}


@handles(GetObjectRetention)
async def get_retention(ctx: Context, op: GetObjectRetention) -> ObjectRetention:
    """Read the lock of a version, one that has run out too."""
    lock = _lock_of(ctx, op.key, op.version_id)
    if "mode" not in lock:
        raise _none()
    return ObjectRetention(mode=lock["mode"], retain_until=moment(lock["until"]))


@handles(GetObjectLegalHold)
async def get_legal_hold(ctx: Context, op: GetObjectLegalHold) -> ObjectLegalHold:
    """Read the legal hold of a version."""
    lock = _lock_of(ctx, op.key, op.version_id)
    if "hold" not in lock:
        raise _none()
    return ObjectLegalHold(status=lock["hold"])


@handles(PutObjectRetention, integrity=True)
async def put_retention(ctx: Context, op: PutObjectRetention) -> RequestChargedResult:
    """Lock a version, extend its lock; with the right to bypass GOVERNANCE, shorten or lift it."""
    mode, named, now = op.retention.mode, ctx.bucket, ctx.now
    until = None if op.retention.retain_until is None else op.retention.retain_until.timestamp()
    if (mode is None) != (until is None):
        raise _malformed("A retention has a mode and a date.")
    bypass = bool(op.bypass_governance) and locking.may_bypass(ctx)

    def write(t: Transaction) -> None:
        bucket = still_there(t, named)
        if "object-lock" not in bucket.settings:
            raise locking.no_lock()
        found = must_find(t.connection, bucket.id, op.key, op.version_id)
        _check_change(found, mode, until, now, bypass=bypass)
        kept = {name: value for name, value in (found.lock or {}).items() if name == "hold"}
        lock = kept if until is None else {"mode": mode, "until": locking.in_future(until, now), **kept}
        objects.set_lock(t, found.serial, lock)
        changed(t, bucket, found.copy(lock=lock), now)

    await ctx.store.write(write)
    return RequestChargedResult()


def _check_change(found: ObjectRow, mode: str | None, until: float | None, now: float, *, bypass: bool) -> None:
    """Refuse what would weaken a lock that has not run out. Without bypass only a later date is none of that."""
    if not locking.is_retained(found, now):
        return
    assert found.lock is not None
    if found.lock["mode"] == "GOVERNANCE" and bypass:
        return
    weaker = found.lock["mode"] == "COMPLIANCE" and mode != "COMPLIANCE"
    if weaker or until is None or not locking.is_later(until, found.lock["until"]):
        raise locking.protected()


@handles(PutObjectLegalHold, integrity=True)
async def put_legal_hold(ctx: Context, op: PutObjectLegalHold) -> RequestChargedResult:
    """Put a version under legal hold, or lift the hold. Its lock is another matter."""
    named, now = ctx.bucket, ctx.now

    def write(t: Transaction) -> None:
        bucket = still_there(t, named)
        if "object-lock" not in bucket.settings:
            raise locking.no_lock()
        found = must_find(t.connection, bucket.id, op.key, op.version_id)
        lock = {**(found.lock or {}), "hold": op.status}
        objects.set_lock(t, found.serial, lock)
        changed(t, bucket, found.copy(lock=lock), now)

    await ctx.store.write(write)
    return RequestChargedResult()

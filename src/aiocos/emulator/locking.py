"""Object Lock: the lock of a new version, and the operations that a lock forbids.

A lock is stored with its version (`ObjectRow.lock`): `mode`, `until` in seconds, and `hold` (`ON`, `OFF`; missing: never set).
"""

from typing import Any

from aiocos.emulator.context import Context, failure
from aiocos.emulator.store import BucketRow, ObjectRow
from aiocos.errors import AccessDenied
from aiocos.operations.object_lock import ObjectLockConfiguration
from aiocos.operations.shared import ObjectLockParams

DAY = 86400
Lock = dict[str, Any]


def may_bypass(ctx: Context) -> bool:
    """Return True if the caller may bypass GOVERNANCE."""
    return ctx.is_owner and ctx.has_role("Writer")


def no_lock() -> Exception:
    """Build the error for a bucket without Object Lock."""
    return failure("InvalidRequest", "Bucket is missing Object Lock Configuration")


def requested_lock(bucket: BucketRow, op: ObjectLockParams, now: float) -> Lock | None:
    """Return the lock in the headers of a request; None if it has none."""
    mode, until, hold = op.object_lock_mode, op.object_lock_retain_until, op.object_lock_legal_hold
    if mode is None and until is None and hold is None:
        return None
    if "object-lock" not in bucket.settings:
        raise no_lock()
    if (mode is None) != (until is None):
        raise failure("InvalidArgument", "Object Lock needs both a mode and a date.")
    if mode not in (None, "COMPLIANCE", "GOVERNANCE"):
        raise failure("InvalidArgument", "The mode of Object Lock must be COMPLIANCE or GOVERNANCE.")
    if hold not in (None, "ON", "OFF"):
        raise failure("InvalidArgument", "A legal hold must be ON or OFF.")
    lock: Lock = {} if hold is None else {"hold": hold}
    if mode is not None and until is not None:
        lock |= {"mode": mode, "until": in_future(until.timestamp(), now)}
    return lock


def is_later(until: float, old: float) -> bool:
    """Return True if a date is later than another, compared in whole seconds.

    IBM's and Amazon's SDKs truncate dates in headers to seconds, but not dates in documents. The fraction of the same instant
    must not count as an extension, which needs no permission to bypass.
    """
    return int(until) > int(old)


def on_replica(old: Lock | None, source: Lock, now: float) -> Lock:
    """Return the new lock of a replica after its source changed.

    A COMPLIANCE lock that has not expired, and a legal hold that the source does not have, are kept.
    """
    previous = old or {}
    lock = source if "hold" in source or "hold" not in previous else {**source, "hold": previous["hold"]}
    if previous.get("mode") == "COMPLIANCE" and now < previous["until"]:
        source_until = source["until"] if source.get("mode") == "COMPLIANCE" else 0.0
        lock = {**lock, "mode": "COMPLIANCE", "until": max(previous["until"], source_until)}
    return lock


def in_future(until: float, now: float) -> float:
    """Return a retention date.

    Raises `InvalidRequest` (InvalidArgument) if it is in the past.
    """
    if until <= now:
        raise failure("InvalidArgument", "The date of Object Lock is in the past.")
    return until


def on_write(bucket: BucketRow, explicit: Lock | None, now: float) -> Lock | None:
    """Return the lock of a new version: the requested one, or the bucket's default."""
    xml = bucket.settings.get("object-lock")
    if xml is None or (explicit is not None and "mode" in explicit):
        return explicit
    rule = ObjectLockConfiguration.from_xml(xml.encode()).rule
    default = rule.default_retention if rule is not None else None
    if default is None:
        return explicit
    days = default.days if default.days is not None else (default.years or 0) * 365
    return {"mode": default.mode, "until": int(now) + days * DAY, **(explicit or {})}


def is_retained(found: ObjectRow, now: float) -> bool:
    """Return True if the retention of a version has not expired."""
    return found.lock is not None and "until" in found.lock and now < found.lock["until"]


def is_held(found: ObjectRow) -> bool:
    """Return True if a version has a legal hold."""
    return found.lock is not None and found.lock.get("hold") == "ON"


def is_locked(found: ObjectRow, now: float) -> bool:
    """Return True if a version has a legal hold or unexpired retention."""
    return is_held(found) or is_retained(found, now)


def refuse_locked(found: ObjectRow | None, now: float, *, bypass: bool) -> None:
    """Raise `AccessDenied` if a version is locked.

    GOVERNANCE can be bypassed, a legal hold cannot.
    """
    if found is None or not is_locked(found, now):
        return
    assert found.lock is not None
    if is_held(found) or found.lock["mode"] == "COMPLIANCE" or not bypass:
        raise protected()


def protected() -> AccessDenied:
    """Build the error for an operation that Object Lock forbids."""
    return AccessDenied("Access Denied because the version is protected by Object Lock.", status=403, code="AccessDenied")

"""Object Lock: the lock that a version is written with, and what a lock stands against.

A lock is kept with its version (`Object.lock`): `mode`, `until` in seconds, and `hold` (`ON`, `OFF`; missing: never set).
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
    """Tell whether the caller may bypass GOVERNANCE."""
    return ctx.is_owner and ctx.has_role("Writer")


def no_lock() -> Exception:
    """The error of a bucket without Object Lock."""
    return failure("InvalidRequest", "Bucket is missing Object Lock Configuration")


def asked(bucket: BucketRow, op: ObjectLockParams, now: float) -> Lock | None:
    """The lock that a request asks for; None where it asks for none."""
    mode, until, hold = op.object_lock_mode, op.object_lock_retain_until, op.object_lock_legal_hold
    if mode is None and until is None and hold is None:
        return None
    if "object-lock" not in bucket.settings:
        raise no_lock()
    if (mode is None) != (until is None):
        raise failure("InvalidArgument", "The mode and the date of Object Lock come as a pair.")
    if mode not in (None, "COMPLIANCE", "GOVERNANCE"):
        raise failure("InvalidArgument", "The mode of Object Lock is COMPLIANCE or GOVERNANCE.")
    if hold not in (None, "ON", "OFF"):
        raise failure("InvalidArgument", "A legal hold is ON or OFF.")
    lock: Lock = {} if hold is None else {"hold": hold}
    if mode is not None and until is not None:
        lock |= {"mode": mode, "until": in_future(until.timestamp(), now)}
    return lock


def is_later(until: float, old: float) -> bool:
    """Tell whether a date is later than another, judged by whole seconds.

    IBM's and Amazon's SDKs cut the date of a header to seconds and leave that of a document as it is. The fraction of one and
    the same instant must not count as an extension, which needs no right to bypass.
    """
    return int(until) > int(old)


def on_replica(old: Lock | None, source: Lock, now: float) -> Lock:
    """Return the lock of a replica that follows its source.

    Neither a lock in COMPLIANCE that has not run out nor a legal hold that the source knows nothing of gets lost by it.
    """
    kept = old or {}
    lock = source if "hold" in source or "hold" not in kept else {**source, "hold": kept["hold"]}
    if kept.get("mode") == "COMPLIANCE" and now < kept["until"]:
        later = source["until"] if source.get("mode") == "COMPLIANCE" else 0.0
        lock = {**lock, "mode": "COMPLIANCE", "until": max(kept["until"], later)}
    return lock


def in_future(until: float, now: float) -> float:
    """A date until which something is locked; refused where it has passed."""
    if until <= now:
        raise failure("InvalidArgument", "The date of Object Lock lies in the past.")
    return until


def on_write(bucket: BucketRow, explicit: Lock | None, now: float) -> Lock | None:
    """The lock of a version that is written: what was asked for, else what the bucket locks by default."""
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
    """Tell whether the lock of a version has not yet run out."""
    return found.lock is not None and "until" in found.lock and now < found.lock["until"]


def is_held(found: ObjectRow) -> bool:
    """Tell whether a version is under legal hold."""
    return found.lock is not None and found.lock.get("hold") == "ON"


def is_locked(found: ObjectRow, now: float) -> bool:
    """Tell whether a version is under legal hold, or its lock has not yet run out."""
    return is_held(found) or is_retained(found, now)


def refuse_locked(found: ObjectRow | None, now: float, *, bypass: bool) -> None:
    """Refuse to remove a version that is locked. GOVERNANCE can be bypassed, a legal hold cannot."""
    if found is None or not is_locked(found, now):
        return
    assert found.lock is not None
    if is_held(found) or found.lock["mode"] == "COMPLIANCE" or not bypass:
        raise protected()


def protected() -> AccessDenied:
    """The error of what Object Lock stands against."""
    return AccessDenied("Access Denied because the version is protected by Object Lock.", status=403, code="AccessDenied")

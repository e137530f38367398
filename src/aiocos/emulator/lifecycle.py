"""Lifecycle rules: archive, restore and expiry, by the emulator's clock.

An archive rule applies to objects that are written while the rule exists: the rule is recorded with each object
(`ObjectRow.archive`). Whether an object is archived, being restored or restored follows from that record and the time, so
nothing has to run.

Expiry also applies to existing objects and removes them from listings: it runs before the first request after midnight (UTC).
Due dates are rounded up to midnight, as the service does.
"""

import asyncio
from collections.abc import Callable
from email.utils import format_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote

from aiocos.emulator.clock import Clock
from aiocos.emulator.context import failure, moment
from aiocos.emulator.store import BucketRow, ObjectRow, Store, Transaction, UploadRow, buckets, objects, uploads
from aiocos.emulator.store.lifecycle import all_uploads, all_versions
from aiocos.operations.lifecycle import LifecycleConfiguration, LifecycleRule

DAY = 86400
HOURS = {"Bulk": 12, "Accelerated": 2}
"""Duration of a restore in hours, by tier."""


@lru_cache(256)
def _parsed(xml: str) -> tuple[LifecycleRule, ...]:
    return tuple(LifecycleConfiguration.from_xml(xml.encode()).rules)


def rules_of(bucket: BucketRow) -> tuple[LifecycleRule, ...]:
    """Return the enabled rules of a bucket."""
    xml = bucket.settings.get("lifecycle")
    return () if xml is None else tuple(rule for rule in _parsed(xml) if rule.status == "Enabled")


def midnight_after(seconds: float) -> float:
    """Return the first midnight (UTC) at or after a time, in seconds since 1970."""
    day, rest = divmod(seconds, DAY)
    return (day + (rest > 0)) * DAY


# ---------------------------------------------------------------------------------------------------------------------
# Archive


def on_write(bucket: BucketRow, now: float) -> dict[str, Any] | None:
    """Return the archive record of an object that is written now.

    It has the storage class and the time of the transition.
    """
    for rule in rules_of(bucket):
        for transition in rule.transitions:
            at = transition.date.timestamp() if transition.date is not None else now + (transition.days or 0) * DAY
            return {"class": transition.storage_class, "at": max(at, now)}
    return None


def is_archived(found: ObjectRow, now: float) -> bool:
    """Return True if an object is archived, restored or not."""
    return found.archive is not None and now >= found.archive["at"]


def restored(found: ObjectRow, now: float) -> dict[str, Any] | None:
    """Return the restore of an archived object, running or completed.

    It has `ready`, `until` and `days`. None without a restore.
    """
    if found.archive is None or not is_archived(found, now):
        return None
    restore: dict[str, Any] | None = found.archive.get("restore")
    return restore if restore is not None and now < restore["until"] else None


def is_readable(found: ObjectRow, now: float) -> bool:
    """Return True if the content of an object can be read.

    That is so if the object is not archived, or if it is restored.
    """
    if not is_archived(found, now):
        return True
    restore = restored(found, now)
    return restore is not None and now >= restore["ready"]


def storage_class(found: ObjectRow, now: float) -> str | None:
    """Return `GLACIER` or `ACCELERATED` for an archived object; None otherwise."""
    return found.archive["class"] if found.archive is not None and is_archived(found, now) else None


def refuse_archived(found: ObjectRow, now: float) -> None:
    """Raise `InvalidObjectState` if an object is archived and not restored."""
    if not is_readable(found, now):
        raise failure("InvalidObjectState", "The operation is not valid for the object's storage class: restore it first.", 403)


def read_fields(bucket: BucketRow, found: ObjectRow, now: float) -> dict[str, Any]:
    """Return the fields of `ObjectInfo` about archive and expiry."""
    values: dict[str, Any] = {}
    if (expiry := expiration_header(bucket, found)) is not None:
        values["expiration"] = expiry
    if found.archive is None:
        return values
    at = _date(found.archive["at"])
    values["archive_transition_time"] = at
    values["transition"] = f'transition="ARCHIVE", date="{at}"'
    if not is_archived(found, now):
        return values
    values["storage_class"] = found.archive["class"]
    restore = restored(found, now)
    if restore is not None:
        values["restored_copy_storage_class"] = bucket.location.rpartition("-")[2].capitalize()
        values["restore"] = 'ongoing-request="true"'
        if now >= restore["ready"]:
            values["restore"] = f'ongoing-request="false", expiry-date="{_date(restore["until"])}"'
    return values


def expiration_header(bucket: BucketRow, found: ObjectRow) -> str | None:
    """Return the value of the x-amz-expiration header.

    None if the object does not expire.
    """
    due = expiry_of(rules_of(bucket), found)
    return None if due is None else f'expiry-date="{_date(due[0])}", rule-id="{quote(due[1])}"'


def abort_fields(bucket: BucketRow, upload: UploadRow) -> dict[str, Any]:
    """Return the result fields about the automatic abort of an upload."""
    due = abort_of(rules_of(bucket), upload)
    return {} if due is None else {"abort_date": moment(due[0]), "abort_rule_id": due[1]}


def _date(seconds: float) -> str:
    return format_datetime(moment(seconds), usegmt=True)


# ---------------------------------------------------------------------------------------------------------------------
# Expiry


def matches(rule: LifecycleRule, key: str, size: int, tags: dict[str, str]) -> bool:
    """Return True if a rule applies to an object."""
    condition = rule.filter
    if condition is None:
        return key.startswith(rule.prefix or "")
    combined = condition.and_
    prefix = combined.prefix if combined is not None else condition.prefix
    required_tags = [*(combined.tags if combined is not None else []), *([condition.tag] if condition.tag is not None else [])]
    above = combined.object_size_greater_than if combined is not None else condition.object_size_greater_than
    below = combined.object_size_less_than if combined is not None else condition.object_size_less_than
    return (
        key.startswith(prefix or "")
        and all(tags.get(tag.key) == tag.value for tag in required_tags)
        and (above is None or size > above)
        and (below is None or size < below)
    )


def tags_of(found: ObjectRow | UploadRow) -> dict[str, str]:
    """Return the tags of an object or upload."""
    return dict(parse_qsl(found.headers.get("tagging", ""), keep_blank_values=True))


def expiry_of(rules: tuple[LifecycleRule, ...], found: ObjectRow) -> tuple[float, str] | None:
    """Return the earliest expiry of the current version of an object.

    The result is the time and the id of the rule; None if it does not expire.
    """
    due: list[tuple[float, str]] = []
    for rule in rules:
        expiration = rule.expiration
        if expiration is None or not matches(rule, found.key, found.size, tags_of(found)):
            continue
        if expiration.days is not None:
            due.append((midnight_after(found.modified + expiration.days * DAY), rule.id or ""))
        elif expiration.date is not None:
            due.append((midnight_after(expiration.date.timestamp()), rule.id or ""))
    return min(due, default=None)


def abort_of(rules: tuple[LifecycleRule, ...], upload: UploadRow) -> tuple[float, str] | None:
    """Return the time of the automatic abort of an upload, and its rule id.

    None if it is not aborted.
    """
    due = [
        (midnight_after(upload.initiated + rule.abort_incomplete_multipart_upload.days_after_initiation * DAY), rule.id or "")
        for rule in rules
        if rule.abort_incomplete_multipart_upload is not None
        and rule.abort_incomplete_multipart_upload.days_after_initiation is not None
        and matches(rule, upload.key, 0, tags_of(upload))
    ]
    return min(due, default=None)


IsProtected = Callable[[ObjectRow, float], bool]
"""Return True if a version must not be deleted at a time."""


class Lifecycle:
    """Expires objects and aborts uploads after each midnight."""

    def __init__(self, store: Store, clock: Clock, is_protected: IsProtected) -> None:
        self._store = store
        self._clock = clock
        self._is_protected = is_protected
        self._next = 0.0
        self._lock = asyncio.Lock()

    async def run_due(self) -> None:
        """Run the due actions. If no midnight has passed, this is a single comparison."""
        # The lower bound handles a clock that was set back to before the last midnight.
        if self._next - DAY <= self._clock.timestamp() < self._next:
            return
        async with self._lock:
            now = self._clock.timestamp()
            if self._next - DAY <= now < self._next:
                return
            for bucket in await self._store.database.read(lambda c: buckets.with_setting(c, "lifecycle")):
                await self._store.write(lambda t, name=bucket.name: _sweep(t, name, now, self._is_protected), frees=True)
            self._next = midnight_after(now + 0.001)


def _sweep(t: Transaction, name: str, now: float, is_protected: IsProtected) -> None:
    bucket = buckets.find(t.connection, name)
    if bucket is None:
        return
    rules = rules_of(bucket)
    for upload in all_uploads(t, bucket.id):
        due = abort_of(rules, upload)
        if due is not None and now >= due[0]:
            uploads.remove(t, upload.id)
    if any(rule.expiration is not None or rule.noncurrent_version_expiration is not None for rule in rules):
        for versions in all_versions(t, bucket.id):
            _expire(t, bucket, rules, versions, now, is_protected)


def _expire(
    t: Transaction,
    bucket: BucketRow,
    rules: tuple[LifecycleRule, ...],
    versions: list[ObjectRow],
    now: float,
    is_protected: IsProtected,
) -> None:
    """Expire the due versions of one key. `versions` are sorted newest first."""
    left = [versions[0]]
    for newer, version in enumerate(versions[1:]):
        successor = versions[newer]
        if _noncurrent_due(rules, version, successor.modified, newer, now) and not is_protected(version, now):
            objects.remove(t, bucket.id, version.key, version.version_id, _allow, now, version.owner)
        else:
            left.append(version)
    latest = versions[0]
    if latest.delete_marker:
        if len(left) == 1 and any(_ends_markers(rule, latest) for rule in rules):
            objects.remove(t, bucket.id, latest.key, latest.version_id, _allow, now, latest.owner)
        return
    due = expiry_of(rules, latest)
    # In a versioned bucket expiry adds a delete marker and keeps the version, so its lock does not matter.
    if due is not None and now >= due[0] and (bucket.versioning is not None or not is_protected(latest, now)):
        objects.remove(t, bucket.id, latest.key, None, _allow, now, latest.owner)


def _allow(old: ObjectRow | None) -> None:
    """Allow the deletion: protection was checked before."""


def _ends_markers(rule: LifecycleRule, marker: ObjectRow) -> bool:
    removes = rule.expiration is not None and bool(rule.expiration.expired_object_delete_marker)
    return removes and matches(rule, marker.key, 0, {})


def _noncurrent_due(rules: tuple[LifecycleRule, ...], version: ObjectRow, since: float, newer: int, now: float) -> bool:
    """Return True if a noncurrent version is due for expiry.

    It became noncurrent at `since` and has `newer` newer noncurrent versions.
    """
    for rule in rules:
        end = rule.noncurrent_version_expiration
        if end is None or not matches(rule, version.key, version.size, tags_of(version)):
            continue
        if newer >= (end.newer_noncurrent_versions or 0) and now >= midnight_after(since + (end.noncurrent_days or 0) * DAY):
            return True
    return False

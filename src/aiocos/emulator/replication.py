"""Replication: create and update replicas by a bucket's rules.

A replica is created in the transaction of the write, so it exists at once. It has the version id, date and lock of its source,
and is not replicated further. Failures are recorded, and retried at the midnight after a request to retry them.
"""

from functools import lru_cache

from aiocos.emulator import lifecycle, locking
from aiocos.emulator.clock import Clock
from aiocos.emulator.store import BucketRow, ObjectRow, Store, Transaction, buckets, failures, objects
from aiocos.operations.replication import ReplicationConfiguration, ReplicationRule

STATUS = "replication_status"


@lru_cache(256)
def _parsed(xml: str) -> tuple[ReplicationRule, ...]:
    rules = ReplicationConfiguration.from_xml(xml.encode()).rules
    return tuple(sorted((rule for rule in rules if rule.status == "Enabled"), key=lambda rule: -rule.priority))


def rule_for(bucket: BucketRow, found: ObjectRow) -> ReplicationRule | None:
    """Return the matching rule with the highest priority.

    None if no rule matches a version.
    """
    xml = bucket.settings.get("replication")
    return None if xml is None else next((rule for rule in _parsed(xml) if _matches(rule, found)), None)


def _matches(rule: ReplicationRule, found: ObjectRow) -> bool:
    conditions = rule.filter
    combined = conditions.and_
    prefixes = (rule.prefix, conditions.prefix, combined.prefix if combined is not None else None)
    required_tags = [] if conditions.tag is None else [conditions.tag]
    if combined is not None:
        required_tags += combined.tags
    tags = lifecycle.tags_of(found) if required_tags else {}
    return all(found.key.startswith(p) for p in prefixes if p) and all(tags.get(tag.key) == tag.value for tag in required_tags)


def target_of(t: Transaction, destination: str) -> BucketRow | None:
    """Return the target bucket of a rule, given by name or CRN.

    None if it does not exist.
    """
    # crn:v1:bluemix:public:cloud-object-storage:global:a/<account>:<instance>:bucket:<name>
    return buckets.find(t.connection, destination.rpartition(":")[2])


def replicate(t: Transaction, bucket: BucketRow, version: ObjectRow, now: float) -> ObjectRow:
    """Replicate a new or changed version if a rule matches.

    Returns the version with its replication status.
    """
    rule = rule_for(bucket, version)
    if rule is None or (version.delete_marker and rule.delete_marker_replication.status != "Enabled"):
        return version
    failed = _copy_to_target(t, rule, version, now)
    if failed is None:
        failures.clear(t, version.serial)
    else:
        failures.record(t, bucket.id, version.serial, *failed, now)
    version = version.copy(headers={**version.headers, STATUS: "COMPLETE" if failed is None else "FAILED"})
    objects.set_headers(t, version.serial, version.headers)
    return version


def _copy_to_target(t: Transaction, rule: ReplicationRule, version: ObjectRow, now: float) -> tuple[str, str] | None:
    """Create or update the replica.

    Returns None, or what failed (the service's SyncType) and the reason.
    """
    target = target_of(t, rule.destination.bucket)
    if target is None:
        return "content", "The target bucket does not exist."
    if target.versioning != "Enabled":
        return "content", "Versioning disabled on destination bucket"
    lockable = "object-lock" in target.settings
    if version.lock and not lockable:
        return "objectLock", "The version is locked, and the target bucket does not have Object Lock."
    headers = {**version.headers, STATUS: "REPLICA"}
    existing = objects.find(t.connection, target.id, version.key, version.version_id)
    if existing is not None:
        objects.set_headers(t, existing.serial, headers)
        if version.lock is not None and lockable:
            objects.set_lock(t, existing.serial, locking.on_replica(existing.lock, version.lock, now))
        return None
    replica = version.copy(
        headers=headers,
        acl="private",
        retention=None,
        archive=None if version.delete_marker else lifecycle.on_write(target, now),
        lock=None if version.delete_marker or not lockable else version.lock or locking.on_write(target, None, now),
    )
    objects.insert_in_order(t, target.id, replica)
    return None


def update_replica(t: Transaction, bucket: BucketRow, found: ObjectRow, now: float) -> None:
    """Copy changed tags and lock of a version to its replica."""
    if found.headers.get(STATUS) in ("COMPLETE", "FAILED"):
        replicate(t, bucket, found, now)


class Replication:
    """Retries failed replications when they are due."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def run_due(self) -> None:
        """Run the due retries. If none are due, this is a single index look-up."""
        now = self._clock.now().timestamp()
        if failures.is_due(self._store.connection, now):
            await self._store.write(lambda t: _retry(t, now))


def _retry(t: Transaction, now: float) -> None:
    for name, key, version_id in failures.take_due(t, now):
        bucket = buckets.find(t.connection, name)
        found = None if bucket is None else objects.find(t.connection, bucket.id, key, version_id)
        if bucket is not None and found is not None:
            replicate(t, bucket, found, now)

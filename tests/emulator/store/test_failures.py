"""Rows of failed replications."""

from __future__ import annotations

from aiocos.emulator.store import BucketRow, ObjectRow, Store, Transaction, failures, objects


async def fail(store: Store, bucket: BucketRow, key: str, now: float) -> int:
    def write(t: Transaction) -> int:
        row = objects.insert(t, bucket.id, ObjectRow(key, "0" * 32, 0, now, "owner", version_id=f"v-{key}"))
        failures.record(t, bucket.id, row.serial, "kind", "cause", now)
        return row.serial

    return await store.write(write)


async def test_a_second_failure_keeps_the_time_of_the_first(store: Store, bucket: BucketRow) -> None:
    serial = await fail(store, bucket, "key", 1.0)
    await store.write(lambda t: failures.record(t, bucket.id, serial, "kind", "other cause", 5.0))
    (failure,) = failures.list_page(store.connection, bucket.id, None, None, 10)
    assert (failure.first, failure.last, failure.cause) == (1.0, 5.0, "other cause")
    await store.write(lambda t: failures.clear(t, serial))
    assert failures.list_page(store.connection, bucket.id, None, None, 10) == []


async def test_failures_are_listed_newest_first(store: Store, bucket: BucketRow) -> None:
    for n in range(4):
        await fail(store, bucket, f"k{n}", float(n))
    page = failures.list_page(store.connection, bucket.id, None, None, 2)
    assert [f.key for f in page] == ["k3", "k2"]
    rest = failures.list_page(store.connection, bucket.id, None, (page[-1].first, page[-1].serial), 10)
    assert [f.key for f in rest] == ["k1", "k0"]
    assert [f.key for f in failures.list_page(store.connection, bucket.id, 2.0, None, 10)] == ["k1", "k0"]


async def test_a_scheduled_attempt_is_taken_once_when_it_is_due(store: Store, bucket: BucketRow) -> None:
    await fail(store, bucket, "key", 1.0)
    assert not failures.is_due(store.connection, 1e9)
    await store.write(lambda t: failures.schedule(t, bucket.id, 100.0))
    assert not failures.is_due(store.connection, 99.0)
    assert failures.is_due(store.connection, 100.0)
    assert await store.write(lambda t: failures.take_due(t, 100.0)) == [("bucket", "key", "v-key")]
    assert await store.write(lambda t: failures.take_due(t, 100.0)) == []

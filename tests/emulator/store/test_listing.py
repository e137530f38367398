"""Pages of listings, computed by seeks in an index."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiocos.emulator.store import ObjectRow, Store, Transaction, buckets, listing, objects
from aiocos.emulator.store.buckets import new_instance
from aiocos.emulator.store.listing import ListingQuery
from aiocos.emulator.store.rows import BucketRow


def reference_page(keys: list[str], asked: ListingQuery) -> list[tuple[str, str]]:
    """Return the page that results from looking at every key."""
    out: list[tuple[str, str]] = []
    for key in sorted(keys, key=str.encode):
        if not key.startswith(asked.prefix):
            continue
        at = key.find(asked.delimiter, len(asked.prefix)) if asked.delimiter else -1
        entry = ("prefix", key[: at + len(asked.delimiter)]) if at >= 0 else ("key", key)
        if entry == ("prefix", asked.after) or key.encode() <= asked.after.encode() or entry in out:
            continue
        out.append(entry)
    return out[: asked.limit]


KEY = st.text(st.sampled_from("ab/ü\U0001f600"), min_size=1, max_size=5)


@settings(max_examples=15, deadline=None)
@given(
    keys=st.lists(KEY, min_size=1, max_size=30, unique=True),
    queries=st.lists(
        st.tuples(KEY | st.just(""), st.sampled_from(["", "/", "a", "b/"]), KEY | st.just(""), st.integers(1, 10)),
        min_size=10,
        max_size=30,
    ),
)
async def test_a_page_equals_one_computed_from_all_keys(keys: list[str], queries: list[tuple[str, str, str, int]]) -> None:
    store = Store(None)
    try:
        bucket = await _bucket(store, keys)
        for prefix, delimiter, after, limit in queries:
            requested = ListingQuery(bucket, prefix, delimiter, after, limit)
            found = listing.latest(store.connection, requested)
            page = [("key", o.key) for o in found.objects] + [("prefix", p) for p in found.prefixes]
            expected = reference_page(keys, requested)
            assert sorted(page) == sorted(expected)
            everything = reference_page(keys, ListingQuery(bucket, prefix, delimiter, after, 10**6))
            assert found.truncated == (len(everything) > limit)
            if page:
                assert found.last == expected[-1][1]
    finally:
        await store.close()


async def _bucket(store: Store, keys: list[str]) -> int:
    instance = new_instance()
    await store.add_instance(instance)

    def write(t: Transaction) -> int:
        buckets.add(t, BucketRow(0, "bucket", instance.crn, 0.0, "us-south-standard", "private"))
        bucket = buckets.find(t.connection, "bucket")
        assert bucket is not None
        for key in keys:
            objects.put(t, bucket.id, ObjectRow(key, "0" * 32, 0, 0.0, "me"), lambda old: None)
        return bucket.id

    return await store.write(write)


@pytest.mark.slow
async def test_a_page_of_a_large_bucket_does_not_read_all_keys() -> None:
    store = Store(None)
    try:
        bucket = await _bucket(store, [f"{n % 10}/{n:06}" for n in range(100_000)])
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        store.connection.set_progress_handler(count, 100)
        assert listing.latest(store.connection, ListingQuery(bucket, delimiter="/")).prefixes == [f"{n}/" for n in range(10)]
        deep = listing.latest(store.connection, ListingQuery(bucket, prefix="7/", after="7/050007", limit=1000))
        assert deep.objects[0].key == "7/050017"
        # Reading 100,000 rows would take millions of steps of SQLite's virtual machine.
        assert steps * 100 < 100_000
    finally:
        await store.close()

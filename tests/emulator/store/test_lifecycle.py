"""Reads of a whole bucket for lifecycle rules."""

from __future__ import annotations

import pytest

from aiocos.emulator.store import BucketRow, ObjectRow, Store, Transaction, lifecycle, objects


async def test_versions_are_grouped_by_key_newest_first_and_may_be_removed_meanwhile(
    store: Store, bucket: BucketRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "_PAGE", 2)
    keys = [f"k{n}" for n in range(5)]

    def write(t: Transaction) -> None:
        for key in keys:
            for version in ("old", "new"):
                objects.insert(t, bucket.id, ObjectRow(key, "0" * 32, 0, 1.0, "owner", version_id=version))

    def read(t: Transaction) -> list[tuple[str, list[str]]]:
        found: list[tuple[str, list[str]]] = []
        for versions in lifecycle.all_versions(t, bucket.id):
            found.append((versions[0].key, [v.version_id for v in versions]))
            objects.remove(t, bucket.id, versions[0].key, "old", lambda old: None, 2.0, "owner")
        return found

    await store.write(write)
    assert await store.write(read) == [(key, ["new", "old"]) for key in keys]
    assert await store.write(lambda t: [len(v) for v in lifecycle.all_versions(t, bucket.id)]) == [1] * 5

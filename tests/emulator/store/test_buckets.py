"""Rows of instances, credentials and buckets."""

from __future__ import annotations

from dataclasses import replace

from aiocos.emulator.store import BucketRow, Store, buckets
from aiocos.emulator.store.buckets import new_instance, new_key


async def test_an_instance_has_the_credentials_of_its_manager(store: Store) -> None:
    instance = new_instance()
    await store.add_instance(instance)
    assert store.instances == [instance]
    assert [(key.role, key.api_key) for key in store.keys] == [("Manager", instance.api_key)]
    await store.add_key(new_key(instance, "Reader"))
    assert [key.role for key in store.keys] == ["Manager", "Reader"]


async def test_adding_an_instance_again_replaces_its_credentials(store: Store) -> None:
    instance = new_instance()
    await store.add_instance(instance)
    await store.add_instance(replace(instance, api_key="new"))
    assert [i.api_key for i in store.instances] == ["new"]


def test_a_new_instance_has_random_credentials_in_the_form_of_the_service() -> None:
    one, other = new_instance(), new_instance()
    assert (len(one.access_key_id), len(one.secret_access_key)) == (32, 48)
    assert one.secret_access_key != other.secret_access_key
    assert one.crn.split(":")[7] == one.guid
    assert new_instance("crn:v1:bluemix:public:cloud-object-storage:global:a/acc:the-guid::").guid == "the-guid"


def test_representations_do_not_show_secrets() -> None:
    instance = new_instance()
    for value in (instance, new_key(instance, "Writer")):
        for secret in (instance.api_key, instance.secret_access_key):
            assert secret not in repr(value)


async def test_settings_are_replaced_and_removed_one_by_one(store: Store, bucket: BucketRow) -> None:
    await store.write(lambda t: buckets.set_setting(t, bucket.id, "cors", "<a/>"))
    await store.write(lambda t: buckets.set_setting(t, bucket.id, "website", "<b/>"))
    await store.write(lambda t: buckets.set_setting(t, bucket.id, "cors", None))
    found = buckets.find(store.connection, "bucket")
    assert found is not None
    assert found.settings == {"website": "<b/>"}
    assert [b.name for b in buckets.with_setting(store.connection, "website")] == ["bucket"]
    assert buckets.with_setting(store.connection, "cors") == []


async def test_a_page_has_the_buckets_after_a_name_with_a_prefix(store: Store, bucket: BucketRow) -> None:
    for name in ("b-1", "b-2", "b-3", "c"):
        await store.write(lambda t, name=name: buckets.add(t, replace(bucket, name=name)))  # type: ignore[misc]
    page = buckets.list_page(store.connection, bucket.instance, "b-", "b-1", 1)
    assert [b.name for b in page] == ["b-2"]
    assert buckets.list_page(store.connection, "another instance") == []

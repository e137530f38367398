"""The permissions of the roles Reader, Writer and Manager."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio

import aiocos
from aiocos import AccessDenied, Client, CorsRule, LifecycleRule
from aiocos.emulator import Emulator
from aiocos.emulator.context import handlers

from .documentation_tables import POLICY, refused


@pytest.fixture(params=["iam", "hmac"])
def hmac(request: pytest.FixtureRequest) -> bool:
    return request.param == "hmac"


@pytest_asyncio.fixture(loop_scope="module")
async def reader(cos_emulator: Emulator, hmac: bool) -> AsyncIterator[Client]:
    async with cos_emulator.client(key=await cos_emulator.add_api_key("Reader"), hmac=hmac) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def writer(cos_emulator: Emulator, hmac: bool) -> AsyncIterator[Client]:
    async with cos_emulator.client(key=await cos_emulator.add_api_key("Writer"), hmac=hmac) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def bucket(cos: Client) -> None:
    await cos.buckets.create("bucket")
    await cos.objects.put("bucket", "key", b"x")


async def test_readers_can_only_read(reader: Client) -> None:
    assert [b.name for b in await reader.buckets.list()] == ["bucket"]
    assert [e.key async for e in reader.objects.list("bucket")] == ["key"]
    assert await reader.objects.read("bucket", "key") == b"x"
    assert (await reader.protection.get("bucket")).status == "Disabled"
    assert (await reader.tagging.get_object("bucket", "key")).tags == []
    for call in (
        reader.buckets.create("other"),
        reader.buckets.delete("bucket"),
        reader.objects.put("bucket", "new", b"x"),
        reader.objects.copy("bucket", "new", ("bucket", "key")),
        reader.objects.delete("bucket", "key"),
        reader.objects.delete_many("bucket", ["key"]),
        reader.multipart.create("bucket", "new"),
        reader.tagging.put_object("bucket", "key", {"a": "b"}),
        reader.lifecycle.put("bucket", [LifecycleRule.expire(days=1)]),
        reader.acl.put_object("bucket", "key", acl="public-read"),
    ):
        with refused(AccessDenied, 403, "AccessDenied"):
            await call


async def test_writers_can_write_but_not_manage(writer: Client) -> None:
    await writer.buckets.create("other")
    await writer.objects.put("bucket", "new", b"y", tagging="a=b")
    await writer.objects.delete("bucket", "key")
    await writer.upload("bucket", "large", b"x" * (9 * 1024 * 1024), part_size=5 * 1024 * 1024)
    await writer.lifecycle.put("bucket", [LifecycleRule.expire(days=1)])
    await writer.cors.put("bucket", [CorsRule(allowed_methods=["GET"], allowed_origins=["*"])])
    await writer.website.put("bucket", aiocos.WebsiteConfiguration.of("index.html"))
    await writer.versioning.enable("other")
    await writer.buckets.delete("other")
    block = aiocos.PublicAccessBlockConfiguration(block_public_acls=True)
    for call in (
        writer.acl.put_bucket("bucket", acl="public-read"),
        writer.acl.put_object("bucket", "new", acl="public-read"),
        writer.protection.put("bucket", POLICY),
        writer.public_access.put("bucket", block),
        writer.public_access.delete("bucket"),
        writer.legal_holds.add("bucket", "new", "a"),
        writer.legal_holds.delete("bucket", "new", "a"),
    ):
        with refused(AccessDenied, 403, "AccessDenied"):
            await call


MANAGERS = {
    "PutBucketProtectionConfiguration",
    "AddLegalHold",
    "DeleteLegalHold",
    "PutPublicAccessBlock",
    "DeletePublicAccessBlock",
    # The documentation does not say; this is our choice.
    "PutBucketAcl",
    "PutObjectAcl",
}


def test_every_operation_has_the_role_that_is_documented() -> None:
    for cls, handler in handlers.items():
        name, method = cls.spec.name, cls.spec.method
        least = "Manager" if name in MANAGERS else "Reader" if method in ("GET", "HEAD") else "Writer"
        assert handler.role == least, name
    assert {cls.spec.name for cls in handlers} >= MANAGERS


async def test_writers_can_bypass_governance(cos: Client, writer: Client, reader: Client) -> None:
    await cos.buckets.create("locked", object_lock_enabled=True)
    await writer.object_lock.put_configuration("locked", aiocos.ObjectLockConfiguration.of("GOVERNANCE", days=5))
    created = await cos.objects.put("locked", "key", b"x")
    with refused(AccessDenied, 403, "AccessDenied"):
        await reader.objects.delete("locked", "key", version_id=created.version_id, bypass_governance=True)
    with refused(aiocos.ObjectProtected, 403, "AccessDenied"):
        await writer.objects.delete("locked", "key", version_id=created.version_id)
    await writer.objects.delete("locked", "key", version_id=created.version_id, bypass_governance=True)


async def test_readers_can_do_what_anonymous_callers_can(cos: Client, reader: Client) -> None:
    await cos.buckets.create("open", acl="public-read-write")
    await reader.objects.put("open", "key", b"x")


@pytest.mark.parametrize("role", ["Manager", "Writer", "Reader"])
async def test_users_of_another_instance_have_no_access(
    cos_emulator: Emulator, role: Literal["Manager", "Writer", "Reader"]
) -> None:
    other = await cos_emulator.add_instance()
    key = await cos_emulator.add_api_key(role, instance=other)
    async with cos_emulator.client(key=key) as other_instance:
        assert await other_instance.buckets.list() == []
        for call in (
            other_instance.objects.read("bucket", "key"),
            other_instance.objects.put("bucket", "key", b"x"),
            other_instance.buckets.head("bucket"),
            other_instance.website.get("bucket"),
        ):
            with pytest.raises(AccessDenied):
                await call
    assert key.api_key not in repr(key)
    assert key.secret_access_key not in repr(key)


async def test_an_unknown_role_or_instance_is_refused(cos_emulator: Emulator) -> None:
    with pytest.raises(aiocos.ConfigError, match="not a role"):
        await cos_emulator.add_api_key("Admin")  # type: ignore[arg-type]
    async with Emulator() as other:
        with pytest.raises(aiocos.ConfigError, match="not an instance"):
            await cos_emulator.add_api_key("Reader", instance=other.instance)


async def test_users_survive_a_restart(tmp_path: Path) -> None:
    async with Emulator(tmp_path) as emulator, emulator.client() as cos:
        key = await emulator.add_api_key("Reader")
        await cos.buckets.create("bucket")
    async with Emulator(tmp_path) as emulator, emulator.client(key=key) as reader:
        await reader.buckets.head("bucket")
        with pytest.raises(AccessDenied):
            await reader.buckets.delete("bucket")

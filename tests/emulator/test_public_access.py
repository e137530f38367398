"""Public access by ACLs, and the public access block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

import aiocos
from aiocos import Anonymous, Client, PublicAccessBlockConfiguration
from aiocos.emulator import Emulator
from aiocos.emulator.public_access import PUBLIC
from aiocos.operations.acl import AccessControlPolicy
from aiocos.operations.multipart import CompletedPart

from .conftest import Raw


@pytest_asyncio.fixture(loop_scope="module")
async def anonymous_client(cos_emulator: Emulator) -> AsyncIterator[Client]:
    async with Client(endpoint=cos_emulator.endpoint, credentials=Anonymous()) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def raw(cos_emulator: Emulator) -> AsyncIterator[Raw]:
    async with aiohttp.ClientSession() as session:
        yield Raw(cos_emulator, session, cos_emulator.instance)


@pytest_asyncio.fixture(loop_scope="module")
async def anonymous(cos_emulator: Emulator) -> AsyncIterator[Raw]:
    async with aiohttp.ClientSession() as session:
        yield Raw(cos_emulator, session, None)


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def bucket(cos: Client) -> None:
    await cos.buckets.create("bucket")


async def test_the_block_can_be_set_read_and_removed(cos: Client) -> None:
    with pytest.raises(aiocos.NoSuchConfiguration) as caught:
        await cos.public_access.get("bucket")
    assert (caught.value.status, caught.value.code) == (404, "NoSuchPublicAccessBlockConfiguration")
    await cos.public_access.put("bucket", PublicAccessBlockConfiguration(block_public_acls=True))
    found = await cos.public_access.get("bucket")
    assert (found.block_public_acls, found.ignore_public_acls) == (True, False)
    await cos.public_access.delete("bucket")
    with pytest.raises(aiocos.NoSuchConfiguration):
        await cos.public_access.get("bucket")


async def test_anonymous_clients_can_read_public_objects(cos: Client, anonymous_client: Client) -> None:
    await cos.objects.put("bucket", "public", b"x", acl="public-read")
    await cos.objects.put("bucket", "private", b"x")
    assert await anonymous_client.objects.read("bucket", "public") == b"x"
    for key in ("private", "missing"):
        with pytest.raises(aiocos.AccessDenied):
            await anonymous_client.objects.read("bucket", key)
    with pytest.raises(aiocos.AccessDenied):
        [entry async for entry in anonymous_client.objects.list("bucket")]
    await cos.acl.put_bucket("bucket", acl="public-read")
    assert [entry.key async for entry in anonymous_client.objects.list("bucket")] == ["private", "public"]
    with pytest.raises(aiocos.NoSuchKey):
        await anonymous_client.objects.read("bucket", "missing")
    with pytest.raises(aiocos.AccessDenied):
        await anonymous_client.objects.put("bucket", "new", b"x")


async def test_the_block_refuses_new_public_acls(cos: Client, anonymous_client: Client) -> None:
    await cos.objects.put("bucket", "old", b"x", acl="public-read")
    begun = (await cos.multipart.create("bucket", "begun", acl="public-read")).upload_id
    await cos.public_access.put("bucket", PublicAccessBlockConfiguration(block_public_acls=True))
    for refused in (
        cos.objects.put("bucket", "new", b"x", acl="public-read"),
        cos.objects.copy("bucket", "new", ("bucket", "old"), acl="public-read"),
        cos.multipart.create("bucket", "new", acl="public-read"),
        cos.acl.put_object("bucket", "old", acl="public-read"),
        cos.acl.put_bucket("bucket", acl="public-read"),
    ):
        with pytest.raises(aiocos.AccessDenied) as caught:
            await refused
        assert (caught.value.status, caught.value.code) == (403, "AccessDenied")
    assert [entry.key async for entry in cos.objects.list("bucket")] == ["old"]
    # An upload created before the block is completed with its ACL.
    part = await cos.multipart.upload_part("bucket", "begun", begun, 1, b"y")
    await cos.multipart.complete("bucket", "begun", begun, [CompletedPart(part_number=1, etag=part.etag)])
    assert await anonymous_client.objects.read("bucket", "begun") == b"y"
    # Public objects stay public, and can be made private.
    assert await anonymous_client.objects.read("bucket", "old") == b"x"
    await cos.acl.put_object("bucket", "old", acl="private")
    await cos.objects.put("bucket", "new", b"x", acl="private")


@pytest.mark.parametrize("target", ["/bucket/new", "/bucket?acl", "/bucket/old?acl"])
async def test_a_block_set_while_a_body_is_received_applies(cos: Client, cos_emulator: Emulator, target: str) -> None:
    await cos.objects.put("bucket", "old", b"x")
    token = cos_emulator.iam.issue(cos_emulator.instance)
    public = await _public_document(cos)

    async def body() -> AsyncIterator[bytes]:
        yield public[:10]
        for _ in range(1000):
            if any(served.method == "PUT" and not served.status for served in cos_emulator.requests):
                break
            await asyncio.sleep(0.005)
        await cos.public_access.put("bucket", PublicAccessBlockConfiguration(block_public_acls=True))
        yield public[10:]

    headers = {"Authorization": f"Bearer {token}", "Content-Length": str(len(public))}
    if target == "/bucket/new":
        headers["x-amz-acl"] = "public-read"
    async with aiohttp.ClientSession() as session:
        async with session.put(f"{cos_emulator.endpoint}{target}", data=body(), headers=headers) as response:
            assert response.status == 403
    assert [entry.key async for entry in cos.objects.list("bucket")] == ["old"]
    for grants in ((await cos.acl.get_bucket("bucket")).grants, (await cos.acl.get_object("bucket", "old")).grants):
        assert [grant.permission for grant in grants] == ["FULL_CONTROL"]


GROUPS = "http://acs.amazonaws.com/groups/global/"


def _document(group: str, permission: str) -> bytes:
    return (
        '<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:type="Group"><URI>{GROUPS}{group}</URI></Grantee><Permission>{permission}</Permission></Grant>'
        "</AccessControlList></AccessControlPolicy>"
    ).encode()


def _public_acl_requests() -> list[tuple[dict[str, str], bytes]]:
    ways: list[tuple[dict[str, str], bytes]] = [({"x-amz-acl": name}, b"") for name in sorted(PUBLIC)]
    for group in ("AllUsers", "AuthenticatedUsers"):
        for right in ("read", "write", "read-acp", "write-acp", "full-control"):
            # With several grantees, and without quotes, as some clients send it.
            ways.append(({f"x-amz-grant-{right}": f'id="me", uri="{GROUPS}{group}"'}, b""))
            ways.append(({f"x-amz-grant-{right}": f"uri={GROUPS}{group}"}, b""))
            ways.append(({}, _document(group, right.replace("-", "_").upper())))
    return ways


WRITES = ("PUT /bucket?acl", "PUT /bucket/old?acl", "PUT /bucket/new", "PUT /bucket/copy", "POST /bucket/new?uploads")


@pytest.mark.parametrize("write", WRITES)
async def test_the_block_refuses_every_form_of_a_public_acl(cos: Client, raw: Raw, write: str) -> None:
    await cos.objects.put("bucket", "old", b"x")
    before = [(await raw.get(target)).body for target in ("/bucket?acl", "/bucket/old?acl")]
    await cos.public_access.put("bucket", PublicAccessBlockConfiguration(block_public_acls=True))
    method, target = write.split()
    source = {"x-amz-copy-source": "bucket/old"} if target.endswith("copy") else {}
    for headers, body in _public_acl_requests():
        if body and not target.endswith("?acl"):
            continue
        if "x-amz-grant-write" in headers and "acl" not in target:
            continue  # objects do not have this permission
        response = await raw.send(method, target, body, headers | source)
        assert (response.status, response.code) == (403, "AccessDenied"), (write, headers, body)
    assert [(await raw.get(target)).body for target in ("/bucket?acl", "/bucket/old?acl")] == before
    assert [entry.key async for entry in cos.objects.list("bucket")] == ["old"]
    assert [u async for u in cos.multipart.list_uploads("bucket")] == []


@pytest.mark.parametrize("write", WRITES)
async def test_without_a_block_a_public_acl_is_stored_or_501(cos: Client, raw: Raw, anonymous: Raw, write: str) -> None:
    """Read access for everybody is supported. Grants that the emulator cannot enforce return 501."""
    await cos.objects.put("bucket", "old", b"x")
    method, target = write.split()
    source = {"x-amz-copy-source": "bucket/old"} if target.endswith("copy") else {}
    everybody = f'uri="{GROUPS}AllUsers"'
    assert (await raw.send(method, target, b"", {"x-amz-grant-read": everybody} | source)).status == 200
    if not target.endswith("?uploads"):
        assert (await anonymous.get(target.removesuffix("?acl"))).status == 200
    for right in ("read-acp", "write-acp"):
        response = await raw.send(method, target, b"", {f"x-amz-grant-{right}": everybody} | source)
        assert (response.status, response.code) == (501, "NotImplemented")
    both = {"x-amz-acl": "private", "x-amz-grant-read": everybody} | source
    assert (await raw.send(method, target, b"", both)).code == "InvalidRequest"
    own = {"x-amz-grant-full-control": f'id="{raw.emulator.instance.guid}"'} | source
    assert (await raw.send(method, target, b"", own)).status == 200
    for malformed in ("me", 'uri=""', "=x", "email=a@b"):
        response = await raw.send(method, target, b"", {"x-amz-grant-read": malformed} | source)
        assert (response.status, response.code) == (400, "InvalidArgument"), malformed


async def test_a_bucket_can_be_created_with_grant_headers(raw: Raw, anonymous: Raw) -> None:
    assert (await raw.put("/public", x_amz_grant_read=f"uri={GROUPS}AllUsers")).status == 200
    assert (await anonymous.get("/public")).status == 200
    assert (await raw.put("/theirs", x_amz_grant_read="id=me")).code == "NotImplemented"
    assert (await raw.head("/theirs")).status == 404


async def _public_document(cos: Client) -> bytes:
    await cos.acl.put_object("bucket", "old", acl="public-read")
    found = await cos.acl.get_object("bucket", "old")
    await cos.acl.put_object("bucket", "old", acl="private")
    return AccessControlPolicy(owner=found.owner, grants=found.grants).to_xml()


async def test_ignore_public_acls_makes_existing_public_objects_private(cos: Client, anonymous_client: Client) -> None:
    await cos.objects.put("bucket", "old", b"x", acl="public-read")
    await cos.acl.put_bucket("bucket", acl="public-read-write")
    await anonymous_client.objects.put("bucket", "by anybody", b"x")
    await cos.public_access.put("bucket", PublicAccessBlockConfiguration(ignore_public_acls=True))
    for refused in (
        anonymous_client.objects.read("bucket", "old"),
        anonymous_client.objects.put("bucket", "new", b"x"),
        anonymous_client.objects.delete("bucket", "old"),
        anonymous_client.buckets.head("bucket"),
    ):
        with pytest.raises(aiocos.AccessDenied):
            await refused
    assert await cos.objects.read("bucket", "old") == b"x"
    await cos.public_access.delete("bucket")
    assert await anonymous_client.objects.read("bucket", "old") == b"x"

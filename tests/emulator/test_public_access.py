"""Public access by access control lists, and its block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

import aiocos
from aiocos import Anonymous, Client, PublicAccessBlockConfiguration
from aiocos.emulator import Emulator
from aiocos.emulator.public_access import PUBLIC
from aiocos.operations.acl import AccessControlPolicy
from aiocos.operations.multipart import CompletedPart

from .conftest import Raw


@pytest.fixture
async def anybody(cos_emulator: Emulator) -> AsyncIterator[Client]:
    async with Client(endpoint=cos_emulator.endpoint, credentials=Anonymous()) as client:
        yield client


@pytest.fixture
async def raw(cos_emulator: Emulator) -> AsyncIterator[Raw]:
    async with aiohttp.ClientSession() as session:
        yield Raw(cos_emulator, session, cos_emulator.instance)


@pytest.fixture
async def anonymous(cos_emulator: Emulator) -> AsyncIterator[Raw]:
    async with aiohttp.ClientSession() as session:
        yield Raw(cos_emulator, session, None)


@pytest.fixture(autouse=True)
async def bucket(cos: Client) -> None:
    await cos.buckets.create("bucket")


async def test_the_block_comes_back(cos: Client) -> None:
    with pytest.raises(aiocos.NoSuchConfiguration) as caught:
        await cos.public_access.get("bucket")
    assert (caught.value.status, caught.value.code) == (404, "NoSuchPublicAccessBlockConfiguration")
    await cos.public_access.put("bucket", PublicAccessBlockConfiguration(block_public_acls=True))
    found = await cos.public_access.get("bucket")
    assert (found.block_public_acls, found.ignore_public_acls) == (True, False)
    await cos.public_access.delete("bucket")
    with pytest.raises(aiocos.NoSuchConfiguration):
        await cos.public_access.get("bucket")


async def test_anybody_reads_what_is_public(cos: Client, anybody: Client) -> None:
    await cos.objects.put("bucket", "public", b"x", acl="public-read")
    await cos.objects.put("bucket", "private", b"x")
    assert await anybody.objects.read("bucket", "public") == b"x"
    for key in ("private", "missing"):
        with pytest.raises(aiocos.AccessDenied):
            await anybody.objects.read("bucket", key)
    with pytest.raises(aiocos.AccessDenied):
        [entry async for entry in anybody.objects.list("bucket")]
    await cos.acl.put_bucket("bucket", acl="public-read")
    assert [entry.key async for entry in anybody.objects.list("bucket")] == ["private", "public"]
    with pytest.raises(aiocos.NoSuchKey):
        await anybody.objects.read("bucket", "missing")
    with pytest.raises(aiocos.AccessDenied):
        await anybody.objects.put("bucket", "new", b"x")


async def test_new_public_lists_are_blocked(cos: Client, anybody: Client) -> None:
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
    # An upload that was begun before is completed as it was begun.
    part = await cos.multipart.upload_part("bucket", "begun", begun, 1, b"y")
    await cos.multipart.complete("bucket", "begun", begun, [CompletedPart(part_number=1, etag=part.etag)])
    assert await anybody.objects.read("bucket", "begun") == b"y"
    # What is public stays so, and may be made private.
    assert await anybody.objects.read("bucket", "old") == b"x"
    await cos.acl.put_object("bucket", "old", acl="private")
    await cos.objects.put("bucket", "new", b"x", acl="private")


@pytest.mark.parametrize("target", ["/bucket/new", "/bucket?acl", "/bucket/old?acl"])
async def test_a_block_that_is_set_while_the_body_comes(cos: Client, cos_emulator: Emulator, target: str) -> None:
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
        async with session.put(f"{cos_emulator.endpoint}{target}", data=body(), headers=headers) as answer:
            assert answer.status == 403
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


def _public_ways() -> list[tuple[dict[str, str], bytes]]:
    ways: list[tuple[dict[str, str], bytes]] = [({"x-amz-acl": name}, b"") for name in sorted(PUBLIC)]
    for group in ("AllUsers", "AuthenticatedUsers"):
        for right in ("read", "write", "read-acp", "write-acp", "full-control"):
            # Among others, and without quotes, as some clients write it.
            ways.append(({f"x-amz-grant-{right}": f'id="me", uri="{GROUPS}{group}"'}, b""))
            ways.append(({f"x-amz-grant-{right}": f"uri={GROUPS}{group}"}, b""))
            ways.append(({}, _document(group, right.replace("-", "_").upper())))
    return ways


WRITES = ("PUT /bucket?acl", "PUT /bucket/old?acl", "PUT /bucket/new", "PUT /bucket/copy", "POST /bucket/new?uploads")


@pytest.mark.parametrize("write", WRITES)
async def test_no_public_list_passes_the_block(cos: Client, raw: Raw, write: str) -> None:
    await cos.objects.put("bucket", "old", b"x")
    before = [(await raw.get(target)).body for target in ("/bucket?acl", "/bucket/old?acl")]
    await cos.public_access.put("bucket", PublicAccessBlockConfiguration(block_public_acls=True))
    method, target = write.split()
    source = {"x-amz-copy-source": "bucket/old"} if target.endswith("copy") else {}
    for headers, body in _public_ways():
        if body and not target.endswith("?acl"):
            continue
        if "x-amz-grant-write" in headers and "acl" not in target:
            continue  # no right that an object has
        answer = await raw.send(method, target, body, headers | source)
        assert (answer.status, answer.code) == (403, "AccessDenied"), (write, headers, body)
    assert [(await raw.get(target)).body for target in ("/bucket?acl", "/bucket/old?acl")] == before
    assert [entry.key async for entry in cos.objects.list("bucket")] == ["old"]
    assert [u async for u in cos.multipart.list_uploads("bucket")] == []


@pytest.mark.parametrize("write", WRITES)
async def test_without_a_block_a_public_list_is_kept_or_refused(cos: Client, raw: Raw, anonymous: Raw, write: str) -> None:
    """A grant to everybody for reading is served; what cannot be honored is 501, and never taken without a word."""
    await cos.objects.put("bucket", "old", b"x")
    method, target = write.split()
    source = {"x-amz-copy-source": "bucket/old"} if target.endswith("copy") else {}
    everybody = f'uri="{GROUPS}AllUsers"'
    assert (await raw.send(method, target, b"", {"x-amz-grant-read": everybody} | source)).status == 200
    if not target.endswith("?uploads"):
        assert (await anonymous.get(target.removesuffix("?acl"))).status == 200
    for right in ("read-acp", "write-acp"):
        answer = await raw.send(method, target, b"", {f"x-amz-grant-{right}": everybody} | source)
        assert (answer.status, answer.code) == (501, "NotImplemented")
    both = {"x-amz-acl": "private", "x-amz-grant-read": everybody} | source
    assert (await raw.send(method, target, b"", both)).code == "InvalidRequest"
    own = {"x-amz-grant-full-control": f'id="{raw.emulator.instance.guid}"'} | source
    assert (await raw.send(method, target, b"", own)).status == 200
    for malformed in ("me", 'uri=""', "=x", "email=a@b"):
        answer = await raw.send(method, target, b"", {"x-amz-grant-read": malformed} | source)
        assert (answer.status, answer.code) == (400, "InvalidArgument"), malformed


async def test_a_new_bucket_takes_grants_by_header(raw: Raw, anonymous: Raw) -> None:
    assert (await raw.put("/public", x_amz_grant_read=f"uri={GROUPS}AllUsers")).status == 200
    assert (await anonymous.get("/public")).status == 200
    assert (await raw.put("/theirs", x_amz_grant_read="id=me")).code == "NotImplemented"
    assert (await raw.head("/theirs")).status == 404


async def _public_document(cos: Client) -> bytes:
    await cos.acl.put_object("bucket", "old", acl="public-read")
    found = await cos.acl.get_object("bucket", "old")
    await cos.acl.put_object("bucket", "old", acl="private")
    return AccessControlPolicy(owner=found.owner, grants=found.grants).to_xml()


async def test_old_public_lists_are_ignored(cos: Client, anybody: Client) -> None:
    await cos.objects.put("bucket", "old", b"x", acl="public-read")
    await cos.acl.put_bucket("bucket", acl="public-read-write")
    await anybody.objects.put("bucket", "by anybody", b"x")
    await cos.public_access.put("bucket", PublicAccessBlockConfiguration(ignore_public_acls=True))
    for refused in (
        anybody.objects.read("bucket", "old"),
        anybody.objects.put("bucket", "new", b"x"),
        anybody.objects.delete("bucket", "old"),
        anybody.buckets.head("bucket"),
    ):
        with pytest.raises(aiocos.AccessDenied):
            await refused
    assert await cos.objects.read("bucket", "old") == b"x"
    await cos.public_access.delete("bucket")
    assert await anybody.objects.read("bucket", "old") == b"x"

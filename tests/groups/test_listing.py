"""Listings return all keys in order, page after page, and end."""

import pytest
from aiohttp import web

import aiocos
from aiocos.errors import ProtocolError

KEYS = ["a b", "a+b", "a//b", "d/./x", "d/../y", "d/1", "d/2", "e%2Fe", "q?#", "x\ry", "ctl\x01", "é", "ü/1", "ü/2"]


@pytest.fixture
async def bucket(cos: aiocos.Client) -> str:
    await cos.buckets.create("bucket")
    for key in KEYS:
        await cos.objects.put("bucket", key, key.encode())
    return "bucket"


@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_both_listings_give_all_keys_once_and_in_order(cos: aiocos.Client, bucket: str, size: int):
    expected = sorted(KEYS, key=str.encode)
    assert [e.key async for e in cos.objects.list(bucket, max_keys=size)] == expected
    assert [e.key async for e in cos.objects.list_v1(bucket, max_keys=size)] == expected
    assert [e.key async for e in cos.objects.list_versions(bucket, max_keys=size)] == expected


@pytest.mark.parametrize("name", ["list", "list_v1", "list_versions"])
@pytest.mark.parametrize("size", [1, 2, 1000])
async def test_folders_are_in_the_pages(cos: aiocos.Client, bucket: str, name: str, size: int):
    keys: list[str] = []
    folders: list[str] = []
    async for page in getattr(cos.objects, name)(bucket, delimiter="/", max_keys=size).pages():
        entries = page.versions if name == "list_versions" else page.contents
        keys += [e.key for e in entries]
        folders += [p.prefix for p in page.common_prefixes]
    assert folders == ["a/", "d/", "ü/"]
    assert set(keys) == {k for k in KEYS if "/" not in k}


async def test_prefix_and_start(cos: aiocos.Client, bucket: str):
    assert [e.key async for e in cos.objects.list(bucket, prefix="d/", max_keys=1)] == ["d/../y", "d/./x", "d/1", "d/2"]
    assert [e.key async for e in cos.objects.list(bucket, start_after="é", max_keys=1)] == ["ü/1", "ü/2"]


async def test_uploads_and_parts(cos: aiocos.Client, bucket: str):
    ids = [(await cos.multipart.create(bucket, key)).upload_id for key in ("u+ü", "u+ü", "v")]
    for number in range(1, 6):
        await cos.multipart.upload_part(bucket, "v", ids[2], number, b"x" * number)
    found = [(u.key, u.upload_id) async for u in cos.multipart.list_uploads(bucket, max_uploads=1)]
    assert sorted(found) == sorted(zip(["u+ü", "u+ü", "v"], ids, strict=True))
    parts = [(p.part_number, p.size) async for p in cos.multipart.list_parts(bucket, "v", ids[2], max_parts=2)]
    assert parts == [(n, n) for n in range(1, 6)]


async def test_buckets_with_their_locations(cos: aiocos.Client):
    names = [f"bucket-{i}" for i in range(5)]
    for name in names:
        await cos.buckets.create(name, location="eu-de-vault")
    found = [(b.name, b.location_constraint) async for b in cos.buckets.list_extended(max_keys=2)]
    assert found == [(name, "eu-de-vault") for name in names]
    assert [b.name for b in await cos.buckets.list()] == names
    assert (await cos.buckets.location(names[0])).location == "eu-de-vault"


@pytest.mark.parametrize("said", ["<NextContinuationToken>t</NextContinuationToken>", ""])
async def test_a_listing_that_would_never_end(said: str):
    async def endless(request: web.Request) -> web.Response:
        body = f"<ListBucketResult><IsTruncated>true</IsTruncated>{said}<Contents><Key>k</Key></Contents></ListBucketResult>"
        return web.Response(text=body, content_type="application/xml")

    app = web.Application()
    app.router.add_route("GET", "/{tail:.*}", endless)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    seen = 0
    async with aiocos.Client(f"http://127.0.0.1:{port}", credentials=aiocos.Anonymous()) as cos:
        with pytest.raises(ProtocolError):
            async for _ in cos.objects.list("bucket"):
                seen += 1
                assert seen < 10
    await runner.cleanup()
    assert seen >= 1


async def test_all_listings_are_read_in_three_ways(cos: aiocos.Client, bucket: str):
    upload = await cos.multipart.create(bucket, "parts")
    await cos.multipart.upload_part(bucket, "parts", upload.upload_id, 1, b"x")
    for listing in (
        cos.objects.list(bucket, max_keys=5),
        cos.objects.list_v1(bucket, max_keys=5),
        cos.objects.list_versions(bucket, max_keys=5),
        cos.multipart.list_uploads(bucket),
        cos.multipart.list_parts(bucket, "parts", upload.upload_id),
        cos.buckets.list(),
        cos.buckets.list_extended(),
    ):
        entries = await listing
        assert entries
        assert isinstance(entries, list)
        assert [entry async for entry in listing] == entries
        assert [page.request_id async for page in listing.pages()]
    (page,) = [page async for page in cos.buckets.list().pages()]
    assert page.owner is not None
    assert [one.name for one in page.buckets] == [one.name for one in await cos.buckets.list()]


async def test_the_holds_of_an_object_are_a_listing_too(cos: aiocos.Client):
    policy = aiocos.ProtectionConfiguration.of_days(minimum=1, default=2, maximum=3)
    await cos.buckets.create("kept")
    await cos.protection.put("kept", policy)
    await cos.objects.put("kept", "key", b"x")
    await cos.legal_holds.add("kept", "key", "hold")
    assert [hold.id for hold in await cos.legal_holds.list("kept", "key")] == ["hold"]
    assert [hold.id async for hold in cos.legal_holds.list("kept", "key")] == ["hold"]
    state = await cos.retention.get("kept", "key")
    assert [state] == [
        page.model_copy(update={"request_id": state.request_id}) async for page in cos.legal_holds.list("kept", "key").pages()
    ]
    assert state.retention_period == 2 * 86400


def test_a_listing_says_what_to_write(cos: aiocos.Client):
    assert repr(cos.objects.list("b")) == "<Listing ListObjectsV2(bucket='b'): await it, or iterate with `async for`>"

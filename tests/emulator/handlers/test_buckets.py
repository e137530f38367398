"""Buckets: names, owners, locations, listings."""

from typing import Any

import aiohttp
import ibm_botocore.session
import pytest

from ..conftest import Raw, RawResponse

# From the page about storage classes, and that about One-Rate plans.
_EVERYWHERE = [
    "br-sao",
    "us",
    "us-east",
    "us-south",
    "eu",
    "eu-gb",
    "eu-de",
    "eu-es",
    "ap",
    "jp-tok",
    "jp-osa",
    "au-syd",
    "ca-tor",
    "ams03",
    "che01",
    "mon01",
    "par01",
    "sjc04",
    "sng01",
]
_ONE_RATE = [
    "us-south",
    "us-east",
    "ca-tor",
    "mon01",
    "sjc04",
    "eu-de",
    "eu-gb",
    "eu-es",
    "ams03",
    "mil01",
    "par01",
    "au-syd",
    "jp-tok",
    "jp-osa",
    "sng01",
    "che01",
    "br-sao",
]
DOCUMENTED = [f"{place}-{kind}" for place in _EVERYWHERE for kind in ("standard", "vault", "cold", "smart")] + [
    f"{place}-onerate_active" for place in _ONE_RATE
]


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "a" * 64,
        "Upper",
        "under_score",
        "-begins",
        "ends-",
        "two..dots",
        "two--dashes",
        "dot.-dash",
        "192.168.1.1",
        "cosv1-x",
        "account-x",
    ],
)
async def test_an_invalid_bucket_name_is_refused(raw: Raw, name: str) -> None:
    response = await raw.put(f"/{name}")
    assert (response.status, response.code) == (400, "InvalidBucketName")


@pytest.mark.parametrize("name", ["abc", "a" * 63, "1.2.3", "a-b.c"])
async def test_a_valid_bucket_name_is_accepted(raw: Raw, name: str) -> None:
    assert (await raw.put(f"/{name}")).status == 200


async def test_bucket_names_are_global(raw: Raw, other_instance: Raw) -> None:
    own, other = await raw.put("/bucket"), await other_instance.put("/bucket")
    assert (own.status, own.code) == (409, "BucketAlreadyOwnedByYou")
    assert (other.status, other.code) == (409, "BucketAlreadyExists")


async def test_the_location_of_a_bucket_can_be_set_and_read(raw: Raw) -> None:
    body = b"<CreateBucketConfiguration><LocationConstraint>eu-de-smart</LocationConstraint></CreateBucketConfiguration>"
    assert (await raw.put("/placed", body)).status == 200
    response = await raw.get("/placed?location")
    assert response.xml.tag == "LocationConstraint"
    assert response.xml.text == "eu-de-smart"
    assert (await raw.get("/bucket?location")).xml.text == "us-south-standard"
    await raw.put("/regional", body.replace(b"eu-de-smart", b"eu-gb"))
    assert (await raw.get("/regional?location")).xml.text == "eu-gb-standard"
    refused = await raw.put("/misplaced", body.replace(b"eu-de-smart", b"atlantis"))
    assert (refused.status, refused.code) == (400, "InvalidLocationConstraint")


async def test_every_documented_location_constraint_is_stored(raw: Raw) -> None:
    """IBM's SDK lists some location constraints, IBM's documentation others. All of them are accepted."""
    model: Any = ibm_botocore.session.get_session().get_service_model("s3")
    codes: set[str] = {*model.shape_for("BucketLocationConstraint").enum, *DOCUMENTED}
    codes |= {f"{place}-{kind}" for place in ("us", "eu", "ap") for kind in ("standard", "vault", "cold", "smart", "flex")}
    assert len(codes) > 115
    for code in sorted(codes):
        name, body = code.replace("_", "-"), f"<C><LocationConstraint>{code}</LocationConstraint></C>".encode()
        assert (await raw.put(f"/at-{name}", body)).status == 200, code
        assert (await raw.get(f"/at-{name}?location")).xml.text == code
    found = (await raw.get("/?extended&prefix=at-")).xml
    assert {e.text for e in found.findall("Buckets/Bucket/LocationConstraint")} == codes


@pytest.mark.parametrize("region", ["us", "eu", "ap", "us-south", "eu-gb", "jp-tok", "br-sao", "ams03"])
async def test_a_region_without_storage_class_means_standard(raw: Raw, region: str) -> None:
    body = f"<C><LocationConstraint>{region}</LocationConstraint></C>".encode()
    assert (await raw.put("/regional", body)).status == 200
    assert (await raw.get("/regional?location")).xml.text == f"{region}-standard"


@pytest.mark.parametrize("code", ["us-standard-standard-", "-smart", "us_smart", "smart", "us-south-", "US-SMART"])
async def test_an_unknown_location_constraint_is_refused(raw: Raw, code: str) -> None:
    body = f"<C><LocationConstraint>{code}</LocationConstraint></C>".encode()
    refused = await raw.put("/misplaced", body)
    assert (refused.status, refused.code) == (400, "InvalidLocationConstraint")


async def test_key_protect_headers_are_returned(raw: Raw) -> None:
    crn = "crn:v1:bluemix:public:kms:us-south:a/acc:inst:key:0123-4567"
    pair = {"ibm-sse-kp-encryption-algorithm": "AES256", "ibm-sse-kp-customer-root-key-crn": crn}
    assert (await raw.send("PUT", "/keyed", headers=pair)).status == 200
    response = await raw.head("/keyed")
    assert response.headers["ibm-sse-kp-enabled"] == "True"
    # The documentation has this spelling for HEAD, and the same headers for the listing.
    assert (await raw.get("/keyed")).headers["ibm-sse-kp-enabled"] == "True"
    assert "ibm-sse-kp-enabled" not in (await raw.get("/bucket")).headers
    assert response.headers["ibm-sse-kp-crk-id"] == "0123-4567"
    assert "ibm-sse-kp-enabled" not in (await raw.head("/bucket")).headers
    half = await raw.put("/half", ibm_sse_kp_encryption_algorithm="AES256")
    assert (half.status, half.code) == (400, "InvalidArgument")


async def test_only_an_empty_bucket_can_be_deleted(raw: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    full = await raw.delete("/bucket")
    assert (full.status, full.code) == (409, "BucketNotEmpty")
    await raw.delete("/bucket/key")
    await raw.post("/bucket/other?uploads")
    removed = await raw.delete("/bucket")
    assert (removed.status, removed.body) == (204, b"")
    assert (await raw.delete("/bucket")).code == "NoSuchBucket"
    assert (await raw.get("/bucket")).code == "NoSuchBucket"
    assert (await raw.put("/bucket")).status == 200
    assert (await raw.get("/bucket?uploads")).texts("Upload") == []


async def test_a_listing_has_the_buckets_of_one_instance(raw: Raw, other_instance: Raw) -> None:
    await other_instance.put("/theirs")
    await raw.put("/apple")
    response = await raw.get("/")
    assert response.xml.tag == "ListAllMyBucketsResult"
    assert response.texts("Buckets/Bucket/Name") == ["apple", "bucket"]
    assert response.texts("Owner/ID") == [raw.emulator.instance.guid]
    for named in (raw.emulator.instance.crn, raw.emulator.instance.guid):
        assert (await raw.get("/", ibm_service_instance_id=named)).texts("Buckets/Bucket/Name") == ["apple", "bucket"]
    assert (await raw.get("/", ibm_service_instance_id="crn:v1:somebody")).code == "AccessDenied"
    assert (await other_instance.get("/")).texts("Buckets/Bucket/Name") == ["theirs"]


async def test_the_extended_listing_has_pages(raw: Raw) -> None:
    for n in range(5):
        await raw.put(f"/page-{n}")
    first = await raw.get("/?extended&max-keys=2&prefix=page-")
    assert first.texts("Buckets/Bucket/Name") == ["page-0", "page-1"]
    assert first.texts("Buckets/Bucket/LocationConstraint") == ["us-south-standard"] * 2
    assert first.texts("IsTruncated") == ["true"]
    assert first.texts("NextMarker") == ["page-1"]
    last = await raw.get("/?extended=&max-keys=3&prefix=page-&marker=page-1")
    assert last.texts("Buckets/Bucket/Name") == ["page-2", "page-3", "page-4"]
    assert last.texts("IsTruncated") == ["false"]


async def test_iam_requests_without_an_instance_cannot_create_or_list_buckets(raw: Raw, session: aiohttp.ClientSession) -> None:
    """IBM's documentation requires the instance header to create and list buckets with IAM. An HMAC key pair needs none."""
    emulator = raw.emulator
    for scheme in ("Bearer", "bearer"):
        headers = {"Authorization": f"{scheme} {raw.token}"}
        for method, path in (("GET", "/"), ("PUT", "/bucket2")):
            async with session.request(method, emulator.endpoint + path, headers=headers) as response:
                refused = RawResponse(response.status, response.headers.copy(), await response.read())
            assert (refused.status, refused.code) == (400, "InvalidArgument")
            assert "ibm-service-instance-id" in refused.texts("Message")[0]
        for path in ("/bucket", "/bucket?location", "/?extended"):
            async with session.get(emulator.endpoint + path, headers=headers) as response:
                assert response.status == 200
    for named in (emulator.instance.crn, emulator.instance.guid):
        assert (await raw.put(f"/of-{named[-5:].strip(':').lower()}x", ibm_service_instance_id=named)).status == 200
    async with emulator.client(hmac=True) as cos:
        await cos.buckets.create("by-hmac")
        assert "by-hmac" in [bucket.name for bucket in await cos.buckets.list()]
    async with emulator.client() as cos:
        await cos.buckets.create("by-iam")
        assert "by-iam" in [bucket.name for bucket in await cos.buckets.list()]

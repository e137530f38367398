"""Buckets: names, owners, locations, lists."""

from typing import Any

import aiohttp
import ibm_botocore.session
import pytest

from aiocos.emulator.request import bucket_of_host

from .conftest import Answer, Raw

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
async def test_a_bad_name_is_refused(raw: Raw, name: str) -> None:
    answer = await raw.put(f"/{name}")
    assert (answer.status, answer.code) == (400, "InvalidBucketName")


@pytest.mark.parametrize("name", ["abc", "a" * 63, "1.2.3", "a-b.c"])
async def test_a_good_name_is_taken(raw: Raw, name: str) -> None:
    assert (await raw.put(f"/{name}")).status == 200


async def test_names_are_global(raw: Raw, stranger: Raw) -> None:
    own, other = await raw.put("/bucket"), await stranger.put("/bucket")
    assert (own.status, own.code) == (409, "BucketAlreadyOwnedByYou")
    assert (other.status, other.code) == (409, "BucketAlreadyExists")


async def test_a_bucket_of_another_instance_is_closed(raw: Raw, stranger: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    for method, target in [
        ("GET", "/bucket"),
        ("GET", "/bucket/key"),
        ("PUT", "/bucket/key"),
        ("DELETE", "/bucket"),
        ("GET", "/bucket?acl"),
    ]:
        answer = await stranger.send(method, target)
        assert (answer.status, answer.code) == (403, "AccessDenied"), (method, target)
    assert (await stranger.head("/bucket")).status == 403


async def test_location(raw: Raw) -> None:
    body = b"<CreateBucketConfiguration><LocationConstraint>eu-de-smart</LocationConstraint></CreateBucketConfiguration>"
    assert (await raw.put("/placed", body)).status == 200
    answer = await raw.get("/placed?location")
    assert answer.xml.tag == "LocationConstraint"
    assert answer.xml.text == "eu-de-smart"
    assert (await raw.get("/bucket?location")).xml.text == "us-south-standard"
    await raw.put("/regional", body.replace(b"eu-de-smart", b"eu-gb"))
    assert (await raw.get("/regional?location")).xml.text == "eu-gb-standard"
    refused = await raw.put("/misplaced", body.replace(b"eu-de-smart", b"atlantis"))
    assert (refused.status, refused.code) == (400, "InvalidLocationConstraint")


async def test_every_code_of_a_location_comes_back(raw: Raw) -> None:
    """IBM's SDK lists some codes, the pages of IBM's documentation others; every one is the code of a place and a class."""
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
async def test_a_region_alone_means_its_standard_class(raw: Raw, region: str) -> None:
    body = f"<C><LocationConstraint>{region}</LocationConstraint></C>".encode()
    assert (await raw.put("/regional", body)).status == 200
    assert (await raw.get("/regional?location")).xml.text == f"{region}-standard"


@pytest.mark.parametrize("code", ["us-standard-standard-", "-smart", "us_smart", "smart", "us-south-", "US-SMART"])
async def test_what_is_no_code_is_refused(raw: Raw, code: str) -> None:
    body = f"<C><LocationConstraint>{code}</LocationConstraint></C>".encode()
    refused = await raw.put("/misplaced", body)
    assert (refused.status, refused.code) == (400, "InvalidLocationConstraint")


async def test_key_protect(raw: Raw) -> None:
    crn = "crn:v1:bluemix:public:kms:us-south:a/acc:inst:key:0123-4567"
    pair = {"ibm-sse-kp-encryption-algorithm": "AES256", "ibm-sse-kp-customer-root-key-crn": crn}
    assert (await raw.send("PUT", "/keyed", headers=pair)).status == 200
    answer = await raw.head("/keyed")
    assert answer.headers["ibm-sse-kp-enabled"] == "True"
    # The page of the documentation has that spelling for HEAD; the listing has the same headers.
    assert (await raw.get("/keyed")).headers["ibm-sse-kp-enabled"] == "True"
    assert "ibm-sse-kp-enabled" not in (await raw.get("/bucket")).headers
    assert answer.headers["ibm-sse-kp-crk-id"] == "0123-4567"
    assert "ibm-sse-kp-enabled" not in (await raw.head("/bucket")).headers
    half = await raw.put("/half", ibm_sse_kp_encryption_algorithm="AES256")
    assert (half.status, half.code) == (400, "InvalidArgument")


async def test_delete(raw: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    full = await raw.delete("/bucket")
    assert (full.status, full.code) == (409, "BucketNotEmpty")
    await raw.delete("/bucket/key")
    await raw.post("/bucket/other?uploads")
    gone = await raw.delete("/bucket")
    assert (gone.status, gone.body) == (204, b"")
    assert (await raw.delete("/bucket")).code == "NoSuchBucket"
    assert (await raw.get("/bucket")).code == "NoSuchBucket"
    assert (await raw.put("/bucket")).status == 200
    assert (await raw.get("/bucket?uploads")).texts("Upload") == []


async def test_lists_are_of_an_instance(raw: Raw, stranger: Raw) -> None:
    await stranger.put("/theirs")
    await raw.put("/apple")
    answer = await raw.get("/")
    assert answer.xml.tag == "ListAllMyBucketsResult"
    assert answer.texts("Buckets/Bucket/Name") == ["apple", "bucket"]
    assert answer.texts("Owner/ID") == [raw.emulator.instance.guid]
    for named in (raw.emulator.instance.crn, raw.emulator.instance.guid):
        assert (await raw.get("/", ibm_service_instance_id=named)).texts("Buckets/Bucket/Name") == ["apple", "bucket"]
    assert (await raw.get("/", ibm_service_instance_id="crn:v1:somebody")).code == "AccessDenied"
    assert (await stranger.get("/")).texts("Buckets/Bucket/Name") == ["theirs"]


async def test_extended_list_is_paged(raw: Raw) -> None:
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


async def test_anonymous_may_not(anonymous: Raw, raw: Raw) -> None:
    for method, target in [("GET", "/"), ("PUT", "/mine"), ("GET", "/bucket"), ("GET", "/bucket/key"), ("PUT", "/bucket/key")]:
        assert (await anonymous.send(method, target)).status == 403


async def test_the_expected_owner(raw: Raw) -> None:
    instance = raw.emulator.instance
    account = instance.crn.split(":a/")[1].split(":")[0]
    for right in (instance.guid, instance.crn, account):
        assert (await raw.get("/bucket?location", x_amz_expected_bucket_owner=right)).status == 200
    assert (await raw.get("/bucket?location", x_amz_expected_bucket_owner="somebody")).code == "AccessDenied"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/bucket?policy"), ("PUT", "/bucket?policy"), ("DELETE", "/bucket?policy"), ("GET", "/bucket?inventory"),
        ("PUT", "/bucket?encryption"), ("DELETE", "/bucket?metrics"), ("PUT", "/bucket?accelerate"), ("POST", "/bucket"),
        ("GET", "/bucket/key?torrent"), ("PUT", "/bucket/key?torrent"), ("DELETE", "/bucket/key?uploads"),
        ("POST", "/bucket/key?select"), ("POST", "/bucket/key"), ("PATCH", "/bucket/key"), ("GET", "/bucket/key?uploads"),
    ],
)  # fmt: skip
async def test_what_is_not_served_is_refused_and_does_nothing(raw: Raw, method: str, target: str) -> None:
    await raw.put("/bucket/key", b"kept")
    answer = await raw.send(method, target, b"body" if method == "PUT" else None)
    assert (answer.status, answer.code) == (501, "NotImplemented")
    assert (await raw.get("/bucket/key")).body == b"kept"


async def test_every_answer_has_its_headers(raw: Raw) -> None:
    for answer in (
        await raw.get("/"),
        await raw.get("/bucket/none"),
        await raw.head("/bucket/none"),
        await raw.delete("/bucket/none"),
    ):
        assert answer.headers["X-Clv-Request-Id"] == answer.headers["x-amz-request-id"]
        assert answer.headers["X-Clv-S3-Version"] == "2.5"
        assert answer.headers["Server"].startswith("Cleversafe/")
        assert "Date" in answer.headers


async def test_the_error_document(raw: Raw) -> None:
    answer = await raw.get("/bucket/no/such%20key")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/xml"
    assert b"xmlns" not in answer.body
    assert {e.tag: e.text for e in answer.xml} == {
        "Code": "NoSuchKey",
        "Message": "The specified key does not exist.",
        "Resource": "/bucket/no/such key",
        "RequestId": answer.headers["x-amz-request-id"],
        "httpStatusCode": "404",
    }
    head = await raw.head("/bucket/no/such%20key")
    assert (head.status, head.body) == (404, b"")
    odd = await raw.get("/bucket/%01")
    assert odd.code == "NoSuchKey"


async def test_virtual_hosts(raw: Raw) -> None:
    host = f"bucket.localhost:{raw.emulator.port}"
    assert (await raw.put("/a/b", b"virtual", Host=host)).status == 200
    assert (await raw.get("/bucket/a/b")).body == b"virtual"
    assert (await raw.get("/", Host=host)).texts("Contents/Key") == ["a/b"]
    assert (await raw.get("/bucket/a/b", Host=f"localhost:{raw.emulator.port}")).body == b"virtual"


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("localhost", None),
        ("127.0.0.1", None),
        ("[::1]", None),
        ("example.com", None),
        ("notlocalhost", None),
        ("s3.localhost", None),
        ("s3.us-south.localhost", None),
        ("s3.private.eu-de.localhost", None),
        ("s3.us.localhost", None),
        ("s3.ams03.localhost", None),
        ("s3.us-east-1.localhost", None),
        ("bucket.localhost", "bucket"),
        ("Bucket.LocalHost", "bucket"),
        ("bucket.localhost.", "bucket"),
        ("my.bucket.localhost", "my.bucket"),
        ("bucket.s3.localhost", "bucket"),
        ("my.bucket.s3.localhost", "my.bucket"),
        ("bucket.s3.us-south.localhost", "bucket"),
        ("bucket.s3.direct.eu.localhost", "bucket"),
        ("s3.s3.localhost", "s3"),
        ("bucket.s3.s3.localhost", "bucket.s3"),
        ("bucket.s3.example.localhost", "bucket.s3.example"),
        ("bucket-s3.localhost", "bucket-s3"),
    ],
)
@pytest.mark.parametrize("port", ["", ":80", ":9000"])
def test_the_bucket_of_a_host(host: str, bucket: str | None, port: str) -> None:
    assert bucket_of_host(host + port) == bucket


async def test_virtual_hosts_of_the_service(raw: Raw) -> None:
    for host in ("bucket.s3.localhost", f"bucket.s3.us-south.localhost:{raw.emulator.port}"):
        assert (await raw.put("/key", host.encode(), Host=host)).status == 200
        assert (await raw.get("/bucket/key")).body == host.encode()
        assert (await raw.get("/bucket/key", Host=host.partition(".")[2])).body == host.encode()


async def test_a_token_names_no_instance(raw: Raw, session: aiohttp.ClientSession) -> None:
    """IBM's page requires the header to create and list buckets with IAM; an HMAC key pair needs none."""
    emulator = raw.emulator
    for scheme in ("Bearer", "bearer"):
        headers = {"Authorization": f"{scheme} {raw.token}"}
        for method, path in (("GET", "/"), ("PUT", "/bucket2")):
            async with session.request(method, emulator.endpoint + path, headers=headers) as response:
                refused = Answer(response.status, response.headers.copy(), await response.read())
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

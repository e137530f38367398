"""The emulator's responses compared with the example responses of IBM's documentation.

Each file of `recorded/` is one example. Its request is sent to the emulator, whose clock is set to the time of the example, and
both responses are compared fact by fact (see `recordings`). They must be equal, except for the differences in `DIFFERENCES`,
each with its reason. A listed difference that does not occur fails too, and so does a header that the example does not have.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from aiocos import (
    Client,
    CorsRule,
    LifecycleRule,
    ObjectLockConfiguration,
    ProtectionConfiguration,
    PublicAccessBlockConfiguration,
    ReplicationConfiguration,
    ReplicationRule,
)
from aiocos.emulator import Clock, Emulator

from .conftest import Raw, RawResponse, md5
from .recordings import Recording, differences

RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.txt"))

DIFFERENCES: dict[str, dict[str, str]] = {
    "hold_list": {
        "/RetentionState/LegalHolds": "IBM's SDKs read the holds under this name",
        "/RetentionState/LegalHolds/LegalHold": "IBM's SDKs read the holds under this name",
        "/RetentionState/LegalHolds/LegalHold/ID": "IBM's SDKs read the holds under this name",
        "/RetentionState/LegalHolds/LegalHold/Date": "IBM's SDKs read the holds under this name",
        "/RetentionState/RetentionPeriodExpirationDate": "220752000 seconds after the creation is 2025-09-06, not 2023-09-01",
    },
    "archive_get": {
        "namespace": "every other page has the namespace on this document",
    },
    "archive_head": {
        "x-amz-storage-class": "the quotes are the page's; its table and the listings have the name without",
        "x-ibm-restored-copy-storage-class": "the quotes are the page's",
        "x-ibm-archive-transition-time": "in the page's table of headers, and not in its example",
    },
    "replication_get": {
        "/ReplicationConfiguration/Rule/Status": "IBM's SDKs know Enabled and Disabled",
        "/ReplicationConfiguration/Rule/DeleteMarkerReplication/Status": "IBM's SDKs know Enabled and Disabled",
    },
    "replication_failures": {
        "/ListReplicationFailureResult/EncodingType": "no encoding was asked for; IBM's SDK knows `url` only",
        "/ListReplicationFailureResult/Contents/SyncType": "IBM's SDK has `content`, and so has the page's table of events",
        "/ListReplicationFailureResult/Contents/SyncFailureCause": "nobody is asked for an authorization here",
    },
    "upload_complete": {
        "/CompleteMultipartUploadResult/Location": "an address of the example's own, and of another bucket",
        "/CompleteMultipartUploadResult/ChecksumCRC64NVME": "the example is of 2017, before the service had checksums",
        "/CompleteMultipartUploadResult/ChecksumType": "the example is of 2017, before the service had checksums",
    },
    "object_copy": {
        "/CopyObjectResult/ChecksumCRC64NVME": "the example is of 2016, before the service had checksums",
        "/CopyObjectResult/ChecksumType": "the example is of 2016, before the service had checksums",
    },
    "parts_list": {
        "/ListPartsResult/PartNumberMarker": "S3's, which IBM's SDK has in its model",
        "/ListPartsResult/NextPartNumberMarker": "S3's, which IBM's SDK has in its model",
    },
    "object_put": {
        "x-amz-checksum-crc64nvme": "the page has the same checksum for two objects; it is not that of either",
    },
    "cors_options": {
        "access-control-allow-credentials": "browsers take no credentials from an answer to everybody",
    },
    "key_protect_create": {"location": "S3's answer, which IBM's SDK has in its model"},
    "bucket_create": {"location": "S3's answer, which IBM's SDK has in its model"},
}
"""Accepted differences, by the recording and the path of the element or the name of the header, with the reason."""


# ---------------------------------------------------------------------------------------------------------------------
# The state that a request needs


@dataclass
class Environment:
    """The values for `{placeholders}` in requests."""

    emulator: Emulator
    clock: Clock
    cos: Client
    values: dict[str, str] = field(default_factory=dict[str, str])
    """What a request has in the place of `{braces}`."""

    def at(self, text: str) -> None:
        """Set the clock."""
        self.clock.advance(datetime.fromisoformat(text) - self.clock.now())


Scene = Callable[[Environment], Awaitable[None]]
SCENES: dict[str, Scene] = {}


def scene(*names: str) -> Callable[[Scene], Scene]:
    """Register a function that prepares the state for some requests."""

    def enter(run: Scene) -> Scene:
        SCENES.update(dict.fromkeys(names, run))
        return run

    return enter


@scene("buckets_list", "buckets_extended")
async def _four_buckets(env: Environment) -> None:
    for name, created, location in (
        ("bucket-27200-lwx4cfvcue", "2016-08-18T14:21:36.593Z", "us-south-standard"),
        ("bucket-27590-drqmydpfdv", "2016-08-18T14:22:32.366Z", "us-standard"),
        ("bucket-27852-290jtb0n2y", "2016-08-18T14:23:03.141Z", "eu-standard"),
        ("bucket-28731-k0o1gde2rm", "2016-08-18T14:25:09.599Z", "us-cold"),
    ):
        env.at(created)
        await env.cos.buckets.create(name, location=location)


@scene("key_protect_create", "bucket_create", "iam_key_unknown", "iam_token")
async def _nothing(env: Environment) -> None:
    pass


@scene("bucket_head", "archive_put", "expiration_put", "website_put", "public_block_put", "protection_put", "bucket_location")
async def _bucket(env: Environment) -> None:
    for name in ("images", "cit-test", "apiary", "example-bucket"):
        await env.cos.buckets.create(name)


@scene("key_protect_head")
async def _key_protect(env: Environment) -> None:
    key = "crn:v1:bluemix:public:kms:us-south:a/account:instance:key:0c2832e3"
    await env.cos.buckets.create("secure-files", kp_algorithm="AES256", kp_root_key_crn=key)


@scene("bucket_not_empty")
async def _not_empty(env: Environment) -> None:
    await env.cos.buckets.create("apiary")
    await env.cos.objects.put("apiary", "queen-bee", b"x")


@scene("protection_get")
async def _protected(env: Environment) -> None:
    await env.cos.buckets.create("example-bucket")
    await env.cos.protection.put("example-bucket", ProtectionConfiguration.of_days(minimum=100, default=2555, maximum=10000))


@scene("hold_add", "hold_list", "retention_extend")
async def _held(env: Environment) -> None:
    env.at("2018-09-08T21:33:08Z")
    await env.cos.buckets.create("BucketName".lower())
    await env.cos.protection.put("bucketname", ProtectionConfiguration.of_days(minimum=100, default=2555, maximum=10000))
    await env.cos.objects.put("bucketname", "ObjectName", b"x", retention_period=220752000)
    env.at("2018-09-08T23:13:18Z")
    await env.cos.legal_holds.add("bucketname", "ObjectName", "SomeLegalHoldID")


@scene("archive_get", "archive_delete")
async def _archived_bucket(env: Environment) -> None:
    await env.cos.buckets.create("images")
    xml = (
        b"<LifecycleConfiguration><Rule><ID>my-archive-policy</ID><Filter/><Status>Enabled</Status>"
        b"<Transition><Days>20</Days><StorageClass>GLACIER</StorageClass></Transition></Rule></LifecycleConfiguration>"
    )
    async with aiohttp.ClientSession() as session:
        raw = Raw(env.emulator, session, env.emulator.instance)
        assert (await raw.put("/images?lifecycle", xml, Content_MD5=md5(xml))).status == 200


@scene("archive_restore")
async def _archived(env: Environment) -> None:
    env.at("2018-12-03T22:28:38Z")
    await env.cos.buckets.create("images", location="us-south-standard")
    await env.cos.lifecycle.put("images", [LifecycleRule.archive(days=0)])
    await env.cos.objects.put("images", "backup", b"Hello Environment", content_type="text/plain; charset=UTF-8")


@scene("archive_head")
async def _restored(env: Environment) -> None:
    await _archived(env)
    env.at("2018-12-04T06:28:38Z")
    await env.cos.objects.restore("images", "backup", days=2)
    env.at("2018-12-05T00:00:00Z")


@scene("expiration_get", "expiration_delete")
async def _expiring(env: Environment) -> None:
    await env.cos.buckets.create("cit-test")
    await env.cos.lifecycle.put("cit-test", [LifecycleRule.expire(days=270, prefix="", id="ID1")])


@scene("replication_get", "replication_failures", "replication_reattempt")
async def _replicated(env: Environment) -> None:
    for name in ("example", "replication-destination"):
        await env.cos.buckets.create(name)
        await env.cos.versioning.enable(name)
    crn = (
        "crn:v1:bluemix:public:cloud-object-storage:global:a/9978e07eXXXXXXXX66c89c428028654:"
        "ef1c725e-XXXX-4967-bcc1-734c03a2b846:bucket:replication-destination"
    )
    rule = ReplicationRule.model_validate(
        {"id": "SimpleReplication", "status": "Enabled", "priority": 1, "filter": {}, "destination": {"bucket": crn},
         "delete_marker_replication": {"status": "Disabled"}}
    )  # fmt: skip
    await env.cos.replication.put("example", ReplicationConfiguration(rules=[rule]))
    await env.cos.versioning.suspend("replication-destination")
    for moment, key in (("2025-12-11T06:20:16.786Z", "6786"), ("2025-12-11T06:20:16.787Z", "6787")):
        env.at(moment)
        await env.cos.objects.put("example", f"test-obj+*176543401{key}", b"x")


@scene("upload_initiate", "part_put", "upload_abort", "upload_complete")
async def _upload(env: Environment) -> None:
    await env.cos.buckets.create("some-bucket")
    env.values["upload"] = upload = (await env.cos.multipart.create("some-bucket", "multipart-object-123")).upload_id
    for number, name in ((1, "first"), (2, "second")):
        body = bytes(5 * 1024 * 1024)
        part = await env.cos.multipart.upload_part("some-bucket", "multipart-object-123", upload, number, body)
        env.values[name] = part.etag


@scene("parts_list")
async def _parts(env: Environment) -> None:
    env.at("2018-03-19T17:20:35.482Z")
    await env.cos.buckets.create("farm")
    env.values["upload"] = upload = (await env.cos.multipart.create("farm", "spaceship")).upload_id
    await env.cos.multipart.upload_part("farm", "spaceship", upload, 1, bytes(7128094))


@scene("objects_delete", "object_copy", "object_put", "object_delete", "cors_options")
async def _objects(env: Environment) -> None:
    env.at("2016-11-30T19:52:53.125Z")
    for bucket, keys in (("apiary", ("surplus-bee", "soldier-bee")), ("garden", ("bee",))):
        await env.cos.buckets.create(bucket)
        for key in keys:
            await env.cos.objects.put(bucket, key, b"x")
    await env.cos.cors.put("apiary", [CorsRule(allowed_methods=["PUT"], allowed_origins=["*"])])


@scene("public_block_get")
async def _blocked(env: Environment) -> None:
    await env.cos.buckets.create("apiary")
    block = PublicAccessBlockConfiguration(block_public_acls=True, ignore_public_acls=True)
    await env.cos.public_access.put("apiary", block)


@scene("lock_get", "lock_retention_put")
async def _locked(env: Environment) -> None:
    env.at("2023-01-01T00:00:00Z")
    await env.cos.buckets.create("apiary", object_lock_enabled=True)
    await env.cos.objects.put("apiary", "myObject", b"x")
    configuration = ObjectLockConfiguration.of("COMPLIANCE", days=30).model_copy(update={"object_lock_enabled": "ENABLED"})
    await env.cos.object_lock.put_configuration("apiary", configuration)


# ---------------------------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture(loop_scope="module")
async def env() -> AsyncIterator[Environment]:
    clock = Clock(datetime(2018, 10, 5, 15, 39, 38, tzinfo=UTC))
    async with Emulator(clock=clock, token_lifetime=3600) as emulator, emulator.client(hmac=True) as cos:
        yield Environment(emulator, clock, cos)


async def _send(env: Environment, recording: Recording) -> RawResponse:
    async with aiohttp.ClientSession() as session:
        if recording.target == "/identity/token":
            known = recording.answer.status == 200
            form = {
                "grant_type": "urn:ibm:params:oauth:grant-type:apikey",
                "apikey": env.emulator.api_key if known else "unknown",
            }
            async with session.post(env.emulator.iam_endpoint, data=form) as response:
                return RawResponse(response.status, response.headers.copy(), await response.read())
        raw = Raw(env.emulator, session, env.emulator.instance)
        target = recording.target.replace("/BucketName/", "/bucketname/")  # not a valid bucket name
        headers: Mapping[str, str] = {
            **recording.headers,
            "Content-MD5": md5(recording.body),
            "ibm-service-instance-id": env.emulator.service_instance_id,
        }
        return await raw.send(recording.method, target, recording.body, headers)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_the_response_equals_the_documented_example(env: Environment, path: Path) -> None:
    await SCENES[path.stem](env)
    recording = Recording.read(path, env.values)
    response = await _send(env, recording)
    found = differences(recording.answer, response)
    assert set(found) == set(DIFFERENCES.get(path.stem, {})), found


def test_no_recording_lacks_a_scene_and_no_difference_a_recording() -> None:
    names = {path.stem for path in RECORDED}
    assert names == set(SCENES)
    assert set(DIFFERENCES) <= names


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_changed_element_or_header_is_a_difference(path: Path) -> None:
    """Removing, adding or changing any element or header is detected."""
    response = Recording.read(path).answer
    assert differences(response, response) == {}
    assert "status" in differences(response, RawResponse(418, response.headers, response.body))
    assert "x-new" in differences(response, RawResponse(response.status, {**response.headers, "X-New": "1"}, response.body))
    for name in response.headers:
        rest = {n: v for n, v in response.headers.items() if n != name}
        assert (name.lower() in differences(response, RawResponse(response.status, rest, response.body))) == (
            name != "Connection"
        )
    for text in re.findall(rb">([^<>{}\s]+)</", response.body):
        changed = RawResponse(response.status, response.headers, response.body.replace(b">" + text + b"<", b">other value<", 1))
        assert differences(response, changed), text

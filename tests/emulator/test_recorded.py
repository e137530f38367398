"""The emulator's answers beside the example answers of IBM's documentation.

Each file of `recorded/` is one example. Its request is sent to the emulator, whose clock stands where the example wants it, and
both answers are compared fact by fact (see `recordings`). They have to be equal, but for what is listed in `DIFFERENCES` with a
reason; a difference that is listed and is none fails too, and so does a header that the example does not have.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

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

from .conftest import Answer, Raw, md5
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
    "upload_complete": {"/CompleteMultipartUploadResult/Location": "an address of the example's own, and of another bucket"},
    "parts_list": {
        "/ListPartsResult/PartNumberMarker": "S3's, which IBM's SDK has in its model",
        "/ListPartsResult/NextPartNumberMarker": "S3's, which IBM's SDK has in its model",
    },
    "object_put": {
        "x-amz-checksum-crc64nvme": "checksums are those that were announced, none is added",
        "x-amz-checksum-type": "checksums are those that were announced, none is added",
    },
    "cors_options": {
        "access-control-allow-credentials": "browsers take no credentials from an answer to everybody",
    },
    "key_protect_create": {"location": "S3's answer, which IBM's SDK has in its model"},
    "bucket_create": {"location": "S3's answer, which IBM's SDK has in its model"},
}
"""Where emulator and example differ, by the recording and the path of the element or the name of the header, and why."""


# ---------------------------------------------------------------------------------------------------------------------
# What has to be there before the request


@dataclass
class World:
    emulator: Emulator
    clock: Clock
    cos: Client
    values: dict[str, str] = field(default_factory=dict[str, str])
    """What a request has in the place of `{braces}`."""

    def at(self, text: str) -> None:
        """Set the clock."""
        self.clock.advance(datetime.fromisoformat(text) - self.clock.now())


Scene = Callable[[World], Awaitable[None]]
SCENES: dict[str, Scene] = {}


def scene(*names: str) -> Callable[[Scene], Scene]:
    """Enter a function as what has to be there before some requests."""

    def enter(run: Scene) -> Scene:
        SCENES.update(dict.fromkeys(names, run))
        return run

    return enter


@scene("buckets_list", "buckets_extended")
async def _four_buckets(w: World) -> None:
    for name, created, location in (
        ("bucket-27200-lwx4cfvcue", "2016-08-18T14:21:36.593Z", "us-south-standard"),
        ("bucket-27590-drqmydpfdv", "2016-08-18T14:22:32.366Z", "us-standard"),
        ("bucket-27852-290jtb0n2y", "2016-08-18T14:23:03.141Z", "eu-standard"),
        ("bucket-28731-k0o1gde2rm", "2016-08-18T14:25:09.599Z", "us-cold"),
    ):
        w.at(created)
        await w.cos.buckets.create(name, location=location)


@scene("key_protect_create", "bucket_create", "iam_key_unknown", "iam_token")
async def _nothing(w: World) -> None:
    pass


@scene("bucket_head", "archive_put", "expiration_put", "website_put", "public_block_put", "protection_put", "bucket_location")
async def _bucket(w: World) -> None:
    for name in ("images", "cit-test", "apiary", "example-bucket"):
        await w.cos.buckets.create(name)


@scene("key_protect_head")
async def _key_protect(w: World) -> None:
    key = "crn:v1:bluemix:public:kms:us-south:a/account:instance:key:0c2832e3"
    await w.cos.buckets.create("secure-files", kp_algorithm="AES256", kp_root_key_crn=key)


@scene("bucket_not_empty")
async def _not_empty(w: World) -> None:
    await w.cos.buckets.create("apiary")
    await w.cos.objects.put("apiary", "queen-bee", b"x")


@scene("protection_get")
async def _protected(w: World) -> None:
    await w.cos.buckets.create("example-bucket")
    await w.cos.protection.put("example-bucket", ProtectionConfiguration.of_days(minimum=100, default=2555, maximum=10000))


@scene("hold_add", "hold_list", "retention_extend")
async def _held(w: World) -> None:
    w.at("2018-09-08T21:33:08Z")
    await w.cos.buckets.create("BucketName".lower())
    await w.cos.protection.put("bucketname", ProtectionConfiguration.of_days(minimum=100, default=2555, maximum=10000))
    await w.cos.objects.put("bucketname", "ObjectName", b"x", retention_period=220752000)
    w.at("2018-09-08T23:13:18Z")
    await w.cos.legal_holds.add("bucketname", "ObjectName", "SomeLegalHoldID")


@scene("archive_get", "archive_delete")
async def _archived_bucket(w: World) -> None:
    await w.cos.buckets.create("images")
    xml = (
        b"<LifecycleConfiguration><Rule><ID>my-archive-policy</ID><Filter/><Status>Enabled</Status>"
        b"<Transition><Days>20</Days><StorageClass>GLACIER</StorageClass></Transition></Rule></LifecycleConfiguration>"
    )
    async with aiohttp.ClientSession() as session:
        raw = Raw(w.emulator, session, w.emulator.instance)
        assert (await raw.put("/images?lifecycle", xml, Content_MD5=md5(xml))).status == 200


@scene("archive_restore")
async def _archived(w: World) -> None:
    w.at("2018-12-03T22:28:38Z")
    await w.cos.buckets.create("images", location="us-south-standard")
    await w.cos.lifecycle.put("images", [LifecycleRule.archive(days=0)])
    await w.cos.objects.put("images", "backup", b"Hello World", content_type="text/plain; charset=UTF-8")


@scene("archive_head")
async def _restored(w: World) -> None:
    await _archived(w)
    w.at("2018-12-04T06:28:38Z")
    await w.cos.objects.restore("images", "backup", days=2)
    w.at("2018-12-05T00:00:00Z")


@scene("expiration_get", "expiration_delete")
async def _expiring(w: World) -> None:
    await w.cos.buckets.create("cit-test")
    await w.cos.lifecycle.put("cit-test", [LifecycleRule.expire(days=270, prefix="", id="ID1")])


@scene("replication_get", "replication_failures", "replication_reattempt")
async def _replicated(w: World) -> None:
    for name in ("example", "replication-destination"):
        await w.cos.buckets.create(name)
        await w.cos.versioning.enable(name)
    crn = (
        "crn:v1:bluemix:public:cloud-object-storage:global:a/9978e07eXXXXXXXX66c89c428028654:"
        "ef1c725e-XXXX-4967-bcc1-734c03a2b846:bucket:replication-destination"
    )
    rule = ReplicationRule.model_validate(
        {"id": "SimpleReplication", "status": "Enabled", "priority": 1, "filter": {}, "destination": {"bucket": crn},
         "delete_marker_replication": {"status": "Disabled"}}
    )  # fmt: skip
    await w.cos.replication.put("example", ReplicationConfiguration(rules=[rule]))
    await w.cos.versioning.suspend("replication-destination")
    for moment, key in (("2025-12-11T06:20:16.786Z", "6786"), ("2025-12-11T06:20:16.787Z", "6787")):
        w.at(moment)
        await w.cos.objects.put("example", f"test-obj+*176543401{key}", b"x")


@scene("upload_initiate", "part_put", "upload_abort", "upload_complete")
async def _upload(w: World) -> None:
    await w.cos.buckets.create("some-bucket")
    w.values["upload"] = upload = (await w.cos.multipart.create("some-bucket", "multipart-object-123")).upload_id
    for number, name in ((1, "first"), (2, "second")):
        body = bytes(5 * 1024 * 1024)
        part = await w.cos.multipart.upload_part("some-bucket", "multipart-object-123", upload, number, body)
        w.values[name] = part.etag


@scene("parts_list")
async def _parts(w: World) -> None:
    w.at("2018-03-19T17:20:35.482Z")
    await w.cos.buckets.create("farm")
    w.values["upload"] = upload = (await w.cos.multipart.create("farm", "spaceship")).upload_id
    await w.cos.multipart.upload_part("farm", "spaceship", upload, 1, bytes(7128094))


@scene("objects_delete", "object_copy", "object_put", "object_delete", "cors_options")
async def _objects(w: World) -> None:
    w.at("2016-11-30T19:52:53.125Z")
    for bucket, keys in (("apiary", ("surplus-bee", "soldier-bee")), ("garden", ("bee",))):
        await w.cos.buckets.create(bucket)
        for key in keys:
            await w.cos.objects.put(bucket, key, b"x")
    await w.cos.cors.put("apiary", [CorsRule(allowed_methods=["PUT"], allowed_origins=["*"])])


@scene("public_block_get")
async def _blocked(w: World) -> None:
    await w.cos.buckets.create("apiary")
    block = PublicAccessBlockConfiguration(block_public_acls=True, ignore_public_acls=True)
    await w.cos.public_access.put("apiary", block)


@scene("lock_get", "lock_retention_put")
async def _locked(w: World) -> None:
    w.at("2023-01-01T00:00:00Z")
    await w.cos.buckets.create("apiary", object_lock_enabled=True)
    await w.cos.objects.put("apiary", "myObject", b"x")
    configuration = ObjectLockConfiguration.of("COMPLIANCE", days=30).model_copy(update={"object_lock_enabled": "ENABLED"})
    await w.cos.object_lock.put_configuration("apiary", configuration)


# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = Clock(datetime(2018, 10, 5, 15, 39, 38, tzinfo=UTC))
    async with Emulator(clock=clock, token_lifetime=3600) as emulator, emulator.client(hmac=True) as cos:
        yield World(emulator, clock, cos)


async def _send(world: World, recording: Recording) -> Answer:
    async with aiohttp.ClientSession() as session:
        if recording.target == "/identity/token":
            known = recording.answer.status == 200
            form = {
                "grant_type": "urn:ibm:params:oauth:grant-type:apikey",
                "apikey": world.emulator.api_key if known else "unknown",
            }
            async with session.post(world.emulator.iam_endpoint, data=form) as answer:
                return Answer(answer.status, answer.headers.copy(), await answer.read())
        raw = Raw(world.emulator, session, world.emulator.instance)
        target = recording.target.replace("/BucketName/", "/bucketname/")  # no name that a bucket can have
        headers: Mapping[str, str] = {
            **recording.headers,
            "Content-MD5": md5(recording.body),
            "ibm-service-instance-id": world.emulator.service_instance_id,
        }
        return await raw.send(recording.method, target, recording.body, headers)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_the_answer_is_that_of_the_documentation(world: World, path: Path) -> None:
    await SCENES[path.stem](world)
    recording = Recording.read(path, world.values)
    answer = await _send(world, recording)
    found = differences(recording.answer, answer)
    assert set(found) == set(DIFFERENCES.get(path.stem, {})), found


def test_every_recording_has_a_scene_and_every_difference_a_recording() -> None:
    names = {path.stem for path in RECORDED}
    assert names == set(SCENES)
    assert set(DIFFERENCES) <= names


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_the_comparison_can_fail(path: Path) -> None:
    """Each element and header that is taken away, added or changed is a difference."""
    answer = Recording.read(path).answer
    assert differences(answer, answer) == {}
    assert "status" in differences(answer, Answer(418, answer.headers, answer.body))
    assert "x-new" in differences(answer, Answer(answer.status, {**answer.headers, "X-New": "1"}, answer.body))
    for name in answer.headers:
        rest = {n: v for n, v in answer.headers.items() if n != name}
        assert (name.lower() in differences(answer, Answer(answer.status, rest, answer.body))) == (name != "Connection")
    for text in re.findall(rb">([^<>{}\s]+)</", answer.body):
        changed = Answer(answer.status, answer.headers, answer.body.replace(b">" + text + b"<", b">other value<", 1))
        assert differences(answer, changed), text

"""The emulator's answers beside the example answers of IBM's documentation.

Each file of `recorded/` is one example: its page and section, the request, and the answer as the page has it. The request is
sent to the emulator, and both answers are taken apart into facts: the status, every header, every element by its path, its
text and its namespace. The facts have to be equal, but for what is listed in `DIFFERENCES` with a reason; a difference that is
listed and is none fails too.

Values that vary by nature are compared by their form: ids, dates of answers, versions of servers, lengths, ETags. Times in
documents are compared as moments, since pages write one moment in several forms; the emulator's clock stands where the example
wants it. `{braces}` in an example stand for any text. The order of elements with different names is not compared, since readers
do not depend on it. The examples leave out headers that every answer has; any other header of the emulator is a difference.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from aiocos import (
    Client,
    LifecycleRule,
    ObjectLockConfiguration,
    ProtectionConfiguration,
    PublicAccessBlockConfiguration,
    ReplicationConfiguration,
    ReplicationRule,
)
from aiocos.emulator import Clock, Emulator

from .conftest import Answer, Raw, md5

ANY = "any"
RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.txt"))

# What every answer of the service has by its page about headers, and what a transport adds: examples leave them out at will.
USUAL = frozenset(
    {
        "accept-ranges",
        "content-length",
        "content-type",
        "date",
        "server",
        "x-amz-request-id",
        "x-clv-request-id",
        "x-clv-s3-version",
    }
)
FORMS = {
    "date": r"\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d ?GMT",
    "last-modified": r"\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d GMT",
    "server": r"\S+",
    "content-length": r"\d+",
    "x-clv-request-id": r"[0-9a-f-]{36}",
    "x-amz-request-id": r"[0-9a-f-]{36}",
    "etag": r'"[0-9a-f]{32}"',
    "RequestId": r"[0-9a-f-]{36}",
    "VersionId": r"[0-9a-f-]{36}",
    "requestId": r"[0-9A-Za-z-]+",
    "url": r"\S+",
    "expiration": r"\d+",
}
"""The form of values that vary, by the name of the header, element or member."""

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
    "key_protect_create": {"location": "S3's answer, which IBM's SDK has in its model"},
    "bucket_create": {"location": "S3's answer, which IBM's SDK has in its model"},
}
"""Where emulator and example differ, by the recording and the path of the element or the name of the header, and why."""


# ---------------------------------------------------------------------------------------------------------------------
# Recordings and facts


@dataclass
class Recording:
    """One example of the documentation."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    answer: Answer

    @classmethod
    def read(cls, path: Path) -> Recording:
        _, request, answer = re.split(r"^=== \w+\n", path.read_text(), flags=re.MULTILINE)
        line, headers, body = _message(request)
        status, answered, document = _message(answer)
        method, target = line.split(" ", 1)
        return cls(method, target, headers, body.encode(), Answer(int(status.split(" ")[1]), answered, document.encode()))


def _message(text: str) -> tuple[str, dict[str, str], str]:
    head, _, body = text.partition("\n\n")
    first, *lines = head.strip().splitlines()
    return first, dict(line.split(": ", 1) for line in lines), body.strip()


def _text(name: str, text: str) -> str:
    """Return a value as it is compared."""
    text = " ".join(text.split())
    form = FORMS.get(name)
    if form is not None and re.fullmatch(form, text):
        return f"<{name}>"
    if re.fullmatch(r"\{[\w-]+\}", text):
        return ANY
    if found := re.fullmatch(r"\w{3}, (\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d) GMT", text):
        # Some examples have another day of the week than the date had.
        return datetime.strptime(found[1], "%d %b %Y %H:%M:%S").replace(tzinfo=UTC).isoformat()
    if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", text):
        return datetime.fromisoformat(text).isoformat()
    return text


def _elements(element: ET.Element, path: str, facts: list[tuple[str, str]]) -> None:
    name = element.tag.rpartition("}")[2]
    facts.append((f"{path}/{name}", "" if len(element) else _text(name, element.text or "")))
    for child in element:
        _elements(child, f"{path}/{name}", facts)


def _members(value: Any, path: str, facts: list[tuple[str, str]]) -> None:
    for name, member in value.items():
        if isinstance(member, dict):
            _members(member, f"{path}/{name}", facts)
        else:
            facts.append((f"{path}/{name}", _text(name, str(member))))


def facts_of(answer: Answer) -> Counter[tuple[str, str]]:
    facts = [("status", str(answer.status))]
    # Whether a connection is kept is no matter of the operation.
    facts += [(n.lower(), _text(n.lower(), v)) for n, v in answer.headers.items() if n.lower() != "connection"]
    if answer.body.startswith(b"{"):
        _members(json.loads(answer.body), "", facts)
    elif answer.body:
        root = ET.fromstring(answer.body)
        facts.append(("namespace", root.tag.rpartition("}")[0].lstrip("{")))
        _elements(root, "", facts)
    return Counter(facts)


def differences(example: Answer, ours: Answer) -> dict[str, tuple[list[str], list[str]]]:
    """Return the names and paths where the answers differ, with what only the example and only the emulator has."""
    theirs, mine = facts_of(example), facts_of(ours)
    found: dict[str, tuple[list[str], list[str]]] = {}
    for only, side in ((theirs - mine, 0), (mine - theirs, 1)):
        for name, value in sorted(only.elements()):
            found.setdefault(name, ([], []))[side].append(value)
    for name, (example_has, emulator_has) in list(found.items()):
        elided = not example_has and name in USUAL
        free = set(example_has) == {ANY} and len(example_has) == len(emulator_has)
        if elided or free:
            del found[name]
    return found


# ---------------------------------------------------------------------------------------------------------------------
# What has to be there before the request


@dataclass
class World:
    emulator: Emulator
    clock: Clock
    cos: Client

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
    recording = Recording.read(path)
    await SCENES[path.stem](world)
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

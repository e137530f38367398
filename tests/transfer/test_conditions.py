"""Conditions on the target, where the service may take no notice of them: uploads in parts, and copies."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.responses import change_responses
from tests.transfer.conftest import DATA, PART, open_uploads

import aiocos
from aiocos.emulator import Emulator, Reset, Status
from aiocos.errors import AccessDenied, Conflict, InvalidRequest, NotFound, ObjectAlreadyExists, PreconditionFailed
from aiocos.groups import engine_of
from aiocos.operations.multipart import CompleteMultipartUpload, UploadPart, UploadPartCopy
from aiocos.operations.objects import HeadObject, ObjectInfo
from aiocos.transfer.conditions import check_target, forbid_overwrite_for
from aiocos.transfer.requests import CopyRequest, UploadRequest
from aiocos.wire.message import PreparedRequest

CONDITIONS = ("If-Match", "If-None-Match", "If-Unmodified-Since", "x-ibm-forbid-overwrite")
THEIRS = b"another writer's"


class Wire:
    """What was sent; a service that is `deaf` takes no notice of conditions on anything but PUT, HEAD and GET."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[tuple[str, dict[str, str]]] = []
        self.deaf = True
        change_responses(monkeypatch, lambda answer: None, self._before)

    def _before(self, request: PreparedRequest) -> None:
        names = {pair.partition("=")[0] for pair in request.query.split("&")}
        kind = "create" if "uploads" in names else "complete" if request.method == "POST" else request.method
        copied = "x-amz-copy-source" in request.headers
        if request.path.count("/") > 1 and "partNumber" not in names:
            given = {name: request.headers[name] for name in CONDITIONS if name in request.headers}
            self.sent.append(("copy" if copied else kind, given))
        if self.deaf and (request.method == "POST" or copied):
            for name in CONDITIONS:
                request.headers.pop(name, None)

    def of(self, kind: str) -> list[dict[str, str]]:
        return [given for name, given in self.sent if name == kind]


WORK: dict[str, Callable[..., Awaitable[object]]] = {
    "upload": lambda cos, **more: cos.upload("bucket", "key", DATA, **more),
    "stream": lambda cos, **more: cos.upload("bucket", "key", iter([DATA]), **more),
    "copy": lambda cos, **more: cos.copy("bucket", "source", "bucket", "key", **more),
    "parts": lambda cos, **more: cos.copy("bucket", "source", "bucket", "key", copy_threshold=0, part_size=PART, **more),
}


@pytest.fixture
async def source(small: aiocos.Client) -> None:
    await small.upload("bucket", "source", DATA)


@pytest.fixture
def wire(source: None, monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire(monkeypatch)


def during(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch, kind: type, then: Callable[[], Awaitable[object]]) -> None:
    """Have something happen once, right before the first operation of a kind is sent."""
    real, waiting = engine_of(cos)._send, [then]

    async def send(operation, *more):
        if isinstance(operation, kind) and waiting:
            await waiting.pop()()
        return await real(operation, *more)

    monkeypatch.setattr(engine_of(cos), "_send", send)


@pytest.mark.parametrize("name", WORK)
async def test_what_is_there_stays(small: aiocos.Client, wire: Wire, name: str):
    await small.objects.put("bucket", "key", THEIRS)
    with pytest.raises(PreconditionFailed, match="did not happen"):
        await WORK[name](small, if_none_match="*")
    assert await small.objects.read("bucket", "key") == THEIRS
    assert wire.of("create") == wire.of("complete") == wire.of("copy") == [], "found out before a byte was sent"
    await small.objects.delete("bucket", "key")
    await WORK[name](small, if_none_match="*")
    assert await small.objects.read("bucket", "key") == DATA


@pytest.mark.parametrize("deaf", [True, False])
@pytest.mark.parametrize("name", ["upload", "stream", "parts"])
async def test_what_comes_while_parts_are_sent_stays(
    small: aiocos.Client, wire: Wire, monkeypatch: pytest.MonkeyPatch, name: str, deaf: bool
):
    wire.deaf = deaf
    kind = UploadPartCopy if name == "parts" else UploadPart
    during(small, monkeypatch, kind, lambda: small.objects.put("bucket", "key", THEIRS))
    with pytest.raises(PreconditionFailed, match="exists"):
        await WORK[name](small, if_none_match="*")
    assert await small.objects.read("bucket", "key") == THEIRS
    assert wire.of("complete") == []
    assert await open_uploads(small) == []


@pytest.mark.parametrize("name", ["upload", "parts"])
async def test_what_comes_after_the_look_depends_on_the_service(
    small: aiocos.Client, wire: Wire, monkeypatch: pytest.MonkeyPatch, name: str
):
    for deaf in (False, True):
        wire.deaf = deaf
        await small.objects.delete("bucket", "key")
        with monkeypatch.context() as patch:
            during(small, patch, CompleteMultipartUpload, lambda: small.objects.put("bucket", "key", THEIRS))
            if deaf:
                await WORK[name](small, if_none_match="*")
            else:
                with pytest.raises(PreconditionFailed):
                    await WORK[name](small, if_none_match="*")
        assert await small.objects.read("bucket", "key") == (DATA if deaf else THEIRS)
        assert await open_uploads(small) == []


async def test_what_goes_along(small: aiocos.Client, wire: Wire):
    forbid, none = {"x-ibm-forbid-overwrite": "true"}, {"If-None-Match": "*"}
    await small.upload("bucket", "one", DATA, if_none_match="*")
    assert (wire.of("create"), wire.of("complete")) == ([forbid], [none | forbid])
    await small.upload("bucket", "two", DATA[:10], if_none_match="*")
    assert wire.of("PUT") == [none], "documented for PUT: nothing else is needed"
    await small.copy("bucket", "source", "bucket", "three", if_none_match="*")
    assert wire.of("copy") == [none | forbid]
    wire.sent.clear()
    await small.upload("bucket", "four", DATA, forbid_overwrite=True)
    await small.upload("bucket", "five", DATA[:10], forbid_overwrite=True)
    await small.copy("bucket", "source", "bucket", "six", forbid_overwrite=True)
    assert wire.of("create") == wire.of("complete") == wire.of("PUT") == wire.of("copy") == [forbid]
    assert wire.of("HEAD") == [{}], "only the source is looked at"
    wire.sent.clear()
    await small.upload("bucket", "seven", DATA, if_none_match="*", forbid_overwrite=False)
    assert wire.of("create") == [{"x-ibm-forbid-overwrite": "false"}]
    await small.upload("bucket", "eight", DATA)
    assert wire.of("create")[1:] == wire.of("complete")[1:] == [{}]


@pytest.mark.usefixtures("source")
@pytest.mark.parametrize("operation", ["PutObject", "CopyObject", "CreateMultipartUpload", "CompleteMultipartUpload"])
async def test_the_services_own_word(small: aiocos.Client, cos_emulator: Emulator, operation: str):
    cos_emulator.faults.script([Status(409, code="ObjectAlreadyExists", operation=operation, times=None)])
    with pytest.raises(ObjectAlreadyExists) as caught:
        if operation == "CopyObject":
            await small.copy("bucket", "source", "bucket", "key", forbid_overwrite=True)
        else:
            await small.upload("bucket", "key", DATA[:10] if operation == "PutObject" else DATA, forbid_overwrite=True)
    assert isinstance(caught.value, Conflict)
    assert isinstance(caught.value, PreconditionFailed)
    assert len(cos_emulator.faults.hits) == 1, "not tried again"
    assert await open_uploads(small) == []


@pytest.mark.parametrize("name", WORK)
@pytest.mark.parametrize("condition", ["match", "none", "since"])
async def test_the_other_conditions(small: aiocos.Client, wire: Wire, name: str, condition: str):
    first = await small.objects.put("bucket", "key", THEIRS)
    now = (await small.objects.head("bucket", "key")).last_modified
    assert now is not None
    good, bad = {
        "match": ({"if_match": first.etag}, {"if_match": '"0"'}),
        "none": ({"if_none_match": '"0"'}, {"if_none_match": f'"0", {first.etag}'}),
        "since": ({"if_unmodified_since": now}, {"if_unmodified_since": datetime.now(UTC) - timedelta(days=1)}),
    }[condition]
    with pytest.raises(PreconditionFailed):
        await WORK[name](small, **bad)
    assert await small.objects.read("bucket", "key") == THEIRS
    await WORK[name](small, **good)
    assert await small.objects.read("bucket", "key") == DATA
    if condition == "match":
        await small.objects.delete("bucket", "key")
        with pytest.raises(PreconditionFailed, match="does not exist"):
            await WORK[name](small, **good)


async def test_a_replaced_object_is_not_replaced_again(small: aiocos.Client, wire: Wire, monkeypatch: pytest.MonkeyPatch):
    first = await small.objects.put("bucket", "key", b"first")
    during(small, monkeypatch, UploadPart, lambda: small.objects.put("bucket", "key", THEIRS))
    with pytest.raises(PreconditionFailed):
        await small.upload("bucket", "key", DATA, if_match=first.etag)
    assert await small.objects.read("bucket", "key") == THEIRS


async def test_without_the_right_to_look_nothing_is_sent(small: aiocos.Client, cos_emulator: Emulator, wire: Wire):
    cos_emulator.faults.script([Status(403, code="AccessDenied", operation="HeadObject", times=None)])
    with pytest.raises(AccessDenied):
        await small.upload("bucket", "key", DATA, if_none_match="*")
    assert wire.of("create") == []
    await small.upload("bucket", "key", DATA[:10], if_none_match="*")


async def test_an_object_under_another_key_is_there(small: aiocos.Client, wire: Wire):
    await small.objects.put("bucket", "key", THEIRS, customer_key=os.urandom(32))
    # The service says of a missing key that the request is wrong, of a wrong one that it denies access.
    for key, error in ((None, PreconditionFailed), (os.urandom(32), AccessDenied)):
        with pytest.raises(error):
            await small.upload("bucket", "key", DATA, if_none_match="*", customer_key=key)


async def test_a_resumed_upload_has_them_too(
    small: aiocos.Client, cos_emulator: Emulator, wire: Wire, monkeypatch: pytest.MonkeyPatch, tmp_path
):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with monkeypatch.context() as patch:
        during(small, patch, CompleteMultipartUpload, lambda: small.objects.put("bucket", "other", b""))
        during(small, patch, UploadPart, lambda: small.objects.put("bucket", "key", THEIRS))
        with pytest.raises(PreconditionFailed):
            await small.upload("bucket", "key", DATA, if_none_match="*", resume=True)
    assert await open_uploads(small) == []
    assert not list(tmp_path.rglob("*.upload"))
    with pytest.raises(PreconditionFailed):
        await small.upload("bucket", "key", DATA, if_none_match="*", resume=True)
    assert await small.objects.read("bucket", "key") == THEIRS


async def test_its_own_completion_is_not_another_writers(small: aiocos.Client, cos_emulator: Emulator):
    """The answer is lost, the look fails; the second completion meets the object that the first has made."""
    cos_emulator.faults.script(
        [
            Reset(operation="CompleteMultipartUpload", lost_answer=True),
            Status(503, code="ServiceUnavailable", operation="HeadObject", nth=3, times=5),
            Status(412, code="PreconditionFailed", operation="CompleteMultipartUpload"),
        ]
    )
    result = await small.upload("bucket", "key", DATA, if_none_match="*")
    assert result.verified == "checksum"
    hits = [hit.subject.operation for hit in cos_emulator.faults.hits]
    assert hits == ["CompleteMultipartUpload", *["HeadObject"] * 5, "CompleteMultipartUpload"]


# -- the look by itself -----------------------------------------------------------------------------------------------

NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


class Looked:
    """A service that shows an object, or fails; `asked` is what it was asked."""

    def __init__(self, answer: ObjectInfo | Exception) -> None:
        self._engine = self
        self.asked: list[HeadObject] = []
        self._answer = answer

    async def call(self, operation: HeadObject) -> ObjectInfo:
        self.asked.append(operation)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def upload(**conditions: Any) -> UploadRequest:
    return UploadRequest("bucket", "key", b"", **conditions)


async def verdict(answer: ObjectInfo | Exception, **conditions: Any) -> str | None:
    """The reason for which a write does not happen; None where it does."""
    try:
        await check_target(Looked(answer), upload(**conditions), "upload")  # type: ignore[arg-type]
    except PreconditionFailed as error:
        failed = error
    else:
        return None
    assert (failed.status, failed.code, failed.resource) == (412, "PreconditionFailed", "bucket/key")
    assert failed.operation == "Upload"
    return str(failed)


THERE = ObjectInfo(etag='"e"', last_modified=NOW)
NOTHING = NotFound("no such key")


@pytest.mark.parametrize(
    ("conditions", "there", "nothing"),
    [
        ({"if_match": '"e"'}, True, False),
        ({"if_match": "e"}, True, False),
        ({"if_match": "*"}, True, False),
        ({"if_match": '"a", "e"'}, True, False),
        ({"if_match": '"a","b"'}, False, False),
        ({"if_match": '"ee"'}, False, False),
        ({"if_none_match": "*"}, False, True),
        ({"if_none_match": '"e"'}, False, True),
        ({"if_none_match": '"a", "e"'}, False, True),
        ({"if_none_match": '"a"'}, True, True),
        ({"if_unmodified_since": NOW}, True, True),
        ({"if_unmodified_since": NOW + timedelta(microseconds=999_999)}, True, True),
        ({"if_unmodified_since": NOW.replace(tzinfo=None)}, True, True),
        ({"if_unmodified_since": NOW + timedelta(seconds=1)}, True, True),
        ({"if_unmodified_since": NOW - timedelta(microseconds=1)}, False, True),
        ({"if_unmodified_since": (NOW - timedelta(seconds=1)).replace(tzinfo=None)}, False, True),
        # As HTTP has it: beside If-Match the time does not count.
        ({"if_match": '"e"', "if_unmodified_since": NOW - timedelta(seconds=1)}, True, False),
        ({"if_match": '"e"', "if_none_match": '"e"'}, False, False),
    ],
)
async def test_what_holds(conditions: dict[str, Any], there: bool, nothing: bool):
    assert (await verdict(THERE, **conditions) is None) is there
    assert (await verdict(NOTHING, **conditions) is None) is nothing


async def test_reasons_are_named():
    assert 'if_match=\'"a"\', and the object exists, with the ETag "e"' in (await verdict(THERE, if_match='"a"') or "")
    assert "and the object does not exist: the upload did not happen" in (await verdict(NOTHING, if_match='"a"') or "")
    assert "if_none_match='*', and the object exists, with" in (await verdict(THERE, if_none_match="*") or "")
    assert "and the object exists: the upload" in (await verdict(ObjectInfo(), if_none_match="*") or "")
    since = await verdict(THERE, if_unmodified_since=NOW - timedelta(days=1))
    assert f"if_unmodified_since=2024-05-05T07:08:09+00:00, and the object was written {NOW.isoformat()}" in (since or "")
    assert await verdict(ObjectInfo(etag='"e"'), if_unmodified_since=NOW) is None, "a service that tells no time"


async def test_without_a_condition_nothing_is_asked():
    service: Any = Looked(THERE)
    await check_target(service, upload(), "upload")
    assert service.asked == []


async def test_the_look_is_at_the_very_object():
    service: Any = Looked(THERE)
    key = bytes(32)
    request = upload(if_match='"e"', customer_key=key, expected_bucket_owner="owner", request_payer="requester")
    await check_target(service, request, "upload")
    [head] = service.asked
    assert (head.bucket, head.key, head.customer_key) == ("bucket", "key", key)
    assert (head.expected_bucket_owner, head.request_payer) == ("owner", "requester")
    assert (head.if_match, head.if_none_match, head.version_id) == (None, None, None)
    copied = CopyRequest("from", "a", "to", "b", if_match='"e"')
    await check_target(service, copied, "copy")
    assert (service.asked[1].bucket, service.asked[1].key) == ("to", "b")


async def test_an_object_that_cannot_be_looked_at_is_there():
    wrong = InvalidRequest("under another key")
    assert "if_none_match='*', and the object exists" in (await verdict(wrong, if_none_match="*") or "")
    for conditions in ({"if_none_match": '"e"'}, {"if_match": '"e"'}, {"if_unmodified_since": NOW}):
        with pytest.raises(InvalidRequest):
            await verdict(wrong, **conditions)
    with pytest.raises(AccessDenied):
        await verdict(AccessDenied("no"), if_none_match="*")


def test_what_forbids_to_overwrite():
    assert forbid_overwrite_for(upload(if_none_match="*")) == {"forbid_overwrite": True}
    for conditions in ({}, {"if_none_match": '"e"'}, {"if_match": "*"}, {"if_none_match": "*", "forbid_overwrite": False}):
        assert forbid_overwrite_for(upload(**conditions)) == {}

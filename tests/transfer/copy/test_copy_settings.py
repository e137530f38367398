"""Part sizes, settings and other servers of copies, and each decision by itself."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests import servers
from tests.transfer.conftest import DATA, PART, open_uploads

import aiocos
from aiocos.config import GIB, MAX_PARTS, MIB, TIB
from aiocos.emulator import Emulator
from aiocos.errors import (
    AccessDenied,
    ConfigError,
    NoSuchKey,
    NoSuchVersion,
    NotModified,
    PreconditionFailed,
    ProtocolError,
    TransferError,
)
from aiocos.groups import engine_of
from aiocos.operations.objects import HeadObject, ObjectInfo
from aiocos.operations.versioning import VersioningConfiguration
from aiocos.transfer.copy import copy as copies
from aiocos.transfer.parts import part_size_for
from aiocos.transfer.requests import CopyRequest
from aiocos.wire.checksum import compute
from aiocos.wire.digest import bare, composite_etag
from aiocos.wire.values import CopySource, CustomerKey

RETRY = aiocos.RetryConfig(base=0.01, cap=0.05)


CONFIG = aiocos.ClientConfig(
    transfer=aiocos.TransferConfig(part_size=PART, multipart_threshold=PART, copy_threshold=PART, copy_part_size=PART),
    retry=RETRY,
)


COMPOSITE = composite_etag(compute("md5", DATA[start : start + PART]) for start in range(0, len(DATA), PART))


@pytest.fixture
async def cos(cos_emulator: Emulator) -> AsyncIterator[aiocos.Client]:
    """A client that copies by parts of 5 MiB, and a bucket with a source of four parts, put in one piece."""
    async with cos_emulator.client(config=CONFIG) as client:
        await client.buckets.create("bucket")
        await client.objects.put(
            "bucket",
            "source",
            DATA,
            content_type="text/x-odd",
            content_language="de",
            cache_control="no-store",
            expires=datetime(2040, 1, 2, tzinfo=UTC),
            metadata={"who": "me"},
            website_redirect_location="/elsewhere",
            tagging="a%20b=c%2Bd&e=",
            acl="public-read",
        )
        cos_emulator.requests.clear()
        yield client


def test_parts_of_copies_up_to_the_largest_object():
    default = aiocos.TransferConfig().copy_part_size
    assert part_size_for(6 * GIB, default) == 512 * MIB
    # 10,000 parts of 512 MiB are 4.8 TiB.
    assert part_size_for(10 * TIB, default) == 1049 * MIB
    for wanted in (PART, default):
        size = part_size_for(10 * TIB, wanted)
        assert -(-10 * TIB // size) <= MAX_PARTS


@pytest.mark.parametrize(
    "wrong",
    [{"copy_threshold": 5 * GIB + 1}, {"copy_threshold": -1}, {"copy_part_size": PART - 1}, {"copy_part_size": 6 * GIB}],
)
def test_settings_that_cannot_be(wrong: dict[str, int]):
    with pytest.raises(ConfigError):
        aiocos.TransferConfig(**wrong)  # type: ignore[arg-type]


async def test_parts_out_of_range_are_refused(cos: aiocos.Client, cos_emulator: Emulator):
    for wrong in ({"part_size": PART - 1}, {"concurrency": 0}):
        with pytest.raises(ConfigError):
            await cos.copy("bucket", "source", "bucket", "copy", **wrong)  # type: ignore[arg-type]
    assert not cos_emulator.requests


@pytest.fixture(scope="module")
def moto() -> Iterator[servers.Process]:
    with servers.moto() as process:
        yield process


async def test_moto_serves_it(moto: servers.Process):
    async with aiocos.Client(
        moto.endpoint, access_key_id=moto.access_key_id, secret_access_key=moto.secret_access_key, config=CONFIG
    ) as cos:
        await cos.buckets.create("copies")
        await cos.objects.put("copies", "source", DATA, content_type="text/x-odd", metadata={"who": "me"}, tagging="a=b")
        result = await cos.copy("copies", "source", "copies", "copy")
        assert (bare(result.etag), result.parts) == (COMPOSITE, 4)
        info = await cos.objects.head("copies", "copy")
        assert (info.content_type, info.metadata) == ("text/x-odd", {"who": "me"})
        assert (await cos.tagging.get_object("copies", "copy")).as_dict() == {"a": "b"}
        assert await cos.objects.read("copies", "copy") == DATA


async def test_rclone_copies_in_one_piece(tmp_path_factory: pytest.TempPathFactory):
    # It knows no copies of parts.
    with servers.rclone(tmp_path_factory.mktemp("rclone")) as process:
        async with aiocos.Client(
            process.endpoint, access_key_id=process.access_key_id, secret_access_key=process.secret_access_key
        ) as cos:
            await cos.buckets.create("copies")
            await cos.objects.put("copies", "source", DATA)
            assert (await cos.copy("copies", "source", "copies", "copy")).parts == 1
            assert await cos.objects.read("copies", "copy") == DATA


async def test_a_copy_may_have_a_threshold_of_its_own(cos: aiocos.Client):
    for threshold, parts in ((len(DATA), 1), (len(DATA) - 1, 4), (None, 4)):
        result = await cos.copy("bucket", "source", "bucket", "copy", copy_threshold=threshold)
        assert result.parts == parts
        assert await cos.objects.read("bucket", "copy") == DATA
    for wrong in (-1, 5 * GIB + 1):
        with pytest.raises(ConfigError, match="copy_threshold"):
            await cos.copy("bucket", "source", "bucket", "copy", copy_threshold=wrong)


async def test_another_client_may_look_at_the_source(cos: aiocos.Client, cos_emulator: Emulator):
    async with cos_emulator.client(config=CONFIG, hmac=True) as looking:
        asked: list[tuple[str, str]] = []
        for name, client in (("looking", looking), ("copying", cos)):
            answer = engine_of(client).call

            def call(operation: Any, name: str = name, answer: Any = answer) -> Any:
                asked.append((name, operation.spec.name))
                return answer(operation)

            engine_of(client).call = call  # type: ignore[method-assign]
        result = await cos.copy("bucket", "source", "bucket", "copy", source_client=looking)
    assert result.parts == 4
    assert [name for who, name in asked if who == "looking"] == ["HeadObject", "GetObjectTagging"]
    assert {name for who, name in asked if who == "copying"} >= {"CreateMultipartUpload", "UploadPartCopy"}
    assert ("copying", "HeadObject") not in asked
    assert (await cos.tagging.get_object("bucket", "copy")).as_dict() == {"a b": "c+d", "e": ""}


def asked(*where: str, **more: Any) -> CopyRequest:
    source_bucket, source_key, bucket, key = where or ("b", "k", "b", "k")
    return CopyRequest(source_bucket, source_key, bucket, key, **more)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"metadata_directive": "COPY"},
        {"tagging_directive": "COPY"},
        {"customer_key": bytes(32), "source_customer_key": bytes(32)},
        {"customer_key": CustomerKey(bytes(32)), "source_customer_key": bytes(32)},
        {"content_type": "a/b"},
    ],
)
def test_a_copy_onto_itself_that_changes_nothing(more: dict[str, Any]):
    with pytest.raises(ConfigError, match="onto itself must change something"):
        copies._check_valid(asked(**more), "copy of it")


@pytest.mark.parametrize(
    ("where", "more"),
    [
        ((), {"metadata_directive": "REPLACE"}),
        ((), {"tagging_directive": "REPLACE"}),
        ((), {"retention_directive": "REPLACE"}),
        ((), {"retention_directive": "COPY"}),
        ((), {"storage_class": "ACCELERATED"}),
        ((), {"website_redirect_location": "/"}),
        ((), {"server_side_encryption": "AES256"}),
        ((), {"customer_key": bytes(32)}),
        ((), {"source_customer_key": bytes(32)}),
        ((), {"customer_key": bytes(32), "source_customer_key": b"x" * 32}),
        ((), {"version_id": "v"}),
        (("a", "k", "b", "k"), {}),
        (("b", "k", "b", "l"), {}),
        ((), {"retention_directive": "REPLACE", "retention_period": 0}),
    ],
)
def test_a_copy_that_makes_sense(where: tuple[str, ...], more: dict[str, Any]):
    copies._check_valid(asked(*where, **more), "copy of it")


@pytest.mark.parametrize(
    "more", [{"retention_period": 0}, {"retention_expires": datetime(2040, 1, 1, tzinfo=UTC)}, {"retention_legal_hold_id": "x"}]
)
@pytest.mark.parametrize("directive", [None, "COPY"])
def test_retention_is_set_with_its_directive_only(more: dict[str, Any], directive: Any):
    with pytest.raises(ConfigError, match="retention_directive='REPLACE' only"):
        copies._check_valid(asked("a", "b", "c", "d", retention_directive=directive, **more), "copy of it")


def test_a_source_is_pinned_as_it_was_seen():
    info = ObjectInfo(etag='"e"', version_id="v")
    pinned = copies._pinned(asked("a", "b", "c", "d", source_if_none_match="x"), info)
    assert pinned == {
        "source": CopySource("a", "b", "v"),
        "source_if_match": '"e"',
        "source_if_none_match": None,
        "source_if_modified_since": None,
        "source_if_unmodified_since": None,
    }
    assert copies._pinned(asked("a", "b", "c", "d", version_id="w"), info)["source"] == CopySource("a", "b", "w")
    assert copies._pinned(asked("a", "b", "c", "d"), ObjectInfo())["source_if_match"] is None


def test_what_failures_of_parts_mean():
    one: Any = copies._CopyInParts.__new__(copies._CopyInParts)
    one._what, one._info, one._done = "copy of it", ObjectInfo(etag='"e"'), {1: None, 2: None}
    busy, own = AccessDenied("no"), KeyError("ours")

    def meaning(*errors: Exception) -> BaseException:
        return one._error_for(ExceptionGroup("g", [*errors]), "id")

    assert meaning(busy, own) is own
    error = meaning(busy, busy)
    assert isinstance(error, TransferError)
    assert (str(error), error.upload_id, error.parts_done) == ("the copy of it failed after 2 parts: no", "id", 2)
    for changed in (PreconditionFailed("x"), NoSuchKey("x"), NoSuchVersion("x")):
        error = meaning(busy, changed)
        assert isinstance(error, TransferError)
        assert 'the source is not what it was when the copy began (its ETag was "e")' in str(error)
        assert (error.upload_id, error.parts_done) == ("id", 2)


@pytest.mark.parametrize(("key", "parts"), [("small", 1), ("source", 4)])
async def test_a_result_and_its_progress_say_the_same(cos: aiocos.Client, key: str, parts: int):
    await cos.versioning.put("bucket", VersioningConfiguration(status="Enabled"))
    data = DATA if key == "source" else DATA[:1000]
    await cos.objects.put("bucket", key, data)
    seen = await cos.objects.head("bucket", key)
    events: list[aiocos.Progress] = []
    result = await cos.copy("bucket", key, "bucket", "copy", progress=events.append)
    info = await cos.objects.head("bucket", "copy")
    assert (result.bucket, result.key, result.size, result.parts) == ("bucket", "copy", len(data), parts)
    assert (result.etag, result.version_id, result.source_version_id) == (info.etag, info.version_id, seen.version_id)
    assert None not in (result.version_id, result.source_version_id, result.request_id)
    assert events[0].state == "queued"
    assert (events[0].bytes_total, events[0].parts_total) == (None, None)
    assert [event.state for event in events].count("verifying") == (parts > 1)
    last = events[-1]
    assert (last.state, last.bytes_done, last.bytes_total) == ("done", len(data), len(data))
    assert (last.parts_done, last.parts_total) == (parts, parts)
    assert await cos.objects.read("bucket", "copy") == data


async def test_a_source_of_no_etag_is_not_copied_by_parts(cos: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    real = engine_of(cos).call

    async def call(operation: Any) -> Any:
        result = await real(operation)
        return result.model_copy(update={"etag": ""}) if isinstance(operation, HeadObject) else result

    monkeypatch.setattr(engine_of(cos), "call", call)
    with pytest.raises(ProtocolError, match="the source has no ETag"):
        await cos.copy("bucket", "source", "bucket", "copy")
    assert await open_uploads(cos) == []


async def test_a_condition_that_a_reader_would_be_glad_of(cos: aiocos.Client):
    etag = (await cos.objects.head("bucket", "source")).etag
    with pytest.raises(PreconditionFailed, match="a condition on the source of the copy did not hold") as caught:
        await cos.copy("bucket", "source", "bucket", "copy", source_if_none_match=etag)
    error = caught.value
    assert (error.status, error.code, error.operation) == (412, "PreconditionFailed", "HeadObject")
    assert error.request_id
    assert isinstance(error.__cause__, NotModified)
    assert (error.resource, error.request_id) == (error.__cause__.resource, error.__cause__.request_id)

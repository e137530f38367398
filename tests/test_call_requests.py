"""The requests that the engine prepares: headers, checksums, customer keys; and the look-up of Key Protect."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.fake_engine import MD5, SHA256, FakeTransport, engine, ok

import aiocos
from aiocos.config import RetryConfig
from aiocos.errors import (
    ConfigError,
    ConnectionLostError,
)
from aiocos.operations.buckets import HeadBucket, ListBuckets
from aiocos.operations.objects import HeadObject, PutObject
from aiocos.wire import checksum
from aiocos.wire.checksum import best

CRC64 = checksum.encode(checksum.compute("crc64nvme", b"data"))


@pytest.mark.parametrize(("size", "elsewhere"), [(262_144, False), (262_145, True)])
async def test_large_bodies_are_hashed_in_a_thread(size: int, elsewhere: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[bool] = []
    original = checksum.compute

    def noted(*given: Any) -> bytes:
        threads.append(threading.current_thread() is not threading.main_thread())
        return original(*given)

    monkeypatch.setattr(checksum, "compute", noted)
    outgoing = await engine(FakeTransport(ok()), checksum="md5").prepare(PutObject("b", "k", bytes(size)))
    assert len(outgoing.headers["Content-MD5"]) == 24
    assert threads == [elsewhere]


# -- headers ----------------------------------------------------------------------------------------------------------


async def test_service_instance_header() -> None:
    made = engine(FakeTransport(ok()))
    assert (await made.prepare(ListBuckets())).headers["ibm-service-instance-id"] == "an-instance"
    assert (await made.prepare(ListBuckets(service_instance_id="mine"))).headers["ibm-service-instance-id"] == "mine"
    assert "ibm-service-instance-id" not in (await made.prepare(HeadBucket("b"))).headers
    made._instance_id = lambda: None
    assert "ibm-service-instance-id" not in (await made.prepare(ListBuckets())).headers


@pytest.mark.parametrize(
    ("checksum", "given", "expected"),
    [
        ("md5", {}, {"Content-MD5": "jXd/OF09/siBXSD3SWAm3A=="}),
        ("crc32", {}, {"x-amz-checksum-crc32": "rfPzYw=="}),
        ("md5", {"sdk_checksum_algorithm": "CRC32"}, {"x-amz-checksum-crc32": "rfPzYw=="}),
        ("md5", {"checksum_crc32": "AAAAAA=="}, {"x-amz-checksum-crc32": "AAAAAA=="}),
        ("crc32", {"content_md5": "jXd/OF09/siBXSD3SWAm3A=="}, {"Content-MD5": "jXd/OF09/siBXSD3SWAm3A=="}),
        ("md5", {"sdk_checksum_algorithm": "SHA256"}, {"x-amz-checksum-sha256": SHA256}),
        ("auto", {"sdk_checksum_algorithm": "CRC32C"}, {"x-amz-checksum-crc32c": "rth90Q=="}),
        ("auto", {"sdk_checksum_algorithm": "CRC64NVME"}, {"x-amz-checksum-crc64nvme": CRC64}),
        ("auto", {}, {"x-amz-checksum-crc64nvme": CRC64} if best() == "crc64nvme" else {"x-amz-checksum-crc32": "rfPzYw=="}),
        ("crc64nvme", {}, {"x-amz-checksum-crc64nvme": CRC64}),
    ],
)
async def test_one_checksum_per_body(checksum: Any, given: dict[str, Any], expected: dict[str, str]) -> None:
    outgoing = await engine(FakeTransport(ok()), checksum=checksum).prepare(PutObject("b", "k", b"data", **given))
    sums = {n: v for n, v in outgoing.headers.items() if n == "Content-MD5" or n.startswith("x-amz-checksum-")}
    assert sums == expected


async def test_unsupported_announced_checksum_is_refused() -> None:
    made = engine(FakeTransport(ok()))
    with pytest.raises(ConfigError, match="a MD5 checksum is announced and not given"):
        await made.prepare(PutObject("b", "k", b"data", sdk_checksum_algorithm="MD5"))


KEY = bytes(32)
KEYS = [
    PutObject("b", "k", b"", customer_key=KEY),
    HeadObject("b", "k", customer_key=KEY),
]


@pytest.mark.parametrize("operation", KEYS, ids=lambda value: type(value).__name__)
async def test_customer_key_is_not_sent_over_plain_http(operation: Any) -> None:
    transport = FakeTransport(ok(ETag=MD5))
    for work in (engine(transport, origin="http://cos.example").call, engine(transport, origin="http://cos.example").open):
        with pytest.raises(ConfigError, match=r"\(SSE-C\) is not sent to http://cos\.example"):
            await work(operation)
    assert transport.requests == []
    for origin in ("https://cos.example", "http://127.0.0.1:9000"):
        await engine(transport, origin=origin).open(operation)
    await engine(transport, origin="http://cos.example").open(HeadObject("b", "k"))


def test_customer_key_is_not_presigned_for_plain_http() -> None:
    name = "x-amz-server-side-encryption-customer-key"
    request = aiocos.wire.message.Request("GET", "b", "k", [(name.upper(), "a2V5")])  # type: ignore[attr-defined]
    plain = aiocos.wire.message.Request("GET", "b", "k", [(f"{name}-md5", "x")])  # type: ignore[attr-defined]
    made = engine(FakeTransport(ok()), origin="http://cos.example")
    with pytest.raises(ConfigError, match="SSE-C"):
        made.presign(request, {}, 60)
    assert "X-Amz-Expires=60" in made.presign(plain, {}, 60)
    with pytest.raises(ConfigError, match="SSE-C"):
        made.presign(plain, {name: "a2V5"}, 60)
    assert "X-Amz-Expires=60" in engine(FakeTransport(ok())).presign(request, {}, 60)
    with pytest.raises(ConfigError):
        made.presign(plain, {}, 0)
    assert "X-Amz-Expires=0" in made.presign(plain, {}, 0, strict=False)


# -- buckets under Key Protect ----------------------------------------------------------------------------------------


async def test_key_protect_is_remembered_for_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("aiocos.key_protect.time.monotonic", lambda: now)
    transport = FakeTransport(ok(**{"ibm-sse-kp-enabled": "True"}))
    made = engine(transport)
    for at, asked in ((1_000.0, 1), (1_299.9, 1), (1_300.0, 2), (1_599.9, 2), (1_600.0, 3)):
        now = at
        assert await made.has_md5_etags("b", "owner") is False
        assert len(transport.requests) == asked
    assert transport.requests[0] == ("HEAD", "/b")
    assert transport.headers[0]["x-amz-expected-bucket-owner"] == "owner"
    assert await made.has_md5_etags("another") is False
    assert len(transport.requests) == 4


async def test_other_buckets_are_looked_up_each_time() -> None:
    for step in (ok(), ok(**{"ibm-sse-kp-enabled": "False"}), ok(b"", 403), ConnectionLostError("cut", sent=True)):
        transport = FakeTransport(step)
        made = engine(transport, retry=RetryConfig(attempts=1))
        for asked in (1, 2):
            assert await made.has_md5_etags("b") is True
            assert len(transport.requests) == asked


async def test_remembered_buckets_are_bounded() -> None:
    made = engine(FakeTransport(ok(**{"ibm-sse-kp-enabled": "True"})))
    for number in range(1_000):
        made._key_protect._until[str(number)] = float("inf")
    made._key_protect._until.pop("7")
    assert await made.has_md5_etags("b") is False
    assert len(made._key_protect._until) == 1_000
    assert await made.has_md5_etags("c") is False
    assert list(made._key_protect._until) == ["c"]

"""Responses that are large, or do not belong to the request."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from tests.fake_engine import FakeTransport, engine, error, ok
from tests.net.raw_server import serving

import aiocos
from aiocos.config import ClientConfig, RetryConfig
from aiocos.errors import (
    NoSuchKey,
    ProtocolError,
)
from aiocos.operations.buckets import HeadBucket, ListBuckets

ONCE = RetryConfig(attempts=1)


def anonymous(endpoint: str, config: ClientConfig) -> aiocos.Client:
    return aiocos.Client(endpoint, credentials=aiocos.Anonymous(), config=config)


@pytest.mark.parametrize(("size", "elsewhere"), [(262_144, False), (262_145, True)])
async def test_large_responses_are_parsed_in_a_thread(size: int, elsewhere: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[bool] = []

    def noting(name: str) -> None:
        original = getattr(aiocos.call, name)  # type: ignore[attr-defined]

        def noted(*given: Any) -> Any:
            threads.append(threading.current_thread() is not threading.main_thread())
            return original(*given)

        monkeypatch.setattr(f"aiocos.call.{name}", noted)

    noting("read_response")
    noting("error_for")
    document = b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"
    large = ok(document[:-1] + b" " * (size - len(document)) + b">")
    assert len(large.body) == size
    made = engine(FakeTransport(large))
    assert (await made.call(ListBuckets())).buckets == []
    assert (await made.call_with_response(ListBuckets())).result.buckets == []
    with pytest.raises(NoSuchKey):
        await engine(FakeTransport(error(404, "NoSuchKey", "x" * (size - 64)))).call(HeadBucket("b"))
    assert threads[:2] == [elsewhere] * 2
    assert len(threads) == 3
    threads.clear()
    refused = error(404, "NoSuchKey")
    refused.body += b" " * (size - len(refused.body))
    with pytest.raises(NoSuchKey):
        await engine(FakeTransport(refused)).call(HeadBucket("b"))
    assert threads == [elsewhere]


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("body", [b"<html/>", b"<html> ", b'<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>', b"{}"])
async def test_unreadable_response_names_operation_and_request_id(body: bytes):
    async def senseless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nx-amz-request-id: id-7\r\nConnection: close\r\n\r\n"
        writer.write(head % len(body) + body)
        await writer.drain()
        writer.close()

    async with serving(senseless) as endpoint, anonymous(endpoint, ClientConfig(retry=ONCE)) as cos:
        with pytest.raises(ProtocolError, match=r"ListObjectsV2 bucket: .*id-7"):
            async for _ in cos.objects.list("bucket"):
                pass


@pytest.mark.usefixtures("backend")
async def test_truncated_page_without_a_marker_is_an_error():
    """Also after a page with a marker: the listing would start over, forever."""
    pages = iter(
        [
            "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker></ListVersionsResult>",
            "<ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>",
            "<ListAllMyBucketsResult><IsTruncated>true</IsTruncated><Buckets/></ListAllMyBucketsResult>",
        ]
    )

    async def paging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = next(pages).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async with serving(paging) as endpoint, anonymous(endpoint, ClientConfig(retry=ONCE)) as cos:
        with pytest.raises(ProtocolError, match="not where the next page starts"):
            async for _ in cos.objects.list_versions("bucket"):
                pass
        with pytest.raises(ProtocolError, match="not where the next page starts"):
            async for _ in cos.buckets.list_extended():
                pass

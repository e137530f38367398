"""A service that responds with something else (E17), and documents of endless nesting (E18)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from tests.fault_injection.conftest import Saw

import aiocos
from aiocos.config import MIB
from aiocos.emulator import Emulator
from aiocos.errors import CosError, ProtocolError, ServiceError
from aiocos.groups import engine_of
from aiocos.operations.multipart import CompletedPart
from aiocos.wire.message import PreparedRequest

CONFIG = aiocos.ClientConfig(retry=aiocos.RetryConfig(attempts=1))

Serve = Callable[[web.BaseRequest], web.Response]


@asynccontextmanager
async def client_of(serve: Serve) -> AsyncIterator[aiocos.Client]:
    """Return a client of a service that responds to every request by calling `serve`."""

    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        return serve(request)

    runner = web.ServerRunner(web.Server(respond))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiocos.Client(url, credentials=aiocos.BearerToken("secret-token"), config=CONFIG) as cos:
            yield cos
    finally:
        await runner.cleanup()


def _html(_request: web.BaseRequest) -> web.Response:
    return web.Response(text="<!DOCTYPE html>\n<html><body>Please log in</body></html>", content_type="text/html")


def _xhtml(_request: web.BaseRequest) -> web.Response:
    return web.Response(text="<html><body>Please log in</body></html>", content_type="text/html")


def _empty(_request: web.BaseRequest) -> web.Response:
    return web.Response()


def _json(_request: web.BaseRequest) -> web.Response:
    return web.json_response({"IsTruncated": False})


def _another(_request: web.BaseRequest) -> web.Response:
    return web.Response(
        text="<Results><IsTruncated>false</IsTruncated><ETag>e</ETag></Results>", content_type="application/xml"
    )


def _error(_request: web.BaseRequest) -> web.Response:
    return web.Response(text="<Error><Code>InternalError</Code></Error>", content_type="application/xml")


SERVICES: dict[str, Serve] = {
    "HTML": _html,
    "XHTML": _xhtml,
    "nothing": _empty,
    "JSON": _json,
    "another document": _another,
    "an error in a 200": _error,
}

# Calls whose response has a document, or a header that every response has.
CALLS: dict[str, Callable[[aiocos.Client], Any]] = {
    "list": lambda cos: _all(cos.objects.list("b")),
    "list_v1": lambda cos: _all(cos.objects.list_v1("b")),
    "list_versions": lambda cos: _all(cos.objects.list_versions("b")),
    "list_uploads": lambda cos: _all(cos.multipart.list_uploads("b")),
    "list_parts": lambda cos: _all(cos.multipart.list_parts("b", "k", "u")),
    "list_extended": lambda cos: _all(cos.buckets.list_extended()),
    "buckets": lambda cos: cos.buckets.list(),
    "location": lambda cos: cos.buckets.location("b"),
    "delete_many": lambda cos: cos.objects.delete_many("b", ["k"]),
    "copy": lambda cos: cos.objects.copy("b", "k", ("b", "s")),
    "copy_part": lambda cos: cos.multipart.upload_part_copy("b", "k", "u", 1, ("b", "s")),
    "create": lambda cos: cos.multipart.create("b", "k"),
    "complete": lambda cos: cos.multipart.complete("b", "k", "u", [CompletedPart(part_number=1, etag='"e"')]),
    "put": lambda cos: cos.objects.put("b", "k", b"x"),
    "upload_part": lambda cos: cos.multipart.upload_part("b", "k", "u", 1, b"x"),
    "head": lambda cos: cos.objects.head("b", "k"),
    "lifecycle": lambda cos: cos.lifecycle.get("b"),
    "cors": lambda cos: cos.cors.get("b"),
    "website": lambda cos: cos.website.get("b"),
    "replication": lambda cos: cos.replication.get("b"),
    "versioning": lambda cos: cos.versioning.get("b"),
    "public_access": lambda cos: cos.public_access.get("b"),
    "protection": lambda cos: cos.protection.get("b"),
    "object_lock": lambda cos: cos.object_lock.get_configuration("b"),
    "retention": lambda cos: cos.object_lock.get_retention("b", "k"),
    "legal_hold": lambda cos: cos.object_lock.get_legal_hold("b", "k"),
    "legal_holds": lambda cos: cos.legal_holds.list("b", "k"),
    "acl": lambda cos: cos.acl.get_object("b", "k"),
    "tags": lambda cos: cos.tagging.get_object("b", "k"),
}


async def _all(listing: Any) -> list[Any]:
    return [entry async for entry in listing]


@pytest.mark.parametrize("name", SERVICES)
async def test_e17_a_response_that_is_something_else_is_refused(name: str, saw: Saw) -> None:
    async with client_of(SERVICES[name]) as cos:
        for make in CALLS.values():
            with pytest.raises((ProtocolError, ServiceError)) as caught:
                await make(cos)
            assert "secret-token" not in str(caught.value)
    saw("E17", f"{name}: refused by {len(CALLS)} of {len(CALLS)} calls")


@pytest.mark.parametrize("name", ["HTML", "XHTML"])
async def test_e17_a_web_page_is_not_accepted_as_an_object(name: str, tmp_path: Path) -> None:
    async with client_of(SERVICES[name]) as cos:
        with pytest.raises((CosError, ExceptionGroup)):
            await cos.objects.read("b", "k")
        with pytest.raises((CosError, ExceptionGroup)):
            await cos.download("b", "k", str(tmp_path / "k"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", SERVICES)
async def test_e17_a_sync_deletes_nothing_after_a_wrong_listing(name: str, tmp_path: Path, saw: Saw) -> None:
    for index in range(3):
        (tmp_path / f"f{index}").write_bytes(b"x")
    async with client_of(SERVICES[name]) as cos:
        with pytest.raises((CosError, ExceptionGroup)):
            await cos.sync("cos://bucket/", str(tmp_path), delete=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f0", "f1", "f2"]
    saw("E17", f"{name}: a sync with `delete` deletes nothing")


async def test_e17_pages_of_another_listing_are_refused(saw: Saw) -> None:
    def serve(request: web.BaseRequest) -> web.Response:
        inside = {"name": "<Name>other</Name>", "prefix": "<Prefix>other/</Prefix>", "key": "<Contents><Key>x</Key></Contents>"}
        entries = inside.get(request.path.strip("/"), "")
        again = "<NextContinuationToken>t</NextContinuationToken>" if "again" in request.path else ""
        truncated = "true" if "again" in request.path or "no-token" in request.path else "false"
        body = f"<ListBucketResult>{entries}<IsTruncated>{truncated}</IsTruncated>{again}</ListBucketResult>"
        return web.Response(text=body, content_type="application/xml")

    async with client_of(serve) as cos:
        for bucket in ("name", "prefix", "key", "again", "no-token"):
            with pytest.raises(ProtocolError):
                await _all(cos.objects.list(bucket, prefix="asked/"))
        assert await _all(cos.objects.list("good", prefix="asked/")) == []
    saw("E17", "pages of another bucket or prefix, without a token, or with a repeated token: refused")


NESTED = b"<a>" * (5 * MIB)  # 15 MiB


async def _longest_stall(work: Any) -> tuple[float, Any]:
    """Return the longest time for which awaiting something blocked the event loop, and the exception it raised."""
    longest, running = 0.0, True

    async def tick() -> None:
        nonlocal longest
        while running:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - before)

    ticking = asyncio.create_task(tick())
    caught: BaseException | None = None
    try:
        await work
    except CosError as error:
        caught = error
    running = False
    await ticking
    return longest, caught


async def test_e18_a_deeply_nested_response_is_refused(saw: Saw) -> None:
    def serve(request: web.BaseRequest) -> web.Response:
        status = 503 if "error" in request.path else 200
        root = b"<Error>" if status == 503 else b"<ListBucketResult><IsTruncated>false</IsTruncated>"
        return web.Response(status=status, body=root + NESTED, content_type="application/xml")

    stalls: list[float] = []
    async with client_of(serve) as cos:
        tracemalloc.start()
        started = time.process_time()
        try:
            for bucket in ("listing", "error"):
                stall, caught = await _longest_stall(_all(cos.objects.list(bucket)))
                stalls.append(stall)
                assert isinstance(caught, ProtocolError | ServiceError)
                assert len(str(caught)) < 1_000
            used, held = time.process_time() - started, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    # For both, including the server and the transport of 30 MiB. Without limits it took 29 s and 1.4 GB.
    assert used < 10
    assert held < 12 * len(NESTED)
    longest = max(stalls) * 1000
    saw(
        "E18",
        f"15 MiB of nested elements: refused, at most {held / MIB:.0f} MiB used, "
        f"event loop blocked for at most {longest:.0f} ms",
    )


async def test_e18_the_emulator_refuses_a_deeply_nested_request(cos_emulator: Emulator, saw: Saw) -> None:
    async with cos_emulator.client() as cos:
        await cos.buckets.create("bucket")
        held = await _post_nested(cos, cos_emulator)
        assert await _all(cos.objects.list("bucket")) == []
    saw("E18", f"8 MB of nested elements in a request to the emulator: 400, at most {held / MIB:.0f} MiB used")


async def _post_nested(cos: aiocos.Client, emulator: Emulator) -> int:
    outgoing = PreparedRequest("POST", emulator.endpoint, "/bucket", "delete", {})
    await engine_of(cos)._authorizer.authorize(outgoing)
    body = b"<Delete>" + b"<a>" * 2_600_000
    headers = {**outgoing.headers, "Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
    tracemalloc.start()
    try:
        async with (
            ClientSession() as session,
            session.post(f"{outgoing.url}", data=io.BytesIO(body), headers=headers) as response,
        ):
            text = await response.text()
            assert (response.status, "MalformedXML" in text) == (400, True)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Without limits it took 720 MB.
    assert held < 12 * len(body)
    return held

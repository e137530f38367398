"""A malicious bucket or service (E16)."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from aiohttp import web
from tests.fault_injection.conftest import Saw

import aiocos
from aiocos.config import MIB
from aiocos.errors import ConfigError, ProtocolError, Redirected
from aiocos.transfer import DirectoryError

pytestmark = pytest.mark.usefixtures("backend")

EVIL = ["../escaped", "../../escaped", "/etc/escaped", "a//b", "x/../../escaped", "n\0ul", ".", "..", "d/./x"]


async def test_e16_keys_cannot_escape_the_target_directory(small: aiocos.Client, tmp_path: Path, saw: Saw) -> None:
    for key in [*EVIL, "good", "link/escaped"]:
        await small.objects.put("bucket", "p/" + key, b"data")
    outside, root = tmp_path / "outside", tmp_path / "deep" / "root"
    outside.mkdir()
    root.mkdir(parents=True)
    (root / "link").symlink_to(outside)
    for work in (
        small.download_directory("bucket", root, prefix="p/"),
        small.sync("cos://bucket/p", root, delete=True),
    ):
        with pytest.raises(DirectoryError) as caught:
            await work
        assert len(caught.value.result.errors) == len(EVIL) + 1
    assert (root / "good").read_bytes() == b"data"
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["good"]
    saw("E16", f"{len(EVIL) + 1} hostile keys are refused, each with its own error; 0 files outside the target")


async def test_e16_header_values_cannot_inject_headers(small: aiocos.Client, saw: Saw) -> None:
    for text in ("a\r\nX-Evil: 1", "a\nb", "a\0b"):
        with pytest.raises(ConfigError):
            await small.objects.put("bucket", "key", b"", metadata={"name": text})
        with pytest.raises(ConfigError):
            await small.objects.put("bucket", "key", b"", content_type=text)
    with pytest.raises(ConfigError):
        await small.objects.put("bucket", "key", b"", metadata={"a\r\nb": "c"})
    assert not await small.objects.exists("bucket", "key")
    saw("E16", "CR, LF and NUL in headers are refused before anything is sent")


BOMB = '<!DOCTYPE a [<!ENTITY a "{0}"><!ENTITY b "{1}"><!ENTITY c "{2}">]><ListBucketResult><Name>&c;</Name></ListBucketResult>'
ENTRIES = "<Contents><Key>k</Key></Contents>" * 300_000
HUGE = f"<ListBucketResult><Name>huge</Name><IsTruncated>false</IsTruncated>{ENTRIES}</ListBucketResult>"
ENDLESS = 64 * MIB


async def serve(request: web.BaseRequest) -> web.StreamResponse:
    path = request.path
    if "redirect" in path:
        port = path.rpartition("-")[2]
        return web.Response(status=307, headers={"Location": f"http://localhost:{port}/stolen"})
    if "bomb" in path:
        return web.Response(text=BOMB.format("x" * 10, "&a;" * 10_000, "&b;" * 10_000), content_type="application/xml")
    if "huge" in path:
        return web.Response(text=HUGE, content_type="application/xml")
    response = web.StreamResponse(headers={"Content-Type": "application/xml"})
    await response.prepare(request)
    for _ in range(ENDLESS // MIB):
        try:
            await response.write(b"<a>" * (MIB // 3))
        except ConnectionError:
            break
    return response


async def test_e16_a_redirect_does_not_get_the_token(saw: Saw) -> None:
    received: list[str] = []

    async def elsewhere(request: web.BaseRequest) -> web.StreamResponse:
        received.append(request.headers.get("Authorization", ""))
        return web.Response()

    runners = [web.ServerRunner(web.Server(response)) for response in (serve, elsewhere)]
    for runner in runners:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
    here, there = (runner.addresses[0][1] for runner in runners)
    try:
        async with aiocos.Client(f"http://127.0.0.1:{here}", credentials=aiocos.BearerToken("secret-token")) as cos:
            for work in (
                cos.objects.read("redirect", f"to-{there}"),
                cos.objects.put("redirect", f"to-{there}", b"x" * MIB),
            ):
                with pytest.raises(Redirected, match="credentials do not follow") as caught:
                    await work
                assert "secret-token" not in str(caught.value)
    finally:
        for runner in runners:
            await runner.cleanup()
    assert received == []
    saw("E16", "a redirect to another host is an error, and no request is sent to that host")


async def test_e16_endless_responses_do_not_fill_the_memory(saw: Saw) -> None:
    runner = web.ServerRunner(web.Server(serve))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    config = aiocos.ClientConfig(retry=aiocos.RetryConfig(attempts=1))
    tracemalloc.start()
    try:
        async with aiocos.Client(url, credentials=aiocos.BearerToken("secret-token"), config=config) as cos:
            for bucket in ("bomb", "endless"):
                with pytest.raises(ProtocolError) as caught:
                    _ = [entry async for entry in cos.objects.list(bucket)]
                assert "secret-token" not in str(caught.value)
            bombs = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert sum([1 async for _ in cos.objects.list("huge")]) == 300_000, "10 MB of XML that is in order is read"
    finally:
        tracemalloc.stop()
        await runner.cleanup()
    # The limit of a document is 32 MiB. It is in memory twice while its chunks are joined.
    assert bombs < 3 * 32 * MIB
    saw(
        "E16",
        f"a DOCTYPE and an endless response are refused with at most {bombs / MIB:.0f} MiB used; 10 MB of valid XML are read",
    )

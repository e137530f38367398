"""ETags that look like MD5s and are none, under Key Protect or the keys of a key service: nothing is held against them."""

import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from tests.transfer.conftest import CONFIG, DATA, PART

import aiocos
from aiocos.emulator import Emulator
from aiocos.errors import IntegrityError


@dataclass
class Strange:
    """A service whose ETags are not the MD5s of anything."""

    etag: str = '"' + "5" * 32 + '"'
    protected: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    port: int = 0

    async def answer(self, request: web.BaseRequest) -> web.Response:
        if request.path.count("/") == 1:
            return web.Response(headers={"ibm-sse-kp-enabled": "True"} if self.protected else {})
        asked = request.http_range
        start, stop = asked.start or 0, asked.stop or len(DATA)
        headers = {"ETag": self.etag, **self.headers}
        if "Range" in request.headers:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(DATA)}"
        return web.Response(status=206 if "Range" in request.headers else 200, body=DATA[start:stop], headers=headers)


@pytest.fixture
async def strange() -> AsyncIterator[Strange]:
    service = Strange()
    runner = web.ServerRunner(web.Server(service.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.port = site._server.sockets[0].getsockname()[1]
    yield service
    await runner.cleanup()


@pytest.fixture
async def cos(strange: Strange) -> AsyncIterator[aiocos.Client]:
    async with aiocos.Client(f"http://127.0.0.1:{strange.port}", credentials=aiocos.Anonymous(), config=CONFIG) as client:
        yield client


@pytest.mark.parametrize("etag", ['"' + "5" * 32 + '"', '"' + "5" * 32 + '-1"'])
async def test_a_bucket_under_key_protect(cos: aiocos.Client, strange: Strange, tmp_path: Path, etag: str, caplog):
    strange.etag = etag
    assert await cos.objects.read("bucket", "key") == DATA
    result = await cos.download("bucket", "key", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == DATA
    assert result.verified is None
    assert "Key Protect" in caplog.text


async def test_any_other_bucket_is_held_to_its_etags(cos: aiocos.Client, strange: Strange, tmp_path: Path):
    strange.protected = False
    with pytest.raises(IntegrityError):
        await cos.objects.read("bucket", "key")
    with pytest.raises(IntegrityError):
        await cos.download("bucket", "key", tmp_path / "f")
    assert os.listdir(tmp_path) == []


async def test_a_key_of_a_key_service(cos: aiocos.Client, strange: Strange, tmp_path: Path):
    strange.protected = False
    strange.headers = {"x-amz-server-side-encryption": "aws:kms"}
    assert await cos.objects.read("bucket", "key") == DATA
    assert (await cos.download("bucket", "key", tmp_path / "f")).verified is None
    assert len(DATA) > PART


@pytest.mark.parametrize("verified", ["checksum", None])
async def test_parts_whose_etags_are_no_md5s_are_no_failure(
    small: aiocos.Client, cos_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, verified: str | None
):
    """Under Key Protect, with checksums or without: nothing but those shows then that the bytes are right."""
    cos_emulator.checksums = verified is not None
    key = "crn:v1:bluemix:public:kms:us-south:a/1:2:key:3"
    await small.buckets.create("protected", kp_root_key_crn=key, kp_algorithm="AES256")
    monkeypatch.setattr("aiocos.emulator.handlers.parts.etag_for", lambda md5, customer_md5: secrets.token_hex(16))
    result = await small.upload("protected", "key", DATA)
    assert result.verified == verified
    assert await small.objects.read("protected", "key") == DATA

"""ETags that look like MD5s and are none, under Key Protect or the keys of a key service: nothing is held against them."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from tests.transfer.conftest import CONFIG, DATA, PART

import aiocos
from aiocos.errors import IntegrityError
from aiocos.groups import engine_of
from aiocos.operations.multipart import CompleteMultipartUpload, UploadPart


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


async def test_parts_whose_etags_are_no_md5s_are_no_failure(small: aiocos.Client, monkeypatch: pytest.MonkeyPatch):
    real = engine_of(small).call

    given: dict[int, str] = {}

    async def renaming(operation):
        if isinstance(operation, CompleteMultipartUpload):
            operation.parts = [p.model_copy(update={"etag": given[p.part_number]}) for p in operation.parts]
        result = await real(operation)
        if isinstance(operation, UploadPart):
            given[operation.part_number] = result.etag
            return result.model_copy(update={"etag": '"' + "6" * 32 + '"'})
        return result

    monkeypatch.setattr(engine_of(small), "call", renaming)
    result = await small.upload("bucket", "key", DATA)
    assert result.verified is None
    assert await small.objects.read("bucket", "key") == DATA

"""Presigned URLs, used by curl with the emulator and with rclone's server."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests import servers

from aiocos import Client, CompletedPart, ConfigError, CredentialsError, ProtectionConfiguration
from aiocos.auth.sigv4 import SigningKey, presign, signing_key
from aiocos.emulator import Emulator
from aiocos.wire.message import PreparedRequest


async def curl(*arguments: str, expect: int = 200) -> str:
    program = shutil.which("curl")
    if program is None:
        pytest.skip("no curl on this machine")
    process = await asyncio.create_subprocess_exec(
        program, "-sS", "--max-time", "20", "--noproxy", "*", "-w", "\n%{http_code}", *arguments, stdout=asyncio.subprocess.PIPE
    )
    out = (await process.communicate())[0].decode()
    body, _, status = out.rpartition("\n")
    assert status == str(expect), out
    return body


@pytest.fixture(params=["emulator", "rclone"])
async def cos(request: pytest.FixtureRequest, cos_emulator: Emulator, tmp_path: Path) -> AsyncIterator[Client]:
    if request.param == "emulator":
        async with cos_emulator.client(hmac=True) as made:
            await made.buckets.create("bucket")
            yield made
        return
    (tmp_path / "data").mkdir()
    with servers.rclone(tmp_path / "data") as server:
        keys = {"access_key_id": server.access_key_id, "secret_access_key": server.secret_access_key}
        async with Client(endpoint=server.endpoint, **keys) as made:
            await made.buckets.create("bucket")
            yield made


async def test_presigned_methods(cos: Client) -> None:
    key = "a b+ü/c.txt"
    put = cos.objects.presign("bucket", key, method="PUT", expires=60, headers={"Content-Type": "text/plain"})
    await curl("-X", "PUT", "--data-binary", "by curl", "-H", "Content-Type: text/plain", put)
    assert await cos.objects.read("bucket", key) == b"by curl"
    assert await curl(cos.objects.presign("bucket", key, expires=timedelta(minutes=5))) == "by curl"
    head = await curl("-I", cos.objects.presign("bucket", key, method="HEAD"))
    assert "Content-Length: 7" in head.replace("content-length", "Content-Length")
    # Whoever changes the URL, or the headers that were signed, is refused.
    assert "SignatureDoesNotMatch" in await curl(cos.objects.presign("bucket", key).replace("c.txt", "d.txt"), expect=403)
    assert "<Code>" in await curl("-X", "PUT", "--data-binary", "x", "-H", "Content-Type: text/html", put, expect=403)
    await curl("-X", "DELETE", cos.objects.presign("bucket", key, method="DELETE"), expect=204)
    assert not await cos.objects.exists("bucket", key)


@pytest.fixture
async def signing(cos_emulator: Emulator) -> AsyncIterator[Client]:
    async with cos_emulator.client(hmac=True) as made:
        await made.buckets.create("bucket")
        yield made


async def test_presigned_part(signing: Client) -> None:
    upload = await signing.multipart.create("bucket", "key")
    url = signing.objects.presign("bucket", "key", method="PUT", upload_id=upload.upload_id, part_number=1)
    await curl("-X", "PUT", "-H", "Content-Type:", "--data-binary", "a part", url)
    parts = [part async for part in signing.multipart.list_parts("bucket", "key", upload.upload_id)]
    done = [CompletedPart(part_number=p.part_number, etag=p.etag) for p in parts]
    await signing.multipart.complete("bucket", "key", upload.upload_id, done)
    assert await signing.objects.read("bucket", "key") == b"a part"
    for wrong in ({"upload_id": "u"}, {"part_number": 1}):
        with pytest.raises(ConfigError):
            signing.objects.presign("bucket", "key", method="PUT", **wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError):
        signing.objects.presign("bucket", "key", upload_id="u", part_number=1)


async def test_response_headers_in_the_query(signing: Client) -> None:
    await signing.versioning.enable("bucket")
    first = await signing.objects.put("bucket", "key", b"first")
    await signing.objects.put("bucket", "key", b"second")
    asked = {"response-content-type": "text/csv", "response-content-disposition": 'attachment; filename="a b.csv"'}
    url = signing.objects.presign("bucket", "key", version_id=first.version_id, query=asked)
    answer = await curl("-i", url)
    assert "Content-Type: text/csv" in answer
    assert 'Content-Disposition: attachment; filename="a b.csv"' in answer
    assert answer.endswith("first")


async def test_retention_header_is_signed(cos_emulator: Emulator, signing: Client) -> None:
    await signing.protection.put("bucket", ProtectionConfiguration.of_days(minimum=1, default=2, maximum=3))
    md5 = base64.b64encode(hashlib.md5(b"kept").digest()).decode()
    url = signing.objects.presign("bucket", "key", method="PUT", headers={"Retention-Period": "86400", "Content-MD5": md5})
    assert "retention-period" in url
    given = ["-H", "Retention-Period: 86400", "-H", f"Content-MD5: {md5}", "-H", "Content-Type:"]
    await curl("-X", "PUT", "--data-binary", "kept", *given, url)
    assert (await signing.objects.head("bucket", "key")).retention_period == 86400
    other = ["-H", "Retention-Period: 1", "-H", f"Content-MD5: {md5}", "-H", "Content-Type:"]
    assert "SignatureDoesNotMatch" in await curl("-X", "PUT", "--data-binary", "kept", *other, url, expect=403)


async def test_url_expires(cos_emulator: Emulator, signing: Client) -> None:
    await signing.objects.put("bucket", "key", b"x")
    url = signing.objects.presign("bucket", "key", expires=60)
    cos_emulator.clock.advance(61)
    assert "Request has expired" in await curl(url, expect=403)


async def test_api_key_alone_cannot_sign_urls(cos_emulator: Emulator) -> None:
    only = {"api_key": cos_emulator.api_key, "iam_endpoint": cos_emulator.iam_endpoint}
    async with Client(cos_emulator.endpoint, **only) as cos:
        with pytest.raises(CredentialsError, match=r"ApiKey cannot sign URLs: that takes HMAC keys\. Give access_key_id"):
            cos.objects.presign("bucket", "key")
    keys = {"access_key_id": cos_emulator.access_key_id, "secret_access_key": cos_emulator.secret_access_key}
    async with Client(
        endpoint=cos_emulator.endpoint,
        api_key=cos_emulator.api_key,
        service_instance_id=cos_emulator.service_instance_id,
        iam_endpoint=cos_emulator.iam_endpoint,
        **keys,
    ) as cos:
        await cos.buckets.create("both")
        await cos.objects.put("both", "key", b"x")
        assert await curl(cos.objects.presign("both", "key")) == "x"
    assert len(cos_emulator.iam.requests) == 1


async def test_client_of_the_emulator_has_api_key_and_hmac_keys(cos_emulator: Emulator) -> None:
    """Calls carry tokens and the HMAC keys sign URLs, for other instances and users too."""
    async with cos_emulator.client() as cos:
        await cos.buckets.create("bucket")
        await cos.objects.put("bucket", "key", b"x")
        assert await curl(cos.objects.presign("bucket", "key")) == "x"
    assert len(cos_emulator.iam.requests) == 1
    reader = await cos_emulator.add_api_key("Reader")
    other = await cos_emulator.add_instance()
    for given in ({"key": reader}, {"instance": other}):
        async with cos_emulator.client(**given) as theirs:
            owner = next(iter(given.values()))
            assert f"X-Amz-Credential={owner.access_key_id}%2F" in theirs.objects.presign("bucket", "key")


# -- validity of a URL ----------------------------------------------------------------------------------------------

WEEK = 604_800


@pytest.mark.parametrize("expires", [1, 3600, WEEK, timedelta(seconds=1), timedelta(days=7)])
def test_valid_values_of_expires(expires: int | timedelta) -> None:
    cos = Client("https://cos.example", access_key_id="id", secret_access_key="secret")
    seconds = expires if isinstance(expires, int) else int(expires.total_seconds())
    assert f"X-Amz-Expires={seconds}&" in cos.objects.presign("bucket", "key", expires=expires)


@pytest.mark.parametrize(
    "expires",
    [
        0, -1, WEEK + 1, 10**18, 1.0, 1.5, 60.0, float("inf"), float("nan"), True, False, "60", "1h", None, [], b"60",
        timedelta(0), timedelta(seconds=-1), timedelta(seconds=1.5), timedelta(microseconds=1), timedelta(days=7, seconds=1),
        timedelta.max, Decimal(60), datetime(2030, 1, 1, tzinfo=UTC),
    ],
    ids=repr,
)  # fmt: skip
def test_invalid_values_of_expires(expires: object) -> None:
    cos = Client("https://cos.example", access_key_id="id", secret_access_key="secret")
    with pytest.raises(ConfigError, match=r"1 to 604800 seconds \(7 days\)"):
        cos.objects.presign("bucket", "key", expires=expires)  # type: ignore[arg-type]
    key = signing_key("secret", "20260101", "us-east-1")
    with pytest.raises(ConfigError, match="604800"):
        presign(
            PreparedRequest("GET", "https://cos.example", "/b/k", "", {}),
            SigningKey("id", "20260101", "us-east-1", key),
            "20260101T000000Z",
            expires=expires,  # type: ignore[arg-type]
        )

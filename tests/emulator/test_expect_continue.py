"""`Expect: 100-continue`: whatever the first answer is, the client's next request is answered, by real clients and raw."""

import asyncio
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import ibm_boto3
import ibm_botocore.client
import pytest
from tests.servers import environment, program

from aiocos.emulator import Delay, Emulator

from .conftest import Raw

SIZES = [0, 1, 1000, 65_536, 262_144, 1_048_576, 5 * 1024 * 1024]


class Wire:
    """A connection on which the test says when what is sent."""

    def __init__(self, raw: Raw, port: int | None = None) -> None:
        self._raw, self._port = raw, port or raw.emulator.port

    async def __aenter__(self) -> "Wire":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        await self.writer.wait_closed()

    def head(self, method: str, target: str, *headers: str, version: str = "1.1") -> None:
        lines = [f"{method} {target} HTTP/{version}", "Host: x", f"Authorization: Bearer {self._raw.token}", *headers]
        self.writer.write("\r\n".join([*lines, "", ""]).encode())

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)).decode()
        status, *lines = head.split("\r\n")[:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await asyncio.wait_for(self.reader.readexactly(int(headers.get("content-length", 0))), 20)
        return int(status.split()[1]), headers, body


async def is_answered(wire: Wire) -> bool:
    wire.head("GET", "/bucket?location")
    status, _, _ = await wire.answer()
    return status == 200


@pytest.mark.parametrize("size", SIZES)
async def test_an_accepted_body(raw: Raw, size: int) -> None:
    async with Wire(raw) as wire:
        for _ in range(2):
            wire.head("PUT", "/bucket/key", f"Content-Length: {size}", "Expect: 100-continue")
            assert await wire.answer() == (100, {}, b"")
            wire.writer.write(b"x" * size)
            status, headers, _ = await wire.answer()
            assert (status, headers.get("connection")) == (200, None)
            assert await is_answered(wire)


REFUSED = {
    "no bucket": ("PUT", "/nobucket/key", 404),
    "a condition": ("PUT", "/bucket/there", 412),
    "an upload that is not there": ("PUT", "/bucket/key?uploadId=x&partNumber=1", 404),
    "no part": ("PUT", "/bucket/key?uploadId=x&partNumber=0", 400),
    "a configuration": ("PUT", "/nobucket?lifecycle", 404),
}
ACCEPTED = {
    "an object, from a file": ("GET", "/bucket/large", 200),
    "an object, from the database": ("GET", "/bucket/there", 200),
    "a listing": ("GET", "/bucket", 200),
    "a deletion": ("DELETE", "/bucket/key", 204),
    "the begin of an upload": ("POST", "/bucket/key?uploads", 200),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [*REFUSED, *ACCEPTED])
async def test_a_final_answer_without_the_body(raw: Raw, kind: str, size: int) -> None:
    """The client is told that the connection ends; it may send its body all the same, and has its answer."""
    await raw.put("/bucket/there", b"x")
    await raw.put("/bucket/large", b"x" * 100_000)
    method, target, expected = (REFUSED | ACCEPTED)[kind]
    condition = "If-None-Match: *" if expected == 412 else "X: y"
    for sends in (False, True):
        async with Wire(raw) as wire:
            wire.head(method, target, f"Content-Length: {size}", condition, "Expect: 100-continue")
            status, headers, _ = await wire.answer()
            assert (status, headers.get("connection")) == (expected, "close")
            if sends:
                wire.writer.write(b"x" * size)
            if sends or size == 0:
                assert await asyncio.wait_for(wire.reader.read(), 20) == b""
        async with Wire(raw) as wire:
            assert await is_answered(wire)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [*REFUSED, *ACCEPTED])
async def test_a_body_that_is_sent_unasked(raw: Raw, kind: str, size: int) -> None:
    """A client may do that after a while. Its next request is answered here, or it was told to open another connection."""
    await raw.put("/bucket/there", b"x")
    await raw.put("/bucket/large", b"x" * 100_000)
    method, target, expected = (REFUSED | ACCEPTED)[kind]
    condition = "If-None-Match: *" if expected == 412 else "X: y"
    async with Wire(raw) as wire:
        wire.head(method, target, f"Content-Length: {size}", condition, "Expect: 100-Continue")
        wire.writer.write(b"x" * size)
        status, headers, _ = await wire.answer()
        assert status == expected
        if headers.get("connection") != "close":
            assert await is_answered(wire)
        else:
            assert await asyncio.wait_for(wire.reader.read(), 20) == b""


async def test_a_refusal_midway(raw: Raw) -> None:
    """The client was told to go on, and is still sending."""
    size = 5 * 1024 * 1024
    async with Wire(raw) as wire:
        wire.head(
            "PUT", "/bucket/key", f"Content-Length: {size}", "x-amz-decoded-content-length: 5000000",
            "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Expect: 100-continue",
        )  # fmt: skip
        assert (await wire.answer())[0] == 100
        wire.writer.write(b"nonsense\r\n")
        status, headers, _ = await wire.answer()
        assert (status, headers.get("connection")) == (400, "close")
        wire.writer.write(b"x" * (size - 10))
        assert await asyncio.wait_for(wire.reader.read(), 20) == b""


async def test_http_1_0_knows_no_such_answer(raw: Raw) -> None:
    async with Wire(raw) as wire:
        wire.head("PUT", "/bucket/key", "Content-Length: 5", "Expect: 100-continue", version="1.0")
        wire.writer.write(b"hello")
        assert (await wire.answer())[0] == 200


async def test_tokens_and_metadata_ask_for_the_body_too(raw: Raw) -> None:
    form = f"grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={raw.emulator.api_key}".encode()
    async with Wire(raw) as wire:
        for _ in range(2):
            kind = "Content-Type: application/x-www-form-urlencoded"
            wire.head("POST", "/identity/token", f"Content-Length: {len(form)}", kind, "Expect: 100-continue")
            assert (await wire.answer())[0] == 100
            wire.writer.write(form)
            assert (await wire.answer())[0] == 200
        assert await is_answered(wire)
    async with Emulator(metadata_port=0) as emulator:
        port = int(emulator.metadata_endpoint.rpartition(":")[2])
        async with Wire(raw, port) as wire:
            target = "/instance_identity/v1/token?version=2022-03-01"
            wire.head("PUT", target, "Content-Length: 18", "Metadata-Flavor: ibm", "Expect: 100-continue")
            assert (await wire.answer())[0] == 100
            wire.writer.write(b'{"expires_in":300}')
            assert (await wire.answer())[0] == 200
            wire.head("PUT", target, "Content-Length: 18", "Expect: 100-continue")
            status, headers, _ = await wire.answer()
            assert (status, headers["connection"]) == (400, "close")


# ---------------------------------------------------------------------------------------------------------------------
# Real clients


def ibm_client(emulator: Emulator) -> Any:
    config = ibm_botocore.client.Config(signature_version="s3v4", retries={"max_attempts": 0}, max_pool_connections=1)
    return ibm_boto3.client("s3", config=config, **keys(emulator))


def aws_client(emulator: Emulator) -> Any:
    config = botocore.config.Config(
        signature_version="s3v4", retries={"max_attempts": 0}, max_pool_connections=1, read_timeout=20
    )
    return boto3.client("s3", config=config, **keys(emulator))


def keys(emulator: Emulator) -> dict[str, str]:
    return {
        "endpoint_url": emulator.endpoint,
        "aws_access_key_id": emulator.access_key_id,
        "aws_secret_access_key": emulator.secret_access_key,
        "region_name": "us-south",
    }


def code_of(call: Callable[[], Any]) -> str:
    try:
        call()
    except Exception as error:
        response: Any = getattr(error, "response", None)
        return repr(error) if response is None else response["Error"]["Code"]
    return ""


@pytest.mark.parametrize("make", [ibm_client, aws_client])
@pytest.mark.parametrize("slow", [False, True])
async def test_sdks(raw: Raw, make: Callable[[Emulator], Any], slow: bool) -> None:
    """They expect to be asked for files only, and send them unasked after a second."""
    if slow:
        raw.emulator.faults.script([Delay(1.1, method="PUT", times=None)])

    def drive() -> None:
        client = make(raw.emulator)
        for size in [0, SIZES[-1]] if slow else SIZES:
            for bucket, expected in (("bucket", ""), ("nobucket", "NoSuchBucket")):
                body = io.BytesIO(b"x" * size)
                assert (
                    code_of(lambda body=body, bucket=bucket: client.put_object(Bucket=bucket, Key="k", Body=body)) == expected
                )
                assert len(client.get_object(Bucket="bucket", Key="k")["Body"].read()) == size
            part = {"Bucket": "bucket", "Key": "k", "UploadId": "x", "PartNumber": 1, "Body": io.BytesIO(b"x" * size)}
            assert code_of(lambda part=part: client.upload_part(**part)) == "NoSuchUpload"
            assert client.head_object(Bucket="bucket", Key="k")["ContentLength"] == size

    await asyncio.to_thread(drive)


async def run(*command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=environment()
    )
    out, _ = await asyncio.wait_for(process.communicate(), 100)
    assert process.returncode is not None
    return process.returncode, out.decode(errors="replace")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl; the tests above send what it sends")
@pytest.mark.parametrize("size", SIZES)
async def test_curl(raw: Raw, tmp_path: Path, size: int) -> None:
    """One run, several requests: curl keeps the connection where it may."""
    file = tmp_path / "body"
    file.write_bytes(b"x" * size)
    common = ["-sS", "-m", "60", "-o", "/dev/null", "-w", "%{http_code} ", "-H", f"Authorization: Bearer {raw.token}"]
    command = ["curl"]
    for bucket in ("bucket", "nobucket", "bucket"):
        target = f"{raw.emulator.endpoint}/{bucket}/key"
        command += [*common, "-H", "Expect: 100-continue", "-T", str(file), target, "--next"]
        command += [*common, f"{raw.emulator.endpoint}/bucket?location", "--next"]
    code, out = await run(*command[:-1])
    assert (code, out.split()) == (0, ["200", "200", "404", "200", "200", "200"])


@pytest.mark.parametrize("size", [0, 1000, SIZES[-1]])
async def test_rclone(raw: Raw, tmp_path: Path, size: int) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for n in range(3):
        (files / f"{n}").write_bytes(b"x" * size)
    emulator = raw.emulator
    remote = (
        f":s3,provider=Other,endpoint='{emulator.endpoint}',access_key_id={emulator.access_key_id},"
        f"secret_access_key={emulator.secret_access_key},region=us-south,no_check_bucket=true:"
    )
    common = [program("rclone"), "copy", "--retries", "1", "--low-level-retries", "1", "--transfers", "1", str(files)]
    assert (await run(*common, f"{remote}bucket/there"))[0] == 0
    refused = await run(*common, f"{remote}nobucket/there")
    assert refused[0] != 0
    assert "NoSuchBucket" in refused[1]
    assert (await raw.get("/bucket?list-type=2")).texts("Contents/Size") == [str(size)] * 3


@pytest.mark.parametrize("broken", [b"ZZ\r\nabc\r\n", b"3;x\r\nabcX\r\n", b"-1\r\n", b"0\r\nno trailer\r\n\r\n"])
@pytest.mark.parametrize("target", ["/bucket/key", "/bucket?tagging", "/identity/token"])
async def test_a_body_whose_chunks_break_off_in_the_middle(raw: Raw, target: str, broken: bytes) -> None:
    async with Wire(raw) as wire:
        more = ["Content-Encoding: aws-chunked", "X-Amz-Decoded-Content-Length: 3"] if target == "/bucket/key" else []
        wire.head("POST" if "identity" in target else "PUT", target, "Transfer-Encoding: chunked", *more)
        wire.writer.write(b"3\r\n3\r\n\r\n")
        await wire.writer.drain()
        while not any(one.status == 0 and one.operation for one in raw.emulator.requests):
            await asyncio.sleep(0.01)
        wire.writer.write(broken)
        status, _, body = await wire.answer()
        assert (status, b"cannot be read as HTTP" in body or b"malformed" in body) == (400, True)


async def test_a_body_that_stands_still(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiocos.emulator.receive.MAX_IDLE", 1.0)
    async with Wire(raw) as wire:
        wire.head("PUT", "/bucket/key", "Content-Length: 4")
        wire.writer.write(b"abc")
        status, _, body = await wire.answer()
        assert (status, b"<Code>RequestTimeout</Code>" in body) == (400, True)

"""`Expect: 100-continue`: the next request on the connection works, whatever the first response was. Raw and by clients."""

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
from .manual_connection import ManualConnection

SIZES = [0, 1, 1000, 65_536, 262_144, 1_048_576, 5 * 1024 * 1024]


async def gets_response(connection: ManualConnection) -> bool:
    connection.head("GET", "/bucket?location")
    status, _, _ = await connection.read_response()
    return status == 200


@pytest.mark.parametrize("size", SIZES)
async def test_an_accepted_body_is_requested_with_100(raw: Raw, size: int) -> None:
    async with ManualConnection(raw) as connection:
        for _ in range(2):
            connection.head("PUT", "/bucket/key", f"Content-Length: {size}", "Expect: 100-continue")
            assert await connection.read_response() == (100, {}, b"")
            connection.writer.write(b"x" * size)
            status, headers, _ = await connection.read_response()
            assert (status, headers.get("connection")) == (200, None)
            assert await gets_response(connection)


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
async def test_a_final_response_without_100_closes_the_connection(raw: Raw, kind: str, size: int) -> None:
    """The response announces that the connection closes. A client that sends the body anyway still gets the response."""
    await raw.put("/bucket/there", b"x")
    await raw.put("/bucket/large", b"x" * 100_000)
    method, target, expected = (REFUSED | ACCEPTED)[kind]
    condition = "If-None-Match: *" if expected == 412 else "X: y"
    for sends in (False, True):
        async with ManualConnection(raw) as connection:
            connection.head(method, target, f"Content-Length: {size}", condition, "Expect: 100-continue")
            status, headers, _ = await connection.read_response()
            assert (status, headers.get("connection")) == (expected, "close")
            if sends:
                connection.writer.write(b"x" * size)
            if sends or size == 0:
                assert await asyncio.wait_for(connection.reader.read(), 20) == b""
        async with ManualConnection(raw) as connection:
            assert await gets_response(connection)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [*REFUSED, *ACCEPTED])
async def test_a_body_sent_without_waiting_for_100_is_handled(raw: Raw, kind: str, size: int) -> None:
    """A client may send the body after a timeout. The connection then works for the next request, or is announced to close."""
    await raw.put("/bucket/there", b"x")
    await raw.put("/bucket/large", b"x" * 100_000)
    method, target, expected = (REFUSED | ACCEPTED)[kind]
    condition = "If-None-Match: *" if expected == 412 else "X: y"
    async with ManualConnection(raw) as connection:
        connection.head(method, target, f"Content-Length: {size}", condition, "Expect: 100-Continue")
        connection.writer.write(b"x" * size)
        status, headers, _ = await connection.read_response()
        assert status == expected
        if headers.get("connection") != "close":
            assert await gets_response(connection)
        else:
            assert await asyncio.wait_for(connection.reader.read(), 20) == b""


async def test_a_refusal_while_the_body_is_sent(raw: Raw) -> None:
    """The client got 100 and is still sending when the request is refused."""
    size = 5 * 1024 * 1024
    async with ManualConnection(raw) as connection:
        connection.head(
            "PUT", "/bucket/key", f"Content-Length: {size}", "x-amz-decoded-content-length: 5000000",
            "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Expect: 100-continue",
        )  # fmt: skip
        assert (await connection.read_response())[0] == 100
        connection.writer.write(b"nonsense\r\n")
        status, headers, _ = await connection.read_response()
        assert (status, headers.get("connection")) == (400, "close")
        connection.writer.write(b"x" * (size - 10))
        assert await asyncio.wait_for(connection.reader.read(), 20) == b""


async def test_http_1_0_gets_no_100(raw: Raw) -> None:
    async with ManualConnection(raw) as connection:
        connection.head("PUT", "/bucket/key", "Content-Length: 5", "Expect: 100-continue", version="1.0")
        connection.writer.write(b"hello")
        assert (await connection.read_response())[0] == 200


async def test_token_and_metadata_requests_get_100_too(raw: Raw) -> None:
    form = f"grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={raw.emulator.api_key}".encode()
    async with ManualConnection(raw) as connection:
        for _ in range(2):
            kind = "Content-Type: application/x-www-form-urlencoded"
            connection.head("POST", "/identity/token", f"Content-Length: {len(form)}", kind, "Expect: 100-continue")
            assert (await connection.read_response())[0] == 100
            connection.writer.write(form)
            assert (await connection.read_response())[0] == 200
        assert await gets_response(connection)
    async with Emulator(metadata_port=0) as emulator:
        port = int(emulator.metadata_endpoint.rpartition(":")[2])
        async with ManualConnection(raw, port) as connection:
            target = "/instance_identity/v1/token?version=2022-03-01"
            connection.head("PUT", target, "Content-Length: 18", "Metadata-Flavor: ibm", "Expect: 100-continue")
            assert (await connection.read_response())[0] == 100
            connection.writer.write(b'{"expires_in":300}')
            assert (await connection.read_response())[0] == 200
            connection.head("PUT", target, "Content-Length: 18", "Expect: 100-continue")
            status, headers, _ = await connection.read_response()
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
async def test_sdk_uploads_with_expect_continue(raw: Raw, make: Callable[[Emulator], Any], slow: bool) -> None:
    """The SDKs use Expect for files only, and send the body after waiting one second."""
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
async def test_curl_uploads_with_expect_continue(raw: Raw, tmp_path: Path, size: int) -> None:
    """One run with several requests: curl reuses the connection if it can."""
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
async def test_rclone_uploads_with_expect_continue(raw: Raw, tmp_path: Path, size: int) -> None:
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

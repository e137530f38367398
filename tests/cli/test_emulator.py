"""`emulator`: its endpoints and options."""

import asyncio
import json
import re
import socket
import subprocess
import sys
import urllib.request
from urllib.parse import urlsplit

from tests.cli.shell import Shell

import aiocos
import aiocos.operations


def test_a_website_is_served_at_the_printed_endpoint(shell: Shell, emulator_details: dict[str, str], bucket: str):
    assert shell("website", f"cos://{bucket}", "--index", "index.html").code == 0
    assert shell("cp", "-", f"cos://{bucket}/index.html", stdin="the front page").code == 0
    assert shell("api", "put-bucket-acl", "--bucket", bucket, "--acl", "public-read").code == 0
    assert re.fullmatch(r"http://\{bucket\}\.s3-web\.localhost:\d+/", emulator_details["website_endpoint"])
    host = urlsplit(emulator_details["website_endpoint"].replace("{bucket}", bucket))
    asked = urllib.request.Request(f"http://127.0.0.1:{host.port}/", headers={"Host": host.netloc})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.read() == b"the front page"


def test_the_port_of_websites_is_an_option():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ["emulator", "--port", "0", "--website-port", str(port)]
    process = subprocess.Popen([sys.executable, "-m", "aiocos", *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(2)]
    finally:
        process.terminate()
        assert process.wait(30) == 0
        process.stdout.close()
    assert lines[0].startswith("COS is served at http://127.0.0.1:")
    assert lines[1] == f"Websites are served at http://<bucket>.s3-web.localhost:{port}/\n"


async def _complete_over_existing_object(emulator_details: dict[str, str]) -> bytes:
    client = aiocos.Client(
        endpoint=emulator_details["endpoint"],
        access_key_id=emulator_details["access_key_id"],
        secret_access_key=emulator_details["secret_access_key"],
    )
    async with client as cos:
        await cos.buckets.create("other")
        upload = await cos.multipart.create("other", "key")
        part = await cos.multipart.upload_part("other", "key", upload.upload_id, 1, b"new")
        assert (await cos.objects.put("other", "key", b"old")).checksum_crc64nvme is None
        parts = [aiocos.CompletedPart(part_number=1, etag=part.etag)]
        await cos.multipart.complete("other", "key", upload.upload_id, parts, if_none_match="*", forbid_overwrite=True)
        return await cos.objects.read("other", "key")


def test_ignore_options_switch_conditions_off():
    ignore = ("--ignore-conditional-completion", "--ignore-forbid-overwrite", "--ignore-checksums")
    arguments = ["emulator", "--port", "0", "--json", *ignore]
    process = subprocess.Popen([sys.executable, "-m", "aiocos", *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert asyncio.run(_complete_over_existing_object(json.loads(process.stdout.readline()))) == b"new"
    finally:
        process.terminate()
        assert process.wait(30) == 0
        process.stdout.close()

"""Parsing of requests: the bucket's name in the path or in the host."""

import pytest

from aiocos.emulator.request import bucket_of_host

from .conftest import Raw


async def test_a_bucket_can_be_addressed_as_a_virtual_host(raw: Raw) -> None:
    host = f"bucket.localhost:{raw.emulator.port}"
    assert (await raw.put("/a/b", b"virtual", Host=host)).status == 200
    assert (await raw.get("/bucket/a/b")).body == b"virtual"
    assert (await raw.get("/", Host=host)).texts("Contents/Key") == ["a/b"]
    assert (await raw.get("/bucket/a/b", Host=f"localhost:{raw.emulator.port}")).body == b"virtual"


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("localhost", None),
        ("127.0.0.1", None),
        ("[::1]", None),
        ("example.com", None),
        ("notlocalhost", None),
        ("s3.localhost", None),
        ("s3.us-south.localhost", None),
        ("s3.private.eu-de.localhost", None),
        ("s3.us.localhost", None),
        ("s3.ams03.localhost", None),
        ("s3.us-east-1.localhost", None),
        ("bucket.localhost", "bucket"),
        ("Bucket.LocalHost", "bucket"),
        ("bucket.localhost.", "bucket"),
        ("my.bucket.localhost", "my.bucket"),
        ("bucket.s3.localhost", "bucket"),
        ("my.bucket.s3.localhost", "my.bucket"),
        ("bucket.s3.us-south.localhost", "bucket"),
        ("bucket.s3.direct.eu.localhost", "bucket"),
        ("s3.s3.localhost", "s3"),
        ("bucket.s3.s3.localhost", "bucket.s3"),
        ("bucket.s3.example.localhost", "bucket.s3.example"),
        ("bucket-s3.localhost", "bucket-s3"),
    ],
)
@pytest.mark.parametrize("port", ["", ":80", ":9000"])
def test_the_bucket_name_in_a_host_header(host: str, bucket: str | None, port: str) -> None:
    assert bucket_of_host(host + port) == bucket


async def test_virtual_hosts_with_a_service_name(raw: Raw) -> None:
    for host in ("bucket.s3.localhost", f"bucket.s3.us-south.localhost:{raw.emulator.port}"):
        assert (await raw.put("/key", host.encode(), Host=host)).status == 200
        assert (await raw.get("/bucket/key")).body == host.encode()
        assert (await raw.get("/bucket/key", Host=host.partition(".")[2])).body == host.encode()

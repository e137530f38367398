"""The servers of the conformance suite, and what each of them lacks.

To run the suite against a live service: `AIOCOS_TEST_ENDPOINT`, and either `AIOCOS_TEST_API_KEY` with
`AIOCOS_TEST_SERVICE_INSTANCE_ID`, or `AIOCOS_TEST_ACCESS_KEY_ID` with `AIOCOS_TEST_SECRET_ACCESS_KEY`. It makes buckets named
`aiocos-test-…` and removes them again.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from tests import servers

from aiocos import Client
from aiocos.emulator import Emulator

from .support import open_uploads

# What a server lacks, by the name that tests ask for, with the reason. Nothing else is skipped.
LACKS: dict[str, dict[str, str]] = {
    "emulator": {},
    "emulator-hmac": {},
    "moto": {
        "signatures": "takes any signature",
        "content-md5": "does not check Content-MD5",
        "location": "knows Amazon's regions only",
        "extended": "knows no extended listing of buckets (IBM)",
        "taken names": "answers the second creation of one's own bucket with 200, as Amazon's oldest region does",
        "bucket names": "takes names in upper case and with underscores",
        "small pages of prefixes": "repeats common prefixes on pages of one entry",
        "gone uploads": "answers parts and completions of an aborted upload with a page about an internal error",
        "line breaks in keys": "its web framework routes no path with a line break",
    },
    "rclone": {
        "location": "has none",
        "extended": "knows no extended listing of buckets (IBM)",
        "versions": "answers 501 to listings of versions",
        "acl": "knows none, and ignores the sub-resource: a GET answers with the object",
        "expires": "does not keep Expires",
        "all conditions": "ignores If-Match (the client looks at the ETag itself) and If-Unmodified-Since",
        "conditional writes": "ignores conditions of writes",
        "conditional copies": "ignores conditions of copies",
        "metadata of copies": "adds mtime to the metadata of copies",
        "composite etags": "HEAD answers with the MD5 of the whole where Complete said a composite ETag",
        "replaced parts": "writes parts through as they come and cannot take them back",
        "part checks": "forgets an upload whose completion it refused",
        "small parts": "takes parts of any size",
        "part copies": "knows none, and ignores the header: the part is empty",
        "path keys": "keys are paths of files: no //, ., .. and no slash at either end",
        "long keys": "keys are names of files, of at most 255 bytes",
    },
    "live": {
        "presigned URLs": "needs HMAC keys, which an API key does not bring",
        "taken names": "200 or 409, by the account",
        "location": "only its own locations",
    },
}


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[servers.Process]:
    with servers.moto() as process:
        yield process


@pytest.fixture(scope="session")
def rclone_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Process]:
    with servers.rclone(tmp_path_factory.mktemp("rclone")) as process:
        yield process


@pytest.fixture(params=list(LACKS))
def server(request: pytest.FixtureRequest) -> str:
    """The name of the server this test runs against."""
    name = str(request.param)
    if name == "live" and "AIOCOS_TEST_ENDPOINT" not in os.environ:
        pytest.skip("AIOCOS_TEST_ENDPOINT is not set")
    return name


@pytest.fixture
def needs(server: str) -> Callable[[str], None]:
    """Skip a test where the server lacks something."""

    def check(feature: str) -> None:
        if reason := LACKS[server].get(feature):
            pytest.skip(f"{server}: {reason}")

    return check


@pytest.fixture
async def cos(server: str, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client of the server."""
    if server.startswith("emulator"):
        async with Emulator() as emulator, emulator.client(hmac=server.endswith("hmac")) as client:
            yield client
        return
    if server == "live":
        client = Client(
            endpoint=os.environ["AIOCOS_TEST_ENDPOINT"],
            api_key=os.environ.get("AIOCOS_TEST_API_KEY"),
            service_instance_id=os.environ.get("AIOCOS_TEST_SERVICE_INSTANCE_ID"),
            access_key_id=os.environ.get("AIOCOS_TEST_ACCESS_KEY_ID"),
            secret_access_key=os.environ.get("AIOCOS_TEST_SECRET_ACCESS_KEY"),
        )
    else:
        process: servers.Process = request.getfixturevalue(f"{server}_endpoint")
        client = Client(
            endpoint=process.endpoint, access_key_id=process.access_key_id, secret_access_key=process.secret_access_key
        )
    async with client:
        yield client


@pytest.fixture
async def bucket(cos: Client) -> AsyncIterator[str]:
    """A bucket of the test's own, removed with all that is in it."""
    name = f"aiocos-test-{uuid.uuid4().hex[:12]}"
    await cos.buckets.create(name)
    yield name
    for key, upload_id in await open_uploads(cos, name):
        await cos.multipart.abort(name, key, upload_id)
    result = await cos.objects.delete_many(name, [entry.key async for entry in cos.objects.list(name)])
    assert not result.errors
    await cos.buckets.delete(name)

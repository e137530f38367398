"""The servers of the conformance suite, and the features that each of them lacks.

To run the suite with a live service, set `AIOCOS_TEST_ENDPOINT`, and either `AIOCOS_TEST_API_KEY` with
`AIOCOS_TEST_SERVICE_INSTANCE_ID`, or `AIOCOS_TEST_ACCESS_KEY_ID` with `AIOCOS_TEST_SECRET_ACCESS_KEY`. It creates buckets named
`aiocos-test-…` and removes them again.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio
from tests import servers

from aiocos import Client
from aiocos.emulator import Emulator

from .support import open_uploads

# Missing features of each server, by the name that tests use, with the reason. Nothing else is skipped.
LACKS: dict[str, dict[str, str]] = {
    "emulator": {},
    "emulator-hmac": {},
    "moto": {
        "signatures": "accepts any signature",
        "content-md5": "does not check Content-MD5",
        "location": "supports only Amazon's regions",
        "extended": "has no extended listing of buckets (IBM)",
        "duplicate names": "returns 200 for the second creation of a bucket by its owner, like Amazon's oldest region",
        "bucket names": "accepts names in upper case and with underscores",
        "small pages of prefixes": "repeats common prefixes on pages of one entry",
        "aborted uploads": "returns an internal error for parts and completions of an aborted upload",
        "line breaks in keys": "its web framework cannot route a path with a line break",
    },
    "rclone": {
        "location": "has no locations",
        "extended": "has no extended listing of buckets (IBM)",
        "versions": "returns 501 for listings of versions",
        "acl": "has no ACLs and ignores the sub-resource: a GET returns the object",
        "expires": "does not store Expires",
        "all conditions": "ignores If-Match (the client checks the ETag itself) and If-Unmodified-Since",
        "conditional writes": "ignores conditions of writes",
        "conditional copies": "ignores conditions of copies",
        "metadata of copies": "adds mtime to the metadata of copies",
        "composite etags": "HEAD returns the MD5 of the object although the completion returned a composite ETag",
        "replaced parts": "writes parts as they are received and cannot replace them",
        "part checks": "removes an upload whose completion it refused",
        "small parts": "accepts parts of any size",
        "part copies": "does not support them and ignores the header: the part is empty",
        "path keys": "keys are file paths: no //, ., .. and no slash at either end",
        "long keys": "keys are file names of at most 255 bytes",
    },
    "live": {
        "presigned URLs": "needs HMAC keys, not an API key",
        "duplicate names": "200 or 409, depending on the account",
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
    """The name of the server that this test runs with."""
    name = str(request.param)
    if name == "live" and "AIOCOS_TEST_ENDPOINT" not in os.environ:
        pytest.skip("AIOCOS_TEST_ENDPOINT is not set")
    return name


@pytest.fixture
def needs(server: str) -> Callable[[str], None]:
    """Skip a test if the server lacks a feature."""

    def check(feature: str) -> None:
        if reason := LACKS[server].get(feature):
            pytest.skip(f"{server}: {reason}")

    return check


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def emulator() -> AsyncIterator[Emulator]:
    """One emulator for all tests of a module: each test has its own bucket."""
    async with Emulator() as emulator:
        yield emulator


@pytest_asyncio.fixture(loop_scope="module")
async def cos(server: str, emulator: Emulator, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client of the server."""
    if server.startswith("emulator"):
        async with emulator.client(hmac=server.endswith("hmac")) as client:
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


@pytest_asyncio.fixture(loop_scope="module")
async def bucket(cos: Client) -> AsyncIterator[str]:
    """A new bucket for one test, removed afterwards with its contents."""
    name = f"aiocos-test-{uuid.uuid4().hex[:12]}"
    await cos.buckets.create(name)
    yield name
    for key, upload_id in await open_uploads(cos, name):
        await cos.multipart.abort(name, key, upload_id)
    result = await cos.objects.delete_many(name, [entry.key async for entry in cos.objects.list(name)])
    assert not result.errors
    await cos.buckets.delete(name)

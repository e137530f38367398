"""Run the trials that need neither IAM nor a second process on other clients, with their default settings.

    python benchmarks/peer_trials.py [--json]

The emulator with scripted faults runs in this process. Clients that are not installed (extra `peers`) are skipped.
"""

import argparse
import asyncio
import importlib.metadata
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiocos.config import MIB
from aiocos.emulator import Delay, Emulator, FlipBit, Reset

PART = 8 * MIB
DATA = b"o" * (4 * PART)
SECONDS = 60


class Reader:
    """A stream as a file object, the form that aioboto3 accepts."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source, self._rest = source, b""

    async def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (piece := await anext(self._source, b"")):
            self._rest += piece
        out, self._rest = self._rest[:size], self._rest[size:]
        return out


class Aioboto3:
    name = package = "aioboto3"

    @asynccontextmanager
    async def at(self, emulator: Emulator) -> AsyncIterator[None]:
        import aioboto3

        keys = {"aws_access_key_id": emulator.access_key_id, "aws_secret_access_key": emulator.secret_access_key}
        client = aioboto3.Session(region_name="us-east-1", **keys).client("s3", endpoint_url=emulator.endpoint)
        async with client as self.s3:
            yield

    async def read(self, key: str) -> bytes:
        answer = await self.s3.get_object(Bucket="bucket", Key=key)
        return await answer["Body"].read()

    async def upload(self, key: str, source: AsyncIterator[bytes]) -> None:
        await self.s3.upload_fileobj(Reader(source), "bucket", key)

    async def download(self, key: str, path: Path) -> None:
        await self.s3.download_file("bucket", key, str(path))


class Obstore:
    name = package = "obstore"

    @asynccontextmanager
    async def at(self, emulator: Emulator) -> AsyncIterator[None]:
        import obstore

        self.module = obstore
        self.store = obstore.store.S3Store(
            "bucket", endpoint=emulator.endpoint, access_key_id=emulator.access_key_id,
            secret_access_key=emulator.secret_access_key, region="us-east-1", client_options={"allow_http": True},
        )  # fmt: skip
        yield

    async def read(self, key: str) -> bytes:
        answer = await self.module.get_async(self.store, key)
        return bytes(await answer.bytes_async())

    async def upload(self, key: str, source: AsyncIterator[bytes]) -> None:
        await self.module.put_async(self.store, key, source, chunk_size=PART)

    download = None  # it has none to a file


class Miniopy:
    name = package = "miniopy-async"

    @asynccontextmanager
    async def at(self, emulator: Emulator) -> AsyncIterator[None]:
        from miniopy_async import Minio

        self.client = Minio(
            emulator.endpoint.removeprefix("http://"), access_key=emulator.access_key_id,
            secret_key=emulator.secret_access_key, secure=False, region="us-east-1",
        )  # fmt: skip
        try:
            yield
        finally:
            close = getattr(self.client, "close_session", None)
            if close is not None:
                await close()

    async def read(self, key: str) -> bytes:
        answer = await self.client.get_object("bucket", key)
        try:
            return await answer.read()
        finally:
            answer.close()

    upload = None

    async def download(self, key: str, path: Path) -> None:
        await self.client.fget_object("bucket", key, str(path))


async def stream(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // MIB):
        yield b"s" * MIB
        await asyncio.sleep(0)


async def said(work: Any) -> str:
    """Return the outcome of a call: `success`, or the name of its error."""
    try:
        async with asyncio.timeout(SECONDS):
            await work
    except TimeoutError:
        return f"nothing within {SECONDS} s"
    except Exception as error:
        return type(error).__name__
    return "success"


async def e2(peer: Any, emulator: Emulator) -> str | None:
    if peer.upload is None:
        return None
    emulator.faults.script([Delay(1, operation="UploadPart", nth=3, times=None)])
    task = asyncio.create_task(peer.upload("cancelled", stream(64 * MIB)))
    await asyncio.sleep(1.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(2)
    async with emulator.client(hmac=True) as cos:
        left = [upload async for upload in cos.multipart.list_uploads("bucket")]
        for upload in left:
            await cos.multipart.abort("bucket", upload.key, upload.upload_id)
    return f"{len(left)} uploads open 2 s after the cancel"


async def e3b(peer: Any, emulator: Emulator) -> str | None:
    if peer.upload is None:
        return None
    outcomes = [await said(peer.upload(f"edge-{size}", stream(size * MIB))) for size in (0, 8, 16)]
    return f"streams of 0, 1 and 2 parts: {', '.join(outcomes)}"


async def e4(peer: Any, emulator: Emulator) -> str | None:
    if peer.download is None:
        return None
    emulator.faults.script([Delay(1, operation="GetObject", nth=2, times=None)])
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "target"
        task = asyncio.ensure_future(said(peer.download("replaced", target)))
        await asyncio.sleep(0.5)
        async with emulator.client(hmac=True) as cos:
            await cos.objects.put("bucket", "replaced", b"n" * len(DATA))
        outcome = await task
        held = set(target.read_bytes()) if target.exists() else set[int]()
        await asyncio.sleep(0)
    mixed = {ord("o"), ord("n")} <= held
    return f"{outcome}, with bytes of both versions" if mixed else outcome


async def e5(peer: Any, emulator: Emulator) -> str | None:
    emulator.faults.script([Reset(sent=3 * MIB, operation="GetObject")])
    return await said(peer.read("object"))


async def e6(peer: Any, emulator: Emulator) -> str | None:
    emulator.faults.script([FlipBit(1000, operation="GetObject", times=None)])
    outcome = await said(peer.read("object"))
    return "damaged bytes taken for good" if outcome == "success" else outcome


async def e7(peer: Any, emulator: Emulator) -> str | None:
    if peer.download is None:
        return None
    emulator.faults.script([Reset(sent=3 * MIB, operation="GetObject", times=None)])
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "target"
        target.write_bytes(b"old")
        outcome = await said(peer.download("object", target))
        left = target.read_bytes()
        state = "untouched" if left == b"old" else f"{len(left):,} bytes of the new one"
    return f"{outcome}, the old file: {state}"


TRIALS: dict[str, Callable[[Any, Emulator], Any]] = {"E2": e2, "E3b": e3b, "E4": e4, "E5": e5, "E6": e6, "E7": e7}


async def main(as_json: bool) -> None:
    rows: list[dict[str, str]] = []
    for peer in (Aioboto3(), Obstore(), Miniopy()):
        try:
            version = importlib.metadata.version(peer.package)
        except importlib.metadata.PackageNotFoundError:
            print(f"{peer.name} is not installed", file=sys.stderr)
            continue
        async with Emulator() as emulator:
            async with emulator.client(hmac=True) as cos:
                await cos.buckets.create("bucket")
                for key in ("object", "replaced"):
                    await cos.objects.put("bucket", key, DATA)
            async with peer.at(emulator):
                for trial, run in TRIALS.items():
                    saw = await run(peer, emulator)
                    emulator.faults.clear()
                    if saw is None:
                        continue
                    rows.append({"client": peer.name, "version": version, "trial": trial, "saw": saw})
                    if not as_json:
                        print(f"{trial:4} {peer.name} {version}: {saw}", flush=True)
    if as_json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    asyncio.run(main(parser.parse_args().json))

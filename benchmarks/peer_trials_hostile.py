"""Run the trials E17 to E22 on other clients and tools: hostile services, buckets, directories and environments.

    python benchmarks/peer_trials_hostile.py [--json]

Clients run in this process with their default settings; rclone and the AWS command line run as processes. Peers that are not
installed (extra `peers`; `aws` on the path) are skipped. All traffic stays on loopback.
"""

import argparse
import asyncio
import contextlib
import importlib.metadata
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from aiocos.emulator import Emulator

SECONDS = 60
KEY_ID, SECRET = "peer-access-key", "peer-secret-key"

Handler = Callable[[str, str, bytes], bytes | None]
"""Return the whole response for the method, target and body of a request; None closes the connection."""


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextlib.asynccontextmanager
async def service(handler: Handler) -> AsyncIterator[str]:
    """Serve HTTP with a function, on a free port."""

    open_now: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                method, target, _ = head.split(b"\r\n")[0].decode().split(" ", 2)
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                if re.search(rb"(?i)\r\nexpect: *100-continue", head):
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = await reader.readexactly(int(length[1])) if length else b""
                out = handler(method, target, body)
                if out is None:
                    break
                writer.write(out)
                await writer.drain()
        writer.close()
        open_now.discard(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in open_now:
            writer.close()
        while open_now:
            await asyncio.sleep(0.01)


# -- peers ----------------------------------------------------------------------------------------------------------------


class Aioboto3:
    name = package = "aioboto3"

    @contextlib.asynccontextmanager
    async def at(self, endpoint: str) -> AsyncIterator[None]:
        import aioboto3

        session = aioboto3.Session(region_name="us-east-1", aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET)
        async with session.client("s3", endpoint_url=endpoint) as self.s3:
            yield

    async def list(self) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="bucket")
        return [entry["Key"] async for page in pages for entry in page.get("Contents", [])]

    async def read(self, key: str) -> bytes:
        return await (await self.s3.get_object(Bucket="bucket", Key=key))["Body"].read()

    async def put(self, key: str, data: bytes) -> None:
        await self.s3.put_object(Bucket="bucket", Key=key, Body=data)


class Obstore:
    name = package = "obstore"

    @contextlib.asynccontextmanager
    async def at(self, endpoint: str) -> AsyncIterator[None]:
        import obstore

        self.module = obstore
        self.store = obstore.store.S3Store(
            "bucket", endpoint=endpoint, access_key_id=KEY_ID, secret_access_key=SECRET, region="us-east-1",
            client_options={"allow_http": True, "timeout": "30s"}, retry_config={"max_retries": 1},
        )  # fmt: skip
        yield

    async def list(self) -> list[str]:
        return [entry["path"] async for page in self.module.list(self.store) for entry in page]

    async def read(self, key: str) -> bytes:
        return bytes(await (await self.module.get_async(self.store, key)).bytes_async())

    async def put(self, key: str, data: bytes) -> None:
        await self.module.put_async(self.store, key, data, use_multipart=False)


class S3fs:
    name = package = "s3fs"

    @contextlib.asynccontextmanager
    async def at(self, endpoint: str) -> AsyncIterator[None]:
        import s3fs

        self.fs = s3fs.S3FileSystem(
            key=KEY_ID,
            secret=SECRET,
            endpoint_url=endpoint,
            asynchronous=True,
            skip_instance_cache=True,
            use_listings_cache=False,
        )
        await self.fs.set_session()
        try:
            yield
        finally:
            await self.fs._s3.close()

    async def list(self) -> list[str]:
        return await self.fs._find("bucket")

    async def read(self, key: str) -> bytes:
        return await self.fs._cat_file(f"bucket/{key}")

    async def put(self, key: str, data: bytes) -> None:
        await self.fs._pipe_file(f"bucket/{key}", data)

    async def down(self, folder: Path) -> None:
        await self.fs._get("bucket/", str(folder) + "/", recursive=True)


class Tool:
    """A command-line program, with its commands for sync with deletion and for moves."""

    name = package = ""

    def __init__(self) -> None:
        self.environment = {n: v for n, v in os.environ.items() if "proxy" not in n.lower() and not n.startswith("AWS_")}

    def version(self) -> str | None:
        raise NotImplementedError

    async def run(self, *command: str) -> int:
        process = await asyncio.create_subprocess_exec(
            *command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(SECONDS):
                return await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            return -1


class Rclone(Tool):
    name = "rclone"

    def version(self) -> str | None:
        beside = Path(sys.executable).parent / "rclone"
        self.program = str(beside) if beside.exists() else shutil.which("rclone")
        if self.program is None:
            return None
        return subprocess.run([self.program, "version"], capture_output=True, text=True).stdout.split()[1].removeprefix("v")

    @contextlib.asynccontextmanager
    async def at(self, endpoint: str) -> AsyncIterator[None]:
        self.remote = f':s3,provider=Other,access_key_id={KEY_ID},secret_access_key={SECRET},endpoint="{endpoint}":bucket'
        self.environment["RCLONE_CONFIG"] = os.devnull
        yield

    async def up(self, folder: Path) -> int:
        return await self.run(self.program, "sync", "--retries", "1", str(folder), self.remote)

    async def down(self, folder: Path) -> int:
        return await self.run(self.program, "sync", "--retries", "1", self.remote, str(folder))

    async def move(self, path: Path) -> int:
        once = ("--retries", "1", "--low-level-retries", "1")
        return await self.run(self.program, "moveto", *once, str(path), f"{self.remote}/{path.name}")

    async def list(self) -> int:
        return await self.run(self.program, "lsf", "--retries", "1", self.remote)


class Aws(Tool):
    name = "aws s3"

    def version(self) -> str | None:
        self.program = shutil.which("aws")
        if self.program is None:
            return None
        said = subprocess.run([self.program, "--version"], capture_output=True, text=True).stdout
        return said.split()[0].partition("/")[2] if said else None

    @contextlib.asynccontextmanager
    async def at(self, endpoint: str) -> AsyncIterator[None]:
        self.environment |= {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
        self.environment |= {"AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}
        self.environment |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        yield

    async def up(self, folder: Path) -> int:
        return await self.run(self.program, "s3", "sync", "--delete", str(folder), "s3://bucket")

    async def down(self, folder: Path) -> int:
        return await self.run(self.program, "s3", "sync", "--delete", "s3://bucket", str(folder))

    async def move(self, path: Path) -> int:
        return await self.run(self.program, "s3", "mv", str(path), f"s3://bucket/{path.name}")

    async def list(self) -> int:
        return await self.run(self.program, "s3", "ls", "s3://bucket", "--recursive")


# -- trials ----------------------------------------------------------------------------------------------


async def said(work: Awaitable[Any]) -> str:
    """Return the outcome of a call: `success`, an exit code, or the name of the error."""
    try:
        async with asyncio.timeout(SECONDS):
            result = await work
    except TimeoutError:
        return f"nothing within {SECONDS} s"
    except BaseException as error:
        if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
            raise
        return type(error).__name__
    if isinstance(result, list):
        return f"{len(result)} keys"
    return "success" if not isinstance(result, int) else f"exit {result}"


@contextlib.asynccontextmanager
async def filled(*keys: str) -> AsyncIterator[Emulator]:
    """An emulator with a bucket and some objects."""
    async with Emulator(access_key_id=KEY_ID, secret_access_key=SECRET) as emulator, emulator.client(hmac=True) as cos:
        await cos.buckets.create("bucket")
        for key in keys:
            await cos.objects.put("bucket", key, b"from the bucket")
        yield emulator


async def left(emulator: Emulator) -> set[str]:
    async with emulator.client(hmac=True) as cos:
        return {entry.key async for entry in cos.objects.list("bucket")}


HTML = b"<html><body>Welcome to the guest network</body></html>"
FOREIGN = b'<?xml version="1.0"?><ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>'


async def e17(peer: Any, folder: Path) -> str | None:
    out: list[str] = []
    for what, body in (("HTML", HTML), ("another document", FOREIGN), ("nothing", b"")):
        async with service(lambda method, target, _, body=body: answer(200, body)) as endpoint, peer.at(endpoint):
            if isinstance(peer, Tool):
                here = folder / what.replace(" ", "-")
                here.mkdir()
                (here / "mine").write_bytes(b"x")
                outcome = await said(peer.down(here))
                state = "kept" if (here / "mine").exists() else "**deleted**"
                out.append(f"a listing that is {what}: {outcome}, local file {state}")
            else:
                out.append(f"a listing that is {what}: {await said(peer.list())}")
    if not isinstance(peer, Tool):
        async with service(lambda method, target, body: answer(200, HTML)) as endpoint, peer.at(endpoint):
            out.append(f"a put answered by HTML: {await said(peer.put('key', b'x'))}")
    return "; ".join(out)


async def e18(peer: Any, folder: Path) -> str | None:
    if isinstance(peer, Tool):
        return None
    nested = b"<ListBucketResult>" + b"<a>" * 5_000_000
    named = {"ETag": '"0123456789abcdef0123456789abcdef"', "Last-Modified": "Mon, 02 Jan 2023 03:04:05 GMT"}
    huge = answer(200, **named).replace(b"Content-Length: 0", b"Content-Length: %d" % (16 << 40)) + b"x"
    out: list[str] = []
    for what, head, work in (
        ("15 MB of nested XML", answer(200, nested), lambda: peer.list()),
        ("an object said to be 16 TiB", huge, lambda: peer.read("key")),
    ):
        sent = False

        def once(method: str, target: str, body: bytes, head: bytes = head) -> bytes | None:
            nonlocal sent
            if sent and head is huge:
                return None
            sent = True
            return head

        async with service(once) as endpoint, peer.at(endpoint):
            watching, stalls = asyncio.create_task(_watch(stalls := [0.0])), stalls
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            task = asyncio.ensure_future(said(work()))
            if head is huge:
                await asyncio.wait([task], timeout=5)
                outcome = task.result() if task.done() else "waits for the bytes"
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            else:
                outcome = await task
            watching.cancel()
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
            out.append(f"{what}: {outcome}, the loop stood still for {max(stalls):.1f} s, +{grown} MiB")
    return "; ".join(out)


async def _watch(stalls: list[float]) -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.01)
        stalls[0] = max(stalls[0], time.monotonic() - before - 0.01)


async def e19(peer: Any, folder: Path) -> str | None:
    if not hasattr(peer, "down"):
        return None
    inside, outside = folder / "in" / "target", folder / "outside"
    inside.mkdir(parents=True)
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    async with filled("../climbed", "a/../../../climbed", "good") as emulator, peer.at(emulator.endpoint):
        climbing = await said(peer.down(inside))
    strays = [path for path in folder.rglob("*") if path.name == "climbed" and inside not in path.parents]
    async with filled("link/planted", "good") as emulator, peer.at(emulator.endpoint):
        linked = await said(peer.down(inside))
    through = "**written outside**" if (outside / "planted").exists() else "nothing outside"
    return f"keys that climb: {climbing}, {len(strays)} files above the target; a link to outside: {linked}, {through}"


async def e20(peer: Any, folder: Path) -> str | None:
    if not isinstance(peer, Tool):
        return None
    (folder / "good").write_bytes(b"x")
    (folder / "dangling").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe")
    async with filled("dangling", "pipe", "good") as emulator, peer.at(emulator.endpoint):
        outcome = await said(peer.up(folder))
        gone = sorted({"dangling", "pipe", "good"} - await left(emulator))
    return f"{outcome}; objects deleted whose files are there and cannot be read: {', '.join(gone) or 'none'}"


async def e21(peer: Any, folder: Path) -> str | None:
    seen: list[str] = []

    def proxy(method: str, target: str, body: bytes) -> bytes:
        seen.append(target)
        return answer(502)

    names = ("HTTP_PROXY", "http_proxy")
    before = {name: os.environ.get(name) for name in names}
    async with filled("key") as emulator, service(proxy) as address:
        try:
            os.environ.update(dict.fromkeys(names, address))
            if isinstance(peer, Tool):
                peer.environment.update(dict.fromkeys(names, address))
            async with peer.at(emulator.endpoint):
                outcome = await said(peer.list())
        finally:
            for name in names:
                os.environ.pop(name, None)
                if isinstance(peer, Tool):
                    peer.environment.pop(name, None)
                if (value := before[name]) is not None:
                    os.environ[name] = value
    return f"{outcome}; {len(seen)} requests for this machine went to the proxy"


async def e22(peer: Any, folder: Path) -> str | None:
    if not isinstance(peer, Tool):
        return None
    source = folder / "source"
    source.write_bytes(b"the only copy")
    wrong = '"0123456789abcdef0123456789abcdef"'

    def store(method: str, target: str, body: bytes) -> bytes:
        if method == "PUT":
            return answer(200, ETag=wrong)
        if method == "HEAD":
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        return answer(200, b"<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated></ListBucketResult>")

    async with service(store) as endpoint, peer.at(endpoint):
        outcome = await said(peer.move(source))
    return f"{outcome}; the source {'is kept' if source.exists() else 'is **deleted**'} where the answer names other bytes"


TRIALS: dict[str, Callable[[Any, Path], Awaitable[str | None]]] = {
    "E17": e17, "E18": e18, "E19": e19, "E20": e20, "E21": e21, "E22": e22,
}  # fmt: skip


def version_of(peer: Any) -> str | None:
    if isinstance(peer, Tool):
        return peer.version()
    try:
        return importlib.metadata.version(peer.package)
    except importlib.metadata.PackageNotFoundError:
        return None


async def main(as_json: bool, only: list[str]) -> None:
    rows: list[dict[str, str]] = []
    for peer in (Aioboto3(), Obstore(), S3fs(), Rclone(), Aws()):
        version = version_of(peer)
        if version is None:
            print(f"{peer.name} is not installed", file=sys.stderr)
            continue
        for trial, run in TRIALS.items():
            if only and trial not in only:
                continue
            with tempfile.TemporaryDirectory() as folder:
                saw = await run(peer, Path(folder))
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
    parser.add_argument("trials", nargs="*", help="E17 to E22; all without")
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    given = parser.parse_args()
    asyncio.run(main(given.json, given.trials))

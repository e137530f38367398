"""Compare clients at a service that limits concurrent requests: failures, refused requests, time (trial E8).

    python benchmarks/throttled.py [--calls 400] [--width 100] [--admits 8] [--seconds 0.05] [--rounds 5] [--json]

The service runs in another process. It accepts `--admits` concurrent requests and responds after `--seconds`; further requests
get 503 SlowDown at once. The ideal time is that of a client that always has exactly the accepted number of requests in flight.
Other clients run if they are installed (extra `bench`), with their defaults, and botocore also in adaptive mode.
"""

import argparse
import asyncio
import importlib.metadata
import json
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from typing import Any

from aiohttp import web

import aiocos

KEYS = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}


def serve(admits: int, seconds: float, pipe: Connection) -> None:
    """Run the service until told to stop over the pipe; it returns the number of requests over the pipe."""

    async def run() -> None:
        inside = asked = 0

        async def answer(request: web.Request) -> web.Response:
            nonlocal inside, asked
            asked += 1
            await request.read()
            if inside >= admits:
                return web.Response(status=503, text="<Error><Code>SlowDown</Code></Error>", content_type="application/xml")
            inside += 1
            await asyncio.sleep(seconds)
            inside -= 1
            return web.Response(headers={"ETag": '"x"'})

        application = web.Application()
        application.router.add_route("*", "/{tail:.*}", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        pipe.send(runner.addresses[0][1])
        while await asyncio.to_thread(pipe.recv):
            pipe.send(asked)
            asked = 0
        await runner.cleanup()

    asyncio.run(run())


@asynccontextmanager
async def ours(url: str):
    async with aiocos.Client(url, credentials=aiocos.Anonymous()) as cos:
        yield lambda key: cos.objects.put("bucket", key, b"x")


@asynccontextmanager
async def botocore(url: str, **options: Any):
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    config = AioConfig(max_pool_connections=256, **options)
    async with get_session().create_client("s3", endpoint_url=url, config=config, **KEYS) as s3:
        yield lambda key: s3.put_object(Bucket="bucket", Key=key, Body=b"x")


@asynccontextmanager
async def adaptive(url: str):
    async with botocore(url, retries={"mode": "adaptive", "max_attempts": 5}) as put:
        yield put


@asynccontextmanager
async def rust(url: str):
    import obstore

    store = obstore.store.S3Store(
        "bucket", endpoint=url, access_key_id="k", secret_access_key="s", region="us-east-1",
        client_options={"allow_http": True},
    )  # fmt: skip
    yield lambda key: obstore.put_async(store, key, b"x")


CLIENTS = {
    "aiocos": (ours, "aiocos"),
    "aiobotocore": (botocore, "aiobotocore"),
    "aiobotocore adaptive": (adaptive, "aiobotocore"),
    "obstore": (rust, "obstore"),
}


async def crowd(put: Callable[[str], Awaitable[Any]], calls: int, width: int) -> tuple[int, float]:
    """Make all calls with limited concurrency. Returns the number of failures and the time in seconds."""
    places, failed = asyncio.Semaphore(width), 0

    async def one(n: int) -> None:
        nonlocal failed
        async with places:
            try:
                await put(f"key-{n}")
            except Exception:
                failed += 1

    began = time.perf_counter()
    await asyncio.gather(*(one(n) for n in range(calls)))
    return failed, time.perf_counter() - began


async def measure(name: str, url: str, pipe: Connection, args: argparse.Namespace) -> dict[str, Any]:
    make, package = CLIENTS[name]
    ideal = args.calls * args.seconds / args.admits
    rounds: list[tuple[int, float, float]] = []
    for _ in range(args.rounds):
        async with make(url) as put:
            failed, seconds = await crowd(put, args.calls, args.width)
        pipe.send(True)
        rounds.append((failed, pipe.recv() / args.calls, seconds / ideal))
    failures, requests, times = zip(*rounds, strict=True)
    return {
        "client": name,
        "version": importlib.metadata.version(package),
        "failures": f"{min(failures)}-{max(failures)}",
        "requests": round(statistics.median(requests), 2),
        "time": round(statistics.median(times), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--admits", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    pipe, theirs = multiprocessing.Pipe()
    service = multiprocessing.Process(target=serve, args=(args.admits, args.seconds, theirs), daemon=True)
    service.start()
    url = f"http://127.0.0.1:{pipe.recv()}"
    if not args.json:
        print(f"{'client':24}{'failures':>12}{'requests':>12}{'time':>8}   (requests and time as multiples of the least)")
    for name, (_, package) in CLIENTS.items():
        try:
            importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            print(json.dumps({"client": name, "version": None}) if args.json else f"{name:24}{'not installed':>12}")
            continue
        row = asyncio.run(measure(name, url, pipe, args))
        if args.json:
            print(json.dumps(row), flush=True)
        else:
            label = f"{name} {row['version']}"
            print(f"{label:30}{row['failures']:>6}{row['requests']:>12}{row['time']:>8}", flush=True)
    pipe.send(False)
    service.join(5)


if __name__ == "__main__":
    main()

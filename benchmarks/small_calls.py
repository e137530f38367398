"""What a small call costs: processor time per 1 KiB GET, PUT and HEAD of the client's process, beside its peers.

Every (client, workload) runs in a fresh process; rounds are interleaved; the server is `rclone serve s3` in memory, which
checks signatures. Bare aiohttp signs nothing and checks nothing, and asks through a presigned URL: it is the yardstick, not a
peer.
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

KEY, SECRET = "BENCHMARKKEY", "BENCHMARKSECRET"
BUCKET, DATA = "bench", b"x" * 1024
WORKLOADS = ("get", "put", "head")
CLIENTS = ("aiohttp", "aiocos", "ibm_boto3", "obstore", "aiobotocore")
NEEDS = {"ibm_boto3": "ibm_boto3", "obstore": "obstore", "aiobotocore": "aiobotocore"}


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run rclone until the end of the block; give its endpoint."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = os.path.join(os.path.dirname(sys.executable), "rclone")
    command = [program, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}", ":memory:"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "RCLONE_CONFIG": os.devnull})
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


async def wide(call: Callable[[], Awaitable[object]], count: int, width: int) -> None:
    """Make `count` calls, `width` at once."""
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await call()

    await asyncio.gather(*(worker() for _ in range(width)))


async def _aiocos(endpoint: str, workload: str, count: int, width: int) -> float:
    import aiocos

    async with aiocos.Client(endpoint, access_key_id=KEY, secret_access_key=SECRET) as cos:
        calls = {
            "get": lambda: cos.objects.read(BUCKET, "k"),
            "put": lambda: cos.objects.put(BUCKET, "p", DATA),
            "head": lambda: cos.objects.head(BUCKET, "k"),
        }
        await wide(calls[workload], width, width)
        before = time.process_time()
        await wide(calls[workload], count, width)
        return (time.process_time() - before) / count


async def _aiohttp(endpoint: str, workload: str, count: int, width: int) -> float:
    import aiohttp
    from yarl import URL

    import aiocos

    cos = aiocos.Client(endpoint, access_key_id=KEY, secret_access_key=SECRET)
    method = workload.upper()
    url = URL(cos.objects.presign(BUCKET, "k" if workload != "put" else "p", method=method), encoded=True)  # type: ignore[arg-type]
    async with aiohttp.ClientSession() as session:

        async def call() -> None:
            async with session.request(method, url, data=DATA if workload == "put" else None) as response:
                await response.read()
                response.raise_for_status()

        await wide(call, width, width)
        before = time.process_time()
        await wide(call, count, width)
        return (time.process_time() - before) / count


def _ibm_boto3(endpoint: str, workload: str, count: int, width: int) -> float:
    import ibm_boto3
    from ibm_botocore.config import Config

    made = ibm_boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
        config=Config(signature_version="s3v4", max_pool_connections=16),
    )
    calls = {
        "get": lambda: made.get_object(Bucket=BUCKET, Key="k")["Body"].read(),
        "put": lambda: made.put_object(Bucket=BUCKET, Key="p", Body=DATA),
        "head": lambda: made.head_object(Bucket=BUCKET, Key="k"),
    }
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda _: calls[workload](), range(16)))
        before = time.process_time()
        list(threads.map(lambda _: calls[workload](), range(count)))
        return (time.process_time() - before) / count


async def _obstore(endpoint: str, workload: str, count: int, width: int) -> float:
    import obstore
    from obstore.store import S3Store

    store = S3Store(
        BUCKET,
        endpoint=endpoint,
        access_key_id=KEY,
        secret_access_key=SECRET,
        region="us-east-1",
        client_options={"allow_http": True},
        virtual_hosted_style_request=False,
    )

    async def get() -> None:
        await (await obstore.get_async(store, "k")).bytes_async()

    calls = {
        "get": get,
        "put": lambda: obstore.put_async(store, "p", DATA, use_multipart=False),
        "head": lambda: obstore.head_async(store, "k"),
    }
    await wide(calls[workload], width, width)
    before = time.process_time()
    await wide(calls[workload], count, width)
    return (time.process_time() - before) / count


async def _aiobotocore(endpoint: str, workload: str, count: int, width: int) -> float:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    async with get_session().create_client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
        config=AioConfig(max_pool_connections=width, s3={"addressing_style": "path"}),
    ) as made:

        async def get() -> None:
            answer = await made.get_object(Bucket=BUCKET, Key="k")
            async with answer["Body"] as body:
                await body.read()

        calls = {
            "get": get,
            "put": lambda: made.put_object(Bucket=BUCKET, Key="p", Body=DATA),
            "head": lambda: made.head_object(Bucket=BUCKET, Key="k"),
        }
        await wide(calls[workload], width, width)
        before = time.process_time()
        await wide(calls[workload], count, width)
        return (time.process_time() - before) / count


def child(client: str, workload: str, endpoint: str, count: int, width: int) -> None:
    """Measure one client at one workload; print seconds per call."""
    run = globals()[f"_{client}"]
    value = run(endpoint, workload, count, width)
    print(asyncio.run(value) if asyncio.iscoroutine(value) else value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--child", nargs=3, metavar=("CLIENT", "WORKLOAD", "ENDPOINT"))
    args = parser.parse_args()
    if args.child:
        child(*args.child, args.count, args.width)
        return
    clients = [c for c in CLIENTS if c not in NEEDS or find_spec(NEEDS[c])]
    times: dict[tuple[str, str], list[float]] = {}
    with server() as endpoint:
        asyncio.run(_prepare(endpoint))
        for _ in range(args.rounds):
            for workload in WORKLOADS:
                for client in clients:
                    count = args.count if client in ("aiohttp", "aiocos", "obstore") else args.count // 4
                    command = [sys.executable, __file__, "--count", str(count), "--width", str(args.width)]
                    ran = subprocess.run([*command, "--child", client, workload, endpoint], capture_output=True, text=True)
                    # A figure counts once it is printed: obstore's threads at times abort the process at its very end.
                    if not ran.stdout:
                        raise SystemExit(f"{client} {workload}: {ran.stderr}")
                    times.setdefault((client, workload), []).append(float(ran.stdout))
    medians = {k: statistics.median(v) for k, v in times.items()}
    told = f"1 KiB, {args.width} wide, median of {args.rounds} rounds, Python {sys.version.split()[0]}"
    print(f"CPU µs per call (times bare aiohttp), {told}")
    print(f"{'client':12}" + "".join(f"{w:>18}" for w in WORKLOADS))
    for client in clients:
        cells = [f"{medians[client, w] * 1e6:8.0f} ({medians[client, w] / medians['aiohttp', w]:5.2f}x)" for w in WORKLOADS]
        print(f"{client:12}" + "".join(f"{c:>18}" for c in cells))
    print(json.dumps({f"{c}.{w}": round(v * 1e6, 1) for (c, w), v in medians.items()}))


async def _prepare(endpoint: str) -> None:
    import aiocos

    async with aiocos.Client(endpoint, access_key_id=KEY, secret_access_key=SECRET) as cos:
        await cos.buckets.create(BUCKET)
        await cos.objects.put(BUCKET, "k", DATA)


if __name__ == "__main__":
    main()

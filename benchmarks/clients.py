"""Drivers for the compared clients; each uses its client as the client's documentation shows.

Every class has the same coroutines. `store` is the server; `width` is the number of concurrent calls, for clients whose
connection pool has a size. A client without a feature raises `Missing`, and its cell in the table is empty.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

KEY, SECRET, TOKEN = "BENCHMARKKEY", "BENCHMARKSECRET", "t" * 1200
BUCKET, LISTED = "bench", "listed"
PART, AT_ONCE = 8 << 20, 8


class Missing(Exception):
    """The client does not have this feature."""


@dataclass(frozen=True)
class Store:
    """The address and credentials of the server. `ca` is the file of its CA certificate."""

    endpoint: str
    ca: str | None
    width: int


class Client:
    """The operations that are measured. Methods return the number to count: keys or bytes."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def get(self, key: str) -> bytes:
        raise Missing

    async def put(self, key: str, data: bytes) -> None:
        raise Missing

    async def head(self, key: str) -> None:
        raise Missing

    async def list(self) -> int:
        raise Missing

    async def upload(self, path: Path) -> None:
        raise Missing

    async def upload_memory(self, data: bytes) -> None:
        raise Missing

    async def upload_stream(self, chunks: Callable[[], AsyncIterator[bytes]]) -> None:
        raise Missing

    async def download(self, key: str, path: Path) -> None:
        raise Missing

    async def upload_many(self, folder: Path) -> None:
        """Transfer all files of a directory in the client's fastest way; 64 concurrent calls if it has no method for it."""
        await each(sorted(folder.iterdir()), self.store.width, lambda p: self.put_file(f"many/{p.name}", p))

    async def download_many(self, names: list[str], folder: Path) -> None:
        await each(names, self.store.width, lambda name: self.get_file(f"many/{name}", folder / name))

    async def put_file(self, key: str, path: Path) -> None:
        await self.put(key, await asyncio.to_thread(path.read_bytes))

    async def get_file(self, key: str, path: Path) -> None:
        data = await self.get(key)
        await asyncio.to_thread(path.write_bytes, data)


async def each(items: Any, width: int, call: Callable[[Any], Any]) -> None:
    """Call a function for each item, `width` calls at a time."""
    left = iter(items)

    async def worker() -> None:
        for item in left:
            await call(item)

    await asyncio.gather(*(worker() for _ in range(width)))


def context(store: Store) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=store.ca) if store.ca else None


# -- aiocos -----------------------------------------------------------------------------------------------------------


class Aiocos(Client):
    """aiocos with an IAM token and all checks enabled."""

    options: dict[str, Any] = {}

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        import aiocos

        config = aiocos.ClientConfig(ca_file=store.ca, max_connections=max(256, store.width), **self.options)
        self.cos = aiocos.Client(store.endpoint, config=config, **self.identity())

    def identity(self) -> dict[str, Any]:
        import aiocos

        return {"credentials": aiocos.BearerToken(TOKEN)}

    async def __aexit__(self, *_: object) -> None:
        await self.cos.close()

    async def get(self, key: str) -> bytes:
        return await self.cos.objects.read(BUCKET, key)

    async def put(self, key: str, data: bytes) -> None:
        await self.cos.objects.put(BUCKET, key, data)

    async def head(self, key: str) -> None:
        await self.cos.objects.head(BUCKET, key)

    async def list(self) -> int:
        count = total = 0
        async for entry in self.cos.objects.list(LISTED):
            count += 1
            total += entry.size
        return count

    async def upload(self, path: Path) -> None:
        assert (await self.cos.upload(BUCKET, "big", path)).verified

    async def upload_memory(self, data: bytes) -> None:
        assert (await self.cos.upload(BUCKET, "big", data)).verified

    async def upload_stream(self, chunks: Callable[[], AsyncIterator[bytes]]) -> None:
        assert (await self.cos.upload(BUCKET, "big", chunks())).verified

    async def download(self, key: str, path: Path) -> None:
        assert (await self.cos.download(BUCKET, key, path)).verified

    async def upload_many(self, folder: Path) -> None:
        await self.cos.upload_directory(folder, BUCKET, prefix="many/")

    async def get_file(self, key: str, path: Path) -> None:
        assert (await self.cos.download(BUCKET, key, path)).verified


class AiocosHmac(Aiocos):
    """aiocos, signing with HMAC keys."""

    def identity(self) -> dict[str, Any]:
        return {"access_key_id": KEY, "secret_access_key": SECRET}


class AiocosSession(Aiocos):
    """aiocos with the session backend instead of the raw backend."""

    options = {"direct": False}


class AiocosCrc32(Aiocos):
    """aiocos with CRC32, as without `aiocos[fast]` (but by ISA-L where that is installed)."""

    options = {"checksum": "crc32"}


class AiocosMd5(Aiocos):
    """aiocos with MD5, as older services get it."""

    options = {"checksum": "md5"}


# -- bare aiohttp -----------------------------------------------------------------------------------------------------


class Aiohttp(Client):
    """Plain aiohttp as its documentation shows it, without any checks: the reference for ratios."""

    session: Any

    async def __aenter__(self) -> Client:
        import aiohttp

        connector = aiohttp.TCPConnector(limit=self.store.width, ssl=context(self.store) or True)
        self.session = aiohttp.ClientSession(connector=connector, headers={"Authorization": f"Bearer {TOKEN}"})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    def url(self, key: str) -> str:
        return f"{self.store.endpoint}/{BUCKET}/{key}"

    async def get(self, key: str) -> bytes:
        async with self.session.get(self.url(key)) as response:
            response.raise_for_status()
            return await response.read()

    async def put(self, key: str, data: bytes) -> None:
        async with self.session.put(self.url(key), data=data) as response:
            response.raise_for_status()
            await response.read()

    async def head(self, key: str) -> None:
        async with self.session.head(self.url(key)) as response:
            response.raise_for_status()

    async def list(self) -> int:
        from xml.etree import ElementTree

        count, token = 0, ""
        ns = "{http://s3.amazonaws.com/doc/2006-03-01/}"
        while True:
            async with self.session.get(f"{self.store.endpoint}/{LISTED}?list-type=2{token}") as response:
                root = ElementTree.fromstring(await response.read())
            for entry in root.iter(f"{ns}Contents"):
                found = {child.tag[len(ns) :]: child.text for child in entry}
                count += bool(found["Key"])
            if root.findtext(f"{ns}IsTruncated") != "true":
                return count
            token = f"&continuation-token={root.findtext(f'{ns}NextContinuationToken')}"

    async def upload(self, path: Path) -> None:
        with path.open("rb") as file:
            await self._parts(path.stat().st_size, lambda start: asyncio.to_thread(os.pread, file.fileno(), PART, start))

    async def upload_memory(self, data: bytes) -> None:
        async def part(start: int) -> bytes:
            return data[start : start + PART]

        await self._parts(len(data), part)

    async def _parts(self, size: int, part: Callable[[int], Any]) -> None:
        async with self.session.post(f"{self.url('big')}?uploads") as response:
            await response.read()

        async def send(start: int) -> None:
            number = start // PART + 1
            url = f"{self.url('big')}?partNumber={number}&uploadId=u1"
            async with self.session.put(url, data=await part(start)) as response:
                response.raise_for_status()
                await response.read()

        await each(range(0, size, PART), AT_ONCE, send)
        async with self.session.post(f"{self.url('big')}?uploadId=u1", data=b"<x/>") as response:
            await response.read()

    async def download(self, key: str, path: Path) -> None:
        async with self.session.head(self.url(key)) as response:
            size = int(response.headers["Content-Length"])
        with path.open("wb") as file:

            async def fetch(start: int) -> None:
                headers = {"Range": f"bytes={start}-{min(start + PART, size) - 1}"}
                async with self.session.get(self.url(key), headers=headers) as response:
                    async for chunk in response.content.iter_chunked(1 << 20):
                        await asyncio.to_thread(os.pwrite, file.fileno(), chunk, start)
                        start += len(chunk)

            await each(range(0, size, PART), AT_ONCE, fetch)


class AiohttpTuned(Aiohttp):
    """aiohttp's session with the fastest public settings: the reference for the session backend."""

    async def __aenter__(self) -> Client:
        import aiohttp
        from multidict import CIMultiDict
        from yarl import URL

        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=context(self.store) or True),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            skip_auto_headers=("Accept", "User-Agent", "Accept-Encoding", "Content-Type"),
        )
        self.origin = URL(self.store.endpoint)
        self.headers = CIMultiDict({"Authorization": f"Bearer {TOKEN}"})
        return self

    async def _read(self, method: str, key: str, data: bytes | None = None) -> bytes:
        url = self.origin.with_path(f"/{BUCKET}/{key}", encoded=True)
        response = await self.session.request(method, url, data=data, headers=self.headers, allow_redirects=False)
        body = b""
        while chunk := await response.content.readany():
            body = body + chunk if body else chunk
        response.release()
        assert response.status == 200
        return body

    async def get(self, key: str) -> bytes:
        return await self._read("GET", key)

    async def put(self, key: str, data: bytes) -> None:
        await self._read("PUT", key, data)

    async def head(self, key: str) -> None:
        await self._read("HEAD", key)

    async def list(self) -> int:
        raise Missing

    async def upload(self, path: Path) -> None:
        raise Missing

    async def upload_memory(self, data: bytes) -> None:
        raise Missing

    async def download(self, key: str, path: Path) -> None:
        raise Missing


class AiohttpFloor(AiohttpTuned):
    """aiohttp's connector and protocol without a session or checks: the lower bound for clients built on them."""

    async def __aenter__(self) -> Client:
        import aiohttp
        from aiohttp.client_reqrep import ClientRequest
        from yarl import URL

        self.connector: Any = aiohttp.TCPConnector(limit=0, ssl=context(self.store) or True)
        self.ask: Any = ClientRequest("GET", URL(self.store.endpoint), loop=asyncio.get_running_loop())
        self.timeout = aiohttp.ClientTimeout(total=None)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connector.close()

    async def _read(self, method: str, key: str, data: bytes | None = None) -> bytes:
        connection = await self.connector.connect(self.ask, [], self.timeout)
        protocol = connection.protocol
        protocol.set_response_params(skip_payload=method == "HEAD", read_until_eof=True, auto_decompress=False)
        length = "" if data is None else f"Content-Length: {len(data)}\r\n"
        head = f"{method} /{BUCKET}/{key} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\n{length}\r\n"
        protocol.transport.write(head.encode() + (data or b""))
        message, payload = await protocol.read()
        assert message.code == 200
        body = await payload.read()
        connection.release()
        return body


# -- obstore ----------------------------------------------------------------------------------------------------------


class Obstore(Client):
    """obstore: the Rust library object_store with asyncio bindings."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        from obstore.store import S3Store

        options: dict[str, Any] = {"allow_http": True}
        if store.ca:
            options["allow_invalid_certificates"] = True
        made = partial(
            S3Store,
            endpoint=store.endpoint,
            access_key_id=KEY,
            secret_access_key=SECRET,
            region="us-east-1",
            client_options=options,
            virtual_hosted_style_request=False,
        )
        self.bucket, self.listed = made(BUCKET), made(LISTED)

    async def get(self, key: str) -> bytes:
        import obstore

        return bytes(await (await obstore.get_async(self.bucket, key)).bytes_async())

    async def put(self, key: str, data: bytes) -> None:
        import obstore

        await obstore.put_async(self.bucket, key, data, use_multipart=False)

    async def head(self, key: str) -> None:
        import obstore

        await obstore.head_async(self.bucket, key)

    async def list(self) -> int:
        import obstore

        count = total = 0
        async for batch in obstore.list(self.listed, chunk_size=1000):
            for entry in batch:
                count += 1
                total += entry["size"]
        return count

    async def upload(self, path: Path) -> None:
        import obstore

        await obstore.put_async(self.bucket, "big", path, chunk_size=PART, max_concurrency=AT_ONCE)

    async def upload_memory(self, data: bytes) -> None:
        import obstore

        await obstore.put_async(self.bucket, "big", data, chunk_size=PART, max_concurrency=AT_ONCE)

    async def upload_stream(self, chunks: Callable[[], AsyncIterator[bytes]]) -> None:
        import obstore

        await obstore.put_async(self.bucket, "big", chunks(), chunk_size=PART, max_concurrency=AT_ONCE)

    async def download(self, key: str, path: Path) -> None:
        import obstore

        size = (await obstore.head_async(self.bucket, key))["size"]
        with path.open("wb") as file:

            async def fetch(start: int) -> None:
                data = await obstore.get_range_async(self.bucket, key, start=start, end=min(start + PART, size))
                await asyncio.to_thread(os.pwrite, file.fileno(), data, start)

            await each(range(0, size, PART), AT_ONCE, fetch)


# -- aiobotocore, s3fs, miniopy-async ---------------------------------------------------------------------------------


class Aiobotocore(Client):
    """aiobotocore. It has no transfer manager, so parts are sent one by one here."""

    made: Any

    async def __aenter__(self) -> Client:
        from aiobotocore.config import AioConfig
        from aiobotocore.session import get_session

        self.context = get_session().create_client(
            "s3",
            endpoint_url=self.store.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            verify=self.store.ca,
            config=AioConfig(max_pool_connections=max(self.store.width, 16), s3={"addressing_style": "path"}),
        )
        self.made = await self.context.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.context.__aexit__(None, None, None)

    async def get(self, key: str) -> bytes:
        answer = await self.made.get_object(Bucket=BUCKET, Key=key)
        async with answer["Body"] as body:
            return await body.read()

    async def put(self, key: str, data: bytes) -> None:
        await self.made.put_object(Bucket=BUCKET, Key=key, Body=data)

    async def head(self, key: str) -> None:
        await self.made.head_object(Bucket=BUCKET, Key=key)

    async def list(self) -> int:
        count = 0
        async for page in self.made.get_paginator("list_objects_v2").paginate(Bucket=LISTED):
            for entry in page["Contents"]:
                count += entry["Size"] >= 0
        return count

    async def upload(self, path: Path) -> None:
        with path.open("rb") as file:
            await self._parts(path.stat().st_size, lambda start: asyncio.to_thread(os.pread, file.fileno(), PART, start))

    async def upload_memory(self, data: bytes) -> None:
        async def part(start: int) -> bytes:
            return data[start : start + PART]

        await self._parts(len(data), part)

    async def _parts(self, size: int, part: Callable[[int], Any]) -> None:
        upload = await self.made.create_multipart_upload(Bucket=BUCKET, Key="big")
        named = {"Bucket": BUCKET, "Key": "big", "UploadId": upload["UploadId"]}
        done: list[dict[str, Any]] = []

        async def send(start: int) -> None:
            number = start // PART + 1
            answer = await self.made.upload_part(**named, PartNumber=number, Body=await part(start))
            done.append({"PartNumber": number, "ETag": answer["ETag"]})

        await each(range(0, size, PART), AT_ONCE, send)
        done.sort(key=lambda one: one["PartNumber"])
        await self.made.complete_multipart_upload(**named, MultipartUpload={"Parts": done})

    async def download(self, key: str, path: Path) -> None:
        size = (await self.made.head_object(Bucket=BUCKET, Key=key))["ContentLength"]
        with path.open("wb") as file:

            async def fetch(start: int) -> None:
                last = min(start + PART, size) - 1
                answer = await self.made.get_object(Bucket=BUCKET, Key=key, Range=f"bytes={start}-{last}")
                async with answer["Body"] as body:
                    while chunk := await body.read(1 << 20):
                        await asyncio.to_thread(os.pwrite, file.fileno(), chunk, start)
                        start += len(chunk)

            await each(range(0, size, PART), AT_ONCE, fetch)


class S3fs(Client):
    """s3fs in asynchronous mode."""

    fs: Any

    async def __aenter__(self) -> Client:
        import s3fs

        s3fs.S3FileSystem.clear_instance_cache()
        self.fs = s3fs.S3FileSystem(
            asynchronous=True,
            endpoint_url=self.store.endpoint,
            key=KEY,
            secret=SECRET,
            max_concurrency=AT_ONCE,
            client_kwargs={"verify": self.store.ca} if self.store.ca else {},
            config_kwargs={"max_pool_connections": max(self.store.width, 16), "s3": {"addressing_style": "path"}},
        )
        self.session = await self.fs.set_session()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def get(self, key: str) -> bytes:
        return await self.fs._cat_file(f"{BUCKET}/{key}")

    async def put(self, key: str, data: bytes) -> None:
        await self.fs._pipe_file(f"{BUCKET}/{key}", data)

    async def head(self, key: str) -> None:
        await self.fs._info(f"{BUCKET}/{key}", refresh=True)

    async def list(self) -> int:
        return len(await self.fs._find(f"{LISTED}/data"))

    async def upload(self, path: Path) -> None:
        await self.fs._put_file(str(path), f"{BUCKET}/big", chunksize=PART, max_concurrency=AT_ONCE)

    async def download(self, key: str, path: Path) -> None:
        await self.fs._get_file(f"{BUCKET}/{key}", str(path))


class Miniopy(Client):
    """miniopy-async."""

    made: Any

    async def __aenter__(self) -> Client:
        from miniopy_async import Minio

        scheme, _, host = self.store.endpoint.partition("://")
        if scheme == "https":
            os.environ["SSL_CERT_FILE"] = self.store.ca or ""
        self.made = Minio(host, access_key=KEY, secret_key=SECRET, secure=scheme == "https", region="us-east-1")
        return self

    async def __aexit__(self, *_: object) -> None:
        close = getattr(self.made, "close_session", None) or getattr(self.made, "close", None)
        if close is not None:
            await close()

    async def get(self, key: str) -> bytes:
        response = await self.made.get_object(BUCKET, key)
        try:
            return await response.read()
        finally:
            response.close()

    async def put(self, key: str, data: bytes) -> None:
        import io

        await self.made.put_object(BUCKET, key, io.BytesIO(data), len(data))

    async def head(self, key: str) -> None:
        await self.made.stat_object(BUCKET, key)

    async def list(self) -> int:
        count = 0
        async for entry in self.made.list_objects(LISTED, recursive=True):
            count += entry.size >= 0
        return count

    async def upload(self, path: Path) -> None:
        await self.made.fput_object(BUCKET, "big", str(path), part_size=PART, num_parallel_uploads=AT_ONCE)

    async def download(self, key: str, path: Path) -> None:
        await self.made.fget_object(BUCKET, key, str(path))


# -- IBM's own --------------------------------------------------------------------------------------------------------


class IbmBoto3(Client):
    """ibm_boto3 in 16 threads."""

    threads = 16

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        import ibm_boto3
        from ibm_botocore.config import Config

        config = Config(signature_version="s3v4", max_pool_connections=self.threads, s3={"addressing_style": "path"})
        self.made = ibm_boto3.client(
            "s3",
            endpoint_url=store.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            verify=store.ca,
            config=config,
        )
        self.pool = ThreadPoolExecutor(self.threads)

    async def __aexit__(self, *_: object) -> None:
        self.pool.shutdown()

    def _run(self, work: Callable[[], Any]) -> Any:
        return asyncio.get_running_loop().run_in_executor(self.pool, work)

    async def get(self, key: str) -> bytes:
        return await self._run(lambda: self.made.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    async def put(self, key: str, data: bytes) -> None:
        await self._run(lambda: self.made.put_object(Bucket=BUCKET, Key=key, Body=data))

    async def head(self, key: str) -> None:
        await self._run(lambda: self.made.head_object(Bucket=BUCKET, Key=key))

    async def list(self) -> int:
        def work() -> int:
            pages = self.made.get_paginator("list_objects_v2").paginate(Bucket=LISTED)
            return sum(entry["Size"] >= 0 for page in pages for entry in page["Contents"])

        return await self._run(work)

    def _config(self) -> Any:
        from ibm_boto3.s3.transfer import TransferConfig

        return TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=AT_ONCE)

    async def upload(self, path: Path) -> None:
        await self._run(lambda: self.made.upload_file(str(path), BUCKET, "big", Config=self._config()))

    async def upload_memory(self, data: bytes) -> None:
        import io

        await self._run(lambda: self.made.upload_fileobj(io.BytesIO(data), BUCKET, "big", Config=self._config()))

    async def download(self, key: str, path: Path) -> None:
        await self._run(lambda: self.made.download_file(BUCKET, key, str(path), Config=self._config()))

    async def put_file(self, key: str, path: Path) -> None:
        await self._run(lambda: self.made.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes()))

    async def get_file(self, key: str, path: Path) -> None:
        await self._run(lambda: path.write_bytes(self.made.get_object(Bucket=BUCKET, Key=key)["Body"].read()))


class IbmBoto3Wide(IbmBoto3):
    """ibm_boto3 in 64 threads."""

    threads = 64


CLIENTS: dict[str, type[Client]] = {
    "aiohttp": Aiohttp,
    "aiohttp-tuned": AiohttpTuned,
    "aiohttp-floor": AiohttpFloor,
    "aiocos": Aiocos,
    "aiocos-session": AiocosSession,
    "aiocos-hmac": AiocosHmac,
    "aiocos-crc32": AiocosCrc32,
    "aiocos-md5": AiocosMd5,
    "obstore": Obstore,
    "aiobotocore": Aiobotocore,
    "ibm_boto3-16": IbmBoto3,
    "ibm_boto3-64": IbmBoto3Wide,
    "miniopy-async": Miniopy,
    "s3fs": S3fs,
}
NEEDS = {
    "obstore": "obstore",
    "aiobotocore": "aiobotocore",
    "ibm_boto3-16": "ibm_boto3",
    "ibm_boto3-64": "ibm_boto3",
    "miniopy-async": "miniopy_async",
    "s3fs": "s3fs",
}

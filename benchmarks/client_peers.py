"""Drivers for other clients: obstore, aiobotocore, s3fs, miniopy-async and IBM's SDK."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from client_base import AT_ONCE, BUCKET, KEY, LISTED, PART, PREFIX, SECRET, Client, Store, each

# -- obstore ----------------------------------------------------------------------------------------------------------


class Obstore(Client):
    """obstore (Rust's object_store) with default settings, which sign the SHA-256 of each body"""

    needs = "obstore"
    options: dict[str, Any] = {}

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        from obstore.store import S3Store

        made = partial(
            S3Store,
            endpoint=store.endpoint,
            access_key_id=KEY,
            secret_access_key=SECRET,
            region="us-east-1",
            client_options={"root_certificate": Path(store.ca).read_bytes()} if store.ca else {"allow_http": True},
            virtual_hosted_style_request=False,
            **self.options,
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

    async def names(self) -> list[str]:
        import obstore

        return [entry["path"] async for batch in obstore.list(self.bucket, PREFIX, chunk_size=1000) for entry in batch]

    async def stream(self, key: str) -> int:
        import obstore

        count = 0
        async for chunk in (await obstore.get_async(self.bucket, key)).stream(min_chunk_size=1 << 20):
            count += len(chunk)
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

    async def get_file(self, key: str, path: Path) -> None:
        import obstore

        # The answer is a buffer: no copy to `bytes`.
        path.write_bytes(await (await obstore.get_async(self.bucket, key)).bytes_async())


class ObstoreUnsigned(Obstore):
    """obstore with `unsigned_payload`: nothing is hashed"""

    options = {"unsigned_payload": True}


class ObstoreThreads(Obstore):
    """obstore; the plain loop reads and writes each file in another thread"""

    async def put_file(self, key: str, path: Path) -> None:
        await self.put(key, await asyncio.to_thread(path.read_bytes))

    async def get_file(self, key: str, path: Path) -> None:
        data = await self.get(key)
        await asyncio.to_thread(path.write_bytes, data)


# -- aiobotocore, s3fs, miniopy-async ---------------------------------------------------------------------------------


class Aiobotocore(Client):
    """aiobotocore with default settings. It has no transfer manager: eight parts in flight, plain loops over files"""

    needs, slow = "aiobotocore", True
    options: dict[str, Any] = {}
    style: dict[str, Any] = {}
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
            config=AioConfig(
                max_pool_connections=max(self.store.width, 16), s3={"addressing_style": "path", **self.style}, **self.options
            ),
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

    async def names(self) -> list[str]:
        pages = self.made.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=PREFIX)
        return [entry["Key"] async for page in pages for entry in page["Contents"]]

    async def stream(self, key: str) -> int:
        answer, count = await self.made.get_object(Bucket=BUCKET, Key=key), 0
        async with answer["Body"] as body:
            while chunk := await body.read(1 << 20):
                count += len(chunk)
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


class AiobotocoreUnsigned(Aiobotocore):
    """aiobotocore with payload signing and default checksums off: nothing is hashed"""

    style = {"payload_signing_enabled": False}
    options = {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}


class S3fs(Client):
    """s3fs in asynchronous mode"""

    needs, slow = "s3fs", True
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
    """miniopy-async"""

    needs, slow = "miniopy_async", True
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
    """ibm_boto3, IBM's SDK, in 16 threads"""

    needs, slow = "ibm_boto3", True
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

    async def stream(self, key: str) -> int:
        def work() -> int:
            body = self.made.get_object(Bucket=BUCKET, Key=key)["Body"]
            return sum(len(chunk) for chunk in body.iter_chunks(1 << 20))

        return await self._run(work)

    async def names(self) -> list[str]:
        def work() -> list[str]:
            pages = self.made.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=PREFIX)
            return [entry["Key"] for page in pages for entry in page["Contents"]]

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
    """ibm_boto3, IBM's SDK, in 64 threads"""

    threads = 64

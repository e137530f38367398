"""Drivers for aiocos."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from client_base import BUCKET, KEY, LISTED, PREFIX, SECRET, TOKEN, Client, Store

# The modules that the extra `fast` brings.
FAST = ("isal", "isal.isal_zlib", "awscrt", "awscrt.checksums", "_awscrt")


class Aiocos(Client):
    """aiocos with the extra `fast`, an IAM token, and default settings"""

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

    async def open(self, key: str) -> bytes:
        async with self.cos.objects.get(BUCKET, key) as obj:
            return await obj.read()

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

    async def stream(self, key: str) -> int:
        count = 0
        async with self.cos.objects.get(BUCKET, key) as obj:
            async for chunk in obj:
                count += len(chunk)
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
        await self.cos.upload_directory(folder, BUCKET, prefix=PREFIX)

    async def download_many(self, folder: Path) -> None:
        await self.cos.download_directory(BUCKET, folder, prefix=PREFIX)

    async def get_file(self, key: str, path: Path) -> None:
        # A file of `download_directory`.
        await self.cos.download(BUCKET, key, path)

    @classmethod
    def command(cls, what: str) -> list[str]:
        return ["-m", "aiocos", {"version": "--version", "ls": "ls"}[what]]


class AiocosNoFast(Aiocos):
    """aiocos without the extra `fast`: the process does not find its modules"""

    hidden = FAST


class AiocosHmac(Aiocos):
    """aiocos, signing with HMAC keys"""

    def identity(self) -> dict[str, Any]:
        return {"access_key_id": KEY, "secret_access_key": SECRET}


class AiocosSession(Aiocos):
    """aiocos through aiohttp's session (`fast_path=False`)"""

    options = {"fast_path": False}


class AiocosMd5(Aiocos):
    """aiocos with `checksum="md5"`"""

    options = {"checksum": "md5"}


class AiocosCrc32(Aiocos):
    """aiocos with `checksum="crc32"`"""

    options = {"checksum": "crc32"}


class AiocosUnverified(Aiocos):
    """aiocos with `verify_reads=False`: the same reads without hashing"""

    options = {"verify_reads": False}

    async def download(self, key: str, path: Path) -> None:
        await self.cos.download(BUCKET, key, path)


class Face(Client):
    """`aiocos.ibm_boto3`: the methods of IBM's SDK, with the extra `fast` and an IAM token"""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        from aiocos import ibm_boto3
        from aiocos.ibm_boto3 import Config

        self.made = ibm_boto3.client(
            "s3",
            endpoint_url=store.endpoint,
            verify=store.ca,
            auth_function=lambda: {"access_token": TOKEN, "expires_in": 3600},
            config=Config(signature_version="oauth", max_pool_connections=max(256, store.width)),
        )

    async def __aexit__(self, *_: object) -> None:
        await self.made.close()

    async def get(self, key: str) -> bytes:
        response = await self.made.get_object(Bucket=BUCKET, Key=key)
        return await response["Body"].read()

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

    async def stream(self, key: str) -> int:
        response, count = await self.made.get_object(Bucket=BUCKET, Key=key), 0
        async for chunk in response["Body"].iter_chunks(1 << 20):
            count += len(chunk)
        return count

    async def upload(self, path: Path) -> None:
        await self.made.upload_file(str(path), BUCKET, "big")

    async def upload_memory(self, data: bytes) -> None:
        await self.made.upload_fileobj(io.BytesIO(data), BUCKET, "big")

    async def download(self, key: str, path: Path) -> None:
        await self.made.download_file(BUCKET, key, str(path))

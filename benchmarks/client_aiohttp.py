"""Drivers for aiohttp without a storage library: what a program pays that checks nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from client_base import AT_ONCE, BUCKET, LISTED, PART, PREFIX, TOKEN, Client, Missing, Store, context, each

_NS = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class Aiohttp(Client):
    """bare aiohttp as its documentation shows it: eight parts in flight, plain loops over files"""

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
        count = 0
        async for root in self._pages(LISTED, ""):
            for entry in root.iter(f"{_NS}Contents"):
                found = {child.tag[len(_NS) :]: child.text for child in entry}
                count += bool(found["Key"])
        return count

    async def names(self) -> list[str]:
        pages = [root async for root in self._pages(BUCKET, f"&prefix={PREFIX}")]
        return [key.text or "" for root in pages for key in root.iter(f"{_NS}Key")]

    async def _pages(self, bucket: str, query: str) -> AsyncIterator[Any]:
        from xml.etree import ElementTree

        token = ""
        while True:
            async with self.session.get(f"{self.store.endpoint}/{bucket}?list-type=2{query}{token}") as response:
                root = ElementTree.fromstring(await response.read())
            yield root
            if root.findtext(f"{_NS}IsTruncated") != "true":
                return
            token = f"&continuation-token={root.findtext(f'{_NS}NextContinuationToken')}"

    async def stream(self, key: str) -> int:
        count = 0
        async with self.session.get(self.url(key)) as response:
            response.raise_for_status()
            async for chunk in response.content.iter_any():
                count += len(chunk)
        return count

    async def upload(self, path: Path) -> None:
        with path.open("rb") as file:
            await self._parts(path.stat().st_size, lambda start: asyncio.to_thread(os.pread, file.fileno(), PART, start))

    async def upload_memory(self, data: bytes) -> None:
        view = memoryview(data)

        async def part(start: int) -> memoryview:
            return view[start : start + PART]

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

    @classmethod
    def command(cls, what: str) -> list[str]:
        return ["-c", "import aiohttp"]


class AiohttpPydantic(Aiohttp):
    """`import aiohttp`, `from pydantic import BaseModel`, and a session: the two libraries below aiocos"""

    async def __aenter__(self) -> Client:
        from pydantic import BaseModel  # noqa: F401

        return await super().__aenter__()

    @classmethod
    def command(cls, what: str) -> list[str]:
        return ["-c", "import aiohttp; from pydantic import BaseModel"]


class AiohttpTuned(Aiohttp):
    """aiohttp's session with the fastest public settings"""

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

    async def names(self) -> list[str]:
        raise Missing

    async def stream(self, key: str) -> int:
        raise Missing

    async def upload(self, path: Path) -> None:
        raise Missing

    async def upload_memory(self, data: bytes) -> None:
        raise Missing

    async def download(self, key: str, path: Path) -> None:
        raise Missing

    async def upload_many(self, folder: Path) -> None:
        raise Missing


class AiohttpFloor(AiohttpTuned):
    """aiohttp's connector and protocol without a session: the lower bound for clients built on them"""

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


class Python(Client):
    """Python alone: `python -c pass`"""

    @classmethod
    def command(cls, what: str) -> list[str]:
        return ["-c", "pass"]


class Hashlib(Client):
    """`hashlib.md5` of the same bytes, in pieces of 256 KiB, without any request"""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        import servers

        self.piece = memoryview(servers.block(256 << 10))

    async def stream(self, key: str) -> int:
        import hashlib

        import servers

        md5, count = hashlib.md5(usedforsecurity=False), 0
        while count < servers.STREAM:
            md5.update(self.piece)
            count += len(self.piece)
        md5.digest()
        return count

"""Made-up responses to reads, and an engine that returns them."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from multidict import CIMultiDict

import aiocos
from aiocos.errors import ConnectionLostError
from aiocos.net.retry import RetryBudget
from aiocos.net.streamed_response import StreamedResponse
from aiocos.object_stream import ObjectStream
from aiocos.operations.buckets import BucketInfo
from aiocos.operations.objects import GetObject

WHOLE = b"0123456789" * 10
MD5 = f'"{hashlib.md5(WHOLE).hexdigest()}"'
WRONG = f'"{"5" * 32}"'


class ChunkedResponse(StreamedResponse):
    """A response whose body has these chunks; an exception among them is raised."""

    def __init__(self, *chunks: bytes | Exception, status: int = 200, arrived: bool = False, **headers: str) -> None:
        self.status = status
        self.chunks = list(chunks)
        length = sum(len(one) for one in chunks if isinstance(one, bytes))
        given = {"Content-Length": str(length), "ETag": MD5} | {n.replace("_", "-"): v for n, v in headers.items()}
        self.headers = CIMultiDict({name: value for name, value in given.items() if value})
        self.closed = False
        self.has_arrived = arrived

    async def chunk(self) -> bytes:
        await asyncio.sleep(0)
        one = self.chunks.pop(0) if self.chunks else b""
        if isinstance(one, Exception):
            raise one
        return one

    def read_nowait(self) -> bytes | None:
        return b"".join(self.chunks) if self.has_arrived else None  # type: ignore[arg-type]

    def close(self) -> None:
        self.closed = True

    @property
    def request_name(self) -> str:
        return "a response"


class ReadEngine:
    """An engine that returns one response after the other; `connections` is the owner of the client's connections."""

    def __init__(self, *responses: Any, bucket: Any = None, **retry: Any) -> None:
        config = aiocos.ClientConfig(retry=aiocos.RetryConfig(**{"attempts": 3, "base": 0.001, "cap": 0.001, **retry}))
        self.config, self.budget, self.connections = config, RetryBudget(config.retry), object()
        self.replies, self.opened, self.called = list(responses), [], []
        self.bucket = bucket or BucketInfo()

    async def open(self, operation: Any) -> Any:
        self.opened.append(operation)
        await asyncio.sleep(0)
        one = self.replies.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    async def call(self, operation: Any) -> Any:
        self.called.append(operation)
        return self.bucket


def stream_of(*responses: Any, operation: GetObject | None = None, **more: Any) -> tuple[ObjectStream, Any]:
    engine: Any = ReadEngine(*responses, **more)
    return ObjectStream(engine, operation or GetObject("bucket", "k")), engine


BROKEN = ConnectionLostError("broken", sent=True)

"""The bytes that IBM's SDK and this library put on the wire for the same call, as a server receives them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import ibm_boto3 as theirs
from ibm_botocore import UNSIGNED as THEIR_UNSIGNED
from ibm_botocore.config import Config as TheirConfig

from aiocos import ibm_boto3
from aiocos.ibm_boto3 import UNSIGNED, Config, S3Client

# What each side adds of itself, and how it frames a connection.
_ADDED = {
    b"accept",
    b"accept-encoding",
    b"amz-sdk-invocation-id",
    b"amz-sdk-request",
    b"connection",
    b"expect",
    b"host",
    b"user-agent",
}
# Either is a checksum of the body; which one is the sender's choice.
_CHECKSUMS = {b"content-md5", b"x-amz-checksum-crc32", b"x-amz-sdk-checksum-algorithm"}


@dataclass
class Received:
    """A request as it came."""

    line: bytes
    headers: dict[bytes, bytes]
    body: bytes

    def comparable(self) -> dict[str, Any]:
        """The request without what a sender may choose: the order of headers and queries, and the form of an XML document."""
        method, target, _ = self.line.split(b" ")
        path, _, query = target.partition(b"?")
        pairs = sorted(part if b"=" in part else part + b"=" for part in query.split(b"&") if part)
        document = self.body.startswith((b"<?xml", b"<"))
        kept = {name: value for name, value in self.headers.items() if name not in _ADDED | _CHECKSUMS}
        if document:
            kept.pop(b"content-length", None)
        # Both send the same of no body.
        if kept.get(b"content-length") == b"0":
            del kept[b"content-length"]
        return {
            "method": method,
            "path": path,
            "query": [pair for pair in pairs if pair != b"encoding-type=url"],
            "headers": dict(sorted(kept.items())),
            "checksum": bool(_CHECKSUMS & self.headers.keys()),
            "body": _tree(self.body) if document else self.body,
        }


def _tree(data: bytes) -> Any:
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError:
        return data

    def of(element: ElementTree.Element) -> Any:
        return element.tag.rpartition("}")[2], dict(element.attrib), (element.text or ""), sorted(map(of, element), key=repr)

    return of(root)


@dataclass
class Catcher:
    """A server that keeps what it receives, and answers every request with an empty success."""

    endpoint: str = ""
    received: list[Received] = field(default_factory=list[Received])

    def take(self) -> list[Received]:
        """What has come since the last time."""
        taken, self.received[:] = self.received[:], []
        return taken

    def serve(self, connection: socket.socket) -> None:
        """Answer on a connection until it is closed."""
        with connection, connection.makefile("rb") as file:
            while line := file.readline().strip():
                headers: dict[bytes, bytes] = {}
                while header := file.readline().rstrip(b"\r\n"):
                    name, _, value = header.partition(b":")
                    headers[name.lower()] = value.strip(b" ")
                if b"100-continue" in headers.get(b"expect", b"").lower():
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = file.read(int(headers.get(b"content-length", b"0")))
                self.received.append(Received(line, headers, body))
                connection.sendall(b'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 0\r\n\r\n')


@contextlib.contextmanager
def catching() -> Generator[Catcher]:
    """Run a server that keeps what it receives."""
    catcher = Catcher()
    with socket.create_server(("127.0.0.1", 0)) as server:
        catcher.endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=_served, args=(catcher, connection), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield catcher
        server.shutdown(socket.SHUT_RDWR)


def _served(catcher: Catcher, connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        catcher.serve(connection)


class Both:
    """Both SDKs, nobody's requests, at one such server."""

    def __init__(self, catcher: Catcher) -> None:
        self.catcher = catcher
        config = TheirConfig(signature_version=THEIR_UNSIGNED, retries={"max_attempts": 0})
        self.sdk: Any = theirs.client("s3", endpoint_url=catcher.endpoint, region_name="us-south", config=config)
        self.client: S3Client = ibm_boto3.client(
            "s3", endpoint_url=catcher.endpoint, config=Config(signature_version=UNSIGNED, retries={"max_attempts": 0})
        )

    async def call_sdk(self, method: str, arguments: dict[str, Any]) -> list[Received]:
        """What IBM's SDK sends. It may not like the empty answer."""
        self.catcher.take()
        with contextlib.suppress(Exception):
            await asyncio.to_thread(lambda: getattr(self.sdk, method)(**arguments))
        return self.catcher.take()

    async def call_client(self, method: str, arguments: dict[str, Any]) -> list[Received]:
        """What the client sends."""
        self.catcher.take()
        with contextlib.suppress(Exception):
            await getattr(self.client, method)(**arguments)
        return self.catcher.take()

    async def close(self) -> None:
        """Close both."""
        await self.client.close()
        self.sdk.close()

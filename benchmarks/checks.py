"""Find out what a client checks, by experiment.

A server in this process returns damaged bytes, which do not have their checksum, or a wrong ETag or checksum in the response to
a write. A client that checks it fails; the others return as if nothing had happened. The server also records which checksums
the client sends.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import servers
from servers import PART

# Below: objects in one piece, above: in parts and ranges.
_SMALL, _LARGE = 64 << 10, 3 * PART
_NAMES = {
    "content-md5": "MD5",
    "x-amz-checksum-crc32": "CRC32",
    "x-amz-checksum-crc32c": "CRC32C",
    "x-amz-checksum-crc64nvme": "CRC64NVME",
    "x-amz-checksum-sha1": "SHA-1",
    "x-amz-checksum-sha256": "SHA-256",
}


class _Server:
    """Answers one request after the other on each connection."""

    def __init__(self) -> None:
        self.damage = ""
        """What is wrong with the next responses: "body", "etag", "checksum" or nothing."""
        self.sent: set[str] = set()
        """Checksums that requests had."""
        data = servers.block(_SMALL)
        self.objects = {
            "etag": servers.Large(_LARGE, servers.composite(_LARGE), {}),
            "crc32": servers.Large(_LARGE, servers.composite(_LARGE), {"crc32": servers.crc32(_LARGE)}),
            "crc64": servers.Large(_LARGE, servers.composite(_LARGE), {"crc64nvme": servers.crc64nvme_of(_LARGE)}),
            "small": servers.Large(_SMALL, hashlib.md5(data).hexdigest(), {"crc64nvme": servers.crc64nvme(data)}),
            "md5": servers.Large(_SMALL, hashlib.md5(data).hexdigest(), {}),
        }
        self._body = servers.block(_LARGE)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = [line.split(":", 1) for line in head.decode("latin-1").split("\r\n")[1:] if line]
                headers = {name.lower(): value.strip() for name, value in lines}
                if "100" in headers.get("expect", ""):
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = await self._read(reader, headers)
                writer.write(self._answer(head.split(b" ")[0].decode(), head.split(b" ")[1].decode(), headers, body))
                await writer.drain()
        writer.close()

    async def _read(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return await reader.readexactly(int(headers.get("content-length") or 0))
        parts: list[bytes] = []
        while length := int((await reader.readline()).partition(b";")[0], 16):
            parts.append(await reader.readexactly(length))
            await reader.readline()
        await reader.readline()
        return b"".join(parts)

    def _answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        path, _, query = target.partition("?")
        key = path.rpartition("/")[2]
        if method == "POST":
            made = servers.CREATED if query.startswith("uploads") else servers.completed(_LARGE)
            return _response(200, {}, made.encode())
        if method == "DELETE":
            return _response(204, {}, b"")
        if method == "PUT":
            return self._put(headers, body)
        one = self.objects.get(key)
        if one is None:
            return _response(200, {}, b"", method)
        said = {"ETag": f'"{one.etag}"', "Last-Modified": servers.MODIFIED}
        data, status = self._body[: one.size], 200
        if self.damage == "body":
            data = data[: one.size // 2] + bytes([data[one.size // 2] ^ 1]) + data[one.size // 2 + 1 :]
        if one.parts and "partNumber=" in query:
            said["x-amz-mp-parts-count"], data = str(one.parts), data[:PART]
        elif found := re.match(r"bytes=(\d+)-(\d*)", headers.get("range", "")):
            first, last = int(found[1]), min(int(found[2] or one.size), one.size - 1)
            said["Content-Range"], status = f"bytes {first}-{last}/{one.size}", 206
            data = data[first : last + 1]
        elif headers.get("x-amz-checksum-mode") == "ENABLED" and one.checksums:
            said |= {f"x-amz-checksum-{name}": value for name, value in one.checksums.items()}
            said["x-amz-checksum-type"] = "FULL_OBJECT"
        return _response(status, said, data, method)

    def _put(self, headers: dict[str, str], body: bytes) -> bytes:
        self.sent |= {label for name, label in _NAMES.items() if name in headers}
        self.sent |= {label for name, label in _NAMES.items() if headers.get("x-amz-trailer") == name}
        if re.fullmatch("[0-9a-f]{64}", headers.get("x-amz-content-sha256", "")):
            self.sent.add("SHA-256 (signature)")
        said = {name: value for name, value in headers.items() if name in _NAMES and name != "content-md5"}
        if self.damage == "checksum":
            said = {name: ("A" if value[0] != "A" else "B") + value[1:] for name, value in said.items()}
        etag = "0" * 32 if self.damage == "etag" else hashlib.md5(body).hexdigest()
        return _response(200, {"ETag": f'"{etag}"', **said}, b"")


def _response(status: int, said: dict[str, str], body: bytes, method: str = "GET") -> bytes:
    lines = [f"HTTP/1.1 {status} OK", f"Content-Length: {len(body)}", "x-amz-request-id: 0123456789"]
    lines += [f"{name}: {value}" for name, value in said.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body if method != "HEAD" else b"")


async def probe(name: str, folder: Path) -> dict[str, Any]:
    """Return what a client sends (`sends`), compares in responses to writes (`writes`), and verifies when it reads (`reads`).

    The entries of `reads` are `METHOD:KIND`, such as `stream:crc64`. `file` is one of many files of a directory.
    A `small` object has an MD5 as its ETag and a CRC64NVME; the others have what their name says.
    """
    import clients

    server = _Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1 << 20)
    endpoint = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    kind = clients.CLIENTS[name]

    async def notices(damage: str, call: Callable[[Any], Awaitable[object]]) -> bool | None:
        """Return True if a call fails with a damage and not without, None if the client has no such call."""
        async with kind(clients.Store(endpoint, None, 64)) as client:
            try:
                server.damage = ""
                await call(client)
                server.damage = damage
                await asyncio.wait_for(call(client), 60)
            except clients.Missing:
                return None
            except AssertionError:  # the client says itself that the bytes are not verified
                return False
            except Exception:
                if not server.damage:
                    raise
                return True
        return False

    data, big = servers.small("k"), servers.block(_LARGE)
    writes: dict[str, bool | None] = {
        damage: await notices(damage, lambda client: client.put("k", data)) for damage in ("etag", "checksum")
    }
    sends = sorted(server.sent)
    server.sent.clear()
    writes["part-etag"] = await notices("etag", lambda client: client.upload_memory(big))
    writes["part-checksum"] = await notices("checksum", lambda client: client.upload_memory(big))
    reads = {
        "get:small": await notices("body", lambda client: client.get("small")),
        "open:small": await notices("body", lambda client: client.open("small")),
        "file:small": await notices("body", lambda client: client.get_file("small", folder / "f")),
    }
    for which in ("md5", "crc32", "crc64"):
        reads[f"stream:{which}"] = await notices("body", lambda client, which=which: client.stream(which))
    for which in ("etag", "crc32", "crc64"):
        reads[f"download:{which}"] = await notices(
            "body", lambda client, which=which: client.download(which, folder / f"down-{which}")
        )
    if all(found is None for found in (*writes.values(), *reads.values())):
        raise clients.Missing
    return {
        "sends": sends,
        "sends-parts": sorted(server.sent),
        "writes": [key for key, found in writes.items() if found],
        "reads": [key for key, found in reads.items() if found],
    }

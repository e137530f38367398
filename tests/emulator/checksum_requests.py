"""Requests with checksums, in a header or in the trailer of an aws-chunked body."""

from __future__ import annotations

from aiocos.emulator.checksums import ALGORITHMS
from aiocos.wire import checksum
from aiocos.wire.checksum import Algorithm

from .conftest import Raw, RawResponse

CRCS: tuple[Algorithm, ...] = ("crc32", "crc32c", "crc64nvme")
COMPOSITE: tuple[Algorithm, ...] = tuple(name for name in ALGORITHMS if name != "crc64nvme")
PLACES = ("header", "trailer")


def header(name: str) -> str:
    return f"x-amz-checksum-{name}"


def value(name: Algorithm, *data: bytes) -> str:
    """The checksum of the joined bytes, base64."""
    return checksum.encode(checksum.compute(name, b"".join(data)))


def composite(name: Algorithm, *parts: bytes) -> str:
    """The checksum of the checksums, with the number of parts."""
    return f"{value(name, *(checksum.compute(name, part) for part in parts))}-{len(parts)}"


async def put_with(raw: Raw, target: str, body: bytes, name: str, text: str, place: str = "header") -> RawResponse:
    """PUT a body with the checksum `text`."""
    if place == "header":
        return await raw.send("PUT", target, body, {header(name): text})
    headers = {
        "Content-Encoding": "aws-chunked",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(len(body)),
        "x-amz-trailer": header(name),
    }
    chunks = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    return await raw.send("PUT", target, chunks + f"0\r\n{header(name)}:{text}\r\n\r\n".encode(), headers)


def sums_of(response: RawResponse) -> dict[str, str]:
    """The checksum headers of a response, without their prefix."""
    prefix = "x-amz-checksum-"
    return {n.lower().removeprefix(prefix): v for n, v in response.headers.items() if n.lower().startswith(prefix)}


async def read_sums(raw: Raw, target: str, **headers: str) -> dict[str, str]:
    """The checksum headers of a HEAD, which are those of a GET."""
    head = await raw.head(target, x_amz_checksum_mode="ENABLED", **headers)
    got = await raw.get(target, x_amz_checksum_mode="ENABLED", **headers)
    assert (head.status, sums_of(head)) == (got.status, sums_of(got))
    assert sums_of(await raw.get(target, **headers)) == {}
    return sums_of(head)

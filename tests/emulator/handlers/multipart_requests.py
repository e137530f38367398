"""Requests of multipart uploads."""

import hashlib
from collections.abc import Sequence

from ..conftest import Raw, RawResponse

MIN = 5 * 1024 * 1024


async def begin(raw: Raw, key: str = "key", **headers: str) -> str:
    response = await raw.post(f"/bucket/{key}?uploads", **headers)
    assert response.xml.tag == "InitiateMultipartUploadResult"
    return response.texts("UploadId")[0]


async def part(raw: Raw, upload: str, number: int, body: bytes, key: str = "key", **headers: str) -> RawResponse:
    return await raw.put(f"/bucket/{key}?partNumber={number}&uploadId={upload}", body, **headers)


async def complete(raw: Raw, upload: str, parts: Sequence[tuple[int, str]], key: str = "key", **headers: str) -> RawResponse:
    inner = "".join(f"<Part><ETag>{tag}</ETag><PartNumber>{number}</PartNumber></Part>" for number, tag in parts)
    body = f"<CompleteMultipartUpload>{inner}</CompleteMultipartUpload>".encode()
    return await raw.post(f"/bucket/{key}?uploadId={upload}", body, **headers)


def composite(*bodies: bytes) -> str:
    joined = b"".join(hashlib.md5(b).digest() for b in bodies)
    return f'"{hashlib.md5(joined).hexdigest()}-{len(bodies)}"'

"""Encryption with customer keys (SSE-C)."""

import base64
import hashlib
import os

from ..conftest import Raw, etag, md5


def ssec(key: bytes, prefix: str = "") -> dict[str, str]:
    start = f"x-amz-{prefix}server-side-encryption-customer-"
    return {
        f"{start}algorithm": "AES256",
        f"{start}key": base64.b64encode(key).decode(),
        f"{start}key-MD5": base64.b64encode(hashlib.md5(key).digest()).decode(),
    }


async def test_an_object_with_a_customer_key_needs_the_key(raw: Raw) -> None:
    key, other = os.urandom(32), os.urandom(32)
    put = await raw.send("PUT", "/bucket/key", b"secret", ssec(key))
    assert put.headers["x-amz-server-side-encryption-customer-algorithm"] == "AES256"
    assert put.headers["x-amz-server-side-encryption-customer-key-MD5"] == base64.b64encode(hashlib.md5(key).digest()).decode()
    assert put.headers["ETag"] != etag(b"secret")
    assert (await raw.send("GET", "/bucket/key", headers=ssec(key))).body == b"secret"
    without = await raw.get("/bucket/key")
    assert (without.status, without.code) == (400, "InvalidRequest")
    wrong = await raw.send("GET", "/bucket/key", headers=ssec(other))
    assert (wrong.status, wrong.code) == (403, "AccessDenied")
    bent = ssec(key) | {"x-amz-server-side-encryption-customer-key-MD5": md5(b"")}
    assert (await raw.send("GET", "/bucket/key", headers=bent)).status == 400
    copy = {"x-amz-copy-source": "/bucket/key", **ssec(key, "copy-source-"), **ssec(other)}
    assert (await raw.send("PUT", "/bucket/copy", headers=copy)).status == 200
    assert (await raw.send("GET", "/bucket/copy", headers=ssec(other))).body == b"secret"
    assert (await raw.put("/bucket/copy", x_amz_copy_source="bucket/key")).code == "InvalidRequest"

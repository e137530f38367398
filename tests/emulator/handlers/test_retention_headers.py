"""Retention headers of PUT."""

import json

from ..conftest import Raw, md5


async def test_retention_headers_need_a_retention_policy(raw: Raw) -> None:
    for name, value in {
        "Retention-Period": "60",
        "Retention-Expiration-Date": "2099-01-01T00:00:00Z",
        "Retention-Legal-Hold-ID": "hold",
    }.items():
        response = await raw.send("PUT", "/bucket/key", b"x", {name: value, "Content-MD5": md5(b"x")})
        assert (response.status, response.code) == (400, "InvalidRequest")
        copied = await raw.send("PUT", "/bucket/copy", headers={"x-amz-copy-source": "bucket/key", name: value})
        assert copied.status in (400, 404)
    assert (await raw.get("/bucket/key")).status == 404


async def test_retention_headers_are_stored_and_returned(raw: Raw) -> None:
    settings = json.dumps({"protection": '{"minimum": 0, "default": 1, "maximum": 10}'})
    await raw.emulator.store.write(lambda t: t.execute("UPDATE buckets SET settings = ?", (settings,)) and None)
    assert (await raw.put("/bucket/key", b"x")).code == "InvalidRequest"
    put = await raw.put("/bucket/key", b"x", Content_MD5=md5(b"x"), Retention_Period="3600", Retention_Legal_Hold_ID="h")
    assert put.status == 200
    head = await raw.head("/bucket/key")
    assert (head.headers["Retention-Period"], head.headers["Retention-Legal-Hold-Count"]) == ("3600", "1")
    assert head.headers["Retention-Expiration-Date"].endswith("Z")
    for response in (await raw.delete("/bucket/key"), await raw.put("/bucket/key", b"y", Content_MD5=md5(b"y"))):
        assert (response.status, response.code) == (403, "AccessDenied")
    assert (await raw.put("/bucket/k2", b"x", Content_MD5=md5(b"x"), Retention_Period=str(11 * 86400))).status == 400
    assert (await raw.put("/bucket/k3", b"x", Content_MD5=md5(b"x"))).status == 200
    assert (await raw.delete("/bucket/k3")).status == 403
    raw.emulator.clock.advance(86401)
    raw.token = raw.emulator.iam.issue(raw.emulator.instance)
    assert (await raw.delete("/bucket/k3")).status == 204

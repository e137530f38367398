"""DeleteObject and DeleteObjects."""

import pytest

from ..conftest import Raw, md5


async def test_deleting_an_object_twice_succeeds(raw: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    for _ in range(2):
        response = await raw.delete("/bucket/key")
        assert (response.status, response.body) == (204, b"")
    assert (await raw.get("/bucket/key")).code == "NoSuchKey"
    assert (await raw.delete("/nowhere/key")).code == "NoSuchBucket"


async def test_delete_objects_reports_each_object(raw: Raw) -> None:
    for key in "abc":
        await raw.put(f"/bucket/{key}", b"x")
    body = b"<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object><Object><Key></Key></Object></Delete>"
    response = await raw.post("/bucket?delete", body, Content_MD5=md5(body))
    assert response.texts("Deleted/Key") == ["a", "none"]
    assert response.texts("Error/Code") == ["UserKeyMustBeSpecified"]
    quiet = b"<Delete><Quiet>true</Quiet><Object><Key>b</Key></Object></Delete>"
    response = await raw.post("/bucket?delete", quiet, Content_MD5=md5(quiet))
    assert (response.status, list(response.xml)) == (200, [])
    assert (await raw.get("/bucket")).texts("Contents/Key") == ["c"]
    for refused, code in [(body, "InvalidRequest")]:
        assert (await raw.post("/bucket?delete", refused)).code == code
    assert (await raw.post("/bucket?delete", body, Content_MD5=md5(quiet))).code == "BadDigest"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "MissingRequestBodyError"),
        (b"<Delete>", "MalformedXML"),
        (b"<Delete/>", "MalformedXML"),
        (b'<!DOCTYPE d [<!ENTITY x "y">]><Delete><Object><Key>&x;</Key></Object></Delete>', "MalformedXML"),
        (b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>", "MalformedXML"),
    ],
)
async def test_an_invalid_delete_objects_request_is_refused(raw: Raw, body: bytes, code: str) -> None:
    response = await raw.post("/bucket?delete", body, Content_MD5=md5(body))
    assert (response.status, response.code) == (400, code)

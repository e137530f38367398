"""Dispatch of requests: who may send them, and what is not supported."""

import pytest

from .conftest import Raw


async def test_a_bucket_of_another_instance_cannot_be_accessed(raw: Raw, other_instance: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    for method, target in [
        ("GET", "/bucket"),
        ("GET", "/bucket/key"),
        ("PUT", "/bucket/key"),
        ("DELETE", "/bucket"),
        ("GET", "/bucket?acl"),
    ]:
        response = await other_instance.send(method, target)
        assert (response.status, response.code) == (403, "AccessDenied"), (method, target)
    assert (await other_instance.head("/bucket")).status == 403


async def test_anonymous_requests_are_refused(anonymous: Raw, raw: Raw) -> None:
    for method, target in [("GET", "/"), ("PUT", "/mine"), ("GET", "/bucket"), ("GET", "/bucket/key"), ("PUT", "/bucket/key")]:
        assert (await anonymous.send(method, target)).status == 403


async def test_the_expected_bucket_owner_is_checked(raw: Raw) -> None:
    instance = raw.emulator.instance
    account = instance.crn.split(":a/")[1].split(":")[0]
    for right in (instance.guid, instance.crn, account):
        assert (await raw.get("/bucket?location", x_amz_expected_bucket_owner=right)).status == 200
    assert (await raw.get("/bucket?location", x_amz_expected_bucket_owner="somebody")).code == "AccessDenied"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/bucket?policy"), ("PUT", "/bucket?policy"), ("DELETE", "/bucket?policy"), ("GET", "/bucket?inventory"),
        ("PUT", "/bucket?encryption"), ("DELETE", "/bucket?metrics"), ("PUT", "/bucket?accelerate"), ("POST", "/bucket"),
        ("GET", "/bucket/key?torrent"), ("PUT", "/bucket/key?torrent"), ("DELETE", "/bucket/key?uploads"),
        ("POST", "/bucket/key?select"), ("POST", "/bucket/key"), ("PATCH", "/bucket/key"), ("GET", "/bucket/key?uploads"),
    ],
)  # fmt: skip
async def test_an_unsupported_operation_is_501_and_changes_nothing(raw: Raw, method: str, target: str) -> None:
    await raw.put("/bucket/key", b"kept")
    response = await raw.send(method, target, b"body" if method == "PUT" else None)
    assert (response.status, response.code) == (501, "NotImplemented")
    assert (await raw.get("/bucket/key")).body == b"kept"

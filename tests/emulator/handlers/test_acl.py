"""Access control lists of buckets and objects, and the access that they give to others."""

import pytest

from ..conftest import Raw

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


async def test_by_default_only_the_owner_has_access(raw: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    for target in ("/bucket?acl", "/bucket/key?acl"):
        response = await raw.get(target)
        assert response.xml.tag == "AccessControlPolicy"
        assert response.texts("Owner/ID") == [raw.emulator.instance.guid]
        assert response.texts("AccessControlList/Grant/Permission") == ["FULL_CONTROL"]
        assert response.texts("AccessControlList/Grant/Grantee/ID") == [raw.emulator.instance.guid]
    assert (await raw.get("/bucket/none?acl")).code == "NoSuchKey"


async def test_anyone_can_read_a_public_object_and_nothing_else(raw: Raw, anonymous: Raw) -> None:
    await raw.put("/bucket/key", b"x", x_amz_acl="public-read")
    await raw.put("/bucket/other", b"x")
    assert (await anonymous.get("/bucket/key")).body == b"x"
    assert (await anonymous.head("/bucket/key")).status == 200
    for method, target in [
        ("GET", "/bucket/other"),
        ("GET", "/bucket/none"),
        ("PUT", "/bucket/key"),
        ("DELETE", "/bucket/key"),
        ("GET", "/bucket"),
        ("GET", "/bucket/key?acl"),
        ("PUT", "/bucket/key?acl"),
    ]:
        assert (await anonymous.send(method, target)).status == 403, (method, target)
    assert (await raw.put("/bucket/key?acl", x_amz_acl="")).status == 200
    assert (await anonymous.get("/bucket/key")).status == 403


async def test_anyone_can_list_a_public_bucket(raw: Raw, anonymous: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    await raw.put("/bucket?acl", x_amz_acl="public-read")
    assert (await anonymous.get("/bucket")).texts("Contents/Key") == ["key"]
    assert (await anonymous.get("/bucket/none")).code == "NoSuchKey"
    assert (await anonymous.put("/bucket/new", b"x")).status == 403
    await raw.put("/bucket?acl", x_amz_acl="public-read-write")
    assert (await anonymous.put("/bucket/new", b"x")).status == 200
    assert (await raw.get("/bucket/new?acl")).texts("Owner/ID") == [raw.emulator.instance.guid]


async def test_a_grant_to_everybody_in_a_document_makes_an_object_public(raw: Raw, anonymous: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    own = (await raw.get("/bucket/key?acl")).body
    grant = (
        '<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group">'
        f"<URI>{EVERYBODY}</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList>"
    )
    public = own.replace(b"</AccessControlList>", grant.encode())
    assert (await raw.put("/bucket/key?acl", public)).status == 200
    response = await raw.get("/bucket/key?acl")
    assert response.texts("AccessControlList/Grant/Permission") == ["FULL_CONTROL", "READ"]
    assert response.texts("AccessControlList/Grant/Grantee/URI") == [EVERYBODY]
    assert (await anonymous.get("/bucket/key")).body == b"x"
    assert (await raw.put("/bucket/key?acl", own)).status == 200
    assert (await anonymous.get("/bucket/key")).status == 403
    somebody = own.replace(b"</AccessControlList>", grant.replace(f"<URI>{EVERYBODY}</URI>", "<ID>me</ID>").encode())
    assert (await raw.put("/bucket/key?acl", somebody)).code == "NotImplemented"


@pytest.mark.parametrize("target", ["/bucket?acl", "/bucket/key?acl"])
async def test_invalid_acl_requests_are_refused(raw: Raw, target: str) -> None:
    await raw.put("/bucket/key", b"x")
    assert (await raw.put(target, x_amz_acl="nonsense")).code == "InvalidArgument"
    assert (await raw.put(target)).code == "MissingRequestBodyError"
    assert (await raw.put(target, b"<AccessControlPolicy>")).code == "MalformedXML"
    assert (await raw.put(target, b"<!DOCTYPE x><AccessControlPolicy/>")).code == "MalformedXML"
    assert (await raw.put(target, x_amz_grant_read='id="me"')).code == "NotImplemented"


def _policy(*grants: str) -> bytes:
    inner = "".join(f"<Grant>{grant}</Grant>" for grant in grants)
    return f"<AccessControlPolicy><AccessControlList>{inner}</AccessControlList></AccessControlPolicy>".encode()


def _to(group: str, permission: str = "READ", extra: str = "") -> str:
    uri = f"<URI>http://acs.amazonaws.com/groups/{group}</URI>"
    return f"<Grantee>{extra}{uri}</Grantee><Permission>{permission}</Permission>"


@pytest.mark.parametrize("target", ["/bucket", "/bucket/key"])
async def test_the_grant_with_the_most_access_applies(raw: Raw, anonymous: Raw, target: str) -> None:
    await raw.put("/bucket/key", b"x")
    everybody, authenticated = _to("global/AllUsers"), _to("global/AuthenticatedUsers")
    for grants in ([everybody, authenticated], [authenticated, everybody]):
        assert (await raw.put(f"{target}?acl", _policy(*grants))).status == 200
        assert (await anonymous.get(target)).status == 200
    # `authenticated-read` gives anonymous callers no access, and is not reported as a grant.
    assert (await raw.put(f"{target}?acl", _policy(authenticated))).status == 200
    assert (await anonymous.get(target)).status == 403
    assert (await raw.get(f"{target}?acl")).texts("AccessControlList/Grant/Permission") == ["FULL_CONTROL"]


@pytest.mark.parametrize("target", ["/bucket?acl", "/bucket/key?acl"])
async def test_grants_that_the_emulator_cannot_enforce_are_refused(raw: Raw, target: str) -> None:
    await raw.put("/bucket/key", b"x")
    own = f"<ID>{raw.emulator.instance.guid}</ID>"
    for grant in (
        _to("global/AllUsers", "READ_ACP"),
        _to("global/AllUsers", "WRITE_ACP", own),
        _to("global/AuthenticatedUsers", "WRITE"),
        _to("s3/LogDelivery", "WRITE"),
        _to("s3/LogDelivery", "READ", own),
        "<Grantee><EmailAddress>me@ibm.com</EmailAddress></Grantee><Permission>READ</Permission>",
    ):
        response = await raw.put(target, _policy(grant))
        assert (response.status, response.code) == (501, "NotImplemented"), grant
    for grant in (_to("global/AllUsers", "SHARE"), "<Permission>READ</Permission>", f"<Grantee>{own}</Grantee>"):
        response = await raw.put(target, _policy(grant))
        assert (response.status, response.code) == (400, "MalformedXML"), grant


async def test_an_acl_document_that_was_read_can_be_written_back(raw: Raw, other_instance: Raw) -> None:
    """Includes the ACL of an object that another instance owns."""
    await raw.put("/bucket?acl", x_amz_acl="public-read-write")
    await other_instance.put("/bucket/theirs", b"x", x_amz_acl="public-read")
    for target in ("/bucket?acl", "/bucket/theirs?acl"):
        read = await raw.get(target)
        assert (await raw.put(target, read.body)).status == 200
        assert (await raw.get(target)).body == read.body

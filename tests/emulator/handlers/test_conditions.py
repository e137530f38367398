"""Conditions of reads and writes."""

import pytest

from ..conftest import Raw, etag


@pytest.mark.parametrize("text", ["0", "yesterday", "Thu, 01 Jan 1970 00:00:00 +99999999999", ""])
async def test_a_condition_with_an_invalid_date_is_ignored(raw: Raw, text: str) -> None:
    """RFC 9110 requires the recipient to ignore it."""
    await raw.put("/bucket/key", b"x")
    for name in ("If-Modified-Since", "If-Unmodified-Since"):
        assert (await raw.send("GET", "/bucket/key", headers={name: text})).status == 200, name


async def test_conditions_of_get_and_head(raw: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    tag = etag(b"x")
    past, future = "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2099 07:28:00 GMT"
    for headers, status in [
        ({"If-Match": tag}, 200),
        ({"If-Match": tag.strip('"')}, 200),
        ({"If-Match": f'"other", {tag}'}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-None-Match": tag}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Modified-Since": future}, 304),
        ({"If-Modified-Since": past}, 200),
        ({"If-Unmodified-Since": past}, 304),  # as the service documents it
        ({"If-Unmodified-Since": future}, 200),
        ({"If-Match": tag, "If-Unmodified-Since": past}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": future}, 200),
    ]:
        for method in ("GET", "HEAD"):
            response = await raw.send(method, "/bucket/key", headers=headers)
            assert response.status == status, headers
            if status == 304:
                assert (response.body, response.headers["ETag"]) == (b"", tag)


async def test_if_modified_since_with_the_objects_last_modified_is_304(raw: Raw) -> None:
    await raw.put("/bucket/key", b"x")
    modified = (await raw.head("/bucket/key")).headers["Last-Modified"]
    assert (await raw.get("/bucket/key", If_Modified_Since=modified)).status == 304


async def test_conditions_of_put(raw: Raw) -> None:
    assert (await raw.put("/bucket/key", b"1", If_None_Match="*")).status == 200
    assert (await raw.put("/bucket/key", b"2", If_None_Match="*")).code == "PreconditionFailed"
    assert (await raw.put("/bucket/key", b"2", If_Match=etag(b"0"))).code == "PreconditionFailed"
    assert (await raw.put("/bucket/none", b"2", If_Match="*")).code == "PreconditionFailed"
    assert (await raw.get("/bucket/key")).body == b"1"
    assert (await raw.put("/bucket/key", b"2", If_Match=etag(b"1"))).status == 200
    assert (await raw.put("/bucket/key", b"3", If_Unmodified_Since="Wed, 21 Oct 2015 07:28:00 GMT")).status == 412


async def test_only_one_of_many_conditional_puts_succeeds(raw: Raw) -> None:
    import asyncio

    responses = await asyncio.gather(*(raw.put("/bucket/key", b"%d" % n, If_None_Match="*") for n in range(20)))
    won = [n for n, response in enumerate(responses) if response.status == 200]
    assert len(won) == 1
    assert {a.status for a in responses} == {200, 412}
    assert (await raw.get("/bucket/key")).body == b"%d" % won[0]

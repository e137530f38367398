"""Multipart uploads."""

import asyncio
import os
from pathlib import Path

import aiohttp
import pytest
from tests.waiting import until

from aiocos.emulator import Emulator

from ..conftest import Raw, RawResponse, etag
from .multipart_requests import MIN, begin, complete, composite, part


async def test_an_upload_is_created_listed_and_completed(raw: Raw) -> None:
    first, second = os.urandom(MIN), os.urandom(1000)
    upload = await begin(raw, Content_Type="a/b", x_amz_meta_m="1")
    # Parts can be sent in any order, and a repeated part replaces the earlier one.
    assert (await part(raw, upload, 7, second)).headers["ETag"] == etag(second)
    assert (await part(raw, upload, 2, b"replaced")).status == 200
    assert (await part(raw, upload, 2, first)).status == 200
    assert (await raw.get("/bucket/key")).code == "NoSuchKey"
    done = await complete(raw, upload, [(2, etag(first)), (7, etag(second).strip('"'))])
    assert done.xml.tag == "CompleteMultipartUploadResult"
    assert done.texts("ETag") == [composite(first, second)]
    assert done.texts("Key") == ["key"]
    # The file of the replaced part was removed.
    assert raw.emulator.store.connection.execute("SELECT count(*) FROM blobs").fetchone() == (2,)
    got = await raw.get("/bucket/key")
    assert got.body == first + second
    assert (got.headers["ETag"], got.headers["Content-Type"], got.headers["x-amz-meta-m"]) == (
        composite(first, second),
        "a/b",
        "1",
    )
    across = await raw.get("/bucket/key", Range=f"bytes={MIN - 3}-{MIN + 2}")
    assert across.body == (first + second)[MIN - 3 : MIN + 3]
    assert (await complete(raw, upload, [(2, etag(first))])).code == "NoSuchUpload"
    assert (await part(raw, upload, 1, b"late")).code == "NoSuchUpload"


async def test_an_invalid_completion_is_refused_and_the_upload_stays_open(raw: Raw) -> None:
    small, large = b"small", os.urandom(MIN)
    upload = await begin(raw)
    await part(raw, upload, 1, small)
    await part(raw, upload, 2, large)
    await part(raw, upload, 3, small)
    for parts, code in [
        ([], "MalformedXML"),
        ([(3, etag(small)), (2, etag(large))], "InvalidPartOrder"),
        ([(2, etag(large)), (2, etag(large))], "InvalidPartOrder"),
        ([(2, etag(small))], "InvalidPart"),
        ([(4, etag(small))], "InvalidPart"),
        ([(1, etag(small)), (2, etag(large))], "EntityTooSmall"),
    ]:
        response = await complete(raw, upload, parts)
        assert (response.status, response.code) == (400, code), parts
    assert (await raw.post(f"/bucket/key?uploadId={upload}")).code in ("MissingRequestBodyError", "MalformedXML")
    assert (await raw.post(f"/bucket/key?uploadId={upload}", b"<nonsense")).code == "MalformedXML"
    # The upload is still open.
    assert (await complete(raw, upload, [(2, etag(large)), (3, etag(small))])).status == 200


async def test_an_unknown_upload_id_is_refused(raw: Raw) -> None:
    upload = await begin(raw)
    assert (await part(raw, "nonsense", 1, b"x")).code == "NoSuchUpload"
    assert (await part(raw, upload, 1, b"x", key="other")).code == "NoSuchUpload"
    assert (await complete(raw, "nonsense", [(1, etag(b"x"))])).code == "NoSuchUpload"
    assert (await raw.delete("/bucket/key?uploadId=nonsense")).code == "NoSuchUpload"
    assert (await raw.get("/bucket/key?uploadId=nonsense")).code == "NoSuchUpload"


async def test_an_aborted_upload_is_gone(raw: Raw) -> None:
    upload = await begin(raw)
    await part(raw, upload, 1, os.urandom(100_000))
    response = await raw.delete(f"/bucket/key?uploadId={upload}")
    assert (response.status, response.body) == (204, b"")
    assert (await raw.get(f"/bucket/key?uploadId={upload}")).code == "NoSuchUpload"
    await until(lambda: not list(raw.emulator.store.directory.glob("blobs/*/*")), "the files are removed")


async def test_conditions_of_a_completion_are_checked(raw: Raw) -> None:
    await raw.put("/bucket/key", b"old")
    upload = await begin(raw)
    await part(raw, upload, 1, b"new")
    refused = await complete(raw, upload, [(1, etag(b"new"))], If_None_Match="*")
    assert (refused.status, refused.code) == (412, "PreconditionFailed")
    assert (await raw.get("/bucket/key")).body == b"old"
    assert (await complete(raw, upload, [(1, etag(b"new"))], If_Match=etag(b"old"))).status == 200


async def test_parts_are_listed_in_pages(raw: Raw) -> None:
    upload = await begin(raw)
    for number in (1, 2, 5, 9):
        await part(raw, upload, number, b"x" * number)
    page = await raw.get(f"/bucket/key?uploadId={upload}&max-parts=2")
    assert page.texts("Part/PartNumber") == ["1", "2"]
    assert (page.texts("IsTruncated"), page.texts("NextPartNumberMarker")) == (["true"], ["2"])
    page = await raw.get(f"/bucket/key?uploadId={upload}&part-number-marker=2")
    assert (page.texts("Part/PartNumber"), page.texts("Part/Size")) == (["5", "9"], ["5", "9"])
    assert page.texts("Part/ETag") == [etag(b"x" * 5), etag(b"x" * 9)]
    assert page.texts("IsTruncated") == ["false"]


async def test_uploads_are_listed_in_pages(raw: Raw) -> None:
    created = sorted([(key, await begin(raw, key)) for key in ("a", "a", "b/1", "b/2", "c")])
    every = await raw.get("/bucket?uploads")
    assert list(zip(every.texts("Upload/Key"), every.texts("Upload/UploadId"), strict=True)) == created
    seen: list[tuple[str, str]] = []
    marker = ""
    while True:
        page = await raw.get(f"/bucket?uploads&max-uploads=1{marker}")
        seen += zip(page.texts("Upload/Key"), page.texts("Upload/UploadId"), strict=True)
        if page.texts("IsTruncated") == ["false"]:
            break
        marker = f"&key-marker={page.texts('NextKeyMarker')[0]}&upload-id-marker={page.texts('NextUploadIdMarker')[0]}"
    assert seen == created
    rolled = await raw.get("/bucket?uploads&delimiter=/")
    assert rolled.texts("CommonPrefixes/Prefix") == ["b/"]
    assert rolled.texts("Upload/Key") == ["a", "a", "c"]
    assert (await raw.get("/bucket?uploads&prefix=b/2")).texts("Upload/Key") == ["b/2"]
    assert (await raw.get("/bucket?uploads&key-marker=a")).texts("Upload/Key") == ["b/1", "b/2", "c"]


async def test_the_files_of_an_aborted_upload_are_removed(raw: Raw) -> None:
    from aiocos.emulator import Delay

    upload = await begin(raw)
    raw.emulator.faults.script([Delay(0.1, operation="UploadPart")])
    late = asyncio.create_task(part(raw, upload, 1, os.urandom(200_000)))
    await asyncio.sleep(0.02)
    await raw.delete(f"/bucket/key?uploadId={upload}")
    assert (await late).code == "NoSuchUpload"
    assert not list(raw.emulator.store.directory.glob("blobs/*/*"))
    assert not list(raw.emulator.store.directory.glob("incoming/*"))


async def test_keys_that_xml_cannot_represent_are_omitted(raw: Raw) -> None:
    response = await raw.post("/bucket/%01?uploads")
    upload = response.texts("UploadId")[0]
    await part(raw, upload, 1, b"x", key="%01")
    assert (await complete(raw, upload, [(1, etag(b"x"))], key="%01")).status == 200
    assert (await raw.get("/bucket/%01")).body == b"x"
    plain = await raw.get("/bucket")
    assert (plain.status, plain.code) == (400, "InvalidArgument")


async def put_key(raw: Raw, body: bytes = b"old", **headers: str) -> RawResponse:
    return await raw.put("/bucket/key", body, **headers)


async def test_forbid_overwrite_refuses_to_replace_an_object(raw: Raw) -> None:
    # The upload starts while there is no object. The completion checks again if it has the header.
    first, second = await begin(raw, x_ibm_forbid_overwrite="true"), await begin(raw)
    for upload in (first, second):
        await part(raw, upload, 1, b"new")
    assert (await put_key(raw, x_ibm_forbid_overwrite="true")).status == 200
    assert (await raw.put("/bucket/other", b"new")).status == 200
    writes = (
        await put_key(raw, b"new", x_ibm_forbid_overwrite="true"),
        await put_key(raw, b"new", x_ibm_forbid_overwrite="TRUE"),
        await raw.put("/bucket/key", x_amz_copy_source="bucket/other", x_ibm_forbid_overwrite="True"),
        await raw.post("/bucket/key?uploads", x_ibm_forbid_overwrite="true"),
        await complete(raw, second, [(1, etag(b"new"))], x_ibm_forbid_overwrite="true"),
    )
    assert [(response.status, response.code) for response in writes] == [(409, "ObjectAlreadyExists")] * len(writes)
    assert (await raw.get("/bucket/key")).body == b"old"
    assert len((await raw.get("/bucket?uploads")).xml.findall("Upload")) == 2
    # The header of the creation does not apply to the completion.
    assert (await complete(raw, first, [(1, etag(b"new"))])).status == 200
    assert (await raw.get("/bucket/key")).body == b"new"


@pytest.mark.parametrize("value", ["false", "False", "", "0", "yes"])
async def test_forbid_overwrite_with_a_value_other_than_true_is_ignored(raw: Raw, value: str) -> None:
    assert (await put_key(raw)).status == 200
    assert (await put_key(raw, b"new", x_ibm_forbid_overwrite=value)).status == 200


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
async def test_a_bucket_with_versioning_ignores_forbid_overwrite(raw: Raw, status: str) -> None:
    xml = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>".encode()
    assert (await raw.put("/bucket?versioning", xml)).status == 200
    assert (await put_key(raw)).status == 200
    assert (await put_key(raw, b"new", x_ibm_forbid_overwrite="true")).status == 200


@pytest.mark.parametrize("honors", [True, False])
async def test_the_emulator_can_ignore_conditions_of_completions(session: aiohttp.ClientSession, honors: bool) -> None:
    async with Emulator(honors_conditional_completion=honors, honors_forbid_overwrite=honors) as emulator:
        raw = Raw(emulator, session, emulator.instance)
        await raw.put("/bucket")
        uploads = [await begin(raw) for _ in range(4)]
        for upload in uploads:
            await part(raw, upload, 1, b"new")
        await put_key(raw)
        # Conditions of a PUT are always checked.
        assert (await put_key(raw, If_None_Match="*")).status == 412
        responses = (
            await complete(raw, uploads[0], [(1, etag(b"new"))], If_None_Match="*"),
            await complete(raw, uploads[1], [(1, etag(b"new"))], If_Match='"other"'),
            await complete(raw, uploads[2], [(1, etag(b"new"))], If_Unmodified_Since="Sat, 01 Jan 2000 00:00:00 GMT"),
            await complete(raw, uploads[3], [(1, etag(b"new"))], x_ibm_forbid_overwrite="true"),
        )
        assert [response.status for response in responses] == ([412, 412, 412, 409] if honors else [200] * 4)


async def test_a_repeated_completion_succeeds(raw: Raw) -> None:
    """The client may not have got the first response. A condition would now fail because of the object that it created."""
    upload = await begin(raw)
    for number, body in ((1, b"x" * MIN), (2, b"y")):
        await part(raw, upload, number, body)
    parts = [(1, etag(b"x" * MIN)), (2, etag(b"y"))]
    first = await complete(raw, upload, parts, If_None_Match="*", x_ibm_forbid_overwrite="true")
    assert first.status == 200
    for headers in ({"If_None_Match": "*", "x_ibm_forbid_overwrite": "true"}, {}, {"If_Match": '"other"'}):
        again = await complete(raw, upload, parts, **headers)
        assert (again.status, again.body) == (200, first.body)
    # Quotes around the ETag do not matter. Other parts or another key make it another request.
    assert (await complete(raw, upload, [(n, tag.strip('"')) for n, tag in parts])).body == first.body
    for others in (parts[:1], [(1, parts[0][1]), (3, parts[1][1])], [(1, parts[0][1]), (2, etag(b"z"))]):
        assert (await complete(raw, upload, others)).code == "NoSuchUpload"
    assert (await complete(raw, upload, parts, key="other")).code == "NoSuchUpload"
    assert (await raw.get(f"/bucket/key?uploadId={upload}")).code == "NoSuchUpload"
    assert (await raw.delete(f"/bucket/key?uploadId={upload}")).code == "NoSuchUpload"


async def test_a_repeated_completion_fails_after_its_version_was_removed(raw: Raw) -> None:
    for end in ("replaced", "deleted"):
        upload = await begin(raw)
        await part(raw, upload, 1, b"x")
        assert (await complete(raw, upload, [(1, etag(b"x"))])).status == 200
        if end == "replaced":
            assert (await put_key(raw)).status == 200
        else:
            assert (await raw.delete("/bucket/key")).status == 204
        assert (await complete(raw, upload, [(1, etag(b"x"))])).code == "NoSuchUpload"
        assert raw.emulator.store.connection.execute("SELECT count(*) FROM completions").fetchone() == (0,)
    # With versioning, the version still exists behind a newer one and behind a delete marker.
    xml = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert (await raw.put("/bucket?versioning", xml)).status == 200
    upload = await begin(raw)
    await part(raw, upload, 1, b"x")
    first = await complete(raw, upload, [(1, etag(b"x"))])
    version = first.headers["x-amz-version-id"]
    await put_key(raw)
    await raw.delete("/bucket/key")
    again = await complete(raw, upload, [(1, etag(b"x"))])
    assert (again.status, again.headers["x-amz-version-id"]) == (200, version)
    assert (await raw.delete(f"/bucket/key?versionId={version}")).status == 204
    assert (await complete(raw, upload, [(1, etag(b"x"))])).code == "NoSuchUpload"


async def test_a_repeated_completion_succeeds_after_a_restart(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    parts = [(1, etag(b"x"))]
    async with Emulator(tmp_path / "data") as emulator:
        raw = Raw(emulator, session, emulator.instance)
        await raw.put("/bucket")
        upload = await begin(raw)
        await part(raw, upload, 1, b"x")
        assert (await complete(raw, upload, parts)).status == 200
    async with Emulator(tmp_path / "data") as emulator:
        assert (await complete(Raw(emulator, session, emulator.instance), upload, parts)).status == 200


async def test_concurrent_completions_create_one_object(raw: Raw) -> None:
    upload = await begin(raw)
    await part(raw, upload, 1, b"x")
    responses = await asyncio.gather(*(complete(raw, upload, [(1, etag(b"x"))], If_None_Match="*") for _ in range(10)))
    assert {(response.status, response.body) for response in responses} == {(200, responses[0].body)}
    assert raw.emulator.store.connection.execute("SELECT count(*) FROM objects").fetchone() == (1,)

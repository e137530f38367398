"""Listings: order, markers, delimiters, encoding."""

import asyncio
from typing import Any
from urllib.parse import quote, unquote_plus

import pytest
from tests.parity.test_ibm_boto3 import sdk_client

from ..conftest import Raw, etag


async def fill(raw: Raw, *keys: str) -> None:
    for key in keys:
        assert (await raw.put(f"/bucket/{quote(key)}", key.encode())).status == 200


async def test_keys_are_listed_in_the_order_of_their_utf8_bytes(raw: Raw) -> None:
    keys = ["b", "a", "Z", "ü", "日", "a/b", "a-b", "\U0001f600", "ﬀ"]
    await fill(raw, *keys)
    assert (await raw.get("/bucket")).texts("Contents/Key") == sorted(keys, key=str.encode)


async def test_list_objects_v2(raw: Raw) -> None:
    await fill(raw, "a", "b/1", "b/2", "c/1", "d")
    first = await raw.get("/bucket?list-type=2&delimiter=/&max-keys=2")
    assert first.xml.tag == "ListBucketResult"
    assert (first.texts("Contents/Key"), first.texts("CommonPrefixes/Prefix")) == (["a"], ["b/"])
    assert (first.texts("KeyCount"), first.texts("IsTruncated"), first.texts("MaxKeys")) == (["2"], ["true"], ["2"])
    token = quote(first.texts("NextContinuationToken")[0], safe="")
    second = await raw.get(f"/bucket?list-type=2&delimiter=/&continuation-token={token}")
    assert (second.texts("Contents/Key"), second.texts("CommonPrefixes/Prefix")) == (["d"], ["c/"])
    assert second.texts("IsTruncated") == ["false"]
    assert (await raw.get("/bucket?list-type=2&start-after=b/1")).texts("Contents/Key") == ["b/2", "c/1", "d"]
    assert (await raw.get("/bucket?list-type=2&continuation-token=")).texts("KeyCount") == ["5"]
    assert (await raw.get("/bucket?list-type=2&continuation-token=%21")).code == "InvalidArgument"
    assert (await raw.get("/bucket?list-type=2")).texts("Contents/Owner") == []
    owned = await raw.get("/bucket?list-type=2&fetch-owner=true")
    assert set(owned.texts("Contents/Owner/ID")) == {raw.emulator.instance.guid}
    entry = (await raw.get("/bucket?list-type=2&prefix=b/&max-keys=1")).xml.find("Contents")
    assert entry is not None
    assert {e.tag: e.text for e in entry if e.tag != "LastModified"} == {
        "Key": "b/1",
        "ETag": etag(b"b/1"),
        "Size": "3",
        "StorageClass": "STANDARD",
        "ChecksumAlgorithm": "CRC64NVME",
        "ChecksumType": "FULL_OBJECT",
    }


async def test_list_objects_v1(raw: Raw) -> None:
    await fill(raw, "a", "b/1", "b/2", "c")
    first = await raw.get("/bucket?delimiter=/&max-keys=2")
    assert (first.texts("Contents/Key"), first.texts("CommonPrefixes/Prefix")) == (["a"], ["b/"])
    assert (first.texts("NextMarker"), first.texts("IsTruncated")) == (["b/"], ["true"])
    second = await raw.get("/bucket?delimiter=/&marker=b/")
    assert (second.texts("Contents/Key"), second.texts("CommonPrefixes/Prefix")) == (["c"], [])
    assert (await raw.get("/bucket?marker=b/1")).texts("Contents/Key") == ["b/2", "c"]
    assert (await raw.get("/bucket?prefix=b/&delimiter=/")).texts("Contents/Key") == ["b/1", "b/2"]


async def test_max_keys_limits_a_page(raw: Raw) -> None:
    await fill(raw, "a", "b")
    none = await raw.get("/bucket?list-type=2&max-keys=0")
    assert (none.texts("Contents"), none.texts("IsTruncated")) == ([], ["false"])
    assert (await raw.get("/bucket?list-type=2&max-keys=5000")).texts("MaxKeys") == ["1000"]
    for bad in ("-1", "many"):
        assert (await raw.get(f"/bucket?list-type=2&max-keys={bad}")).code == "InvalidArgument"


async def test_url_encoded_listing(raw: Raw) -> None:
    keys = [" a+b", "a\rb", "a\nb", "\x02", "ü%2F", "<&>"]
    await fill(raw, *keys)
    listed = await raw.get("/bucket?list-type=2&encoding-type=url&prefix=&start-after=%01")
    assert [unquote_plus(k) for k in listed.texts("Contents/Key")] == sorted(keys, key=str.encode)
    assert listed.texts("EncodingType") == ["url"]
    assert unquote_plus(listed.texts("StartAfter")[0]) == "\x01"
    plain = await raw.get("/bucket?list-type=2&prefix=a")
    assert plain.texts("Contents/Key") == ["a\nb", "a\rb"]
    assert plain.texts("EncodingType") == []


async def test_listing_versions_of_a_bucket_without_versioning(raw: Raw) -> None:
    await fill(raw, "a", "b/1", "b/2")
    page = await raw.get("/bucket?versions&max-keys=1")
    assert page.xml.tag == "ListVersionsResult"
    assert (page.texts("Version/Key"), page.texts("Version/VersionId"), page.texts("Version/IsLatest")) == (
        ["a"],
        ["null"],
        ["true"],
    )
    following = f"key-marker={page.texts('NextKeyMarker')[0]}&version-id-marker={page.texts('NextVersionIdMarker')[0]}"
    assert (await raw.get(f"/bucket?versions&{following}")).texts("Version/Key") == ["b/1", "b/2"]
    assert (await raw.get("/bucket?versions&delimiter=/")).texts("CommonPrefixes/Prefix") == ["b/"]
    assert (await raw.get("/bucket?versions&version-id-marker=null")).code == "InvalidArgument"


PREFIXES = ["a b/", "a+b/", "100%/", "a%20b/", "ü/", "x&y/"]


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_ibm_boto3_reads_unusual_keys(raw: Raw, prefix: str) -> None:
    """The SDK requests encoded pages and decodes some of their fields; it does not decode the prefix of version 1."""
    await fill(raw, f"{prefix}k %1", f"{prefix}sub +/k")
    cos = await asyncio.to_thread(sdk_client, raw.emulator, "hmac")
    for call in (cos.list_objects, cos.list_objects_v2):
        page: Any = await asyncio.to_thread(call, Bucket="bucket", Prefix=prefix, Delimiter="+/")
        assert page["Prefix"] == prefix
        assert page["Delimiter"] == "+/"
        assert [entry["Key"] for entry in page["Contents"]] == [f"{prefix}k %1"]
        assert [entry["Prefix"] for entry in page["CommonPrefixes"]] == [f"{prefix}sub +/"]
    first: Any = await asyncio.to_thread(cos.list_objects, Bucket="bucket", Prefix=prefix, MaxKeys=1)
    assert first["NextMarker"] == f"{prefix}k %1"
    versions: Any = await asyncio.to_thread(cos.list_object_versions, Bucket="bucket", Prefix=prefix)
    assert versions["Prefix"] == prefix
    assert [entry["Key"] for entry in versions["Versions"]] == [f"{prefix}k %1", f"{prefix}sub +/k"]
    async with raw.emulator.client() as ours:
        page = await anext(ours.objects.list_v1("bucket", prefix=prefix, delimiter="+/").pages())
        assert (page.prefix, page.contents[0].key) == (prefix, f"{prefix}k %1")


async def test_a_prefix_that_xml_cannot_represent_is_omitted(raw: Raw) -> None:
    await fill(raw, "\x01k")
    page = await raw.get("/bucket?prefix=%01&encoding-type=url")
    assert (page.texts("Contents/Key"), page.texts("Prefix")) == (["%01k"], [])


LISTINGS = ["", "list-type=2&", "versions&", "uploads&"]


@pytest.mark.parametrize("listing", LISTINGS)
async def test_an_empty_delimiter_is_ignored(raw: Raw, listing: str) -> None:
    await fill(raw, "a/b")
    page = await raw.get(f"/bucket?{listing}delimiter=&prefix=&encoding-type=")
    assert page.status == 200
    assert page.xml.find("Delimiter") is None
    assert page.xml.find("EncodingType") is None
    assert page.texts("Prefix") == [""]
    assert (await raw.get(f"/bucket?{listing}delimiter=/")).texts("Delimiter") == ["/"]


@pytest.mark.parametrize("listing", LISTINGS)
async def test_an_unknown_encoding_type_is_refused(raw: Raw, listing: str) -> None:
    for encoding in ("base64", "URL", "url "):
        refused = await raw.get(f"/bucket?{listing}encoding-type={quote(encoding)}")
        assert (refused.status, refused.code) == (400, "InvalidArgument")

"""Resources against the emulator: uploads in parts, versions, the settings of buckets, protection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.ibm_boto3.resource.helpers import asked, connected

from aiocos.emulator import Emulator
from aiocos.ibm_boto3 import ClientError
from aiocos.ibm_boto3.resource import ResourceNotLoadedError

BUCKET = "resource-bucket"


@pytest.fixture
async def cos(cos_emulator: Emulator) -> AsyncIterator[Any]:
    """A resource, and a bucket."""
    async with connected(cos_emulator) as made:
        await made.create_bucket(Bucket=BUCKET)
        yield made


async def test_an_upload_in_parts(cos: Any) -> None:
    size = 5 << 20
    source = await cos.Bucket(BUCKET).put_object(Key="source", Body=bytes(size))
    upload = await cos.Object(BUCKET, "large").initiate_multipart_upload(ContentType="a/b")
    assert (upload.bucket_name, upload.object_key) == (BUCKET, "large")
    assert [found async for found in cos.Bucket(BUCKET).multipart_uploads.all()] == [upload]
    async for found in cos.Bucket(BUCKET).multipart_uploads.filter(Prefix="la"):
        assert (found.id, found.key, found.upload_id) == (upload.id, "large", upload.id)
        assert found.initiated.tzinfo is not None
        assert await found is found
    copied = await upload.Part(1).copy_from(CopySource={"Bucket": BUCKET, "Key": source.key})
    part = upload.Part("2")
    made = await part.upload(Body=b"the end")
    parts = [found async for found in upload.parts.page_size(1)]
    assert [(p.part_number, p.size, p.e_tag) for p in parts] == [
        (1, size, copied["CopyPartResult"]["ETag"]),
        (2, 7, made["ETag"]),
    ]
    assert parts[1] == part
    assert part.MultipartUpload() == upload
    joined = [{"PartNumber": p.part_number, "ETag": p.e_tag} for p in parts]
    done = await upload.complete(MultipartUpload={"Parts": joined})
    assert done == cos.Object(BUCKET, "large") == upload.Object()
    await done.load()
    assert (done.content_length, done.content_type) == (size + 7, "a/b")
    given_up = await cos.ObjectSummary(BUCKET, "x").initiate_multipart_upload()
    await given_up.abort()
    with pytest.raises(ClientError, match="NoSuchUpload"):
        await given_up.Part(1).upload(Body=b"1")
    assert [found async for found in cos.Bucket(BUCKET).multipart_uploads.all()] == []


async def test_versions(cos: Any, cos_emulator: Emulator) -> None:
    versioning = cos.Bucket(BUCKET).Versioning()
    thing = await cos.Bucket(BUCKET).put_object(Key="k", Body=b"old")
    assert (await versioning).status is None
    await versioning.enable()
    assert versioning.meta.data is None
    assert (await versioning).status == "Enabled"
    new = (await thing.put(Body=b"new!"))["VersionId"]
    marker = (await thing.delete())["VersionId"]
    found = [v async for v in cos.Bucket(BUCKET).object_versions.filter(Prefix="k")]
    assert [(v.id, v.size, v.is_latest) for v in found] == [(new, 4, False), ("null", 3, False), (marker, None, True)]
    assert [v.id async for v in cos.Bucket(BUCKET).object_versions.limit(2)] == [new, "null"]
    assert found[0] == thing.Version(new)
    assert found[0].Object() == thing
    response = await thing.Version("null").get()
    assert await response["Body"].read() == b"old"
    assert (await found[0].head())["ContentLength"] == 4
    assert found[0].size == 4
    await found[2].delete()
    assert (await thing).content_length == 4
    await versioning.suspend()
    assert (await versioning).status == "Suspended"
    await versioning.put(VersioningConfiguration={"Status": "Enabled"})
    assert (await versioning).status == "Enabled"

    for n in range(5):
        await cos.Object(BUCKET, f"k{n}").put(Body=b"")
        await cos.Object(BUCKET, f"k{n}").delete()
    asked(cos_emulator)
    answers = await cos.Bucket(BUCKET).object_versions.page_size(5).delete()
    assert [len(answer["Deleted"]) for answer in answers] == [5, 5, 2]
    assert asked(cos_emulator) == ["ListObjectVersions", "DeleteObjects"] * 3
    await cos.Bucket(BUCKET).delete()


SETTINGS = [
    (
        "Cors",
        {"CORSConfiguration": {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}},
        lambda made: made.cors_rules[0]["AllowedMethods"] == ["GET"],
    ),
    (
        "LifecycleConfiguration",
        {"LifecycleConfiguration": {"Rules": [{"ID": "r", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 3}}]}},
        lambda made: made.rules[0]["Expiration"] == {"Days": 3},
    ),
    ("Tagging", {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}, lambda made: made.tag_set[0]["Value"] == "b"),
    (
        "Website",
        {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "index.html"}}},
        lambda made: (made.index_document, made.routing_rules or None) == ({"Suffix": "index.html"}, None),
    ),
]


@pytest.mark.parametrize(("name", "document", "holds"), SETTINGS, ids=[name for name, _, _ in SETTINGS])
async def test_settings_of_a_bucket(cos: Any, name: str, document: dict[str, Any], holds: Any) -> None:
    setting = getattr(cos.Bucket(BUCKET), name)()
    assert setting.Bucket() == cos.Bucket(BUCKET)
    with pytest.raises(ClientError):
        await setting
    await setting.put(**document)
    assert holds(await setting)
    await setting.delete()
    assert setting.meta.data is None
    with pytest.raises(ClientError):
        await setting


async def test_access_control_lists(cos: Any) -> None:
    thing = await cos.Bucket(BUCKET).put_object(Key="k", Body=b"")
    for acl in (cos.Bucket(BUCKET).Acl(), thing.Acl()):
        assert len((await acl).grants) == 1
        await acl.put(ACL="public-read")
        with pytest.raises(ResourceNotLoadedError):
            acl.grants
        await acl.reload()
        assert [grant["Permission"] for grant in acl.grants if "URI" in grant["Grantee"]] == ["READ"]
    assert thing.Acl().Object() == thing


async def test_protection(cos: Any) -> None:
    protection = cos.Bucket(BUCKET).Protection()
    await protection.put(
        ProtectionConfiguration={
            "Status": "Retention",
            "MinimumRetention": {"Days": 10},
            "DefaultRetention": {"Days": 100},
            "MaximumRetention": {"Days": 1000},
        }
    )
    assert ((await protection).status, protection.default_retention) == ("Retention", {"Days": 100})
    thing = await cos.Bucket(BUCKET).put_object(Key="k", Body=b"", RetentionPeriod=20 * 86400)
    held = await thing.Protection()
    assert (held.retention_period, held.legal_holds) == (20 * 86400, [])
    await held.add_legal_hold(RetentionLegalHoldId="case-1")
    assert held.meta.data is None
    assert [hold["ID"] for hold in (await held).legal_holds] == ["case-1"]
    assert (await held.list_legal_holds())["LegalHolds"] == held.legal_holds
    await held.extend_object_retention(AdditionalRetentionPeriod=86400)
    await held.delete_legal_hold(RetentionLegalHoldId="case-1")
    assert ((await held).retention_period, held.legal_holds) == (21 * 86400, [])
    answers = await cos.Bucket(BUCKET).objects.delete()
    assert [failed["Code"] for failed in answers[0]["Errors"]] == ["AccessDenied"]
    assert (await thing).retention_period == 21 * 86400

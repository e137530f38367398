"""Configurations of buckets: one is stored, replaced and removed without changing the others."""

from __future__ import annotations

import pytest

from ..conftest import Raw, md5

WEBSITE = b"<WebsiteConfiguration><IndexDocument><Suffix>%s</Suffix></IndexDocument></WebsiteConfiguration>"
TAGS = b"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"


async def test_a_configuration_can_be_set_replaced_and_removed(raw: Raw) -> None:
    await raw.put("/bucket?tagging", TAGS, Content_MD5=md5(TAGS))
    for suffix in (b"a.html", b"b.html"):
        assert (await raw.put("/bucket?website", WEBSITE % suffix)).status == 200
    assert (await raw.get("/bucket?website")).texts("IndexDocument/Suffix") == ["b.html"]
    assert (await raw.delete("/bucket?website")).status == 204
    assert (await raw.get("/bucket?website")).status == 404
    assert (await raw.get("/bucket?tagging")).texts("TagSet/Tag/Value") == ["v"]


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("cors", "NoSuchCORSConfiguration"),
        ("lifecycle", "NoSuchLifecycleConfiguration"),
        ("object-lock", "ObjectLockConfigurationNotFoundError"),
        ("publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
        ("replication", "ReplicationConfigurationNotFoundError"),
        ("tagging", "NoSuchTagSet"),
        ("website", "NoSuchWebsiteConfiguration"),
    ],
)
async def test_a_missing_configuration_is_404_with_its_own_code(raw: Raw, target: str, code: str) -> None:
    response = await raw.get(f"/bucket?{target}")
    assert (response.status, response.code) == (404, code)
